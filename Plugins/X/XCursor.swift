package import ConnectorKit
import JSON
package import SocialEvents

/// Where a source stopped reading: a low-water mark, and the round of pages it is in.
///
/// X's pages begin with the newest post. A round therefore keeps the newest id of its first page, which becomes the mark once the last page is read.
package struct XCursor: Sendable, Hashable {
    /// The pages of one round that are still to come.
    package struct Round: Sendable, Hashable {
        /// The next page's token; `nil` for the first page of a rule.
        package var token: String?
        /// The newest id of the round's first page.
        package var newest: String?
        /// The oldest id that the round has read.
        package var oldest: String?
        /// How many posts the round has read.
        package var count = 0
        /// Where the round ends, for rules, which are searched one after the other for the same stretch of time.
        package var until: Timestamp?
        /// The rule that is being searched.
        package var rule = 0
        /// A digest of the rules: when they change the round begins anew.
        package var rules: String?
        /// When the round began.
        package var begun: Timestamp
    }

    /// What is read, by ``XConfiguration/scope``.
    package var scope: String?
    /// The newest id that was read; the next round asks for what came after it.
    package var since: String?
    /// The moment up to which everything was read.
    package var from: Timestamp?
    /// The number of the account, once it was looked up.
    package var user: String?
    /// The round of pages that is not finished.
    package var round: Round?
    /// How often in a row a round had to begin anew because the platform forgot its place.
    package var restarts = 0
    /// Whether it was told that the account is gone.
    package var isGone = false

    /// Nothing was read yet.
    package init() {}

    /// Everything up to a moment was read.
    package init(from: Timestamp, scope: String? = nil) {
        self.from = from
        self.scope = scope
    }

    /// Reads a cursor; `nil` is the beginning, and so is a cursor of something else than what is read now.
    ///
    /// - Parameters:
    ///   - cursor: what the hub has kept.
    ///   - scope: what is read now.
    /// - Throws: ``ConnectorError`` `rejected` for one that a newer connector wrote, or that is none.
    package init(_ cursor: Cursor?, scope: String? = nil) throws {
        self.scope = scope
        guard let cursor else { return }
        try cursor.json { json in
            let kept = try json.optionalString("scope")
            if let kept, let scope, kept != scope { return }
            self.scope = scope ?? kept
            since = try json.optionalString("since")
            from = try json.optionalInt("from").map { Timestamp(milliseconds: Int64($0)) }
            user = try json.optionalString("user")
            restarts = try json.optionalInt("restarts") ?? 0
            isGone = try json.optionalBool("gone") ?? false
            guard let value = try json.optionalObject("round") else { return }
            var round = Round(begun: Timestamp(milliseconds: Int64(try value.requiredInt("begun"))))
            round.token = try value.optionalString("token")
            round.newest = try value.optionalString("newest")
            round.oldest = try value.optionalString("oldest")
            round.count = try value.optionalInt("count") ?? 0
            round.until = try value.optionalInt("until").map { Timestamp(milliseconds: Int64($0)) }
            round.rule = max(0, try value.optionalInt("rule") ?? 0)
            round.rules = try value.optionalString("rulebook")
            self.round = round
        }
    }

    /// The cursor as the hub keeps it.
    package func encoded() -> Cursor {
        Cursor.json { writer in
            writer.member("scope", scope)
            writer.member("since", since)
            writer.member("from", from?.milliseconds)
            writer.member("user", user)
            if restarts > 0 { writer.member("restarts", restarts) }
            if isGone { writer.member("gone", true) }
            guard let round else { return }
            writer.key("round")
            writer.beginObject()
            writer.member("token", round.token)
            writer.member("newest", round.newest)
            writer.member("oldest", round.oldest)
            writer.member("count", round.count)
            writer.member("until", round.until?.milliseconds)
            writer.member("rule", round.rule)
            writer.member("rulebook", round.rules)
            writer.member("begun", round.begun.milliseconds)
            writer.endObject()
        }
    }
}
