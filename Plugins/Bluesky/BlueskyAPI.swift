import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// Requests to the servers of the AT Protocol as values, and what their errors mean.
///
/// No I/O.
enum BlueskyAPI {
    /// A query of the application's own methods.
    struct Query: Sendable, Hashable {
        /// The method's name, such as `app.bsky.feed.searchPosts`.
        var method: String
        /// Its parameters in their order.
        var parameters: [(name: String, value: String)]
        /// What is asked for, in words for an error.
        var what: String

        static func == (lhs: Self, rhs: Self) -> Bool { lhs.path == rhs.path }
        func hash(into hasher: inout Hasher) { hasher.combine(path) }

        /// Path and query.
        var path: String {
            var text = "/xrpc/\(method)"
            for (position, parameter) in parameters.enumerated() {
                text += "\(position == 0 ? "?" : "&")\(parameter.name)=\(parameter.value.percentEncoded)"
            }
            return text
        }
    }

    /// How many entries a page has.
    static let pageSize = 100
    /// How many posts can be asked after at once.
    static let mostPosts = 25
    /// The largest page: entries of a few KiB each.
    private static let maximumPage = 16 << 20

    /// A page of what a source reads.
    ///
    /// - Parameters:
    ///   - configuration: the source.
    ///   - page: the server's cursor; nil for the newest page.
    ///   - since: the earliest time wanted, where the method takes one.
    ///   - until: the time before which all lies, where the method takes one.
    /// - Returns: the query.
    static func page(
        _ configuration: BlueskyConfiguration,
        page: String?,
        since: Timestamp?,
        until: Timestamp?
    ) -> Query {
        var query: Query
        switch configuration.kind {
        case .search:
            query = Query(
                method: "app.bsky.feed.searchPosts",
                parameters: [("q", configuration.query), ("sort", "latest")],
                what: "the search"
            )
            if let language = configuration.language { query.parameters.append(("lang", language)) }
            if let since { query.parameters.append(("since", since.description)) }
            if let until { query.parameters.append(("until", until.description)) }
        case .author:
            query = Query(
                method: "app.bsky.feed.getAuthorFeed",
                parameters: [("actor", configuration.actor), ("filter", configuration.filter.parameter)],
                what: "the account's posts"
            )
        case .notifications:
            query = Query(method: "app.bsky.notification.listNotifications", parameters: [], what: "the notifications")
        case .list:
            query = Query(
                method: "app.bsky.feed.getListFeed",
                parameters: [("list", configuration.address)],
                what: "the list"
            )
        case .feed, .jetstream:
            query = Query(
                method: "app.bsky.feed.getFeed",
                parameters: [("feed", configuration.address)],
                what: "the feed"
            )
        }
        query.parameters.append(("limit", String(pageSize)))
        if let page { query.parameters.append(("cursor", page)) }
        return query
    }

    /// The newest post of an account, to see whether it is there.
    static func newest(of did: String) -> Query {
        Query(
            method: "app.bsky.feed.getAuthorFeed",
            parameters: [("actor", did), ("limit", "1")],
            what: "the account's posts"
        )
    }

    /// Posts by their addresses, at most ``mostPosts``.
    static func posts(_ addresses: some Swift.Sequence<String>) -> Query {
        Query(
            method: "app.bsky.feed.getPosts",
            parameters: addresses.map { ("uris", $0) },
            what: "the posts' state"
        )
    }

    /// The request of a query.
    static func request(_ query: Query, server: String, token: String?) -> HTTPClientRequest {
        var request = HTTPClientRequest(.get, server + query.path, maximumBodySize: maximumPage)
        request.headers[.accept] = "application/json"
        if let token {
            request.headers[.authorization] = "Bearer \(token)"
            request.headers[proxy] = "did:web:api.bsky.app#bsky_appview"
        }
        return request
    }

    /// Tells an account's server which service a query is meant for.
    private static let proxy = HTTPField.Name("atproto-proxy") ?? .accept

    // MARK: - Sessions

    /// Signs in.
    static func createSession(_ credentials: BlueskyConfiguration.Credentials, server: String) -> HTTPClientRequest {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("identifier", credentials.identifier)
        writer.member("password", credentials.password.reveal())
        writer.endObject()
        return post("com.atproto.server.createSession", server: server, token: nil, body: writer.bytes)
    }

    /// Trades a refresh token for new tokens.
    static func refreshSession(_ token: String, server: String) -> HTTPClientRequest {
        post("com.atproto.server.refreshSession", server: server, token: token, body: [])
    }

    private static func post(_ method: String, server: String, token: String?, body: [UInt8]) -> HTTPClientRequest {
        // Credentials are not sent after a redirect, and no such method has one.
        var request = HTTPClientRequest(
            .post,
            "\(server)/xrpc/\(method)",
            body: body,
            maximumBodySize: 1 << 20,
            maximumRedirects: 0
        )
        request.headers[.accept] = "application/json"
        if !body.isEmpty { request.headers[.contentType] = "application/json" }
        if let token { request.headers[.authorization] = "Bearer \(token)" }
        return request
    }

    // MARK: - Jetstream

    /// The lists of accounts that are sent in the address rather than in a message.
    private static let mostDIDsInAddress = 50

