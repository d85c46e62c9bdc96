import ConnectorKit
import ConnectorTesting
import HubCore
import Logging
import MessageBus
import SocialEvents
import Testing

@Suite("Pausing, resuming and stopping", .serialized, .timeLimit(.minutes(2)))
struct CommandTests {
    @Test("A paused source is not asked until it is resumed, and the log tells both")
    func pauses() async throws {
        let script = Script(["a": [.posts(["1"])]])
        let stage = try Stage(["a", "b"], script: script)
        try await stage.play {
            try await stage.until("asleep", { stage.isAsleep(2) })
            try await stage.hub.pause(SourceName("a"))
            #expect(try stage.status("a").state == .paused)
            #expect(try stage.status("a").nextPullAt == nil)
            try await stage.until("told", { stage.bus.states(of: "a") == [.running, .paused] })
            let pulls = script.pulls(of: "b")
            stage.clock.advance(by: .seconds(1000))
            try await stage.until("the other goes on", { script.pulls(of: "b") > pulls })
            #expect(script.pulls(of: "a") == 1)
            try await stage.hub.resume(SourceName("a"))
            try await stage.until("told", { stage.bus.states(of: "a") == [.running, .paused, .running] })
            #expect(script.pulls(of: "a") == 2)
        }
    }

    @Test("A pause outlives a restart, and so does its end")
    func pausePersists() async throws {
        let bus = MemoryBus()
        let first = try Stage(["a"], bus: bus)
        try await first.play {
            try await first.until("a", is: .running)
            try await first.hub.pause(SourceName("a"))
        }
        let script = Script()
        let second = try Stage(["a", "b"], script: script, bus: bus)
        try await second.play {
            try await second.until("a", is: .paused)
            try await second.until("b", is: .running)
            #expect(script.pulls(of: "a") == 0)
            try await second.hub.resume(SourceName("a"))
            try await second.until("a", is: .running)
        }
        let third = try Stage(["a"], bus: bus)
        try await third.play { try await third.until("a", is: .running) }
    }

    @Test("A pause that cannot be kept is refused, and the source goes on")
    func pauseNotKept() async throws {
        let stage = try Stage(["a"])
        try await stage.play {
            try await stage.until("asleep", { stage.isAsleep(1) })
            stage.bus.state.update { $0.condition = .full("no room") }
            await #expect(throws: BusError.full("no room")) { try await stage.hub.pause(SourceName("a")) }
            #expect(try stage.status("a").state == .running)
        }
    }

