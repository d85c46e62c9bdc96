import JSON
import SocialEvents

// The bodies of the deprecated Account Activity API: `for_user_id` and a list of v1.1 objects for each kind of fact.

extension XNormalizer {
    /// The facts of a body; each list's entries are read on their own.
    mutating func readAccountActivity(_ root: JSONValue, into events: inout [Event]) {
        if let revoke = root["user_event"]?["revoke"] {
            attempt(root, into: &events) { normalizer, _ in
                try normalizer.revocation(of: revoke["source"]?["user_id"], at: XValue.time(revoke["date_time"]))
            }
            return
        }
        for (key, list) in root.members where list.kind == .array {
            for item in list.elements {
                switch key {
                case "tweet_create_events": readLegacyPost(item, into: &events)
                case "tweet_delete_events":
                    attempt(item, into: &events) { normalizer, item in
                        try normalizer.legacyDeletion(item)
                    }
                case "favorite_events":
                    attempt(item, into: &events) { normalizer, item in try normalizer.favourite(item) }
                case "follow_events":
                    attempt(item, into: &events) { normalizer, item in
                        // An unfollow arrives in the same list.
                        try normalizer.follow(
                            item,
                            isEnd: item["type"]?.isString("unfollow") == true,
                            uuid: nil,
                            at: XValue.milliseconds(item["created_timestamp"])
                        )
                    }
                default: break
                }
            }
        }
        readMessages(root, people: root["users"], into: &events)
    }

    /// `{"status": {"id", "user_id"}, "timestamp_ms"}`, as in streams of v1.1 too.
    func legacyDeletion(_ value: JSONValue) throws(JSONError) -> Event? {
        guard let status = value["status"], let id = Self.legacyID(status, "id", "id_str") else { return nil }
        var event = event(try Self.postID(id), .postDeleted, at: XValue.milliseconds(value["timestamp_ms"]))
        if let user = Self.legacyID(status, "user_id", "user_id_str") { event.data.actor = try actor(user, nil) }
        return event
    }

    private func favourite(_ value: JSONValue) throws(JSONError) -> Event? {
        guard let status = value["favorited_status"], let post = Self.legacyID(status, "id", "id_str") else {
            return nil
        }
        let user = value["user"]
        let liker = Self.legacyID(user, "id", "id_str")
        let author = Self.legacyID(status["user"], "id", "id_str")
        let time = XValue.milliseconds(value["timestamp_ms"]) ?? XValue.legacyTime(value["created_at"], now: now)
        guard var event = try like(of: post, by: liker, author: author, like: value["id"], at: time) else { return nil }
        if let liker, let user { event.data.actor = try legacyActor(liker, user) }
        return event
    }
}
