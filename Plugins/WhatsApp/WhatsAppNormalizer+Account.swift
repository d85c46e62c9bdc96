import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// What the platform changes about the business's own things: templates, numbers, the account, its limits.

extension WhatsAppNormalizer {
    /// A change of the account, a number or a template; `nil` for fields that are not known.
    ///
    /// Events have no members for what such changes tell, so it stands as the object's text, a line for each part in the payload's own words
    /// (`event: REJECTED`), where queries find it.
    func accountChange(_ change: WhatsAppChange) -> Event? {
        let value = change.notice.value
        guard let field = change.notice.field, value.kind == .object, !value.members.isEmpty else { return nil }
        if Self.templateFields.contains(where: { field.isString($0) }) {
            guard let native = WhatsAppValue.native(value["message_template_id"]) else { return nil }
            var event = accountEvent(
                change,
                value,
                about: ObjectID(Self.platform, "template", native),
                leavingOut: ["message_template_name", "message_template_language"]
            )
            event.data.object?.title = WhatsAppValue.phrase(value["message_template_name"])
            event.data.object?.language = Self.language(value["message_template_language"])
            return event
        }
        if Self.numberFields.contains(where: { field.isString($0) }) {
            let display = value["display_phone_number"] ?? value["phone_number"]
            let number = WhatsAppValue.number(display).map { ObjectID(Self.platform, "actor", $0) }
            var event = accountEvent(change, value, about: number ?? change.businessID ?? change.accountID)
            event.data.object?.title = WhatsAppValue.phrase(display)
            return event
        }
        let isError = change.errors != nil && field.isString("messages")
        guard isError || Self.accountFields.contains(where: { field.isString($0) }) else { return nil }
        return accountEvent(change, value, about: change.businessID ?? change.accountID)
    }

    private static let templateFields: [StaticString] = [
        "message_template_status_update", "message_template_quality_update", "message_template_components_update",
        "template_category_update", "template_correct_category_detection",
    ]
    private static let numberFields: [StaticString] = [
        "phone_number_quality_update", "phone_number_name_update", "security", "business_username_update",
    ]
    private static let accountFields: [StaticString] = [
        "account_update", "account_review_update", "account_alerts", "account_settings_update",
        "business_capability_update", "business_status_update", "payment_configuration_update", "history",
    ]

    /// The event of a change of the business's own things.
    ///
    /// - Parameters:
    ///   - change: the change it stands in.
    ///   - value: what to tell of it.
    ///   - subject: what it is about; the business account where nothing nearer is known.
    ///   - leavingOut: members of the value that are told elsewhere.
    ///   - moment: when it happened, where the value says so.
    /// - Returns: the event.
    func accountEvent(
        _ change: WhatsAppChange,
        _ value: JSONValue,
        about subject: ObjectID?,
        leavingOut: [StaticString] = [],
        at moment: WhatsAppMoment? = nil
    ) -> Event {
        let field = WhatsAppValue.phrase(change.notice.field, most: EventLimits.name) ?? ""
        let time = moment?.time ?? change.notice.entryTime
        var writer = JSONWriter()
        writer.string(field)
        value.write(into: &writer)
        // The same words at another time are another fact.
        let second = time.map { Int(max(0, $0.milliseconds) / 1000) } ?? 0
        let fact = ObjectID(Self.platform, "change", PayloadDigest.name(writer.bytes))
        let told = WhatsAppMoment(time: time ?? now, isTold: time != nil)
        let subject = subject ?? change.accountID
        var event = event(EventID(fact, .updated, revision: second), .accountUpdated, subject ?? fact, told)
        var object = SocialObject(id: subject ?? fact, kind: .message)
        let lines = WhatsAppLines.text(
            of: value,
            leavingOut: leavingOut + ["messaging_product", "metadata", "contacts"]
        )
        object.text = WhatsAppValue.bounded(lines.isEmpty ? "field: \(field)" : "field: \(field)\n\(lines)")
        event.data.object = object
        if let account = change.accountID { event.data.target = Reference(id: account) }
        event.data.channel = change.channel
        event.data.loss.append(Loss("value", .inferred, "written as text"))
        return event
    }
}
