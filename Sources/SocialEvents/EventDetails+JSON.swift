import FoundationEssentials
import JSON

extension Actor: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("handle", handle)
        writer.member("name", name)
        writer.member("url", url)
        writer.member("avatar", avatarURL)
        writer.member("bot", isBot)
        writer.member("verified", isVerified)
        writer.member("followers", followerCount)
        if !aliases.isEmpty { writer.member("aliases", aliases.map(\.text)) }
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            id: try json.optionalID("id"),
            handle: try json.optionalString("handle"),
            name: try json.optionalString("name"),
            url: try json.optionalString("url")
        )
        avatarURL = try json.optionalString("avatar")
        isBot = try json.optionalBool("bot")
        isVerified = try json.optionalBool("verified")
        followerCount = try json.optionalInt("followers")
        aliases = try json.strings("aliases").map { ObjectID(text: $0) }
    }
}

extension Reference: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("id", id)
        writer.member("url", url)
        writer.member("actor", actor)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            id: try json.optionalID("id"),
            url: try json.optionalString("url"),
            actor: try json.optionalID("actor")
        )
    }
}

extension Channel: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("id", id.text)
        writer.member("name", name)
        writer.member("url", url)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            id: try json.requiredID("id"),
            name: try json.optionalString("name"),
            url: try json.optionalString("url")
        )
    }
}

extension Metrics: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("observed_at", observedAt)
        writer.member("likes", likes)
        writer.member("reposts", reposts)
        writer.member("replies", replies)
        writer.member("quotes", quotes)
        writer.member("bookmarks", bookmarks)
        writer.member("views", views)
        writer.member("score", score)
        guard !other.isEmpty else { return }
        writer.key("other")
        writer.beginObject()
        for named in other {
            writer.key(named.name)
            writer.integer(named.count)
        }
        writer.endObject()
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(observedAt: try json.requiredTime("observed_at"))
        likes = try json.optionalInt("likes")
        reposts = try json.optionalInt("reposts")
        replies = try json.optionalInt("replies")
        quotes = try json.optionalInt("quotes")
        bookmarks = try json.optionalInt("bookmarks")
        views = try json.optionalInt("views")
        score = try json.optionalInt("score")
        guard let counts = try json.optionalObject("other") else { return }
        for (name, count) in counts.members {
            other.append(NamedCount(name: name.string, count: try count.expectInt()))
        }
    }
}

extension Delivery: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("status", status.rawValue)
        writer.member("recipient", recipient)
        writer.member("error_code", errorCode)
        writer.member("reason", reason)
        writer.member("group", group)
        writer.member("broadcast", broadcast)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            try json.required("status", "a delivery status"),
            recipient: try json.optionalID("recipient"),
            errorCode: try json.optionalString("error_code"),
            reason: try json.optionalString("reason")
        )
        group = try json.optionalID("group")
        broadcast = try json.optionalID("broadcast")
    }
}

extension Match: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("name", name)
        writer.member("tags", tags)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(name: try json.requiredString("name"), tags: try json.strings("tags"))
    }
}

extension Loss: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("field", field)
        writer.member("reason", reason.rawValue)
        writer.member("detail", detail)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            try json.requiredString("field"),
            try json.required("reason", "a reason of loss"),
            try json.optionalString("detail")
        )
    }
}

extension RawPayload: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("content_type", contentType)
        if let text = String(validating: bytes, as: UTF8.self) {
            writer.member("text", text)
        } else {
            writer.member("base64", Data(bytes).base64EncodedString())
        }
    }

    init(json: JSONValue) throws(JSONError) {
        let contentType = try json.requiredString("content_type")
        if let text = try json.optionalString("text") {
            self.init(contentType: contentType, bytes: Array(text.utf8))
        } else if let encoded = json["base64"] {
            guard let bytes = encoded.string.flatMap({ Data(base64Encoded: $0) }) else {
                throw encoded.mismatch("bytes in base64")
            }
            self.init(contentType: contentType, bytes: Array(bytes))
        } else {
            throw json.missing("text", "a payload as text or base64")
        }
    }
}

extension SourceStateChange: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("state", state.rawValue)
        writer.member("previous", previous?.rawValue)
        writer.member("reason", reason)
        writer.member("until", until)
        writer.member("attempt", attempt)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            state: try json.required("state", "a state of a source"),
            previous: try json.optional("previous", "a state of a source"),
            reason: try json.optionalString("reason"),
            until: try json.optionalTime("until"),
            attempt: try json.optionalInt("attempt")
        )
    }
}

extension Gap: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("after", after)
        writer.member("before", before)
        writer.member("reason", reason)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            after: try json.optionalTime("after"),
            before: try json.optionalTime("before"),
            reason: try json.requiredString("reason")
        )
    }
}
