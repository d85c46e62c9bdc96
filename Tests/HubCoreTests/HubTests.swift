import ConnectorKit
import ConnectorTesting
import HubCore
import Logging
import MessageBus
import SocialEvents
import Testing

@Suite("A hub and its sources", .serialized, .timeLimit(.minutes(2)))
struct HubTests {
    @Test("A source is read, its events and cursor lie in one batch, and it is asked again from there")
    func reads() async throws {
        let script = Script(["a": [.posts(["1", "2"], hasMore: true), .posts(["3"])]])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            try await stage.until("two pulls", { script.pulls(of: "a") == 2 && stage.isAsleep(1) })
            #expect(stage.bus.posts(of: "a") == ids("1", "2", "3"))
            let batches = stage.bus.state.current.batches
            #expect(batches.map { $0.cursor.map { String(decoding: $0.bytes, as: UTF8.self) } } == ["2", "3"])
            #expect(stage.bus.states(of: "a") == [.backfilling, .running])
            let status = try stage.status("a")
            #expect(status.counts.events == 3)
            #expect(status.counts.pulls == 2)
            #expect(status.state == .running)
            #expect(status.nextPullAt.map { $0 > stage.clock.now } == true)
            stage.clock.advance(by: .seconds(120))
            try await stage.until("the next pull", { script.pulls(of: "a") == 3 })
            #expect(script.state.current.requests["a"]?.last?.cursor == Cursor(bytes: Array("3".utf8)))
        }
        #expect(try stage.status("a").state == .stopped)
        #expect(stage.hub.phase == .stopped)
    }

    @Test("After a restart a source goes on from its durable cursor and doubles nothing")
    func restarts() async throws {
        let bus = MemoryBus()
        let first = Script(["a": [.posts(["1", "2"])]])
        let before = try Stage(["a"], script: first, bus: bus)
        try await before.play { try await before.until("a", has: ids("1", "2")) }
        let second = Script(["a": [.posts(["2", "3"])]])
        let after = try Stage(["a"], script: second, bus: bus)
        // Two news of the same moment have the same id once in a thousand times, and would be counted as repeated too.
        after.clock.advance(by: .seconds(50))
        try await after.play {
            try await after.until("a", has: ids("1", "2", "3"))
            #expect(second.state.current.requests["a"]?.first?.cursor == Cursor(bytes: Array("2".utf8)))
            try await after.until("counted", { try after.status("a").counts.repeated == 1 })
        }
    }

    @Test("A source that fails backs off alone while the others go on")
    func failsAlone() async throws {
        let down = ConnectorError(.unavailable, "the platform is down")
        let script = Script(["bad": Array(repeating: .fail(down), count: 3), "good": [.posts(["1"])]])
        let stage = try Stage(["bad", "good"], script: script)
        try await stage.play {
            try await stage.until("bad", is: .retrying)
            try await stage.until("good", is: .running)
            let bad = try stage.status("bad")
            #expect(bad.reason == "the platform is down")
            #expect(bad.attempt == 1)
            #expect(try #require(bad.until) > stage.clock.now)
            for attempt in 2...3 {
                try await stage.until("asleep", { stage.isAsleep(2) })
                try stage.advanceToNext()
                try await stage.until("attempt \(attempt)", { try stage.status("bad").attempt == attempt })
            }
            try await stage.until("asleep", { stage.isAsleep(2) })
            try stage.advanceToNext()
            try await stage.until("told", { stage.bus.states(of: "bad").last == .running })
            #expect(try stage.status("bad").counts.failures == 3)
            #expect(stage.bus.states(of: "bad") == [.retrying, .running])
            #expect(script.pulls(of: "good") == 1, "the other was not asked more often for it")
        }
    }

    @Test("A connector that hangs is ended at its deadline and tried again, and the others do not notice")
    func hangs() async throws {
        let script = Script(["hung": [.hang, .posts(["1"])], "good": [.posts(["2"])]])
        let stage = try Stage(["hung", "good"], script: script, limits: HubLimits().with { $0.pullsInFlight = 2 })
        try await stage.play {
            try await stage.until("good", is: .running)
            try await stage.until("both asleep", { stage.isAsleep(2) })
            stage.clock.advance(by: SourceSettings.defaultDeadline)
            try await stage.until("hung", is: .retrying)
            #expect(try stage.status("hung").reason == "no answer within 150s")
            try await stage.until("asleep", { stage.isAsleep(2) })
            stage.clock.advance(by: .seconds(3))
            try await stage.until("hung", has: ids("1"))
            #expect(try stage.status("hung").counts.abandoned == 0)
        }
    }

    @Test("A connector that ignores its cancellation is left behind, and what it brings late is ignored")
    func ignoresCancellation() async throws {
        let script = Script(["deaf": [.hangForGood, .posts(["1"])]])
        let stage = try Stage(["deaf"], script: script)
        try await stage.play {
            try await stage.until("its deadline runs", { stage.isAsleep(1) })
            stage.clock.advance(by: SourceSettings.defaultDeadline)
            try await stage.untilSleeping(for: HubLimits().grace)
            stage.clock.advance(by: HubLimits().grace)
            try await stage.until("deaf", is: .retrying)
            #expect(try stage.status("deaf").counts.abandoned == 1)
            try await stage.until("asleep", { stage.isAsleep(1) })
            stage.clock.advance(by: .seconds(3))
            try await stage.until("deaf", has: ids("1"))
            script.release()
            try await stage.until("its late end", { script.state.current.inFlight["deaf"] == 0 })
            #expect(stage.bus.posts(of: "deaf") == ids("1"))
            #expect(stage.bus.state.current.cursors[SourceName("deaf")] == Cursor(bytes: Array("1".utf8)))
        }
    }

    @Test("A connector that is left behind again and again stops its source instead of piling up")
    func leftBehindAgain() async throws {
        let script = Script(["deaf": Array(repeating: .hangForGood, count: 10)])
        let stage = try Stage(["deaf"], script: script)
        try await stage.play {
            while try stage.status("deaf").state != .failed {
                try await stage.until("asleep or failed") {
                    try stage.isAsleep(1) || stage.status("deaf").state == .failed
                }
                if let next = stage.alarm.untilNext { stage.clock.advance(by: next) }
            }
            #expect(try stage.status("deaf").counts.abandoned == HubLimits().stepsLeftBehind + 1)
            #expect(try stage.status("deaf").reason?.contains("restart the hub") == true)
        }
    }

    @Test("A rate limit is waited out exactly")
    func rateLimited() async throws {
        let stageClock = ManualClock()
        let until = stageClock.now.advanced(by: .milliseconds(77_777))
        let limit = ConnectorError(.rateLimited, "429", retryAt: until)
        let script = Script(["a": [.fail(limit), .posts(["1"])]])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            try await stage.until("a", is: .throttled)
            #expect(try stage.status("a").until == until)
            try await stage.untilSleeping(for: .milliseconds(77_777))
            stage.clock.advance(by: .milliseconds(77_776))
            for _ in 0..<1000 { await Task.yield() }
            #expect(script.pulls(of: "a") == 1)
            stage.clock.advance(by: .milliseconds(1))
            try await stage.until("a", has: ids("1"))
            #expect(stage.bus.states(of: "a") == [.throttled, .running])
        }
    }

    @Test("Refused credentials stop the source until a person resumes it")
    func unauthorized() async throws {
        let denied = ConnectorError(.unauthorized, "401: renew the token")
        let script = Script(["a": [.fail(denied), .posts(["1"])]])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            try await stage.until("told", { stage.bus.states(of: "a") == [.unauthorized] })
            stage.clock.advance(by: .seconds(86_400))
            for _ in 0..<1000 { await Task.yield() }
            #expect(script.pulls(of: "a") == 1)
            try await stage.hub.resume(SourceName("a"))
            try await stage.until("a", is: .running)
            try await stage.until("told", { stage.bus.states(of: "a") == [.unauthorized, .running] })
        }
    }

    @Test(
        "What can never work stops the source with its reason",
        arguments: [
            ConnectorError.Code.rejected, .unsupported,
        ]
    )
    func rejected(code: ConnectorError.Code) async throws {
        let stage = try Stage(["a"], script: Script(["a": [.fail(ConnectorError(code, "410: gone for good"))]]))
        try await stage.play {
            try await stage.until("told", { stage.bus.states(of: "a") == [.failed] })
            #expect(try stage.status("a").reason == "410: gone for good")
        }
    }

    @Test("A page that cannot be read is set aside once, however often it comes, and the source goes on")
    func malformed() async throws {
        let letter = DeadLetter(reason: "no feed", contentType: "text/html", payload: Array("<html>".utf8))
        let error = ConnectorError(.malformed, "this is not a feed", deadLetter: letter)
        let script = Script(["a": [.fail(error), .fail(error), .posts(["1"])]])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            for pulls in 1...2 {
                try await stage.until(
                    "pull \(pulls)",
                    { script.pulls(of: "a") == pulls && stage.isAsleep(1) }
                )
                try stage.advanceToNext()
            }
            try await stage.until("a", is: .running)
            #expect(stage.bus.state.current.letters.map(\.letter) == [letter])
            #expect(try stage.status("a").counts.deadLetters == 1)
        }
    }

    @Test("Dead letters of a page are kept with it, and an event that breaks the format becomes one")
    func invalidEvents() async throws {
        var bad = post("bad")
        bad.data.object?.text = String(repeating: "x", count: EventLimits.text + 1)
        var forged = post("forged")
        forged.platform = .hub
        let letter = DeadLetter(reason: "odd item", contentType: "application/xml", payload: [1, 2, 3])
        let page = PullPage(
            events: [post("1"), bad, post("2"), forged],
            deadLetters: [letter],
            cursor: Cursor(bytes: [9])
        )
        let stage = try Stage(["a"], script: Script(["a": [.page(page)]]))
        try await stage.play {
            try await stage.until("stored", { !stage.bus.state.current.batches.isEmpty })
            #expect(stage.bus.posts(of: "a") == ids("1", "2"))
            let batch = try #require(stage.bus.state.current.batches.first)
            #expect(batch.cursor == Cursor(bytes: [9]))
            #expect(batch.deadLetters.count == 3)
            #expect(batch.deadLetters.first == letter)
            #expect(batch.deadLetters[1].reason.contains("data.object.text"))
            #expect(batch.deadLetters[2].reason.contains("platform"))
            try await stage.until("counted", { try stage.status("a").counts.deadLetters == 3 })
            #expect(try stage.status("a").counts.invalid == 2)
        }
    }

    @Test("A cursor over the limit stops the source before anything of the page is stored")
    func largeCursor() async throws {
        let page = PullPage(
            events: [post("1")],
            cursor: Cursor(bytes: [UInt8](repeating: 0, count: Cursor.maximumSize + 1))
        )
        let stage = try Stage(["a"], script: Script(["a": [.page(page)]]))
        try await stage.play {
            try await stage.until("a", is: .failed)
            #expect(stage.bus.posts(of: "a").isEmpty)
        }
    }

    @Test("A large page goes in batches, the cursor riding with the last")
    func largePage() async throws {
        let names = (0..<25).map { String($0) }
        let stage = try Stage(
            ["a"],
            script: Script(["a": [.posts(names)]]),
            limits: HubLimits().with { $0.batchSize = 10 }
        )
        try await stage.play {
            try await stage.until("stored", { stage.bus.posts(of: "a").count == 25 })
            let batches = stage.bus.state.current.batches
            #expect(batches.map(\.events.count) == [11, 10, 5], "the first carries the change of state as well")
            #expect(batches.map { $0.cursor != nil } == [false, false, true])
        }
    }

    @Test("While the log is full the page is kept and offered again: nothing is lost, doubled or fetched anew")
    func logFull() async throws {
        let bus = MemoryBus()
        bus.state.update { $0.condition = .full("no room on the disk") }
        let script = Script(["a": [.posts(["1", "2"])]])
        let stage = try Stage(["a"], script: script, bus: bus)
        try await stage.play {
            for attempt in 1...3 {
                try await stage.until("attempt \(attempt)") {
                    try stage.status("a").attempt == attempt && stage.isAsleep(1)
                }
                let status = try stage.status("a")
                #expect(status.state == .retrying)
                #expect(status.reason == "the log does not take events: no room on the disk")
                #expect(!stage.hub.readiness.isReady)
                try stage.advanceToNext()
            }
            try await stage.until("asleep", { try stage.status("a").attempt == 4 && stage.isAsleep(1) })
            bus.state.update { $0.condition = .ready }
            try stage.advanceToNext()
            try await stage.until("a", has: ids("1", "2"))
            #expect(script.pulls(of: "a") == 1, "the page was not fetched again")
            #expect(stage.hub.readiness.isReady)
            try await stage.until("told", { bus.states(of: "a") == [.retrying, .running] })
        }
    }

    @Test("An answer of the log that was lost doubles nothing")
    func lostAnswer() async throws {
        let bus = MemoryBus()
        bus.state.update { $0.lostAnswers = 1 }
        let stage = try Stage(["a"], script: Script(["a": [.posts(["1", "2"])]]), bus: bus)
        try await stage.play {
            try await stage.until("a", is: .retrying)
            try await stage.until("asleep", { stage.isAsleep(1) })
            try stage.advanceToNext()
            try await stage.until("a", is: .running)
            try await stage.until("asleep", { stage.isAsleep(1) })
            #expect(bus.posts(of: "a") == ids("1", "2"))
        }
    }

    @Test("No more pulls are in flight than allowed, and everybody gets their turn")
    func gate() async throws {
        let names = (0..<40).map { "s\($0)" }
        let script = Script(Dictionary(uniqueKeysWithValues: names.map { ($0, [.posts([$0])]) }))
        let stage = try Stage(names, script: script, limits: HubLimits().with { $0.pullsInFlight = 3 })
        try await stage.play {
            try await stage.until("all", { stage.hub.totals.events == 40 })
            #expect(script.state.current.mostInFlightTogether == 3)
            #expect(stage.hub.sources().map(\.name.name) == names)
        }
    }

    @Test("A source is never asked twice at once")
    func oneAtATime() async throws {
        let script = Script(["a": (0..<50).map { .posts([String($0)], hasMore: true) }])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            try await stage.until("all", { script.pulls(of: "a") == 51 })
            #expect(script.state.current.mostInFlight["a"] == 1)
        }
    }

    @Test("A connector that says there is more without moving on is not asked without pause")
    func moreWithoutMoving() async throws {
        let page = PullPage(events: [post("1")], cursor: Cursor(bytes: [1]), hasMore: true)
        let script = Script(["a": [.page(page), .page(page), .page(page)]])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            try await stage.until("asleep", { stage.isAsleep(1) && script.pulls(of: "a") > 1 })
            #expect(script.pulls(of: "a") == 2)
        }
    }
}

extension HubLimits {
    func with(_ change: (inout HubLimits) -> Void) -> HubLimits {
        var limits = self
        change(&limits)
        return limits
    }
}
