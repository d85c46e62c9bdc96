import ConnectorKit
import CurlTransport
import HTTPTypes
import Testing

@Suite("An exchange", .timeLimit(.minutes(5)))
struct ExchangeTests {
    @Test("gives status, fields, URL and body of a plain answer")
    func plain() async throws {
        try await withServer(answering("203 Fine", headers: "X-One: a\r\nx-one:  b \r\nEmpty:\r\n", body: "hello")) {
            server,
            client in
            let (response, body) = try await client.get("\(server.url)/path?q=1")
            #expect(response.status == 203)
            #expect(body == "hello")
            #expect(response.url == "\(server.url)/path?q=1")
            #expect(response.redirects.isEmpty)
            #expect(response.headers[values: try #require(HTTPField.Name("X-One"))] == ["a", "b"])
            #expect(response.headers[try #require(HTTPField.Name("Empty"))]?.isEmpty == true)
        }
    }

    @Test("sends fields as they are, its own user agent, and what it can decompress")
    func requestFields() async throws {
        let configuration = CurlTransportConfiguration(userAgent: "Roost/test")
        try await withServer(configuration: configuration, answering()) { server, client in
            var request = HTTPClientRequest(.get, "\(server.url)/a")
            request.headers[try #require(HTTPField.Name("X-Token"))] = "Ünïcode value"
            request.headers[try #require(HTTPField.Name("X-Empty"))] = ""
            _ = try await client.send(request)
            let sent = try #require(server.requests.first)
            #expect(sent.hasPrefix("GET /a HTTP/1.1\r\n"))
            #expect(sent.contains("\r\nX-Token: Ünïcode value\r\n"))
            #expect(sent.contains("\r\nX-Empty:\r\n"))
            #expect(sent.contains("\r\nUser-Agent: Roost/test\r\n"))
            #expect(sent.contains("gzip"))
            // The handle that carried this request must not remember it.
            _ = try await client.get("\(server.url)/b")
            #expect(server.requests.last?.contains("X-Token") == false)
        }
    }

    @Test(
        "sends every method with and without a body",
        arguments: [
            (HTTPRequest.Method.get, ""), (.get, "q"), (.post, ""), (.post, "body"), (.put, ""), (.put, "body"),
            (.patch, "p"),
            (.delete, ""), (.delete, "d"), (.options, ""),
        ]
    )
    func methods(method: HTTPRequest.Method, body: String) async throws {
        try await withServer(answering(body: "ok")) { server, client in
            let request = HTTPClientRequest(method, "\(server.url)/m", body: Array(body.utf8))
            let answer = try await client.send(request)
            #expect(try await answer.body.collect() == Array("ok".utf8))
            let sent = try #require(server.requests.first)
            #expect(sent.hasPrefix("\(method.rawValue) /m HTTP/1.1\r\n"))
            #expect(sent.hasSuffix("\r\n\r\n\(body)"))
            #expect(
                sent.contains("Content-Length: \(body.utf8.count)\r\n")
                    == (!body.isEmpty || [.post, .put].contains(method))
            )
            #expect(!sent.contains("Content-Type"))
            #expect(!sent.contains("Expect"))
            _ = try await client.get("\(server.url)/after")
            #expect(server.requests.last?.hasPrefix("GET /after HTTP/1.1\r\n") == true)
            #expect(server.connectionCount == 1)
        }
    }

    @Test("keeps a content type that the caller gave")
    func contentType() async throws {
        try await withServer(answering()) { server, client in
            let request = HTTPClientRequest(
                .post,
                server.url,
                headers: [.contentType: "application/json"],
                body: Array("{}".utf8)
            )
            _ = try await client.send(request)
            #expect(server.requests.first?.contains("\r\nContent-Type: application/json\r\n") == true)
        }
    }

    @Test("sends user name and password of a URL as Basic credentials and not back")
    func userInfo() async throws {
        try await withServer(answering()) { server, client in
            let response = try await client.send(
                HTTPClientRequest(.get, "http://us%40er:pass@127.0.0.1:\(server.port)/")
            )
            #expect(server.requests.first?.contains("Authorization: Basic dXNAZXI6cGFzcw==\r\n") == true)
            #expect(response.url == "\(server.url)/")
            _ = try await client.get(server.url)
            #expect(server.requests.last?.contains("Authorization") == false)
        }
    }

    @Test(
        "needs no body where there is none",
        arguments: [(HTTPRequest.Method.head, "200 OK"), (.get, "204 No Content"), (.get, "304 Not Modified")]
    )
    func bodiless(method: HTTPRequest.Method, status: String) async throws {
        let script: ScriptedServer.Script = { connection in
            while connection.readRequest() != nil {
                connection.write("HTTP/1.1 \(status)\r\n\(method == .head ? "Content-Length: 100000\r\n" : "")\r\n")
            }
        }
        try await withServer(script) { server, client in
            for _ in 0..<2 {
                let response = try await client.send(HTTPClientRequest(method, server.url, maximumBodySize: 10))
                #expect(response.status == Int(status.prefix(3)))
                #expect(try await response.body.collect().isEmpty)
            }
            #expect(server.connectionCount == 1)
        }
    }

    @Test("skips interim responses and trailers")
    func interim() async throws {
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            connection.write(
                "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            )
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n")
            connection.write("3\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 1\r\n\r\n")
            connection.waitForClose()
        }
        try await withServer(script) { server, client in
            let (response, body) = try await client.get(server.url)
            #expect(response.status == 200)
            #expect(response.headers[try #require(HTTPField.Name("X-Interim"))] == nil)
            #expect(response.headers[try #require(HTTPField.Name("X-Late"))] == nil)
            #expect(response.headers[try #require(HTTPField.Name("Link"))] == nil)
            #expect(body == "abcde")
        }
    }

    @Test("hands over a body as it comes, byte by byte if need be")
    func dribble() async throws {
        let (first, second) = (Signal(), Signal())
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            for byte in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n".utf8 { connection.write([byte]) }
            first.block()
            connection.write("a")
            second.block()
            connection.write("b")
            connection.waitForClose()
        }
        try await withServer(script) { server, client in
            let response = try await client.send(HTTPClientRequest(.get, server.url))
            var body = response.body.makeAsyncIterator()
            first.set()
            #expect(try await body.next() == Array("a".utf8))
            second.set()
            #expect(try await body.next() == Array("b".utf8))
            #expect(try await body.next() == nil)
            #expect(try await body.next() == nil)
        }
    }

