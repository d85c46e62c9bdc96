import ConnectorKit
import HTTPTypes
import NIOHTTP1
import NIOWebSocket
import Testing
import WebSocketTransport

@Suite("An open WebSocket", .timeLimit(.minutes(5)))
struct ExchangeTests {
    @Test("brings messages in order and ends with the code of the other side")
    func messages() async throws {
        let server = try await TestServer { peer in
            for number in 0..<1000 { peer.text("message \(number)") }
            peer.send(.binary, [1, 2, 3])
            peer.close(1001)
        }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url))
            for number in 0..<1000 {
                #expect(try await connection.next() == .text(Array("message \(number)".utf8)))
            }
            #expect(try await connection.next() == .binary([1, 2, 3]))
            #expect(try await connection.next() == nil)
            #expect(connection.closeCode == 1001)
            #expect(try await connection.next() == nil)
            await server.wait { $0.count(.connectionClose) > 0 }
        }
    }

    @Test("puts fragments together, with control frames between them")
    func fragments() async throws {
        let server = try await TestServer { peer in
            peer.send(.text, Array("one ".utf8), fin: false)
            peer.send(.ping, [7, 7])
            peer.send(.continuation, Array("two ".utf8), fin: false)
            peer.send(.continuation, Array("three".utf8))
            peer.send(.text, [], fin: false)
            peer.send(.continuation, [])
            peer.close(1000)
        }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url))
            #expect(try await connection.next() == .text(Array("one two three".utf8)))
            #expect(try await connection.next() == .text([]))
            #expect(try await connection.next() == nil)
            await server.wait { $0.count(.pong) > 0 }
            let pong = server.received.first { $0.opcode == 10 }
            #expect(pong?.bytes == [7, 7])
        }
    }

    @Test("masks what it sends")
    func sends() async throws {
        let server = try await TestServer(answer: { peer, frame in
            if frame.opcode == 1 { peer.send(.text, frame.bytes) }
        }) { _ in }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url))
            try await connection.send(.text(Array("hello".utf8)))
            #expect(try await connection.next() == .text(Array("hello".utf8)))
            try await connection.send(.binary([9]))
            await server.wait { $0.received.count >= 2 }
            #expect(server.received.allSatisfy { $0.isMasked })
        }
    }

    @Test("sends its request as the protocol asks")
    func handshake() async throws {
        let server = try await TestServer(subprotocol: "xrpc.v1.json") { _ in }
        try await withServer(server) { client, server in
            var request = WebSocketRequest.test(server.url)
            request.headers[.secWebSocketProtocol] = "xrpc.v1.json"
            _ = try await client.connect(request)
            let head = try #require(server.heads.first)
            #expect(head.uri == "/subscribe?cursor=1")
            #expect(head.headers["host"] == ["127.0.0.1:\(server.port)"])
            #expect(head.headers["sec-websocket-version"] == ["13"])
            #expect(head.headers["user-agent"] == ["Roost"])
            #expect(head.headers["sec-websocket-protocol"] == ["xrpc.v1.json"])
            #expect(head.headers["sec-websocket-extensions"] == [])
        }
    }

    @Test("is encrypted, with a certificate for the name, from those that are trusted")
    func encrypted() async throws {
        let file = try TemporaryFile(TestCertificate.certificate)
        let server = try await TestServer(isSecure: true) { $0.text("secret") }
        try await withServer(server, certificateAuthority: file.path) { client, server in
            let connection = try await client.connect(.test(server.secureURL))
            #expect(try await connection.next() == .text(Array("secret".utf8)))
            // The same server under a name that its certificate does not bear.
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.connect(.test("wss://127.0.0.1:\(server.port)/"))
            }
            #expect(error?.code == .tls)
        }
    }

    @Test("is not opened to a server that nobody vouches for")
    func untrusted() async throws {
        let server = try await TestServer(isSecure: true) { $0.text("secret") }
        try await withServer(server) { client, server in
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.connect(.test(server.secureURL))
            }
            #expect(error?.code == .tls)
        }
    }

    @Test("closes in order, and does not wait for one who does not answer", arguments: [true, false])
    func closes(isAnswered: Bool) async throws {
        let server = try await TestServer(isPolite: isAnswered) { _ in }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url))
            await connection.close(code: 1000, reason: "done")
            #expect(try await connection.next() == nil)
            await server.wait { $0.closed == 1 }
            let frame = try #require(server.received.first { $0.opcode == 8 })
            #expect(frame.bytes == [0x03, 0xE8] + Array("done".utf8))
            await #expect(throws: HTTPClientError.self) { try await connection.send(.text([])) }
        }
    }

    @Test("closes when it is let go of")
    func letGo() async throws {
        let server = try await TestServer { _ in }
        try await withServer(server) { client, server in
            _ = try await client.connect(.test(server.url))
            await server.wait { $0.closed == 1 }
        }
    }

    @Test("takes no more from the network than its buffer while nobody reads, and loses nothing")
    func backPressure() async throws {
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
        let server = try await TestServer(answer: { peer, frame in
            guard frame.opcode == 1 else { return }
            if frame.bytes != Array("flood".utf8) { return peer.send(.text, frame.bytes) }
            for _ in 0..<1000 { peer.send(.binary, chunk) }
            peer.close(1000)
        }) { _ in }
        let configuration = WebSocketTransportConfiguration(bufferSize: 256 << 10)
        try await withServer(server, configuration: configuration) { client, server in
            let (flooded, other) = (
                try await client.connect(.test(server.url)), try await client.connect(.test(server.url))
            )
            try await flooded.send(.text(Array("flood".utf8)))
            // Both share their event loops: in so many turns all would have been read, if it were.
            for number in 0..<2000 {
                let word = WebSocketMessage.text(Array("\(number)".utf8))
                try await other.send(word)
                #expect(try await other.next() == word)
            }
            // While the client does not read, the server cannot finish: the closing frame is never answered.
            #expect(server.count(.connectionClose) == 0)
            var count = 0
            while let message = try await flooded.next() {
                #expect(message.bytes.count == chunk.count)
                count += 1
            }
            #expect(count == 1000)
        }
    }
}
