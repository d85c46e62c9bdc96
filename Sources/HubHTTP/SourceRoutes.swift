import ConnectorKit
import HTTPTypes
import HubCore
import Hummingbird
import JSON
import MessageBus
import NIOCore
import SocialEvents

/// `/v1/sources`: what the sources do, and pausing them.
struct SourceRoutes: Sendable {
    let hub: Hub

    func add(to router: Router<BasicRequestContext>) {
        router.get("/v1/sources") { _, _ in
            let letters = try await hub.bus.deadLetterCounts()
            var json = JSONWriter()
            json.beginObject()
            json.key("sources")
            json.beginArray()
            for status in hub.sources() { status.write(to: &json, deadLetters: letters[status.name] ?? 0) }
            json.endArray()
            json.endObject()
            return Response.json(json)
        }
        router.get("/v1/sources/:name") { _, context in
            try await answer(for: name(context))
        }
        router.post("/v1/sources/:name/pause") { _, context in
            let name = try name(context)
            try await command { try await hub.pause(name) }
            return try await answer(for: name)
        }
        router.post("/v1/sources/:name/resume") { _, context in
            let name = try name(context)
            try await command { try await hub.resume(name) }
            return try await answer(for: name)
        }
    }

    private func name(_ context: BasicRequestContext) throws -> SourceName {
        let text = try context.parameters.require("name")
        return SourceName(text.percentDecoded)
    }

    private func answer(for name: SourceName) async throws -> Response {
        guard let status = hub.source(name) else {
            let nearest =
                NearestName.of(name.name, in: hub.sources().map(\.name.name)).map { "; did you mean `\($0)`?" } ?? ""
            throw Problem(.notFound, "no-such-source", "there is no source `\(name.name.prefix(100))`\(nearest)")
        }
        let letters = try await hub.bus.deadLetterCounts()
        var json = JSONWriter()
        status.write(to: &json, deadLetters: letters[name] ?? 0)
        return Response.json(json)
    }

    private func command(_ run: () async throws -> Void) async throws {
        do {
            try await run()
        } catch let error as HubCommandError {
            throw Problem(error)
        }
    }
}

extension SourceStatus {
    func write(to json: inout JSONWriter, deadLetters: Int) {
        json.beginObject()
        json.member("name", name.name)
        json.member("connector", connector)
        json.member("state", state.rawValue)
        json.member("since", since.description)
        json.member("reason", reason)
        if attempt > 0 { json.member("attempt", attempt) }
        json.member("until", until?.description)
        json.member("last_pull_at", lastPullAt?.description)
        json.member("last_event_at", lastEventAt?.description)
        json.member("next_pull_at", nextPullAt?.description)
        json.member("interval_ms", interval?.wholeMilliseconds)
        json.member("dead_letters", deadLetters)
        json.key("since_start")
        json.beginObject()
        json.member("pulls", counts.pulls)
        json.member("failures", counts.failures)
        json.member("events", counts.events)
        json.member("repeated", counts.repeated)
        json.member("dead_letters", counts.deadLetters)
        json.member("refused", counts.refused)
        json.endObject()
        json.endObject()
    }
}

extension String {
    /// The text with `%XX` decoded (RFC 3986 §2.1); what is no valid escape stays as it is.
    fileprivate var percentDecoded: String {
        var decoded: [UInt8] = []
        var rest = self[...].utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
                decoded.append(value)
                rest.removeFirst(2)
            } else {
                decoded.append(byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}

extension Response {
    static func json(_ json: JSONWriter, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes))
        )
    }
}
