import JSON
import SocialEvents

/// Bytes of a payload, valid as long as the payload is being read.
typealias Bytes = UnsafeBufferPointer<UInt8>

/// The names of things on the AT Protocol as ids and addresses.
///
/// They are put together from the payload's bytes in one allocation each, since every event needs half a dozen of them.
enum BlueskyID {
    static let platform: Platform = "bluesky"

    /// `bluesky:post:at://DID/app.bsky.feed.post/RKEY` and the like.
    ///
    /// The namespace tells the collection: records of one collection share an id space of their own.
    static func record(_ uri: RecordURI) -> ObjectID {
        guard uri.length <= ObjectID.longestNative else {
            return ObjectID(platform, uri.kind.namespace, uri.text(after: "at://"))
        }
        return switch uri.kind {
        case .post: ObjectID(text: uri.text(after: "bluesky:post:at://"))
        case .repost: ObjectID(text: uri.text(after: "bluesky:repost:at://"))
        case .like: ObjectID(text: uri.text(after: "bluesky:like:at://"))
        case .follow: ObjectID(text: uri.text(after: "bluesky:follow:at://"))
        case .profile, .generator, .list, .starterPack, .other: ObjectID(text: uri.text(after: "bluesky:record:at://"))
        }
    }

    /// The conversation that begins with a post.
    static func conversation(_ root: RecordURI) -> ObjectID {
        root.length <= ObjectID.longestNative
            ? ObjectID(text: root.text(after: "bluesky:conversation:at://"))
            : ObjectID(platform, "conversation", root.text(after: "at://"))
    }

    /// `bluesky:actor:DID`.
    static func actor(_ did: Bytes) -> ObjectID {
        did.count <= ObjectID.longestNative
            ? ObjectID(text: String(joining: "bluesky:actor:", did))
            : ObjectID(platform, "actor", String(decoding: did, as: UTF8.self))
    }

    /// Where a person can see somebody.
    static func page(ofActor did: Bytes) -> String {
        String(joining: "https://bsky.app/profile/", did)
    }

    /// Where a person can see a record; nil for records without a page.
    static func page(of uri: RecordURI) -> String? {
        switch uri.kind {
        case .post: String(joining: "https://bsky.app/profile/", uri.authority, "/post/", uri.rkey)
        case .generator: String(joining: "https://bsky.app/profile/", uri.authority, "/feed/", uri.rkey)
        case .list: String(joining: "https://bsky.app/profile/", uri.authority, "/lists/", uri.rkey)
        case .starterPack: String(joining: "https://bsky.app/starter-pack/", uri.authority, "/", uri.rkey)
        case .repost, .like, .follow, .profile, .other: nil
        }
    }

    /// A post, repost or the like as another event refers to it.
    static func reference(_ uri: RecordURI) -> Reference {
        Reference(
            id: record(uri),
            url: page(of: uri),
            actor: uri.hasDID ? actor(uri.authority) : nil
        )
    }
}

/// What a record is, as far as events tell it.
enum RecordKind {
    case post, repost, like, follow, profile, generator, list, starterPack, other

    /// By the name of its collection.
    init(_ collection: Bytes) {
        if collection.isText("app.bsky.feed.post") {
            self = .post
        } else if collection.isText("app.bsky.feed.like") {
            self = .like
        } else if collection.isText("app.bsky.feed.repost") {
            self = .repost
        } else if collection.isText("app.bsky.graph.follow") {
            self = .follow
        } else if collection.isText("app.bsky.actor.profile") {
            self = .profile
        } else if collection.isText("app.bsky.feed.generator") {
            self = .generator
        } else if collection.isText("app.bsky.graph.list") {
            self = .list
        } else if collection.isText("app.bsky.graph.starterpack") {
            self = .starterPack
        } else {
            self = .other
        }
    }

    /// What stands between platform and native id.
    var namespace: String {
        switch self {
        case .post: "post"
        case .repost: "repost"
        case .like: "like"
        case .follow: "follow"
        case .profile, .generator, .list, .starterPack, .other: "record"
        }
    }
}

/// The address of a record, `at://DID/COLLECTION/RKEY`, taken apart without copying (AT URI scheme).
struct RecordURI {
    let authority: Bytes
    let collection: Bytes
    let rkey: Bytes
    let kind: RecordKind

    /// How long the address is in bytes.
    var length: Int { 7 + authority.count + collection.count + rkey.count }

    /// The record of that collection and key in a repository; nil when one of the names cannot be one.
    ///
    /// - Parameters:
    ///   - repo: the repository's DID or handle.
    ///   - collection: the collection.
    ///   - rkey: the record's key.
    ///   - isChecked: whether `repo` is known to be a name.
    init?(repo: Bytes, collection: Bytes, rkey: Bytes, isChecked: Bool = false) {
        guard isChecked || repo.isName, collection.isName, rkey.isName else { return nil }
        authority = repo
        self.collection = collection
        self.rkey = rkey
        kind = RecordKind(collection)
    }

