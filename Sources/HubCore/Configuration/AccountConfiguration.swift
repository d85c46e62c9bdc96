package import ConnectorKit

/// One account as configured and checked; its settings have gone into its sources.
package struct AccountConfiguration: Sendable {
    /// Its name.
    package var name: String
    /// The connector it is for.
    package var connector: any Connector.Type
    /// What it may cost.
    package var budget: BudgetConfiguration

    /// An account.
    package init(name: String, connector: any Connector.Type, budget: BudgetConfiguration = BudgetConfiguration()) {
        self.name = name
        self.connector = connector
        self.budget = budget
    }
}

/// What an account may cost.
package struct BudgetConfiguration: Sendable, Hashable {
    /// Most that a UTC day may cost.
    package var perDay: Money?
    /// Most that a UTC month may cost.
    package var perMonth: Money?
    /// What one read of a kind costs, where it differs from the connector's list.
    package var prices: [String: Money]

    /// A budget; without limits what is spent is only counted.
    package init(perDay: Money? = nil, perMonth: Money? = nil, prices: [String: Money] = [:]) {
        self.perDay = perDay
        self.perMonth = perMonth
        self.prices = prices
    }

    /// A meter for an account with this budget.
    ///
    /// All amounts are in one currency: the decoder sees to that.
    package func meter(for connector: any Connector.Type) -> AccountMeter {
        let prices = connector.descriptor.prices.merging(prices) { $1 }
        return AccountMeter(
            spend: SpendMeter(
                prices: prices.mapValues(\.micros),
                dailyBudget: perDay?.micros,
                monthlyBudget: perMonth?.micros
            ),
            currency: prices.values.first?.currency ?? perDay?.currency ?? perMonth?.currency ?? "USD"
        )
    }
}

/// The settings of an account beside its connector's, as `roost` shows them and as they are decoded.
package enum AccountSettings {
    /// Most that a day may cost.
    static let perDay = Setting(
        "per_day",
        .money,
        summary: "Most that a UTC day may cost; then its sources wait for the next."
    )
    /// Most that a month may cost.
    static let perMonth = Setting(
        "per_month",
        .money,
        summary: "Most that a UTC month may cost; then its sources wait for the next."
    )
    /// Whose prices and limits these are.
    package static let budget: [any SettingDescription] = [perDay, perMonth]
}

extension SettingForm where Value == Money {
    /// `20 USD`.
    static var money: SettingForm {
        let summary = "an amount such as 20 USD or 0.005 USD"
        return SettingForm(summary, write: { $0.description }) { node, path throws(SettingsError) in
            guard case .scalar(let text, _) = node.content else { throw node.mismatch(summary, path: path) }
            guard let money = Money(text) else {
                let number = text.split(separator: " ").first.map(String.init) ?? ""
                throw node.mismatch(summary, path: path, nearest: Money("\(number) USD") == nil ? nil : "\(number) USD")
            }
            return money
        }
    }
}
