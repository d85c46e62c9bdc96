import JSON
import MetaGraph
import SocialEvents

// Groups: made and ended, named anew, joined and left, suspended.

extension WhatsAppNormalizer {
    /// What happened to a group: who joined and who left each as a fact of their own, everything else as a change of the business's own things.
    func group(
        _ item: JSONValue,
        _ change: WhatsAppChange,
        into intake: inout MetaIntake
    ) throws(JSONError) -> Bool {
        guard try !item.requiredString("type").isEmpty else { return false }
        let moment = moment(of: item, change)
        let native = WhatsAppValue.native(item["group_id"])
        var channel = native.map { Channel(id: ObjectID(Self.platform, "group", $0)) }
        channel?.name = WhatsAppValue.phrase(item["subject"] ?? item["group_subject"]?["text"])
        channel?.url = MetaValue.address(item["invite_link"])

        var isTold = false
        if let native, let channel {
            for (list, type) in [
                ("added_participants", EventType.followCreated), ("removed_participants", .followDeleted),
            ] {
                for participant in item[named: list]?.sequence ?? [] {
                    guard let event = membership(of: participant, type, native, channel, item, change, moment) else {
                        continue
                    }
                    intake.events.append(event)
                    isTold = true
                }
            }
        }
        guard !isTold || item["errors"] != nil || item["failed_participants"] != nil else { return true }
        var event = accountEvent(change, item, about: channel?.id, leavingOut: ["timestamp"], at: moment)
        event.data.channel = channel ?? change.channel
        if let person = WhatsAppPerson(
            item["wa_id"],
            item["user_id"],
            item["parent_user_id"],
            contact: change.contact(
                of: item["wa_id"],
                or: item["user_id"]
            )
        ), item["wa_id"] ?? item["user_id"] != nil {
            event.data.actor = person.actor
        }
        intake.events.append(event)
        return true
    }

    /// Somebody joined a group or left it; `nil` where nobody is named.
    private func membership(
        of participant: JSONValue,
        _ type: EventType,
        _ group: String,
        _ channel: Channel,
        _ item: JSONValue,
        _ change: WhatsAppChange,
        _ moment: WhatsAppMoment
    ) -> Event? {
        let number = participant["wa_id"] ?? participant["input"]
        let contact = change.contact(of: number, or: participant["user_id"])
        guard
            let person = WhatsAppPerson(
                number,
                participant["user_id"],
                participant["parent_user_id"],
                contact: contact
            )
        else { return nil }
        let follow = ObjectID(Self.platform, "follow", Self.name(person.native, group))
        var event = event(EventID(follow, type.verb, revision: moment.second), type, follow, moment)
        event.data.actor = person.actor
        if event.data.actor?.handle == nil { event.data.actor?.handle = Self.handle(participant["username"]) }
        event.data.target = Reference(id: channel.id)
        event.data.channel = channel
        for field in ["reason", "initiated_by"] {
            guard let words = WhatsAppValue.phrase(item[named: field]) else { continue }
            event.data.loss.append(Loss(field, .dropped, words))
        }
        return event
    }

    private static func handle(_ value: JSONValue?) -> String? {
        WhatsAppValue.phrase(value).map { $0.hasPrefix("@") ? String($0.dropFirst()) : $0 }
    }
}
