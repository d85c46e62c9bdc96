import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// Media as the Graph API answers it: posts, reels, albums, stories.

extension InstagramNormalizer {
    /// A media with what stands in it; `kind` where the list it stood in says more than the media itself.
    func media(_ value: JSONValue, as kind: ObjectKind? = nil) throws(JSONError) -> Event {
        guard let id = value["id"] else { throw value.mismatch("a media with an id") }
        let object = try InstagramValue.id("media", id)
        var said = SocialObject(id: object, kind: kind ?? .post)
        var author: Actor?
        var name: JSONValue?
        var type: JSONValue?
        var children: JSONValue?
        var metrics = Metrics(observedAt: now)
        var hasMetrics = false
        var loss: [Loss] = []
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "caption": setWords(member, "caption", of: &said, &loss)
            case "timestamp": said.createdAt = MetaTime.read(member)
            case "permalink": said.url = MetaValue.address(member)
            case "media_type": type = member
            case "media_product_type": if member.isString("STORY") { said.kind = .story }
            case "children": children = member["data"]
            case "owner": author = try actor(member)
            case "username": name = member
            case "like_count":
                metrics.likes = MetaValue.count(member)
                hasMetrics = true
            case "comments_count":
                metrics.replies = MetaValue.count(member)
                hasMetrics = true
            case "view_count":
                metrics.views = MetaValue.count(member)
                hasMetrics = true
            case "id", "ig_id", "shortcode", "media_url", "thumbnail_url", "alt_text", "is_comment_enabled",
                "is_shared_to_feed", "comments":
                break
            default: drop(key, in: "", &loss)
            }
        }
        said.audience = .public
        if let children, children.kind == .array {
            for child in InstagramValue.list(children, "children", &loss) {
                said.media.append(piece(child, child["media_type"], &loss))
            }
        } else if type != nil || value["media_url"] != nil {
            said.media = [piece(value, type, &loss)]
        }
        var event = event(object, .postCreated, at: said.createdAt)
        event.data.object = said
        if let name {
            var named = author ?? Actor()
            setHandle(name, of: &named)
            author = named
        }
        event.data.actor = author
        if hasMetrics { event.data.metrics = metrics }
        event.data.loss += loss
        return event
    }

    /// A picture or film of a media, or of one of an album's parts.
    private func piece(_ value: JSONValue, _ type: JSONValue?, _ loss: inout [Loss]) -> Media {
        let kind: Media.Kind = type?.isString("VIDEO") == true ? .video : .image
        let address = value["media_url"]
        if address == nil, loss.count < 100 {
            loss.append(Loss("media_url", .dropped, "Instagram gives none, as for what has a copyright of others"))
        }
        var media = media(kind, at: address, "media_url", &loss)
        media.previewURL = MetaValue.address(value["thumbnail_url"])
        media.alt = MetaValue.phrase(value["alt_text"])
        return media
    }
}
