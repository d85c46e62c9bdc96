import ConnectorKit
import ConnectorTesting
import HubCore
import JSON
import MessageBus
import SocialEvents
import Testing

@Suite("Reading dead letters again", .serialized, .timeLimit(.minutes(2)))
struct RereadingTests {
    private static let source = SourceName("a")

    /// A stage whose log holds dead letters with these payloads, numbered from 1.
    private func stage(_ payloads: [String], limits: HubLimits = HubLimits()) async throws -> Stage {
        let stage = try Stage(["a"], connector: RereadingConnector.self, limits: limits)
        let letters = payloads.map {
            DeadLetter(reason: "at first", contentType: "text/plain", payload: Array($0.utf8))
        }
        _ = try await stage.bus.append(LogBatch(source: Self.source, deadLetters: letters))
        return stage
    }

    private func kept(_ stage: Stage) -> [StoredDeadLetter] { stage.bus.state.current.letters }

    private func rereadings(_ stage: Stage) -> Int { stage.script.pulls(of: "reread") }

    @Test("What is read after all gives way to its events, also of a source that is only called, and of a paused one")
    func read() async throws {
        let stage = try await stage(["posts 1 2", "posts 2 3"])
        try await stage.play {
            try await stage.hub.pause(Self.source)
            let first = try await stage.hub.retryDeadLetter(1)
            #expect(first == DeadLetterResult(id: 1, outcome: .read, events: 2))
            #expect(try await stage.hub.retryDeadLetter(2) == DeadLetterResult(id: 2, outcome: .read, events: 1))
            #expect(stage.bus.posts(of: "a") == ids("1", "2", "3"))
            #expect(kept(stage).isEmpty)
            #expect(try stage.status("a").state == .paused)
            #expect(try stage.status("a").counts.events == 3)
            #expect(stage.bus.state.current.cursors.isEmpty, "no cursor moves")
            #expect(try await stage.hub.retryDeadLetter(1) == nil, "it is not there any more")
        }
    }

    @Test("What still cannot be read stays as it came, with the new reason and one attempt more")
    func unreadable() async throws {
        let stage = try await stage(["bad"])
        try await stage.play {
            for attempt in 1...2 {
                let result = try await stage.hub.retryDeadLetter(1)
                #expect(result == DeadLetterResult(id: 1, outcome: .kept(reason: "line 7: still no verb")))
                let letter = try #require(kept(stage).first)
                #expect(letter.attempts == attempt)
                #expect(letter.letter.reason == "line 7: still no verb")
                #expect(letter.letter.payload == Array("bad".utf8))
            }
        }
    }

    @Test("Of what is read in part, the rest stays in the letter's place")
    func partly() async throws {
        let stage = try await stage(["part 1"])
        try await stage.play {
            let result = try await stage.hub.retryDeadLetter(1)
            #expect(result == DeadLetterResult(id: 1, outcome: .kept(reason: "the second half"), events: 1))
            #expect(stage.bus.posts(of: "a") == ids("1"))
            #expect(kept(stage).map(\.letter.payload) == [Array("bad".utf8)])
            #expect(kept(stage).map(\.id) == [1])
        }
    }

    @Test("An event that breaks the format does not enter the log by this way either")
    func invalid() async throws {
        let stage = try await stage(["invalid 1"])
        try await stage.play {
            guard case .kept(let reason)? = try await stage.hub.retryDeadLetter(1)?.outcome else {
                Issue.record("it was not kept")
                return
            }
            #expect(reason.contains("platform"))
            #expect(stage.bus.posts(of: "a").isEmpty)
            // The letter is now the event; reading that again needs no connector.
            let before = rereadings(stage)
            guard case .kept? = try await stage.hub.retryDeadLetter(1)?.outcome else {
                Issue.record("it was not kept")
                return
            }
            #expect(rereadings(stage) == before)
            #expect(kept(stage).map(\.attempts) == [2])
        }
    }

    @Test("An event that was refused and is good by now is taken")
    func refusedBefore() async throws {
        let stage = try await stage([])
        var writer = JSONWriter()
        EventEncoder.encodeBody(post("1"), source: Self.source, into: &writer)
        let letter = DeadLetter(
            reason: "it breaks the format",
            contentType: "application/cloudevents+json",
            payload: writer.bytes
        )
        _ = try await stage.bus.append(LogBatch(source: Self.source, deadLetters: [letter]))
        try await stage.play {
            let result = try await stage.hub.retryDeadLetter(1)
            #expect(result == DeadLetterResult(id: 1, outcome: .read, events: 1))
            #expect(stage.bus.posts(of: "a") == ids("1"))
        }
    }

    @Test("A failure that says nothing of the payload leaves the letter untouched")
    func unavailable() async throws {
        let stage = try await stage(["down"])
        try await stage.play {
            let result = try await stage.hub.retryDeadLetter(1)
            #expect(result == DeadLetterResult(id: 1, outcome: .kept(reason: "the platform is down")))
            #expect(kept(stage).map(\.attempts) == [0])
            #expect(kept(stage).map(\.letter.reason) == ["at first"])
        }
    }

    @Test("A payload of which only the beginning was kept is not taken for the whole")
    func cut() async throws {
        let stage = try await stage([])
        let letter = DeadLetter(reason: "", contentType: "", payload: Array("posts 1".utf8), isCut: true)
        _ = try await stage.bus.append(LogBatch(source: Self.source, deadLetters: [letter]))
        try await stage.play {
            guard case .kept(let reason)? = try await stage.hub.retryDeadLetter(1)?.outcome else {
                Issue.record("it was not kept")
                return
            }
            #expect(reason.contains("7 bytes"))
            #expect(stage.bus.posts(of: "a").isEmpty && rereadings(stage) == 0)
        }
    }

