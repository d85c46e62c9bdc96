import JSON
import MetaGraph
import SocialEvents

// Calls. Events know none of their own: a call is told as a message without words, and how it went as the stages of that message.

extension WhatsAppNormalizer {
    /// A call that begins or ends; `false` for events that are not known.
    func call(
        _ item: JSONValue,
        _ change: WhatsAppChange,
        into intake: inout MetaIntake
    ) throws(JSONError) -> Bool {
        let id = try WhatsAppValue.id("call", item, "id")
        let event = try item.requiredString("event")
        let moment = moment(of: item, change)
        let isOwn =
            item["direction"]?.isString("BUSINESS_INITIATED") ?? change.isBusiness(item["from"])
        let sides = sides(of: item, WhatsAppSide(isOwn: isOwn), change)
        switch event {
        case "connect":
            var told = self.event(EventID(id, .created), .messageCreated, id, moment)
            var object = SocialObject(id: id, kind: .message)
            if moment.isTold { object.createdAt = moment.time }
            object.audience = .direct
            told.data.object = object
            told.data.actor = sides.sender
            told.data.target = sides.target.map { Reference(id: $0) }
            told.data.conversation = sides.conversation
            told.data.channel = sides.channel
            told.data.loss += sides.others
            told.data.loss.append(Loss("event", .inferred, "a call, told as a message without words"))
            intake.events.append(told)
        case "terminate":
            let word = item["status"]?.string ?? ""
            let stage: Delivery.Status = word == "COMPLETED" ? .read : .failed
            var told = callStage(stage, item, id, sides, change, moment)
            if let seconds = WhatsAppValue.decimal(item["duration"]) {
                told.data.loss.append(Loss("duration", .dropped, "\(seconds) s"))
            }
            if stage == .failed, told.data.delivery?.reason == nil {
                told.data.delivery?.reason = word.isEmpty ? "the call ended unanswered" : WhatsAppValue.bounded(word)
            }
            intake.events.append(told)
        default: return false
        }
        return true
    }

    /// How far a call of the business has come; `false` for words that are not known.
    func callStatus(
        _ item: JSONValue,
        _ word: String,
        _ change: WhatsAppChange,
        into intake: inout MetaIntake
    ) throws(JSONError) -> Bool {
        let stage: Delivery.Status
        switch word {
        case "RINGING": stage = .delivered
        case "ACCEPTED": stage = .read
        case "REJECTED": stage = .failed
        default: return false
        }
        let id = try WhatsAppValue.id("call", item, "id")
        let number = item["recipient_id"]
        let contact = change.contact(of: number, or: item["recipient_user_id"])
        let person = WhatsAppPerson(
            number,
            item["recipient_user_id"],
            item["recipient_parent_user_id"],
            contact: contact
        )
        var sides = WhatsAppSides()
        sides.target = person?.actor.id
        sides.conversation = Self.conversation(change, person?.native)
        sides.channel = change.channel
        sides.others = person?.others ?? []
        var event = callStage(stage, item, id, sides, change, moment(of: item, change))
        if stage == .failed { event.data.delivery?.reason = "the person declined the call" }
        intake.events.append(event)
        return true
    }

    private func callStage(
        _ stage: Delivery.Status,
        _ item: JSONValue,
        _ call: ObjectID,
        _ sides: WhatsAppSides,
        _ change: WhatsAppChange,
        _ moment: WhatsAppMoment
    ) -> Event {
        let name = Self.name(WhatsAppValue.native(item["id"]) ?? "", stage.rawValue)
        let id = EventID(ObjectID(Self.platform, "call_stage", name), .updated)
        var event = event(id, .deliveryUpdated, call, moment)
        event.data.delivery = Delivery(stage, recipient: sides.target)
        if stage == .failed, let error = change.errors?[0], let (code, reason) = WhatsAppValue.failure(error) {
            event.data.delivery?.errorCode = code
            event.data.delivery?.reason = reason
        }
        event.data.conversation = sides.conversation
        event.data.channel = sides.channel
        event.data.loss += sides.others
        return event
    }
}
