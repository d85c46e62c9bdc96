package import JSON
import SocialEvents

/// Where a message of Jetstream stands in its stream.
package struct JetstreamPosition: Sendable, Hashable {
    /// Microseconds since 1970 by the clock of the instance; 0 where the message does not say.
    package var microseconds: Int
    /// The instance's own number of the event, on the second version's wire.
    package var sequence: Int?
}

/// What a message of Jetstream was, beside the events it became.
package enum JetstreamMessage: Sendable, Hashable {
    /// An event, at its place.
    case event(JetstreamPosition)
    /// The server says that the cursor lies before what it keeps, or behind its end; its name, such as `OutdatedCursor`.
    case notice(String)
    /// The server ends the stream with an error of this name.
    case failure(String)
}

extension BlueskyNormalizer {
    /// Reads one message of Jetstream, of either version's wire.
    ///
    /// - Parameters:
    ///   - message: the message's bytes; what has no event of its own is kept of them.
    ///   - parser: reads the JSON.
    /// - Returns: what it was; nil when it could not be read, which is then a dead letter.
    package mutating func jetstream(_ message: [UInt8], with parser: JSONParser) -> JetstreamMessage? {
        do {
            return try parser.parse(message) { root in
                if root["kind"] != nil { return firstWire(root, raw: message) }
                if root["$type"]?.isString("message") == true, let payload = root["payload"] {
                    return secondWire(payload, raw: message)
                }
                if root["$type"]?.isString("error") == true {
                    return .failure(Self.errorName(root["error"]))
                }
                deadLetters.append(DeadLetterDraft(reason: "no message of Jetstream's", payload: message))
                return nil
            }
        } catch {
            let reason = (error as? JSONError)?.description ?? "not readable"
            deadLetters.append(DeadLetterDraft(reason: "a message of Jetstream: \(reason)", payload: message))
            return nil
        }
    }

    /// A server's word for an error, if it is one.
    static func errorName(_ value: JSONValue?) -> String {
        value?.withUTF8 { bytes in
            guard (1...64).contains(bytes.count), bytes.allSatisfy({ ($0 | 0x20) &- UInt8(ascii: "a") < 26 }) else {
                return "unknown"
            }
            return String(decoding: bytes, as: UTF8.self)
        } ?? "unknown"
    }

    // MARK: - The first version: `{did, time_us, kind, commit | identity | account}`

    private mutating func firstWire(_ root: JSONValue, raw: [UInt8]) -> JetstreamMessage? {
        guard let did = Self.did(root["did"]), let time = root["time_us"]?.int, time > 0 else {
            deadLetters.append(DeadLetterDraft(reason: "a message of Jetstream without did or time_us", payload: raw))
            return nil
        }
        let seen = Self.moment(microseconds: time)
        guard let kind = root["kind"] else { return nil }
        if kind.isString("commit"), let commit = root["commit"] {
            self.commit(commit, did: did, seen: seen, time: time, raw: raw)
        } else if kind.isString("identity"), let identity = root["identity"] {
            self.identity(identity, did: did, seen: seen, time: time)
        } else if kind.isString("account"), let account = root["account"] {
            self.account(account, did: did, seen: seen, time: time)
        } else {
            unknown(did: did, seen: seen, time: time, raw: raw)
        }
        return .event(JetstreamPosition(microseconds: time))
    }

    // MARK: - The second version: `{$type, seq, did, time, ...}`

