import HTTPTypes
import JSON
import Synchronization

/// X as the documentation of its API v2 describes it.
///
/// | path | answers |
/// |---|---|
/// | `GET /2/tweets/search/recent` | 7 days by `query`, `since_id`, `start_time`, `end_time`, `pagination_token`, newest first; the last 30 s are not there yet |
/// | `GET /2/users/:id/mentions`, `/2/users/:id/tweets` | the last 800 and 3,200; 800 without replies; what is left out counts |
/// | `GET /2/users/by/username/:name` | one account |
/// | `GET /2/tweets/search/stream` | the filtered stream: a line a post, an empty one every 20 s; 409 without rules, 429 for a second connection |
/// | `GET`, `POST /2/tweets/search/stream/rules` | the rules |
/// | `GET`, `DELETE /2/connections` | the connections that are counted |
/// | `GET /2/tweets/compliance/stream`, `/2/users/compliance/stream` | deletions and protections; those of the last day again by `backfill_minutes`, `start_time` |
/// | `POST /2/oauth2/token` | new tokens for a refresh token, each of which is good once |
///
/// The app's token is ``token``, the first refresh token ``refreshToken``. Beside the faults that all platforms share it knows `throttle` and `usage-cap` (429),
/// `expire-token`, `drop`, `close`, `stall`, `repeat`, `reorder`, `endless-line`, `garbage`, `unknown-type`, `unknown-fields`, `new-spelling`,
/// `operational-disconnect` and `zombie` (the connection that drops next stays counted) for its streams, and `reject-cursor`, `forget-token` for its pages.
package final class XSimulator: PlatformSimulator {
    /// The app's bearer token.
    package static let token = "simulated-app-token"
    /// The refresh token that a user's access begins with.
    package static let refreshToken = "simulated-refresh-token"

    struct Rule {
        var id: String
        var value: String
        var tag: String?
        var query: XQuery
    }

    struct Open {
        var id: String
        var endpoint: String
        var connectedAt: Int64
        var stream: SimulatedStream
        var isZombie = false
    }

    struct State {
        var world: XWorld
        var rules: [Rule] = []
        var nextRule: Int64 = 1_700_000_000_000_000_001
        var streams: [Open] = []
        var nextConnection = 1
        /// What compliance streams said lately, for who comes back.
        var notices: [(endpoint: String, at: Int64, line: [UInt8])] = []
        /// A line of the stream that waits for its successor, and since when.
        var held: (line: [UInt8], at: Int64)?
        var nextKeepAlive: Int64
        var pace: Pace
        /// The refresh token that is good, the access token that goes with it, and until when.
        var refreshToken = XSimulator.refreshToken
        var accessToken: String?
        var accessEndsAt: Int64 = 0
        var refreshes = 0
    }

    /// What happened.
    package let ledger = Ledger()
    /// What shall go wrong.
    package let faults = FaultPlan()
    let maximumConnections: Int
    private let allowances: [String: RequestAllowance]
    let state: Mutex<State>

    /// A platform.
    ///
    /// - Parameters:
    ///   - seed: which story to tell.
    ///   - now: when the story begins, in milliseconds since 1970.
    ///   - history: how many things have happened at the beginning.
    ///   - pace: milliseconds between two things as time passes; 0 for none.
    ///   - generosity: how many times X's own rate limits are granted.
    ///   - connections: how many connections to the filtered stream an app may have.
    package init(
        seed: UInt64 = 1,
        now: Int64,
        history: Int = 60,
        pace: Int64 = 0,
        generosity: Int = 1,
        connections: Int = 1
    ) {
        maximumConnections = connections
        allowances = Self.limits.mapValues { RequestAllowance(limit: $0 * generosity, window: 900_000) }
        let step = max(pace, 1000)
        let world = XWorld(seed: seed, people: 24, now: now - Int64(history) * step, ledger: ledger)
        state = Mutex(State(world: world, nextKeepAlive: now + 20_000, pace: Pace(every: pace, from: now)))
        state.withLock { state in
            for _ in 0..<history {
                _ = state.world.live()
                state.world.now += step
            }
            state.world.now = now
        }
    }

    /// Requests in a quarter of an hour, by the first words of their paths.
    private static let limits = [
        "search": 450, "mentions": 450, "tweets": 10_000, "users": 900, "stream": 50, "rules": 450, "connections": 25,
        "compliance": 100, "token": 1000,
    ]

    /// What can go wrong beside what goes wrong everywhere.
    package static let ownFaults: Set<Fault.Kind> = [
        .throttle, .expireToken, .unknownFields, .drop, .close, .stall, .repeated, .reorder, .garbage, .unknownType,
        .endlessLine, .rejectCursor, "forget-token", "new-spelling", "operational-disconnect", "usage-cap", "zombie",
    ]

    // MARK: - Time and life

    /// Lets that many things happen at once, a little apart.
    package func publish(_ count: Int) {
        state.withLock { state in
            for _ in 0..<count { step(&state) }
        }
    }

    /// Lets time pass.
    package func advance(to now: Int64) {
        state.withLock { state in
            while let moment = state.pace.due(by: now) {
                state.world.now = max(state.world.now, moment)
                step(&state)
            }
            state.world.now = max(state.world.now, now)
            if now >= state.nextKeepAlive {
                state.nextKeepAlive = now + 20_000
                for open in state.streams { open.stream.send("\r\n") }
            }
            if let held = state.held, now - held.at > 2000 {
                state.held = nil
                send(held.line, to: "filtered_stream", &state)
            }
            misbehave(&state)
        }
    }

    private func step(_ state: inout State) {
        state.world.now += 7
        switch state.world.live() {
        case .said(let post): stream(post, &state)
        case .deleted(let post): comply(with: post, &state)
        case .protected(let person, let isProtected):
            let name: StaticString = isProtected ? "user_protect" : "user_unprotect"
            notice(to: "users_compliance_stream", &state) { writer, now in
                writer.key(name)
                writer.beginObject()
                writer.key("user")
                writer.beginObject()
                writer.member("id", XWorld.id(of: person))
                writer.endObject()
                writer.member("event_at", FeedDates.rfc3339(now))
                writer.endObject()
            }
        }
        misbehave(&state)
    }

    private func comply(with post: XWorld.Post, _ state: inout State) {
        // Each version is told of on its own.
        for id in post.history {
            notice(to: "tweets_compliance_stream", &state) { writer, now in
                writer.key("delete")
                writer.beginObject()
                writer.key("tweet")
                writer.beginObject()
                writer.member("id", String(id))
                writer.member("author_id", XWorld.id(of: post.author))
                writer.endObject()
                writer.member("event_at", FeedDates.rfc3339(now))
                writer.endObject()
            }
        }
    }

    private func notice(
        to endpoint: String,
        _ state: inout State,
        _ write: (inout JSONWriter, Int64) -> Void
    ) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("data")
        writer.beginObject()
        write(&writer, state.world.now)
        writer.endObject()
        writer.endObject()
        let line = writer.bytes + Array("\r\n".utf8)
        state.notices.append((endpoint, state.world.now, line))
        if state.notices.count > Self.mostNotices { state.notices.removeFirst(Self.mostNotices / 2) }
        send(line, to: endpoint, &state)
    }

    /// Notices that are kept for who comes back.
    private static let mostNotices = 20_000

    // MARK: - The filtered stream

    private static let streamPath = "/2/tweets/search/stream"

    private func stream(_ post: XWorld.Post, _ state: inout State) {
        guard state.streams.contains(where: { $0.endpoint == "filtered_stream" }), state.world.isVisible(post) else {
            return
        }
        let rules = state.rules.filter { $0.query.matches(post, in: state.world) }
        guard !rules.isEmpty else { return }
        let line = line(post, rules, state)
        if state.held == nil, faults.takes(.reorder, on: Self.streamPath) {
            state.held = (line, state.world.now)
            return
        }
        var bytes = line
        if faults.takes(.garbage, on: Self.streamPath) { bytes = Array("{\"data\":{\"id\":\"1\r\n".utf8) + bytes }
        if faults.takes(.unknownType, on: Self.streamPath) {
            bytes = Array("{\"tide\":{\"height\":\(post.id % 9)}}\r\n".utf8) + bytes
        }
        if faults.takes(.repeated, on: Self.streamPath) { bytes += line }
        if let held = state.held {
            bytes += held.line
            state.held = nil
        }
        send(bytes, to: "filtered_stream", &state)
    }

    private func line(_ post: XWorld.Post, _ rules: [Rule], _ state: State) -> [UInt8] {
        let rendering = XRendering(
            world: state.world,
            isNew: faults.takes("new-spelling", on: Self.streamPath),
            isStrange: faults.takes(.unknownFields, on: Self.streamPath)
        )
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("data")
        rendering.write(post, into: &writer)
        rendering.includes([post], into: &writer)
        writer.key("matching_rules")
        writer.beginArray()
        for rule in rules {
            writer.beginObject()
            writer.member("id", rule.id)
            writer.member("tag", rule.tag)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes + Array("\r\n".utf8)
    }

    private func send(_ bytes: [UInt8], to endpoint: String, _ state: inout State) {
        let isDropped = state.streams.contains { $0.endpoint == endpoint } && faults.takes(.drop)
        for open in state.streams where open.endpoint == endpoint {
            open.stream.send(isDropped ? Array(bytes.prefix(bytes.count / 2)) : bytes)
            if isDropped { open.stream.breakOff() }
        }
        forgetClosed(&state)
    }

    /// Connections that have ended count no more, but for those that the platform has not noticed.
    func forgetClosed(_ state: inout State) {
        for index in state.streams.indices where !state.streams[index].stream.isOpen && !state.streams[index].isZombie {
            if faults.takes("zombie") { state.streams[index].isZombie = true }
        }
        let now = state.world.now
        // A dead connection is noticed in the end.
        state.streams.removeAll { !$0.stream.isOpen && (!$0.isZombie || now - $0.connectedAt > 300_000) }
    }

    /// Does to the open streams what shall be done to them.
    private func misbehave(_ state: inout State) {
        forgetClosed(&state)
        guard state.streams.contains(where: { $0.stream.isOpen }) else { return }
        if faults.takes(.close) {
            for open in state.streams { open.stream.finish() }
        } else if faults.takes("operational-disconnect") {
            for open in state.streams {
                open.stream.send(
                    """
                    {"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect",\
                    "detail":"This stream has been disconnected upstream for operational reasons.",\
                    "type":"https://api.x.com/2/problems/operational-disconnect"}]}\r\n
                    """
                )
                open.stream.finish()
            }
        } else if faults.takes(.stall) {
            for open in state.streams { open.stream.mute() }
        } else if faults.takes(.endlessLine) {
            let line = [UInt8](repeating: UInt8(ascii: "x"), count: 6 << 20)
            for open in state.streams { open.stream.send(Array("{\"data\":\"".utf8) + line) }
        }
        forgetClosed(&state)
    }

    /// What silence does in the end: every connection breaks off, as a client's deadline would see it.
    package func breakStreams() {
        state.withLock { state in
            for open in state.streams { open.stream.breakOff() }
            forgetClosed(&state)
        }
    }

    /// How many connections are counted, half-dead ones too.
    package var countedConnections: Int { state.withLock { $0.streams.count } }

    /// How many connections somebody may still be reading.
    package var openStreams: Int { state.withLock { state in state.streams.count { $0.stream.isOpen } } }

    /// Whether somebody listens and has heard all that was said.
    package var isHeard: Bool {
        state.withLock { state in
            let open = state.streams.filter(\.stream.isOpen)
            return !open.isEmpty && open.allSatisfy(\.stream.isAwaited)
        }
    }

    /// The rules that stand, as `tag: value`.
    package var standingRules: [String] { state.withLock { $0.rules.map { "\($0.tag ?? ""): \($0.value)" } } }

    // MARK: - Requests

    /// Answers a request.
    package func answer(_ request: SimulatedRequest) async -> SimulatedAnswer {
        if let answer = faults.answer(for: request) { return answer }
        let path = request.segments
        guard path.first == "2", let bucket = bucket(path), let allowance = allowances[bucket] else {
            return problem(.notFound, "resource-not-found", "Not Found Error")
        }
        let now = state.withLock { $0.world.now }
        if bucket != "token", faults.takes(.expireToken, on: request.path) { state.withLock { $0.accessEndsAt = 0 } }
        if bucket != "token", !isAuthorized(request) {
            return problem(.unauthorized, nil, "Unauthorized")
        }
        var standing = allowance.take("\(bucket) \(request.bearer ?? "")", at: now)
        if faults.takes(.throttle, on: request.path) {
            standing.isAdmitted = false
            standing.remaining = 0
            standing.resetAt = now + 2000
        }
        var answer: SimulatedAnswer
        if faults.takes("usage-cap", on: request.path) {
            answer = problem(
                .tooManyRequests,
                "usage-capped",
                "UsageCapExceeded",
                [("period", "Monthly"), ("scope", "Product")]
            )
        } else if standing.isAdmitted {
            answer = route(request, path)
        } else {
            answer = problem(.tooManyRequests, nil, "Too Many Requests")
        }
        answer.headers[Self.limitField] = String(standing.limit)
        answer.headers[Self.remainingField] = String(standing.remaining)
        answer.headers[Self.resetField] = String((standing.resetAt + 999) / 1000)
        return answer
    }

    private static let limitField = HTTPField.Name("x-rate-limit-limit") ?? .date
    private static let remainingField = HTTPField.Name("x-rate-limit-remaining") ?? .date
    private static let resetField = HTTPField.Name("x-rate-limit-reset") ?? .date

    private func bucket(_ path: [String]) -> String? {
        switch (path.count, path.dropFirst().first) {
        case (4, "tweets") where path[2] == "search": path[3] == "recent" ? "search" : "stream"
        case (5, "tweets") where path[4] == "rules": "rules"
        case (4, "tweets"): "compliance"
        case (4, "users") where path[2] == "compliance": "compliance"
        case (4, "users"): path[3] == "mentions" ? "mentions" : path[3] == "tweets" ? "tweets" : nil
        case (5, "users"): "users"
        case (2, "connections"): "connections"
        case (3, "oauth2"): "token"
        default: nil
        }
    }

    private func isAuthorized(_ request: SimulatedRequest) -> Bool {
        // Requests signed with OAuth 1.0a are taken as they are.
        if request.headers[.authorization]?.hasPrefix("OAuth ") == true { return true }
        guard let bearer = request.bearer else { return false }
        return bearer == Self.token
            || state.withLock { $0.accessToken == bearer && $0.accessEndsAt > $0.world.now }
    }

    private func route(_ request: SimulatedRequest, _ path: [String]) -> SimulatedAnswer {
        state.withLock { state in
            switch (request.method, path.dropFirst().joined(separator: "/")) {
            case (.get, "tweets/search/recent"): return search(request, state)
            case (.get, "tweets/search/stream"): return open(request, "filtered_stream", &state)
            case (.get, "tweets/search/stream/rules"): return listRules(request, state)
            case (.post, "tweets/search/stream/rules"): return changeRules(request, &state)
            case (.get, "connections"): return listConnections(state)
            case (.delete, "connections"): return endConnections(request, &state)
            case (.get, "tweets/compliance/stream"): return open(request, "tweets_compliance_stream", &state)
            case (.get, "users/compliance/stream"): return open(request, "users_compliance_stream", &state)
            case (.post, "oauth2/token"): return refresh(request, &state)
            case (.get, _) where path[1] == "users" && path.count == 4: return timeline(request, path, state)
            case (.get, _) where path[1] == "users" && path.count == 5: return account(path[4], state)
            default: return problem(.notFound, "resource-not-found", "Not Found Error")
            }
        }
    }

    /// A refusal as problem+json.
    func problem(
        _ status: HTTPResponse.Status,
        _ kind: String?,
        _ title: String,
        _ more: [(StaticString, String)] = []
    ) -> SimulatedAnswer {
        .json(status) { writer in
            writer.beginObject()
            writer.member("title", title)
            writer.member("detail", title)
            writer.member("type", kind.map { "https://api.x.com/2/problems/\($0)" } ?? "about:blank")
            writer.member("status", Int(status.code))
            for (name, value) in more { writer.member(name, value) }
            writer.endObject()
        }
    }
}