    /// The handshake for a stream.
    static func jetstream(_ configuration: BlueskyConfiguration, from cursor: Int?) -> WebSocketRequest {
        var items: [(String, String)] = []
        let isFirst = configuration.wire == .first
        for collection in configuration.collections {
            items.append((isFirst ? "wantedCollections" : "collections", collection))
        }
        if sendsOptions(configuration) {
            items.append(("requireHello", "true"))
        } else {
            for did in configuration.dids { items.append((isFirst ? "wantedDids" : "dids", did)) }
        }
        items.append(("maxMessageSizeBytes", String(configuration.maximumMessageSize)))
        if let cursor { items.append(("cursor", String(cursor))) }
        var url = webSocket(configuration.baseURL)
        url += isFirst ? "/subscribe" : "/xrpc/network.bsky.jetstream.subscribeEvents"
        for (position, item) in items.enumerated() {
            url += "\(position == 0 ? "?" : "&")\(item.0)=\(item.1.percentEncoded)"
        }
        var request = WebSocketRequest(url, maximumMessageSize: configuration.maximumMessageSize + 1024)
        if !isFirst { request.headers[.secWebSocketProtocol] = "xrpc.v1.json" }
        return request
    }

    /// Whether the accounts are too many for an address, and sent as the first message.
    static func sendsOptions(_ configuration: BlueskyConfiguration) -> Bool {
        configuration.wire == .first && configuration.dids.count > mostDIDsInAddress
    }

    /// The message that sets the filters of the first wire.
    static func options(_ configuration: BlueskyConfiguration) -> WebSocketMessage {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "options_update")
        writer.key("payload")
        writer.beginObject()
        writer.key("wantedCollections")
        writer.beginArray()
        for collection in configuration.collections { writer.string(collection) }
        writer.endArray()
        writer.key("wantedDids")
        writer.beginArray()
        for did in configuration.dids { writer.string(did) }
        writer.endArray()
        writer.member("maxMessageSizeBytes", configuration.maximumMessageSize)
        writer.endObject()
        writer.endObject()
        return .text(writer.bytes)
    }

    private static func webSocket(_ url: String) -> String {
        url.hasPrefix("https:") ? "wss" + url.dropFirst(5) : "ws" + url.dropFirst(4)
    }

    // MARK: - Errors

    /// The name and words of an error body, `{error, message}`; nil when it is none.
    static func problem(_ body: [UInt8]) -> String? {
        guard body.count <= 64 << 10 else { return nil }
        // A body that is no JSON says nothing beyond its status.
        return try? JSONParser(maximumDepth: 8, maximumSize: 64 << 10).parse(body) { root in
            root["error"] == nil ? nil : BlueskyNormalizer.errorName(root["error"])
        }
    }

    /// The account that is asked for is not there.
    struct AccountGone: Error {
        /// Whether the server says that it was closed, rather than that it knows none.
        var isCertain: Bool
    }

    /// Whether an error body says that the account does not exist: there is no name for that, only words.
    private static func isProfileMissing(_ body: [UInt8]) -> Bool {
        let isMissing = try? JSONParser(maximumDepth: 8, maximumSize: 64 << 10).parse(body) { root in
            root["message"]?.isString("Profile not found") == true
        }
        // A body that is no JSON says nothing beyond its status.
        return isMissing ?? false
    }

    /// What a refusal means for the host; nil for a success.
    static func error(_ status: Int, _ headers: HTTPFields, _ body: [UInt8], now: Timestamp, what: String)
        -> ConnectorError?
    {
        guard status >= 400 else { return nil }
        let problem = problem(body) ?? ""
        let said = problem.isEmpty ? "status \(status)" : "\(problem), status \(status)"
        switch problem {
        case "ExpiredToken", "InvalidToken", "AuthenticationRequired", "AuthMissing", "BadJwt":
            return ConnectorError(.unauthorized, "\(what): the credentials are not accepted (\(said)); check them")
        case "AuthFactorTokenRequired":
            return ConnectorError(
                .unauthorized,
                "\(what): the account asks for a second factor; use an app password (\(said))"
            )
        case "AccountTakedown", "AccountDeactivated", "AccountSuspended":
            return ConnectorError(
                .rejected,
                "\(what): the account is closed (\(said))",
                underlying: AccountGone(isCertain: true)
            )
        case "BlockedActor", "BlockedByActor":
            return ConnectorError(.rejected, "\(what): one of the two accounts blocks the other (\(said))")
        case "BadQueryString":
            return ConnectorError(.rejected, "\(what): the server does not understand the query (\(said))")
        case "UnknownList", "UnknownFeed", "NotFound":
            return ConnectorError(.rejected, "\(what): nothing is there (\(said)); check its name")
        case "UpstreamFailure", "UpstreamTimeout", "InternalServerError", "NotEnoughResources":
            return ConnectorError(
                .unavailable,
                "\(what): the server failed (\(said))",
                retryAt: RetryAfter.moment(in: headers, now: now)
            )
        case "InvalidRequest" where status == 400 && isProfileMissing(body):
            return ConnectorError(
                .rejected,
                "\(what): there is no such account (\(said)); check its name",
                underlying: AccountGone(isCertain: false)
            )
        case "InvalidRequest" where status == 400:
            return ConnectorError(.rejected, "\(what): the server refuses the request (\(said)); check its settings")
        default: return ConnectorError.of(status: status, headers: headers, now: now, what: what)
        }
    }
}
