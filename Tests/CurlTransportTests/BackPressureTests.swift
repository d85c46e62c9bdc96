import ConnectorKit
import CurlTransport
import Glibc
import HTTPTypes
import Synchronization
import Testing

@Suite("Back-pressure", .timeLimit(.minutes(5)))
struct BackPressureTests {
    /// What large bodies are made of, again and again; of odd length, so that lost or doubled bytes show.
    static let pattern = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 4) }

    /// Whether `bytes` are what stands at `position` of the repeated pattern.
    static func follows(pattern position: Int, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            pattern.withUnsafeBytes { pattern in
                var done = 0
                while done < bytes.count {
                    let start = (position + done) % pattern.count
                    let count = min(bytes.count - done, pattern.count - start)
                    guard let one = bytes.baseAddress, let other = pattern.baseAddress,
                        memcmp(one + done, other + start, count) == 0
                    else { return false }
                    done += count
                }
                return true
            }
        }
    }

    @Test("stops the server when nobody reads, and loses nothing when somebody does")
    func slowReader() async throws {
        let repeats = 64
        let size = repeats * Self.pattern.count
        let (stalled, goOn) = (Signal(), Signal())
        let taken = Mutex(0)
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            connection.limitSendBuffer(64 << 10)
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            for _ in 0..<repeats {
                let first = connection.write(Self.pattern, within: 300)
                taken.withLock { $0 += first }
                if first < Self.pattern.count {
                    stalled.set()
                    goOn.block()
                    connection.write(Array(Self.pattern[first...]))
                }
            }
            stalled.set()
            connection.waitForClose()
        }
        try await withServer(script) { server, client in
            let response = try await client.send(HTTPClientRequest(.get, server.url, maximumBodySize: size))
            await stalled.wait()
            // The kernel's buffers take some megabytes, where it is generous 32; the client a quarter of one.
            #expect(taken.withLock { $0 } < size / 4 * 3)
            goOn.set()
            var position = 0
            var isRight = true
            for try await chunk in response.body {
                #expect(chunk.count < 1 << 20)
                isRight = isRight && Self.follows(pattern: position, chunk)
                position += chunk.count
            }
            #expect(position == size)
            #expect(isRight)
        }
    }

    @Test("a held back stream does not hold up other requests")
    func others() async throws {
        let script: ScriptedServer.Script = { connection in
            while let request = connection.readRequest() {
                if request.hasPrefix("GET /endless") {
                    connection.write("HTTP/1.1 200 OK\r\n\r\n")
                    while connection.write([UInt8](repeating: 0, count: 1 << 16)) {}
                } else {
                    connection.respond(body: "quick")
                }
            }
        }
        try await withServer(script) { server, client in
            var request = HTTPClientRequest(.get, "\(server.url)/endless")
            request.maximumBodySize = 256 << 20
            let held = try await client.send(request)
            for _ in 0..<50 { #expect(try await client.get(server.url).body == "quick") }
            var body = held.body.makeAsyncIterator()
            var read = 0
            while read < 8 << 20, let chunk = try await body.next() { read += chunk.count }
            #expect(read >= 8 << 20)
        }
    }

    @Test("a second task reading the same body is refused, the first goes on")
    func twoReaders() async throws {
        let release = Signal()
        let script: ScriptedServer.Script = { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            release.block()
            connection.write("late")
            connection.waitForClose()
        }
        try await withServer(script) { server, client in
            let body = try await client.send(HTTPClientRequest(.get, server.url)).body
            try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        var iterator = body.makeAsyncIterator()
                        return try await iterator.next()
                    }
                }
                let refused = await group.nextResult()
                #expect(throws: HTTPClientError.self) { try refused?.get() }
                release.set()
                let first = try await group.next()
                #expect(first == Array("late".utf8))
            }
        }
    }
}
