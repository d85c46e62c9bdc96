import ConnectorKit
import CurlTransport
import HTTPTypes
import Testing

@Suite("What goes wrong", .timeLimit(.minutes(5)))
struct FailureTests {
    /// A way a server fails, and the code it is to have.
    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let code: HTTPClientError.Code
        let script: ScriptedServer.Script
        var testDescription: String { name }

        init(_ name: String, _ code: HTTPClientError.Code, afterRequest answer: @escaping ScriptedServer.Script) {
            self.name = name
            self.code = code
            script = { connection in
                _ = connection.readRequest()
                answer(connection)
            }
        }
    }

    static let faults: [Fault] = [
        Fault("closes without a word", .connection) { _ in },
        Fault("resets instead of an answer", .connection) { $0.reset() },
        Fault("closes within a body of known length", .protocolViolation) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345")
        },
        Fault("closes within a chunk", .protocolViolation) {
            $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n12345")
        },
        Fault("closes before the last chunk", .protocolViolation) {
            $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
        },
        Fault("sends a chunk without a size", .protocolViolation) {
            $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n12345\r\n0\r\n\r\n")
        },
        Fault("sends gzip that is none", .protocolViolation) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot gzip at ")
        },
        Fault("speaks no HTTP", .protocolViolation) { $0.write("220 smtp.example.org ESMTP\r\n") },
        Fault("sends a head without an end", .protocolViolation) {
            $0.write("HTTP/1.1 200 OK\r\n")
            for number in 0..<400 where $0.write("X-\(number): \(String(repeating: "x", count: 1000))\r\n") {}
            $0.waitForClose()
        },
        Fault("sends interim responses without an end", .protocolViolation) {
            while $0.write("HTTP/1.1 100 Continue\r\nX: \(String(repeating: "x", count: 1000))\r\n\r\n") {}
        },
        Fault("sends more header fields than anyone needs", .protocolViolation) {
            $0.write("HTTP/1.1 200 OK\r\n")
            for _ in 0..<2000 { $0.write("a:b\r\n") }
            $0.write("Content-Length: 0\r\nConnection: close\r\n\r\n")
        },
        Fault("sends a body that is too large", .bodyTooLarge) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 2000001\r\n\r\n")
            $0.write([UInt8](repeating: 0, count: 2_000_001))
            $0.waitForClose()
        },
        Fault("sends a body that unfolds to more than is accepted", .bodyTooLarge) {
            $0.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
            $0.write(Compressed.bomb(size: 50 << 20))
            $0.waitForClose()
        },
    ]

    @Test("has its own code, prints no secret, and leaves the client usable", arguments: faults)
    func fails(by fault: Fault) async throws {
        let script: ScriptedServer.Script = { connection in
            if connection.index == 0 { return fault.script(connection) }
            answering(body: "fine")(connection)
        }
        try await withServer(script) { server, client in
            let secrets = ["s3cretuser", "s3cretpass", "s3cretquery", "s3cretfield", "s3cretpath"]
            let url = "http://\(secrets[0]):\(secrets[1])@127.0.0.1:\(server.port)/\(secrets[4])?key=\(secrets[2])"
            // No deadline hides a failure that is not noticed.
            let deadlines = HTTPDeadlines(connect: .seconds(50), firstByte: nil, idle: nil, total: .seconds(40))
            var request = HTTPClientRequest(.post, url, body: Array("s3cretbody".utf8), deadlines: deadlines)
            request.maximumBodySize = 2_000_000
            request.headers[.authorization] = "Bearer \(secrets[3])"
            let error = await failure { _ = try await client.send(request).body.collect() }
            #expect(error?.code == fault.code, "\(error?.description ?? "")")
            #expect(error?.description.contains("s3cret") == false)
            #expect(
                error?.message.contains("http://127.0.0.1:\(server.port)") == true
                    || fault.name.contains("header fields")
            )
            let body = try await client.get(server.url).body
            #expect(body == "fine")
        }
    }

    @Test("the body limit lets a body of just that size pass")
    func exactLimit() async throws {
        try await withServer(answering(body: "12345")) { server, client in
            let exact = try await client.send(HTTPClientRequest(.get, server.url, maximumBodySize: 5))
            #expect(try await exact.body.collect().count == 5)
            let error = await failure {
                _ = try await client.send(HTTPClientRequest(.get, server.url, maximumBodySize: 4)).body.collect()
            }
            #expect(error?.code == .bodyTooLarge)
        }
    }

    @Test("what came before a failure can be read")
    func readableBeforeFailure() async throws {
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345")
        }
        try await withServer(script) { server, client in
            var body = try await client.send(HTTPClientRequest(.get, server.url)).body.makeAsyncIterator()
            var read = 0
            let error = await failure { while let chunk = try await body.next() { read += chunk.count } }
            #expect(read == 5)
            #expect(error?.code == .protocolViolation)
        }
    }

    @Test("a reset within the body is a failed connection, and leaves the client usable")
    func resetWithinBody() async throws {
        let hasRead = Signal()
        let script: ScriptedServer.Script = { connection in
            guard connection.index == 0 else { return answering(body: "fine")(connection) }
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345")
            // Not before the client has taken the beginning: a reset discards what was not read.
            hasRead.block()
            connection.reset()
        }
        try await withServer(script) { server, client in
            var body = try await client.send(HTTPClientRequest(.get, server.url)).body.makeAsyncIterator()
            var read = 0
            while read < 5, let chunk = try await body.next() { read += chunk.count }
            hasRead.set()
            let error = await failure { _ = try await body.next() }
            #expect(read == 5)
            #expect(error?.code == .connection)
            let answer = try await client.get(server.url).body
            #expect(answer == "fine")
        }
    }

    @Test("nobody listening is a failed connection")
    func refused() async throws {
        try await withServer(answering()) { server, client in
            server.stop()
            let error = await failure { _ = try await client.get("http://127.0.0.1:9/") }
            #expect(error?.code == .connection)
        }
    }

    @Test("a name that does not exist does not resolve")
    func unresolved() async throws {
        // No name can have a part of 64 letters, so that no name server is asked, and none can be late.
        let name = String(repeating: "n", count: 64) + ".invalid"
        try await withServer(answering()) { _, client in
            let error = await failure { _ = try await client.get("http://\(name)/") }
            #expect(error?.code == .nameResolution)
        }
    }

    @Test("a server that speaks no TLS fails the handshake")
    func noTLS() async throws {
        let script: ScriptedServer.Script = { $0.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        try await withServer(script) { server, client in
            let error = await failure { _ = try await client.get("https://127.0.0.1:\(server.port)/") }
            #expect(error?.code == .tls)
        }
    }

    @Test(
        "what is no http or https URL is refused unseen",
        arguments: [
            "", "/path", "example.org", "ftp://example.org/", "file:///etc/passwd", "http://", "http:///path",
            "http://exa mple.org/",
            "http://example.org/a b", "http://example.org/\r\nX-Injected: 1", "http://example.org:99999/",
            "gopher://127.0.0.1/",
            "http://user:s3cret/pass@127.0.0.1/", "javascript:alert(1)", "http://[::1", "\u{0}http://127.0.0.1/",
        ]
    )
    func invalidURL(url: String) async throws {
        try await withServer(answering()) { server, client in
            let error = await failure { _ = try await client.get(url) }
            #expect(error?.code == .invalidRequest, "\(error?.description ?? "")")
            #expect(error?.description.contains("s3cret") == false)
            #expect(server.connectionCount == 0)
        }
    }

    @Test(
        "fields that frame the message are the client's to set",
        arguments: ["Transfer-Encoding", "content-length", "Connection"]
    )
    func framing(name: String) async throws {
        try await withServer(answering()) { server, client in
            var request = HTTPClientRequest(.get, server.url)
            request.headers[try #require(HTTPField.Name(name))] = "chunked"
            let sent = request
            let error = await failure { _ = try await client.send(sent) }
            #expect(error?.code == .invalidRequest)
        }
    }
}
