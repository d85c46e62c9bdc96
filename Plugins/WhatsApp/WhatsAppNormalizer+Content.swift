import ConnectorKit
import Glibc
import JSON
import MetaGraph
import SocialEvents

// The words and media of a message, by its type. What is said by other means than words (a place, a contact, an order, a button) is written as text.

extension WhatsAppNormalizer {
    /// Fills an object from what a message says.
    ///
    /// - Parameters:
    ///   - message: has a member named by its type.
    ///   - type: what it is.
    ///   - moment: when it was sent: addresses of media end minutes later.
    ///   - object: takes words and media.
    ///   - loss: takes what has no place in it.
    /// - Returns: `false` for types that events do not know.
    /// - Throws: `JSONError` where a message lacks what its type promises.
    func content(
        _ message: JSONValue,
        _ type: String,
        _ moment: WhatsAppMoment,
        _ object: inout SocialObject,
        _ loss: inout [Loss]
    ) throws(JSONError) -> Bool {
        switch type {
        case "text":
            let body = try message.requiredObject("text")["body"]
            if let body, body.kind != .string { throw body.mismatch("a text") }
            setText(body, "text.body", &object, &loss)
        case "image": setMedia(.image, message["image"], "image", moment, &object, &loss)
        case "video": setMedia(.video, message["video"], "video", moment, &object, &loss)
        case "audio": setMedia(.audio, message["audio"], "audio", moment, &object, &loss)
        case "voice": setMedia(.audio, message["voice"], "voice", moment, &object, &loss)
        case "document": setMedia(.file, message["document"], "document", moment, &object, &loss)
        case "sticker":
            let isMoving = message["sticker"]?["animated"]?.bool == true
            setMedia(isMoving ? .animation : .image, message["sticker"], "sticker", moment, &object, &loss)
        case "location":
            setLines(WhatsAppLines.location(try message.requiredObject("location")), "location", &object, &loss)
        case "contacts":
            setLines(WhatsAppLines.contacts(try message.requiredArray("contacts")), "contacts", &object, &loss)
        case "order": setLines(WhatsAppLines.order(try message.requiredObject("order")), "order", &object, &loss)
        case "button":
            let button = try message.requiredObject("button")
            setText(button["text"], "button.text", &object, &loss)
            note(button["payload"], "button.payload", &loss)
        case "interactive": return setAnswer(message["interactive"], &object, &loss)
        case "template": setTemplate(message["template"], &object, &loss)
        case "unsupported":
            let kind = WhatsAppValue.phrase(message["unsupported"]?["type"], most: EventLimits.name)
            loss.append(Loss("type", .dropped, kind.map { "unsupported: \($0)" } ?? "unsupported"))
        case "request_welcome":
            loss.append(
                Loss("type", .dropped, "request_welcome: the person opened the conversation and said nothing yet")
            )
        case "media_placeholder":
            loss.append(Loss("type", .dropped, "media_placeholder: the media are told later, if at all"))
        default: return false
        }
        return true
    }

    // MARK: - Words

    private func setText(_ value: JSONValue?, _ field: String, _ object: inout SocialObject, _ loss: inout [Loss]) {
        guard let (text, isCut) = WhatsAppValue.text(value) else { return }
        object.text = text
        if value?.hasColon == true { object.entities = Self.links(in: text) }
        if isCut { loss.append(Loss(field, .truncated, "longer than \(EventLimits.text) bytes")) }
    }

    /// Links, which WhatsApp shows as such; it has no hashtags, and what looks like a mention in the words names nobody.
    private static func links(in text: String) -> [Entity] {
        TextEntities.extract(from: text).filter {
            $0.kind == .link && ($0.url?.utf8.count ?? 0) <= EventLimits.url
        }
    }

    private func setLines(_ lines: String, _ field: String, _ object: inout SocialObject, _ loss: inout [Loss]) {
        guard !lines.isEmpty else { return }
        let text = WhatsAppValue.bounded(lines, most: EventLimits.text)
        object.text = text
        loss.append(Loss(field, .inferred, "written as text"))
        if text.utf8.count < lines.utf8.count {
            loss.append(Loss(field, .truncated, "longer than \(EventLimits.text) bytes"))
        }
    }

