import ConnectorKit
import ConnectorTesting
import MastodonConnector
import SocialEvents
import Testing

@Suite("Reading Mastodon's dead letters again")
struct MastodonRereadingTests {
    private typealias Post = ScriptedTimeline.Post

    private static func contract(_ settings: [String: String] = [:]) -> ConnectorContract {
        ConnectorContract(MastodonConnector.self, settings: MastodonScript.members(settings)) { _ in }
    }

    private func letter(_ payload: String, _ contentType: String = "application/json") -> DeadLetter {
        DeadLetter(reason: "an older version", contentType: contentType, payload: Array(payload.utf8))
    }

    @Test("A kept element or page gives the events that the timeline itself gives")
    func statuses() async throws {
        let edited = Post(id: 1002, editedAt: "2026-02-03T00:00:00Z").json
        let events = try await Self.contract().rereading([
            letter(Post(id: 1001).json), letter("[\(edited),\(Post(id: 1001).json)]"),
        ])
        #expect(events.first?.facts == ["created 1001"])
        #expect(events.last?.facts == ["created 1001", "created 1002", "updated 1002"])
    }

    @Test("A kept message of the stream says whether it told of something new or of a change")
    func stream() async throws {
        let script = try MastodonScript()
        let status = Post(id: 1001, editedAt: "2026-02-03T00:00:00Z").json
        script.timeline.update { $0.stream = "event: status.update\ndata: [\(status)]\n\n" }
        let sink = RecordingSink()
        try? await script.connector.stream(after: nil, into: sink)
        let kept = try #require(sink.deadLetters.first)
        #expect(kept.contentType == "application/json; form=status.update")
        let events = try await Self.contract().rereading([letter(status, kept.contentType)])
        #expect(events.first?.facts == ["updated 1001"])
    }

    @Test("A kept notification is told as one")
    func notification() async throws {
        let json = """
            {"id":"9","type":"follow","created_at":"2026-02-03T00:00:00Z",\
            "account":{"id":"2","acct":"otto","username":"otto","url":"https://harbour.example/@otto"}}
            """
        let events = try await Self.contract(["kind": "notifications"]).rereading([letter(json)])
        #expect(events.first?.map(\.type) == [.followCreated])
    }

    @Test("Of a page what still cannot be read stays, and what is no JSON stays whole")
    func unreadable() async throws {
        let connector = try MastodonScript().connector
        let now = Timestamp(seconds: 1_780_000_000)
        let page = letter("[{\"id\":\"1003\",\"reblog\":{\"x\":1}},\(Post(id: 1002).json)]")
        let reading = try await connector.reread(RereadRequest(letter: page, receivedAt: now))
        #expect(reading.events.facts == ["created 1002"])
        #expect(reading.deadLetters.count == 1)
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await connector.reread(RereadRequest(letter: letter("{\"id\":"), receivedAt: now))
        }
        #expect(error?.code == .malformed)
    }
}
