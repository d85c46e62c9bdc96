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
        let cursor = try XCursor(cursor)
        defer { live.connectedAt = nil }
        do {
            switch configuration.kind {
            case .stream: try await filtered(into: sink)
            case .compliance: try await compliance(after: cursor, into: sink)
            case .search, .mentions, .user, .activity:
                throw ConnectorError(.unsupported, "sources of kind \(configuration.kind.rawValue) have no stream")
            }
        } catch let refusal as XRefusal {
            throw refusal.error
        }
    }

    // MARK: - Connecting

    private func filtered(into sink: any EventSink) async throws {
        var book = XRuleBook()
        if let rules = configuration.rules {
            let source = context.source.name
            let aliases = try await XRuleKeeper(client: client, source: source).bringInStep(rules)
            book = XRuleBook(ownPrefix: XRules.prefix(source), aliases: aliases)
        }
        try context.quota.admitSpend("post", count: 1)
        let request = XAPI.filteredStream(backfillMinutes: configuration.backfillMinutes)
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
        await rememberConnection()
        try await read(response, request.what, XNormalizer(now: context.clock.now, rules: book), into: sink)
    }

    private func compliance(after cursor: XCursor, into sink: any EventSink) async throws {
        var place: [XParameter] = []
        let now = context.clock.now
        if let from = cursor.from {
            let age = from.duration(to: now)
            if age <= .seconds(60 * configuration.backfillMinutes) {
                place.append(XParameter("backfill_minutes", String(configuration.backfillMinutes)))
            } else if configuration.backfillMinutes > 0, age < .seconds(86_400) {
                place.append(XParameter("start_time", XAPI.time(from)))
            }
        }
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

    /// A page for people where a stream should be is no stream, whatever its status.
    private func refuseHTML(_ response: HTTPClientResponse, _ what: String) throws {
        guard response.headers[.contentType]?.lowercased().contains("html") == true else { return }
        throw ConnectorError(.unavailable, "\(what): the server answers with a page of HTML", ladder: XLadders.http)
    }

    // MARK: - The connection that X still counts

    /// Remembers which of the app's connections is ours, so that it can be ended when it is half dead.
    ///
    /// Not knowing it costs a wait later, so a failure here is none.
    private func rememberConnection() async {
        guard let body = try? await client.fetch(XAPI.connections) else { return }
        let newest = try? JSONParser().parse(body) { root -> String? in
            var newest: (at: Timestamp, id: String)?
            guard let data = root["data"] else { return nil }
            for connection in data.elements {
                guard let id = connection["id"]?.string, let at = XValue.time(connection["connected_at"]) else {
                    continue
                }
                if at > newest?.at ?? Timestamp(milliseconds: .min) { newest = (at, id) }
            }
            return newest?.id
        }
        guard let newest = newest ?? nil else { return }
        try? await context.account.setValue(Array(newest.utf8), for: "\(Self.connectionKey).\(context.source.name)")
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
        var reading = XStreamReading(normalizer, what: what, isFiltered: configuration.kind == .stream)
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
                let batch = reading.batch(mark: mark?.advanced(by: .zero - Self.overlap))
                reading.reads.bill(context.quota)
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

    init(_ normalizer: XNormalizer, what: String, isFiltered: Bool) {
        self.normalizer = normalizer
        self.what = what
        self.isFiltered = isFiltered
    }

    /// Reads a chunk.
    mutating func take(_ chunk: [UInt8], now: Timestamp) {
        normalizer.now = now
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
                deadLetters.append(DeadLetter(reason: reason, contentType: "text/plain", payload: Array(head)))
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
        return EventBatch(events: events, deadLetters: deadLetters, cursor: mark.map { XCursor(from: $0).encoded() })
    }
}
