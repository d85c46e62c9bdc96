import ConnectorKit
import HTTPTypes
import Testing
import WebSocketTransport

@Suite("Where WebSockets may go", .timeLimit(.minutes(5)))
struct AddressTests {
    @Test(
        "Addresses that are not public are refused, by name and by number",
        arguments: ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]"]
    )
    func refused(host: String) async throws {
        let server = try await TestServer { $0.text("x") }
        try await withServer(server, policy: .publicOnly) { client, server in
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.connect(.test("ws://\(host):\(server.port)/secret"))
            }
            #expect(error?.code == .addressRefused)
            #expect(error?.message.contains("secret") == false)
            #expect(server.accepted == 0)
        }
    }

    @Test("A network that is allowed by itself is reached")
    func allowed() async throws {
        let server = try await TestServer { $0.text("x") }
        let policy = NetworkPolicy(allowedNetworks: [try #require(IPNetwork("127.0.0.0/8"))])
        try await withServer(server, policy: policy) { client, server in
            let connection = try await client.connect(.test(server.url))
            #expect(try await connection.next() == .text([120]))
        }
    }

    @Test(
        "What is no address of a WebSocket is refused before anything is sent",
        arguments: [
            "http://127.0.0.1/", "ws://", "ws:///x", "ws://a b/", "ws://user:secret@127.0.0.1/", "ws://127.0.0.1:0/",
            "ws://127.0.0.1:99999/", "ws://[127.0.0.1]/", "ws://[::1/", "ws://a%2fb/", "WS://127.0.0.1/",
            "ws://h\u{e9}/",
        ]
    )
    func invalid(url: String) async throws {
        let transport = WebSocketTransport()
        let error = await #expect(throws: HTTPClientError.self) {
            try await transport.client(policy: .allowPrivate).connect(.test(url))
        }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.contains("secret") == false)
        await transport.shutdown()
    }

    @Test("A name that does not resolve and a port that nobody listens on are told apart")
    func unreachable() async throws {
        let transport = WebSocketTransport()
        let client = transport.client(policy: .allowPrivate)
        // No name can have a part of 64 letters, so that no name server is asked, and none can be late.
        let unknown = String(repeating: "n", count: 64) + ".invalid"
        let name = await #expect(throws: HTTPClientError.self) {
            try await client.connect(.test("ws://\(unknown)/"))
        }
        #expect(name?.code == .nameResolution)
        let port = await #expect(throws: HTTPClientError.self) {
            try await client.connect(.test("ws://127.0.0.1:1/"))
        }
        #expect(port?.code == .connection)
        await transport.shutdown()
    }

    @Test("Fields that are the client's to set are refused", arguments: ["Host", "Upgrade", "Sec-WebSocket-Key"])
    func fields(name: String) async throws {
        let transport = WebSocketTransport()
        var request = WebSocketRequest.test("ws://127.0.0.1:1/")
        request.headers[try #require(HTTPField.Name(name))] = "x"
        let error = await #expect(throws: HTTPClientError.self) {
            try await transport.client(policy: .allowPrivate).connect(request)
        }
        #expect(error?.code == .invalidRequest)
        await transport.shutdown()
    }
}
