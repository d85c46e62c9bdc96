@testable import PlatformSimulators

/// Facts as one text each: as the ledger has them, and as webhooks tell them.
enum MetaFacts {
    /// What an entry of the ledger says.
    static func key(_ entry: Ledger.Entry) -> String {
        switch entry.places.first {
        // Of these, webhooks tell nothing but the moment.
        case "seen": "read \(entry.revision)"
        case "template", "account": "changed \(entry.revision)"
        default:
            entry.verb == "reacted" || entry.verb == "unreacted"
                ? "\(entry.verb) \(entry.object) \(entry.actor)/\(entry.revision)"
                : "\(entry.verb) \(entry.object)\(entry.places.first == "status" || entry.revision.isEmpty ? "" : "/" + entry.revision)"
        }
    }

    /// What a delivery tells.
    static func told(_ root: GraphValue) -> [String] {
        if case .array(let roots) = root { return roots.flatMap(told) }
        return root["entry"].elements.flatMap { entry -> [String] in
            guard entry["id"].text != "0" else { return ["test"] }
            var facts = entry["changes"].elements.flatMap { change(entry, $0) }
            if entry["field"] != .absent { facts += change(entry, entry) }
            return facts + entry["messaging"].elements.map(message)
        }
    }

    private static func change(_ entry: GraphValue, _ change: GraphValue) -> [String] {
        let value = change["value"]
        func text(_ name: String) -> String { value[name].text ?? "?" }
        switch change["field"].text {
        case "comments"?, "live_comments"?: return ["created \(text("id"))"]
        case "mentions"?: return ["mentioned \(value["comment_id"].text ?? text("media_id"))"]
        case "story_insights"?: return ["observed \(text("media_id"))"]
        case "feed"?: return [feed(value)]
        case "messages"?, "smb_message_echoes"?, "user_preferences"?:
            return value["messages"].elements.map(whatsApp) + value["message_echoes"].elements.map(whatsApp)
                + value["statuses"].elements.map { "\($0["status"].text ?? "?") \($0["id"].text ?? "?")" }
                + value["user_preferences"].elements.map {
                    let id = $0["wa_id"].text ?? $0["user_id"].text ?? "?"
                    let verb = $0["value"].text == "stop" ? "unfollowed" : "followed"
                    return "\(verb) \(id)/\($0["timestamp"].number ?? 0)"
                }
        case let field?: return ["changed \(field)/\(entry["time"].number ?? 0)"]
        case nil: return ["?"]
        }
    }

    private static func feed(_ value: GraphValue) -> String {
        let at = value["created_time"].number ?? 0
        let object = (value["item"].text == "comment" ? value["comment_id"] : value["post_id"]).text ?? "?"
        let isReaction = value["item"].text == "reaction"
        let actor = value["from"]["id"].text ?? "?"
        switch value["verb"].text {
        case "add"? where isReaction, "edit"? where isReaction: return "reacted \(object) \(actor)/\(at)"
        case "remove"? where isReaction: return "unreacted \(object) \(actor)/\(at)"
        case "add"?: return "created \(object)"
        case "edit"?, "edited"?: return "updated \(object)/\(at)"
        case "remove"?: return "deleted \(object)"
        case "hide"?: return "hidden \(object)/\(at)"
        case "unhide"?: return "shown \(object)/\(at)"
        default: return "?"
        }
    }

    private static func message(_ item: GraphValue) -> String {
        let at = item["timestamp"].number ?? 0
        let actor = item["sender"]["id"].text ?? "?"
        if item["message"] != .absent {
            let verb = item["message"]["is_deleted"] == true ? "deleted" : "created"
            return "\(verb) \(item["message"]["mid"].text ?? "?")"
        }
        if item["message_edit"] != .absent {
            return "updated \(item["message_edit"]["mid"].text ?? "?")/\(item["message_edit"]["num_edit"].text ?? "?")"
        }
        if item["reaction"] != .absent {
            let verb = item["reaction"]["action"].text == "react" ? "reacted" : "unreacted"
            return "\(verb) \(item["reaction"]["mid"].text ?? "?") \(actor)/\(at)"
        }
        return item["read"] != .absent ? "read \(at)" : "?"
    }

    private static func whatsApp(_ item: GraphValue) -> String {
        let id = item["id"].text ?? "?"
        switch item["type"].text {
        case "edit"?: return "updated \(item["edit"]["original_message_id"].text ?? "?")/\(id)"
        case "revoke"?: return "deleted \(item["revoke"]["original_message_id"].text ?? "?")"
        case "system"?: return "moved \(id)"
        case "reaction"?:
            let emoji = item["reaction"]["emoji"].text ?? ""
            let actor = item["from"].text ?? item["from_user_id"].text ?? "?"
            return
                "\(emoji.isEmpty ? "unreacted" : "reacted") \(item["reaction"]["message_id"].text ?? "?") \(actor)/\(id)"
        case nil: return "?"
        default: return "created \(id)"
        }
    }
}
