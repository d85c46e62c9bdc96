import JSON
import MetaGraph
import SocialEvents

// How far messages have come, and which of them are one broadcast.

extension WhatsAppNormalizer {
    /// A stage by the platform's word; `nil` for words that are none.
    static func stage(_ word: String) -> Delivery.Status? {
        switch word {
        case "delivered": .delivered
        case "read", "played": .read
        case "sent": .sent
        case "failed": .failed
        case "accepted", "queued", "pending": .queued
        default: nil
        }
    }

    /// A status of a message or a call; `false` for stages that are not known.
    ///
    /// Statuses come in any order and more than once: each becomes its event, and whoever reads them takes the furthest.
    mutating func status(
        _ item: JSONValue,
        _ change: WhatsAppChange,
        into intake: inout MetaIntake
    ) throws(JSONError) -> Bool {
        let word = try item.requiredString("status")
        if item["type"]?.isString("call") == true { return try callStatus(item, word, change, into: &intake) }
        guard let stage = Self.stage(word) else { return false }
        let message = try WhatsAppValue.id("message", item, "id")
        let moment = moment(of: item, change)
        let isGroup = item["recipient_type"]?.isString("group") == true
        let group = isGroup ? WhatsAppValue.native(item["recipient_id"]) : nil
        let number = isGroup ? item["recipient_participant_id"] : item["recipient_id"]
        let userID = isGroup ? item["recipient_participant_user_id"] : item["recipient_user_id"]
        let parentID = isGroup ? item["recipient_participant_parent_user_id"] : item["recipient_parent_user_id"]
        let contact = change.contact(of: number, or: userID)
        let person = WhatsAppPerson(number, userID, parentID, contact: contact)

        var broadcast: ObjectID?
        if let name = campaigns.name(ofCallbackData: item["biz_opaque_callback_data"]) {
            let id = ObjectID(Self.platform, .broadcast, Self.name(Self.account(change), name))
            tell(id, title: name, change, moment, into: &intake)
            broadcast = id
        }
        let participant = isGroup ? person?.native ?? group : nil
        append(Self.stageID(stage, item, participant), .deliveryUpdated, message, moment, to: &intake)
        // In its place: copying an event costs more than reading the status.
        fill(&intake.events[intake.events.count - 1].data, stage, item, person, group, broadcast, change)
        return true
    }

    /// Says what a status says.
    private func fill(
        _ data: inout EventData,
        _ stage: Delivery.Status,
        _ item: JSONValue,
        _ person: WhatsAppPerson?,
        _ group: String?,
        _ broadcast: ObjectID?,
        _ change: WhatsAppChange
    ) {
        setStage(stage, item, &data)
        data.delivery?.broadcast = broadcast
        if let group {
            let id = ObjectID(Self.platform, "group", group)
            data.delivery?.recipient = person?.actor.id ?? id
            data.delivery?.group = id
            data.channel = Channel(id: id)
            data.conversation = ObjectID(Self.platform, "conversation", group)
        } else {
            data.delivery?.recipient = person?.actor.id
            data.channel = change.channel
            data.conversation = Self.conversation(change, person?.native)
        }
        if let person, !person.others.isEmpty { data.loss += person.others }
        if let category = WhatsAppValue.phrase(item["pricing"]?["category"], most: EventLimits.name) {
            data.loss.append(Loss("pricing.category", .dropped, category))
        }
        if item["status"]?.isString("played") == true { data.loss.append(Loss("status", .dropped, "played")) }
    }

    /// The id of a stage of a message.
    ///
    /// It names the message and the stage, and the participant where the message went to a group: a message to one person has one recipient, who may be
    /// named by number in one status and by business-scoped id in the next.
    private static func stageID(_ stage: Delivery.Status, _ item: JSONValue, _ participant: String?) -> EventID {
        let native = WhatsAppValue.native(item["id"]) ?? ""
        let name = participant.map { self.name(native, $0, stage.rawValue) } ?? self.name(native, stage.rawValue)
        return EventID(ObjectID(platform, "delivery", name), .updated)
    }

    /// Says how far a message has come, and why it goes no further.
    private func setStage(_ stage: Delivery.Status, _ item: JSONValue, _ data: inout EventData) {
        var delivery = Delivery(stage)
        if let error = item["errors"]?[0] ?? item["error"], let (code, reason) = WhatsAppValue.failure(error) {
            if stage == .failed {
                delivery.errorCode = code
                delivery.reason = reason
            } else {
                data.loss.append(Loss("errors", .dropped, (code.map { "\($0) " } ?? "") + reason))
            }
        }
        data.delivery = delivery
    }

    /// An event that says how far a message to one person has come.
    func delivery(
        _ stage: Delivery.Status,
        of item: JSONValue,
        _ message: ObjectID,
        _ moment: WhatsAppMoment
    ) -> Event {
        var event = event(Self.stageID(stage, item, nil), .deliveryUpdated, message, moment)
        setStage(stage, item, &event.data)
        return event
    }

    // MARK: - Broadcasts

    /// What names of broadcasts begin with: the number they were sent from.
    private static func account(_ change: WhatsAppChange) -> String {
        change.number ?? change.business ?? change.notice.entryID ?? "unknown"
    }

    /// Tells that there is a broadcast; with the same id each time, so that it stands in the log once.
    private mutating func tell(
        _ broadcast: ObjectID,
        title: String,
        language: String? = nil,
        _ change: WhatsAppChange,
        _ moment: WhatsAppMoment,
        into intake: inout MetaIntake
    ) {
        guard isNews(broadcast) else { return }
        var event = event(EventID(broadcast, .created), .broadcastCreated, broadcast, moment)
        var object = SocialObject(id: broadcast, kind: .broadcast)
        object.title = WhatsAppValue.bounded(title)
        object.language = language
        object.audience = .broadcast
        event.data.object = object
        event.data.actor = change.businessID.map { Actor(id: $0) }
        event.data.channel = change.channel
        event.data.loss.append(Loss("time", .inferred, "that of the first of its messages that was told"))
        intake.events.append(event)
    }

    /// A template that the payload shows as sent: it belongs to the broadcast of its template and time, and it has been sent.
    mutating func sentTemplate(
        _ item: JSONValue,
        _ message: ObjectID,
        _ sides: WhatsAppSides,
        _ change: WhatsAppChange,
        _ moment: WhatsAppMoment,
        into intake: inout MetaIntake
    ) {
        guard let template = item["template"], let title = WhatsAppValue.native(template["name"]), moment.isTold,
            let start = campaigns.start(ofWindowAround: moment.time)
        else { return }
        let language = Self.language(template["language"]?["code"] ?? template["language"])
        let name = Self.name(title, language ?? "", String(start.milliseconds / 1000))
        let broadcast = ObjectID(Self.platform, .broadcast, Self.name(Self.account(change), name))
        tell(broadcast, title: title, language: language, change, moment, into: &intake)
        var event = delivery(.sent, of: item, message, moment)
        event.data.delivery?.recipient = sides.target
        event.data.delivery?.broadcast = broadcast
        event.data.conversation = sides.conversation
        event.data.channel = sides.channel
        event.data.loss.append(Loss("status", .inferred, "the message is shown as sent"))
        intake.events.append(event)
    }
}
