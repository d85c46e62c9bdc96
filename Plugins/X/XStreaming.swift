import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents
import Synchronization

/// Since when the stream stands, which pulling needs to know; shared by the two halves of one source.
final class XLive: Sendable {
    private let state = Mutex<Timestamp?>(nil)

    init() {}

    /// When the stream was last accepted; `nil` while it does not stand.
    var connectedAt: Timestamp? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// Reads a stream of X line by line.
struct XStreaming {
    let configuration: XConfiguration
    let client: XClient
    let live: XLive
    private var context: ConnectorContext { client.context }

    /// The low-water mark lags so far behind: X delivers late and out of order, most within 7 s.
    private static let overlap = Duration.seconds(60)
    /// A quiet stream moves the mark so often.
    private static let markEvery = Duration.seconds(60)
    private static let connectionKey = "x-stream-connection"

    init(_ configuration: XConfiguration, _ client: XClient, _ live: XLive) {
        self.configuration = configuration
        self.client = client
        self.live = live
    }

    /// Connects and reads until the connection ends.
    func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
        let cursor = try XCursor(cursor, scope: configuration.scope)
        defer { live.connectedAt = nil }
        do {
            switch configuration.kind {
            case .stream: try await filtered(after: cursor, into: sink)
            case .compliance: try await compliance(after: cursor, into: sink)
            case .search, .mentions, .user, .activity:
                throw ConnectorError(.unsupported, "sources of kind \(configuration.kind.rawValue) have no stream")
            }
        } catch let refusal as XRefusal {
            throw refusal.error
        }
    }

    // MARK: - Connecting

    private func filtered(after cursor: XCursor, into sink: any EventSink) async throws {
        var book = XRuleBook()
        if let rules = configuration.rules {
            let source = context.source.name
            let aliases = try await XRuleKeeper(client: client, source: source).bringInStep(rules)
            book = XRuleBook(ownPrefix: XRules.prefix(source), aliases: aliases)
        }
        try context.quota.admitSpend("post", count: 1)
        let request = XAPI.filteredStream(place(after: cursor, context.clock.now))
        let others = await connections()
        let response: HTTPClientResponse
        do {
            response = try await client.open(request)
        } catch let refusal as XRefusal where refusal.problem?.connectionIssue != nil {
            try await endHalfDeadConnection()
            throw refusal
        }
        try refuseHTML(response, request.what)
        live.connectedAt = context.clock.now
        await sink.connected()
        await rememberConnection(besides: others)
        try await read(response, request.what, XNormalizer(now: context.clock.now, rules: book), into: sink)
    }

    private func compliance(after cursor: XCursor, into sink: any EventSink) async throws {
        let now = context.clock.now
        let place = place(after: cursor, now)
        let request = XAPI.complianceStream(configuration.subject, partition: configuration.partition, place)
        let response = try await client.open(request)
        try refuseHTML(response, request.what)
        await sink.connected()
        if let from = cursor.from, place.isEmpty {
            let gap = Gap(
                after: from,
                before: now,
                reason: "this access cannot read what a compliance stream said before"
            )
            try await sink.emit(EventBatch(gaps: [.opened(key: "compliance-\(from.milliseconds)", gap)]))
        }
        try await read(response, request.what, XNormalizer(now: now), into: sink)
    }

    /// From where X shall give again what was said after the mark, which it does for enterprise access: by minutes, or by a time up to a day ago.
    private func place(after cursor: XCursor, _ now: Timestamp) -> [XParameter] {
        guard let from = cursor.from, configuration.backfillMinutes > 0 else { return [] }
        let age = from.duration(to: now)
        if age <= .seconds(60 * configuration.backfillMinutes) {
            return [XParameter("backfill_minutes", String(configuration.backfillMinutes))]
        }
        return age < .seconds(86_400) ? [XParameter("start_time", XAPI.time(from))] : []
    }

    /// A page for people where a stream should be is no stream, whatever its status.
    private func refuseHTML(_ response: HTTPClientResponse, _ what: String) throws {
        guard response.headers[.contentType]?.lowercased().contains("html") == true else { return }
        throw ConnectorError(.unavailable, "\(what): the server answers with a page of HTML", ladder: XLadders.http)
    }

    // MARK: - The connection that X still counts

    /// The ids of the app's connections; `nil` where X does not tell.
    ///
    /// Not knowing them costs a wait later, so a failure here is none.
    private func connections() async -> Set<String>? {
        guard let body = try? await client.fetch(XAPI.connections) else { return nil }
        return try? JSONParser().parse(body) { root in
            Set(root["data"]?.elements.compactMap { $0["id"]?.string } ?? [])
        }
    }

    /// Remembers which of the app's connections is ours, so that it can be ended when it is half dead: the one that was not there before.
    ///
    /// Where another was opened in the same moment nobody can tell them apart, and none is remembered.
    private func rememberConnection(besides others: Set<String>?) async {
        guard let others, let now = await connections() else { return }
        let new = now.subtracting(others)
        let own = new.count == 1 ? new.first : nil
        let key = "\(Self.connectionKey).\(context.source.name)"
        try? await context.account.setValue(own.map { Array($0.utf8) }, for: key)
    }

    /// Ends the connection that was ours and that X has not noticed is gone; never another's.
    private func endHalfDeadConnection() async throws {
        let key = "\(Self.connectionKey).\(context.source.name)"
        guard let bytes = try await context.account.value(for: key) else { return }
        let id = String(decoding: bytes, as: UTF8.self)
        // Whether it worked shows when the stream is opened again.
        _ = try? await client.fetch(XAPI.end(connections: [id]))
        try await context.account.setValue(nil, for: key)
    }

