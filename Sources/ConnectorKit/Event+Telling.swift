public import SocialEvents

extension Event {
    /// The event that something happened to an object; all but its data.
    ///
    /// The id is the object's, the type's verb and the revision. Where the platform does not say when it happened, the time of reading stands for it and
    /// `loss` says so.
    ///
    /// - Parameters:
    ///   - type: what happened.
    ///   - object: what it happened to.
    ///   - platform: where.
    ///   - revision: counts repetitions of the verb on the object; 0 for the first.
    ///   - subject: what the event is about, where that is not the object itself.
    ///   - time: when it happened, as far as the platform says.
    ///   - now: when the payload is read.
    ///   - field: the payload's field that would have said when.
    public init(
        _ type: EventType,
        of object: ObjectID,
        on platform: Platform,
        revision: Int = 0,
        subject: ObjectID? = nil,
        at time: Timestamp?,
        readAt now: Timestamp,
        saidBy field: String
    ) {
        self.init(
            id: EventID(object, type.verb, revision: revision),
            type: type,
            platform: platform,
            subject: subject ?? object,
            time: time ?? now
        )
        if time == nil { data.loss = [Loss(field, .inferred, "the time of reading")] }
    }
}