    private mutating func secondWire(_ payload: JSONValue, raw: [UInt8]) -> JetstreamMessage? {
        let kind = payload["$type"]?.withUTF8(JetstreamKind.init) ?? .other
        if kind == .info { return .notice(Self.errorName(payload["name"])) }
        guard let did = Self.did(payload["did"]), let sequence = payload["seq"]?.int, sequence >= 0 else {
            deadLetters.append(DeadLetterDraft(reason: "a message of Jetstream without did or seq", payload: raw))
            return nil
        }
        let time = (payload["witnessedAt"] ?? payload["time"]).flatMap(Self.microseconds) ?? 0
        let seen = time > 0 ? Self.moment(microseconds: time) : now
        switch kind {
        case .commit: commit(payload, did: did, seen: seen, time: time, raw: raw)
        case .identity where payload["identity"] != nil:
            payload["identity"].map { identity($0, did: did, seen: seen, time: time) }
        case .account where payload["account"] != nil:
            payload["account"].map { account($0, did: did, seen: seen, time: time) }
        case .identity, .account, .info, .other: unknown(did: did, seen: seen, time: time, raw: raw)
        }
        return .event(JetstreamPosition(microseconds: time, sequence: sequence))
    }

    private enum JetstreamKind {
        case commit, identity, account, info, other

        /// By the fragment of a payload's type, such as `network.bsky.jetstream.subscribeEvents#commit`.
        init(_ type: Bytes) {
            let fragment = type.lastIndex(of: UInt8(ascii: "#")).map { Bytes(rebasing: type[($0 + 1)...]) } ?? type
            if fragment.isText("commit") {
                self = .commit
            } else if fragment.isText("identity") {
                self = .identity
            } else if fragment.isText("account") {
                self = .account
            } else if fragment.isText("info") {
                self = .info
            } else {
                self = .other
            }
        }
    }

    // MARK: - What both tell

    private mutating func commit(_ commit: JSONValue, did: Bytes, seen: Timestamp, time: Int, raw: [UInt8]) {
        let revision = Self.revision(commit["rev"], orElse: time)
        guard let collection = commit["collection"]?.withUTF8({ $0 }), let rkey = commit["rkey"]?.withUTF8({ $0 }),
            let uri = RecordURI(repo: did, collection: collection, rkey: rkey, isChecked: true)
        else { return unknown(did: did, seen: seen, time: time, raw: raw) }
        let operation = commit["operation"]
        if operation?.isString("delete") == true {
            switch uri.kind {
            case .post, .repost, .like, .follow:
                return deleted(uri, time: seen, actor: Self.actor(did))
            case .profile:
                return profile(nil, did: did, seen: seen, revision: revision)
            case .generator, .list, .starterPack, .other: break
            }
        } else if let record = commit["record"], record.kind == .object {
            let isUpdate = operation?.isString("update") == true
            let sighting = RecordSighting(uri: uri, seen: seen, actor: Self.actor(did))
            switch uri.kind {
            case .post:
                return isUpdate
                    ? post(record, sighting, .postUpdated, revision: revision) : post(record, sighting)
            case .repost, .like, .follow:
                // What is liked or followed cannot be changed; an update says the same again.
                if deed(record, sighting) { return }
            case .profile:
                return profile(record, did: did, seen: seen, revision: revision)
            case .generator, .list, .starterPack, .other: break
            }
        }
        unrecognised(BlueskyID.record(uri), revision: revision, time: seen, raw: raw, actor: Self.actor(did))
    }

    private mutating func profile(_ record: JSONValue?, did: Bytes, seen: Timestamp, revision: Int) {
        var actor = Self.actor(did)
        var loss: [Loss] = []
        if let record {
            actor.name = PostReader.phrase(record["displayName"])
            if let cid = PostReader.cid(record["avatar"]) {
                actor.avatarURL = String(
                    joining: "https://cdn.bsky.app/img/avatar/plain/",
                    did,
                    "/",
                    cid,
                    "@jpeg"
                )
                loss.append(Loss("avatar", .inferred, "its address is put together from its hash"))
            }
            if let values = record["labels"]?["values"] {
                for label in values.elements.prefix(20) where label["val"]?.isString("bot") == true {
                    actor.isBot = true
                }
            }
            for (key, value) in record.members.prefix(40) where !value.isNull {
                switch key {
                case "$type", "displayName", "avatar", "createdAt": break
                default: loss.append(Loss(PostReader.name(key), .dropped))
                }
            }
        } else {
            loss.append(Loss("record", .dropped, "the profile was removed"))
        }
        profileUpdated(actor, revision: revision, time: seen, loss: loss)
    }

