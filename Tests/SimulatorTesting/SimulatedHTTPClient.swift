package import ConnectorKit
import HTTPTypes
package import PlatformSimulators

/// Lets a connector talk to a simulator in the same process: no port, no clock, no waiting.
///
/// Limits and truncation are kept as the real transport keeps them; compressed answers are not decompressed, but refused as too large.
package struct SimulatedHTTPClient<Simulator: PlatformSimulator>: HTTPClient {
    private let simulator: Simulator
    private let base: String

    /// A client for which every URL under `base` leads to the simulator.
    package init(_ simulator: Simulator, base: String) {
        self.simulator = simulator
        self.base = base
    }

    /// Asks the simulator.
    package func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        guard request.url.hasPrefix(base + "/") else {
            throw HTTPClientError(.nameResolution, "nothing but \(base) is there")
        }
        let answer = await simulator.answer(
            SimulatedRequest(
                request.method,
                String(request.url.dropFirst(base.count)),
                headers: request.headers,
                body: request.body,
                base: base
            )
        )
        let body: HTTPBody
        switch answer.body {
        case .bytes(let bytes):
            guard bytes.count <= request.maximumBodySize, answer.headers[.contentEncoding] == nil else {
                throw HTTPClientError(.bodyTooLarge, "the body is larger than \(request.maximumBodySize) bytes")
            }
            body = Self.body([bytes], then: nil)
        case .broken(let bytes, let count):
            body = Self.body([Array(bytes.prefix(count))], then: HTTPClientError(.connection, "the connection broke"))
        case .stream(let stream):
            let lease = StreamLease(stream)
            body = HTTPBody {
                do {
                    return try await lease.stream.next()
                } catch is SimulatedStream.BrokenOff {
                    try Task.checkCancellation()
                    throw HTTPClientError(.connection, "the connection broke")
                }
            }
        case .silence:
            throw HTTPClientError(.deadline, "no answer")
        }
        return HTTPClientResponse(
            status: Int(answer.status.code),
            headers: answer.headers,
            url: request.url,
            body: body
        )
    }

    private static func body(_ chunks: [[UInt8]], then failure: HTTPClientError?) -> HTTPBody {
        let rest = Chunks(chunks)
        return HTTPBody {
            if let chunk = rest.next() { return chunk }
            if let failure { throw failure }
            return nil
        }
    }
}
