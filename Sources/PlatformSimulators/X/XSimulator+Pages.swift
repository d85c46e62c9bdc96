import HTTPTypes
import JSON

// Pages of posts, and accounts.

extension XSimulator {
    /// Search ends so long ago unless it is told otherwise, and never later than ``fresh``.
    private static let settled: Int64 = 30_000
    private static let fresh: Int64 = 10_000
    private static let indexed: Int64 = 7 * 86_400_000

    func search(_ request: SimulatedRequest, _ state: State) -> SimulatedAnswer {
        let now = state.world.now
        guard let query = request.parameter("query"), !query.isEmpty else { return invalid("query") }
        if query.contains("sample:") || query.contains("bio:") { return invalid("query") }
        if faults.takes(.rejectCursor, on: request.path) {
            return invalid(request.parameter("since_id") == nil ? "start_time" : "since_id")
        }
        var end = now - Self.settled
        if let text = request.parameter("end_time") {
            guard let time = XTime.parse(text), time <= now - Self.fresh else { return invalid("end_time") }
            end = time
        }
        var start = now - Self.indexed
        if let text = request.parameter("start_time") {
            guard let time = XTime.parse(text), time >= start else { return invalid("start_time") }
            start = time
        }
        if let text = request.parameter("since_id") {
            guard let id = Int64(text), XWorld.time(of: id) >= now - Self.indexed else { return invalid("since_id") }
        }
        let selected = XQuery(query)
        return page(request, state, least: 10, from: start) { post in
            post.at >= start && post.at < end && selected.matches(post, in: state.world)
        }
    }

    func timeline(_ request: SimulatedRequest, _ path: [String], _ state: State) -> SimulatedAnswer {
        guard let person = state.world.people.indices.first(where: { XWorld.id(of: $0) == path[2] }) else {
            return problem(.notFound, "resource-not-found", "Not Found Error")
        }
        if faults.takes(.rejectCursor, on: request.path) {
            return invalid(request.parameter("since_id") == nil ? "start_time" : "since_id")
        }
        let start = request.parameter("start_time").flatMap(XTime.parse) ?? 0
        let excluded = request.parameter("exclude") ?? ""
        let world = state.world
        if path[3] == "mentions" {
            return page(request, state, least: 5, most: 800) { post in
                post.at >= start && world.mentioned(post).contains(person)
            }
        }
        // What is left out counts towards the bound.
        let most = excluded.contains("replies") ? 800 : 3200
        return page(request, state, least: 5, most: most, counting: { $0.author == person }) { post in
            guard post.author == person, post.at >= start else { return false }
            switch post.relation {
            case .repost?: return !excluded.contains("retweets")
            case .reply?: return !excluded.contains("replies")
            default: return true
            }
        }
    }

    /// A page of what a closure selects, newest first, between `since_id` and the token's place or `until_id`.
    ///
    /// No more is shown than the newest `most` of what is counted, which is what is selected unless told otherwise.
    private func page(
        _ request: SimulatedRequest,
        _ state: State,
        least: Int,
        most: Int = .max,
        from start: Int64 = 0,
        counting isCounted: ((XWorld.Post) -> Bool)? = nil,
        _ isSelected: (XWorld.Post) -> Bool
    ) -> SimulatedAnswer {
        let world = state.world
        let size = request.number("max_results", default: 10, in: least...100)
        let since = request.parameter("since_id").flatMap { Int64($0) } ?? 0
        var before = request.parameter("until_id").flatMap { Int64($0) } ?? Int64.max
        if let token = request.parameter("pagination_token") ?? request.parameter("next_token") {
            guard !faults.takes("forget-token", on: request.path), token.hasPrefix("b26"),
                let place = Int64(token.dropFirst(3), radix: 36)
            else { return invalid("pagination_token") }
            before = place
        }
        var found: [XWorld.Post] = []
        var counted = 0
        for post in world.posts.reversed() {
            guard post.id > since, post.at >= start else { break }
            guard world.isVisible(post) else { continue }
            let isSelected = isSelected(post)
            if isCounted?(post) ?? isSelected { counted += 1 }
            guard counted <= most else { break }
            guard isSelected, post.id < before else { continue }
            guard found.count < size else { return write(found, next: true, request, world) }
            found.append(post)
        }
        return write(found, next: false, request, world)
    }

    private func write(
        _ posts: [XWorld.Post],
        next: Bool,
        _ request: SimulatedRequest,
        _ world: XWorld
    ) -> SimulatedAnswer {
        let rendering = XRendering(
            world: world,
            isNew: faults.takes("new-spelling", on: request.path),
            isStrange: faults.takes(.unknownFields, on: request.path)
        )
        return .json { writer in
            writer.beginObject()
            if let first = posts.first, let last = posts.last {
                writer.key("data")
                writer.beginArray()
                for post in posts { rendering.write(post, into: &writer) }
                writer.endArray()
                rendering.includes(posts, into: &writer)
                writer.key("meta")
                writer.beginObject()
                writer.member("newest_id", String(first.id))
                writer.member("oldest_id", String(last.id))
                if next { writer.member("next_token", "b26" + String(last.id, radix: 36)) }
            } else {
                writer.key("meta")
                writer.beginObject()
            }
            writer.member("result_count", posts.count)
            writer.endObject()
            writer.endObject()
        }
    }

    func account(_ name: String, _ state: State) -> SimulatedAnswer {
        .json { writer in
            writer.beginObject()
            if let index = state.world.people.firstIndex(where: { $0.handle == name }) {
                writer.key("data")
                XRendering(world: state.world).write(person: index, into: &writer)
            } else {
                writer.key("errors")
                writer.beginArray()
                writer.beginObject()
                writer.member("resource_type", "user")
                writer.member("title", "Not Found Error")
                writer.endObject()
                writer.endArray()
            }
            writer.endObject()
        }
    }

    /// 400 with the parameter that is not taken.
    func invalid(_ parameter: String) -> SimulatedAnswer {
        .json(.badRequest) { writer in
            writer.beginObject()
            writer.key("errors")
            writer.beginArray()
            writer.beginObject()
            writer.key("parameters")
            writer.beginObject()
            writer.key(parameter)
            writer.beginArray()
            writer.endArray()
            writer.endObject()
            writer.member("message", "Invalid '\(parameter)'.")
            writer.endObject()
            writer.endArray()
            writer.member("title", "Invalid Request")
            writer.member("detail", "One or more parameters to your request was invalid.")
            writer.member("type", "https://api.twitter.com/2/problems/invalid-request")
            writer.endObject()
        }
    }
}

/// Times as requests have them: `2026-07-24T21:15:50Z`.
enum XTime {
    /// Milliseconds since 1970.
    static func parse(_ text: String) -> Int64? {
        let fields = text.split { $0 == "-" || $0 == "T" || $0 == ":" || $0 == "Z" || $0 == "." }.compactMap {
            Int64($0)
        }
        guard fields.count >= 6 else { return nil }
        // Days from the civil calendar, years beginning in March.
        let year = fields[1] <= 2 ? fields[0] - 1 : fields[0]
        let era = year / 400
        let yearOfEra = year - era * 400
        let month = (fields[1] + 9) % 12
        let dayOfYear = (153 * month + 2) / 5 + fields[2] - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return (((days * 24 + fields[3]) * 60 + fields[4]) * 60 + fields[5]) * 1000
    }
}
