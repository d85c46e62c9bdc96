package import ConnectorKit
package import HTTPTypes
package import JSON
package import SocialEvents

/// What the Graph API says of a failure: `{"error": {message, type, code, error_subcode, is_transient, ...}}`, and the elements of WhatsApp's
/// `errors`.
///
/// Nothing of the platform's words is printed: they hold access tokens at times ("Malformed access token ...").
package struct GraphError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The code, by which to decide.
    package var code: Int
    /// The subcode.
    package var subcode: Int?
    /// `OAuthException`, `IGApiException` and the like.
    package var type: String?
    /// The platform's words; not to be printed.
    package var message: String?
    /// The platform says itself that trying again may help.
    package var isTransient: Bool
    /// Words for people, where there are any; not to be printed.
    package var userMessage: String?
    /// What `error_data.details` says, as WhatsApp does; not to be printed.
    package var details: String?
    /// What Meta's support asks for.
    package var traceID: String?

    /// An error of which only its code is known.
    package init(code: Int, subcode: Int? = nil, isTransient: Bool = false) {
        self.code = code
        self.subcode = subcode
        self.isTransient = isTransient
    }

    /// Reads an error object, which has a `code` at least; `nil` for what is none.
    package init?(_ value: JSONValue) {
        guard let code = value["code"].flatMap(Self.number) else { return nil }
        self.init(code: code)
        subcode = value["error_subcode"].flatMap(Self.number)
        type = Self.text(value["type"])
        message = Self.text(value["message"] ?? value["title"])
        isTransient = value["is_transient"]?.bool == true
        userMessage = Self.text(value["error_user_msg"])
        details = Self.text(value["error_data"]?["details"])
        traceID = Self.text(value["fbtrace_id"])
    }

    /// Reads the error of an answer; `nil` for a body that has none, such as the HTML of a load balancer.
    package init?(body: [UInt8]) {
        guard body.count <= 256 << 10 else { return nil }
        // A body that is not JSON says nothing; that is no failure of its own.
        guard let error = try? JSONParser(maximumDepth: 16).parse(body, { $0["error"].flatMap { GraphError($0) } })
        else {
            return nil
        }
        self = error
    }

    /// What the code means.
    package var meaning: GraphMeaning { GraphMeaning(code: code, subcode: subcode, isTransient: isTransient) }

    /// What a person or program should do about it, in a sentence; `nil` for unknown codes.
    package var advice: String? { GraphAdvice.text(code: code, subcode: subcode) }

    /// The numbers alone: `code 190/463`.
    package var description: String { "code \(code)" + (subcode.map { "/\($0)" } ?? "") }

    private static func number(_ value: JSONValue) -> Int? { value.int ?? value.string.flatMap { Int($0) } }

    private static func text(_ value: JSONValue?) -> String? { value?.string.map { String($0.prefix(2000)) } }
}

// MARK: - What the host shall do

extension GraphError {
    /// The instruction for the host, with this error as ``ConnectorError/underlying``.
    ///
    /// | meaning | code |
    /// |---|---|
    /// | token, permission, blocked | `unauthorized`: a person is needed |
    /// | throttled | `rateLimited` until the usage headers say, or by ``GraphLadders/throttled`` |
    /// | transient, notReady | `unavailable` by ``GraphLadders/failed`` |
    /// | gone, invalid, recipient, template | `rejected` |
    /// | unknown | by the status, see ``ConnectorError/of(status:headers:body:now:what:)`` |
    ///
    /// - Parameters:
    ///   - status: the answer's status, which is a hint only.
    ///   - headers: the answer's.
    ///   - now: the time now.
    ///   - what: what was asked for, in words for the message.
    /// - Returns: the failure; it prints no word of the platform.
    package func failure(status: Int, headers: HTTPFields, now: Timestamp, what: String) -> ConnectorError {
        let trace = traceID.map { "; fbtrace_id \($0.printable)" } ?? ""
        let words = "\(what): \(advice ?? "the platform refuses") (\(description)\(trace))"
        var error: ConnectorError
        switch meaning {
        case .token, .permission, .blocked: error = ConnectorError(.unauthorized, words)
        case .throttled:
            error = ConnectorError(
                .rateLimited,
                words,
                retryAt: RetryAfter.moment(in: headers, now: now) ?? RateLimit.exhaustedUntil(in: headers, now: now),
                ladder: GraphLadders.throttled
            )
        case .transient, .notReady: error = ConnectorError(.unavailable, words, ladder: GraphLadders.failed)
        case .gone, .invalid, .recipient, .template: error = ConnectorError(.rejected, words)
        case .unknown:
            let byStatus = ConnectorError.of(status: status, headers: headers, now: now, what: what)
            error = byStatus ?? ConnectorError(.unavailable, words, ladder: GraphLadders.failed)
            error.message = words
        }
        error.underlying = self
        return error
    }
}

/// How long to wait between attempts, where the platform does not say.
package enum GraphLadders {
    /// After a throttled call: calling on prolongs it, and the windows are an hour and a day.
    package static let throttled = RetryLadder(first: .seconds(300), growth: .doubling, cap: .seconds(3600))
    /// After a failure that may pass.
    package static let failed = RetryLadder(first: .seconds(5), growth: .doubling, cap: .seconds(600))
}

extension ConnectorError {
    /// What an answer of the Graph API means for the host; `nil` below 300 without an error in it.
    ///
    /// - Parameters:
    ///   - status: the answer's status.
    ///   - headers: the answer's.
    ///   - body: the answer's; never repeated.
    ///   - now: the time now.
    ///   - what: what was asked for, in words for the message.
    /// - Returns: the failure; ``ConnectorError/underlying`` is the ``GraphError`` where the body has one.
    package static func ofGraph(
        status: Int,
        headers: HTTPFields,
        body: [UInt8],
        now: Timestamp,
        what: String
    ) -> ConnectorError? {
        guard status >= 300 else { return nil }
        if status < 400 {
            return ConnectorError(
                .rejected,
                "\(what): the server answers with a redirect (status \(status)); check `base_url`"
            )
        }
        if let error = GraphError(body: body) {
            return error.failure(status: status, headers: headers, now: now, what: what)
        }
        var error = ConnectorError.of(status: status, headers: headers, body: body, now: now, what: what)
        switch error?.code {
        case .rateLimited: error?.ladder = GraphLadders.throttled
        case .unavailable: error?.ladder = GraphLadders.failed
        default: break
        }
        return error
    }

    /// What the Graph API said, where that is what failed.
    package var graph: GraphError? { underlying as? GraphError }
}

extension String {
    /// The letters, digits, `_` and `-` of ASCII, at most 80: fit for a message.
    var printable: String {
        String(
            unicodeScalars.lazy.filter {
                $0.isASCII && ($0.properties.isAlphabetic || ($0 >= "0" && $0 <= "9") || $0 == "_" || $0 == "-")
            }.prefix(80).map(Character.init)
        )
    }
}