    @Test("Pausing in the middle of a pull ends it and takes nothing of it")
    func pauseDuringPull() async throws {
        let script = Script(["a": [.hang, .posts(["1"])]])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            try await stage.until("asked", { script.pulls(of: "a") == 1 })
            try await stage.hub.pause(SourceName("a"))
            try await stage.until("ended", { script.state.current.inFlight["a"] == 0 })
            #expect(stage.bus.posts(of: "a").isEmpty)
            #expect(try stage.status("a").counts.failures == 0, "a pause is no failure")
            try await stage.hub.resume(SourceName("a"))
            try await stage.until("a", has: ids("1"))
        }
    }

    @Test("Pausing and resuming at will never asks twice at once and loses nothing")
    func hammering() async throws {
        let script = Script(["a": (0..<200).map { .posts([String($0)], hasMore: true) }])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            for _ in 0..<60 {
                try await stage.hub.pause(SourceName("a"))
                for _ in 0..<3 { await Task.yield() }
                try await stage.hub.resume(SourceName("a"))
                for _ in 0..<3 { await Task.yield() }
            }
            try await stage.until("caught up", { try stage.status("a").state == .running })
            #expect(script.state.current.mostInFlight["a"] == 1)
            let posts = stage.bus.posts(of: "a")
            #expect(posts.count == Set(posts).count)
            #expect(posts == posts.sorted { Int($0.filter(\.isNumber)) ?? 0 < Int($1.filter(\.isNumber)) ?? 0 })
        }
    }

    @Test("A command for a source that there is not names the nearest one")
    func unknownSource() async throws {
        let stage = try Stage(["acme-blog", "acme-forum"])
        await #expect(throws: HubCommandError.unknownSource(SourceName("acme-blgo"), nearest: "acme-blog")) {
            try await stage.hub.pause(SourceName("acme-blgo"))
        }
        #expect(stage.hub.source(SourceName("acme-blgo")) == nil)
    }

    @Test("A source that is switched off is shown as stopped, with the reason, and takes no commands")
    func disabled() async throws {
        let configuration = HubConfiguration(sources: [
            SourceConfiguration(
                name: SourceName("off"),
                connector: ScriptedConnector.self,
                interval: Stage.interval,
                isEnabled: false
            )
        ])
        let hub = try Hub(
            configuration: configuration,
            bus: MemoryBus(),
            http: { _ in ScriptedHTTPClient() },
            clock: ManualClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let status = try #require(hub.source(SourceName("off")))
        #expect(status.state == .stopped)
        #expect(status.reason == "switched off by `enabled: false`")
        await #expect(throws: HubCommandError.disabled(SourceName("off"))) { try await hub.resume(SourceName("off")) }
    }

    @Test("Stopping ends what is in flight, waiting or asleep, and takes no commands any more")
    func stops() async throws {
        let script = Script(["hung": [.hang], "asleep": [.posts(["1"])]])
        let stage = try Stage(
            ["hung", "asleep", "waiting"],
            script: script,
            limits: HubLimits().with { $0.pullsInFlight = 1 }
        )
        try await stage.play { try await stage.until("asked", { script.state.current.inFlight.values.contains(1) }) }
        #expect(stage.hub.sources().allSatisfy { $0.state == .stopped })
        #expect(stage.alarm.count == 0)
        await #expect(throws: HubCommandError.stopping) { try await stage.hub.pause(SourceName("hung")) }
        #expect(stage.hub.readiness.reasons == ["the hub is stopped"])
    }

    @Test("A hub without sources runs until it is stopped, so that its log is served")
    func noSources() async throws {
        let stage = try Stage([])
        try await stage.play {
            try await stage.until("running", { stage.hub.phase == .running })
            for _ in 0..<1000 { await Task.yield() }
            #expect(stage.hub.readiness.isReady)
        }
        #expect(stage.hub.phase == .stopped)
    }

    @Test("Stopping waits for a deaf connector only for its grace")
    func stopsDespiteDeafConnector() async throws {
        let script = Script(["deaf": [.hangForGood]])
        let stage = try Stage(["deaf"], script: script)
        let hub = stage.hub
        // Awaited at the end of the test.
        let running = Task { await hub.run() }
        try await stage.until("asked", { script.pulls(of: "deaf") == 1 && stage.isAsleep(1) })
        running.cancel()
        try await stage.untilSleeping(for: HubLimits().grace)
        #expect(hub.phase == .stopping)
        stage.clock.advance(by: HubLimits().grace)
        await running.value
        #expect(hub.phase == .stopped)
        script.release()
    }

    @Test("Stopping while the log is full does not wait for room")
    func stopsWhileFull() async throws {
        let bus = MemoryBus()
        bus.state.update { $0.condition = .full("no room") }
        let stage = try Stage(["a"], script: Script(["a": [.posts(["1"])]]), bus: bus)
        try await stage.play { try await stage.until("a", is: .retrying) }
        #expect(bus.posts(of: "a").isEmpty)
        #expect(bus.state.current.cursors.isEmpty, "the cursor did not move either")
    }

    @Test("A log that is closed under the hub stops its sources instead of spinning")
    func closedLog() async throws {
        let stage = try Stage(["a"], script: Script(["a": [.posts(["1"])]]))
        await stage.bus.close()
        try await stage.play {
            try await stage.until("a", is: .stopped)
            for _ in 0..<1000 { await Task.yield() }
            #expect(stage.bus.state.current.appends < 5)
        }
    }

    @Test("Retention is kept every interval by the configured policy, except for age when the clock has jumped")
    func retention() async throws {
        let policy = RetentionPolicy(age: .seconds(3600), size: 1 << 30)
        let stage = try Stage([], retention: policy)
        try await stage.play {
            try await stage.untilSleeping(for: .seconds(60))
            stage.clock.advance(by: .seconds(60))
            try await stage.until(
                "the first round",
                { stage.bus.state.current.trims.count == 1 && stage.isAsleep(1) }
            )
            stage.clock.setWallTime(to: stage.clock.now.advanced(by: .seconds(86_400 * 400)))
            stage.clock.advance(by: .seconds(60))
            try await stage.until("the second round", { stage.bus.state.current.trims.count == 2 })
            #expect(stage.bus.state.current.trims == [policy, RetentionPolicy(age: nil, size: 1 << 30)])
        }
    }
}
