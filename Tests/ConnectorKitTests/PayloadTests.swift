import ConnectorKit
import SocialEvents
import Testing

@Suite("Payloads and their names")
struct PayloadTests {
    @Test("The same bytes have the same name, and a byte more has another")
    func names() {
        let name = PayloadDigest.name(Array("{}".utf8))
        #expect(name == "44136fa355b3678a1146ad16f7e8649e")
        #expect(PayloadDigest.name(Array("{} ".utf8)) != name)
    }

    @Test("What a source reads has another name once any of its parts differs, moves or is missing")
    func scopes() {
        let scopes = [
            PayloadDigest.scope("ab", "c"), PayloadDigest.scope("a", "bc"), PayloadDigest.scope("abc"),
            PayloadDigest.scope("ab", nil), PayloadDigest.scope("ab", ""), PayloadDigest.scope(nil, "ab"),
        ]
        #expect(Set(scopes).count == scopes.count)
        #expect(PayloadDigest.scope("ab", "c") == scopes[0])
        #expect(scopes.allSatisfy { $0.utf8.count == 16 })
    }

    @Test("A payload nobody knows is kept once, and told when it was cut")
    func unrecognised() throws {
        let now = Timestamp(seconds: 1_772_353_800)
        let event = Event.unrecognised(Array("{\"new\":1}".utf8), platform: "x", time: now)
        let later = Event.unrecognised(Array("{\"new\":1}".utf8), platform: "x", time: now.advanced(by: .seconds(9)))
        #expect(event.id == later.id)
        #expect(event.data.raw?.bytes == Array("{\"new\":1}".utf8))
        #expect(event.data.loss.isEmpty && event.validate().isEmpty)
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: EventLimits.raw + 1)
        let cut = Event.unrecognised(long, contentType: "text/plain", platform: "x", time: now)
        #expect(cut.data.raw?.bytes.count == EventLimits.raw)
        #expect(cut.data.loss.first?.reason == .truncated && cut.validate().isEmpty)
    }

    @Test("Text for queries and forms keeps only unreserved characters")
    func percentEncoding() {
        #expect("aZ09-._~ é+&%/".percentEncoded == "aZ09-._~%20%C3%A9%2B%26%25%2F")
    }
}
