import ConnectorKit
package import SocialEvents

/// The states of a source and the moves between them.
///
/// It holds no clock and does no I/O: each call says what happened and when, and returns what to do next. What the states mean stands at
/// `SourceState`. A source that a person paused, or that has stopped, takes no notice of what an earlier step still reports.
package struct SourceMachine: Sendable {
    /// What the host does next.
    package enum Next: Sendable, Hashable {
        /// Take the next step at once.
        case step
        /// Take the next step after this long, counted from `now`.
        case wait(Duration)
        /// Take no step until ``SourceMachine/resume(now:)``.
        case rest
    }

    /// What it is doing.
    package private(set) var state = SourceState.starting
    /// Since when.
    package private(set) var since: Timestamp
    /// Why, where that is not plain.
    package private(set) var reason: String?
    /// Failures in a row.
    package private(set) var attempt = 0
    /// When `throttled` or `retrying` ends.
    package private(set) var until: Timestamp?
    /// When it is asked next.
    package private(set) var schedule: PullSchedule
    private let backoff: Backoff
    private var random: SeededGenerator
    private var isStreaming: Bool
    private var hasCaughtUp = false

    /// However far away a platform sets its `Retry-After`, the source is asked again after this long.
    package static let longestWait = Duration.seconds(7 * 86_400)

    /// A source that has done nothing yet.
    ///
    /// - Parameters:
    ///   - schedule: how often it is asked.
    ///   - isStreaming: whether its pulls only fill what a stream missed; then a pull that works does not end the count of failures, or a
    ///     stream that breaks at once would be opened again and again without back-off.
    ///   - backoff: how long it waits after failures.
    ///   - random: where jitter comes from.
    ///   - now: since when it has done nothing.
    package init(
        schedule: PullSchedule,
        isStreaming: Bool = false,
        backoff: Backoff = .platform,
        random: SeededGenerator,
        now: Timestamp
    ) {
        self.isStreaming = isStreaming
        self.schedule = schedule
        self.backoff = backoff
        self.random = random
        since = now
    }

    /// Whether steps may be taken.
    package var isActive: Bool {
        switch state {
        case .starting, .backfilling, .running, .throttled, .retrying: true
        case .unauthorized, .paused, .failed, .stopped: false
        }
    }

    // MARK: Reading

    /// A page was read; its events are about to be made durable.
    package mutating func read(hasMore: Bool, now: Timestamp) {
        guard isActive else { return }
        if !hasMore { hasCaughtUp = true }
        if !isStreaming { attempt = 0 }
        move(to: hasCaughtUp ? .running : .backfilling, now: now)
    }

    /// The page is durable.
    ///
    /// `news` says whether anything in it was new.
    package mutating func stored(hasMore: Bool, news: Bool, notBefore: Timestamp?, now: Timestamp) -> Next {
        guard isActive else { return .rest }
        if !isStreaming { attempt = 0 }
        move(to: hasCaughtUp ? .running : .backfilling, now: now)
        let asked = notBefore.map { min(now.duration(to: $0), Self.longestWait) } ?? .zero
        if hasMore { return asked > .zero ? .wait(asked) : .step }
        schedule.adapt(news: news)
        return .wait(max(schedule.nextDelay(random: &random), asked))
    }

    /// The log does not take the page at the moment: the same page is offered again after the returned wait.
    package mutating func blocked(_ reason: String, now: Timestamp) -> Next {
        guard isActive else { return .rest }
        attempt += 1
        let delay = Backoff.log.delay(attempt: attempt, random: &random)
        move(to: .retrying, reason: reason, until: now.advanced(by: delay), now: now)
        return .wait(delay)
    }

    /// A step failed.
    package mutating func failed(_ failure: StepFailure, now: Timestamp) -> Next {
        guard isActive else { return .rest }
        switch failure.code {
        case .unavailable:
            let least = failure.retryAt.map { now.duration(to: $0) } ?? .zero
            return retry(failure.reason, atLeast: least, ladder: failure.ladder, now: now)
        case .malformed:
            // The payload is set aside; asking sooner than planned would bring the same one again.
            return retry(failure.reason, atLeast: schedule.range.lowerBound, now: now)
        case .rateLimited:
            return throttle(failure, now: now)
        case .unauthorized:
            attempt += 1
            move(to: .unauthorized, reason: failure.reason, now: now)
            return .rest
        case .rejected, .unsupported:
            attempt += 1
            move(to: .failed, reason: failure.reason, now: now)
            return .rest
        }
    }

    private mutating func retry(
        _ reason: String,
        atLeast least: Duration,
        ladder: RetryLadder? = nil,
        now: Timestamp
    ) -> Next {
        attempt += 1
        let delay = min(max(waiting(ladder), least), Self.longestWait)
        move(to: .retrying, reason: reason, until: now.advanced(by: delay), now: now)
        return .wait(delay)
    }

    /// How long to wait after the failures in a row.
    ///
    /// A ladder that the platform prescribes is climbed as it says, with up to a quarter on top so that sources which failed together do not return together.
    private mutating func waiting(_ ladder: RetryLadder?) -> Duration {
        guard let ladder else { return backoff.delay(attempt: attempt, random: &random) }
        let delay = max(ladder.delay(attempt: attempt), backoff.floor)
        return random.duration(in: delay...(delay + delay / 4))
    }

    private mutating func throttle(_ failure: StepFailure, now: Timestamp) -> Next {
        attempt += 1
        // A moment that has already come is no help: without the back-off, a platform that keeps saying so would be asked without pause.
        let asked = failure.retryAt.map { now.duration(to: $0) } ?? .zero
        let delay = asked > .zero ? min(asked, Self.longestWait) : waiting(failure.ladder)
        move(to: .throttled, reason: failure.reason, until: now.advanced(by: delay), now: now)
        return .wait(delay)
    }

    // MARK: Streams

    /// A stream is about to be opened.
    ///
    /// Until it brings something, a source that had failed goes on counting its attempts.
    package mutating func connecting(now: Timestamp) {
        guard isActive, attempt == 0 else { return }
        hasCaughtUp = true
        move(to: .running, now: now)
    }

    /// A stream is open.
    ///
    /// Only data ends the count of failures: a platform may accept a connection and break it at once, again and again.
    package mutating func connected(now: Timestamp) {
        guard isActive else { return }
        hasCaughtUp = true
        move(to: .running, now: now)
    }

    /// A stream has brought nothing for longer than one would expect.
    package mutating func silent(for duration: Duration, now: Timestamp) {
        guard state == .running else { return }
        move(
            to: .running,
            reason: "connected, but silent for longer than expected: \(DurationText.of(duration))",
            now: now
        )
    }

    /// Whether the source streams, as was found out: where there is no stream, pulls that work end the count of failures.
    package mutating func streams(_ does: Bool) {
        isStreaming = does
    }

    /// What a stream brought is durable.
    ///
    /// Only something new shows that it works: many platforms repeat a little at the beginning of each connection, and then break it again.
    package mutating func delivered(news: Bool, now: Timestamp) {
        guard isActive else { return }
        hasCaughtUp = true
        if news { attempt = 0 }
        move(to: .running, now: now)
    }

    /// A stream ended in order.
    ///
    /// Platforms do that as a matter of course, so the end of one that brought something new is no failure.
    package mutating func ended(hadNews: Bool, now: Timestamp) -> Next {
        guard isActive else { return .rest }
        if hadNews { return .wait(backoff.delay(attempt: 1, random: &random)) }
        return retry("the stream ended before it brought anything new", atLeast: .zero, now: now)
    }

    // MARK: Commands

    /// A person stops the source.
    ///
    /// False when it was not to be stopped.
    package mutating func pause(now: Timestamp) -> Bool {
        guard state != .paused, state != .stopped else { return false }
        attempt = 0
        move(to: .paused, reason: "paused by a person", now: now)
        return true
    }

    /// A person lets the source go on that was paused, unauthorized or failed.
    ///
    /// False when there was nothing to resume.
    package mutating func resume(now: Timestamp) -> Bool {
        guard state == .paused || state == .unauthorized || state == .failed else { return false }
        attempt = 0
        hasCaughtUp = false
        move(to: .starting, now: now)
        return true
    }

    /// The hub stops.
    ///
    /// Sources that wait for a person keep saying so.
    package mutating func stop(reason: String? = nil, now: Timestamp) {
        guard isActive else { return }
        move(to: .stopped, reason: reason, now: now)
    }

    private mutating func move(to next: SourceState, reason: String? = nil, until: Timestamp? = nil, now: Timestamp) {
        if state != next { since = now }
        state = next
        self.reason = reason
        self.until = until
    }
}
