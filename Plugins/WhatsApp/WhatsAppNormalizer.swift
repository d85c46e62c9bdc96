import ConnectorKit
package import JSON
package import MetaGraph
package import SocialEvents

/// Makes events of what the WhatsApp Business Platform sends to a webhook.
///
/// Pure: it depends on the payload and on ``now`` alone. One value serves one delivery.
package struct WhatsAppNormalizer {
    static let platform: Platform = "whatsapp"

    /// When the payload was read: the time of facts that tell none.
    package var now: Timestamp
    /// What makes messages one broadcast.
    package var campaigns: WhatsAppCampaigns
    /// The broadcast that was told last, so that a delivery with many statuses of one tells it once.
    private var told: ObjectID?

    /// A normaliser.
    ///
    /// - Parameters:
    ///   - now: when the payload is read.
    ///   - campaigns: what makes messages one broadcast.
    package init(now: Timestamp, campaigns: WhatsAppCampaigns = WhatsAppCampaigns()) {
        self.now = now
        self.campaigns = campaigns
    }

    /// The facts of a document; what is none becomes `social.unrecognised`, so that at least one event or dead letter comes of each.
    ///
    /// - Parameters:
    ///   - root: the document.
    ///   - body: its bytes, to be kept as they came where nothing of it is understood.
    ///   - intake: takes the events.
    package mutating func read(_ root: JSONValue, body: [UInt8]? = nil, into intake: inout MetaIntake) {
        intake.read(root, body: body) { notice, intake in try self.read(notice, into: &intake) }
    }

    /// The facts of one notice of a delivery.
    ///
    /// - Throws: `JSONError` where it cannot be read.
    package mutating func read(_ notice: MetaNotice, into intake: inout MetaIntake) throws {
        guard notice.kind == .change, notice.object?.isString("whatsapp_business_account") ?? true else {
            return intake.events.append(notice.unrecognised(Self.platform, now: now))
        }
        let change = WhatsAppChange(notice)
        let before = intake.events.count + intake.deadLetters.count
        readLists(change, into: &intake)
        guard intake.events.count + intake.deadLetters.count == before else { return }
        if let event = accountChange(change) {
            intake.events.append(event)
        } else {
            intake.events.append(notice.unrecognised(Self.platform, now: now))
        }
    }

    private mutating func readLists(_ change: WhatsAppChange, into intake: inout MetaIntake) {
        // The messages of `history` are of the past, the business's own among them: what stands here had no media when it was told there first.
        let isPast = change.notice.field?.isString("history") == true
        forEach(change.messages, "messages", change, &intake) { normalizer, item, intake in
            let isOwn = isPast && change.isBusiness(item["from"])
            return try normalizer.message(item, WhatsAppSide(isOwn: isOwn, isSecond: isPast), change, into: &intake)
        }
        forEach(change.echoes, "message_echoes", change, &intake) { normalizer, item, intake in
            try normalizer.message(item, WhatsAppSide(isOwn: true), change, into: &intake)
        }
        forEach(change.statuses, "statuses", change, &intake) { normalizer, item, intake in
            try normalizer.status(item, change, into: &intake)
        }
        forEach(change.calls, "calls", change, &intake) { normalizer, item, intake in
            try normalizer.call(item, change, into: &intake)
        }
        forEach(change.groups, "groups", change, &intake) { normalizer, item, intake in
            try normalizer.group(item, change, into: &intake)
        }
        forEach(change.preferences, "user_preferences", change, &intake) { normalizer, item, intake in
            try normalizer.preference(item, change, into: &intake)
        }
        forEach(change.identities, "user_id_update", change, &intake) { normalizer, item, intake in
            try normalizer.identity(item, change, into: &intake)
        }
        if let history = change.history { readHistory(history, change, into: &intake) }
    }

    /// Reads a list item by item: one that cannot be read becomes a dead letter, one that is no fact which events know `social.unrecognised`, and the
    /// others go on.
    private mutating func forEach(
        _ list: JSONValue?,
        _ name: StaticString,
        _ change: WhatsAppChange,
        _ intake: inout MetaIntake,
        _ read: (inout WhatsAppNormalizer, JSONValue, inout MetaIntake) throws -> Bool
    ) {
        guard let list else { return }
        guard list.kind == .array else {
            return readItem(list, change, &intake, payload: { change.payload(only: list, of: name) }, read)
        }
        for item in list.elements {
            readItem(item, change, &intake, payload: { change.payload(only: item, of: name) }, read)
        }
    }

    /// Reads one item of a list; `payload` makes a delivery of it alone.
    mutating func readItem(
        _ item: JSONValue,
        _ change: WhatsAppChange,
        _ intake: inout MetaIntake,
        payload: () -> [UInt8],
        _ read: (inout WhatsAppNormalizer, JSONValue, inout MetaIntake) throws -> Bool
    ) {
        let toldBefore = told
        let letters = intake.deadLetters.count
        intake.attempt(payload: payload) { intake in
            guard try !read(&self, item, &intake) else { return }
            intake.events.append(unrecognised(payload(), at: moment(of: item, change)))
        }
        // What a failed item told is not kept.
        if intake.deadLetters.count > letters { told = toldBefore }
    }

    private func unrecognised(_ payload: [UInt8], at moment: WhatsAppMoment) -> Event {
        var event = Event.unrecognised(payload, platform: Self.platform, time: moment.time)
        if !moment.isTold { event.data.loss.append(Self.inferredTime) }
        return event
    }

    // MARK: - What events have in common

    /// When an item happened.
    func moment(of item: JSONValue, _ change: WhatsAppChange) -> WhatsAppMoment {
        if let time = item["timestamp"].flatMap(MetaTime.read) { return WhatsAppMoment(time: time, isTold: true) }
        return WhatsAppMoment(time: change.notice.entryTime ?? now, isTold: false)
    }

    static let inferredTime = Loss("timestamp", .inferred, "the time of the delivery")

    /// An event of which all but its data is known.
    func event(_ id: EventID, _ type: EventType, _ subject: ObjectID?, _ moment: WhatsAppMoment) -> Event {
        var event = Event(id: id, type: type, platform: Self.platform, subject: subject, time: moment.time)
        if !moment.isTold { event.data.loss.append(Self.inferredTime) }
        return event
    }

    /// Appends an event of which all but its data is known.
    func append(
        _ id: EventID,
        _ type: EventType,
        _ subject: ObjectID?,
        _ moment: WhatsAppMoment,
        to intake: inout MetaIntake
    ) {
        intake.events.append(
            Event(id: id, type: type, platform: Self.platform, subject: subject, time: moment.time)
        )
        if !moment.isTold { intake.events[intake.events.count - 1].data.loss.append(Self.inferredTime) }
    }

    /// The conversation of the business's number with a person.
    static func conversation(_ change: WhatsAppChange, _ person: String?) -> ObjectID? {
        guard let person, let number = change.number ?? change.business else { return nil }
        return ObjectID(platform, "conversation", name(number, person))
    }

    /// A native id made of several.
    static func name(_ one: String, _ two: String, _ three: String? = nil) -> String {
        var name = ""
        name.reserveCapacity(one.utf8.count + two.utf8.count + (three.map { $0.utf8.count + 1 } ?? 0) + 1)
        name += one
        name += "."
        name += two
        if let three {
            name += "."
            name += three
        }
        return name
    }

    /// Tells what somebody did to a message from what they did to it before and after: WhatsApp counts neither edits nor reactions.
    ///
    /// It rises with the time, in thousandths of a second; what was done in the same second is told apart, in any order, by the notice's own id.
    static func revision(_ moment: WhatsAppMoment, _ notice: JSONValue?) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        _ = notice?.withUTF8 { bytes in
            // FNV-1a.
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return moment.second * 1000 + Int(hash % 1000)
    }

    /// Whether a broadcast was not told yet in this delivery, just before the present event.
    mutating func isNews(_ broadcast: ObjectID) -> Bool {
        guard told != broadcast else { return false }
        told = broadcast
        return true
    }
}

/// Whose words a message has.
struct WhatsAppSide {
    /// The business itself wrote it, on the telephone or by another app.
    var isOwn: Bool
    /// It was told before, without its media.
    var isSecond = false
    /// Whom the conversation is with, where the message does not say.
    var thread: JSONValue?
}