    /// An address as payloads write it; nil when it is none, or that of no record.
    init?(_ text: Bytes) {
        guard text.count > 5, text[0] == UInt8(ascii: "a"), text[1] == UInt8(ascii: "t"), text[2] == UInt8(ascii: ":"),
            text[3] == UInt8(ascii: "/"), text[4] == UInt8(ascii: "/"),
            let first = text[5...].firstIndex(of: UInt8(ascii: "/")),
            let second = text[(first + 1)...].firstIndex(of: UInt8(ascii: "/"))
        else { return nil }
        self.init(
            repo: Bytes(rebasing: text[5..<first]),
            collection: Bytes(rebasing: text[(first + 1)..<second]),
            rkey: Bytes(rebasing: text[(second + 1)...])
        )
    }

    /// The address in a member that is text.
    init?(_ value: JSONValue?) {
        guard let uri = value?.withUTF8({ RecordURI($0) }) ?? nil else { return nil }
        self = uri
    }

    /// Whether the repository is named by its DID, as it should be, and not by a handle.
    var hasDID: Bool { authority.begins(with: "did:") && authority.count > 8 }

    /// Whether it is a post's.
    var isPost: Bool { kind == .post }

    /// The address with `prefix` in place of `at://`.
    func text(after prefix: StaticString) -> String {
        String(joining: prefix, authority, "/", collection, "/", rkey)
    }
}

/// A timestamp identifier: 13 characters that sort as the time they hold (AT Protocol, "TID").
enum TID {
    /// The microseconds since 1970 that a TID holds; nil when the text is none.
    static func microseconds(_ text: Bytes) -> Int? {
        guard text.count == 13 else { return nil }
        var number: UInt64 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "2")...UInt8(ascii: "7"): digit = byte - UInt8(ascii: "2")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 6
            default: return nil
            }
            number = number << 5 | UInt64(digit)
        }
        // 13 characters hold 65 bits; the first one begins with the sign, which is never set.
        guard text[0] <= UInt8(ascii: "j"), number >> 63 == 0 else { return nil }
        return Int(number >> 10)
    }
}

extension Bytes {
    /// Whether these are the bytes of `text`.
    func isText(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for position in 0..<count where self[position] != text.utf8Start[position] { return false }
        return true
    }

    /// Whether they begin as `text` does.
    func begins(with text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for position in 0..<text.utf8CodeUnitCount where self[position] != text.utf8Start[position] { return false }
        return true
    }

    /// Whether this has the form of a decentralised identifier.
    var isDID: Bool { begins(with: "did:") && count > 8 && isName }

    /// Whether it may be an authority, collection or record key: letters, digits and `._:~-%`.
    fileprivate var isName: Bool {
        guard !isEmpty, count <= 2048 else { return false }
        // Without a way out of the loop it is compiled to vector instructions.
        var bad: UInt8 = 0
        for byte in self {
            let letter: UInt8 = (byte | 0x20) &- UInt8(ascii: "a") < 26 ? 1 : 0
            // `-`, `.`, `/`, digits and `:` stand in a row.
            let digit: UInt8 = byte &- UInt8(ascii: "-") < 14 ? 1 : 0
            let slash: UInt8 = byte == UInt8(ascii: "/") ? 1 : 0
            let low: UInt8 = byte == UInt8(ascii: "_") ? 1 : 0
            let wave: UInt8 = byte == UInt8(ascii: "~") ? 1 : 0
            let percent: UInt8 = byte == UInt8(ascii: "%") ? 1 : 0
            bad |= (letter | digit | low | wave | percent) ^ 1 | slash
        }
        return bad == 0
    }

    /// No bytes.
    static var none: Bytes { Bytes(start: nil, count: 0) }
}

extension String {
    /// Joins fixed words and bytes of a payload in a single allocation.
    init(
        joining first: StaticString,
        _ one: Bytes,
        _ second: StaticString = "",
        _ two: Bytes = .none,
        _ third: StaticString = "",
        _ three: Bytes = .none
    ) {
        let words = first.utf8CodeUnitCount + second.utf8CodeUnitCount + third.utf8CodeUnitCount
        let count = words + one.count + two.count + three.count
        self.init(unsafeUninitializedCapacity: count) { buffer in
            var end = 0
            func add(_ start: UnsafePointer<UInt8>?, _ count: Int) {
                guard count > 0, let start, let target = buffer.baseAddress else { return }
                (target + end).initialize(from: start, count: count)
                end += count
            }
            add(first.utf8Start, first.utf8CodeUnitCount)
            add(one.baseAddress, one.count)
            add(second.utf8Start, second.utf8CodeUnitCount)
            add(two.baseAddress, two.count)
            add(third.utf8Start, third.utf8CodeUnitCount)
            add(three.baseAddress, three.count)
            return end
        }
    }
}
