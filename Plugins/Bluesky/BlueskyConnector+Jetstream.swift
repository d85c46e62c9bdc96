public import ConnectorKit
import JSON
import SocialEvents

extension BlueskyConnector {
    /// Holds a stream of Jetstream's from the cursor on, rewound by the overlap where the cursor is a time; what comes twice the log drops by its id.
    ///
    /// While nothing comes, a batch of nothing but a cursor says every ten minutes that nothing was missed.
    ///
    /// - Throws: ``ConnectorError``: `unavailable` when the connection breaks or the server ends it with an error, `unsupported` where the server
    ///   does not speak the wire that is configured, `rejected` when it refuses the filters.
    public func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
        guard configuration.kind == .jetstream else {
            throw ConnectorError(.unsupported, "only a source of kind `jetstream` is a stream")
        }
        let known = try cursor.map(JetstreamCursor.init)
        var start = JetstreamStart(known, configuration, now: context.clock.now)
        let connection: any WebSocketConnection
        do {
            connection = try await connect(start.cursor)
        } catch let refusal as TooOld {
            // The sequence lies before what the server keeps: the time is clamped to that, and what lies between is lost.
            start.fallBack(refusal.reason, now: context.clock.now)
            connection = try await connect(start.cursor)
        }
        if BlueskyAPI.sendsOptions(configuration) {
            try await translated { try await connection.send(BlueskyAPI.options(configuration)) }
        }
        await sink.connected()
        try await read(connection, start, into: sink)
    }

    private static let what = "the stream"

    /// The server does not keep as much as the cursor asks for.
    private struct TooOld: Error {
        var reason: String
    }

    private func connect(_ cursor: Int?) async throws -> any WebSocketConnection {
        do {
            return try await context.webSockets.connect(BlueskyAPI.jetstream(configuration, from: cursor))
        } catch let refusal as WebSocketRefusal {
            switch BlueskyAPI.problem(refusal.body) {
            case "CursorTooOld": throw TooOld(reason: "the server keeps no events as old as the cursor")
            default: break
            }
            switch refusal.status {
            case 404, 405, 426, 200..<400:
                throw ConnectorError(
                    .unsupported,
                    "\(Self.what): the server does not offer it (status \(refusal.status)); check `base_url` and `wire`"
                )
            default:
                throw BlueskyAPI.error(
                    refusal.status,
                    refusal.headers,
                    refusal.body,
                    now: context.clock.now,
                    what: Self.what
                ) ?? ConnectorError(.unavailable, "\(Self.what): \(refusal)")
            }
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: Self.what)
        }
    }

    private func translated<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: Self.what)
        }
    }

    /// Reads in one task and makes durable in another, so that what comes while the log writes gathers into the next batch.
    private func read(
        _ connection: any WebSocketConnection,
        _ start: JetstreamStart,
        into sink: any EventSink
    ) async throws {
        let queue = MessageQueue()
        let outcome: Result<Void, any Error> = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    while let message = try await connection.next() { await queue.put(message) }
                    queue.close(.success(()))
                } catch {
                    queue.close(.failure(error))
                }
            }
            group.addTask {
                // No waiting before another try: the connection's own sign that it is quiet. Ends with the group.
                while (try? await context.clock.sleep(for: JetstreamReader.quiet)) != nil { queue.knock() }
            }
            let outcome: Result<Void, any Error>
            do {
                try await deliver(queue, start, into: sink)
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            // The reader may wait for room or for a message.
            queue.close(.failure(CancellationError()))
            group.cancelAll()
            return outcome
        }
        await connection.close(code: 1000, reason: "")
        try await translated { try outcome.get() }
    }

    private func deliver(_ queue: MessageQueue, _ start: JetstreamStart, into sink: any EventSink) async throws {
        let parser = JSONParser(maximumDepth: 64, maximumSize: configuration.maximumMessageSize + 1024)
        var normalizer = BlueskyNormalizer(now: context.clock.now)
        var reader = JetstreamReader(start, server: configuration.baseURL, now: normalizer.now)
        while let messages = try await queue.takeAll() {
            try Task.checkCancellation()
            normalizer.now = context.clock.now
            normalizer.removeAll()
            let isQuiet = messages.isEmpty && reader.isQuiet(now: normalizer.now)
            for message in messages {
                reader.take(normalizer.jetstream(message.bytes, with: parser), now: normalizer.now)
            }
            let batch = EventBatch(
                events: normalizer.events,
                deadLetters: normalizer.deadLetters.map {
                    DeadLetter(reason: $0.reason, contentType: "application/json", payload: $0.payload)
                },
                cursor: reader.cursor?.encoded(),
                gaps: reader.takeGaps()
            )
            if isQuiet || !batch.events.isEmpty || !batch.deadLetters.isEmpty || !batch.gaps.isEmpty {
                try await sink.emit(batch)
            }
            if let failure = reader.failure {
                throw ConnectorError(.unavailable, "\(Self.what): the server ended it (\(failure))")
            }
        }
    }
}

