import HTTPTypes
import JSON

/// How a test steers a simulator over HTTP.
///
/// | request | does |
/// |---|---|
/// | `GET /_simulator/ledger?from=0` | the ledger from that entry on, one JSON object a line |
/// | `POST /_simulator/posts?count=10` | lets people say that many things |
/// | `POST /_simulator/faults` with `{"kind":"drop","route":"/api","count":1,"after":0}` | lets that go wrong; only `kind` is required |
/// | `DELETE /_simulator/faults` | nothing goes wrong any more |
struct SimulatorControl {
    static let prefix = "/_simulator/"

    let simulator: any PlatformSimulator

    func answer(_ request: SimulatedRequest) -> SimulatedAnswer {
        switch (request.method, request.path) {
        case (.get, "/_simulator/ledger"):
            return SimulatedAnswer(
                .ok,
                headers: [.contentType: "application/x-ndjson"],
                body: .bytes(simulator.ledger.ndjson(from: request.number("from", default: 0, in: 0...Int.max)))
            )
        case (.post, "/_simulator/posts"):
            simulator.publish(request.number("count", default: 1, in: 0...1_000_000))
            return SimulatedAnswer(.noContent)
        case (.post, "/_simulator/faults"):
            guard let fault = fault(request.body) else {
                return .json(.badRequest) {
                    $0.error("expected {\"kind\": ..., \"route\": ..., \"count\": ..., \"after\": ...}")
                }
            }
            let known = Fault.Kind.shared.union(type(of: simulator).ownFaults)
            guard known.contains(fault.kind) else {
                let names = known.map(\.rawValue).sorted().joined(separator: ", ")
                return .json(.badRequest) {
                    $0.error("no fault is called `\(fault.kind.rawValue)`; known are: \(names)")
                }
            }
            simulator.faults.add(fault)
            return SimulatedAnswer(.noContent)
        case (.delete, "/_simulator/faults"):
            simulator.faults.clear()
            return SimulatedAnswer(.noContent)
        default:
            return .json(.notFound) { $0.error("no such control") }
        }
    }

    private func fault(_ body: [UInt8]) -> Fault? {
        try? JSONParser(maximumSize: 1 << 16).parse(body) { root -> Fault? in
            guard let kind = root["kind"]?.string else { return nil }
            let (count, after) = (root["count"]?.int ?? 1, root["after"]?.int ?? 0)
            guard count > 0, after >= 0 else { return nil }
            return Fault(
                Fault.Kind(rawValue: kind),
                route: root["route"]?.string ?? "",
                count: Int(count),
                after: Int(after)
            )
        }
    }
}

extension JSONWriter {
    fileprivate mutating func error(_ message: String) {
        beginObject()
        member("error", message)
        endObject()
    }
}

extension PlatformSimulator {
    /// Answers a request, be it one of a test's that steers.
    func controlled(_ request: SimulatedRequest) async -> SimulatedAnswer {
        request.path.hasPrefix(SimulatorControl.prefix)
            ? SimulatorControl(simulator: self).answer(request) : await answer(request)
    }
}