    @Test("A person whose deletion was set aside is forgotten before the letter is gone")
    func forgotten() async throws {
        let stage = try await stage(["gone anna"])
        try await stage.play {
            let result = try await stage.hub.retryDeadLetter(1)
            #expect(result == DeadLetterResult(id: 1, outcome: .read, events: 1))
            let erased = stage.bus.state.current.erasures.map(\.selector)
            #expect(erased == [.actor(ObjectID("demo", "actor", "anna"))])
            #expect(kept(stage).isEmpty)
        }
    }

    @Test("A delivery that is read after all counts for its broadcast")
    func broadcast() async throws {
        let stage = try await stage(["delivered 1"])
        try await stage.play {
            let result = try await stage.hub.retryDeadLetter(1)
            #expect(result == DeadLetterResult(id: 1, outcome: .read, events: 1))
            try await stage.untilSleeping(for: .seconds(5))
        }
    }

    @Test("A log whose answer is lost has the events once, however often the letter is read again")
    func lostAnswer() async throws {
        let stage = try await stage(["posts 1 2"])
        try await stage.play {
            // The answer to what the source tells of itself is not the one to be lost.
            try await stage.until("the source told that it runs") { stage.bus.state.current.appends == 2 }
            stage.bus.state.update { $0.lostAnswers = 1 }
            await #expect(throws: BusError.storage("the answer was lost")) {
                _ = try await stage.hub.retryDeadLetter(1)
            }
            #expect(kept(stage).count == 1)
            let result = try await stage.hub.retryDeadLetter(1)
            #expect(result == DeadLetterResult(id: 1, outcome: .read, events: 0))
            #expect(stage.bus.posts(of: "a") == ids("1", "2"))
        }
    }

    @Test("A connector that hangs over a letter is ended at the deadline, and the round with it")
    func hangs() async throws {
        let stage = try await stage(["posts 1", "hang", "posts 2"])
        try await stage.play {
            // Awaited below, once its deadline has passed.
            let round = Task { try await stage.hub.retryDeadLetters(of: Self.source, after: 0, limit: 10) }
            try await stage.until("it hangs", { rereadings(stage) == 2 && stage.isSet })
            stage.clock.advance(by: HubLimits().deliveryDeadline)
            let results = try await round.value.results
            #expect(results.map(\.id) == [1, 2])
            #expect(results.map(\.isStuck) == [false, true])
            #expect(kept(stage).map(\.id) == [2, 3])
            #expect(kept(stage).map(\.attempts) == [0, 0])
        }
    }

    @Test("A connector that does not even end is left behind, and what it brings later is ignored")
    func leftBehind() async throws {
        let stage = try await stage(["deaf 1"])
        try await stage.play {
            // Awaited below, once its deadline and grace have passed.
            let retry = Task { try await stage.hub.retryDeadLetter(1) }
            try await stage.until("it is asked", { rereadings(stage) == 1 && stage.isSet })
            stage.clock.advance(by: HubLimits().deliveryDeadline)
            try await stage.untilSleeping(for: HubLimits().grace)
            stage.clock.advance(by: HubLimits().grace)
            #expect(try await retry.value?.isStuck == true)
            stage.script.release()
            #expect(kept(stage).map(\.id) == [1])
            #expect(stage.bus.posts(of: "a").isEmpty)
        }
    }

    @Test("A round goes through a source's letters in order, a few at a time")
    func rounds() async throws {
        let stage = try await stage(["posts 1", "bad", "posts 2", "posts 3", "posts 4"])
        try await stage.play {
            let first = try await stage.hub.retryDeadLetters(of: Self.source, after: 0, limit: 2)
            #expect(first.results.map(\.id) == [1, 2])
            #expect(first.next == 2)
            let second = try await stage.hub.retryDeadLetters(of: Self.source, after: 2, limit: 3)
            #expect(second.results.map(\.id) == [3, 4, 5])
            #expect(second.next == nil)
            #expect(stage.bus.posts(of: "a") == ids("1", "2", "3", "4"))
            #expect(kept(stage).map(\.id) == [2])
        }
    }

    @Test("What is too much for one page is not read")
    func tooMany() async throws {
        let stage = try await stage(["many 11", "many 10"], limits: HubLimits().with { $0.largestPage = 10 })
        try await stage.play {
            let result = try #require(try await stage.hub.retryDeadLetter(1))
            #expect(result.outcome == .kept(reason: "it has too many parts: 11"))
            #expect(try await stage.hub.retryDeadLetter(2)?.events == 10)
        }
    }

    @Test("Sources that are unknown, or whose connector does not read again, are named")
    func refused() async throws {
        let stage = try Stage(["a"])
        let letter = DeadLetter(reason: "", contentType: "", payload: [])
        for source in ["a", "b"] {
            _ = try await stage.bus.append(LogBatch(source: SourceName(source), deadLetters: [letter]))
        }
        try await stage.play {
            await #expect(throws: HubCommandError.cannotReread(Self.source, connector: "scripted")) {
                _ = try await stage.hub.retryDeadLetter(1)
            }
            await #expect(throws: HubCommandError.unknownSource(SourceName("b"), nearest: nil)) {
                _ = try await stage.hub.retryDeadLetter(2)
            }
            #expect(kept(stage).count == 2)
        }
    }
}
