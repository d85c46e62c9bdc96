import MetaGraph

/// The requests of the connector; no I/O.
enum InstagramAPI {
    /// What Instagram counts together: all calls about an account.
    static let bucket = "instagram"

    /// Elements of a page of media.
    static let pageSize = 50
    /// Media of a page that brings their comments along.
    static let commentedPageSize = 10

    private static let children = "children{id,media_type,media_url,thumbnail_url}"
    private static let media = [
        "id", "caption", "media_type", "media_product_type", "media_url", "thumbnail_url", "permalink", "timestamp",
        "username", "like_count", "comments_count", "alt_text", children,
    ]
    private static let tagged = [
        "id", "caption", "media_type", "media_url", "permalink", "timestamp", "username", "like_count",
        "comments_count", "children{id,media_type,media_url}",
    ]
    private static let found = tagged.filter { $0 != "username" }
    private static let comment = "id,text,timestamp,username,from,like_count,hidden,parent_id"
    private static let comments = "\(comment),replies.limit(50){\(comment)}"
    private static let message = "id,created_time,from,to,message,attachments,shares,story,is_unsupported"
    private static let mentionedMedia =
        "id,caption,media_type,media_url,timestamp,username,owner,like_count,comments_count"
    private static let mentionedComment = "id,text,timestamp,like_count,media{id}"

    /// Who the token of Instagram Login stands for.
    static var me: GraphRequest {
        .get("/me", fields: ["user_id", "username"], bucket: bucket, what: "the account")
    }

    // MARK: - Lists

    /// A page of a list; `after` is the cursor that the page before gave.
    static func list(_ kind: InstagramConfiguration.Kind, of node: String, user: String, after: String?) -> GraphRequest
    {
        let id = GraphRequest.segment(node)
        var request: GraphRequest
        switch kind {
        case .media: request = .get("/\(id)/media", fields: media, bucket: bucket, what: "the account's media")
        case .stories: request = .get("/\(id)/stories", fields: media, bucket: bucket, what: "the stories")
        case .tags:
            request = .get("/\(id)/tags", fields: tagged, bucket: bucket, what: "the media that tag the account")
        case .hashtag:
            request = .get("/\(id)/recent_media", fields: found, bucket: bucket, what: "the hashtag's media")
            request.query.append(GraphParameter("user_id", user))
        case .messages:
            let fields = ["id", "updated_time", "messages.limit(20){\(message)}"]
            // A Page's token stands for the Page, which the conversations of Facebook Login belong to.
            request = .get("/me/conversations", fields: fields, bucket: bucket, what: "the conversations")
            request.query.append(GraphParameter("platform", "instagram"))
        case .comments, .mentions:
            let fields = ["id", "timestamp", "comments.limit(50){\(comments)}"]
            request = .get("/\(id)/media", fields: fields, bucket: bucket, what: "the comments of the newest media")
        }
        let count =
            switch kind {
            case .comments: commentedPageSize
            case .messages: 20
            default: pageSize
            }
        request.query.append(GraphParameter("limit", String(count)))
        if let after { request.query.append(GraphParameter("after", after)) }
        return request
    }

    /// A further page of a media's comments.
    static func comments(of media: String, after: String) -> GraphRequest {
        var request = GraphRequest.get(
            "/\(GraphRequest.segment(media))/comments",
            fields: [comments],
            bucket: bucket,
            what: "the comments"
        )
        request.query += [GraphParameter("limit", "50"), GraphParameter("after", after)]
        return request
    }

    /// The id of a hashtag by its name; this counts for the 30 of 7 days.
    static func hashtag(_ name: String, user: String) -> GraphRequest {
        GraphRequest.get(
            "/ig_hashtag_search",
            [GraphParameter("user_id", user), GraphParameter("q", name)],
            bucket: bucket,
            what: "the hashtag"
        )
    }

    // MARK: - Single objects

    /// Whether a media or comment that was there still is, and when it was made.
    static func existence(of id: String) -> GraphRequest {
        .get(
            "/\(GraphRequest.segment(id))",
            fields: ["id", "timestamp"],
            bucket: bucket,
            what: "what was there before"
        )
    }

    /// The counts of a story.
    static func storyInsights(_ id: String) -> GraphRequest {
        var request = GraphRequest.get(
            "/\(GraphRequest.segment(id))/insights",
            bucket: bucket,
            what: "the story's insights"
        )
        let metrics = "views,reach,replies,shares,total_interactions,follows,profile_visits,navigation"
        request.query.append(GraphParameter("metric", metrics))
        return request
    }

    /// What a mention says.
    static func mention(_ mention: InstagramMention, user: String) -> GraphRequest? {
        let field: String
        if let comment = mention.comment.flatMap(digits) {
            field = "mentioned_comment.comment_id(\(comment)){\(mentionedComment)}"
        } else if let media = mention.media.flatMap(digits) {
            field = "mentioned_media.media_id(\(media)){\(mentionedMedia)}"
        } else {
            return nil
        }
        return .get("/\(GraphRequest.segment(user))", fields: [field], bucket: bucket, what: "the mention")
    }

    /// An id that may stand among fields: digits alone.
    private static func digits(_ id: String) -> String? {
        id.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && id.utf8.count <= 32 ? id : nil
    }
}
