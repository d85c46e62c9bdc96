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
struct SimulatorControl<Simulator: PlatformSimulator> {
    static var prefix: String { "/_simulator/" }

    let simulator: Simulator

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
            return Fault(
                Fault.Kind(rawValue: kind),
                route: root["route"]?.string ?? "",
                count: root["count"]?.int.map { Int($0) } ?? 1,
                after: root["after"]?.int.map { Int($0) } ?? 0
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
