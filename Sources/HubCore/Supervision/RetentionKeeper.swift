import ConnectorKit
import Logging
import MessageBus
package import SocialEvents

/// Drops what is older or more than the policy allows, round by round.
struct RetentionKeeper: Sendable {
    let bus: any MessageBus
    let clock: any WallClock
    let alarm: Alarm
    let logger: Logger

    /// Steps of one round; what is left waits for the next, so that a first round on a large log does not run for hours.
    static let stepsPerRound = 1000

    /// Works until cancelled.
    func run(policy: RetentionPolicy, interval: Duration) async {
        var clockCheck = ClockCheck(now: clock.now)
        while !Task.isCancelled {
            do { try await alarm.wait(for: interval) } catch { return }
            let now = clock.now
            var allowed = policy
            if !clockCheck.trusts(now, after: interval) {
                logger.warning(
                    "the machine's clock has jumped ahead; nothing is dropped for its age until it has proved right"
                )
                allowed.age = nil
            }
            await round(allowed, now: now)
        }
    }

    private func round(_ policy: RetentionPolicy, now: Timestamp) async {
        do {
            for _ in 0..<Self.stepsPerRound where !Task.isCancelled {
                let receipt = try await bus.trim(policy, now: now)
                if receipt.events == 0 { return }
                logger.debug(
                    "events were dropped by retention",
                    metadata: ["events": "\(receipt.events)", "through": "\(receipt.trimmedThrough)"]
                )
                await Task.yield()
            }
        } catch let error as BusError {
            logger.warning("retention could not be kept", metadata: ["reason": "\(error)"])
        } catch {
            // Cancelled: the hub stops.
        }
    }
}

/// Notices a wall clock that jumped ahead of the time that has really passed, before anything is dropped on its word.
///
/// A wrong clock, once believed, would drop a whole log as too old. A jump is believed when the clock has gone on evenly for ``rounds`` rounds,
/// since a machine that was suspended jumps for good reason. A clock that is set back drops nothing and needs no check.
package struct ClockCheck: Sendable {
    /// Rounds a clock must go on evenly after a jump.
    package static let rounds = 15
    /// What a clock may gain in one round without being doubted.
    static let tolerance = Duration.seconds(300)

    private var last: Timestamp
    private var doubtful = 0

    package init(now: Timestamp) { last = now }

    /// Whether ages may be judged by `now`, one `interval` of real time after the last call.
    package mutating func trusts(_ now: Timestamp, after interval: Duration) -> Bool {
        let gained = last.duration(to: now) - interval
        last = now
        if gained > Self.tolerance {
            doubtful = Self.rounds
        } else if doubtful > 0 {
            doubtful -= 1
        }
        return doubtful == 0
    }
}
