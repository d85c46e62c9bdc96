import MessageBus
import ServiceLifecycle
import Synchronization

/// The live feeds in use, one for each combination of filter and format.
///
/// Its service runs their pumps and ends them, and with them every stream, when the hub stops.
final class LiveFeeds: Service {
    private struct State {
        var feeds: [LiveFeed.Key: LiveFeed] = [:]
        var isClosed = false
    }

    /// Readers beyond this many different filters at a time are asked to come back later.
    private static let most = 1_000

    private let bus: any MessageBus
    private let heartbeat: Duration
    private let state = Mutex(State())
    private let started: AsyncStream<LiveFeed>
    private let start: AsyncStream<LiveFeed>.Continuation

    init(bus: any MessageBus, heartbeat: Duration) {
        self.bus = bus
        self.heartbeat = heartbeat
        (started, start) = AsyncStream.makeStream(of: LiveFeed.self, bufferingPolicy: .bufferingOldest(Self.most))
    }

    /// A feed with the caller counted in as a reader; `nil` when the hub is stopping or there are too many.
    func join(_ key: LiveFeed.Key) -> LiveFeed? {
        state.withLock { state in
            if state.isClosed { return nil }
            if let feed = state.feeds[key], feed.join() { return feed }
            guard state.feeds.count < Self.most else { return nil }
            let feed = LiveFeed(key: key, bus: bus, heartbeat: heartbeat)
            guard feed.join(), case .enqueued = start.yield(feed) else { return nil }
            state.feeds[key] = feed
            return feed
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await feed in self.started {
                    group.addTask {
                        await feed.pump()
                        self.remove(feed)
                    }
                }
                group.cancelAll()
            }
        }
        state.withLock { $0.isClosed = true }
    }

    private func remove(_ feed: LiveFeed) {
        state.withLock { state in
            if state.feeds[feed.key] === feed { state.feeds[feed.key] = nil }
        }
    }
}
