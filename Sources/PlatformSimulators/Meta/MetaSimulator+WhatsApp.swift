import JSON

// WhatsApp: sending, and what it is done with.

extension MetaSimulator {
    func readWhatsApp(_ id: String, _ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue? {
        let world = state.world
        guard world.products.contains(.whatsapp) else { return nil }
        let edge = asked.path.count > 1 ? asked.path[1] : nil
        let number: GraphValue = [
            "id": .string(MetaAccount.phone), "display_phone_number": .string("+" + MetaAccount.number),
            "verified_name": .string(MetaAccount.pageName), "quality_rating": "GREEN", "status": "CONNECTED",
            "code_verification_status": "VERIFIED", "throughput": ["level": "STANDARD"],
            "whatsapp_business_manager_messaging_limit": "TIER_2K",
        ]
        let numberFields =
            asked.fields.all.isEmpty
            ? GraphFields("verified_name,display_phone_number,quality_rating") : asked.fields
        switch (id, edge) {
        case (MetaAccount.phone, nil): return number.selecting(numberFields)
        case (MetaAccount.whatsapp, nil):
            let value: GraphValue = ["id": .string(id), "name": .string(MetaAccount.pageName), "currency": "EUR"]
            return value.selecting(asked.fields.all.isEmpty ? GraphFields("name") : asked.fields)
        case (MetaAccount.whatsapp, "phone_numbers"): return ["data": [number.selecting(numberFields)]]
        case (MetaAccount.whatsapp, "subscribed_apps"):
            return ["data": [["whatsapp_business_api_data": ["id": .string(MetaAccount.app), "name": "Simulated"]]]]
        case (MetaAccount.whatsapp, "message_templates"):
            let all = world.templates.indices.reversed()
            let items: [(place: Int, value: GraphValue?)] = all.map { ($0 + 1, template(world.templates[$0])) }
            return try page(items, asked, fields: templateFields(asked))
        case (_, nil):
            if let template = world.templates.first(where: { $0.id == id }) {
                return self.template(template).selecting(templateFields(asked))
            }
            // Whatever looks like a file is one, for some minutes.
            guard let file = Int64(id), file >= 1_200_000_000_000_000, file < 1_300_000_000_000_000 else { return nil }
            return [
                "messaging_product": "whatsapp", "id": .string(id), "mime_type": "image/jpeg", "file_size": "4096",
                "sha256": "U2ltdWxhdGVk\(id)",
                "url": "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=\(id)",
            ]
        default: return nil
        }
    }

    private func templateFields(_ asked: Asked) -> GraphFields {
        asked.fields.all.isEmpty ? GraphFields("name,language,status,category,components") : asked.fields
    }

    private func template(_ template: MetaWorld.Template) -> GraphValue {
        [
            "name": .string(template.name), "language": .string(template.language), "status": .string(template.status),
            "category": .string(template.category), "quality_score": ["score": .string(template.quality)],
            "components": [["type": "BODY", "text": .string(template.body)]], "id": .string(template.id),
        ]
    }

    func writeWhatsApp(_ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue? {
        guard asked.path == [MetaAccount.phone, "messages"] else { return nil }
        guard asked.parameters["messaging_product"] == "whatsapp" else { throw .missing("messaging_product") }
        // What was read is said to be read.
        if asked.parameters["status"] == "read" { return ["success": true] }
        guard let to = asked.parameters["to"] ?? asked.parameters["recipient"] else { throw .missing("to") }
        let digits = to.filter(\.isNumber)
        guard digits != MetaAccount.number else {
            throw .message(131_021, "Recipient cannot be sender", "Sender and recipient are the same")
        }
        let world = state.world
        guard
            let chat = world.chats.firstIndex(where: { $0.userID == to || (!$0.isNumberHidden && $0.number == digits) })
        else {
            throw .message(131_026, "Message undeliverable", "Unable to deliver message")
        }
        var name: String?
        let type = asked.parameters["type"] ?? "text"
        if type == "template" {
            guard let wanted = Self.member("name", asked, "template") else { throw .missing("template") }
            guard let template = world.templates.first(where: { $0.name == wanted }) else {
                throw .message(
                    132_001,
                    "Template name does not exist in the translation",
                    "template name (\(wanted)) does not exist"
                )
            }
            guard template.status == "APPROVED" else {
                throw template.status == "PAUSED"
                    ? .message(132_015, "Template is paused", "Template is paused due to low quality")
                    : .message(
                        132_001,
                        "Template name does not exist in the translation",
                        "template name (\(wanted)) is not approved"
                    )
            }
            name = wanted
        }
        let text = Self.member("body", asked, "text") ?? ""
        let tracker = asked.parameters["biz_opaque_callback_data"]
        var made = ""
        state.world.on(.whatsapp) { made = $0.send(to: chat, template: name, tracker: tracker, text: text) }
        return [
            "messaging_product": "whatsapp",
            "contacts": [["input": .string(to), "wa_id": .string(world.chats[chat].id)]],
            "messages": [["id": .string(made), "message_status": "accepted"]],
        ]
    }

    /// A text within a parameter that is an object.
    static func member(_ name: String, _ asked: Asked, _ parameter: String) -> String? {
        guard let text = asked.parameters[parameter] else { return nil }
        return (try? JSONParser().parse(text) { $0[named: name]?.string }) ?? nil
    }
}
