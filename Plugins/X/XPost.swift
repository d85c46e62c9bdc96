import JSON

/// Where the parts of a post stand in its payload, found in one walk over its members; both spellings are read.
struct XPost {
    let value: JSONValue
    private(set) var id: JSONValue?
    private(set) var text: JSONValue?
    private(set) var createdAt: JSONValue?
    private(set) var author: JSONValue?
    private(set) var conversation: JSONValue?
    private(set) var repliedUser: JSONValue?
    private(set) var references: JSONValue?
    private(set) var history: JSONValue?
    private(set) var entities: JSONValue?
    private(set) var attachments: JSONValue?
    private(set) var mediaMetadata: JSONValue?
    private(set) var note: JSONValue?
    private(set) var metrics: JSONValue?
    private(set) var language: JSONValue?
    private(set) var isSensitive: JSONValue?
    private(set) var withheld: JSONValue?
    private(set) var scopes: JSONValue?
    private(set) var community: JSONValue?
    private(set) var article: JSONValue?

    /// Reads a post.
    ///
    /// - Parameters:
    ///   - value: the post.
    ///   - other: gets each member that has no place here and is not null.
    init(_ value: JSONValue, other: (JSONKey, JSONValue) -> Void) {
        self.value = value
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "id": id = member
            case "text": text = member
            case "lang": language = member
            case "created_at": createdAt = member
            case "author_id": author = member
            case "conversation_id": conversation = member
            case "in_reply_to_user_id": repliedUser = member
            case "referenced_tweets", "referenced_posts": references = member
            case "edit_history_tweet_ids", "edit_history_post_ids": history = member
            case "entities": entities = member
            case "attachments": attachments = member
            case "media_metadata": mediaMetadata = member
            case "note_tweet", "note_post": note = member
            case "public_metrics": metrics = member
            case "possibly_sensitive": isSensitive = member
            case "withheld": withheld = member
            case "scopes": scopes = member
            case "community_id": community = member
            case "article": article = member
            case "edit_controls", "reply_settings", "display_text_range", "username", "in_reply_to_tweet_id": break
            default: other(key, member)
            }
        }
    }
}
