// What a number on WhatsApp sends, what becomes of it, and the templates that it sends.

extension MetaWorld {
    /// A message that the number sent through the API.
    struct Sending {
        var id: String
        var chat: Int
        var at: Int64
        /// What the sender calls the campaign: `biz_opaque_callback_data`.
        var tracker: String?
        var template: String?
        /// What is still to become of it, the next last, and when.
        var fate: [(at: Int64, status: String, error: Int64?)] = []
        var isFailed = false
        var hasReaction = false
    }

    /// A message that Meta has to approve.
    struct Template {
        var id: String
        var name: String
        var language: String
        var category: String
        var body: String
        var status = "APPROVED"
        var quality = "GREEN"

        static let initial = [
            Template(
                id: "1500600700800901",
                name: "harbour_news",
                language: "en_US",
                category: "MARKETING",
                body: "Hi {{1}}, the harbour days begin on {{2}}!"
            ),
            Template(
                id: "1500600700800902",
                name: "faehre_verspaetet",
                language: "de",
                category: "UTILITY",
                body: "Die Fähre um {{1}} fährt später."
            ),
            Template(
                id: "1500600700800903",
                name: "table_ready",
                language: "en_US",
                category: "UTILITY",
                body: "Your table is ready.",
                status: "PENDING",
                quality: "UNKNOWN"
            ),
        ]
    }

    /// One template to several people.
    mutating func broadcast(to most: Int = 12) {
        guard let template = templates.filter({ $0.status == "APPROVED" }).first else { return }
        campaigns += 1
        let tracker = "campaign-\(campaigns)"
        record("broadcast", tracker, actor: MetaAccount.number, ["broadcast"], text: template.name)
        let start = dice.roll(chats.count)
        for step in 0..<min(2 + dice.roll(max(1, most - 1)), chats.count) {
            send(to: (start + step) % chats.count, template: template.name, tracker: tracker)
        }
    }

    /// Sends something; returns its id.
    ///
    /// - Parameters:
    ///   - chat: to whom.
    ///   - template: the template that is sent; free words if none.
    ///   - tracker: what the sender calls the campaign.
    ///   - text: the words, if known.
    /// - Returns: the id of the message.
    @discardableResult
    mutating func send(to chat: Int, template: String?, tracker: String?, text: String = "") -> String {
        var sending = Sending(id: nextWAMID(), chat: chat, at: now, tracker: tracker, template: template)
        let places = ["sending"] + (tracker.map { ["broadcast:\($0)"] } ?? [])
        record("queued", sending.id, actor: MetaAccount.number, places, text: text)
        var moment = now + 400 + Int64(dice.roll(2000))
        var fate: [(at: Int64, status: String, error: Int64?)] = []
        let isMarketing = templates.first { $0.name == template }?.category == "MARKETING"
        let isOpen = chats[chat].received.last.map { now - $0.at < Self.day } ?? false
        if template == nil, !isOpen {
            fate.append((moment, "failed", 131_047))
        } else if isMarketing, chats[chat].isStopped {
            fate.append((moment, "failed", 131_050))
        } else if dice.oneIn(12) {
            if dice.oneIn(2) {
                fate.append((moment, "sent", nil))
                moment += 3000
            }
            fate.append((moment, "failed", dice.pick([131_026, 131_049, 130_472])))
        } else {
            fate.append((moment, "sent", nil))
            if !dice.oneIn(9) {
                moment += 500 + Int64(dice.roll(20_000))
                fate.append((moment, "delivered", nil))
                if !dice.oneIn(3) {
                    moment += 1000 + Int64(dice.roll(90_000))
                    fate.append((moment, "read", nil))
                }
            }
        }
        sending.fate = fate.reversed()
        openSendings.append(sendings.count)
        sendings.append(sending)
        return sending.id
    }

    /// What becomes of what was sent, by now.
    mutating func meetFates() {
        for index in openSendings {
            while let next = sendings[index].fate.last, next.at <= now {
                sendings[index].fate.removeLast()
                if next.status == "failed" { sendings[index].isFailed = true }
                report(sendings[index], next.status, at: next.at, error: next.error)
            }
        }
        openSendings.removeAll { sendings[$0].fate.isEmpty }
    }

