/// Parts of an event that its type may ask for.
struct EventRequirements: OptionSet, Sendable {
    let rawValue: UInt16

    static let subject = Self(rawValue: 1 << 0)
    static let object = Self(rawValue: 1 << 1)
    static let actor = Self(rawValue: 1 << 2)
    static let repostOf = Self(rawValue: 1 << 3)
    static let metrics = Self(rawValue: 1 << 4)
    static let delivery = Self(rawValue: 1 << 5)
    static let raw = Self(rawValue: 1 << 6)
    static let sourceState = Self(rawValue: 1 << 7)
    static let gap = Self(rawValue: 1 << 8)

    /// Each part in `data` with its name there.
    static let inData: [(part: Self, name: String)] = [
        (.object, "object"), (.actor, "actor"), (.repostOf, "repost_of"), (.metrics, "metrics"),
        (.delivery, "delivery"), (.raw, "raw"), (.sourceState, "source_state"), (.gap, "gap"),
    ]
}

extension EventType {
    /// What an event of this type cannot be without.
    ///
    /// Deletions need no object: often the platform says no more than what is gone.
    var requirements: EventRequirements {
        switch self {
        case .postCreated, .postUpdated, .messageCreated, .messageUpdated, .broadcastCreated: [.subject, .object]
        case .postDeleted, .messageDeleted, .repostDeleted, .reactionCreated, .reactionDeleted: .subject
        case .repostCreated: [.subject, .repostOf]
        case .deliveryUpdated: [.subject, .delivery]
        case .followCreated, .followDeleted, .profileUpdated: .actor
        case .accountUpdated: []
        case .metricsObserved: [.subject, .metrics]
        case .unrecognised: .raw
        case .sourceChanged: .sourceState
        case .gapOpened, .gapClosed: .gap
        }
    }
}

extension Event {
    /// The parts of ``EventRequirements`` that the event has.
    var presentParts: EventRequirements {
        var parts: EventRequirements = []
        if subject != nil { parts.insert(.subject) }
        if data.object != nil { parts.insert(.object) }
        if data.actor != nil { parts.insert(.actor) }
        if data.repostOf != nil { parts.insert(.repostOf) }
        if data.metrics != nil { parts.insert(.metrics) }
        if data.delivery != nil { parts.insert(.delivery) }
        if data.raw != nil { parts.insert(.raw) }
        if data.sourceState != nil { parts.insert(.sourceState) }
        if data.gap != nil { parts.insert(.gap) }
        return parts
    }
}
