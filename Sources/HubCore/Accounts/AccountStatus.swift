package import ConnectorKit
package import SocialEvents

/// What is known of one account, as of one moment.
package struct AccountStatus: Sendable, Hashable {
    /// Money spent and to be spent.
    package struct Spend: Sendable, Hashable {
        /// On this UTC day.
        package var today: Money
        /// In this UTC month.
        package var month: Money
        /// What the day will have cost if it goes on like this.
        package var dayForecast: Money
        /// What the month will have cost if it goes on like this.
        package var monthForecast: Money
        /// Most that a day may cost.
        package var dayBudget: Money?
        /// Most that a month may cost.
        package var monthBudget: Money?
    }

    /// Its name.
    package var name: String
    /// The connector it is for.
    package var connector: String
    /// The sources that share it.
    package var sources: [SourceName]
    /// The platform's limits, as far as its answers have told.
    package var limits: [AccountMeter.Bucket]
    /// What it costs, where it costs anything.
    package var spend: Spend?
}
