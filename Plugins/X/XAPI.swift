import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// A request to X as a value: what is asked, not yet authorised.
struct XRequest: Sendable {
    /// The method.
    var method: HTTPRequest.Method = .get
    /// The path, below the base URL.
    var path: String
    /// The query.
    var query: [XParameter] = []
    /// The body.
    var body: [UInt8] = []
    /// The body's media type.
    var contentType = "application/json"
    /// What X counts together for its limits.
    var bucket: String
    /// What is asked for, in words for an error.
    var what: String
    /// How long each part may take.
    var deadlines = HTTPDeadlines()
    /// Most bytes of an answer.
    var maximumBodySize = 16 << 20
}

/// The requests of the connector; no I/O.
enum XAPI {
    private static let postFields =
        "created_at,author_id,conversation_id,referenced_tweets,in_reply_to_user_id,entities,attachments,public_metrics,lang,"
        + "withheld,note_tweet,edit_controls,edit_history_tweet_ids,possibly_sensitive,reply_settings,community_id,article,"
        + "media_metadata,scopes"
    private static let expansions =
        "author_id,attachments.media_keys,attachments.poll_ids,referenced_tweets.id,referenced_tweets.id.author_id,"
        + "referenced_tweets.id.attachments.media_keys,in_reply_to_user_id,edit_history_tweet_ids"

    /// What every answer with posts shall hold; X gives no more than ids and words unless asked.
    static let fields = [
        XParameter("tweet.fields", postFields), XParameter("expansions", expansions),
        XParameter("user.fields", "name,username,profile_image_url,protected,public_metrics,verified,verified_type"),
        XParameter(
            "media.fields",
            "alt_text,duration_ms,height,media_key,preview_image_url,type,url,variants,width"
        ),
        XParameter("poll.fields", "duration_minutes,end_datetime,id,options,voting_status"),
    ]

    // MARK: - Pages of posts

    /// A page of recent search.
    static func search(_ query: String, _ place: [XParameter], count: Int) -> XRequest {
        var request = XRequest(path: "/2/tweets/search/recent", bucket: "search", what: "the search")
        request.query = [XParameter("query", query), XParameter("max_results", String(min(max(count, 10), 100)))]
        request.query += place + fields
        return request
    }

    /// A page of what mentions an account.
    static func mentions(_ user: String, _ place: [XParameter], count: Int) -> XRequest {
        var request = XRequest(path: "/2/users/\(user)/mentions", bucket: "mentions", what: "the mentions")
        request.query = [XParameter("max_results", String(min(max(count, 5), 100)))] + place + fields
        return request
    }

    /// A page of an account's posts.
    static func posts(
        _ user: String,
        _ place: [XParameter],
        count: Int,
        excluded: [XConfiguration.Excluded]
    ) -> XRequest {
        var request = XRequest(path: "/2/users/\(user)/tweets", bucket: "user", what: "the account's posts")
        request.query = [XParameter("max_results", String(min(max(count, 5), 100)))] + place + fields
        if !excluded.isEmpty {
            request.query.append(XParameter("exclude", excluded.map(\.rawValue).joined(separator: ",")))
        }
        return request
    }

    /// An account by its name.
    static func user(named name: String) -> XRequest {
        XRequest(path: "/2/users/by/username/\(name)", bucket: "users", what: "the account")
    }

    // MARK: - Streams

    /// The longest silence of a stream: X sends at least an empty line in 20 s.
    private static let streaming = HTTPDeadlines(idle: .seconds(21), total: nil)

    /// The filtered stream.
    static func filteredStream(_ place: [XParameter]) -> XRequest {
        var request = XRequest(path: "/2/tweets/search/stream", bucket: "stream", what: "the stream")
        request.query = place + fields
        request.deadlines = streaming
        request.maximumBodySize = .max
        return request
    }

    /// A compliance stream.
    static func complianceStream(
        _ subject: XConfiguration.Subject,
        partition: Int?,
        _ place: [XParameter]
    ) -> XRequest {
        let name =
            switch subject {
            case .posts: "tweets"
            case .users: "users"
            case .likes: "likes"
            }
        var request = XRequest(
            path: "/2/\(name)/compliance/stream",
            bucket: "compliance",
            what: "the compliance stream"
        )
        request.query = place
        if subject != .likes { request.query.append(XParameter("partition", String(partition ?? 1))) }
        request.deadlines = streaming
        request.maximumBodySize = .max
        return request
    }

    /// The app's open connections to the filtered stream.
    static var connections: XRequest {
        var request = XRequest(path: "/2/connections", bucket: "connections", what: "the open connections")
        request.query = [
            XParameter("status", "active"), XParameter("endpoints", "filtered_stream"),
            XParameter("max_results", "100"),
            XParameter("connection.fields", "id,connected_at,endpoint_name"),
        ]
        request.deadlines = HTTPDeadlines(
            connect: .seconds(5),
            firstByte: .seconds(5),
            idle: .seconds(5),
            total: .seconds(10)
        )
        return request
    }

    /// Ends connections.
    static func end(connections ids: [String]) -> XRequest {
        var request = XRequest(
            method: .delete,
            path: "/2/connections",
            bucket: "connections",
            what: "the old connection"
        )
        request.body = json { writer in
            writer.key("uuids")
            writer.beginArray()
            for id in ids { writer.string(id) }
            writer.endArray()
        }
        request.deadlines = connections.deadlines
        return request
    }

    // MARK: - Rules

    /// A page of the app's rules.
    static func rules(_ token: String?) -> XRequest {
        var request = XRequest(path: "/2/tweets/search/stream/rules", bucket: "rules", what: "the rules")
        if let token { request.query.append(XParameter("pagination_token", token)) }
        return request
    }

    /// Adds rules.
    static func add(_ rules: [XRules.New]) -> XRequest {
        changeRules { writer in
            writer.key("add")
            writer.beginArray()
            for rule in rules {
                writer.beginObject()
                writer.member("value", rule.value)
                writer.member("tag", rule.tag)
                writer.endObject()
            }
            writer.endArray()
        }
    }

    /// Removes rules.
    static func remove(rules ids: [String]) -> XRequest {
        changeRules { writer in
            writer.key("delete")
            writer.beginObject()
            writer.key("ids")
            writer.beginArray()
            for id in ids { writer.string(id) }
            writer.endArray()
            writer.endObject()
        }
    }

    private static func changeRules(_ write: (inout JSONWriter) -> Void) -> XRequest {
        XRequest(
            method: .post,
            path: "/2/tweets/search/stream/rules",
            body: json(write),
            bucket: "rules-change",
            what: "the rules"
        )
    }

    // MARK: - Parts

    /// A body that is a JSON object.
    static func json(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        write(&writer)
        writer.endObject()
        return writer.bytes
    }

    /// A moment as X takes it: whole seconds, rounded down.
    static func time(_ moment: Timestamp) -> String {
        moment.description.prefix(19) + "Z"
    }
}
