import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// What signing in gave: kept in the account, over restarts, since signing in is limited to 300 times a day.
struct BlueskySession: Sendable, Hashable {
    /// Who signed in, and where: a session is forgotten when the settings name another.
    var identifier: String
    var server: String
    /// The account's own server, where requests go.
    var home: String
    /// For requests; lives for some hours.
    var access: Secret
    /// For new tokens; lives for months, and each use gives another.
    var refresh: Secret

    /// The key in the account.
    static let key = "bluesky-session"

    /// What the server answered to a sign-in or a refresh.
    ///
    /// The account's server is told by its DID document; one that is not reached by `https`, unless the configured one is not either, is not
    /// believed.
    init(identifier: String, server: String, body: [UInt8]) throws {
        self.identifier = identifier
        self.server = server
        do {
            (access, refresh, home) = try JSONParser(maximumSize: 1 << 20).parse(body) { root in
                let home = Self.home(root["didDoc"]).flatMap { url in
                    WebAddress.isValid(url) && (url.hasPrefix("https:") || server.hasPrefix("http:")) ? url : nil
                }
                return (
                    Secret(try root.requiredString("accessJwt")), Secret(try root.requiredString("refreshJwt")),
                    home ?? server
                )
            }
        } catch {
            // The bytes hold tokens: they are no dead letter.
            throw ConnectorError(.unavailable, "the session: the server's answer cannot be read")
        }
        let tokens = [access.reveal(), refresh.reveal()]
        guard tokens.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }) else {
            throw ConnectorError(.unavailable, "the session: the server's tokens cannot be sent in a header")
        }
    }

    private static func home(_ document: JSONValue?) -> String? {
        guard let services = document?["service"] else { return nil }
        for service in services.elements.prefix(50) {
            guard service["type"]?.isString("AtprotoPersonalDataServer") == true,
                let endpoint = service["serviceEndpoint"]?.string
            else { continue }
            return endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        }
        return nil
    }

    /// What was kept; nil when it cannot be read, which means signing in again.
    init?(stored: [UInt8]) {
        let parts = try? JSONParser(maximumSize: 64 << 10).parse(stored) { root in
            try ["identifier", "server", "home", "access", "refresh"].map { key in
                guard let text = root[named: key]?.string else { throw JSONError(.missing, "incomplete") }
                return text
            }
        }
        guard let parts else { return nil }
        (identifier, server, home) = (parts[0], parts[1], parts[2])
        (access, refresh) = (Secret(parts[3]), Secret(parts[4]))
    }

    /// What to keep.
    var stored: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("identifier", identifier)
        writer.member("server", server)
        writer.member("home", home)
        writer.member("access", access.reveal())
        writer.member("refresh", refresh.reveal())
        writer.endObject()
        return writer.bytes
    }
}

/// When an account signed in, over the last day.
struct BlueskyLogins: Sendable {
    /// The key in the account.
    static let key = "bluesky-logins"
    /// The platform allows 300 a day; the rest is left to the account's other programs.
    static let most = 200

    private var times: [Int64] = []

    /// What was kept; anything unreadable counts as nothing.
    init(stored: [UInt8]?) {
        guard let stored else { return }
        times =
            (try? JSONParser(maximumSize: 64 << 10).parse(stored) { $0.elements.compactMap { $0.int.map(Int64.init) } })
            ?? []
    }

    /// Counts another, or says when one is allowed again.
    mutating func admit(now: Timestamp) -> Timestamp? {
        let day: Int64 = 86_400_000
        times.removeAll { $0 <= now.milliseconds - day || $0 > now.milliseconds }
        if times.count >= Self.most, let oldest = times.min() { return Timestamp(milliseconds: oldest + day) }
        times.append(now.milliseconds)
        return nil
    }

    /// What to keep.
    var stored: [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for time in times { writer.integer(time) }
        writer.endArray()
        return writer.bytes
    }
}

/// Asks servers, signed in or not.
struct BlueskyService: Sendable {
    let configuration: BlueskyConfiguration
    let context: ConnectorContext

