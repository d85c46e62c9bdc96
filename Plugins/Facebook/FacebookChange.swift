import JSON
import MetaGraph
import SocialEvents

/// What happened to something of a feed.
enum FacebookVerb {
    case added, edited, removed, hidden, shown, other

    /// Reads a verb; both `edit` and `edited` occur, and mentions come without any.
    init(_ value: JSONValue?) {
        guard let value else {
            self = .added
            return
        }
        if value.isString("add") || value.isString("added") {
            self = .added
        } else if value.isString("edited") || value.isString("edit") || value.isString("update") {
            self = .edited
        } else if value.isString("remove") || value.isString("removed") || value.isString("delete") {
            self = .removed
        } else if value.isString("hide") {
            self = .hidden
        } else if value.isString("unhide") {
            self = .shown
        } else {
            self = .other
        }
    }
}

/// One change of a feed: its members, looked at once.
struct FacebookChange {
    /// Where the change stands.
    enum Field {
        case feed, mention, ratings
    }

    let field: Field
    /// The Page, as the entry's id.
    let page: JSONValue?
    var item: JSONValue?
    private(set) var verb = FacebookVerb.added
    /// The verb in Facebook's own word.
    private(set) var verbName: JSONValue?
    /// What has no place in an event.
    private(set) var losses: [Loss] = []
    /// When it was made, as the payload says.
    private(set) var created: Timestamp?
    /// When it happened: of what is added when it was made, of the rest when the entry was.
    private(set) var time: Timestamp?

    var post: JSONValue?
    var comment: JSONValue?
    var parent: JSONValue?
    var from: JSONValue?
    var sender: JSONValue?
    var senderName: JSONValue?
    var message: JSONValue?
    var story: JSONValue?
    var tags: JSONValue?
    var photo: JSONValue?
    var photos: JSONValue?
    var photoIDs: JSONValue?
    var video: JSONValue?
    var videoID: JSONValue?
    var album: JSONValue?
    var link: JSONValue?
    var about: JSONValue?
    var reaction: JSONValue?
    var openGraphStory: JSONValue?
    var rating: JSONValue?
    var recommendation: JSONValue?
    var isHidden = false
    var isUnpublished = false

    init(_ notice: MetaNotice, _ field: Field) {
        self.field = field
        page = notice.entry?["id"]
        for (key, value) in notice.value.members where !value.isNull { take(key, value) }
        let told = notice.entryTime
        time = verb == .added ? created ?? told : told ?? created
    }

    private mutating func take(_ key: JSONKey, _ value: JSONValue) {
        switch key {
        case "item": item = value
        case "verb":
            verb = FacebookVerb(value)
            verbName = value
        case "post_id": post = value
        case "comment_id": comment = value
        case "parent_id": parent = value
        case "from": from = value
        case "message", "review_text": message = value
        case "created_time": created = MetaTime.read(value)
        case "post": about = value
        case "photo": photo = value
        case "reaction_type": reaction = value
        case "published": isUnpublished = value.int == 0
        case "link": link = value
        case "video": video = value
        case "photos": photos = value
        case "sender_id", "reviewer_id", "user_id": sender = value
        case "sender_name", "reviewer_name": senderName = value
        case "story": story = value
        case "message_tags": tags = value
        case "is_hidden": isHidden = value.bool == true
        case "video_id": videoID = value
        case "album_id": album = value
        case "photo_ids": photoIDs = value
        case "open_graph_story_id": openGraphStory = value
        case "rating": rating = value
        case "recommendation_type": recommendation = value
        // The same again, or of no use without the post.
        case "photo_id", "share_id", "recipient_id": break
        default: FacebookNormalizer.note(key, &losses)
        }
    }

    /// Which edit it is: the entry's second, and three digits from what was changed, since a delivery may tell several edits of one second.
    var revision: Int {
        var digest: UInt32 = 0x811c_9dc5
        // FNV-1a with 32 bits.
        func add(_ value: JSONValue?) {
            value?.withUTF8 { for byte in $0 { digest = (digest ^ UInt32(byte)) &* 0x0100_0193 } }
        }
        if verb == .hidden { digest = 1 }
        for value in [message, photo, video, link] { add(value) }
        if let photos { for value in photos.elements.prefix(20) { add(value) } }
        return FacebookNormalizer.seconds(time) * 1000 + Int(digest % 1000)
    }

    /// Whether it is an item of that name.
    func isItem(_ name: StaticString) -> Bool { item?.isString(name) == true }
}
