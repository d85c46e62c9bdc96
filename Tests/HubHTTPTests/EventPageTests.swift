import HTTPTypes
import JSON
import MessageBus
import SocialEvents
import Testing

@Suite("Events as pages and lines", .timeLimit(.minutes(5)))
struct EventPageTests {
    @Test("A page holds the events after a position and says where to go on")
    func page() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...10)
            let answer = try await hub.get("/v1/events?after=3&limit=4")
            #expect(answer.status == 200)
            try answer.json { json in
                #expect(
                    json["events"]?.elements.map { $0["sequence"]?.string } == (4...7).map { Sequence($0).description }
                )
                #expect(json["after"]?.string == Sequence(3).description)
                #expect(json["next"]?.string == Sequence(7).description)
                #expect(json["head"]?.string == Sequence(10).description)
                #expect(json["more"]?.bool == true)
            }
        }
    }

    @Test("A page that waits returns as soon as an event is there")
    func longPoll() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...1)
            async let answer = hub.get("/v1/events?after=1&wait=30s")
            try await hub.append(2...2)
            let events = try await answer.json { $0["events"]?.elements.map { $0["sequence"]?.string } }
            #expect(events == [Sequence(2).description])
        }
    }

    @Test("Lines end at the head of the log")
    func lines() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...2_500)
            let answer = try await hub.get("/v1/events?after=5", accept: "application/x-ndjson")
            let lines = answer.text.split(separator: "\n")
            #expect(lines.count == 2_495)
            #expect(lines.first?.contains(Sequence(6).description) == true)
            #expect(lines.last?.contains(Sequence(2_500).description) == true)
        }
    }

    @Test("Lines that wait go on with what comes")
    func followedLines() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...2)
            async let answer = hub.get("/v1/events?after=0&limit=4&wait=30s", accept: "application/x-ndjson")
            try await hub.append(3...5)
            #expect(try await answer.text.split(separator: "\n").count == 4)
        }
    }

    @Test("Source, platform and type choose the events")
    func filters() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...2, source: "blog")
            try await hub.append(3...3, source: "news")
            try await hub.append(4...4, source: "elsewhere", platform: "mastodon")
            #expect(try await sequences(hub, "source=news") == [3])
            #expect(try await sequences(hub, "source=blog,elsewhere") == [1, 2, 4])
            #expect(try await sequences(hub, "platform=mastodon") == [4])
            #expect(try await sequences(hub, "type=social.post.created") == [1, 2, 3, 4])
            #expect(try await sequences(hub, "type=social.post.deleted") == [])
        }
    }

    @Test("An event that another source brought is shown only to those who ask for duplicates or for the source")
    func duplicates() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...1, source: "blog")
            try await hub.append(1...1, source: "planet")
            #expect(try await sequences(hub, "after=0") == [1])
            #expect(try await sequences(hub, "duplicates=true") == [1, 2])
            #expect(try await sequences(hub, "source=planet") == [2])
            let second = try await hub.get("/v1/events/2").json { $0["duplicateof"]?.string }
            #expect(second == Sequence(1).description)
        }
    }

    @Test("One event is found by its sequence, with or without padding")
    func single() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...3)
            for path in ["/v1/events/2", "/v1/events/\(Sequence(2))"] {
                let answer = try await hub.get(path)
                #expect(answer.headers[.contentType] == "application/cloudevents+json")
                #expect(try answer.json { $0["data"]?["object"]?["text"]?.string } == "post number 2")
            }
            #expect(try await hub.get("/v1/events/4").status == 404)
            #expect(try await hub.get("/v1/events/x").status == 400)
        }
    }

    @Test("What was erased is gone")
    func erased() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...3)
            _ = try await hub.bus.erase(.object(ObjectID("feed", .post, "2")))
            #expect(try await hub.get("/v1/events/2").status == 410)
            #expect(try await sequences(hub, "after=0") == [1, 3])
        }
    }

    @Test("A position that was retained away is answered with the lost range")
    func lost() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...10)
            _ = try await hub.bus.trim(RetentionPolicy(age: .zero), now: Timestamp(milliseconds: .max))
            try await hub.append(11...12)
            let answer = try await hub.get("/v1/events?after=4")
            #expect(answer.status == 410)
            #expect(answer.headers[.contentType] == "application/problem+json")
            try answer.json { json in
                #expect(json["lost"]?["first"]?.string == Sequence(5).description)
                #expect(json["lost"]?["last"]?.string == Sequence(10).description)
                #expect(json["next"]?.string == Sequence(10).description)
            }
            #expect(try await sequences(hub, "after=earliest") == [11, 12])
        }
    }

    @Test("A position beyond the log is refused instead of waited for")
    func ahead() async throws {
        try await RunningHub.run { hub in
            try await hub.append(1...2)
            #expect(try await hub.get("/v1/events?after=99").status == 409)
        }
    }

    @Test(
        "What is asked wrongly is answered with the parameter and the nearest right thing",
        arguments: [
            ("afetr=1", "afetr", "`after`"), ("after=x", "after", "sequence"), ("limit=0", "limit", "1 to 1000"),
            ("limit=1001", "limit", "1 to 1000"), ("wait=5m", "wait", "seconds"),
            ("type=social.post.craeted", "type", "social.post.created"),
            ("duplicates=perhaps", "duplicates", "true or false"),
        ]
    )
    func wrong(query: String, parameter: String, hint: String) async throws {
        try await RunningHub.run { hub in
            let answer = try await hub.get("/v1/events?\(query)")
            #expect(answer.status == 400)
            try answer.json { json in
                #expect(json["parameter"]?.string == parameter)
                #expect(json["detail"]?.string?.contains(hint) == true)
            }
        }
    }

    @Test("A form that is not offered is refused with those that are")
    func notAcceptable() async throws {
        try await RunningHub.run { hub in
            let answer = try await hub.get("/v1/events", accept: "text/csv")
            #expect(answer.status == 406)
            #expect(answer.text.contains("text/event-stream"))
        }
    }

    private func sequences(_ hub: RunningHub, _ query: String) async throws -> [Int64?] {
        try await hub.get("/v1/events?\(query)").json { json in
            json["events"]?.elements.map { $0["sequence"]?.string.flatMap { Sequence($0)?.number } } ?? []
        }
    }
}
