import ConnectorKit
import CurlTransport
import FoundationEssentials
import HTTPTypes
import HubCore
import HubHTTP
import JSON
import Logging
import MessageBus
import SQLiteBus
import ServiceLifecycle
import SocialEvents
import Testing

/// A real server on a real log in a folder of its own, with a real client.
struct RunningHub: Sendable {
    let bus: any MessageBus
    let base: String
    let http: any HTTPClient
    let group: ServiceGroup

    /// Runs `body` against a hub with the sources given; everything has ended when it returns.
    static func run(
        sources: [SourceConfiguration] = [],
        heartbeat: Duration = .seconds(15),
        _ body: @escaping @Sendable (RunningHub) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("roost-http-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let bus = try await SQLiteBus(directory: folder.path + "/data", SQLiteBusConfiguration { SystemClock().now })
        let transport = try CurlTransport()
        let client = transport.client(policy: .allowPrivate)
        let hub = try Hub(
            configuration: HubConfiguration(sources: sources),
            bus: bus,
            http: { _ in client },
            logger: logger
        )
        let server = HubServer(hub: hub, heartbeat: heartbeat, logger: logger)
        let listening = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let application = server.application(host: "127.0.0.1", port: 0) { listening.continuation.yield($0) }
        let group = ServiceGroup(services: [hub, application, server.liveFeeds], logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                var ports = listening.stream.makeAsyncIterator()
                let port = try #require(await ports.next())
                let running = RunningHub(bus: bus, base: "http://127.0.0.1:\(port)", http: client, group: group)
                do {
                    // The server may listen before the hub beside it has begun.
                    while hub.phase == .starting { try await Task.sleep(for: .milliseconds(1)) }
                    try await body(running)
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        } catch {
            await bus.close()
            await transport.shutdown()
            throw error
        }
        await bus.close()
        await transport.shutdown()
    }

    /// Appends events about posts of these numbers.
    @discardableResult
    func append(_ numbers: ClosedRange<Int>, source: String = "blog", platform: Platform = "feed") async throws
        -> AppendReceipt
    {
        let events = numbers.map { Self.event($0, platform: platform) }
        return try await bus.append(LogBatch(source: SourceName(source), events: events))
    }

    static func event(_ number: Int, platform: Platform = "feed") -> Event {
        let id = ObjectID(platform, .post, "\(number)")
        var object = SocialObject(id: id, kind: .post)
        object.text = "post number \(number)"
        var data = EventData()
        data.object = object
        return Event(
            id: EventID(id, .created),
            type: .postCreated,
            platform: platform,
            subject: id,
            time: Timestamp(milliseconds: 1_790_000_000_000),
            data: data
        )
    }

    func get(_ path: String, accept: String? = nil, headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.get, path, accept: accept, headers: headers)
    }

    func send(_ method: HTTPRequest.Method, _ path: String, accept: String? = nil, headers: HTTPFields = [:])
        async throws -> Answer
    {
        let response = try await open(method, path, accept: accept, headers: headers)
        return Answer(status: response.status, headers: response.headers, bytes: try await response.body.collect())
    }

    func open(
        _ method: HTTPRequest.Method,
        _ path: String,
        accept: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> HTTPClientResponse {
        var headers = headers
        if let accept { headers[.accept] = accept }
        return try await http.send(
            HTTPClientRequest(
                method,
                base + path,
                headers: headers,
                // How long a test may take, its suite says.
                deadlines: HTTPDeadlines(firstByte: nil, idle: nil, total: nil)
            )
        )
    }

    /// The first `count` messages of a stream that hold something.
    func stream(_ path: String, first count: Int, headers: HTTPFields = [:]) async throws -> [Message] {
        var reader = MessageReader(try await open(.get, path, accept: "text/event-stream", headers: headers).body)
        var messages: [Message] = []
        while messages.count < count, let message = try await reader.next() {
            if !message.data.isEmpty { messages.append(message) }
        }
        return messages
    }

    typealias Message = ServerSentEventParser.Message

    /// Reads a stream message by message, in whatever pieces they come.
    struct MessageReader {
        private var body: HTTPBody.AsyncIterator
        private var parser = ServerSentEventParser()
        private var messages: [Message] = []
        private var first = 0

        init(_ body: HTTPBody) {
            self.body = body.makeAsyncIterator()
        }

        /// The next message; nil when the stream has ended.
        mutating func next() async throws -> Message? {
            while first == messages.count {
                guard let chunk = try await body.next() else { return nil }
                messages = try parser.read(chunk)
                first = 0
            }
            first += 1
            return messages[first - 1]
        }
    }

    struct Answer {
        var status: Int
        var headers: HTTPFields
        var bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }

        /// The strings found at `path` from the root of the JSON answer.
        func json<Value>(_ read: (JSONValue) throws -> Value) throws -> Value {
            try JSONParser().parse(bytes, read)
        }
    }
}