    /// The answer's body to a query.
    ///
    /// Signs in where credentials are given and there is no session yet, and trades the tokens for new ones when they have expired: once for
    /// all sources of the account.
    ///
    /// - Throws: ``ConnectorError``; `CancellationError` when cancelled.
    func ask(_ query: BlueskyAPI.Query) async throws -> [UInt8] {
        guard let credentials = configuration.credentials else {
            let answer = try await send(
                BlueskyAPI.request(query, server: configuration.baseURL, token: nil),
                bucket: Self.requests,
                what: query.what
            )
            try check(answer, query.what)
            return answer.body
        }
        var session = try await self.session(credentials, replacing: nil)
        for isLast in [false, true] {
            let answer = try await send(
                BlueskyAPI.request(query, server: session.home, token: session.access.reveal()),
                bucket: Self.requests,
                what: query.what
            )
            if !isLast, Self.isExpired(answer) {
                session = try await self.session(credentials, replacing: session.access)
                continue
            }
            try check(answer, query.what)
            return answer.body
        }
        throw ConnectorError(.unauthorized, "\(query.what): the server does not accept the tokens it has just given")
    }

    private struct Answer: Sendable {
        var status: Int
        var headers: HTTPFields
        var body: [UInt8]
    }

    private static let requests = "requests"
    private static let logins = "createSession"

    private func send(_ request: HTTPClientRequest, bucket: String, what: String) async throws -> Answer {
        try context.quota.admit(bucket)
        do {
            let response = try await context.http.send(request)
            context.quota.observe(response.headers, bucket: bucket)
            return Answer(
                status: response.status,
                headers: response.headers,
                body: try await response.body.collect()
            )
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: what)
        }
    }

    private func check(_ answer: Answer, _ what: String) throws {
        if let error = BlueskyAPI.error(
            answer.status,
            answer.headers,
            answer.body,
            now: context.clock.now,
            what: what
        ) {
            throw error
        }
    }

    /// Whether the tokens have expired, which servers tell with status 400 as well as 401.
    private static func isExpired(_ answer: Answer) -> Bool {
        guard answer.status == 400 || answer.status == 401 else { return false }
        switch BlueskyAPI.problem(answer.body) {
        case "ExpiredToken", "InvalidToken": return true
        default: return answer.status == 401
        }
    }

    // MARK: - Signing in

    /// The session to use; where `expired` is given, one whose token is another.
    private func session(
        _ credentials: BlueskyConfiguration.Credentials,
        replacing expired: Secret?
    ) async throws -> BlueskySession {
        if let session = try await kept(credentials), session.access != expired { return session }
        return try await context.account.exclusively(BlueskySession.key) {
            // Another source may have done it while this one waited.
            let known = try await kept(credentials)
            if let known, known.access != expired { return known }
            if let known, let session = try await refreshed(known) { return session }
            return try await signedIn(credentials)
        }
    }

    private func kept(_ credentials: BlueskyConfiguration.Credentials) async throws -> BlueskySession? {
        guard let stored = try await context.account.value(for: BlueskySession.key),
            let session = BlueskySession(stored: stored),
            session.identifier == credentials.identifier, session.server == configuration.baseURL
        else { return nil }
        return session
    }

    /// The session with new tokens; nil when the old ones are good for nothing any more.
    private func refreshed(_ session: BlueskySession) async throws -> BlueskySession? {
        let what = "the session"
        let request = BlueskyAPI.refreshSession(session.refresh.reveal(), server: session.home)
        let answer = try await send(request, bucket: Self.requests, what: what)
        if answer.status == 400 || answer.status == 401 { return nil }
        try check(answer, what)
        var next = try BlueskySession(identifier: session.identifier, server: session.server, body: answer.body)
        if next.home == next.server { next.home = session.home }
        try await context.account.setValue(next.stored, for: BlueskySession.key)
        return next
    }

    private func signedIn(_ credentials: BlueskyConfiguration.Credentials) async throws -> BlueskySession {
        let what = "signing in"
        var logins = BlueskyLogins(stored: try await context.account.value(for: BlueskyLogins.key))
        if let moment = logins.admit(now: context.clock.now) {
            throw ConnectorError(
                .rateLimited,
                "\(what): this account has signed in \(BlueskyLogins.most) times within a day",
                retryAt: moment
            )
        }
        // Kept before it is tried: a hub that crashes over and over must not use up the day's sign-ins.
        try await context.account.setValue(logins.stored, for: BlueskyLogins.key)
        let request = BlueskyAPI.createSession(credentials, server: configuration.baseURL)
        let answer = try await send(request, bucket: Self.logins, what: what)
        try check(answer, what)
        guard answer.status < 300 else {
            throw ConnectorError(
                .rejected,
                "\(what): the server points elsewhere; set `base_url` to the account's server"
            )
        }
        let session = try BlueskySession(
            identifier: credentials.identifier,
            server: configuration.baseURL,
            body: answer.body
        )
        try await context.account.setValue(session.stored, for: BlueskySession.key)
        return session
    }
}
