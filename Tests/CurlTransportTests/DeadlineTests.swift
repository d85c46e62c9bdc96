import ConnectorKit
import CurlTransport
import HTTPTypes
import Testing

@Suite("Deadlines", .timeLimit(.minutes(5)))
struct DeadlineTests {
    /// Reads the request and says nothing.
    static let silent: ScriptedServer.Script = { connection in
        _ = connection.readRequest()
        connection.waitForClose()
    }

    private func expectDeadline(
        _ name: String,
        _ deadlines: HTTPDeadlines,
        path: String = "/",
        scheme: String = "http",
        endsConnection: Bool = true,
        _ script: @escaping ScriptedServer.Script
    ) async throws {
        let closed = Signal()
        try await withServer(
            { connection in
                script(connection)
                connection.waitForClose()
                closed.set()
            },
            { server, client in
                let error = await failure {
                    let url = "\(scheme)://127.0.0.1:\(server.port)\(path)"
                    let response = try await client.send(HTTPClientRequest(.get, url, deadlines: deadlines))
                    _ = try await response.body.collect()
                }
                #expect(error?.code == .deadline)
                #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
                // A deadline that passed before there was a connection leaves none to be closed.
                if endsConnection, server.connectionCount > 0 { await closed.wait() }
            }
        )
    }

    @Test("connect covers a TLS handshake that never ends")
    func connect() async throws {
        try await expectDeadline(
            "no connection within 0.05 seconds",
            HTTPDeadlines(connect: .milliseconds(50)),
            scheme: "https"
        ) { _ in }
    }

    @Test("first byte covers a server that never answers")
    func firstByte() async throws {
        try await expectDeadline("first byte", HTTPDeadlines(firstByte: .milliseconds(50)), Self.silent)
    }

    @Test("first byte covers interim responses and a head that does not end")
    func firstByteOfFinalHead() async throws {
        try await expectDeadline("first byte", HTTPDeadlines(firstByte: .milliseconds(50))) { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX-Slow: ")
            for _ in 0..<1000 where connection.write("x") { connection.pause(milliseconds: 5) }
        }
    }

    @Test("first byte runs on through redirects")
    func firstByteAfterRedirect() async throws {
        // Between two hops the connection is at rest, and then it is kept.
        let deadlines = HTTPDeadlines(firstByte: .milliseconds(80))
        try await expectDeadline("first byte", deadlines, endsConnection: false) { connection in
            while connection.readRequest() != nil {
                connection.pause(milliseconds: 20)
                connection.respond("302 Found", headers: "Location: /again\r\n")
            }
        }
    }

    @Test("idle covers silence within the body")
    func idle() async throws {
        try await expectDeadline("idle", HTTPDeadlines(idle: .milliseconds(50))) { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        }
    }

    @Test("total covers a body that drips for ever")
    func total() async throws {
        try await expectDeadline("total", HTTPDeadlines(idle: .seconds(10), total: .milliseconds(100))) { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            while connection.write("drip ") { connection.pause(milliseconds: 5) }
        }
    }

    @Test("total covers waiting in line for a connection")
    func inLine() async throws {
        let configuration = CurlTransportConfiguration(maximumConnectionsPerHost: 1)
        let reached = Signal()
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            reached.set()
            connection.waitForClose()
        }
        try await withServer(configuration: configuration, script) { server, client in
            async let first = client.send(HTTPClientRequest(.get, "\(server.url)/first"))
            await reached.wait()
            let patient = HTTPDeadlines(connect: .seconds(30), total: .milliseconds(50))
            let error = await failure {
                _ = try await client.send(HTTPClientRequest(.get, server.url, deadlines: patient))
            }
            #expect(error?.code == .deadline)
            #expect(error?.message.contains("total") == true)
            #expect(server.requests.count == 1)
            server.stop()
            _ = try? await first
        }
    }

    @Test("connect does not count waiting in line for a connection")
    func connectInLine() async throws {
        let configuration = CurlTransportConfiguration(maximumConnections: 1, maximumConnectionsPerHost: 1)
        let (reached, release) = (Signal(), Signal())
        let script: ScriptedServer.Script = { connection in
            while connection.readRequest() != nil {
                reached.set()
                release.block()
                connection.respond()
            }
        }
        try await withServer(configuration: configuration, script) { server, client in
            async let first = client.get("\(server.url)/first")
            await reached.wait()
            let hasty = HTTPDeadlines(connect: .milliseconds(500))
            async let second = client.send(HTTPClientRequest(.get, "\(server.url)/second", deadlines: hasty))
            // A deadline of another request, started later and longer, tells that the second's would have passed.
            let later = HTTPDeadlines(total: .seconds(1))
            _ = await failure {
                _ = try await client.send(HTTPClientRequest(.get, "\(server.url)/third", deadlines: later))
            }
            release.set()
            let statuses = try await (first.response.status, second.status)
            #expect(statuses == (200, 200))
        }
    }

    @Test("a body that waits for its reader is not idle")
    func heldBack() async throws {
        let size = 4 << 20
        let script: ScriptedServer.Script = { connection in
            guard let request = connection.readRequest() else { return }
            if request.hasPrefix("GET /silent") { return connection.waitForClose() }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            connection.write([UInt8](repeating: 7, count: size))
            connection.waitForClose()
        }
        try await withServer(script) { server, client in
            let request = HTTPClientRequest(.get, "\(server.url)/large", deadlines: HTTPDeadlines(idle: .seconds(2)))
            let response = try await client.send(request)
            // Another request's longer deadline tells that the time has passed.
            let longer = HTTPDeadlines(firstByte: .seconds(3))
            _ = await failure {
                _ = try await client.send(HTTPClientRequest(.get, "\(server.url)/silent", deadlines: longer))
            }
            #expect(try await response.body.collect().count == size)
        }
    }

    @Test("none passes in a stream that has none")
    func patient() async throws {
        let release = Signal()
        let script: ScriptedServer.Script = { connection in
            guard let request = connection.readRequest() else { return }
            if request.hasPrefix("GET /silent") { return connection.waitForClose() }
            connection.write("HTTP/1.1 200 OK\r\n\r\nfirst")
            release.block()
            connection.write("second")
        }
        try await withServer(script) { server, client in
            let patient = HTTPDeadlines(firstByte: nil, idle: nil, total: nil)
            let response = try await client.send(HTTPClientRequest(.get, "\(server.url)/stream", deadlines: patient))
            let passing = HTTPDeadlines(firstByte: .milliseconds(50))
            _ = await failure {
                _ = try await client.send(HTTPClientRequest(.get, "\(server.url)/silent", deadlines: passing))
            }
            release.set()
            #expect(String(decoding: try await response.body.collect(), as: UTF8.self) == "firstsecond")
        }
    }
}