    /// Keeps a value that has no place in an event beside the field that it stood in.
    private func note(_ value: JSONValue?, _ field: String, _ loss: inout [Loss]) {
        guard let text = WhatsAppValue.phrase(value) else { return }
        loss.append(Loss(field, .dropped, text))
    }

    // MARK: - Media

    /// How long an address that comes with the message is good for.
    private static let lifeOfAddress = Duration.seconds(300)

    private func setMedia(
        _ kind: Media.Kind,
        _ value: JSONValue?,
        _ name: String,
        _ moment: WhatsAppMoment,
        _ object: inout SocialObject,
        _ loss: inout [Loss]
    ) {
        guard let value else { return loss.append(Loss(name, .dropped, "the payload has no \(name)")) }
        var media = Media(kind)
        media.contentType = WhatsAppValue.phrase(value["mime_type"], most: EventLimits.name)
        let id = WhatsAppValue.native(value["id"])
        if let url = MetaValue.address(value["url"]) {
            media.url = url
            if moment.isTold { media.expiresAt = moment.time.advanced(by: Self.lifeOfAddress) }
            if let id {
                loss.append(Loss("\(name).id", .dropped, WhatsAppValue.bounded(id, most: EventLimits.identifier)))
            }
        } else if let id, id.utf8.count <= EventLimits.name {
            media.url = "https://graph.facebook.com/" + GraphRequest.segment(id)
        }
        object.media = [media]
        setText(value["caption"], "\(name).caption", &object, &loss)
        object.title = WhatsAppValue.phrase(value["filename"])
        if value["voice"]?.bool == true { loss.append(Loss("\(name).voice", .dropped, "spoken for this message")) }
    }

    // MARK: - Answers to what the business sent

    /// The answer to buttons, a list or a form; one that could not be sent is told without it.
    private func setAnswer(_ answer: JSONValue?, _ object: inout SocialObject, _ loss: inout [Loss]) -> Bool {
        guard let answer else {
            loss.append(Loss("interactive", .dropped, "the payload has no answer"))
            return true
        }
        if let reply = answer["button_reply"] ?? answer["list_reply"] {
            setText(reply["title"], "interactive.title", &object, &loss)
            note(reply["id"], "interactive.id", &loss)
            note(reply["description"], "interactive.description", &loss)
        } else if let form = answer["nfm_reply"] {
            object.title = WhatsAppValue.phrase(form["name"])
            setText(form["response_json"] ?? form["body"], "interactive.response_json", &object, &loss)
            if form["response_json"] != nil { note(form["body"], "interactive.body", &loss) }
        } else if let reply = answer["call_permission_reply"] {
            setLines(WhatsAppLines.text(of: reply), "interactive.call_permission_reply", &object, &loss)
        } else {
            return false
        }
        return true
    }

    /// A template as the business sent it: its name, and what was filled in.
    private func setTemplate(_ template: JSONValue?, _ object: inout SocialObject, _ loss: inout [Loss]) {
        guard let template else { return loss.append(Loss("template", .dropped, "the payload has no template")) }
        object.title = WhatsAppValue.phrase(template["name"])
        object.language = Self.language(template["language"]?["code"] ?? template["language"])
        var lines: [String] = []
        for component in template["components"]?.sequence ?? [] {
            if let text = WhatsAppValue.phrase(component["text"]) { lines.append(text) }
            for parameter in component["parameters"]?.sequence ?? [] {
                if let text = WhatsAppValue.phrase(parameter["text"]) { lines.append(text) }
            }
        }
        setLines(lines.joined(separator: "\n"), "template.components", &object, &loss)
    }

    /// A BCP 47 tag of what WhatsApp writes with an underscore.
    static func language(_ value: JSONValue?) -> String? {
        guard let tag = WhatsAppValue.native(value), (2...35).contains(tag.utf8.count) else { return nil }
        let isTag = tag.utf8.allSatisfy { byte in
            (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
        return isTag ? tag.replacing("_", with: "-") : nil
    }
}

extension JSONValue {
    /// Whether a text has a colon, without which it has no link.
    fileprivate var hasColon: Bool {
        withUTF8 { bytes in
            bytes.baseAddress.map { memchr($0, Int32(UInt8(ascii: ":")), bytes.count) != nil } ?? false
        } ?? false
    }

    /// The elements of an array; none for anything else.
    var sequence: [JSONValue] { Array(elements) }
}
