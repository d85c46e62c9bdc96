import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import SocialEvents
import Testing

@Suite("Reading Bluesky's dead letters again")
struct BlueskyRereadingTests {
    private static let post = """
        {"uri":"at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/p1","cid":"bafyreibbbbbbbbbbbb",\
        "author":{"did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa","handle":"anna.example"},"record":{"$type":"app.bsky.feed.post",\
        "text":"words","createdAt":"2026-05-28T00:00:00Z"},"indexedAt":"2026-05-28T00:00:00Z"}
        """

    private static func contract(_ settings: [String: String]) -> ConnectorContract {
        ConnectorContract(BlueskyConnector.self, settings: SettingNode.members(settings)) { _ in }
    }

    private func letter(_ payload: [UInt8]) -> DeadLetter {
        DeadLetter(reason: "an older version", contentType: "application/json", payload: payload)
    }

    @Test("A kept message of the stream is told as the stream tells it")
    func message() async throws {
        guard case .text(let bytes) = StreamServer.message(1) else { return }
        let events = try await Self.contract(["kind": "jetstream"]).rereading([letter(bytes)])
        #expect(events.first?.map(\.type) == [.postCreated])
    }

    @Test("A kept item is told as its page tells it, and so is a whole page")
    func items() async throws {
        let page = Array("{\"posts\":[\(Self.post)]}".utf8)
        let settings = ["kind": "search", "query": "acme"]
        let events = try await Self.contract(settings).rereading([letter(Array(Self.post.utf8)), letter(page)])
        #expect(events.map { $0.map(\.type) } == [[.postCreated], [.postCreated]])
        #expect(Set(events.flatMap { $0.map(\.id) }).count == 1)
    }

    @Test("What still cannot be read stays")
    func unreadable() async throws {
        let settings = ["kind": "search", "query": "acme"]
        let connector = try BlueskyScript(settings).connector
        let page = letter(Array("{\"posts\":[\(Self.post),{\"no\":\"uri\"}]}".utf8))
        let reading = try await connector.reread(RereadRequest(letter: page, receivedAt: BlueskyScript.now))
        #expect(reading.events.count == 1)
        #expect(reading.deadLetters.map { String(decoding: $0.payload, as: UTF8.self) } == ["{\"no\":\"uri\"}"])
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await connector.reread(RereadRequest(letter: letter([0x7b]), receivedAt: BlueskyScript.now))
        }
        #expect(error?.code == .malformed)
    }
}
