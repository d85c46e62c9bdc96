public import HTTPTypes
public import JSON
public import SocialEvents

extension ConnectorError {
    /// What a response's status means for the host, or `nil` when it is no failure (below 400).
    ///
    /// A connector whose platform uses a status in another way looks at it first and asks here for the rest.
    ///
    /// | status | code |
    /// |---|---|
    /// | 401, 403, 407 | `unauthorized`; 403 with an exhausted limit or a `Retry-After` is `rateLimited` |
    /// | 404, 410 and other 4xx | `rejected` |
    /// | 405, 406, 415, 501, 505 | `unsupported` |
    /// | 408, 421, 425, other 5xx | `unavailable`, not before `Retry-After` |
    /// | 420, 429 | `rateLimited` until `Retry-After`, or until the exhausted limit resets |
    ///
    /// - Parameters:
    ///   - status: the status code.
    ///   - headers: the response's.
    ///   - body: the response's, for platforms that say there how long to wait; never repeated in the message.
    ///   - now: the time now.
    ///   - what: what was asked for, in words for the message: `the feed`, `the search`.
    /// - Returns: the failure.
    public static func of(
        status: Int,
        headers: HTTPFields,
        body: [UInt8] = [],
        now: Timestamp,
        what: String
    ) -> ConnectorError? {
        guard status >= 400 else { return nil }
        let retryAt = RetryAfter.moment(in: headers, body: body, now: now)
        let limitedUntil = retryAt ?? RateLimit.exhaustedUntil(in: headers, now: now)
        switch status {
        case 403 where limitedUntil != nil, 420, 429:
            return ConnectorError(
                .rateLimited,
                "\(what): the platform asks to wait (status \(status))",
                retryAt: limitedUntil
            )
        case 401, 407:
            return ConnectorError(
                .unauthorized,
                "\(what): the credentials are missing or not accepted (status \(status)); check them"
            )
        case 403:
            return ConnectorError(
                .unauthorized,
                "\(what): not allowed with these credentials (status 403); check their rights"
            )
        case 404: return ConnectorError(.rejected, "\(what): nothing is there (status 404); check its name or URL")
        case 410: return ConnectorError(.rejected, "\(what): gone for good (status 410); remove the source")
        case 405, 406, 415, 501, 505:
            return ConnectorError(.unsupported, "\(what): the server does not offer this (status \(status))")
        case 408, 421, 425, 500...:
            return ConnectorError(.unavailable, "\(what): the server failed (status \(status))", retryAt: retryAt)
        default:
            return ConnectorError(.rejected, "\(what): the server refuses the request (status \(status))")
        }
    }

    /// What a failed transfer means for the host.
    ///
    /// - Parameters:
    ///   - error: the failure.
    ///   - what: what was asked for, in words for the message.
    /// - Returns: the failure, with how to mend it.
    public static func of(_ error: HTTPClientError, what: String) -> ConnectorError {
        switch error.code {
        case .addressRefused:
            ConnectorError(
                .rejected,
                "\(what): \(error.message); write `allow_private_network: true` for this source if the address is meant",
                underlying: error
            )
        case .invalidRequest, .redirect:
            ConnectorError(.rejected, "\(what): \(error.message)", underlying: error)
        // An answer that is too large is the server's fault, of this moment as far as anybody knows.
        case .bodyTooLarge, .nameResolution, .connection, .tls, .deadline, .protocolViolation, .shutDown:
            ConnectorError(.unavailable, "\(what): \(error.message)", underlying: error)
        }
    }

    /// A payload that cannot be read as JSON, kept as a dead letter.
    public static func malformed(_ error: JSONError, payload: [UInt8], what: String) -> ConnectorError {
        let reason = "\(what): \(error.description)"
        return ConnectorError(
            .malformed,
            reason,
            deadLetter: DeadLetter(reason: reason, contentType: "application/json", payload: payload),
            underlying: error
        )
    }
}
