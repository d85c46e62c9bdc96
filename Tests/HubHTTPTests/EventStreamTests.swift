import ConnectorKit
import HTTPTypes
import JSON
import MessageBus
import ServiceLifecycle
import SocialEvents
import Testing

@Suite("Events as a stream", .timeLimit(.minutes(5)))
struct EventStreamTests {
    @Test("A stream without a position starts now")
    func now() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...5)
            let body = try await hub.open(.get, "/v1/events", accept: "text/event-stream").body
            var reader = RunningHub.MessageReader(body)
            let first = try #require(try await reader.next())
            #expect(first.id == Sequence(5).description)
            #expect(first.data.isEmpty)
            try await hub.append(6...6)
            let next = try #require(try await reader.next())
            #expect(next.id == Sequence(6).description)
            #expect(next.event == "social.post.created")
            #expect(try JSONParser().parse(next.data) { $0["sequence"]?.string } == Sequence(6).description)
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
                for reader in 0..<10 {
                    // Each starts when the log is as long as the next one's start, some of them in the midst of a batch.
                    let after = Int64(reader * 37)
                    group.addTask {
                        try await hub.bus.waitForEvents(after: Sequence(after))
                        let messages = try await hub.stream("/v1/events?after=\(after)", first: total - Int(after))
                        let expected = (after + 1...Int64(total)).map { Sequence($0).description }
                        #expect(messages.map(\.id) == expected, "after \(after)")
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
            let gap = try #require(messages.first?.data)
            #expect(String(decoding: gap, as: UTF8.self).contains("\"first\":\"\(Sequence(5))\""))
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
            var text = ""
            for try await chunk in body {
                text += String(decoding: chunk, as: UTF8.self)
                if text.contains(": still here\n") { return }
            }
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
