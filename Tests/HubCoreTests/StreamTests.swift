import ConnectorKit
import ConnectorTesting
import HubCore
import MessageBus
import SocialEvents
import Testing

@Suite("Sources that stream", .serialized, .timeLimit(.minutes(2)))
struct StreamTests {
    private let broken = ConnectorError(.unavailable, "connection reset")

    private func stage(_ pulls: [Act] = [], bus: MemoryBus = MemoryBus()) throws -> Stage {
        try Stage(["s"], script: Script(["s": pulls]), bus: bus, connector: StreamingConnector.self)
    }

    private func gaps(_ stage: Stage) -> [EventType] {
        stage.bus.state.current.events.map(\.event).filter { $0.data.gap != nil }.map(\.type)
    }

    @Test(
        "What was said before is pulled, then the stream is opened, then what was said between the two is pulled as well"
    )
    func fillsAroundTheConnection() async throws {
        let stage = try stage([.posts(["1"], hasMore: true), .posts(["2"]), .posts(["3"])])
        try await stage.play {
            try await stage.untilConnections(1)
            #expect(stage.connections == ["2"])
            #expect(
                stage.script.pulls(of: "s") == 2,
                "nothing is asked before the platform has accepted the connection"
            )
            stage.hear(.accept)
            try await stage.until("s", has: ids("1", "2", "3"))
            #expect(gaps(stage).isEmpty, "a source that is read for the first time has missed nothing")
        }
        #expect(try stage.status("s").state == .stopped)
    }

    @Test("A broken connection leaves a hole that is told, filled by asking, and told to be closed")
    func tellsTheHole() async throws {
        let stage = try stage([.posts(["1"]), .posts([]), .posts([]), .posts(["3"])])
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilFilled()
            stage.hear(.say(["2"]))
            try await stage.until("s", has: ids("1", "2"))
            stage.hear(.fail(broken))
            try await stage.until("waiting to connect again") {
                try stage.status("s").state == .retrying && stage.isAsleep(1)
            }
            #expect(gaps(stage).isEmpty)
            try stage.advanceToNext()
            try await stage.untilConnections(2)
            stage.hear(.accept)
            try await stage.until("s", has: ids("1", "2", "3"))
            try await stage.until("closed", { gaps(stage) == [.gapOpened, .gapClosed] })
            let events = stage.bus.state.current.events.map(\.event).filter { $0.data.gap != nil }
            #expect(events[0].data.gap?.after == events[1].data.gap?.after && events[0].data.gap?.after != nil)
            #expect(events[1].causationID == events[0].id)
        }
    }

    @Test("A platform whose index lags is asked again at the moment it names before the hole is closed")
    func waitsForTheIndex() async throws {
        let bus = MemoryBus()
        let first = try stage([.posts(["1"])], bus: bus)
        try await first.play { try await first.untilConnections(1) }
        let later = first.clock.now.advanced(by: .seconds(32))
        let second = try stage(
            [.posts([]), .page(PullPage(hasMore: true, notBefore: later)), .posts(["2"])],
            bus: bus
        )
        try await second.play {
            try await second.untilConnections(1)
            second.hear(.accept)
            try await second.untilSleeping(for: .seconds(32))
            #expect(gaps(second) == [.gapOpened])
            try second.advanceToNext()
            try await second.until("s", has: ids("1", "2"))
            try await second.until("closed", { gaps(second) == [.gapOpened, .gapClosed] })
        }
    }

    @Test("A restarted hub takes the time it was not running for a hole")
    func tellsTheHoleOfARestart() async throws {
        let bus = MemoryBus()
        let first = try stage([.posts(["1"])], bus: bus)
        try await first.play { try await first.untilConnections(1) }
        let second = try stage([], bus: bus)
        try await second.play {
            second.hear(.accept)
            try await second.until("closed", { gaps(second) == [.gapOpened, .gapClosed] })
        }
    }

    @Test("A hole that cannot be filled stays open until a later connection has filled it")
    func keepsTheHoleOpen() async throws {
        let stage = try stage([.posts(["1"]), .posts([]), .posts([]), .fail(broken)])
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilFilled()
            stage.hear(.say(["2"]))
            try await stage.untilPulled(3)
            stage.hear(.fail(broken))
            try await stage.until("asleep", { try stage.status("s").counts.failures == 1 && stage.isAsleep(1) })
            try stage.advanceToNext()
            try await stage.untilConnections(2)
            stage.hear(.accept)
            try await stage.until("failed", { try stage.status("s").counts.failures == 2 })
            stage.hear(.fail(broken))
            try await stage.until("asleep", { try stage.status("s").counts.failures == 3 && stage.isAsleep(1) })
            #expect(gaps(stage) == [.gapOpened])
            try stage.advanceToNext()
            try await stage.untilConnections(3)
            stage.hear(.accept)
            try await stage.until("closed", { gaps(stage) == [.gapOpened, .gapClosed] })
        }
    }

    @Test("A stream's cursor counts only once what was said before the connection has been read")
    func holdsCursorsBack() async throws {
        let stage = try stage([.posts(["1"]), .hang])
        try await stage.play {
            stage.hear(.accept, .say(["5"]))
            try await stage.until("s", has: ids("1", "5"))
            #expect(stage.cursor == "1")
        }
        let next = try Stage(["s"], script: Script(), bus: stage.bus, connector: StreamingConnector.self)
        try await next.play {
            next.hear(.accept)
            try await next.untilFilled()
            next.hear(.say(["6"]))
            try await next.until("s", has: ids("1", "5", "6"))
            #expect(next.cursor == "6")
        }
    }

    @Test("A stream that breaks before it brings anything backs off longer each time; data ends the count")
    func backsOff() async throws {
        let stage = try stage()
        try await stage.play {
            // The third connection brings something before it breaks, so its failure is counted as a first one.
            for (index, attempt) in [1, 2, 1].enumerated() {
                try await stage.untilConnections(index + 1)
                stage.hear(.accept)
                if attempt == 1, index > 0 { stage.hear(.say(["1"])) }
                stage.hear(.fail(broken))
                try await stage.until("attempt \(attempt)") {
                    try stage.status("s").attempt == attempt && stage.isAsleep(1)
                }
                try stage.advanceToNext()
            }
            stage.hear(.accept, .say(["2"]))
            try await stage.until("s", has: ids("1", "2"))
            #expect(try stage.status("s").attempt == 0)
            #expect(try stage.status("s").counts.failures == 3)
        }
    }

    @Test("The end of a stream that had brought something is no failure")
    func endsInOrder() async throws {
        let stage = try stage()
        try await stage.play {
            stage.hear(.accept, .say(["1"]), .end)
            try await stage.until("asleep") {
                // Not the watch over its silence, which is longer.
                stage.isAsleep(1) && stage.alarm.untilNext.map { $0 < .seconds(60) } == true
            }
            #expect(try stage.status("s").state == .running)
            #expect(try stage.status("s").counts.failures == 0)
        }
    }

    @Test("A platform's own ladder is climbed as it says")
    func climbsTheLadder() async throws {
        let ladder = RetryLadder(first: .seconds(5), growth: .doubling, cap: .seconds(320))
        let failure = ConnectorError(.unavailable, "503", ladder: ladder)
        let stage = try stage()
        try await stage.play {
            for (index, least) in [5, 10, 20, 40, 80, 160, 320, 320].enumerated() {
                try await stage.untilConnections(index + 1)
                stage.hear(.fail(failure))
                try await stage.until("asleep", { stage.connections.count == index + 1 && stage.isAsleep(1) })
                let wait = try #require(stage.alarm.untilNext)
                #expect(wait >= .seconds(least) && wait <= .seconds(least) + .seconds(least) / 4)
                try stage.advanceToNext()
            }
        }
    }

    @Test("A server without a stream is polled, and asked for a stream again hours later")
    func pollsInstead() async throws {
        let stage = try stage([.posts(["1"]), .posts(["2"])])
        try await stage.play {
            stage.hear(.fail(ConnectorError(.unsupported, "no streaming here")))
            try await stage.until("s", has: ids("1", "2"))
            try await stage.until("asleep", { stage.isAsleep(1) })
            #expect(try stage.status("s").state == .running)
            for _ in 0..<3 {
                try stage.advanceToNext()
                try await stage.until("asleep", { stage.isAsleep(1) })
            }
            #expect(stage.script.pulls(of: "s") == 5)
            #expect(stage.connections.count == 1)
            stage.clock.advance(by: .seconds(7 * 3600))
            try await stage.untilConnections(2)
        }
    }

    @Test("A stream that is connected but deaf is given up, and the report says so")
    func noticesDeafness() async throws {
        let stage = try stage([.posts([]), .posts([]), .posts(["missed"])])
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilSleeping(for: SilenceGauge.verifiable.range.upperBound)
            try stage.advanceToNext()
            try await stage.until("s", has: ids("missed"))
            try await stage.untilSleeping(for: .seconds(60))
            try stage.advanceToNext()
            try await stage.until("s", is: .retrying)
            #expect(try stage.status("s").reason?.contains("deaf") == true)
        }
    }

    @Test(
        "Signs of life without posts are no data: deafness behind them is noticed, and no position passes what was missed"
    )
    func noticesDeafnessBehindSignsOfLife() async throws {
        let stage = try stage([.posts(["1"]), .posts([]), .posts(["2"], hasMore: true), .posts(["3"])])
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilFilled()
            stage.hear(.mark("9"), .mark("10"))
            try await stage.until("heard", { stage.hasHeardAll })
            #expect(stage.cursor == "1")
            try stage.advanceToNext()
            try await stage.until("s", has: ids("1", "2", "3"))
            try await stage.untilSleeping(for: .seconds(60))
            try stage.advanceToNext()
            try await stage.until("s", is: .retrying)
            #expect(try stage.status("s").reason?.contains("deaf") == true)
        }
    }

    @Test("A source that cannot be asked moves by signs of life, and its silence is reported all the same")
    func marksWithoutPulls() async throws {
        let stage = try Stage(["s"], connector: StreamingConnector.self, settings: [("pulls", "false")])
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilSleeping(for: SilenceGauge.unverifiable.range.upperBound)
            stage.hear(.mark("9"))
            try await stage.until("moved", { stage.cursor == "9" })
            try stage.advanceToNext()
            try await stage.until("reported", { try stage.status("s").reason?.contains("silent") == true })
            stage.hear(.mark("10"))
            try await stage.until("moved", { stage.cursor == "10" })
            #expect(try stage.status("s").reason?.contains("silent") == true)
        }
    }

    @Test("While a silence is checked by asking, no cursor of the stream's skips the pages to come")
    func holdsCursorsBackWhileChecking() async throws {
        let later = ManualClock().now.advanced(by: .seconds(3700))
        let stage = try stage([
            .posts(["1"]), .posts([]), .posts(["2"], hasMore: true, notBefore: later), .posts(["3"]),
        ])
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilFilled()
            try stage.advanceToNext()
            try await stage.untilSleeping(for: .seconds(100))
            stage.hear(.say(["9"]))
            try await stage.until("s", has: ids("1", "2", "9"))
            #expect(stage.cursor == "2")
            try stage.advanceToNext()
            try await stage.until("s", has: ids("1", "2", "9", "3"))
            #expect(stage.script.state.current.requests["s"]?.last?.cursor == Cursor(bytes: Array("2".utf8)))
            #expect(try stage.status("s").state == .running)
        }
    }

    @Test("What each connection repeats at its beginning does not end the count of failures")
    func repeatsAreNoSuccess() async throws {
        let stage = try stage()
        try await stage.play {
            for attempt in 1...4 {
                try await stage.untilConnections(attempt)
                stage.hear(.accept, .say(["1"]), .fail(broken))
                try await stage.until("attempt \(attempt)") {
                    try stage.status("s").attempt == attempt && stage.isAsleep(1)
                }
                try stage.advanceToNext()
            }
        }
    }

    @Test("Asking that fails beside a stream that goes on delivering backs off all the same")
    func backsOffBesideAStream() async throws {
        let stage = try stage([.posts([])] + Array(repeating: .fail(broken), count: 6))
        try await stage.play {
            stage.hear(.accept)
            for failures in 1...6 {
                try await stage.until("failure \(failures)") {
                    try stage.status("s").counts.failures == failures && stage.alarm.count == 1 && stage.isSet
                }
                let least = failures == 1 ? Duration.zero : Backoff.platform.ceiling(attempt: failures) / 2
                #expect(stage.alarm.untilNext.map { $0 >= least } == true)
                let posts = (1...failures).map(String.init)
                stage.hear(.say([String(failures)]))
                try await stage.until("said") {
                    try stage.bus.posts(of: "s").count == posts.count && stage.status("s").attempt == 0
                }
                try stage.advanceToNext()
            }
        }
    }

    @Test("A stream that is given up and does not even end then is left behind, and counted")
    func leavesBehind() async throws {
        let stage = try stage([.posts([]), .posts([]), .posts(["missed"])])
        try await stage.play {
            stage.hear(.accept, .hold)
            try await stage.untilFilled()
            try stage.advanceToNext()
            try await stage.untilSleeping(for: .seconds(60))
            try stage.advanceToNext()
            try await stage.untilSleeping(for: HubLimits().grace)
            try stage.advanceToNext()
            try await stage.until("s", is: .retrying)
            #expect(try stage.status("s").counts.abandoned == 1)
            #expect(try stage.status("s").reason?.contains("did not end when told to") == true)
            stage.script.release()
        }
    }

    @Test("A silence that asking confirms is no deafness")
    func believesSilence() async throws {
        let stage = try stage()
        try await stage.play {
            stage.hear(.accept)
            for pulls in 3...6 {
                try await stage.untilFilled()
                try stage.advanceToNext()
                try await stage.untilPulled(pulls)
            }
            #expect(try stage.status("s").state == .running)
            #expect(stage.connections.count == 1)
        }
    }

    @Test("A source that can only be listened to is reported when it is silent for longer than it ever was")
    func reportsSilence() async throws {
        let stage = try Stage(
            ["s"],
            connector: StreamingConnector.self,
            settings: [("pulls", "false")]
        )
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilSleeping(for: SilenceGauge.unverifiable.range.upperBound)
            try stage.advanceToNext()
            try await stage.until("reported", { try stage.status("s").reason?.contains("silent") == true })
            #expect(try stage.status("s").state == .running)
            let told = { stage.bus.state.current.events.compactMap { $0.event.data.sourceState?.reason } }
            try await stage.until("told", { told().count == 1 })
            stage.hear(.say(["1"]))
            try await stage.until("s", has: ids("1"))
            #expect(try stage.status("s").reason == nil)
        }
    }

    @Test("A stream waits while the log is full and goes on by itself, nothing lost or doubled")
    func logFull() async throws {
        let bus = MemoryBus()
        let stage = try stage(bus: bus)
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilFilled()
            bus.state.update { $0.condition = .full("no room") }
            stage.hear(.say(["1", "2", "3"]))
            try await stage.until("s", is: .retrying)
            for _ in 0..<3 {
                // The stream's batch waits for room, and beside it the watch over its silence.
                try await stage.until("asleep", { stage.isAsleep(2) })
                try stage.advanceToNext()
            }
            try await stage.until("asleep", { stage.isAsleep(2) })
            bus.state.update { $0.condition = .ready }
            try stage.advanceToNext()
            try await stage.until("s", has: ids("1", "2", "3"))
            try await stage.until("s", is: .running)
        }
    }

    @Test("Pausing ends a connection, resuming makes another from the durable cursor")
    func pauses() async throws {
        let stage = try stage()
        try await stage.play {
            stage.hear(.accept)
            try await stage.untilFilled()
            stage.hear(.say(["1"]))
            try await stage.until("s", has: ids("1"))
            try await stage.hub.pause(SourceName("s"))
            try await stage.until("told", { stage.bus.states(of: "s").last == .paused })
            try await stage.hub.resume(SourceName("s"))
            try await stage.untilConnections(2)
            #expect(stage.connections == [nil, "1"])
        }
    }
}
