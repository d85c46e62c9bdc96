package import ConnectorKit
import HTTPTypes
package import JSON
package import SocialEvents

/// How requests are authorised.
package enum GraphCredentials: Sendable {
    /// Not at all, as for sources that only take webhooks.
    case none
    /// A token that stays: of a Page, of a system user, of an app.
    case fixed(Secret)
    /// A token that lives some weeks and is refreshed in time.
    case kept(MetaTokenKeeper)
}

/// Sends requests to the Graph API: asks the account's quota, authorises, and turns refusals into what the host shall do.
///
/// The token goes in the `Authorization` header and never in a URL. With the app's secret at hand each call carries an `appsecret_proof`.
package struct GraphClient: Sendable {
    package let context: ConnectorContext
    /// Scheme, host and port, without a slash at its end.
    package let baseURL: String
    /// Such as `v24.0`.
    package let version: String
    package let credentials: GraphCredentials
    /// The app's secret, for `appsecret_proof`; `nil` sends none.
    package let appSecret: Secret?

    /// A client.
    package init(
        context: ConnectorContext,
        baseURL: String,
        version: String,
        credentials: GraphCredentials,
        appSecret: Secret? = nil
    ) {
        self.context = context
        self.baseURL = baseURL
        self.version = version
        self.credentials = credentials
        self.appSecret = appSecret
    }

    /// Sends a request and reads the whole answer.
    ///
    /// A kept token that is not accepted any more is refreshed once.
    ///
    /// - Throws: ``ConnectorError``; its ``ConnectorError/graph`` has the code where the platform said one.
    package func fetch(_ request: GraphRequest) async throws -> GraphAnswer {
        try context.quota.admit(request.bucket)
        let token = try await token(insteadOf: nil)
        do {
            return try await send(request, token)
        } catch let error as ConnectorError where error.graph?.meaning == .token {
            guard case .kept = credentials, let fresh = try await self.token(insteadOf: token) else { throw error }
            return try await send(request, fresh)
        }
    }

    private func token(insteadOf rejected: Secret?) async throws -> Secret? {
        switch credentials {
        case .none: nil
        case .fixed(let token): token
        case .kept(let keeper): try await keeper.accessToken(insteadOf: rejected)
        }
    }

    private func send(_ request: GraphRequest, _ token: Secret?) async throws -> GraphAnswer {
        var request = request
        if let token, let appSecret {
            request.query.append(GraphParameter("appsecret_proof", Self.proof(of: token, appSecret)))
        }
        var sent = HTTPClientRequest(
            request.method,
            baseURL + request.target(version: version),
            deadlines: request.deadlines,
            maximumBodySize: request.maximumBodySize,
            // A redirect would carry the token elsewhere.
            maximumRedirects: 0
        )
        switch request.body {
        case .none: break
        case .form(let parameters):
            sent.headers[.contentType] = "application/x-www-form-urlencoded"
            sent.body = Array(parameters.encoded.utf8)
        case .json(let bytes):
            sent.headers[.contentType] = "application/json"
            sent.body = bytes
        }
        if let token { sent.headers[.authorization] = "Bearer \(token.reveal())" }
        do {
            let response = try await context.http.send(sent)
            context.quota.observe(response.headers, bucket: request.bucket)
            let body = try await response.body.collect()
            let now = context.clock.now
            if let error = ConnectorError.ofGraph(
                status: response.status,
                headers: response.headers,
                body: body,
                now: now,
                what: request.what
            ) {
                throw error
            }
            return GraphAnswer(
                body: body,
                what: request.what,
                notBefore: MetaUsage.notBefore(in: response.headers, now: now)
            )
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: request.what)
        }
    }

    /// Shows that whoever uses the token knows the app's secret: HMAC-SHA256 of the token, in hexadecimal.
    static func proof(of token: Secret, _ appSecret: Secret) -> String {
        Signature(.sha256).make(Array(token.reveal().utf8), key: appSecret)
    }
}

/// What the Graph API answered.
package struct GraphAnswer: Sendable {
    /// The whole body.
    package var body: [UInt8]
    /// What was asked for, in words for an error.
    package var what: String
    /// When to ask again at leisure, where usage nears its end: for ``PullPage/notBefore``.
    package var notBefore: Timestamp?

    /// An answer.
    package init(body: [UInt8], what: String, notBefore: Timestamp? = nil) {
        self.body = body
        self.what = what
        self.notBefore = notBefore
    }

    /// Reads the answer's object.
    ///
    /// - Parameter read: reads it; the values last until it returns.
    /// - Returns: what `read` returns.
    /// - Throws: ``ConnectorError`` `malformed` with the body when it is no JSON object or `read` throws a `JSONError`, the error that stands in
    ///   an answer of status 200, and whatever else `read` throws.
    package func read<Result>(_ read: (JSONValue) throws -> Result) throws -> Result {
        do {
            return try JSONParser().parse(body) { root in
                let root = try root.expectObject()
                if let error = root["error"].flatMap({ GraphError($0) }) {
                    throw error.failure(status: 200, headers: [:], now: Timestamp(seconds: 0), what: what)
                }
                return try read(root)
            }
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: Self.withoutTokens(body), what: what)
        }
    }

    /// A body to be kept: without the tokens and proofs that the platform writes into the addresses of next pages.
    package static func withoutTokens(_ body: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        kept.reserveCapacity(body.count)
        var rest = body[...]
        while let first = rest.first {
            guard let name = credentials.first(where: { rest.starts(with: $0) }) else {
                kept.append(first)
                rest.removeFirst()
                continue
            }
            kept += name
            rest = rest.dropFirst(name.count)
            let link = link(in: rest)
            kept += link
            rest = rest.dropFirst(link.count)
            let value = rest.prefix { isOfToken($0) }
            if !link.isEmpty, !value.isEmpty { kept += "redacted".utf8 } else { kept += value }
            rest = rest.dropFirst(value.count)
        }
        return kept
    }

    private static let credentials = ["access_token", "appsecret_proof", "client_secret"].map { Array($0.utf8) }

    /// What stands between name and value: in an address, in an address in JSON, and in JSON.
    private static func link(in rest: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if let link = links.first(where: { rest.starts(with: $0) }) { return rest.prefix(link.count) }
        let link = rest.prefix { #"": "#.utf8.contains($0) }
        return link.first == UInt8(ascii: "\"") ? link : []
    }

    private static let links = ["=", #"\u003d"#, #"\u003D"#].map { Array($0.utf8) }

    private static func isOfToken(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || "_-|.%~+".utf8.contains(byte)
    }
}
