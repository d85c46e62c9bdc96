import JSON
import SocialEvents

// What must be forgotten or shown otherwise: the compliance streams of the API v2, and the messages of v1.1 streams.

extension XNormalizer {
    /// The facts of a compliance message; false when it is none.
    func readCompliance(_ value: JSONValue, into events: inout [Event]) -> Bool {
        var isCompliance = false
        for (key, notice) in value.members where notice.kind == .object {
            guard let make = Self.notice(key) else { continue }
            isCompliance = true
            attempt(value, into: &events) { normalizer, _ in try make(normalizer, notice) }
        }
        return isCompliance
    }

    private typealias Make = (XNormalizer, JSONValue) throws -> Event?

    private static func notice(_ key: JSONKey) -> Make? {
        switch key {
        case "delete":
            { normalizer, notice in
                if notice["favorite"] != nil { return try normalizer.unlike(notice) }
                return try normalizer.withdrawal(notice, isFinal: true, why: nil)
            }
        case "drop":
            { normalizer, notice in
                try normalizer.withdrawal(notice, isFinal: false, why: "not to be shown for now")
            }
        case "withheld", "status_withheld":
            { normalizer, notice in
                try normalizer.withdrawal(notice, isFinal: false, why: countries(notice))
            }
        case "undrop":
            { normalizer, notice in try normalizer.change(notice, "it may be shown again") }
        case "tweet_edit":
            { normalizer, notice in try normalizer.change(notice, "it was edited") }
        case "user_delete": { try $0.person($1, "the account is deleted: its posts must be too", isForgotten: true) }
        case "user_undelete": { try $0.person($1, "the account is back") }
        case "user_protect":
            { try $0.person($1, "the account is protected: its posts must not be shown", isForgotten: true) }
        case "user_unprotect": { try $0.person($1, "the account is not protected any more") }
        case "user_suspend":
            { try $0.person($1, "the account is suspended: its posts must not be shown", isForgotten: true) }
        case "user_unsuspend": { try $0.person($1, "the account is not suspended any more") }
        case "user_withheld": { try $0.person($1, "the account is \(countries($1))", isForgotten: true) }
        case "user_profile_modification": { try $0.person($1, nil) }
        case "scrub_geo": { try $0.person($1, "places must be removed from its posts; events hold none") }
        default: nil
        }
    }

    private static func countries(_ notice: JSONValue) -> String {
        let names = notice["withheld_in_countries"]?.elements.prefix(300).compactMap { $0.string?.prefix(8) } ?? []
        return names.isEmpty ? "withheld" : "withheld in " + names.joined(separator: ", ")
    }

    private func time(_ notice: JSONValue) -> Timestamp? {
        XValue.time(notice["event_at"]) ?? XValue.milliseconds(notice["timestamp_ms"])
            ?? XValue.time(notice["timestampMs"])
    }

    // MARK: - Posts

    /// A post that must not be shown any more.
    ///
    /// Deletion is final and has one id; what may be shown again has one for each time.
    private func withdrawal(_ notice: JSONValue, isFinal: Bool, why: String?) throws(JSONError) -> Event? {
        guard let post = notice["tweet"] ?? notice["post"] ?? notice["status"],
            let id = Self.legacyID(post, "id", "id_str")
        else { return nil }
        let time = time(notice)
        let revision = isFinal ? 0 : Int(max(0, time?.milliseconds ?? now.milliseconds))
        var event = event(try Self.postID(id), .postDeleted, revision: revision, at: time)
        let author = post["author_id"] ?? Self.legacyID(post, "user_id", "user_id_str")
        if let author { event.data.actor = try actor(author, nil) }
        if let quoted = notice["quote_tweet_id"] { event.data.quoteOf = Reference(id: try Self.postID(quoted)) }
        if let why { event.data.loss.append(Loss("data", .inferred, "a withdrawal: \(why)")) }
        return event
    }

    /// A post that changed in a way the notice does not show: it must be read again.
    private func change(_ notice: JSONValue, _ what: String) throws(JSONError) -> Event? {
        guard let post = notice["tweet"] ?? notice["post"] ?? notice["status"],
            let id = Self.legacyID(post, "id", "id_str")
        else { return nil }
        let first = notice["initial_tweet_id"] ?? id
        let object = try Self.postID(first)
        let time = time(notice)
        // Not the edit's own id: that belongs to the event that shows the new words.
        let fact = ObjectID(Self.platform, "notice", text(id) ?? "")
        var event = event(
            fact,
            .postUpdated,
            revision: Int(max(0, time?.milliseconds ?? now.milliseconds)),
            subject: object,
            at: time
        )
        var said = SocialObject(id: object, kind: .post)
        if let versions = notice["edit_tweet_ids"], versions.count > 1 {
            said.revision = versions.count - 1
            said.editedAt = time
        }
        event.data.object = said
        let author = post["author_id"] ?? Self.legacyID(post, "user_id", "user_id_str")
        if let author { event.data.actor = try actor(author, nil) }
        event.data.loss.append(Loss("text", .dropped, "\(what); the notice does not hold its words"))
        return event
    }

    private func unlike(_ notice: JSONValue) throws(JSONError) -> Event? {
        guard let favourite = notice["favorite"], let post = favourite["id"] else { return nil }
        return try like(of: post, by: favourite["user_id"], author: nil, like: nil, isEnd: true, at: time(notice))
    }

    // MARK: - People

    /// A notice about an account; what it asks for beyond the account itself stands in `loss`.
    ///
    /// Where all that a person said must be forgotten, it is a deletion whose subject is the person.
    private func person(
        _ notice: JSONValue,
        _ what: String?,
        isForgotten: Bool = false
    ) throws(JSONError) -> Event? {
        let user = notice["user"] ?? notice
        guard let id = Self.legacyID(user, "id", "id_str") ?? Self.legacyID(notice, "user_id", "user_id_str") else {
            return nil
        }
        let time = time(notice)
        let person = try Self.actorID(id)
        if isForgotten { return withdrawal(of: person, why: what ?? "the account is gone", at: time) }
        var event = event(
            ObjectID(Self.platform, "account", text(id) ?? ""),
            .profileUpdated,
            revision: Int(max(0, time?.milliseconds ?? now.milliseconds)),
            subject: person,
            at: time
        )
        var actor = Actor(id: person)
        if let field = notice["profile_field"] { setField(field, notice["new_value"], &actor, &event) }
        event.data.actor = actor
        if let what { event.data.loss.append(Loss("data", .inferred, what)) }
        return event
    }

    private func setField(_ field: JSONValue, _ value: JSONValue?, _ actor: inout Actor, _ event: inout Event) {
        let name = field.string?.split(separator: ".").last.map(String.init) ?? ""
        switch name {
        case "name": actor.name = XValue.phrase(value)
        case "screen_name", "username":
            actor.handle = XValue.phrase(value)
            actor.url = actor.handle.flatMap(XAddress.profile)
        case "profile_image_url", "profile_image_url_https": actor.avatarURL = XValue.address(value)
        default: event.data.loss.append(Loss("new_value", .dropped, "the new \(name.prefix(60))"))
        }
    }
}
