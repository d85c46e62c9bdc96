import HTTPTypes
import JSON
import Synchronization

/// The servers of Bluesky in one: an account's server with its sessions, the AppView, and Jetstream on both of its wires.
///
/// | path | answers |
/// |---|---|
/// | `/xrpc/com.atproto.server.createSession`, `refreshSession` | tokens for ``identifier`` and ``password``; refresh tokens rotate |
/// | `/xrpc/app.bsky.feed.searchPosts`, `getAuthorFeed`, `getListFeed`, `getFeed`, `app.bsky.notification.listNotifications` | pages, newest first, by `limit` and `cursor`; searches also by `since` and `until` |
/// | `/xrpc/app.bsky.feed.getPosts` | posts by address, without those that are gone |
/// | `/subscribe`, `/xrpc/network.bsky.jetstream.subscribeEvents` | the stream, as a WebSocket: ``subscribe(_:)`` |
///
/// Notifications need a token; searches need one for all but the first page, as the public server's do. Beside the faults that all platforms share it knows
/// `throttle`, `expire-token` (400 `ExpiredToken`), `unknown-fields`, `reject-cursor` (400 `InvalidRequest` for all but a first page); in its streams
/// `drop`, `close`, `stall`, `repeat`, `reorder`, `garbage`, `unknown-type`, `endless-line` (a message of 2 MiB), `clamp-cursor` (replay begins too late),
/// `reject-cursor` (400 `CursorTooOld`). What goes wrong in streams does so when something happens.
package final class BlueskySimulator: WebSocketSimulator {
    /// Who may sign in.
    package static let identifier = "reader.harbour.example"
    /// Their app password.
    package static let password = "abcd-efgh-ijkl-mnop"
    /// What else can go wrong here.
    package static let ownFaults: Set<Fault.Kind> = [
        .throttle, .expireToken, .unknownFields, .drop, .close, .stall, .repeated, .reorder, .garbage, .unknownType,
        .endlessLine, .clampCursor, .rejectCursor,
    ]
    /// Most posts that one search shows.
    private static let searchDepth = 1000

    struct Session {
        var generation = 0
        var isExpired = false
        var created = 0
    }

    struct State {
        var world: BlueskyWorld
        var session = Session()
        var subscriptions: [BlueskySubscription] = []
        /// A message of the streams that waits for its successor.
        var held: BlueskyWorld.Happening?
        var pace: Pace
    }

    /// What happened.
    package let ledger = Ledger()
    /// What shall go wrong.
    package let faults = FaultPlan()
    private let allowance: RequestAllowance
    let state: Mutex<State>

    /// A network.
    ///
    /// - Parameters:
    ///   - seed: which story to tell.
    ///   - now: when the story begins, in milliseconds since 1970.
    ///   - history: how much has happened at the beginning.
    ///   - pace: milliseconds between two happenings as time passes; 0 for none.
    ///   - requests: how many requests a client has in five minutes.
    package init(seed: UInt64 = 1, now: Int64, history: Int = 60, pace: Int64 = 0, requests: Int = 3000) {
        allowance = RequestAllowance(limit: requests, window: 300_000)
        let step = max(pace, 1000)
        let world = BlueskyWorld(seed: seed, people: 24, now: now - Int64(history) * step, ledger: ledger)
        state = Mutex(State(world: world, pace: Pace(every: pace, from: now)))
        state.withLock { state in
            for _ in 0..<history {
                state.world.live()
                state.world.now += step
            }
            state.world.now = now
        }
    }

    /// The DID of a person.
    package func did(_ person: Int) -> String { state.withLock { $0.world.did(person) } }

    /// How many streams are open.
    package var openStreams: Int {
        state.withLock { state in state.subscriptions.count { $0.messages.isOpen } }
    }

    /// How often somebody signed in.
    package var signIns: Int { state.withLock { $0.session.created } }

    // MARK: - Time and life

    /// Lets people do `count` things at once.
    package func publish(_ count: Int) {
        state.withLock { state in
            for _ in 0..<count { live(&state) }
        }
    }

    /// Lets happen what the pace brings.
    package func advance(to now: Int64) {
        state.withLock { state in
            while let moment = state.pace.due(by: now) {
                state.world.now = max(state.world.now, moment)
                live(&state)
            }
            state.world.now = max(state.world.now, now)
        }
    }

    private func live(_ state: inout State) {
        let before = state.world.happenings.count
        state.world.live()
        for happening in state.world.happenings[before...] { send(happening, &state) }
    }

    // MARK: - Answers

    /// Answers a request that is no handshake.
    package func answer(_ request: SimulatedRequest) async -> SimulatedAnswer {
        if let fault = faults.answer(for: request) { return fault }
        let now = state.withLock { $0.world.now }
        let standing = allowance.take("client", at: now)
        var headers: HTTPFields = [:]
        let isThrottled = !standing.isAdmitted || faults.takes(.throttle, on: request.path)
        let values: [(String, String)] = [
            ("RateLimit-Limit", String(standing.limit)),
            ("RateLimit-Remaining", String(isThrottled ? 0 : standing.remaining)),
            ("RateLimit-Reset", String(standing.resetAt / 1000)), ("RateLimit-Policy", "\(standing.limit);w=300"),
        ]
        for (name, value) in values {
            if let field = HTTPField.Name(name) { headers[field] = value }
        }
        if isThrottled {
            return Self.error(.tooManyRequests, "RateLimitExceeded", "Rate Limit Exceeded", headers)
        }
        var answer = state.withLock { self.answer(request, &$0) }
        for field in headers { answer.headers.append(field) }
        return answer
    }

    static func error(
        _ status: HTTPResponse.Status,
        _ name: String,
        _ message: String,
        _ headers: HTTPFields = [:]
    ) -> SimulatedAnswer {
        .json(status, headers: headers) { writer in
            writer.beginObject()
            writer.member("error", name)
            writer.member("message", message)
            writer.endObject()
        }
    }

    private func answer(_ request: SimulatedRequest, _ state: inout State) -> SimulatedAnswer {
        guard request.path.hasPrefix("/xrpc/") else { return Self.error(.notFound, "NotFound", "no such path") }
        let method = request.path.dropFirst(6)
        switch method {
        case "com.atproto.server.createSession": return createSession(request, &state)
        case "com.atproto.server.refreshSession": return refreshSession(request, &state)
        default: break
        }
        let isSignedIn: Bool
        switch token(request, &state) {
        case .none: isSignedIn = false
        case .some(true): isSignedIn = true
        case .some(false): return Self.error(.badRequest, "ExpiredToken", "Token has expired")
        }
        let page = Page(request, withUnknownFields: faults.takes(.unknownFields, on: request.path))
        if page.start > 0, faults.takes(.rejectCursor, on: request.path) {
            return Self.error(.badRequest, "InvalidRequest", "Malformed cursor")
        }
        switch method {
        case "app.bsky.feed.searchPosts":
            guard isSignedIn || page.start == 0 else {
                return Self.error(.forbidden, "Forbidden", "Request forbidden by administrative rules")
            }
            return search(request, page, state.world)
        case "app.bsky.feed.getAuthorFeed":
            guard let person = request.parameter("actor").flatMap({ state.world.person($0) }) else {
                return Self.error(.badRequest, "InvalidRequest", "Profile not found")
            }
            return feed(page, state.world) { $0.author == person }
        case "app.bsky.feed.getListFeed", "app.bsky.feed.getFeed":
            return feed(page, state.world) { $0.author.isMultiple(of: 2) }
        case "app.bsky.notification.listNotifications":
            guard isSignedIn else { return Self.error(.unauthorized, "AuthMissing", "Authentication Required") }
            return notifications(page, state.world)
        case "app.bsky.feed.getPosts": return posts(request, page, state.world)
        default: return Self.error(.notImplemented, "MethodNotImplemented", "Method Not Implemented")
        }
    }

    // MARK: - Sessions

    /// Whether the request's token is good; nil without one.
    private func token(_ request: SimulatedRequest, _ state: inout State) -> Bool? {
        guard let token = request.bearer else { return nil }
        if faults.takes(.expireToken, on: request.path) { state.session.isExpired = true }
        return !state.session.isExpired && token == "access-\(state.session.generation)"
    }

    private func createSession(_ request: SimulatedRequest, _ state: inout State) -> SimulatedAnswer {
        let parser = JSONParser(maximumSize: 1 << 16)
        let isGood = try? parser.parse(request.body) { root in
            root["identifier"]?.string == Self.identifier && root["password"]?.string == Self.password
        }
        guard isGood == true else {
            return Self.error(.unauthorized, "AuthenticationRequired", "Invalid identifier or password")
        }
        state.session.created += 1
        return session(request, &state)
    }

    private func refreshSession(_ request: SimulatedRequest, _ state: inout State) -> SimulatedAnswer {
        guard request.bearer == "refresh-\(state.session.generation)" else {
            return Self.error(.badRequest, "ExpiredToken", "Token has been revoked")
        }
        return session(request, &state)
    }

    private func session(_ request: SimulatedRequest, _ state: inout State) -> SimulatedAnswer {
        state.session.generation += 1
        state.session.isExpired = false
        let generation = state.session.generation
        let did = state.world.did(BlueskyWorld.reader)
        return .json { writer in
            writer.beginObject()
            writer.member("accessJwt", "access-\(generation)")
            writer.member("refreshJwt", "refresh-\(generation)")
            writer.member("handle", Self.identifier)
            writer.member("did", did)
            writer.key("didDoc")
            writer.beginObject()
            writer.member("id", did)
            writer.key("service")
            writer.beginArray()
            writer.beginObject()
            writer.member("id", "#atproto_pds")
            writer.member("type", "AtprotoPersonalDataServer")
            writer.member("serviceEndpoint", request.base)
            writer.endObject()
            writer.endArray()
            writer.endObject()
            writer.member("active", true)
            writer.endObject()
        }
    }

    // MARK: - Pages

    /// What part of a list is asked for.
    private struct Page {
        var start: Int
        var size: Int
        var withUnknownFields: Bool

        init(_ request: SimulatedRequest, withUnknownFields: Bool) {
            start = request.number("cursor", default: 0, in: 0...Int.max)
            size = request.number("limit", default: 50, in: 1...100)
            self.withUnknownFields = withUnknownFields
        }

        /// Writes the part of the list, and the cursor where there is more.
        func answer<Element>(
            _ name: StaticString,
            _ list: [Element],
            _ write: (Element, inout JSONWriter) -> Void
        ) -> SimulatedAnswer {
            let part = list.dropFirst(start).prefix(size)
            return .json { writer in
                writer.beginObject()
                if start + part.count < list.count { writer.member("cursor", String(start + part.count)) }
                writer.key(name)
                writer.beginArray()
                for element in part { write(element, &writer) }
                writer.endArray()
                writer.endObject()
            }
        }
    }

    private func search(_ request: SimulatedRequest, _ page: Page, _ world: BlueskyWorld) -> SimulatedAnswer {
        let words = (request.parameter("q") ?? "").lowercased()
        let since = request.parameter("since") ?? ""
        let until = request.parameter("until") ?? "9"
        let found = world.standing { record in
            guard record.collection == "app.bsky.feed.post" else { return false }
            let time = FeedDates.rfc3339(record.at)
            return time >= since && time < until && record.text.lowercased().contains(words)
        }
        return page.answer("posts", Array(found.prefix(Self.searchDepth))) { entry, writer in
            world.writePost(entry.address, entry.record, withUnknownFields: page.withUnknownFields, &writer)
        }
    }

    private func feed(
        _ page: Page,
        _ world: BlueskyWorld,
        _ isWanted: (BlueskyWorld.Record) -> Bool
    ) -> SimulatedAnswer {
        let entries = world.standing { record in
            guard isWanted(record) else { return false }
            switch record.collection {
            case "app.bsky.feed.post": return true
            // A repost of what is gone is not shown.
            case "app.bsky.feed.repost": return record.subjects.first.flatMap { world.records[$0] } != nil
            default: return false
            }
        }
        return page.answer("feed", entries) { entry, writer in
            world.writeFeedEntry(entry.address, entry.record, withUnknownFields: page.withUnknownFields, &writer)
        }
    }

    private func notifications(_ page: Page, _ world: BlueskyWorld) -> SimulatedAnswer {
        let entries = world.standing { record in
            record.author != BlueskyWorld.reader && record.notices.contains { $0.person == BlueskyWorld.reader }
        }
        return page.answer("notifications", entries) { entry, writer in
            guard let notice = entry.record.notices.last(where: { $0.person == BlueskyWorld.reader }) else { return }
            world.writeNotification(entry.address, entry.record, notice.reason, notice.subject, &writer)
        }
    }

    private func posts(_ request: SimulatedRequest, _ page: Page, _ world: BlueskyWorld) -> SimulatedAnswer {
        let asked = request.parameters("uris")
        guard asked.count <= 25 else {
            return Self.error(.badRequest, "InvalidRequest", "Error: uris must not have more than 25 elements")
        }
        let found = asked.compactMap { address in world.records[address].map { (address, $0) } }
        return .json { writer in
            writer.beginObject()
            writer.key("posts")
            writer.beginArray()
            for (address, record) in found {
                world.writePost(address, record, withUnknownFields: page.withUnknownFields, &writer)
            }
            writer.endArray()
            writer.endObject()
        }
    }
}
