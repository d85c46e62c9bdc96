import MetaGraph
import SocialEvents

/// The requests of the connector; no I/O.
enum FacebookAPI {
    /// What the platform counts together: all calls for a Page.
    static let bucket = "page"

    private static let postFields = [
        "id", "message", "story", "created_time", "updated_time", "from{id,name}", "permalink_url", "status_type",
        "is_hidden", "is_published", "message_tags", "shares",
        "attachments{media_type,type,url,unshimmed_url,title,description,media,subattachments}",
        "reactions.summary(total_count).limit(0)", "comments.summary(total_count).limit(0)",
    ]
    private static let commentFields = [
        "id", "message", "created_time", "from{id,name}", "parent{id}", "permalink_url", "message_tags", "attachment",
        "like_count", "comment_count", "is_hidden",
    ]

    /// A page of a Page's posts, the newest first.
    static func feed(_ page: String, since: Timestamp, count: Int) -> GraphRequest {
        .get(
            "/\(GraphRequest.segment(page))/feed",
            fields: postFields,
            [
                GraphParameter("since", String(since.milliseconds / 1000)),
                GraphParameter("limit", String(min(max(count, 1), 100))),
            ],
            bucket: bucket,
            what: "the Page's posts"
        )
    }

    /// A page of all comments under a post, answers to comments too, the newest first.
    static func comments(_ post: String) -> GraphRequest {
        .get(
            "/\(GraphRequest.segment(post))/comments",
            fields: commentFields,
            [
                GraphParameter("filter", "stream"), GraphParameter("order", "reverse_chronological"),
                GraphParameter("limit", "100"),
            ],
            bucket: bucket,
            what: "the comments"
        )
    }
}