/// Where a stream is asked to begin, and what that means.
struct JetstreamStart: Sendable, Hashable {
    /// The cursor to send; nil for now.
    private(set) var cursor: Int?
    /// What was durable before; nil at the very first start.
    let known: JetstreamCursor?
    /// A hole that is certain before anything is read.
    private(set) var hole: String?

    /// How far back Jetstream's instances keep events.
    private static let lookBack = Duration.seconds(36 * 3600)

    init(_ known: JetstreamCursor?, _ configuration: BlueskyConfiguration, now: Timestamp) {
        self.known = known
        guard let known else {
            if configuration.backfill > .zero {
                cursor = Int(now.advanced(by: .zero - configuration.backfill).milliseconds) * 1000
            }
            return
        }
        if configuration.wire == .second, let sequence = known.sequence, known.server == configuration.baseURL {
            cursor = sequence
            return
        }
        cursor = max(known.microseconds - Int(configuration.overlap.wholeMilliseconds) * 1000, 1)
        // The server does not say that it begins later than it was asked to.
        let age = Timestamp(milliseconds: Int64(known.microseconds / 1000)).duration(to: now)
        if configuration.wire == .first, age > Self.lookBack {
            hole = "the source was away for longer than the server keeps events"
        }
    }

    /// Begins at the time of the cursor rather than at its sequence.
    mutating func fallBack(_ reason: String, now: Timestamp) {
        guard let known else { return }
        cursor = max(known.microseconds, 1_000_000_000_000_000)
        hole = reason
    }
}

/// Keeps the place in a stream, and notices what was left out.
struct JetstreamReader: Sendable {
    private(set) var cursor: JetstreamCursor?
    private(set) var failure: String?
    private let known: JetstreamCursor?
    private let begun: Timestamp
    /// From when on silence means that nothing happens, rather than that the server is still looking through what it kept.
    private let settled: Timestamp
    private let server: String
    private var hole: String?
    private var gaps: [GapReport] = []

    /// How often a silent stream says that it is well.
    static let quiet = Duration.seconds(600)

    init(_ start: JetstreamStart, server: String, now: Timestamp) {
        known = start.known
        hole = start.hole
        begun = now
        // Servers show what they kept many times faster than it happened.
        let age = start.cursor.map { max(0, now.milliseconds - Int64($0 / 1000)) } ?? 0
        settled = now.advanced(by: .milliseconds(age / 10))
        self.server = server
    }

    /// Moves the place on while nothing comes: all that happened until then was sent, since a broken connection would have ended within a minute.
    ///
    /// Less than now by what clocks may differ. The sequence is let go: the server may forget it while nothing comes.
    ///
    /// - Returns: whether the place has moved.
    mutating func isQuiet(now: Timestamp) -> Bool {
        guard now >= settled else { return false }
        let time = Int(now.advanced(by: .zero - Self.quiet).milliseconds) * 1000
        guard time > (cursor ?? known)?.microseconds ?? 0 else { return false }
        cursor = JetstreamCursor(microseconds: time, server: server)
        open(before: Int(begun.milliseconds) * 1000)
        return true
    }

    mutating func take(_ message: JetstreamMessage?, now: Timestamp) {
        switch message {
        case .event(let position):
            // The instance's clock only rises. One that falls would have the same told again and again; one far ahead would have what comes
            // until then left out.
            let latest = Int(now.milliseconds) * 1000 + 600_000_000
            let before = cursor?.microseconds ?? known?.microseconds ?? 0
            let time = max(min(position.microseconds, latest), before)
            cursor = JetstreamCursor(microseconds: time, sequence: position.sequence, server: server)
            open(before: position.microseconds)
        case .notice("OutdatedCursor"): hole = hole ?? "the server keeps no events as old as the cursor"
        case .notice("FutureCursor"): hole = hole ?? "the cursor lies beyond the server's newest event"
        case .notice: break
        case .failure(let name): failure = name
        case nil: break
        }
    }

    /// Reports the hole, once the first event behind it is known.
    private mutating func open(before time: Int) {
        guard let reason = hole, let known else { return }
        hole = nil
        let gap = Gap(
            after: BlueskyNormalizer.moment(microseconds: known.microseconds),
            before: time > 0 ? BlueskyNormalizer.moment(microseconds: time) : nil,
            reason: reason
        )
        gaps.append(.opened(key: "jetstream-\(known.microseconds)", gap))
    }

    /// The holes to report now.
    mutating func takeGaps() -> [GapReport] {
        defer { gaps = [] }
        return gaps
    }
}