    @Test("reads a body that ends with the connection")
    func untilClose() async throws {
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.0 200 OK\r\n\r\nall of it")
        }
        try await withServer(script) { server, client in
            let body = try await client.get(server.url).body
            #expect(body == "all of it")
        }
    }

    @Test("decompresses")
    func gzip() async throws {
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            let body = Compressed.hello
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.write(body)
            connection.waitForClose()
        }
        try await withServer(script) { server, client in
            let body = try await client.get(server.url).body
            #expect(body == "hello, hello, hello")
        }
    }

    @Test("reuses connections, one at a time and after 200 at once")
    func reuse() async throws {
        let configuration = CurlTransportConfiguration(maximumConnectionsPerHost: 8)
        try await withServer(configuration: configuration, answering(body: "x")) { server, client in
            for _ in 0..<20 { _ = try await client.get(server.url) }
            #expect(server.connectionCount == 1)
            try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    group.addTask {
                        let body = try await client.get("\(server.url)/\(number)").body
                        #expect(body == "x")
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.connectionCount <= 8)
            #expect(server.requests.count == 220)
        }
    }

    @Test("clients of different policies share no connection, of the same one they do")
    func routes() async throws {
        let server = try ScriptedServer(answering(body: "x"))
        defer { server.stop() }
        let transport = try CurlTransport()
        let networks = [try #require(IPNetwork("127.0.0.0/8"))]
        for _ in 0..<2 {
            _ = try await transport.client(policy: .allowPrivate).get(server.url)
            _ = try await transport.client(policy: NetworkPolicy(allowedNetworks: networks)).get(server.url)
        }
        #expect(server.connectionCount == 2)
        let error = await failure { _ = try await transport.client(policy: .publicOnly).get(server.url) }
        #expect(error?.code == .addressRefused)
        await transport.shutdown()
    }

    @Test("goes through a proxy that it is told of, and through none from the environment")
    func proxy() async throws {
        let proxy = try ScriptedServer(answering(body: "from the proxy"))
        defer { proxy.stop() }
        let transport = try CurlTransport()
        let client = transport.client(policy: .publicOnly, proxy: proxy.url)
        #expect(try await client.get("http://name.example/path").body == "from the proxy")
        #expect(proxy.requests.first?.hasPrefix("GET http://name.example/path HTTP/1.1\r\n") == true)
        for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "169.254.169.254"] {
            let error = await failure { _ = try await client.get("http://\(host)/") }
            #expect(error?.code == .addressRefused, "\(host)")
        }
        #expect(proxy.requests.count == 1)
        await transport.shutdown()
    }
}
