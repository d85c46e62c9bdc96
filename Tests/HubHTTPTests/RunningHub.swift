import ConnectorKit
import HTTPTypes
import HubCore
import HubHTTP
import JSON
import MessageBus
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
        try await ServingHub.run(sources: sources) { hub, logger, onRunning in
            let server = HubServer(hub: hub, heartbeat: heartbeat, logger: logger)
            return [server.application(host: "127.0.0.1", port: 0) { onRunning($0) }, server.liveFeeds]
        } _: { serving in
            let base = "http://127.0.0.1:\(serving.port)"
            try await body(RunningHub(bus: serving.bus, base: base, http: serving.http, group: serving.group))
        }
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
