import ConnectorKit
import FoundationEssentials
import HTTPTypes
import JSON
import SocialEvents

/// Keeps a user's access token fresh: X gives a new refresh token with each, and takes none twice.
///
/// The tokens belong to the account, not to a source. They are refreshed by one source at a time and kept before they are used, so that a crash in
/// between costs nothing but a request.
struct XTokenKeeper: Sendable {
    let context: ConnectorContext
    let baseURL: String
    let clientID: String
    let clientSecret: Secret?
    /// The refresh token of the configuration, which counts until X has given a newer one, and again when a person writes another.
    let configured: Secret

    private static let key = "x-oauth2"
    /// Tokens are not used in their last minute.
    private static let margin = Duration.seconds(60)

    private struct Tokens {
        var access: String
        var refresh: String
        var expires: Timestamp
        /// What the configuration had when these were first made, as a digest.
        var origin: String
    }

    /// A token that is good for a while.
    ///
    /// - Parameter rejected: one that X has refused, to be replaced whatever its time.
    /// - Returns: the token.
    /// - Throws: ``ConnectorError`` `unauthorized` when X takes the refresh token no more: a person must allow the access again.
    func accessToken(insteadOf rejected: Secret?) async throws -> Secret {
        if let tokens = try await kept(), isGood(tokens, rejected) { return Secret(tokens.access) }
        return try await context.account.exclusively(Self.key) {
            // Another source may have been here while this one waited.
            let known = try await kept()
            if let known, isGood(known, rejected) { return Secret(known.access) }
            // A task of its own, awaited right here: whoever cancels the step must not come between X's answer, which makes the old refresh token
            // void, and the new one's being kept. It ends by the request's deadlines.
            return try await Task {
                let tokens = try await refresh(known?.refresh ?? configured.reveal())
                try await keep(tokens)
                return Secret(tokens.access)
            }.value
        }
    }

    private func isGood(_ tokens: Tokens, _ rejected: Secret?) -> Bool {
        tokens.expires > context.clock.now.advanced(by: Self.margin) && rejected?.reveal() != tokens.access
    }

    /// A digest of the configured token: enough to see that it has changed.
    private var origin: String { Signature(.sha256).make(Array("refresh".utf8), key: configured) }

    private func kept() async throws -> Tokens? {
        guard let bytes = try await context.account.value(for: Self.key) else { return nil }
        // What cannot be read is as good as nothing: the configured token decides.
        let tokens = try? JSONParser().parse(bytes) { json in
            Tokens(
                access: try json.requiredString("access"),
                refresh: try json.requiredString("refresh"),
                expires: Timestamp(milliseconds: Int64(try json.requiredInt("expires"))),
                origin: try json.requiredString("origin")
            )
        }
        return tokens?.origin == origin ? tokens : nil
    }

    private func keep(_ tokens: Tokens) async throws {
        let bytes = XAPI.json { writer in
            writer.member("access", tokens.access)
            writer.member("refresh", tokens.refresh)
            writer.member("expires", tokens.expires.milliseconds)
            writer.member("origin", tokens.origin)
        }
        try await context.account.setValue(bytes, for: Self.key)
    }

    private func refresh(_ token: String) async throws -> Tokens {
        let what = "the user's access token"
        var form = [XParameter("grant_type", "refresh_token"), XParameter("refresh_token", token)]
        var request = HTTPClientRequest(
            .post,
            baseURL + "/2/oauth2/token",
            maximumBodySize: 64 << 10,
            maximumRedirects: 0
        )
        request.headers[.contentType] = "application/x-www-form-urlencoded"
        if let clientSecret {
            let pair = "\(clientID.percentEncoded):\(clientSecret.reveal().percentEncoded)"
            request.headers[.authorization] = "Basic " + Data(pair.utf8).base64EncodedString()
        } else {
            form.append(XParameter("client_id", clientID))
        }
        request.body = Array(form.encoded.utf8)
        let body: [UInt8]
        do {
            let response = try await context.http.send(request)
            body = try await response.body.collect()
            if response.status == 400 || response.status == 401 {
                throw ConnectorError(
                    .unauthorized,
                    "\(what): X does not take the refresh token any more; allow the access again and write the new `refresh_token`"
                )
            }
            if let error = ConnectorError.ofX(
                status: response.status,
                headers: response.headers,
                body: body,
                now: context.clock.now,
                what: what
            ) {
                throw error
            }
        } catch let error as HTTPClientError {
            throw XClient.failure(error, what)
        }
        do {
            return try JSONParser().parse(body) { json in
                let seconds = min(max(try json.optionalInt("expires_in") ?? 7200, 0), 86_400 * 365)
                return Tokens(
                    access: try json.requiredString("access_token"),
                    refresh: try json.optionalString("refresh_token") ?? token,
                    expires: context.clock.now.advanced(by: .seconds(seconds)),
                    origin: origin
                )
            }
        } catch let error as JSONError {
            // Not a dead letter: the body may hold tokens.
            throw ConnectorError(
                .unavailable,
                "\(what): the answer cannot be read: \(error.description)",
                ladder: XLadders.http
            )
        }
    }
}
