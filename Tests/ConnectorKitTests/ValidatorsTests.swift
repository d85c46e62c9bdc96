import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents
import Testing

@Suite("Conditional requests")
struct ValidatorsTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    @Test("validators go back verbatim, however odd they look")
    func verbatim() {
        let validators = Validators([.eTag: "W/\"abc\"-x", .lastModified: "yesterday, more or less"])
        var headers = HTTPFields()
        validators.apply(to: &headers)
        #expect(headers[.ifNoneMatch] == "W/\"abc\"-x")
        #expect(headers[.ifModifiedSince] == "yesterday, more or less")
    }

    @Test("without validators a request stays unconditional")
    func none() {
        var headers = HTTPFields()
        Validators([:]).apply(to: &headers)
        #expect(headers.isEmpty)
        #expect(Validators().isEmpty)
    }

    @Test("a 304 keeps what it does not tell anew, a 200 replaces all")
    func update() {
        var validators = Validators([.eTag: "\"1\"", .lastModified: "Mon"])
        validators.update(status: 304, headers: [.eTag: "\"2\""], now: now)
        #expect(validators.etag == "\"2\"")
        #expect(validators.lastModified == "Mon")
        validators.update(status: 200, headers: [.lastModified: "Tue"], now: now)
        #expect(validators.etag == nil)
        #expect(validators.lastModified == "Tue")
    }

    @Test("what changed in the second of the answer may have changed again, so nothing is kept of it")
    func sameSecond() {
        let tag = HTTPFields([HTTPField(name: .eTag, value: "\"1\"")])
        var fresh = tag
        fresh[.lastModified] = "Sun, 22 Nov 2026 10:00:00 GMT"
        fresh[.date] = "Sun, 22 Nov 2026 10:00:01 GMT"
        var validators = Validators()
        validators.update(status: 200, headers: fresh, now: now)
        #expect(validators.isEmpty)
        fresh[.date] = "Sun, 22 Nov 2026 10:00:02 GMT"
        validators.update(status: 200, headers: fresh, now: now)
        #expect(validators.etag == "\"1\"")
        fresh[.date] = nil
        validators.update(status: 200, headers: fresh, now: Timestamp(seconds: 1_795_341_601))
        #expect(validators.isEmpty)
    }

    @Test("one too long for a cursor is not kept")
    func bounded() {
        #expect(Validators([.eTag: String(repeating: "x", count: 1025)]).isEmpty)
    }

    @Test("they survive a cursor")
    func cursor() throws {
        let validators = Validators([.eTag: "W/\"\u{e9}\\\"", .lastModified: "Mon"])
        var writer = JSONWriter()
        writer.beginObject()
        validators.write(into: &writer)
        writer.endObject()
        let read = try JSONParser().parse(writer.bytes) { Validators($0) }
        #expect(read == validators)
        #expect(try JSONParser().parse(#"{"etag":5,"last_modified":""}"#) { Validators($0) } == Validators())
    }
}
