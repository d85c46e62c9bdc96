import ConnectorKit
import JSON
import Logging
import MessageBus
import Synchronization

/// Keeps what accounts have spent over restarts.
///
/// Written once a minute and at the end, so a hub that is killed forgets at most a minute of spending.
final class SpendKeeper: Sendable {
    static let interval = Duration.seconds(60)

    private struct Spent: Equatable {
        var day: Int64
        var today: Int64
        var month: Int64
    }

    private let accounts: [HubAccount]
    private let services: HubServices
    private let kept = Mutex<[String: Spent]>([:])

    init(_ accounts: [HubAccount], services: HubServices) {
        self.accounts = accounts.filter { $0.meter.withSpend { !$0.prices.isEmpty } }
        self.services = services
    }

    /// Takes up what had been spent; what cannot be read counts as nothing spent, and is told.
    func restore() async {
        for account in accounts {
            do {
                guard let bytes = try await account.value(for: "spend") else { continue }
                let spent = try JSONParser(maximumDepth: 2, maximumSize: 1024).parse(bytes) { value in
                    Spent(
                        day: Int64(try value.requiredInt("day")),
                        today: Int64(try value.requiredInt("today")),
                        month: Int64(try value.requiredInt("month"))
                    )
                }
                account.meter.withSpend { $0.restore(day: spent.day, today: spent.today, month: spent.month) }
                kept.withLock { $0[account.name] = spent }
            } catch {
                services.logger.warning(
                    "what an account had spent cannot be read and counts as nothing",
                    metadata: ["account": "\(account.name)"]
                )
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
        for account in accounts {
            let spent = account.meter.withSpend { Spent(day: $0.day, today: $0.spentToday, month: $0.spentThisMonth) }
            guard spent.day != .min, kept.withLock({ $0[account.name] }) != spent else { continue }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("day", spent.day)
            writer.member("today", spent.today)
            writer.member("month", spent.month)
            writer.endObject()
            do {
                try await account.setValue(writer.bytes, for: "spend")
                kept.withLock { $0[account.name] = spent }
            } catch {
                services.logger.debug("what was spent waits for the log", metadata: ["account": "\(account.name)"])
            }
        }
    }
}
