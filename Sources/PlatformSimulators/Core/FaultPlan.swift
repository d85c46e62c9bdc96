import HTTPTypes
import Synchronization

/// The faults a simulator still has to show.
package final class FaultPlan: Sendable {
    private let pending = Mutex<[Fault]>([])

    /// Nothing goes wrong.
    package init() {}

    /// Adds a fault; those of one kind happen one after the other.
    package func add(_ fault: Fault) {
        guard fault.count > 0 else { return }
        pending.withLock { $0.append(fault) }
    }

    /// Forgets what has not happened yet.
    package func clear() {
        pending.withLock { $0.removeAll() }
    }

    /// What has not happened yet.
    package var waiting: [Fault] { pending.withLock { $0 } }

    /// Whether a fault of that kind shall happen now; if so, it counts as having happened.
    ///
    /// - Parameters:
    ///   - kind: what would go wrong.
    ///   - route: the path of the request; nil where there is none, such as in open streams, which every fault of the kind touches.
    /// - Returns: whether it goes wrong.
    package func takes(_ kind: Fault.Kind, on route: String? = nil) -> Bool {
        pending.withLock { faults in
            guard let index = faults.firstIndex(where: { $0.kind == kind && (route?.hasPrefix($0.route) ?? true) })
            else {
                return false
            }
            guard faults[index].after == 0 else {
                faults[index].after -= 1
                return false
            }
            faults[index].count -= 1
            if faults[index].count == 0 { faults.remove(at: index) }
            return true
        }
    }

    /// The answer to a request that goes wrong in a way all platforms share; `nil` when it shall be answered well.
    package func answer(for request: SimulatedRequest) -> SimulatedAnswer? {
        if takes(.serverError, on: request.path) {
            return .html(
                .internalServerError,
                "<html><body><h1>We're sorry, but something went wrong.</h1></body></html>"
            )
        }
        if takes(.unavailable, on: request.path) {
            return .html(
                .serviceUnavailable,
                headers: [.retryAfter: "1"],
                "<html><head><title>503 Service Temporarily Unavailable</title></head><body>nginx</body></html>"
            )
        }
        if takes(.notJSON, on: request.path) {
            return .html(.ok, "<!doctype html><html><body>Checking your browser …</body></html>")
        }
        if takes(.truncated, on: request.path) {
            return SimulatedAnswer(
                .ok,
                headers: [.contentType: "application/json; charset=utf-8"],
                body: .broken(Array("[{\"id\":\"1\",\"content\":\"and then the line went d".utf8), after: 30)
            )
        }
        if takes(.gzipBomb, on: request.path) {
            return SimulatedAnswer(
                .ok,
                headers: [.contentType: "application/json; charset=utf-8", .contentEncoding: "gzip"],
                body: .bytes(GzipBomb.bytes(decompressedSize: 256 << 20))
            )
        }
        if takes(.hang, on: request.path) { return SimulatedAnswer(.ok, body: .silence) }
        return nil
    }
}
