package import ConnectorKit
package import PlatformSimulators
package import SocialEvents

extension SimulatedCall {
    /// The call as the hub's listener hands it to a connector.
    package func delivery(at time: Timestamp) -> WebhookDelivery {
        let query = url.split(separator: "?", maxSplits: 1).dropFirst().joined()
        let asked = SimulatedRequest(method, "/?\(query)", base: "http://127.0.0.1")
        return WebhookDelivery(method: method, query: asked.query, headers: headers, body: body, receivedAt: time)
    }
}

extension WebhookSimulator {
    /// Has a source take every call that waits, as the hub does when all goes well, and the simulator learn the answers.
    ///
    /// - Parameters:
    ///   - source: who is called.
    ///   - time: when.
    ///   - take: takes what the source accepts.
    /// - Returns: how many calls the source refused.
    /// - Throws: what the source throws.
    package func call(
        _ source: any WebhookSource,
        at time: Timestamp,
        _ take: ([Event], [DeadLetter]) -> Void
    ) async throws -> Int {
        var refused = 0
        while true {
            let calls = takeCalls()
            guard !calls.isEmpty else { return refused }
            for call in calls {
                switch try await source.receive(call.delivery(at: time)) {
                case .challenge(let reply, _): answered(call, status: 200, body: reply)
                case .rejected(let status, _):
                    refused += 1
                    answered(call, status: status, body: [])
                case .accepted(let events, let letters):
                    take(events, letters)
                    answered(call, status: 200, body: [])
                }
            }
        }
    }
}
