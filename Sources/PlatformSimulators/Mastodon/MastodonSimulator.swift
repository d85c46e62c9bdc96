import HTTPTypes
import JSON
import Synchronization

/// A server of the fediverse as Mastodon's documentation describes it, or one of its relatives with its quirks.
///
/// | path | answers |
/// |---|---|
/// | `/api/v1/timelines/home`, `public`, `tag/:tag`, `list/:id`; `/api/v1/accounts/:id/statuses`; `/api/v1/notifications` | pages by `min_id`, `since_id`, `max_id`, `limit`, with `Link` |
/// | `/api/v1/statuses/:id`, `/api/v1/accounts/lookup`, `/api/v1/accounts/verify_credentials` | one thing |
/// | `/api/v1/streaming/user`, `user/notification`, `public`, `public/local`, `public/remote`, `hashtag`, `list`, `health` | server-sent events, `:thump` every 15 s |
/// | `/api/v1/instance`, `/api/v2/instance`, `/.well-known/nodeinfo`, `/nodeinfo/2.0` | the server about itself |
///
/// The reader's token is ``token``. Beside the faults that all platforms share it knows `throttle` (429 and its headers), `expire-token` (401),
/// `drop`, `close`, `stall`, `repeat`, `reorder`, `endless-line`, `garbage`, `unknown-type`, `unknown-fields` in its streams, and `oldest-page`,
/// `clamp-cursor` (the newest page, whatever was asked), `reject-cursor` (422) for its pages.
package final class MastodonSimulator: PlatformSimulator {
    /// The access token of the account that reads, ``MastodonWorld/reader``.
    package static let token = "simulated-token"

    private struct Open {
        var channel: String
        var stream: SimulatedStream
    }

    private struct State {
        var world: MastodonWorld
        var streams: [Open] = []
        /// A message of the streams that waits for its successor.
        var held: (channel: String, bytes: [UInt8])?
        var nextThump: Int64
        var pace: Pace
    }

    /// What happened.
    package let ledger = Ledger()
    /// What shall go wrong.
    package let faults = FaultPlan()
    /// Which software it claims to be.
    package let flavour: MastodonFlavour
    private let allowance: RequestAllowance
    private let state: Mutex<State>

    /// A server.
    ///
    /// - Parameters:
    ///   - seed: which story to tell.
    ///   - flavour: which software it claims to be.
    ///   - now: when the story begins, in milliseconds since 1970.
    ///   - history: how many posts there are at the beginning.
    ///   - pace: milliseconds between two posts as time passes; 0 for none.
    ///   - requests: how many requests a token has in five minutes.
    ///   - lateness: most milliseconds that a post of another server comes late.
    package init(
        seed: UInt64 = 1,
        flavour: MastodonFlavour = .mastodon,
        now: Int64,
        history: Int = 60,
        pace: Int64 = 0,
        requests: Int = 300,
        lateness: Int64 = 4000
    ) {
        self.flavour = flavour
        allowance = RequestAllowance(limit: requests, window: 300_000)
        let start = now - Int64(history) * max(pace, 1000)
        let world = MastodonWorld(
            seed: seed,
            flavour: flavour,
            people: 24,
            now: start,
            lateness: lateness,
            ledger: ledger
        )
        state = Mutex(State(world: world, nextThump: now + 15_000, pace: Pace(every: pace, from: now)))
        state.withLock { state in
            for _ in 0..<history {
                _ = state.world.live()
                state.world.now += max(pace, 1000)
            }
            state.world.now = now
        }
    }

    /// How many streams are open.
    package var openStreams: Int { state.withLock { state in state.streams.count { $0.stream.isOpen } } }

    /// Whether somebody listens, and everybody who does has heard all there is.
    package var isHeard: Bool {
        state.withLock { state in !state.streams.isEmpty && state.streams.allSatisfy { $0.stream.isAwaited } }
    }

    /// What can go wrong beside what goes wrong everywhere.
    package static let ownFaults: Set<Fault.Kind> = [
        .throttle, .expireToken, .unknownFields, .drop, .close, .stall, .repeated, .reorder, .garbage, .unknownType,
        .endlessLine, .oldestPage, .clampCursor, .rejectCursor,
    ]

    // MARK: - Time and life

    /// Lets people say `count` things at once, a little apart.
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
            if now >= state.nextThump {
                state.nextThump = now + 15_000
                for open in state.streams { open.stream.send(":thump\n\n") }
            }
            misbehave(&state)
        }
    }

    private func step(_ state: inout State) {
        state.world.now += 7
        for change in state.world.live() { broadcast(change, &state) }
        misbehave(&state)
    }

    // MARK: - Streams

    private func broadcast(_ change: MastodonWorld.Change, _ state: inout State) {
        // Nobody listens, and most of what a day brings is said before anybody does.
        guard !state.streams.isEmpty else { return }
        let strange = faults.takes(.unknownFields, on: Self.streamingPath)
        var data = JSONWriter()
        let name: String
        let channels: [String]
        switch change {
        case .appeared(let status):
            state.world.write(status, strange: strange, into: &data)
            (name, channels) = ("update", state.world.places(status))
        case .edited(let status):
            state.world.write(status, strange: strange, into: &data)
            (name, channels) = ("status.update", state.world.places(status))
        case .withdrawn(let status, let places):
            data.raw(Array(status.id.utf8))
            (name, channels) = ("delete", places)
        case .notified(let notification):
            state.world.write(notification, strange: strange, into: &data)
            (name, channels) = ("notification", ["notifications"])
        }
        let message = Array("event: \(name)\ndata: ".utf8) + data.bytes + Array("\n\n".utf8)
        for channel in channels { send(message, to: channel, &state) }
    }

    private static let streamingPath = "/api/v1/streaming"

    private func send(_ message: [UInt8], to channel: String, _ state: inout State) {
        let streams = state.streams.filter {
            $0.channel == channel || ($0.channel == "user" && ["home", "notifications"].contains(channel))
        }
        guard !streams.isEmpty else { return }
        if state.held?.channel != channel, faults.takes(.reorder, on: Self.streamingPath) {
            state.held = (channel, message)
            return
        }
        var bytes = message
        if faults.takes(.garbage, on: Self.streamingPath) {
            bytes = Array("event: update\ndata: {\"id\": \"1\n\n".utf8) + bytes
        }
        if faults.takes(.unknownType, on: Self.streamingPath) {
            bytes = Array("event: tide.turned\ndata: {\"height\":\(state.world.now % 1000)}\n\n".utf8) + bytes
        }
        if faults.takes(.repeated, on: Self.streamingPath) { bytes += message }
        if let held = state.held, held.channel == channel {
            bytes += held.bytes
            state.held = nil
        }
        let isDropped = faults.takes(.drop, on: Self.streamingPath)
        for open in streams {
            open.stream.send(isDropped ? Array(bytes.prefix(bytes.count / 2)) : bytes)
            if isDropped { open.stream.breakOff() }
        }
        if isDropped { state.streams.removeAll { open in streams.contains { $0.stream === open.stream } } }
    }

    /// Does to the open streams what shall be done to them.
    private func misbehave(_ state: inout State) {
        state.streams.removeAll { !$0.stream.isOpen }
        guard !state.streams.isEmpty else { return }
        if faults.takes(.close, on: Self.streamingPath) {
            for open in state.streams { open.stream.finish() }
            state.streams = []
        } else if faults.takes(.stall, on: Self.streamingPath) {
            for open in state.streams { open.stream.mute() }
        } else if faults.takes(.endlessLine, on: Self.streamingPath) {
            let line = [UInt8](repeating: UInt8(ascii: "x"), count: 6 << 20)
            for open in state.streams { open.stream.send(Array("data: ".utf8) + line) }
        }
    }

    /// What silence does in the end: the streams that were muted break off, as a client's deadline would see it.
    package func breakStreams() {
        state.withLock { state in
            for open in state.streams { open.stream.breakOff() }
            state.streams = []
            state.held = nil
        }
    }

    private func openStream(_ request: SimulatedRequest, _ path: [String]) -> SimulatedAnswer {
        guard flavour.streams else { return notFound }
        if path == ["health"] {
            return SimulatedAnswer(.ok, headers: [.contentType: "text/plain"], body: .bytes(Array("OK".utf8)))
        }
        // Public streams need a token too, since Mastodon 4.2.
        guard request.bearer == Self.token else { return unauthorized }
        let channel: String
        switch path {
        case ["user"], ["public"], ["public", "local"], ["public", "remote"], ["list"]:
            channel = path.joined(separator: "/")
        case ["user", "notification"]: channel = "notifications"
        case ["hashtag"], ["hashtag", "local"]: channel = "tag:\((request.parameter("tag") ?? "").lowercased())"
        default: return .json(.notFound) { $0.members([("error", "Unknown channel requested")]) }
        }
        let stream = SimulatedStream()
        stream.send(":)\n\n")
        state.withLock { $0.streams.append(Open(channel: channel, stream: stream)) }
        return SimulatedAnswer(
            .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "private, no-store"],
            body: .stream(stream)
        )
    }

    // MARK: - Requests

    /// Answers a request.
    package func answer(_ request: SimulatedRequest) async -> SimulatedAnswer {
        if let answer = faults.answer(for: request) { return answer }
        let now = state.withLock { $0.world.now }
        var standing = allowance.take(request.bearer ?? "anonymous", at: now)
        if faults.takes(.throttle, on: request.path) {
            standing.isAdmitted = false
            standing.remaining = 0
            standing.resetAt = now + 2000
        }
        var answer =
            standing.isAdmitted
            ? route(request) : .json(.tooManyRequests) { $0.members([("error", "Too many requests")]) }
        answer.headers[Self.limitField] = String(standing.limit)
        answer.headers[Self.remainingField] = String(standing.remaining)
        answer.headers[Self.resetField] = reset(standing.resetAt)
        return answer
    }

    private static let limitField = HTTPField.Name("X-RateLimit-Limit") ?? .date
    private static let remainingField = HTTPField.Name("X-RateLimit-Remaining") ?? .date
    private static let resetField = HTTPField.Name("X-RateLimit-Reset") ?? .date

    /// Mastodon writes a date with microseconds, GoToSocial seconds since 1970.
    private func reset(_ moment: Int64) -> String {
        flavour == .gotosocial ? String(moment / 1000) : FeedDates.rfc3339(moment).dropLast() + "917Z"
    }

    private func route(_ request: SimulatedRequest) -> SimulatedAnswer {
        let path = request.segments
        if faults.takes(.expireToken, on: request.path) { return unauthorized }
        guard request.bearer == nil || request.bearer == Self.token else { return unauthorized }
        switch path.prefix(3) {
        case ["api", "v1", "streaming"]: return openStream(request, Array(path.dropFirst(3)))
        case ["api", "v1", "timelines"], ["api", "v1", "notifications"], ["api", "v1", "accounts"],
            ["api", "v1", "statuses"]:
            return state.withLock { state in things(request, Array(path.dropFirst(2)), state.world) }
        default: return aboutServer(request, path)
        }
    }

    private func things(_ request: SimulatedRequest, _ path: [String], _ world: MastodonWorld) -> SimulatedAnswer {
        let isReader = request.bearer != nil
        switch path {
        case ["timelines", "home"]: return isReader ? page(request, world.keys(at: "home"), world) : unauthorized
        case ["timelines", "list", "1"]:
            return isReader ? page(request, world.keys(at: "list"), world) : unauthorized
        case ["timelines", "public"]:
            let place =
                request.parameter("local") == "true"
                ? "public/local" : request.parameter("remote") == "true" ? "public/remote" : "public"
            return page(request, world.keys(at: place), world)
        case ["notifications"]: return isReader ? notifications(request, world) : unauthorized
        case ["accounts", "lookup"]:
            let acct = (request.parameter("acct") ?? "").lowercased()
            let person = world.people.indices.first { person in
                world.acct(person) == acct || "\(world.people[person].handle)@\(world.host(person))" == acct
            }
            return person.map { person in .json { world.writeAccount(person, into: &$0) } } ?? notFound
        case ["accounts", "verify_credentials"]:
            return isReader ? .json { world.writeAccount(MastodonWorld.reader, into: &$0) } : unauthorized
        default: break
        }
        if path.count == 3, path[0] == "timelines", path[1] == "tag" {
            return page(request, world.keys(at: "tag:\(path[2].lowercased())"), world)
        }
        if path.count == 3, path[0] == "accounts", path[2] == "statuses", let person = world.person(path[1]) {
            return page(request, world.keys(at: "account:\(world.acct(person))"), world)
        }
        if path.count == 2, path[0] == "statuses", let status = world.keys[path[1]].flatMap({ world.statuses[$0] }) {
            return .json { world.write(status, into: &$0) }
        }
        return notFound
    }

    private func aboutServer(_ request: SimulatedRequest, _ path: [String]) -> SimulatedAnswer {
        let streaming = "ws" + request.base.dropFirst(4)
        switch path {
        case [".well-known", "nodeinfo"]:
            let links =
                "{\"links\":[{\"rel\":\"http://nodeinfo.diaspora.software/ns/schema/2.0\",\"href\":\"\(request.base)/nodeinfo/2.0\"}]}"
            return .json(bytes: Array(links.utf8))
        case ["nodeinfo", "2.0"]:
            let info =
                "{\"version\":\"2.0\",\"software\":{\"name\":\"\(flavour.software)\",\"version\":\"\(flavour.version)\"},\"protocols\":[\"activitypub\"]}"
            return .json(bytes: Array(info.utf8))
        case ["api", "v2", "instance"] where flavour != .snac && flavour != .pleroma:
            let instance =
                "{\"domain\":\"harbour.example\",\"title\":\"Harbour\",\"version\":\"\(flavour.version)\",\"configuration\":{\"urls\":{\"streaming\":\"\(streaming)\"}}}"
            return .json(bytes: Array(instance.utf8))
        case ["api", "v1", "instance"]:
            let instance =
                "{\"uri\":\"harbour.example\",\"title\":\"Harbour\",\"version\":\"\(flavour.version)\",\"urls\":{\"streaming_api\":\"\(streaming)\"}}"
            return .json(bytes: Array(instance.utf8))
        default: return notFound
        }
    }

    // MARK: - Pages

    private func page(_ request: SimulatedRequest, _ keys: [Int], _ world: MastodonWorld) -> SimulatedAnswer {
        let strange = faults.takes(.unknownFields, on: request.path)
        return page(request, keys, id: flavour.id, key: { world.keys[$0] ?? Int($0) }, most: 40) { key, json in
            if let status = world.statuses[key] { world.write(status, strange: strange && key % 2 == 0, into: &json) }
        }
    }

    private func notifications(_ request: SimulatedRequest, _ world: MastodonWorld) -> SimulatedAnswer {
        // Those about a status go with the status.
        let there = world.notifications.filter { $0.status == nil || $0.status.flatMap { world.statuses[$0] } != nil }
        let strange = faults.takes(.unknownFields, on: request.path)
        return page(request, there.map(\.key), id: { String($0) }, key: { Int($0) }, most: 80) { key, json in
            world.write(world.notifications[key - 1], strange: strange, into: &json)
        }
    }

    /// A page of things whose keys are given ascending, newest first, as Mastodon pages.
    private func page(
        _ request: SimulatedRequest,
        _ keys: [Int],
        id: (Int) -> String,
        key: (String) -> Int?,
        most: Int,
        _ write: (Int, inout JSONWriter) -> Void
    ) -> SimulatedAnswer {
        let limit = request.number("limit", default: 20, in: 1...most)
        var range = keys.indices
        var isForward = false
        if let text = request.parameter("max_id") {
            range = range.lowerBound..<Self.place(of: key(text) ?? .max, in: keys)
        }
        if let text = request.parameter("min_id") ?? request.parameter("since_id") {
            if faults.takes(.rejectCursor, on: request.path) {
                return .json(.unprocessableContent) { $0.members([("error", "Validation failed")]) }
            }
            let isMinimum = request.parameter("min_id") != nil
            let isClamped = isMinimum && faults.takes(.clampCursor, on: request.path)
            isForward = isMinimum && !isClamped
            // An id of a foreign form counts for nothing, and so the oldest page comes.
            let bound = faults.takes(.oldestPage, on: request.path) ? 0 : key(text) ?? 0
            let lower = Self.place(of: flavour.includesMinimum || bound == .max ? bound : bound + 1, in: keys)
            if !isClamped { range = min(lower, range.upperBound)..<range.upperBound }
        }
        let chosen = keys[isForward ? range.prefix(limit) : range.suffix(limit)]
        var answer = SimulatedAnswer.json { json in
            json.beginArray()
            for key in chosen.reversed() { write(key, &json) }
            json.endArray()
        }
        if let oldest = chosen.first, let newest = chosen.last {
            let url = "\(request.base)\(request.path)?limit=\(limit)"
            answer.headers[Self.linkField] =
                "<\(url)&max_id=\(id(oldest))>; rel=\"next\", <\(url)&min_id=\(id(newest))>; rel=\"prev\""
        }
        return answer
    }

    /// The index of the first key that is not below a bound.
    private static func place(of bound: Int, in keys: [Int]) -> Int {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static let linkField = HTTPField.Name("Link") ?? .date

    // MARK: - Failures

    private var notFound: SimulatedAnswer {
        flavour == .snac
            ? .html(.notFound, "<h1>404 Not Found (snac/2.94)</h1>")
            : .json(.notFound) { $0.members([("error", "Record not found")]) }
    }

    private var unauthorized: SimulatedAnswer {
        flavour == .snac
            ? SimulatedAnswer(.unprocessableContent)
            : .json(.unauthorized) { $0.members([("error", "The access token is invalid")]) }
    }
}

extension JSONWriter {
    /// An object of texts.
    fileprivate mutating func members(_ members: [(String, String)]) {
        beginObject()
        for (name, value) in members {
            key(name)
            string(value)
        }
        endObject()
    }
}
