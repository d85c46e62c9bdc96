import HTTPTypes
import Hummingbird

/// The forms in which events are given.
enum EventFormat: CaseIterable {
    /// One JSON document with a page of events.
    case page
    /// One event a line (NDJSON).
    case lines
    /// Server-sent events (WHATWG HTML §9.2).
    case serverSentEvents

    var contentType: String {
        switch self {
        case .page: "application/json"
        case .lines: "application/x-ndjson"
        case .serverSentEvents: "text/event-stream"
        }
    }

    /// What the request's `Accept` prefers; a page where it has no preference.
    init(accept header: String?) throws {
        guard let header, !header.isEmpty else {
            self = .page
            return
        }
        var best: (format: EventFormat, quality: Double)?
        for item in header.split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
            guard let range = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            guard quality > 0, let format = Self.matching(range) else { continue }
            if quality > best?.quality ?? 0 { best = (format, quality) }
        }
        guard let best else {
            throw Problem(
                .notAcceptable,
                "not-acceptable",
                "events are given as application/json, application/x-ndjson or text/event-stream",
                parameter: "Accept"
            )
        }
        self = best.format
    }

    private static func matching(_ range: String) -> EventFormat? {
        switch range {
        case "application/json", "application/*", "*/*", "application/cloudevents-batch+json": .page
        case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines": .lines
        case "text/event-stream", "text/*": .serverSentEvents
        default: nil
        }
    }
}
