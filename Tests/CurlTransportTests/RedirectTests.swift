import ConnectorKit
import CurlTransport
import HTTPTypes
import Testing

@Suite("Redirects", .timeLimit(.minutes(5)))
struct RedirectTests {
    /// Redirects `/STATUS/PATH` to `/PATH`, and answers everything else.
    static let script: ScriptedServer.Script = { connection in
        while let request = connection.readRequest() {
            let path = request.split(separator: " ")[1]
            let parts = path.split(separator: "/", maxSplits: 1)
            if let status = parts.first, Int(status) != nil {
                connection.respond(
                    "\(status) Moved",
                    headers: "Location: /\(parts.count > 1 ? parts[1] : "")\r\n",
                    body: "moved"
                )
            } else {
                connection.respond(body: "here")
            }
        }
    }

    @Test("are followed, on one connection, and all hops are told")
    func chain() async throws {
        try await withServer(Self.script) { server, client in
            let (response, body) = try await client.get("\(server.url)/301/302/307/308/303/end?q=1")
            #expect(body == "here")
            #expect(response.url == "\(server.url)/end?q=1")
            #expect(response.redirects.map(\.status) == [301, 302, 307, 308, 303])
            #expect(response.redirects.first?.location == "\(server.url)/302/307/308/303/end?q=1")
            #expect(response.redirects.map(\.isPermanent) == [true, false, false, true, false])
            #expect(server.connectionCount == 1)
        }
    }

    @Test("are counted")
    func limits() async throws {
        try await withServer(Self.script) { server, client in
            var request = HTTPClientRequest(.get, "\(server.url)/302/302/end", maximumRedirects: 2)
            #expect(try await client.send(request).redirects.count == 2)
            request.maximumRedirects = 1
            let short = request
            let error = await failure { _ = try await client.send(short) }
            #expect(error?.code == .redirect)
            request.maximumRedirects = 0
            let unfollowed = try await client.send(request)
            #expect(unfollowed.status == 302)
            #expect(try await unfollowed.body.collect() == Array("moved".utf8))
        }
    }

    @Test("in a circle end")
    func circle() async throws {
        try await withServer(answering("302 Found", headers: "Location: /\r\n")) { server, client in
            let error = await failure { _ = try await client.get(server.url) }
            #expect(error?.code == .redirect)
            #expect(server.requests.count == 6)
        }
    }

    @Test(
        "without a place, and other statuses with one, are answers",
        arguments: ["302 Found", "300 Multiple Choices", "201 Created"]
    )
    func answers(status: String) async throws {
        let headers = status.hasPrefix("302") ? "" : "Location: /there\r\n"
        try await withServer(answering(status, headers: headers, body: "x")) { server, client in
            let response = try await client.get(server.url).response
            #expect(response.status == Int(status.prefix(3)))
            #expect(response.redirects.isEmpty)
        }
    }

    @Test(
        "change the method as browsers do and keep the body otherwise",
        arguments: [
            ("POST", 301, "GET"), ("POST", 302, "GET"), ("POST", 303, "GET"), ("POST", 307, "POST"),
            ("POST", 308, "POST"),
            ("PUT", 301, "PUT"), ("PUT", 303, "GET"), ("DELETE", 302, "DELETE"), ("DELETE", 303, "GET"),
        ]
    )
    func methods(before: String, status: Int, after: String) async throws {
        try await withServer(Self.script) { server, client in
            let request = HTTPClientRequest(
                try #require(HTTPRequest.Method(before)),
                "\(server.url)/\(status)/end",
                headers: [.contentType: "text/plain", .accept: "a/b"],
                body: Array("the body".utf8)
            )
            _ = try await client.send(request)
            let last = try #require(server.requests.last)
            #expect(last.hasPrefix("\(after) /end "))
            #expect(last.hasSuffix("\r\n\r\nthe body") == (after == before))
            #expect(last.contains("Content-Type: text/plain") == (after == before))
            #expect(last.contains("Accept: a/b"))
        }
    }

    @Test("HEAD stays HEAD", arguments: [301, 303, 307])
    func head(status: Int) async throws {
        let script: ScriptedServer.Script = { connection in
            while let request = connection.readRequest() {
                connection.write(
                    request.contains("/from")
                        ? "HTTP/1.1 \(status) Moved\r\nLocation: /to\r\nContent-Length: 5\r\n\r\n"
                        : "HTTP/1.1 200 OK\r\n\r\n"
                )
            }
        }
        try await withServer(script) { server, client in
            _ = try await client.send(HTTPClientRequest(.head, "\(server.url)/from"))
            #expect(server.requests.last?.hasPrefix("HEAD /to ") == true)
        }
    }

