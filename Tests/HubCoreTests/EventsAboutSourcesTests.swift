import ConnectorKit
import ConnectorTesting
import HubCore
import Logging
import MessageBus
import SocialEvents
import Testing

@Suite("What the log tells about sources", .serialized, .timeLimit(.minutes(2)))
struct EventsAboutSourcesTests {
    private let gap = Gap(after: Timestamp(seconds: 5), before: Timestamp(seconds: 9), reason: "no shared entry")

    private func page(_ name: String, _ gaps: GapReport...) -> Act {
        .page(PullPage(events: [post(name)], cursor: Cursor(bytes: Array(name.utf8)), hasMore: true, gaps: gaps))
    }

    private func gapEvents(_ bus: MemoryBus) -> [Event] {
        bus.state.current.events.map(\.event).filter { $0.data.gap != nil }
    }

    @Test("A hole is told once when it opens and once when it closes, the close naming its opening")
    func gaps() async throws {
        let opened = GapReport.opened(key: "k", gap)
        let closed = GapReport.closed(key: "k", gap)
        let script = Script(["a": [page("1", opened), page("2", opened), page("3", closed), page("4", closed)]])
        let stage = try Stage(["a"], script: script)
        try await stage.play {
            try await stage.until("a", has: ids("1", "2", "3", "4"))
            let events = gapEvents(stage.bus)
            #expect(events.map(\.type) == [.gapOpened, .gapClosed])
            #expect(events.last?.causationID == events.first?.id)
            #expect(events.allSatisfy { $0.platform == .hub && $0.data.gap == gap && $0.validate().isEmpty })
        }
    }

    @Test("A restarted hub closes the hole that it opened before, and opens it anew under another id")
    func gapsOverRestarts() async throws {
        let bus = MemoryBus()
        let first = try Stage(["a"], script: Script(["a": [page("1", .opened(key: "k", gap))]]), bus: bus)
        try await first.play { try await first.until("a", has: ids("1")) }
        let acts = [page("2", .closed(key: "k", gap)), page("3", .opened(key: "k", gap))]
        let second = try Stage(["a"], script: Script(["a": acts]), bus: bus)
        second.clock.advance(by: .seconds(50))
        try await second.play {
            try await second.until("a", has: ids("1", "2", "3"))
            let events = gapEvents(bus)
            #expect(events.map(\.type) == [.gapOpened, .gapClosed, .gapOpened])
            #expect(events[1].causationID == events[0].id)
            #expect(events[2].id != events[0].id)
        }
    }

    @Test("A hub killed between keeping a hole and storing its page tells it once all the same")
    func gapsOverCrash() async throws {
        let bus = MemoryBus()
        // The batch becomes durable, the hub does not learn of it, and is killed.
        bus.state.update { $0.lostAnswers = 1 }
        let act = page("1", .opened(key: "k", gap))
        let first = try Stage(["a"], script: Script(["a": [act]]), bus: bus)
        try await first.play { try await first.until("a", is: .retrying) }
        bus.state.update { $0.cursors = [:] }
        let second = try Stage(["a"], script: Script(["a": [act]]), bus: bus)
        second.clock.advance(by: .seconds(50))
        try await second.play {
            try await second.until("repeated", { try second.status("a").counts.repeated == 2 })
            #expect(gapEvents(bus).count == 1)
        }
    }

    @Test("Each change of state is an event with an id of its own, the state before, and the reason")
    func stateChanges() async throws {
        let down = ConnectorError(.unavailable, "the platform is down")
        let stage = try Stage(["a"], script: Script(["a": [.fail(down), .posts(["1"])]]))
        try await stage.play {
            try await stage.until("asleep", { stage.isAsleep(1) })
            try stage.advanceToNext()
            try await stage.until("a", has: ids("1"))
            let events = stage.bus.state.current.events.map(\.event).filter { $0.type == .sourceChanged }
            #expect(events.map(\.data.sourceState?.state) == [.retrying, .running])
            #expect(events.map(\.data.sourceState?.previous) == [.starting, .retrying])
            #expect(events.first?.data.sourceState?.reason == "the platform is down")
            #expect(events.first?.data.sourceState?.attempt == 1)
            #expect(Set(events.map(\.id)).count == 2)
            #expect(events.allSatisfy { $0.validate().isEmpty })
            #expect(events.first?.subject == ObjectID(.hub, "source", "a"))
        }
    }

