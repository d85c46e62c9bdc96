import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// Sends requests to X: asks the account's quota, authorises, and turns refusals into what the host shall do.
struct XClient: Sendable {
    let context: ConnectorContext
    let baseURL: String
    let credentials: XCredentials

    /// Sends a request and reads the whole answer.
    func fetch(_ request: XRequest) async throws -> [UInt8] {
        let response = try await open(request)
        do {
            return try await response.body.collect()
        } catch let error as HTTPClientError {
            throw Self.failure(error, request.what)
        }
    }

    /// Sends a request and returns once its answer has begun, with a status below 400.
    ///
    /// A user's token that X does not take any more is refreshed once.
    func open(_ request: XRequest) async throws -> HTTPClientResponse {
        try context.quota.admit(request.bucket)
        let token = try await userToken(insteadOf: nil)
        let response = try await send(request, token)
        if response.status == 401, let token {
            let fresh = try await userToken(insteadOf: token)
            return try await accepted(try await send(request, fresh), request)
        }
        return try await accepted(response, request)
    }

    private func userToken(insteadOf rejected: Secret?) async throws -> Secret? {
        guard case .oauth2(let clientID, let clientSecret, let refreshToken) = credentials else { return nil }
        let keeper = XTokenKeeper(
            context: context,
            baseURL: baseURL,
            clientID: clientID,
            clientSecret: clientSecret,
            configured: refreshToken
        )
        return try await keeper.accessToken(insteadOf: rejected)
    }

    private func send(_ request: XRequest, _ token: Secret?) async throws -> HTTPClientResponse {
        let url = baseURL + request.path
        let query = request.query.isEmpty ? "" : "?" + request.query.encoded
        var sent = HTTPClientRequest(
            request.method,
            url + query,
            body: request.body,
            deadlines: request.deadlines,
            maximumBodySize: request.maximumBodySize,
            // A redirect would carry the credentials elsewhere.
            maximumRedirects: 0
        )
        if !request.body.isEmpty { sent.headers[.contentType] = request.contentType }
        sent.headers[.authorization] = authorization(request, url, token)
        do {
            let response = try await context.http.send(sent)
            context.quota.observe(response.headers, bucket: request.bucket)
            return response
        } catch let error as HTTPClientError {
            throw Self.failure(error, request.what)
        }
    }

    private func authorization(_ request: XRequest, _ url: String, _ token: Secret?) -> String? {
        switch credentials {
        case .none: nil
        case .bearer(let token): "Bearer \(token.reveal())"
        case .oauth2: token.map { "Bearer \($0.reveal())" }
        case .oauth1(let signer):
            signer.authorization(
                request.method,
                url,
                request.query,
                timestamp: context.clock.now.milliseconds / 1000,
                nonce: String(UInt64.random(in: .min ... .max), radix: 36)
                    + String(UInt64.random(in: .min ... .max), radix: 36)
            )
        }
    }

    private func accepted(_ response: HTTPClientResponse, _ request: XRequest) async throws -> HTTPClientResponse {
        guard response.status >= 300 else { return response }
        var body: [UInt8] = []
        do {
            // Enough for any problem; a longer body is no problem but a page for people.
            for try await chunk in response.body {
                body += chunk
                if body.count > 64 << 10 { break }
            }
        } catch let error as HTTPClientError {
            throw Self.failure(error, request.what)
        }
        if let error = ConnectorError.ofX(
            status: response.status,
            headers: response.headers,
            body: body,
            now: context.clock.now,
            what: request.what
        ) {
            throw XRefusal(error: error, problem: XProblem(body), status: response.status)
        }
        throw ConnectorError(
            .rejected,
            "\(request.what): the server answers with a redirect (status \(response.status)); check `base_url`"
        )
    }

    /// A transfer that failed, with how long X wants us to wait after it.
    static func failure(_ error: HTTPClientError, _ what: String) -> ConnectorError {
        var failure = ConnectorError.of(error, what: what)
        if failure.code == .unavailable { failure.ladder = XLadders.transport }
        return failure
    }
}

/// A refusal with what X says of it, for those who can mend it; others take the error.
struct XRefusal: Error {
    var error: ConnectorError
    var problem: XProblem?
    var status: Int
}
