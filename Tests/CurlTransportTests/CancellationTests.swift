import ConnectorKit
import CurlTransport
import HTTPTypes
import Testing

@Suite("Cancelling", .timeLimit(.minutes(5)))
struct CancellationTests {
    /// No deadline ends what cancelling should.
    private static let patient = HTTPDeadlines(firstByte: nil, idle: nil, total: nil)

    @Test("before the request goes out sends nothing")
    func before() async throws {
        try await withServer(answering()) { server, client in
            let gate = Signal()
            let task = Task {
                await gate.wait()
                _ = try await client.send(HTTPClientRequest(.get, server.url))
            }
            task.cancel()
            gate.set()
            await #expect(throws: CancellationError.self) { try await task.value }
            _ = try await client.get("\(server.url)/after")
            #expect(server.requests.count == 1)
        }
    }

    @Test("while the head is awaited ends the exchange")
    func awaitingHead() async throws {
        let (reached, closed) = (Signal(), Signal())
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            reached.set()
            connection.waitForClose()
            closed.set()
        }
        try await withServer(script) { server, client in
            let task = Task { _ = try await client.send(HTTPClientRequest(.get, server.url, deadlines: Self.patient)) }
            await reached.wait()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await closed.wait()
        }
    }

    /// A script that sends a first piece of an endless body and tells when the other side has gone.
    private static func endless(_ closed: Signal) -> ScriptedServer.Script {
        { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\nfirst")
            connection.waitForClose()
            closed.set()
        }
    }

    @Test("while a piece of the body is awaited ends the exchange, for good")
    func awaitingBody() async throws {
        let (closed, waiting) = (Signal(), Signal())
        try await withServer(Self.endless(closed)) { server, client in
            let response = try await client.send(HTTPClientRequest(.get, server.url, deadlines: Self.patient))
            let task = Task {
                var body = response.body.makeAsyncIterator()
                _ = try await body.next()
                waiting.set()
                _ = try await body.next()
            }
            await waiting.wait()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await closed.wait()
            await #expect(throws: CancellationError.self) { try await response.body.collect() }
        }
    }

    @Test("happens when an unread body is dropped")
    func dropped() async throws {
        let closed = Signal()
        try await withServer(Self.endless(closed)) { server, client in
            let status = try await client.send(HTTPClientRequest(.get, server.url, deadlines: Self.patient)).status
            #expect(status == 200)
            await closed.wait()
        }
    }

    @Test("happens when a half-read, held back body is dropped")
    func droppedHeldBack() async throws {
        let closed = Signal()
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            let piece = [UInt8](repeating: 0, count: 1 << 20)
            while connection.write(piece) {}
            closed.set()
        }
        try await withServer(script) { server, client in
            do {
                var body = try await client.send(HTTPClientRequest(.get, server.url, deadlines: Self.patient)).body
                    .makeAsyncIterator()
                #expect(try await body.next()?.isEmpty == false)
            }
            await closed.wait()
        }
    }

    @Test("a body dropped unread but complete keeps its connection")
    func droppedComplete() async throws {
        try await withServer(answering(body: "x")) { server, client in
            for _ in 0..<20 {
                let request = HTTPClientRequest(.get, server.url, deadlines: Self.patient)
                var unread: HTTPClientResponse? = try await client.send(request)
                // After another whole exchange this one is complete too.
                _ = try await client.get("\(server.url)/other")
                #expect(unread?.status == 200)
                unread = nil
            }
            #expect(server.connectionCount <= 2)
        }
    }

    @Test("at any moment leaves nothing waiting")
    func anyMoment() async throws {
        let script: ScriptedServer.Script = { connection in
            while connection.readRequest() != nil {
                connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<3 { connection.write("4\r\nabcd\r\n") }
                connection.write("0\r\n\r\n")
            }
        }
        try await withServer(script) { server, client in
            await withTaskGroup { group in
                for number in 0..<400 {
                    group.addTask {
                        let task = Task { try await client.get("\(server.url)/\(number)").body }
                        for _ in 0..<(number % 20) { await Task.yield() }
                        task.cancel()
                        switch await task.result {
                        case .success(let body): #expect(body == "abcdabcdabcd")
                        case .failure(let error): #expect(error is CancellationError, "\(error)")
                        }
                    }
                }
            }
            let body = try await client.get(server.url).body
            #expect(body == "abcdabcdabcd")
        }
    }
}
