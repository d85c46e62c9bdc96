import HTTPTypes
import JSON

// Streams that are opened and counted, rules, tokens.

extension XSimulator {
    func open(_ request: SimulatedRequest, _ endpoint: String, _ state: inout State) -> SimulatedAnswer {
        if endpoint == "filtered_stream" {
            guard !state.rules.isEmpty else {
                return problem(.conflict, "rule-configuration-issue", "RuleConfigurationIssue")
            }
            forgetClosed(&state)
            guard state.streams.count(where: { $0.endpoint == endpoint }) < maximumConnections else {
                return problem(
                    .tooManyRequests,
                    "streaming-connection",
                    "ConnectionException",
                    [("connection_issue", "TooManyConnections")]
                )
            }
        }
        let stream = SimulatedStream()
        let id = "connection-\(state.nextConnection)"
        state.nextConnection += 1
        state.streams.append(Open(id: id, endpoint: endpoint, connectedAt: state.world.now, stream: stream))
        stream.send("\r\n")
        if let from = replayed(request, state.world.now) {
            for notice in state.notices where notice.endpoint == endpoint && notice.at >= from {
                stream.send(notice.line)
            }
        }
        return SimulatedAnswer(.ok, headers: [.contentType: "application/json; charset=utf-8"], body: .stream(stream))
    }

    /// From when on a compliance stream says again what it said.
    private func replayed(_ request: SimulatedRequest, _ now: Int64) -> Int64? {
        let minutes = request.number("backfill_minutes", default: 0, in: 0...5)
        if minutes > 0 { return now - Int64(minutes) * 60_000 }
        return request.parameter("start_time").flatMap(XTime.parse).map { max($0, now - 86_400_000) }
    }

    func listConnections(_ state: State) -> SimulatedAnswer {
        .json { writer in
            writer.beginObject()
            writer.key("data")
            writer.beginArray()
            for open in state.streams where open.endpoint == "filtered_stream" {
                writer.beginObject()
                writer.member("id", open.id)
                writer.member("endpoint_name", open.endpoint)
                writer.member("connected_at", FeedDates.rfc3339(open.connectedAt))
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
    }

    func endConnections(_ request: SimulatedRequest, _ state: inout State) -> SimulatedAnswer {
        let named: [String]? = try? JSONParser().parse(request.body) { root in
            root["uuids"]?.elements.compactMap(\.string) ?? []
        }
        let ids = named ?? []
        let ended = state.streams.filter { ids.contains($0.id) }
        for open in ended { open.stream.breakOff() }
        state.streams.removeAll { ids.contains($0.id) }
        return .json { writer in
            writer.beginObject()
            writer.key("data")
            writer.beginObject()
            writer.member("successful_kills", ended.count)
            writer.member("failed_kills", ids.count - ended.count)
            writer.endObject()
            writer.endObject()
        }
    }

    // MARK: - Rules

    /// Rules on a page.
    private static let rulesAtOnce = 100

    func listRules(_ request: SimulatedRequest, _ state: State) -> SimulatedAnswer {
        let start = request.number("pagination_token", default: 0, in: 0...state.rules.count)
        let end = min(start + Self.rulesAtOnce, state.rules.count)
        return .json { writer in
            writer.beginObject()
            if start < end {
                writer.key("data")
                writer.beginArray()
                for rule in state.rules[start..<end] { write(rule, into: &writer) }
                writer.endArray()
            }
            writer.key("meta")
            writer.beginObject()
            writer.member("result_count", end - start)
            if end < state.rules.count { writer.member("next_token", String(end)) }
            writer.endObject()
            writer.endObject()
        }
    }

    private func write(_ rule: Rule, into writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", rule.id)
        writer.member("value", rule.value)
        writer.member("tag", rule.tag)
        writer.endObject()
    }

    func changeRules(_ request: SimulatedRequest, _ state: inout State) -> SimulatedAnswer {
        struct Change {
            var add: [(value: String, tag: String?)] = []
            var remove: [String] = []
        }
        let change = try? JSONParser().parse(request.body) { root in
            var change = Change()
            for rule in root["add"].map({ Array($0.elements) }) ?? [] {
                change.add.append((try rule.requiredString("value"), rule["tag"]?.string))
            }
            change.remove = root["delete"]?["ids"]?.elements.compactMap(\.string) ?? []
            return change
        }
        guard let change else { return invalid("add") }
        state.rules.removeAll { change.remove.contains($0.id) }
        var added: [Rule] = []
        var duplicates: [Rule] = []
        for (value, tag) in change.add {
            if let standing = state.rules.first(where: { $0.value == value }) {
                duplicates.append(standing)
                continue
            }
            let rule = Rule(id: String(state.nextRule), value: value, tag: tag, query: XQuery(value))
            state.nextRule += 1
            state.rules.append(rule)
            added.append(rule)
        }
        return .json(change.add.isEmpty ? .ok : .created) { writer in
            writer.beginObject()
            if !added.isEmpty {
                writer.key("data")
                writer.beginArray()
                for rule in added { write(rule, into: &writer) }
                writer.endArray()
            }
            if !duplicates.isEmpty {
                writer.key("errors")
                writer.beginArray()
                for rule in duplicates {
                    writer.beginObject()
                    writer.member("id", rule.id)
                    writer.member("value", rule.value)
                    writer.member("title", "DuplicateRule")
                    writer.member("type", "https://api.x.com/2/problems/duplicate-rules")
                    writer.endObject()
                }
                writer.endArray()
            }
            writer.key("meta")
            writer.beginObject()
            writer.endObject()
            writer.endObject()
        }
    }

    // MARK: - Tokens

    func refresh(_ request: SimulatedRequest, _ state: inout State) -> SimulatedAnswer {
        let form = request.form
        guard form.first(where: { $0.name == "refresh_token" })?.value == state.refreshToken else {
            return .json(.badRequest) { writer in
                writer.beginObject()
                writer.member("error", "invalid_request")
                writer.member("error_description", "Value passed for the token was invalid.")
                writer.endObject()
            }
        }
        state.refreshes += 1
        state.refreshToken = "simulated-refresh-token-\(state.refreshes)"
        state.accessToken = "simulated-access-token-\(state.refreshes)"
        state.accessEndsAt = state.world.now + 7_200_000
        let (access, next) = (state.accessToken, state.refreshToken)
        return .json { writer in
            writer.beginObject()
            writer.member("token_type", "bearer")
            writer.member("expires_in", 7200)
            writer.member("access_token", access)
            writer.member("refresh_token", next)
            writer.member("scope", "tweet.read users.read offline.access")
            writer.endObject()
        }
    }
}
