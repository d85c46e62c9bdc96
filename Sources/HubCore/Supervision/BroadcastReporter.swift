import ConnectorKit
import Logging
import MessageBus
import SocialEvents

/// Tells how broadcasts fare: a `social.metrics.observed` event with their counts, some seconds after these have changed.
///
/// The log counts, as it stores what sources bring (see `BroadcastTally`), and remembers what was told; the reporter only waits, so that a broadcast
/// to a hundred thousand people makes one event in a while and not one for each delivery. Killed at any moment, the hub tells the rest when
/// it is started again.
struct BroadcastReporter: Sendable {
    /// How long changes are gathered.
    static let interval = Duration.seconds(5)
    /// Broadcasts told in one batch.
    private static let most = 200

    private let services: HubServices
    /// Holds one piece of news at most: whoever looks, looks at all broadcasts.
    private let news: AsyncStream<Void>
    private let noteNews: AsyncStream<Void>.Continuation

    init(services: HubServices) {
        self.services = services
        (news, noteNews) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Says that `events` are in the log.
    func stored(_ events: [Event]) {
        if events.contains(where: \.mayChangeBroadcasts) { noteNews.yield() }
    }

    /// Tells until cancelled; once at the start, for what was stored before the hub was killed.
    func run() async {
        await report()
        for await _ in news {
            guard (try? await services.alarm.wait(for: Self.interval)) != nil else { return }
            await report()
        }
    }

    private func report() async {
        do {
            let changed = try await services.bus.changedBroadcasts(limit: Self.most)
            for (source, tallies) in Dictionary(grouping: changed, by: \.source) {
                var batch = LogBatch(source: source, events: tallies.map { event($0) })
                batch.observed = tallies.map { ObservedBroadcast(broadcast: $0.broadcast, version: $0.version) }
                _ = try await services.bus.append(batch)
            }
            if changed.count == Self.most { noteNews.yield() }
        } catch is CancellationError {
            // The hub stops.
        } catch BusError.closed {
            // So does the log.
        } catch {
            services.logger.warning("the counts of broadcasts cannot be told yet", metadata: ["reason": "\(error)"])
            noteNews.yield()
        }
    }

    private func event(_ tally: BroadcastTally) -> Event {
        let now = services.clock.now
        var event = Event(
            id: EventID(tally.broadcast, .observed, revision: Int(tally.version)),
            type: .metricsObserved,
            platform: tally.broadcast.platform,
            subject: tally.broadcast,
            time: now
        )
        var metrics = Metrics(observedAt: now)
        metrics.other = tally.metrics
        event.data.metrics = metrics
        return event
    }
}

extension Event {
    /// Whether it can change what the log counts of broadcasts.
    fileprivate var mayChangeBroadcasts: Bool {
        switch type {
        case .deliveryUpdated, .messageCreated: data.delivery != nil || data.inReplyTo != nil
        case .followDeleted: true
        default: data.delivery != nil
        }
    }
}
