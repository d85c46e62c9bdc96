import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// Messages as the Conversations API answers them.

extension InstagramNormalizer {
    /// A message, with the id by which webhooks name it too.
    ///
    /// - Parameters:
    ///   - value: `{id, created_time, from, to, message, attachments, shares, story, is_unsupported}`.
    ///   - account: the id of the account that reads, which tells who of the two wrote.
    /// - Returns: the event.
    /// - Throws: `JSONError` where it has no id.
    func graphMessage(_ value: JSONValue, account: String?) throws(JSONError) -> Event {
        guard let id = value["id"] else { throw value.mismatch("a message with an id") }
        let object = try InstagramValue.id("message", id)
        var said = SocialObject(id: object, kind: .message)
        var from: JSONValue?
        var to: JSONValue?
        var loss: [Loss] = []
        var matched: [Match] = []
        var inReplyTo: Reference?
        var quoteOf: Reference?
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "message": if !member.isString("") { setWords(member, "message", of: &said, &loss) }
            case "created_time": said.createdAt = MetaTime.read(member)
            case "from": from = member
            case "to": to = member["data"]?[0]
            case "attachments": attach(member["data"], to: &said, &loss)
            case "shares":
                for share in InstagramValue.list(member["data"], "shares", &loss) {
                    if share["template"] != nil { loss.append(Loss("shares.template", .dropped)) }
                    guard share["link"] != nil else { continue }
                    let media = media(.file, at: share["link"], "shares.link", &loss)
                    if media.url != nil { said.media.append(media) }
                }
            case "story": (inReplyTo, quoteOf) = try story(member, &said, &matched, &loss)
            case "is_unsupported":
                if member.bool == true || member.isString("true") {
                    loss.append(Loss("message", .dropped, "Instagram does not give messages of this kind"))
                }
            case "reactions": loss.append(Loss("reactions", .dropped, "they say no time; webhooks tell them"))
            case "id": break
            default: drop(key, in: "", &loss)
            }
        }
        said.audience = .direct
        var event = event(object, .messageCreated, at: said.createdAt)
        event.data.object = said
        event.data.actor = try actor(from)
        event.data.target = try actor(to)?.id.map { Reference(id: $0) }
        event.data.inReplyTo = inReplyTo
        event.data.quoteOf = quoteOf
        event.data.matched = matched
        let isEcho = account != nil && InstagramValue.native(from?["id"]) == account
        event.data.conversation = Self.conversation(
            account: isEcho ? from?["id"] : to?["id"],
            person: isEcho ? to?["id"] : from?["id"]
        )
        event.data.loss += loss
        return event
    }

    private func attach(_ list: JSONValue?, to said: inout SocialObject, _ loss: inout [Loss]) {
        for attachment in InstagramValue.list(list, "attachments", &loss) {
            var media: Media
            if let image = attachment["image_data"] {
                media = self.media(.image, at: image["url"], "attachments.image_data.url", &loss)
                media.width = MetaValue.count(image["width"])
                media.height = MetaValue.count(image["height"])
                media.previewURL = MetaValue.address(image["preview_url"])
            } else if let video = attachment["video_data"] {
                media = self.media(.video, at: video["url"], "attachments.video_data.url", &loss)
                media.width = MetaValue.count(video["width"])
                media.height = MetaValue.count(video["height"])
                media.previewURL = MetaValue.address(video["preview_url"])
            } else {
                media = self.media(.file, at: attachment["file_url"], "attachments.file_url", &loss)
                media.size = MetaValue.count(attachment["size"])
            }
            said.media.append(media)
        }
    }

    /// A story that the message answers, or that mentions the account.
    private func story(
        _ value: JSONValue,
        _ said: inout SocialObject,
        _ matched: inout [Match],
        _ loss: inout [Loss]
    ) throws(JSONError) -> (answered: Reference?, mentioning: Reference?) {
        var mentioning: Reference?
        if let mention = value["mention"] {
            matched.append(Match(name: "story_mention"))
            let media = media(.file, at: mention["link"], "story.mention.link", &loss)
            if media.url != nil { said.media.append(media) }
            if let id = mention["id"] { mentioning = Reference(id: try InstagramValue.id("media", id)) }
        }
        guard let answered = value["reply_to"] else { return (nil, mentioning) }
        matched.append(Match(name: "story_reply"))
        var reference = Reference(url: MetaValue.address(answered["link"]))
        if let id = answered["id"] { reference.id = try InstagramValue.id("media", id) }
        return (reference, mentioning)
    }
}
