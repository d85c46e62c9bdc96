package import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// Keeps a long-lived access token fresh: it lives about 60 days, and is exchanged for another in its last third.
///
/// The token belongs to the account, not to a source: one source at a time refreshes it, and the new one is kept before it is used. As long as the
/// old one still lives, a refresh that fails changes nothing and is tried again a day later.
package struct MetaTokenKeeper: Sendable {
    /// How a token is exchanged.
    package enum Exchange: Sendable {
        /// Instagram Login: `GET /refresh_access_token?grant_type=ig_refresh_token`; the token must be a day old.
        case instagramLogin
        /// Facebook Login: `POST /oauth/access_token`, `grant_type=fb_exchange_token`, with the app's id and secret.
        case facebookLogin(appID: String, appSecret: Secret)
    }

    package let context: ConnectorContext
    /// Scheme, host and port, without a slash at its end.
    package let baseURL: String
    /// The version of the API for calls that have one.
    package let version: String
    package let exchange: Exchange
    /// The token of the configuration, which counts until it was exchanged, and again when a person writes another.
    package let configured: Secret

    /// A keeper.
    package init(
        context: ConnectorContext,
        baseURL: String,
        version: String,
        exchange: Exchange,
        configured: Secret
    ) {
        self.context = context
        self.baseURL = baseURL
        self.version = version
        self.exchange = exchange
        self.configured = configured
    }

    private static let key = "meta-token"
    /// What is left of a token's life when it is exchanged.
    private static let margin = Duration.seconds(20 * 86_400)
    /// How long after a failed exchange another is tried.
    private static let pause = Duration.seconds(86_400)

    private struct Kept {
        var token: String
        /// When it ends, where known.
        var expires: Timestamp?
        /// When to exchange it.
        var renewal: Timestamp
        /// What the configuration had when this was first made, as a digest.
        var origin: String
    }

    /// A token that is good for a while.
    ///
    /// - Parameter rejected: one that the platform has refused, to be replaced whatever its time.
    /// - Returns: the token.
    /// - Throws: ``ConnectorError`` `unauthorized` when the token has ended and cannot be exchanged: a person must make another.
    package func accessToken(insteadOf rejected: Secret?) async throws -> Secret {
        if let kept = try await kept(), isGood(kept, rejected) { return Secret(kept.token) }
        return try await context.account.exclusively(Self.key) {
            // Another source may have been here while this one waited.
            let known = try await kept()
            if let known, isGood(known, rejected) { return Secret(known.token) }
            // A task of its own, awaited right here: whoever cancels the step must not come between the answer and the new token's being kept. It
            // ends by the request's deadlines.
            return try await Task {
                let kept = try await renewed(known, rejected)
                try await keep(kept)
                return Secret(kept.token)
            }.value
        }
    }

    private func isGood(_ kept: Kept, _ rejected: Secret?) -> Bool {
        kept.renewal > context.clock.now && rejected?.reveal() != kept.token
    }

    /// A new token, or the old one where it cannot be exchanged and still lives as far as anybody knows.
    private func renewed(_ known: Kept?, _ rejected: Secret?) async throws -> Kept {
        let token = known?.token ?? configured.reveal()
        do {
            return try await exchanged(token)
        } catch let error as ConnectorError where rejected == nil {
            let now = context.clock.now
            if let expires = known?.expires, expires <= now { throw error }
            return Kept(token: token, expires: known?.expires, renewal: now.advanced(by: Self.pause), origin: origin)
        }
    }

    private func exchanged(_ token: String) async throws -> Kept {
        let what = "the new access token"
        var sent: HTTPClientRequest
        switch exchange {
        case .instagramLogin:
            let query = [GraphParameter("grant_type", "ig_refresh_token"), GraphParameter("access_token", token)]
            sent = HTTPClientRequest(.get, "\(baseURL)/refresh_access_token?\(query.encoded)", maximumRedirects: 0)
        case .facebookLogin(let appID, let appSecret):
            let form = [
                GraphParameter("grant_type", "fb_exchange_token"), GraphParameter("client_id", appID),
                GraphParameter("client_secret", appSecret.reveal()), GraphParameter("fb_exchange_token", token),
            ]
            sent = HTTPClientRequest(.post, "\(baseURL)/\(version)/oauth/access_token", maximumRedirects: 0)
            sent.headers[.contentType] = "application/x-www-form-urlencoded"
            sent.body = Array(form.encoded.utf8)
        }
        sent.maximumBodySize = 64 << 10
        let now = context.clock.now
        let body: [UInt8]
        do {
            let response = try await context.http.send(sent)
            body = try await response.body.collect()
            if let error = ConnectorError.ofGraph(
                status: response.status,
                headers: response.headers,
                body: body,
                now: now,
                what: what
            ) {
                throw error
            }
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: what)
        }
        do {
            return try JSONParser().parse(body) { json in
                let lifetime = try json.optionalInt("expires_in").map {
                    Duration.seconds(min(max($0, 0), 86_400 * 365))
                }
                // Without a lifetime the token does not end; it is asked for anew now and then all the same.
                let expires = lifetime.map { now.advanced(by: $0) }
                let renewal = expires?.advanced(by: .zero - Self.margin) ?? now.advanced(by: .seconds(30 * 86_400))
                return Kept(
                    token: try json.requiredString("access_token"),
                    expires: expires,
                    renewal: max(renewal, now.advanced(by: Self.pause)),
                    origin: origin
                )
            }
        } catch let error as JSONError {
            // Not a dead letter: the body may hold tokens.
            throw ConnectorError(
                .unavailable,
                "\(what): the answer cannot be read: \(error.description)",
                ladder: GraphLadders.failed
            )
        }
    }

    // MARK: - Keeping

    /// A digest of the configured token: enough to see that it has changed.
    private var origin: String { Signature(.sha256).make(Array("token".utf8), key: configured) }

    private func kept() async throws -> Kept? {
        guard let bytes = try await context.account.value(for: Self.key) else { return nil }
        // What cannot be read is as good as nothing: the configured token decides.
        let kept = try? JSONParser().parse(bytes) { json in
            Kept(
                token: try json.requiredString("token"),
                expires: try json.optionalInt("expires").map { Timestamp(milliseconds: Int64($0)) },
                renewal: Timestamp(milliseconds: Int64(try json.requiredInt("renewal"))),
                origin: try json.requiredString("origin")
            )
        }
        return kept?.origin == origin ? kept : nil
    }

    private func keep(_ kept: Kept) async throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("token", kept.token)
        writer.member("expires", kept.expires?.milliseconds)
        writer.member("renewal", kept.renewal.milliseconds)
        writer.member("origin", kept.origin)
        writer.endObject()
        try await context.account.setValue(writer.bytes, for: Self.key)
    }
}