    @Test("That a source waits for a person is told once the log takes events again, though the source takes no steps")
    func toldLater() async throws {
        let bus = MemoryBus()
        bus.state.update { $0.condition = .full("no room") }
        let denied = ConnectorError(.unauthorized, "401")
        let stage = try Stage(["a"], script: Script(["a": [.fail(denied)]]), bus: bus)
        try await stage.play {
            for _ in 0..<3 {
                try await stage.until("asleep", { stage.isAsleep(1) })
                try stage.advanceToNext()
            }
            #expect(bus.states(of: "a") == [])
            bus.state.update { $0.condition = .ready }
            try await stage.until("asleep or told", { stage.isAsleep(1) || !bus.states(of: "a").isEmpty })
            if let next = stage.alarm.untilNext { stage.clock.advance(by: next) }
            try await stage.until("told", { bus.states(of: "a") == [.unauthorized] })
            #expect(stage.script.pulls(of: "a") == 1)
        }
    }

    @Test("A source that flaps does not flood the log, and its last state is told in the end")
    func flapping() async throws {
        let down = ConnectorError(.unavailable, "down", retryAt: nil)
        let acts: [Act] = (0..<40).flatMap { [.fail(down), .posts([String($0)], hasMore: true)] }
        let stage = try Stage(["a"], script: Script(["a": acts]))
        try await stage.play {
            let started = stage.clock.elapsed
            while stage.script.pulls(of: "a") <= acts.count {
                try await stage.until("asleep", { stage.isAsleep(1) })
                try stage.advanceToNext()
                let pulls = stage.script.pulls(of: "a")
                try await stage.until("asked", { stage.script.pulls(of: "a") > pulls || stage.isAsleep(1) })
            }
            let minutes = Int((stage.clock.elapsed - started) / .seconds(60))
            #expect(try stage.status("a").counts.stateChanges >= 80)
            #expect(stage.bus.states(of: "a").count <= 10 + minutes + 1)
            for _ in 0..<3 {
                try await stage.until("asleep", { stage.isAsleep(1) })
                stage.clock.advance(by: .seconds(600))
                let pulls = stage.script.pulls(of: "a")
                try await stage.until("asked", { stage.script.pulls(of: "a") > pulls || stage.isAsleep(1) })
            }
            try await stage.until("told", { stage.bus.states(of: "a").last == .running })
        }
    }

    @Test("No credential that a connector lets slip in an unknown error reaches the log, the status or the logger")
    func slips() async throws {
        struct Slip: Error, CustomStringConvertible { var description: String { "token s3cret" } }
        let recorder = LogRecorder()
        let stage = try Stage(["a"], script: Script(["a": [.fail(Slip())]]), logger: recorder.logger())
        try await stage.play {
            try await stage.until("told", { stage.bus.states(of: "a") == [.retrying] })
            let reason = try #require(try stage.status("a").reason)
            #expect(reason == "unexpected error of type Slip")
            let events = String(describing: stage.bus.state.current.events)
            #expect(!events.contains("s3cret") && events.contains("unexpected error"))
            #expect(!recorder.text.joined().contains("s3cret"))
            #expect(recorder.text.joined().contains("source changed state"))
        }
    }

    @Test("A person whom the platform withdraws is erased before the cursor moves on")
    func forgetsPeople() async throws {
        let person = ObjectID("demo", "actor", "anna")
        var withdrawal = post("2")
        withdrawal.id = EventID(person, .deleted, revision: 7)
        withdrawal.type = .postDeleted
        withdrawal.subject = person
        withdrawal.data = EventData()
        withdrawal.data.actor = Actor(id: person)
        let page = PullPage(events: [post("1"), withdrawal], cursor: Cursor(bytes: [2]))
        let stage = try Stage(["a"], script: Script(["a": [.page(page)]]))
        try await stage.play {
            try await stage.until("erased", { stage.bus.state.current.cursors[SourceName("a")]?.bytes == [2] })
            let erasures = stage.bus.state.current.erasures
            #expect(erasures.count == 1)
            #expect(erasures.first?.selector == .actor(person))
            #expect(erasures.first?.cursors.isEmpty == true)
            #expect(stage.bus.states(of: "a").last == .running)
        }
    }
}
