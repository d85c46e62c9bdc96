/// One way to misbehave, once or several times.
package struct Fault: Sendable, Hashable {
    /// What goes wrong.
    ///
    /// Those declared here mean the same on every platform; a platform adds its own as further constants and says in its simulator what they do.
    package struct Kind: RawRepresentable, Sendable, Hashable, ExpressibleByStringLiteral {
        /// The name, as in `POST /_simulator/faults`.
        package var rawValue: String

        /// A kind of that name.
        package init(rawValue: String) { self.rawValue = rawValue }

        /// A kind of that name.
        package init(stringLiteral value: String) { rawValue = value }

        // Answered by ``FaultPlan/answer(for:)`` for every platform.

        /// 500 with a page of HTML.
        package static let serverError: Kind = "server-error"
        /// 503 with a page of HTML and `Retry-After: 1`.
        package static let unavailable: Kind = "unavailable"
        /// A head that announces more bytes than come before the connection breaks.
        package static let truncated: Kind = "truncated"
        /// 200 with HTML where JSON was asked for.
        package static let notJSON: Kind = "not-json"
        /// 200 with some kilobytes that decompress into 256 MiB.
        package static let gzipBomb: Kind = "gzip-bomb"
        /// No answer at all until the client gives up.
        package static let hang: Kind = "hang"

        /// Those that every platform knows.
        package static let shared: Set<Kind> = [serverError, unavailable, truncated, notJSON, gzipBomb, hang]

        // Done by each platform in its own words.

        /// 429 with the platform's own headers and body.
        package static let throttle: Kind = "throttle"
        /// The token stops being valid.
        package static let expireToken: Kind = "expire-token"
        /// Open streams break off in the middle of a line.
        package static let drop: Kind = "drop"
        /// Open streams end as they should.
        package static let close: Kind = "close"
        /// Open streams stay open and say nothing any more.
        package static let stall: Kind = "stall"
        /// The next thing a stream sends is sent twice.
        package static let repeated: Kind = "repeat"
        /// The next thing a stream sends is held back and sent after its successor.
        package static let reorder: Kind = "reorder"
        /// A line without an end.
        package static let endlessLine: Kind = "endless-line"
        /// Fields that no documentation knows.
        package static let unknownFields: Kind = "unknown-fields"
        /// A type of event that no documentation knows.
        package static let unknownType: Kind = "unknown-type"
        /// A payload that is no JSON, within a stream or page that is otherwise good.
        package static let garbage: Kind = "garbage"
        /// An old cursor is answered with the oldest page there is.
        package static let oldestPage: Kind = "oldest-page"
        /// An old cursor is silently moved forward.
        package static let clampCursor: Kind = "clamp-cursor"
        /// An old cursor is refused.
        package static let rejectCursor: Kind = "reject-cursor"
    }

    /// What goes wrong.
    package var kind: Kind
    /// Only requests whose path begins with this are touched; empty for all.
    package var route: String
    /// How many times it happens.
    package var count: Int
    /// How many times all goes well before.
    package var after: Int

    /// A fault.
    package init(_ kind: Kind, route: String = "", count: Int = 1, after: Int = 0) {
        self.kind = kind
        self.route = route
        self.count = count
        self.after = after
    }
}