    private mutating func profileUpdated(_ actor: Actor, revision: Int, time: Timestamp, loss: [Loss]) {
        guard let id = actor.id else { return }
        var event = Event(
            id: EventID(id, .updated, revision: revision),
            type: .profileUpdated,
            platform: BlueskyID.platform,
            subject: id,
            time: time
        )
        event.data.actor = actor
        event.data.loss = loss
        events.append(event)
    }

    /// A new handle, or only the news that something about the identity changed.
    private mutating func identity(_ identity: JSONValue, did: Bytes, seen: Timestamp, time: Int) {
        var actor = Self.actor(did)
        actor.handle = Self.handle(identity["handle"])
        let loss = actor.handle == nil ? [Loss("identity", .dropped, "it does not say what changed")] : []
        profileUpdated(actor, revision: Self.stamp(identity, orElse: time), time: seen, loss: loss)
    }

    /// The platform, or the person, has closed an account or opened it again.
    ///
    /// An account that is taken down, suspended, deactivated or deleted takes everything with it that its owner said: told as the deletion of
    /// the actor.
    private mutating func account(_ account: JSONValue, did: Bytes, seen: Timestamp, time: Int) {
        let actor = Self.actor(did)
        let revision = Self.stamp(account, orElse: time)
        let status = account["status"]
        let isGone =
            account["active"]?.bool == false
            && (status.map { status in
                status.isString("takendown") || status.isString("suspended") || status.isString("deleted")
                    || status.isString("deactivated")
            } ?? true)
        let word = status.map { Self.errorName($0) } ?? (account["active"]?.bool == false ? "inactive" : "active")
        let loss = Loss("account.status", .dropped, word)
        guard isGone else { return profileUpdated(actor, revision: revision, time: seen, loss: [loss]) }
        withdrawn(actor, revision: revision, time: seen, loss: loss)
    }

    private mutating func unknown(did: Bytes, seen: Timestamp, time: Int, raw: [UInt8]) {
        unrecognised(
            ObjectID(BlueskyID.platform, "message", String(joining: "", did)),
            revision: max(time, 1),
            time: seen,
            raw: raw,
            actor: Self.actor(did)
        )
    }

    /// The time that the network gave an identity or account event, in microseconds: the same on every instance.
    private static func stamp(_ event: JSONValue, orElse time: Int) -> Int {
        event["time"].flatMap(microseconds) ?? max(time, 1)
    }

    static func did(_ value: JSONValue?) -> Bytes? {
        value?.withUTF8 { $0.isDID ? $0 : nil } ?? nil
    }

    /// A handle; nil for the placeholder that stands for one that does not check out.
    static func handle(_ value: JSONValue?) -> String? {
        value?.withUTF8 { bytes -> String? in
            guard (1...253).contains(bytes.count), !bytes.isText("handle.invalid"), bytes.isClean else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        } ?? nil
    }

    static func moment(microseconds: Int) -> Timestamp {
        let moment = Timestamp(milliseconds: Int64(microseconds / 1000))
        return min(moment, Timestamp.writable.upperBound)
    }

    /// Microseconds since 1970 of an RFC 3339 time, which may have six digits after the point.
    static func microseconds(_ value: JSONValue) -> Int? {
        value.withUTF8 { bytes -> Int? in
            guard let time = Timestamp(rfc3339: bytes), time.milliseconds > 0 else { return nil }
            var rest = 0
            if let dot = bytes.firstIndex(of: UInt8(ascii: ".")) {
                var place = 100
                for byte in bytes[(dot + 1)...].dropFirst(3).prefix(3) {
                    guard byte &- UInt8(ascii: "0") < 10 else { break }
                    rest += Int(byte - UInt8(ascii: "0")) * place
                    place /= 10
                }
            }
            return Int(time.milliseconds) * 1000 + rest
        } ?? nil
    }
}