    @Test("carry credentials on to the same origin, and none to another")
    func credentials() async throws {
        let other = try ScriptedServer(answering(body: "other"))
        defer { other.stop() }
        let back = other.url
        let script: ScriptedServer.Script = { connection in
            while let request = connection.readRequest() {
                let location = request.hasPrefix("GET /away") ? "\(back)/arrived" : "/away"
                connection.respond("302 Found", headers: "Location: \(location)\r\n")
            }
        }
        try await withServer(script) { server, client in
            var request = HTTPClientRequest(.get, "http://us3r:passw0rd@127.0.0.1:\(server.port)/start")
            request.headers[.cookie] = "s3cret"
            request.headers[try #require(HTTPField.Name("X-Api-Key"))] = "s3cret"
            request.headers[try #require(HTTPField.Name("Private-Token"))] = "s3cret"
            request.headers[.accept] = "a/b"
            let response = try await client.send(request)
            #expect(response.url == "\(other.url)/arrived")
            let same = try #require(server.requests.last)
            #expect(same.hasPrefix("GET /away"))
            #expect(same.split(separator: "s3cret").count == 4)
            #expect(same.contains("Authorization: Basic"))
            let away = try #require(other.requests.first)
            #expect(!away.contains("s3cret"))
            #expect(!away.contains("Authorization"))
            #expect(away.contains("Accept: a/b"))
            // An Authorization field of the caller's own stays behind as well.
            var bearer = HTTPClientRequest(.get, "\(server.url)/away")
            bearer.headers[.authorization] = "Bearer s3cret"
            _ = try await client.send(bearer)
            #expect(server.requests.last?.contains("s3cret") == true)
            #expect(other.requests.last?.contains("s3cret") == false)
        }
    }

    @Test("do not carry a body to another origin")
    func bodyAway() async throws {
        let other = try ScriptedServer(answering())
        defer { other.stop() }
        try await withServer(answering("307 Temporary", headers: "Location: \(other.url)/\r\n")) { server, client in
            let error = await failure {
                _ = try await client.send(HTTPClientRequest(.post, server.url, body: Array("secret".utf8)))
            }
            #expect(error?.code == .redirect)
            #expect(other.connectionCount == 0)
        }
    }

    @Test(
        "to anything but http and https are refused",
        arguments: [
            "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/", "javascript:alert(1)", "http://",
            "data:,x",
        ]
    )
    func schemes(location: String) async throws {
        try await withServer(answering("302 Found", headers: "Location: \(location)\r\n")) { server, client in
            let error = await failure { _ = try await client.get(server.url) }
            #expect(error?.code == .redirect)
        }
    }

    @Test(
        "to a private or metadata address are refused at connect time",
        arguments: [
            "127.0.0.2", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433", "127.1",
            "169.254.169.254", "10.0.0.1",
            "0.0.0.0", "[::]", "[fe80::1]", "0177.0.0.1",
        ]
    )
    func privateTargets(host: String) async throws {
        let hidden = try ScriptedServer(answering())
        defer { hidden.stop() }
        let policy = NetworkPolicy(allowedNetworks: [try #require(IPNetwork("127.0.0.1"))])
        let target = ["localhost", "0x7f000001", "2130706433", "127.1", "0177.0.0.1"].contains(host)
        // Names and spellings of 127.0.0.1 need a first hop that the guard allows otherwise.
        let location = "Location: http://\(host):\(hidden.port)/\r\n"
        try await withServer(policy: target ? .publicOnly : policy, answering("302 Found", headers: location)) {
            server,
            client in
            let start = target ? "http://\(host):\(hidden.port)/" : server.url
            let error = await failure { _ = try await client.get(start) }
            #expect(error?.code == .addressRefused, "\(error?.description ?? "")")
            #expect(hidden.connectionCount == 0)
        }
    }

    @Test("with a long or unfinished body are followed without reading it")
    func longBody() async throws {
        let script: ScriptedServer.Script = { connection in
            guard let request = connection.readRequest() else { return }
            if request.hasPrefix("GET /to") { return _ = connection.respond(body: "here") }
            connection.write("HTTP/1.1 302 Found\r\nLocation: /to\r\n\r\n")
            while connection.write([UInt8](repeating: 0, count: 1 << 16)) {}
        }
        try await withServer(script) { server, client in
            let body = try await client.get("\(server.url)/from").body
            #expect(body == "here")
        }
    }

    @Test("to names with spaces and letters outside ASCII are written as URLs")
    func untidyLocation() async throws {
        try await withServer(Self.script) { server, client in
            let response = try await client.get("\(server.url)/302/a%20b").response
            #expect(response.url == "\(server.url)/a%20b")
        }
        try await withServer({ connection in
            while let request = connection.readRequest() {
                if request.hasPrefix("GET / ") {
                    connection.respond("302 Found", headers: "Location: /çà et là?x=é#part\r\n")
                } else {
                    connection.respond(body: "here")
                }
            }
        }) { server, client in
            let response = try await client.get(server.url).response
            #expect(response.url == "\(server.url)/%c3%a7%c3%a0%20et%20l%c3%a0?x=%c3%a9")
        }
    }
}
