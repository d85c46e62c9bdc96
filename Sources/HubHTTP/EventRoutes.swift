import HTTPTypes
import Hummingbird
import JSON
import MessageBus
import NIOCore
import ServiceLifecycle
import SocialEvents

/// `/v1/events`, `/v1/events/{sequence}` and the schema of what they give.
struct EventRoutes: Sendable {
    let bus: any MessageBus
    let live: LiveFeeds

    func add(to router: Router<BasicRequestContext>) {
        router.get("/v1/events") { request, _ in
            let wanted = try EventRequest(request)
            return switch wanted.format {
            case .page: try await page(wanted)
            case .lines: try await lines(wanted, request)
            case .serverSentEvents: try await stream(wanted, request)
            }
        }
        router.get("/v1/events/:sequence") { _, context in
            try await event(context.parameters.require("sequence"))
        }
        router.get("/v1/schemas/event") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/schema+json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: EventSchema.text))
            )
        }
    }

    private func event(_ text: String) async throws -> Response {
        guard let sequence = Sequence(text), sequence > .start else {
            throw Problem(
                .badRequest,
                "bad-parameter",
                "an event is named by its sequence, such as \(Sequence(42))",
                parameter: "sequence"
            )
        }
        let all = EventFilter(includesDuplicates: true)
        let before = Sequence(sequence.number - 1)
        let page: LogPage
        do {
            page = try await bus.page(after: before, filter: all, limits: PageLimits(count: 1, scanned: 1))
        } catch BusError.positionAhead(let head) {
            throw Problem(.notFound, "no-such-event", "there is no event \(sequence) yet; the last one is \(head)")
        }
        if sequence > page.head {
            throw Problem(.notFound, "no-such-event", "there is no event \(sequence) yet; the last one is \(page.head)")
        }
        guard let entry = page.entries.first, entry.sequence == sequence else {
            throw Problem(.gone, "erased", "the content of event \(sequence) was erased")
        }
        var bytes: [UInt8] = []
        entry.stamp.appendSpliced(body: page.storage[entry.body], into: &bytes)
        return Response(
            status: .ok,
            headers: [.contentType: "application/cloudevents+json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    private func page(_ wanted: EventRequest) async throws -> Response {
        let start = try await position(wanted.start)
        let limits = PageLimits(count: wanted.limit ?? 100)
        var page = try await bus.page(after: start, filter: wanted.filter, limits: limits)
        if wanted.wait > .zero {
            let deadline = ContinuousClock.now.advanced(by: wanted.wait)
            while page.entries.isEmpty {
                if page.scannedThrough == page.head, try await !bus.waitForEvents(after: page.head, until: deadline) {
                    break
                }
                page = try await bus.page(after: page.scannedThrough, filter: wanted.filter, limits: limits)
            }
        }
        return Response(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: Self.document(page, after: start)))
        )
    }

    private static func document(_ page: LogPage, after: Sequence) -> [UInt8] {
        var json = JSONWriter(reserving: page.storage.count + page.entries.count * 160 + 256)
        json.beginObject()
        json.member("after", after.description)
        json.member("next", page.scannedThrough.description)
        json.member("head", page.head.description)
        json.member("more", page.scannedThrough < page.head)
        json.key("events")
        json.beginArray()
        var event: [UInt8] = []
        for entry in page.entries {
            event.removeAll(keepingCapacity: true)
            page.storage.withUnsafeBytes {
                entry.stamp.appendSpliced(body: UnsafeRawBufferPointer(rebasing: $0[entry.body]), into: &event)
            }
            json.raw(event)
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// Everything after the start up to the head, then what comes within `wait` of the last one.
    private func lines(_ wanted: EventRequest, _ request: Request) async throws -> Response {
        let start = try await position(wanted.start)
        let first = try await bus.page(after: start, filter: wanted.filter, limits: Self.streamLimits)
        var headers: HTTPFields = [.contentType: wanted.format.contentType, .cacheControl: "no-store"]
        headers[.after] = start.description
        let body = ResponseBody { writer in
            var output = writer
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await writeLines(wanted, from: start, first, to: &output)
            }
            try await output.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    @concurrent
    private func writeLines(
        _ wanted: EventRequest,
        from start: Sequence,
        _ first: LogPage,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        var page = first
        var position = start
        var left = wanted.limit ?? .max
        while true {
            let frames = EventFrames(page, after: position, format: .lines, limit: left)
            if let (bytes, count, _) = frames.frames(after: position) {
                try await writer.write(bytes)
                left -= count
            }
            position = frames.through
            if left <= 0 { return }
            if position >= page.head {
                guard wanted.wait > .zero else { return }
                let deadline = ContinuousClock.now.advanced(by: wanted.wait)
                guard try await bus.waitForEvents(after: position, until: deadline) else { return }
            }
            page = try await bus.page(after: position, filter: wanted.filter, limits: Self.streamLimits)
        }
    }

    /// Server-sent events: what is retained after the start, then what comes, without end and without a seam.
    private func stream(_ wanted: EventRequest, _ request: Request) async throws -> Response {
        let start = try await position(wanted.start)
        var lost: BusError?
        do {
            _ = try await bus.page(after: start, filter: wanted.filter, limits: PageLimits(count: 1, scanned: 1))
        } catch let error as BusError {
            guard case .positionLost = error else { throw error }
            lost = error
        }
        var headers: HTTPFields = [.contentType: wanted.format.contentType, .cacheControl: "no-store"]
        headers[.after] = start.description
        let lostBefore = lost
        let body = ResponseBody { writer in
            var output = writer
            if let feed = live.join(LiveFeed.Key(filter: wanted.filter, format: .serverSentEvents)) {
                defer { feed.leave() }
                let reader = EventStreamReader(bus: bus, feed: feed, filter: wanted.filter, limit: wanted.limit)
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await reader.run(from: start, lost: lostBefore, to: &output)
                }
            }
            try await output.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private func position(_ start: EventRequest.Start) async throws -> Sequence {
        switch start {
        case .after(let sequence): sequence
        case .earliest: try await bus.bounds().trimmedThrough
        case .now: try await bus.bounds().head
        }
    }

    static let streamLimits = PageLimits(count: 1_000, bytes: 256 << 10)
}

extension LogEntry {
    var stamp: EventStamp {
        EventStamp(sequence: sequence, recordedTime: recordedTime, duplicateOf: duplicateOf)
    }
}

extension HTTPField.Name {
    /// The position before the first event of an answer.
    static var after: Self { Self("Roost-After") ?? .range }
}

extension MessageBus {
    /// Waits for events after `position`; false when `deadline` passes before any came.
    ///
    /// Ends with `CancellationError` when the hub stops.
    func waitForEvents(after position: Sequence, until deadline: ContinuousClock.Instant) async throws -> Bool {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await self.waitForEvents(after: position)
                    return true
                }
                group.addTask {
                    try await Task.sleep(until: deadline, clock: .continuous)
                    return false
                }
                defer { group.cancelAll() }
                return try await group.next() ?? false
            }
        }
    }
}
