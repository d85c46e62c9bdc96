import ConnectorKit
import HTTPTypes

/// Requests to a server as values.
///
/// No I/O. Paths and parameters as in the documentation of Mastodon 4.5; its relatives take what they know and leave the rest.
struct MastodonAPI: Sendable {
    /// Most items that timelines give at once; notifications would give 80.
    static let pageSize = 40
    /// Most bytes of an answer.
    static let longestAnswer = 16 << 20
    /// Servers send a comment every 15 to 30 seconds; a connection that is silent for longer is dead.
    static let longestSilence = Duration.seconds(90)

    var baseURL: String
    var token: Secret?

    /// A page of what the source reads.
    ///
    /// - Parameters:
    ///   - configuration: says what it reads.
    ///   - accountID: the server's id of the account, for `account`.
    ///   - bound: which page.
    ///   - limit: most items.
    /// - Returns: the request.
    func page(
        _ configuration: MastodonConfiguration,
        accountID: String?,
        _ bound: MastodonPageBound?,
        limit: Int
    ) -> HTTPClientRequest {
        var query: [(String, String)] = []
        let path: String
        switch configuration.kind {
        case .home: path = "/api/v1/timelines/home"
        case .notifications:
            path = "/api/v1/notifications"
            if configuration.includesFiltered { query.append(("include_filtered", "true")) }
        case .public: path = "/api/v1/timelines/public"
        case .hashtag: path = "/api/v1/timelines/tag/" + (configuration.hashtag ?? "").percentEncoded
        case .list: path = "/api/v1/timelines/list/" + (configuration.list ?? "").percentEncoded
        case .account: path = "/api/v1/accounts/" + (accountID ?? "").percentEncoded + "/statuses"
        }
        switch configuration.scope {
        case .all: break
        case .local: query.append(("local", "true"))
        case .remote: query.append(("remote", "true"))
        }
        query.append(("limit", String(limit)))
        switch bound {
        case .newer(let id): query.append(("min_id", id))
        case .older(let id): query.append(("max_id", id))
        case nil: break
        }
        return get(path, query)
    }

    /// One status, to see whether it is still there.
    func status(_ id: String) -> HTTPClientRequest {
        get("/api/v1/statuses/" + id.percentEncoded)
    }

    /// One account, to see whether it is still there.
    func account(_ id: String) -> HTTPClientRequest {
        get("/api/v1/accounts/" + id.percentEncoded)
    }

    /// The account of an address.
    func lookup(_ account: String) -> HTTPClientRequest {
        get("/api/v1/accounts/lookup", [("acct", account)])
    }

    /// Accounts like an address, for servers without a lookup.
    func searchAccount(_ account: String) -> HTTPClientRequest {
        get("/api/v1/accounts/search", [("q", account), ("limit", "5"), ("resolve", "true")])
    }

    /// Where NodeInfo lies (NodeInfo protocol 2.1 §"jrd").
    func nodeInfoLinks() -> HTTPClientRequest {
        open(baseURL + "/.well-known/nodeinfo")
    }

    /// NodeInfo itself.
    func nodeInfo(_ url: String) -> HTTPClientRequest {
        open(url)
    }

    /// The description of the server, in its second form or its first.
    func instance(version: Int) -> HTTPClientRequest {
        get("/api/v\(version)/instance")
    }

    /// The stream of what the source reads; `nil` where there is no such stream.
    func stream(_ configuration: MastodonConfiguration, at streamingURL: String) -> HTTPClientRequest? {
        guard configuration.canStream else { return nil }
        let suffix = configuration.scope == .all ? "" : "/" + configuration.scope.rawValue
        var query: [(String, String)] = []
        let path: String
        switch configuration.kind {
        case .home: path = "user"
        case .notifications: path = "user/notification"
        case .public: path = "public" + suffix
        case .hashtag:
            path = "hashtag" + suffix
            query.append(("tag", configuration.hashtag ?? ""))
        case .list:
            path = "list"
            query.append(("list", configuration.list ?? ""))
        case .account: return nil
        }
        var request = get("/api/v1/streaming/" + path, query, base: streamingURL)
        request.headers[.accept] = "text/event-stream"
        request.headers[.cacheControl] = "no-cache"
        request.deadlines = HTTPDeadlines(idle: Self.longestSilence, total: nil)
        request.maximumBodySize = .max
        request.maximumRedirects = 0
        return request
    }

    /// The address for streaming that a server names, as one for server-sent events: `wss://host` is `https://host`.
    ///
    /// - Returns: `nil` for what is no address, and for one without encryption where the server itself has it: a token would go there.
    static func streamingURL(_ named: String, base: String) -> String? {
        var url = named
        if url.hasPrefix("wss://") { url = "https://" + url.dropFirst(6) }
        if url.hasPrefix("ws://") { url = "http://" + url.dropFirst(5) }
        while url.last == "/" { url.removeLast() }
        guard WebAddress.isValid(url), url.hasPrefix("https:") || base.hasPrefix("http:") else { return nil }
        return url
    }

    private func get(_ path: String, _ query: [(String, String)] = [], base: String? = nil) -> HTTPClientRequest {
        var request = open((base ?? baseURL) + path + Self.query(query))
        if let token { request.headers[.authorization] = "Bearer \(token.reveal())" }
        return request
    }

    /// A request without credentials.
    private func open(_ url: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(.get, url, maximumBodySize: Self.longestAnswer)
        request.headers[.accept] = "application/json"
        return request
    }

    private static func query(_ parameters: [(String, String)]) -> String {
        guard !parameters.isEmpty else { return "" }
        return "?" + parameters.map { "\($0.0)=\($0.1.percentEncoded)" }.joined(separator: "&")
    }
}

/// Which page of a list.
enum MastodonPageBound: Sendable, Hashable {
    /// What comes right after this id (`min_id`).
    case newer(String)
    /// What comes right before this id (`max_id`).
    case older(String)
}
