/// What of Meta's is stood in for.
package enum MetaProduct: String, Sendable, Hashable, CaseIterable {
    /// A professional account on Instagram.
    case instagram
    /// A number on WhatsApp's Business Cloud API.
    case whatsapp
    /// A Page on Facebook, with Messenger.
    case facebook

    /// The `object` of its webhooks.
    package var object: String {
        switch self {
        case .instagram: "instagram"
        case .whatsapp: "whatsapp_business_account"
        case .facebook: "page"
        }
    }

    /// What is told for how long, in milliseconds, before it is given up: 36 hours, and 7 days for WhatsApp.
    var patience: Int64 { self == .whatsapp ? 7 * 86_400_000 : 36 * 3_600_000 }
}

/// By which of its two ways an Instagram account was connected; it decides how webhooks are wrapped.
package enum InstagramLogin: String, Sendable, Hashable, CaseIterable {
    /// `graph.instagram.com`: entries with `field` and `value`; no hashtags, tags and mentions of one's own.
    case instagram
    /// `graph.facebook.com`: entries with `changes`.
    case facebook
}

/// The ids of the accounts that are simulated.
package enum MetaAccount {
    /// The professional account on Instagram.
    package static let instagram = "17841400000000001"
    /// Its user name.
    package static let username = "harbour.days"
    /// The Page on Facebook.
    package static let page = "100200300400500"
    /// Its name.
    package static let pageName = "Harbour Days"
    /// The WhatsApp Business account.
    package static let whatsapp = "200300400500600"
    /// The id of its number.
    package static let phone = "300400500600700"
    /// The number itself.
    package static let number = "15550001000"
    /// The app.
    package static let app = "400500600700800"
}

/// A thing that a webhook has to tell.
struct MetaNews: Sendable {
    /// How it stands in an entry.
    enum Shape: Sendable {
        /// A member of `changes`, or `field` and `value` themselves.
        case change(field: String, value: GraphValue)
        /// A member of `messaging`.
        case messaging(GraphValue)
        /// A member of a list in a WhatsApp `value`, beside which stands who is meant.
        case part(field: String, list: String, item: GraphValue, contact: GraphValue)
    }

    var product: MetaProduct
    /// The account that it is about.
    var entry: String
    /// When it happened.
    var at: Int64
    /// When the platform gets round to telling.
    var due: Int64
    var shape: Shape
    /// What it tells.
    var fact: Ledger.Entry
}

/// Times as the Graph API writes them.
enum MetaDates {
    /// `2018-02-23T21:32:16+0000`.
    static func graph(_ milliseconds: Int64) -> GraphValue {
        .string(String(FeedDates.rfc3339(milliseconds).dropLast(5)) + "+0000")
    }
}
