import JSON

extension SocialObject: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("id", id.text)
        writer.member("kind", kind.rawValue)
        writer.member("url", url)
        writer.member("created_at", createdAt)
        writer.member("edited_at", editedAt)
        if revision != 0 { writer.member("revision", revision) }
        writer.member("language", language)
        writer.member("title", title)
        writer.member("text", text)
        writer.member("html", html)
        writer.member("entities", entities)
        writer.member("media", media)
        writer.member("poll", poll)
        writer.member("tags", tags)
        writer.member("audience", audience?.rawValue)
        writer.flag("sensitive", isSensitive)
        writer.member("content_warning", contentWarning)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(id: try json.requiredID("id"), kind: try json.required("kind", "a kind of object"))
        url = try json.optionalString("url")
        createdAt = try json.optionalTime("created_at")
        editedAt = try json.optionalTime("edited_at")
        revision = try json.optionalInt("revision") ?? 0
        language = try json.optionalString("language")
        title = try json.optionalString("title")
        text = try json.optionalString("text")
        html = try json.optionalString("html")
        entities = try json.parts("entities")
        media = try json.parts("media")
        poll = try json.optionalPart("poll")
        tags = try json.strings("tags")
        audience = try json.optional("audience", "an audience")
        isSensitive = try json.optionalBool("sensitive") ?? false
        contentWarning = try json.optionalString("content_warning")
    }
}

extension Entity: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("kind", kind.rawValue)
        writer.member("start", start)
        writer.member("end", end)
        writer.member("value", value)
        writer.member("url", url)
        writer.member("actor", actor)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            try json.required("kind", "a kind of entity"),
            start: try json.requiredInt("start"),
            end: try json.requiredInt("end"),
            value: try json.optionalString("value"),
            url: try json.optionalString("url"),
            actor: try json.optionalID("actor")
        )
    }
}

extension Media: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("kind", kind.rawValue)
        writer.member("url", url)
        writer.member("content_type", contentType)
        writer.member("alt", alt)
        writer.member("preview_url", previewURL)
        writer.member("width", width)
        writer.member("height", height)
        writer.member("duration_ms", durationMilliseconds)
        writer.member("size", size)
        writer.member("expires_at", expiresAt)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(try json.required("kind", "a kind of media"), url: try json.optionalString("url"))
        contentType = try json.optionalString("content_type")
        alt = try json.optionalString("alt")
        previewURL = try json.optionalString("preview_url")
        width = try json.optionalInt("width")
        height = try json.optionalInt("height")
        durationMilliseconds = try json.optionalInt("duration_ms")
        size = try json.optionalInt("size")
        expiresAt = try json.optionalTime("expires_at")
    }
}

extension Poll: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("options", options)
        writer.member("ends_at", endsAt)
        writer.flag("multiple", allowsMultiple)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(options: try json.parts("options"))
        endsAt = try json.optionalTime("ends_at")
        allowsMultiple = try json.optionalBool("multiple") ?? false
    }
}

extension Poll.Option: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("title", title)
        writer.member("votes", votes)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(title: try json.requiredString("title"), votes: try json.optionalInt("votes"))
    }
}
