import JSON

extension Event {
    /// Writes the members of the event without those of its stamp.
    func encodeMembers(source: SourceName, into writer: inout JSONWriter) {
        writer.key("specversion")
        writer.string("1.0")
        writer.member("id", id.text)
        writer.member("source", source)
        writer.member("type", type.rawValue)
        writer.member("subject", subject)
        writer.member("time", time)
        writer.key("dataschema")
        writer.string(EventSchema.dataIdentifier)
        writer.key("datacontenttype")
        writer.string("application/json")
        writer.member("platform", platform.name)
        writer.member("causationid", causationID?.text)
        writer.member("data", data)
    }

    init(json: JSONValue) throws(JSONError) {
        if let version = json["specversion"], !version.isString("1.0") {
            throw version.mismatch("version 1.0 of CloudEvents")
        }
        self.init(
            id: EventID(text: try json.requiredString("id")),
            type: try json.required("type", "a type of event"),
            platform: Platform(try json.requiredString("platform")),
            subject: try json.optionalID("subject"),
            time: try json.requiredTime("time"),
            causationID: try json.optionalString("causationid").map { EventID(text: $0) },
            data: try json.requiredPart("data")
        )
    }
}

extension EventData: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("object", object)
        writer.member("actor", actor)
        writer.member("in_reply_to", inReplyTo)
        writer.member("quote_of", quoteOf)
        writer.member("repost_of", repostOf)
        writer.member("target", target)
        writer.member("conversation", conversation)
        writer.member("channel", channel)
        writer.member("reaction", reaction)
        writer.member("metrics", metrics)
        writer.member("delivery", delivery)
        writer.member("matched", matched)
        writer.member("loss", loss)
        writer.member("raw", raw)
        writer.member("source_state", sourceState)
        writer.member("gap", gap)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init()
        object = try json.optionalPart("object")
        actor = try json.optionalPart("actor")
        inReplyTo = try json.optionalPart("in_reply_to")
        quoteOf = try json.optionalPart("quote_of")
        repostOf = try json.optionalPart("repost_of")
        target = try json.optionalPart("target")
        conversation = try json.optionalID("conversation")
        channel = try json.optionalPart("channel")
        reaction = try json.optionalString("reaction")
        metrics = try json.optionalPart("metrics")
        delivery = try json.optionalPart("delivery")
        matched = try json.parts("matched")
        loss = try json.parts("loss")
        raw = try json.optionalPart("raw")
        sourceState = try json.optionalPart("source_state")
        gap = try json.optionalPart("gap")
    }
}

extension EventStamp: EventPart {
    func encodeMembers(into writer: inout JSONWriter) {
        writer.member("sequence", sequence.description)
        writer.member("recordedtime", recordedTime)
        writer.member("duplicateof", duplicateOf?.description)
    }

    init(json: JSONValue) throws(JSONError) {
        self.init(
            sequence: try json.requiredSequence("sequence"),
            recordedTime: try json.requiredTime("recordedtime"),
            duplicateOf: json["duplicateof"] == nil ? nil : try json.requiredSequence("duplicateof")
        )
    }
}

extension JSONValue {
    fileprivate func requiredSequence(_ name: StaticString) throws(JSONError) -> Sequence {
        guard let value = self[name] else { throw missing(name, "a sequence of decimal digits") }
        guard let sequence = value.string.flatMap({ Sequence($0) }) else {
            throw value.mismatch("a sequence of decimal digits")
        }
        return sequence
    }
}
