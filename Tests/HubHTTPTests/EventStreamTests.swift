import ConnectorKit
import HTTPTypes
import MessageBus
import ServiceLifecycle
import SocialEvents
import Testing

@Suite("Events as a stream")
struct EventStreamTests {
    @Test("A stream without a position starts now")
    func now() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...5)
            let body = try await hub.open(.get, "/v1/events", accept: "text/event-stream").body
            var iterator = body.makeAsyncIterator()
            let first = try #require(try await iterator.next())
            #expect(String(decoding: first, as: UTF8.self).contains("id: \(Sequence(5))"))
            try await hub.append(6...6)
            let next = try #require(try await iterator.next())
            #expect(
                String(decoding: next, as: UTF8.self).hasPrefix(
                    "id: \(Sequence(6))\nevent: social.post.created\ndata: {"
                )
            )
        }
    }

    @Test("A reader that comes back with the last id gets every later event once, in order")
    func resume() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...300)
            let name = try #require(HTTPField.Name("Last-Event-ID"))
            let messages = try await hub.stream("/v1/events", first: 200, headers: [name: Sequence(100).description])
            #expect(messages.map(\.id) == (101...300).map { Sequence($0).description })
        }
    }

    @Test(
        "A stream that starts in the past runs into the present without a seam, wherever it starts and however much is going on"
    )
    func cutOver() async throws {
        try await RunningHub.run { hub in
            let total = 3_000
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for start in stride(from: 1, through: total, by: 10) { try await hub.append(start...start + 9) }
                }
                var generator = SystemRandomNumberGenerator()
                for _ in 0..<40 {
                    let after = Int64.random(in: 0...50, using: &generator)
                    group.addTask {
                        try await hub.bus.waitForEvents(after: Sequence(after))
                        let messages = try await hub.stream("/v1/events?after=\(after)", first: total - Int(after))
                        #expect(messages.map(\.id) == (after + 1...Int64(total)).map { Sequence($0).description })
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A reader whose position was retained away is told the gap before anything else")
    func gap() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...10)
            _ = try await hub.bus.trim(RetentionPolicy(age: .zero), now: Timestamp(milliseconds: .max))
            try await hub.append(11...12)
            let messages = try await hub.stream("/v1/events?after=4", first: 3)
            #expect(messages.first?.event == "gap")
            #expect(messages.first?.data.contains("\"first\":\"\(Sequence(5))\"") == true)
            #expect(messages.dropFirst().map(\.id) == [Sequence(11).description, Sequence(12).description])
        }
    }

    @Test("A filtered stream holds what it asks for and nothing else")
    func filtered() async throws {
        try await RunningHub.run { hub in
            for number in 1...20 { try await hub.append(number...number, source: number % 2 == 0 ? "even" : "odd") }
            let messages = try await hub.stream("/v1/events?after=0&source=even", first: 10)
            #expect(messages.map(\.id) == stride(from: 2, through: 20, by: 2).map { Sequence(Int64($0)).description })
        }
    }

    @Test("A silent stream shows that it lives")
    func heartbeat() async throws {
        try await RunningHub.run(heartbeat: .milliseconds(20)) { hub in
            let body = try await hub.open(.get, "/v1/events", accept: "text/event-stream").body
            for try await chunk in body where String(decoding: chunk, as: UTF8.self).contains(": still here") { return }
            Issue.record("the stream ended without a sign of life")
        }
    }

    @Test("Streams end when the hub is told to stop, also those nobody reads")
    func stop() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...1)
            let body = try await hub.open(.get, "/v1/events?after=0", accept: "text/event-stream").body
            _ = try await hub.open(.get, "/v1/events", accept: "text/event-stream")
            await hub.group.triggerGracefulShutdown()
            for try await _ in body {}
        }
    }
}
