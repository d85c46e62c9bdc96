import ConnectorKit
import FoundationEssentials
import HTTPTypes
import HubCore
import Hummingbird
import JSON
import MessageBus
import SocialEvents

/// `/v1/deadletters`: payloads that could not be read, to look at, to have read again and to discard.
struct DeadLetterRoutes: Sendable {
    let hub: Hub

    /// Most letters of a page of the list.
    private static let largestPage = 1_000
    /// Letters read from the log at once, since their payloads come along.
    private static let step = 16

    func add(to router: Router<BasicRequestContext>) {
        router.get("/v1/deadletters") { request, _ in
            try await list(DeadLetterRequest(request, most: Self.largestPage, otherwise: 100))
        }
        router.get("/v1/deadletters/:id") { _, context in
            let id = try id(context)
            guard let kept = try await hub.deadLetter(id) else { throw Self.nothing(id) }
            var json = JSONWriter(reserving: kept.letter.payload.count * 2 + 1_024)
            json.beginObject()
            kept.writeMembers(to: &json)
            kept.writePayload(to: &json)
            json.endObject()
            return Response.json(json)
        }
        router.delete("/v1/deadletters/:id") { _, context in
            let id = try id(context)
            guard try await hub.bus.discardDeadLetter(id) else { throw Self.nothing(id) }
            return Response(status: .noContent)
        }
        router.post("/v1/deadletters/:id/retry") { _, context in
            let id = try id(context)
            guard let result = try await command({ try await hub.retryDeadLetter(id) }) else { throw Self.nothing(id) }
            var json = JSONWriter()
            result.write(to: &json)
            return Response.json(json)
        }
        router.post("/v1/deadletters/retry") { request, _ in
            let wanted = try DeadLetterRequest(request, most: Hub.largestRound, otherwise: 20)
            guard let source = wanted.source else {
                throw Problem(
                    .badRequest,
                    "missing-parameter",
                    "source says whose dead letters are to be read again",
                    parameter: "source"
                )
            }
            return try await retry(source, wanted)
        }
    }

    // MARK: What is asked

    private func id(_ context: BasicRequestContext) throws -> Int64 {
        let text = try context.parameters.require("id")
        guard let id = Int64(text), id > 0 else {
            throw Problem(
                .badRequest,
                "bad-parameter",
                "a dead letter is named by its number, such as 42, not \"\(text.prefix(60))\"",
                parameter: "id"
            )
        }
        return id
    }

    private static func nothing(_ id: Int64) -> Problem {
        Problem(.notFound, "no-such-dead-letter", "there is no dead letter \(id); it may have been read or discarded")
    }

    // MARK: What is answered

    private func list(_ wanted: DeadLetterRequest) async throws -> Response {
        let counts = try await hub.bus.deadLetterCounts()
        if let source = wanted.source, counts[source] == nil, hub.source(source) == nil {
            // Sources that are no longer configured may have left letters.
            throw Problem(HubCommandError.unknownSource(source, nearest: nearest(source, counts)))
        }
        var json = JSONWriter()
        json.beginObject()
        json.key("dead_letters")
        json.beginArray()
        var position = wanted.after
        var left = wanted.limit
        var next: Int64?
        while next == nil {
            // One more than is given tells whether there are more.
            let step = min(left + 1, Self.step)
            let letters = try await hub.bus.deadLetters(of: wanted.source, after: position, limit: step)
            for kept in letters.prefix(left) {
                json.beginObject()
                kept.writeMembers(to: &json)
                json.endObject()
                position = kept.id
            }
            if letters.count > left { next = position }
            left -= min(left, letters.count)
            if letters.count < step { break }
        }
        json.endArray()
        json.key("counts")
        json.beginArray()
        for (source, count) in counts.sorted(by: { $0.key.name < $1.key.name }) {
            json.beginObject()
            json.member("source", source.name)
            json.member("count", count)
            json.endObject()
        }
        json.endArray()
        json.member("next", next)
        json.endObject()
        return Response.json(json)
    }

    private func retry(_ source: SourceName, _ wanted: DeadLetterRequest) async throws -> Response {
        let round = try await command {
            try await hub.retryDeadLetters(of: source, after: wanted.after, limit: wanted.limit)
        }
        var json = JSONWriter()
        json.beginObject()
        json.key("results")
        json.beginArray()
        for result in round.results { result.write(to: &json) }
        json.endArray()
        json.member("next", round.next)
        json.endObject()
        return Response.json(json)
    }

    private func nearest(_ source: SourceName, _ counts: [SourceName: Int]) -> String? {
        NearestName.of(source.name, in: hub.sources().map(\.name.name) + counts.keys.map(\.name))
    }

    private func command<Value: Sendable>(_ run: () async throws -> Value) async throws -> Value {
        do {
            return try await run()
        } catch let error as HubCommandError {
            throw Problem(error)
        }
    }
}

/// What is asked of `/v1/deadletters`, checked.
struct DeadLetterRequest {
    var source: SourceName?
    var after: Int64 = 0
    var limit: Int

    private static let known = ["source", "after", "limit"]

    init(_ request: Request, most: Int, otherwise limit: Int) throws {
        self.limit = limit
        for (name, value) in request.uri.queryParameters.map({ (String($0.key), String($0.value)) }) {
            switch name {
            case "source": source = SourceName(value)
            case "after": after = Int64(try Self.number(value, of: name, in: 0...Int.max))
            case "limit": self.limit = try Self.number(value, of: name, in: 1...most)
            default: throw Problem(unknownParameter: name, known: Self.known)
            }
        }
    }

    private static func number(_ text: String, of name: String, in range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(text), range.contains(number) else {
            let bounds =
                range.upperBound == .max
                ? "\(range.lowerBound) or above" : "from \(range.lowerBound) to \(range.upperBound)"
            throw Problem(
                .badRequest,
                "bad-parameter",
                "\(name) is a number \(bounds), not \"\(text.prefix(60))\"",
                parameter: name
            )
        }
        return number
    }
}

extension StoredDeadLetter {
    /// All but the payload.
    fileprivate func writeMembers(to json: inout JSONWriter) {
        json.member("id", id)
        json.member("source", source.name)
        json.member("recorded_at", recordedTime.description)
        json.member("reason", letter.reason)
        json.member("content_type", letter.contentType)
        json.member("size", letter.payload.count)
        if letter.isCut { json.member("cut", true) }
        json.member("attempts", attempts)
    }

    /// The payload: as text where it is UTF-8, in base64 otherwise.
    fileprivate func writePayload(to json: inout JSONWriter) {
        if let text = String(validating: letter.payload, as: UTF8.self) {
            json.member("text", text)
        } else {
            json.member("base64", Data(letter.payload).base64EncodedString())
        }
    }
}

extension DeadLetterResult {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", id)
        switch outcome {
        case .read: json.member("outcome", "read")
        case .kept(let reason):
            json.member("outcome", "kept")
            json.member("reason", reason)
        case .gone: json.member("outcome", "gone")
        }
        json.member("events", events)
        if isStuck { json.member("stuck", true) }
        json.endObject()
    }
}
