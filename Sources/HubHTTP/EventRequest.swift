import ConnectorKit
import HTTPTypes
import Hummingbird
import MessageBus
import SocialEvents

/// What a reader asks of `/v1/events`, checked.
struct EventRequest {
    enum Start: Equatable {
        case after(Sequence)
        case earliest
        case now
    }

    var format: EventFormat
    var filter: EventFilter
    var start: Start
    var limit: Int?
    var wait: Duration

    static let maximumPage = 1_000
    static let maximumWait = Duration.seconds(300)
    private static let known = ["after", "limit", "wait", "source", "platform", "type", "duplicates"]

    init(_ request: Request) throws {
        format = try EventFormat(accept: request.headers[.accept])
        filter = EventFilter()
        start = format == .serverSentEvents ? .now : .earliest
        limit = nil
        wait = .zero
        for (name, value) in request.uri.queryParameters.map({ (String($0.key), String($0.value)) }) {
            switch name {
            case "after": start = try Self.start(value, parameter: name)
            case "limit": limit = try Self.limit(value, format: format)
            case "wait": wait = try Self.wait(value)
            case "source": filter.sources.formUnion(Self.list(value).map(SourceName.init))
            case "platform": filter.platforms.formUnion(Self.list(value).map { Platform($0) })
            case "type": filter.types.formUnion(try Self.list(value).map(Self.type))
            case "duplicates": filter.includesDuplicates = try Self.flag(value, parameter: name)
            default:
                throw Problem(unknownParameter: name, known: Self.known)
            }
        }
        if let header = request.headers[.lastEventID], !header.isEmpty {
            start = try Self.start(header, parameter: "Last-Event-ID")
        }
    }

    private static func start(_ text: String, parameter: String) throws -> Start {
        switch text {
        case "earliest": return .earliest
        case "now": return .now
        default:
            guard let sequence = Sequence(text) else {
                throw Problem(
                    .badRequest,
                    "bad-parameter",
                    "\(parameter) is a sequence such as 42 or \(Sequence(42)), `earliest` or `now`, not \"\(text.prefix(60))\"",
                    parameter: parameter
                )
            }
            return .after(sequence)
        }
    }

    private static func limit(_ text: String, format: EventFormat) throws -> Int {
        let most = format == .page ? maximumPage : Int.max
        guard let number = Int(text), number > 0, number <= most else {
            let range = format == .page ? "from 1 to \(maximumPage)" : "above 0"
            throw Problem(
                .badRequest,
                "bad-parameter",
                "limit is a number \(range), not \"\(text.prefix(60))\"",
                parameter: "limit"
            )
        }
        return number
    }

    private static func wait(_ text: String) throws -> Duration {
        let digits = text.hasSuffix("s") ? text.dropLast() : text[...]
        guard let seconds = Int(digits), seconds >= 0, .seconds(seconds) <= maximumWait else {
            throw Problem(
                .badRequest,
                "bad-parameter",
                "wait is a number of seconds such as 30s, at most \(maximumWait.components.seconds)s, not \"\(text.prefix(60))\"",
                parameter: "wait"
            )
        }
        return .seconds(seconds)
    }

    private static func type(_ text: String) throws -> EventType {
        guard let type = EventType(rawValue: text) else {
            let known = EventType.allCases.map(\.rawValue)
            let hint =
                NearestName.of(text, in: known).map { "did you mean \($0)?" }
                ?? "known are \(known.joined(separator: ", "))"
            throw Problem(
                .badRequest,
                "bad-parameter",
                "there is no event type \"\(text.prefix(60))\"; \(hint)",
                parameter: "type"
            )
        }
        return type
    }

    private static func flag(_ text: String, parameter: String) throws -> Bool {
        switch text {
        case "true", "include": return true
        case "false", "exclude": return false
        default:
            throw Problem(
                .badRequest,
                "bad-parameter",
                "\(parameter) is true or false, not \"\(text.prefix(60))\"",
                parameter: parameter
            )
        }
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map(String.init)
    }
}

extension HTTPField.Name {
    static var lastEventID: Self { Self("Last-Event-ID") ?? .range }
}
