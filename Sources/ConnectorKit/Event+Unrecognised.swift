public import SocialEvents

extension Event {
    /// A payload that is no fact which events know, kept as it came up to ``EventLimits/raw`` bytes.
    ///
    /// - Parameters:
    ///   - payload: the bytes received; the same bytes make the same event, so that nothing is told twice.
    ///   - contentType: their media type.
    ///   - platform: whose payload it is.
    ///   - time: when the platform says it was made, or when it was read.
    ///   - id: its own id, where it has one that stays the same when its bytes do not.
    /// - Returns: the event, whose `loss` says when the payload was cut.
    public static func unrecognised(
        _ payload: [UInt8],
        contentType: String = "application/json",
        platform: Platform,
        time: Timestamp,
        id: ObjectID? = nil
    ) -> Event {
        let id = id ?? ObjectID(platform, "payload", PayloadDigest.name(payload))
        var event = Event(
            id: EventID(id, .unrecognised),
            type: .unrecognised,
            platform: platform,
            subject: id,
            time: time
        )
        event.data.raw = RawPayload(contentType: contentType, bytes: Array(payload.prefix(EventLimits.raw)))
        if payload.count > EventLimits.raw {
            event.data.loss.append(Loss("raw", .truncated, "it has \(payload.count) bytes"))
        }
        return event
    }
}
