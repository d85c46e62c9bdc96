public import SocialEvents

/// A failure whose code tells the host what to do next.
public struct ConnectorError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The instructions.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The platform or the way to it is down: try again with back-off.
        case unavailable
        /// The platform asks to wait: try again at ``ConnectorError/retryAt``, or with back-off when it does not say.
        case rateLimited
        /// The credentials do not open the door: stop and ask a person.
        case unauthorized
        /// The platform will never take this request: do not repeat it; stop the source and say why.
        case rejected
        /// The payload cannot be read: set it aside as a dead letter and go on.
        case malformed
        /// The platform or this server does not have what was asked for: stop and say why.
        case unsupported
    }

    /// What to do next.
    public var code: Code
    /// What happened and how to mend it, safe to print: no secrets, no payload.
    public var message: String
    /// The earliest moment to try again, where the platform says.
    public var retryAt: Timestamp?
    /// How the platform wants its failures to be waited out, where it prescribes that, for `unavailable` and `rateLimited`.
    public var ladder: RetryLadder?
    /// The payload that could not be read, for `malformed`.
    public var deadLetter: DeadLetter?
    /// What caused it.
    public var underlying: (any Error)?

    /// A failure.
    public init(
        _ code: Code,
        _ message: String,
        retryAt: Timestamp? = nil,
        ladder: RetryLadder? = nil,
        deadLetter: DeadLetter? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.retryAt = retryAt
        self.ladder = ladder
        self.deadLetter = deadLetter
        self.underlying = underlying
    }

    /// Safe to print.
    public var description: String { "\(code.rawValue): \(message)" }

    /// All there is to know, for a debugger; may hold what `description` leaves out.
    public var debugDescription: String {
        underlying.map { "\(description) (\(String(reflecting: $0)))" } ?? description
    }
}
