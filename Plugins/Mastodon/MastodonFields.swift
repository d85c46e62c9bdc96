import JSON
import SocialEvents

/// The members of a status, each found once.
///
/// A status has some 35 members and is read by most of them, so one walk is cheaper than 35 searches.
package struct MastodonStatusFields {
    var id: JSONValue?
    var uri: JSONValue?
    var url: JSONValue?
    var createdAt: JSONValue?
    var editedAt: JSONValue?
    var account: JSONValue?
    var content: JSONValue?
    var spoilerText: JSONValue?
    var visibility: JSONValue?
    var sensitive: JSONValue?
    var language: JSONValue?
    var inReplyTo: JSONValue?
    var inReplyToAccount: JSONValue?
    var reblog: JSONValue?
    var quote: JSONValue?
    var quoteID: JSONValue?
    var media: JSONValue?
    var mentions: JSONValue?
    var tags: JSONValue?
    var emojis: JSONValue?
    var card: JSONValue?
    var poll: JSONValue?
    var replies: JSONValue?
    var reblogs: JSONValue?
    var favourites: JSONValue?
    var quotes: JSONValue?
    var reactions: JSONValue?
    var pleroma: JSONValue?
    /// Names that no server's documentation has, in their order, at most ``mostUnknown``.
    var unknown: [String] = []

    private static let mostUnknown = 10

    init(_ status: JSONValue) {
        for (key, value) in status.members where !value.isNull {
            switch key {
            case "id": id = value
            case "created_at": createdAt = value
            case "in_reply_to_id": inReplyTo = value
            case "in_reply_to_account_id": inReplyToAccount = value
            case "sensitive": sensitive = value
            case "spoiler_text": spoilerText = value
            case "visibility": visibility = value
            case "language": language = value
            case "uri": uri = value
            case "url": url = value
            case "replies_count": replies = value
            case "reblogs_count": reblogs = value
            case "favourites_count": favourites = value
            case "quotes_count": quotes = value
            case "edited_at": editedAt = value
            case "content": content = value
            case "reblog": reblog = value
            case "account": account = value
            case "media_attachments": media = value
            case "mentions": mentions = value
            case "tags": tags = value
            case "emojis": emojis = value
            case "card": card = value
            case "poll": poll = value
            case "quote": quote = value
            case "quote_id", "quoted_status_id": quoteID = value
            case "reactions", "emoji_reactions": reactions = value
            case "pleroma": pleroma = value
            default: if unknown.count < Self.mostUnknown, !Self.isLeftOut(key) { unknown.append(key.string) }
            }
        }
    }

    /// What belongs to the reader's own view, to the server alone, or says again what another member says.
    private static func isLeftOut(_ key: JSONKey) -> Bool {
        switch key {
        case "favourited", "reblogged", "muted", "bookmarked", "pinned", "filtered", "application", "text", "akkoma",
            "quote_approval", "local_only", "local", "federated", "thread", "bookmark_category", "content_type",
            "conversation_id", "plain_text", "friendica", "liked_by", "comments_disabled", "place", "pf_type",
            "reply_count", "taggedPeople", "label", "collection_id", "comments_count", "edit_history", "uri_hash",
            "interaction_policy", "emoji", "instance", "parent_visible", "media_count", "tagged_collections",
            "pt_type", "replies", "shortcode", "content_text", "liked", "shared", "quote_url", "parent", "event":
            true
        default: false
        }
    }
}

/// The members of an account that an event has a place for.
struct MastodonAccountFields {
    var id: JSONValue?
    var acct: JSONValue?
    var username: JSONValue?
    var name: JSONValue?
    var url: JSONValue?
    var uri: JSONValue?
    var avatar: JSONValue?
    var bot: JSONValue?
    var followers: JSONValue?

    init(_ account: JSONValue) {
        for (key, value) in account.members where !value.isNull {
            switch key {
            case "id": id = value
            case "acct": acct = value
            case "username": username = value
            case "display_name": name = value
            case "url": url = value
            case "uri": uri = value
            case "avatar": avatar = value
            case "bot": bot = value
            case "followers_count": followers = value
            default: break
            }
        }
    }
}

extension JSONValue {
    /// An id: a string, or the number that some servers write; nil for anything else and for what is empty or too long.
    var nativeID: String? {
        if let text = string { return text.isEmpty || text.utf8.count > EventLimits.identifier ? nil : text }
        return int.map(String.init)
    }

    /// Whether two members are one id, in whichever form.
    func isSameID(as other: JSONValue) -> Bool {
        if isSameString(as: other) { return true }
        // Only servers that write numbers write both.
        guard kind != .string || other.kind != .string, let id = nativeID else { return false }
        return id == other.nativeID
    }

    /// A string that is not empty.
    var words: String? {
        guard let text = string, !text.isEmpty else { return nil }
        return text
    }

    /// A count; nil for negative numbers, which some servers send for hidden ones.
    var total: Int? {
        guard let number = int, number >= 0 else { return nil }
        return number
    }

    /// An address of the web that an event may carry.
    var webAddress: String? {
        let isGood = withUTF8 { bytes in
            guard bytes.count <= EventLimits.url, bytes.count > 8 else { return false }
            guard let start = bytes.baseAddress else { return false }
            // Compared as numbers: the first four bytes, and what follows them.
            let first = UnsafeRawPointer(start).loadUnaligned(as: UInt32.self).littleEndian
            let rest = bytes[4] == UInt8(ascii: "s") ? 5 : 4
            guard first == 0x7074_7468, bytes[rest] == UInt8(ascii: ":"), bytes[rest + 1] == UInt8(ascii: "/"),
                bytes[rest + 2] == UInt8(ascii: "/")
            else { return false }
            // Without a way out of the loop it is compiled to vector instructions.
            var found: UInt8 = 0
            for byte in bytes { found |= (byte <= 0x20 ? 1 : 0) | (byte == 0x7F ? 1 : 0) }
            return found == 0
        }
        return isGood == true ? string : nil
    }

    /// A moment.
    var moment: Timestamp? {
        withUTF8 { Timestamp(rfc3339: $0) } ?? nil
    }
}
