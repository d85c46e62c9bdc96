package import ConnectorKit
package import SocialEvents

/// Why a step of a connector failed, reduced to what the host acts on.
package struct StepFailure: Sendable, Hashable {
    /// What to do next.
    package var code: ConnectorError.Code
    /// What happened, safe to print.
    package var reason: String
    /// The earliest moment to try again, where the platform says.
    package var retryAt: Timestamp?
    /// How the platform wants its failures to be waited out.
    package var ladder: RetryLadder?
    /// The payload that could not be read.
    package var deadLetter: DeadLetter?

    /// A failure.
    package init(
        _ code: ConnectorError.Code,
        _ reason: String,
        retryAt: Timestamp? = nil,
        ladder: RetryLadder? = nil,
        deadLetter: DeadLetter? = nil
    ) {
        self.code = code
        self.reason = reason
        self.retryAt = retryAt
        self.ladder = ladder
        self.deadLetter = deadLetter
    }

    /// What to make of an error that a connector threw.
    ///
    /// Of errors that are not made for the host only the type is told: their text may hold anything, credentials included.
    package init(_ error: any Error) {
        switch error {
        case let error as ConnectorError:
            self.init(
                error.code,
                Self.bounded(error.message),
                retryAt: error.retryAt,
                ladder: error.ladder,
                deadLetter: error.deadLetter
            )
        case let error as HTTPClientError:
            let code: ConnectorError.Code =
                switch error.code {
                case .invalidRequest, .addressRefused, .redirect: .rejected
                case .nameResolution, .connection, .tls, .deadline, .bodyTooLarge, .protocolViolation, .shutDown:
                    .unavailable
                }
            self.init(code, Self.bounded(error.message))
        case let error as SettingsError:
            self.init(.rejected, Self.bounded(error.description))
        case is CancellationError:
            self.init(.unavailable, "the connector gave up without saying why")
        default:
            self.init(.unavailable, "unexpected error of type \(type(of: error))")
        }
    }

    /// A reason stands in every status and event: a page of HTML has no place there.
    private static func bounded(_ message: String) -> String {
        let cut = message.utf8.count <= 500 ? message : String(message.unicodeScalars.prefix(400)) + "…"
        guard cut.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return cut }
        // A line break would let a platform write lines of its own into logs.
        return String(
            String.UnicodeScalarView(cut.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 })
        )
    }
}
