import ConnectorKit
import HTTPTypes
import HubCore
import HubHTTP
import MessageBus
import SocialEvents
import Testing

@Suite("The webhook listener", .timeLimit(.minutes(2)))
struct WebhookTests {
    @Test("A genuine call is answered once its events are in the log, and calling again changes nothing")
    func durable() async throws {
        try await RunningHook.run { hook in
            #expect(try await hook.call("1\n2").status == 200)
            #expect(try await hook.numbers() == [1, 2])
            #expect(try await hook.call("1\n2").status == 200)
            #expect(try await hook.call("2\n3").status == 200)
            #expect(try await hook.numbers() == [1, 2, 3])
            let status = try #require(hook.hub.source(SourceName("hook")))
            #expect(status.state == .running)
            #expect(status.counts.events == 3 && status.counts.repeated == 3)
        }
    }

    @Test("A platform's question is answered, with what the query asks decoded")
    func challenge() async throws {
        try await RunningHook.run { hook in
            let answer = try await hook.send(.get, "/hook?mode=subscribe&challenge=a%20b%2Bc")
            #expect(answer.status == 200)
            #expect(answer.text == "a b+c")
            #expect(answer.headers[.contentType] == "text/plain")
            #expect(try await hook.send(.get, "/hook").status == 400)
        }
    }

    @Test("What is forged, too large or for nobody is refused, and nothing of it is kept")
    func refused() async throws {
        var limits = WebhookLimits()
        limits.bodySize = 1000
        try await RunningHook.run(limits: limits) { hook in
            let forged = try await hook.call("1", signature: "sha256=00")
            #expect(forged.status == 403)
            #expect(try await hook.call("1", signature: nil).status == 403)
            #expect(try await hook.call("1", path: "/other").status == 404)
            #expect(try await hook.call(String(repeating: "1\n", count: 501)).status == 413)
            #expect(try await hook.call(String(repeating: "1\n", count: 500)).status == 200)
            #expect(try await hook.numbers() == [1])
            #expect(hook.hub.source(SourceName("hook"))?.counts.refused == 2)
        }
    }

    @Test("What is genuine and cannot be read is kept aside and taken, so that the platform does not give up")
    func unreadable() async throws {
        try await RunningHook.run { hook in
            #expect(try await hook.call("!malformed").status == 200)
            let letters = try await hook.bus.deadLetters(of: nil, after: 0, limit: 10)
            #expect(letters.map { String(decoding: $0.letter.payload, as: UTF8.self) } == ["!malformed"])
            #expect(try await hook.call("!broken").status == 500)
            #expect(try await hook.call("1").status == 200)
            #expect(try await hook.numbers() == [1])
        }
    }

