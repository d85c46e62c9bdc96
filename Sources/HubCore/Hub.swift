package import ConnectorKit
package import Logging
package import MessageBus
import ServiceLifecycle
package import SocialEvents
import Synchronization

/// Runs every configured source and keeps what they bring.
///
/// Each source takes its turns in tasks of its own under ``run()``; a failing, hanging or paused one does not touch the others. What a source brings is durable
/// together with its cursor before the next step, so that the hub may be killed at any moment. A connector that crashes the process (a trap in
/// Swift cannot be caught) takes the hub with it; connectors that may do so belong outside the process.
package final class Hub: Service, Sendable {
    /// The log that sources write to and readers read from.
    package let bus: any MessageBus
    private let runners: [SourceName: SourceRunner]
    private let order: [SourceName]
    private let accounts: [(key: AccountKey, connector: String, account: HubAccount)]
    private let everyAccount: [HubAccount]
    private let accountsOfSources: [SourceName: AccountKey]
    private let spending: SpendKeeper
    private let broadcasts: BroadcastReporter
    private let retention: RetentionPolicy
    private let services: HubServices
    private let currentPhase = Mutex(HubPhase.starting)
    /// One command at a time, so that what is kept and what is done are the same.
    private let commands = Gate(permits: 1)
    /// One dead letter at a time is read again.
    let rereading = Gate(permits: 1)

    /// A hub of configured sources.
    ///
    /// Makes one HTTP client for each network policy; reads and writes nothing yet.
    ///
    /// - Parameters:
    ///   - configuration: what to read and how long to keep it.
    ///   - bus: the log. It is not closed by the hub: readers may outlive it.
    ///   - http: makes the HTTP client of a network policy.
    ///   - webSockets: makes the WebSocket client of a network policy; without it none is opened.
    ///   - clock: tells the time.
    ///   - alarm: does the waiting; one on `clock` when none is given.
    ///   - logger: logs changes of state.
    ///   - limits: what bounds the hub's work.
    /// - Throws: what `http` throws.
    package init(
        configuration: HubConfiguration,
        bus: any MessageBus,
        http: HTTPClientFactory,
        webSockets: WebSocketClientFactory = { _ in NoWebSockets() },
        clock: any WallClock = SystemClock(),
        alarm: Alarm? = nil,
        logger: Logger,
        limits: HubLimits = HubLimits()
    ) throws {
        self.bus = bus
        retention = configuration.retention
        let services = HubServices(
            bus: bus,
            clock: clock,
            logger: logger,
            limits: limits,
            gate: Gate(permits: limits.pullsInFlight),
            alarm: alarm ?? Alarm(clock: clock),
            wakeups: Wakeups()
        )
        self.services = services
        var accounts: [AccountKey: HubAccount] = [:]
        var described: [(key: AccountKey, connector: String, account: HubAccount)] = []
        for account in configuration.accounts {
            let key = AccountKey.named(account.name)
            let made = HubAccount(key, meter: account.budget.meter(for: account.connector), services: services)
            accounts[key] = made
            described.append((key, account.connector.descriptor.name, made))
        }
        // A source without an account is one of its own, not worth a line among the accounts.
        for source in configuration.sources where accounts[source.account] == nil {
            let meter = BudgetConfiguration().meter(for: source.connector)
            accounts[source.account] = HubAccount(source.account, meter: meter, services: services)
        }
        let spending = SpendKeeper(accounts, services: services)
        let broadcasts = BroadcastReporter(services: services)
        var clients: [SourceNetwork: NetworkClients] = [:]
        var runners: [SourceName: SourceRunner] = [:]
        for source in configuration.sources {
            let client =
                try clients[source.network]
                ?? NetworkClients(http: try http(source.network), webSockets: try webSockets(source.network))
            clients[source.network] = client
            guard let account = accounts[source.account] else { continue }
            runners[source.name] = SourceRunner(
                source,
                clients: client,
                account: account,
                spending: spending,
                broadcasts: broadcasts,
                services: services
            )
        }
        self.runners = runners
        self.spending = spending
        self.broadcasts = broadcasts
        self.accounts = described
        everyAccount = Array(accounts.values)
        accountsOfSources = Dictionary(configuration.sources.map { ($0.name, $0.account) }) { $1 }
        order = configuration.sources.map(\.name)
    }

    // MARK: Running

    /// Reads the sources until cancelled or, under a service group, told to stop.
    ///
    /// Stopping cancels what is in flight, waits for batches that the log was handed, and returns within the grace of ``HubLimits``.
    package func run() async {
        currentPhase.withLock { if $0 == .starting { $0 = .running } }
        services.logger.info("the hub reads its sources", metadata: ["sources": "\(runners.count)"])
        await withTaskCancellationHandler {
            await cancelWhenGracefulShutdown { await self.readAll() }
        } onCancel: {
            beginStopping()
        }
        currentPhase.withLock { $0 = .stopped }
        services.logger.info("the hub has stopped")
    }

    private func readAll() async {
        // Awaited below. No child task, because it must go on ringing while cancelled sources are given their grace.
        let ringing = Task { await services.alarm.run() }
        await withTaskCancellationHandler {
            // Nobody reads for money before it is known what was spent; cancelled meanwhile, nobody reads at all.
            guard (try? await spending.restore()) != nil else { return }
            await withDiscardingTaskGroup { group in
                group.addTask { await self.retain() }
                group.addTask { await self.spending.run() }
                group.addTask { await self.broadcasts.run() }
                for name in order {
                    if let runner = runners[name], runner.source.isEnabled { runner.wake() }
                }
                while let turns = await services.wakeups.next() {
                    for runner in turns { group.addTask { await runner.takeTurn() } }
                }
            }
        } onCancel: {
            beginStopping()
        }
        for runner in runners.values { runner.stop() }
        await spending.save()
        for account in everyAccount { try? await account.flush() }
        ringing.cancel()
        await ringing.value
    }

    private func beginStopping() {
        currentPhase.withLock { if $0 != .stopped { $0 = .stopping } }
    }

    private func retain() async {
        guard retention.age != nil || retention.size != nil else { return }
        let keeper = RetentionKeeper(bus: bus, clock: services.clock, alarm: services.alarm, logger: services.logger)
        await keeper.run(policy: retention, interval: services.limits.retentionInterval)
    }

    // MARK: Asking

    /// Whether the hub does its work.
    package var phase: HubPhase { currentPhase.withLock { $0 } }

    /// Whether the hub runs and its log takes events.
    package var readiness: HubReadiness {
        var reasons: [String] = []
        let phase = phase
        if phase != .running { reasons.append("the hub is \(phase.rawValue)") }
        switch bus.condition {
        case .ready: break
        case .full(let reason), .failed(let reason): reasons.append("the log takes no events: \(reason)")
        }
        return HubReadiness(isReady: reasons.isEmpty, reasons: reasons)
    }

    /// Every source, in the order of the configuration.
    package func sources() -> [SourceStatus] { order.compactMap { runners[$0]?.cell.status } }

    /// One source; `nil` when there is none of that name.
    package func source(_ name: SourceName) -> SourceStatus? { runners[name]?.cell.status }

    /// Where platforms call, by path.
    package var webhooks: [String: WebhookInlet] {
        var inlets: [String: WebhookInlet] = [:]
        for runner in runners.values {
            guard runner.source.isEnabled, let path = runner.source.webhookPath else { continue }
            inlets[path] = WebhookInlet(source: runner.source.name, runner: runner)
        }
        return inlets
    }

    /// The configured accounts, in the order of the configuration.
    package func accountStatuses() -> [AccountStatus] {
        accounts.map { key, connector, account in
            AccountStatus(
                name: account.name,
                connector: connector,
                sources: order.filter { accountsOfSources[$0] == key },
                limits: account.meter.buckets,
                spend: spend(of: account)
            )
        }
    }

    private func spend(of account: HubAccount) -> AccountStatus.Spend? {
        let currency = account.meter.currency
        func money(_ micros: Int64) -> Money { Money(micros: micros, currency: currency) }
        return account.meter.withSpend { spend in
            guard !spend.prices.isEmpty else { return nil }
            let forecast = spend.forecast(now: services.clock.now)
            return AccountStatus.Spend(
                today: money(spend.spentToday),
                month: money(spend.spentThisMonth),
                dayForecast: money(forecast.day),
                monthForecast: money(forecast.month),
                dayBudget: spend.dailyBudget.map(money),
                monthBudget: spend.monthlyBudget.map(money)
            )
        }
    }

    /// What all sources did since the hub started.
    package var totals: SourceCounts {
        runners.values.reduce(into: SourceCounts()) { $0 += $1.cell.counts }
    }

    // MARK: Commands

    /// Stops reading a source until ``resume(_:)``, over restarts too.
    ///
    /// Durable when it returns; pausing a paused source does nothing. Throws ``HubCommandError``, or `BusError` when the pause could not be kept.
    package func pause(_ name: SourceName) async throws {
        let runner = try runner(of: name)
        try await commands.run {
            try await self.bus.setValue(Array("paused".utf8), for: StoredKey.paused(name))
            runner.pause()
        }
    }

    /// Reads a source again that was paused, or that had stopped as unauthorized or failed.
    ///
    /// Resuming a source that is being read does nothing. Throws ``HubCommandError``, or `BusError` when the change could not be kept.
    package func resume(_ name: SourceName) async throws {
        let runner = try runner(of: name)
        try await commands.run {
            try await self.bus.setValue(nil, for: StoredKey.paused(name))
            runner.resume()
        }
    }

    /// The runner of a source that takes commands; throws ``HubCommandError`` otherwise.
    func runner(of name: SourceName) throws -> SourceRunner {
        guard let runner = runners[name] else {
            throw HubCommandError.unknownSource(
                name,
                nearest: NearestName.of(name.name, in: order.lazy.map(\.name))
            )
        }
        guard runner.source.isEnabled else { throw HubCommandError.disabled(name) }
        switch phase {
        case .stopping, .stopped: throw HubCommandError.stopping
        case .starting, .running: return runner
        }
    }
}

/// The clients of sources with the same network policy.
struct NetworkClients: Sendable {
    let http: any HTTPClient
    let webSockets: any WebSocketClient
}
