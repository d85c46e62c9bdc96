import ConnectorKit
import JSON
import Logging
import MessageBus
import SocialEvents
import Synchronization

/// Keeps what accounts have spent over restarts.
///
/// Written once a minute, at the end, and whenever a hundredth of a budget was spent since, so that a hub that is killed again and again spends
/// little more than its budget.
final class SpendKeeper: Sendable {
    static let interval = Duration.seconds(60)
    /// Which part of a budget is worth a write of its own.
    private static let part: Int64 = 100

    private struct Spent: Equatable {
        var day: Int64
        var today: Int64
        var month: Int64
    }

    private let accounts: [AccountKey: HubAccount]
    private let services: HubServices
    private let kept = Mutex<[AccountKey: Spent]>([:])

    init(_ accounts: [AccountKey: HubAccount], services: HubServices) {
        self.accounts = accounts.filter { $0.value.meter.withSpend { !$0.prices.isEmpty } }
        self.services = services
    }

    /// Takes up what had been spent; waits for a log that cannot be read at the moment.
    ///
    /// What is there and makes no sense counts as nothing spent, and is told. Throws `CancellationError`.
    func restore() async throws {
        for (key, account) in accounts {
            guard let bytes = try await stored(account) else { continue }
            do {
                let spent = try JSONParser(maximumDepth: 2, maximumSize: 1024).parse(bytes) { value in
                    Spent(
                        day: Int64(try value.requiredInt("day")),
                        today: Int64(try value.requiredInt("today")),
                        month: Int64(try value.requiredInt("month"))
                    )
                }
                account.meter.withSpend { $0.restore(day: spent.day, today: spent.today, month: spent.month) }
                kept.withLock { $0[key] = spent }
            } catch {
                services.logger.warning(
                    "what an account had spent makes no sense and counts as nothing",
                    metadata: ["account": "\(account.name)"]
                )
            }
        }
    }

    private func stored(_ account: HubAccount) async throws -> [UInt8]? {
        var attempt = 0
        var random = SeededGenerator(seed: services.limits.seed, name: account.name)
        while true {
            do { return try await account.value(for: "spend") } catch let error as BusError where error != .closed {
                attempt += 1
                services.logger.warning(
                    "what an account had spent cannot be read yet",
                    metadata: ["account": "\(account.name)", "reason": "\(error)"]
                )
                try await services.alarm.wait(for: Backoff.log.delay(attempt: attempt, random: &random))
            }
        }
    }

    /// Keeps it until cancelled.
    func run() async {
        guard !accounts.isEmpty else { return }
        while (try? await services.alarm.wait(for: Self.interval)) != nil { await save() }
    }

    /// Writes what has changed.
    func save() async {
        for (key, account) in accounts { await save(key, account) }
    }

    /// Writes what a source's account has spent, where it is much.
    func saveIfMuch(_ key: AccountKey) async {
        guard let account = accounts[key] else { return }
        let (spent, budget) = account.meter.withSpend { ($0.spentToday, $0.dailyBudget ?? $0.monthlyBudget) }
        guard let budget, abs(spent - (kept.withLock { $0[key] }?.today ?? 0)) * Self.part > budget else { return }
        await save(key, account)
    }

    private func save(_ key: AccountKey, _ account: HubAccount) async {
        let spent = account.meter.withSpend { Spent(day: $0.day, today: $0.spentToday, month: $0.spentThisMonth) }
        guard spent.day != .min, kept.withLock({ $0[key] }) != spent else { return }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("day", spent.day)
        writer.member("today", spent.today)
        writer.member("month", spent.month)
        writer.endObject()
        do {
            try await account.write(writer.bytes, for: "spend")
            kept.withLock { $0[key] = spent }
        } catch {
            services.logger.debug("what was spent waits for the log", metadata: ["account": "\(account.name)"])
        }
    }
}
