package import HTTPTypes

/// A stand-in of a platform that also calls: webhooks, and the questions before them.
///
/// ``SimulatorServer`` makes the calls over loopback; a test in the same process hands them to a connector itself.
package protocol WebhookSimulator: PlatformSimulator {
    /// The calls that are to be made now; each is answered for by ``answered(_:status:body:)``.
    func takeCalls() -> [SimulatedCall]

    /// Learns what came of a call.
    ///
    /// - Parameters:
    ///   - call: one of ``takeCalls()``.
    ///   - status: the answer's status; `nil` when none came.
    ///   - body: the answer's body, its first kilobytes.
    func answered(_ call: SimulatedCall, status: Int?, body: [UInt8])
}

/// A request that a platform makes.
package struct SimulatedCall: Sendable {
    /// Which one.
    package var id: Int
    /// The method.
    package var method: HTTPRequest.Method
    /// Where to, with the query.
    package var url: String
    /// The header fields, without those that the connection needs.
    package var headers: HTTPFields
    /// The body.
    package var body: [UInt8]
}