    // MARK: - Reading

    private func read(
        _ response: HTTPClientResponse,
        _ what: String,
        _ normalizer: XNormalizer,
        into sink: any EventSink
    ) async throws {
        var reading = XStreamReading(
            normalizer,
            what: what,
            isFiltered: configuration.kind == .stream,
            scope: configuration.scope
        )
        let memory = XEditMemory(account: context.account)
        var marked = context.clock.now
        var body = response.body.makeAsyncIterator()
        do {
            while true {
                let asked = context.clock.now
                guard let chunk = try await body.next() else { break }
                let now = context.clock.now
                reading.take(chunk, now: now)
                var mark = reading.newest
                if reading.hasOnlyKeepAlives, asked.duration(to: now) >= .seconds(1),
                    marked.duration(to: now) >= Self.markEvery
                {
                    // Nothing was waiting to be read, so nothing is behind: all up to now has been seen.
                    mark = now
                }
                if mark != nil { marked = now }
                var batch = reading.batch(mark: mark?.advanced(by: .zero - Self.overlap))
                reading.reads.bill(context.quota)
                try await memory.remember(reading.edits)
                if configuration.kind == .compliance, let events = batch?.events {
                    batch?.events = try await memory.completing(events)
                }
                // Of signs of life alone there is a batch at times that holds a cursor and nothing else. It is no data: it moves the mark of a source that
                // cannot be asked, and a host that asks may leave it aside.
                if let batch { try await sink.emit(batch) }
                if let problem = reading.problem {
                    throw ConnectorError.inStream(problem, now: now, what: what)
                }
                if configuration.kind == .stream { try context.quota.admitSpend("post", count: 1) }
            }
        } catch let error as HTTPClientError {
            throw XClient.failure(error, what)
        }
        throw ConnectorError(.unavailable, "\(what): X ended the connection", ladder: XLadders.transport)
    }
}

/// What was read of a stream and not yet handed on.
///
/// Pure: chunks in, batches out.
struct XStreamReading {
    private var lines = XLineReader()
    private let parser = JSONParser()
    private var normalizer: XNormalizer
    private let what: String
    private let isFiltered: Bool
    private let scope: String
    private var events: [Event] = []
    private var deadLetters: [DeadLetter] = []
    /// The mark that was handed on last; it never goes back.
    private var mark: Timestamp?
    /// What X bills of the last chunk.
    private(set) var reads = XReads()
    /// The newest post of the last chunk.
    private(set) var newest: Timestamp?
    /// Whether the last chunk had signs of life and nothing else.
    private(set) var hasOnlyKeepAlives = false
    /// What X said before it ended the stream.
    private(set) var problem: XProblem?

    init(_ normalizer: XNormalizer, what: String, isFiltered: Bool, scope: String) {
        self.normalizer = normalizer
        self.what = what
        self.isFiltered = isFiltered
        self.scope = scope
    }

    /// The versions of edited posts in the last chunk.
    var edits: [XEdit] { normalizer.edits }

    /// Reads a chunk.
    mutating func take(_ chunk: [UInt8], now: Timestamp) {
        normalizer.now = now
        normalizer.edits = []
        reads = XReads()
        newest = nil
        var found: [XLineReader.Line] = []
        lines.take(chunk) { found.append($0) }
        hasOnlyKeepAlives = !found.isEmpty && found.allSatisfy { $0 == .keepAlive } && !lines.isInsideLine
        for line in found {
            switch line {
            case .keepAlive: break
            case .tooLong(let head):
                let reason = "\(what): a line of more than \(lines.limit) bytes; this is its beginning"
                deadLetters.append(
                    DeadLetter(reason: reason, contentType: "text/plain", payload: Array(head), isCut: true)
                )
            case .message(let bytes): read(bytes)
            }
        }
    }

    private mutating func read(_ line: ArraySlice<UInt8>) {
        do {
            try parser.parse(line) { root in
                if root["data"] == nil, let problem = XProblem(root) {
                    self.problem = problem
                    return
                }
                let first = events.count
                if isFiltered {
                    normalizer.readPosts(root, into: &events)
                    reads.add(root)
                    if root["data"] == nil { events.append(normalizer.unrecognised(Array(line))) }
                } else {
                    normalizer.read(root, into: &events)
                }
                for event in events[first...] where event.time > newest ?? Timestamp(milliseconds: .min) {
                    newest = min(event.time, normalizer.now)
                }
            }
        } catch {
            // Only a line that is not JSON gets here; the next one may be.
            let reason = "\(what): \((error as? JSONError)?.description ?? "a line that cannot be read")"
            deadLetters.append(DeadLetter(reason: reason, contentType: "application/json", payload: Array(line)))
        }
    }

    /// What is to be handed on, if anything is; the mark only moves forward.
    ///
    /// A batch without events and dead letters says no more than that all up to its cursor has been seen.
    mutating func batch(mark new: Timestamp?) -> EventBatch? {
        if let new, new > mark ?? Timestamp(milliseconds: .min) {
            mark = new
        } else if events.isEmpty, deadLetters.isEmpty {
            return nil
        }
        defer {
            events.removeAll(keepingCapacity: true)
            deadLetters.removeAll()
        }
        let cursor = mark.map { XCursor(from: $0, scope: scope).encoded() }
        return EventBatch(events: events, deadLetters: deadLetters, cursor: cursor)
    }
}
