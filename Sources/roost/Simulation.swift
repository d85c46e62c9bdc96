import ArgumentParser
import ConnectorKit
import Logging
import PlatformSimulators
import ServiceLifecycle
import SocialEvents

/// The platforms that can be stood in for, by `roost simulate` and by a configuration's `simulators`.
enum SimulatedPlatform: String, ExpressibleByArgument, CaseIterable {
    case bluesky, facebook, feed, instagram, mastodon, whatsapp, x

    /// Where it is usually put, so that all of them go together.
    var usualPort: Int {
        switch self {
        case .feed: 9300
        case .x: 9301
        case .mastodon: 9302
        case .bluesky: 9303
        case .instagram: 9304
        case .whatsapp: 9305
        case .facebook: 9306
        }
    }

    /// What of Meta's it stands in for.
    var metaProduct: MetaProduct? {
        switch self {
        case .facebook: .facebook
        case .instagram: .instagram
        case .whatsapp: .whatsapp
        case .bluesky, .feed, .mastodon, .x: nil
        }
    }

    /// What to say once it listens: where it is, and what opens it.
    func greeting(port: Int) -> String {
        let base = "http://127.0.0.1:\(port)"
        return switch self {
        case .feed: "simulated feeds: \(FeedChannel.allCases.map { base + $0.path }.joined(separator: "  "))"
        case .x: "simulated X: base_url \(base), bearer_token \(XSimulator.token)"
        case .mastodon: "simulated Mastodon: base_url \(base), access_token \(MastodonSimulator.token)"
        case .instagram:
            "simulated Instagram: base_url \(base), \(meta(MetaAccount.instagram, MetaSimulator.pageToken))"
        case .whatsapp: "simulated WhatsApp: base_url \(base), \(meta(MetaAccount.phone, MetaSimulator.systemToken))"
        case .facebook: "simulated Facebook: base_url \(base), \(meta(MetaAccount.page, MetaSimulator.pageToken))"
        case .bluesky:
            "simulated Bluesky: base_url \(base), identifier \(BlueskySimulator.identifier), app_password \(BlueskySimulator.password)"
        }
    }

    private func meta(_ account: String, _ token: String) -> String {
        "account \(account), access_token \(token), app_secret \(MetaSimulator.appSecret), "
            + "verify_token \(MetaSimulator.verifyToken)"
    }
}

/// One simulated platform behind a port.
struct Simulation {
    var platform: SimulatedPlatform
    /// 0 lets the system choose.
    var port: Int
    /// The time between two things that happen.
    var pace: Duration = .milliseconds(1_500)
    /// Which story it tells.
    var seed: UInt64 = 1
    /// How many of the newest articles a feed shows.
    var window = 20
    /// Where it calls, if it is a platform that calls.
    var callbacks: [String] = []

    /// The service that serves it; `onRunning` learns the port.
    func service(logger: Logger, onRunning: @escaping @Sendable (_ port: Int) async -> Void) -> any Service {
        let clock = SystemClock()
        let now: @Sendable () -> Int64 = { clock.now.milliseconds }
        let pace = pace.wholeMilliseconds
        // Worlds begin with the day, so that whoever stops and starts within it finds the same people and posts, under the same ids.
        let morning = now() / 86_400_000 * 86_400_000
        switch platform {
        case .feed:
            // A house that has published since 2025 began, so that there is a past to read and every start tells the same story.
            let world = FeedWorld(seed: seed, epoch: 1_735_689_600_000, pace: pace, window: window)
            return FeedSimulator(world: world, port: port, now: now).application(logger: logger, onRunning: onRunning)
        case .x:
            return serve(XSimulator(seed: seed, now: morning, pace: pace), logger, now, onRunning)
        case .mastodon:
            return serve(MastodonSimulator(seed: seed, now: morning, pace: pace), logger, now, onRunning)
        case .bluesky:
            return serve(BlueskySimulator(seed: seed, now: morning, pace: pace), logger, now, onRunning)
        case .instagram: return serve(meta(.instagram, from: morning, to: now()), logger, now, onRunning)
        case .whatsapp: return serve(meta(.whatsapp, from: morning, to: now()), logger, now, onRunning)
        case .facebook: return serve(meta(.facebook, from: morning, to: now()), logger, now, onRunning)
        }
    }

    /// What happened before it was there, nobody is called about.
    private func meta(_ product: MetaProduct, from morning: Int64, to now: Int64) -> MetaSimulator {
        let simulator = MetaSimulator([product], seed: seed, now: morning, pace: pace.wholeMilliseconds)
        simulator.advance(to: now)
        for url in callbacks { simulator.subscribe(MetaSubscription(product, url: url)) }
        return simulator
    }

    /// Lets happen what has happened since the morning, and serves it.
    private func serve(
        _ simulator: some PlatformSimulator,
        _ logger: Logger,
        _ now: @escaping @Sendable () -> Int64,
        _ onRunning: @escaping @Sendable (_ port: Int) async -> Void
    ) -> any Service {
        simulator.advance(to: now())
        return SimulatorServer(simulator, port: port, logger: logger, now: now, onRunning: onRunning)
    }
}