    @Test("A paused source has its platform call again later, and takes the call once it goes on")
    func paused() async throws {
        try await RunningHook.run { hook in
            try await hook.hub.pause(SourceName("hook"))
            let answer = try await hook.call("1")
            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] == "60")
            try await hook.hub.resume(SourceName("hook"))
            try await hook.untilTaken("1")
            #expect(try await hook.numbers() == [1])
        }
    }

    @Test("More calls at once than there are places for are told to come again, and are taken when they do")
    func flood() async throws {
        var limits = WebhookLimits()
        limits.callsInFlight = 2
        let gate = HookGate.named("flood")
        try await RunningHook.run(limits: limits, gate: "flood") { hook in
            async let first = hook.call("!wait")
            async let second = hook.call("!wait")
            try await until { gate.waiting == 2 }
            let third = try await hook.call("1")
            #expect(third.status == 503)
            #expect(third.headers[.retryAfter] == "1")
            gate.open()
            #expect(try await first.status == 200)
            #expect(try await second.status == 200)
            try await hook.untilTaken("1")
            #expect(try await hook.numbers() == [1])
        }
    }

    @Test("Bodies that together would take more memory than there is room for are told to come again")
    func memory() async throws {
        var limits = WebhookLimits()
        limits.bytesInFlight = 1000
        let gate = HookGate.named("memory")
        try await RunningHook.run(limits: limits, gate: "memory") { hook in
            async let first = hook.call("!wait")
            try await until { gate.waiting == 1 }
            let large = try await hook.call(String(repeating: "1\n", count: 499))
            #expect(large.status == 503)
            #expect(try await hook.call(String(repeating: "1\n", count: 400)).status == 200)
            gate.open()
            #expect(try await first.status == 200)
        }
    }

    @Test("A call that does not arrive in time is cut off, however steadily it trickles in")
    func slow() async throws {
        var limits = WebhookLimits()
        limits.arrival = .milliseconds(300)
        try await RunningHook.run(limits: limits) { hook in
            let bytes = try TricklingClient(port: hook.port).bytesUntilClosed(path: "/hook", every: 20)
            #expect(bytes != nil, "ten seconds later it still listens")
            #expect(try await hook.call("1").status == 200)
        }
    }

    @Test("Many calls side by side lose and double nothing")
    func concurrent() async throws {
        try await RunningHook.run { hook in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in 1...200 {
                    tasks.addTask {
                        let answer = try await hook.call("\(number)\n\(number + 1)")
                        #expect(answer.status == 200)
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(try await hook.numbers().sorted() == Array(1...201))
        }
    }
}

/// A hub with one source that is called, its listener, and a client that signs.
struct RunningHook: Sendable {
    let hub: Hub
    let bus: any MessageBus
    let port: Int
    private let http: any HTTPClient

    /// Runs `body` against it; everything has ended when it returns.
    static func run(
        limits: WebhookLimits = WebhookLimits(),
        gate: String = "none",
        _ body: @escaping @Sendable (RunningHook) async throws -> Void
    ) async throws {
        let settings = Settings([
            SettingNode.Member(
                key: "gate",
                position: SettingPosition(),
                value: SettingNode(.scalar(gate, isQuoted: false))
            )
        ])
        let source = SourceConfiguration(
            name: SourceName("hook"),
            connector: HookConnector.self,
            settings: settings,
            interval: .seconds(60) ... .seconds(60)
        )
        try await ServingHub.run(sources: [source]) { hub, logger, onRunning in
            [
                WebhookServer(hub: hub, limits: limits, logger: logger)
                    .application(host: "127.0.0.1", port: 0) { onRunning($0) }
            ]
        } _: { serving in
            // What waits in the connector would keep the hub from ending.
            defer { HookGate.named(gate).open() }
            try await until { serving.hub.source(SourceName("hook"))?.state == .running }
            try await body(RunningHook(hub: serving.hub, bus: serving.bus, port: serving.port, http: serving.http))
        }
    }

    /// Calls as the platform does, signed with what it shares with the source unless told otherwise.
    func call(_ body: String, path: String = "/hook") async throws -> RunningHub.Answer {
        let genuine = Signature.hubSHA256.make(Array(body.utf8), key: HookConnector.secret)
        return try await call(body, path: path, signature: genuine)
    }

    func call(_ body: String, path: String = "/hook", signature: String?) async throws -> RunningHub.Answer {
        var headers: HTTPFields = [:]
        if let signature, let name = HTTPField.Name("x-hub-signature-256") { headers[name] = signature }
        return try await send(.post, path, headers: headers, body: Array(body.utf8))
    }

    /// Calls again until it is taken, as platforms do.
    func untilTaken(_ body: String) async throws {
        try await until { try await call(body).status == 200 }
    }

    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        headers: HTTPFields = [:],
        body: [UInt8] = []
    ) async throws -> RunningHub.Answer {
        let response = try await http.send(
            HTTPClientRequest(
                method,
                "http://127.0.0.1:\(port)\(path)",
                headers: headers,
                body: body,
                deadlines: HTTPDeadlines(firstByte: nil, idle: nil, total: nil)
            )
        )
        return RunningHub.Answer(
            status: response.status,
            headers: response.headers,
            bytes: try await response.body.collect()
        )
    }

    /// The numbers of the posts in the log, in its order.
    func numbers() async throws -> [Int] {
        let page = try await bus.page(after: .start, filter: EventFilter(), limits: PageLimits())
        let decoder = EventDecoder()
        return try page.entries.filter { $0.platform != .hub }.compactMap { entry in
            let subject = try decoder.decodeBody(Array(page.storage[entry.body])).event.subject
            return subject.flatMap { $0.text.split(separator: ":").last }.flatMap { Int($0) }
        }
    }
}
