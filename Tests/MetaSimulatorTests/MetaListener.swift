import ConnectorKit
import ConnectorTesting
import HTTPTypes
import Logging
import PlatformSimulators
import SimulatorTesting
import SocialEvents

/// As much of a host as webhooks need: a log that takes each event once, and answers only for what the log has.
///
/// It dies at every possible moment.
final class MetaListener {
    /// What becomes of a call.
    private enum Moment: CaseIterable {
        /// It is taken, kept and answered.
        case well
        /// Nobody is there.
        case down
        /// The process dies before the log has it.
        case diesBefore
        /// The process dies when the log has it, before it answers.
        case diesAfter
        /// There is no room: 503.
        case full
    }

    static let base = "http://127.0.0.1:9304"

    let simulator: MetaSimulator
    let clock = ManualClock(now: Timestamp(seconds: 1_780_000_000))
    private(set) var log: [Event] = []
    private(set) var deadLetters: [DeadLetter] = []
    private(set) var repetitions = 0
    private(set) var rejections = 0
    /// How many deaths and refusals there were.
    private(set) var deaths = 0
    private var ids: Set<EventID> = []
    private let make: () throws -> any WebhookSource
    private var source: (any WebhookSource)?
    private var dice: Dice

    /// Somebody who listens to a product with a connector of that type.
    init<Source: WebhookSource>(
        _ type: Source.Type,
        _ product: MetaProduct,
        login: InstagramLogin = .facebook,
        seed: UInt64,
        settings: [SettingNode.Member] = []
    ) {
        let simulator = MetaSimulator(
            [product],
            login: login,
            seed: seed,
            now: 1_780_000_000_000,
            history: 0,
            allowance: 1_000_000,
            subscriptions: [MetaSubscription(product, url: "http://127.0.0.1:8081/\(product.rawValue)")]
        )
        self.simulator = simulator
        dice = Dice(seed: seed)
        let http = SimulatedHTTPClient(simulator, base: Self.base)
        let account = EphemeralAccount(name: "chaos")
        var members = settings
        members.append(.secret("app_secret", MetaSimulator.appSecret))
        members.append(.secret("verify_token", MetaSimulator.verifyToken))
        let all = Settings(members)
        let clock = clock
        make = {
            try Source(
                settings: all,
                context: ConnectorContext(
                    source: SourceName("chaos"),
                    http: http,
                    clock: clock,
                    logger: Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() },
                    account: account
                )
            )
        }
    }

    /// Lets half a second pass and takes the calls that come; when `isCalm`, everything goes well.
    func pass(_ milliseconds: Int64 = 500, isCalm: Bool = false) async throws {
        clock.advance(by: .milliseconds(milliseconds))
        simulator.advance(to: clock.now.milliseconds)
        for call in simulator.takeCalls() {
            let moment = isCalm ? .well : dice.oneIn(4) ? dice.pick(Moment.allCases) : .well
            try await take(call, moment)
        }
    }

    /// Goes on until everything that there is to tell has been taken.
    func settle() async throws {
        for _ in 0..<40 { try await pass(5000, isCalm: true) }
        while !simulator.isDelivered {
            try Task.checkCancellation()
            try await pass(60_000, isCalm: true)
        }
    }

    private func take(_ call: SimulatedCall, _ moment: Moment) async throws {
        guard moment != .down, moment != .full else {
            deaths += 1
            return simulator.answered(call, status: moment == .full ? 503 : nil, body: [])
        }
        let source = try self.source ?? make()
        self.source = source
        let outcome = try await source.receive(call.delivery(at: clock.now))
        if moment == .diesBefore || moment == .diesAfter {
            deaths += 1
            self.source = nil
        }
        switch outcome {
        case .challenge(let reply, _):
            simulator.answered(call, status: moment == .well ? 200 : nil, body: reply)
        case .rejected(let status, _):
            rejections += 1
            simulator.answered(call, status: status, body: [])
        case .accepted(let events, let letters):
            if moment != .diesBefore { keep(events, letters) }
            simulator.answered(call, status: moment == .well ? 200 : nil, body: [])
        }
    }

    private func keep(_ events: [Event], _ letters: [DeadLetter]) {
        for event in events {
            if ids.insert(event.id).inserted { log.append(event) } else { repetitions += 1 }
        }
        deadLetters += letters
    }

    /// The ledger's entries of what webhooks had to tell.
    var toTell: [Ledger.Entry] {
        simulator.ledger.entries.filter {
            $0.places.contains("webhook") && !["told", "silenced", "given-up"].contains($0.verb)
        }
    }
}

extension SettingNode.Member {
    static func plain(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.scalar(value, isQuoted: false)))
    }

    static func secret(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.secret(Secret(value))))
    }
}