    /// Statuses come in any order, and more than once.
    private mutating func report(_ sending: Sending, _ status: String, at moment: Int64, error: Int64?) {
        let chat = chats[sending.chat]
        let fact = record(
            status,
            sending.id,
            revision: error.map { String($0) } ?? "",
            actor: chat.id,
            ["status"] + (sending.tracker.map { ["broadcast:\($0)"] } ?? []) + ["webhook"],
            at: moment
        )
        let category: GraphValue = sending.template == nil ? "service" : "marketing"
        let item: GraphValue = [
            "id": .string(sending.id), "status": .string(status), "timestamp": "\(moment / 1000)",
            "recipient_id": chat.isNumberHidden ? .absent : .string(chat.number),
            "recipient_user_id": .string(chat.userID),
            "pricing": status == "failed"
                ? .absent : ["billable": true, "pricing_model": "PMP", "category": category],
            "biz_opaque_callback_data": .optional(sending.tracker),
            "errors": error.map { [Self.error($0)] } ?? .absent,
        ]
        let shape = MetaNews.Shape.part(
            field: "messages",
            list: "statuses",
            item: item,
            contact: contact(sending.chat)
        )
        let delay: Int64 = timeDice.oneIn(4) ? 20_000 + Int64(timeDice.roll(60_000)) : 0
        tell(fact, .whatsapp, MetaAccount.whatsapp, shape, after: delay)
        if timeDice.oneIn(6) { tell(fact, .whatsapp, MetaAccount.whatsapp, shape, after: delay + 5000) }
    }

    private static func error(_ code: Int64) -> GraphValue {
        let title: String =
            switch code {
            case 130_472: "User's number is part of an experiment"
            case 131_026: "Message undeliverable"
            case 131_047: "Re-engagement message"
            case 131_049: "This message was not delivered to maintain healthy ecosystem engagement."
            default: "User has stopped marketing messages"
            }
        return [
            "code": .integer(code), "title": .string(title), "message": .string(title),
            "error_data": ["details": .string(title)],
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        ]
    }

    // MARK: - Templates and the account

    mutating func liveOfTemplates() {
        guard isLater(than: changedAt) else { return }
        let index = dice.roll(templates.count)
        let template = templates[index]
        var value: GraphValue = [
            "message_template_id": .integer(Int64(template.id) ?? 0), "message_template_name": .string(template.name),
            "message_template_language": .string(template.language),
        ]
        let field: String
        switch dice.roll(3) {
        case 0:
            field = "message_template_status_update"
            // The first one always stays approved, so that there is something to send.
            let events = index == 0 ? ["APPROVED"] : ["APPROVED", "PAUSED", "REJECTED", "PENDING"]
            let event = dice.pick(events)
            templates[index].status = event
            value = value.adding("event", .string(event))
            value = value.adding("reason", event == "REJECTED" ? "INVALID_FORMAT" : "NONE")
            value = value.adding("message_template_category", .string(template.category))
        case 1:
            field = "message_template_quality_update"
            let next = dice.pick(["GREEN", "YELLOW", "RED"])
            value = value.adding("previous_quality_score", .string(template.quality))
            value = value.adding("new_quality_score", .string(next))
            templates[index].quality = next
        default:
            field = "template_category_update"
            let next = template.category == "MARKETING" ? "UTILITY" : "MARKETING"
            value = value.adding("previous_category", .string(template.category))
            value = value.adding("new_category", .string(next))
            templates[index].category = next
        }
        change(template.id, field, value, place: "template")
    }

    mutating func accountChanges() {
        guard isLater(than: changedAt) else { return }
        switch dice.roll(3) {
        case 0:
            let value: GraphValue = [
                "display_phone_number": .string(MetaAccount.number),
                "event": .string(dice.pick(["FLAGGED", "UNFLAGGED"])),
                "current_limit": "TIER_1K",
            ]
            change(MetaAccount.phone, "phone_number_quality_update", value, place: "account")
        case 1:
            let value: GraphValue = [
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [
                    [
                        "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING",
                        "expiration": .integer(now / 1000 + 86_400),
                    ]
                ],
            ]
            change(MetaAccount.whatsapp, "account_update", value, place: "account")
        default:
            let value: GraphValue = [
                "max_daily_conversation_per_phone": .integer(dice.pick([250, 2000, 10_000])),
                "max_phone_numbers_per_business": 25,
            ]
            change(MetaAccount.whatsapp, "business_capability_update", value, place: "account")
        }
    }

    private mutating func change(_ object: String, _ field: String, _ value: GraphValue, place: String) {
        changedAt = now
        let fact = record(
            "changed",
            object,
            revision: "\(field)/\(now / 1000)",
            actor: MetaAccount.whatsapp,
            [place, "webhook"]
        )
        tell(fact, .whatsapp, MetaAccount.whatsapp, .change(field: field, value: value))
    }
}
