import ConnectorKit
import CurlTransport
import Glibc
import HTTPTypes
import Testing

@Suite("Shutting down", .timeLimit(.minutes(1)))
struct ShutdownTests {
    @Test("fails what is open, refuses what comes later, and may be repeated")
    func openTransfers() async throws {
        let reached = Signal()
        let server = try ScriptedServer { connection in
            guard let request = connection.readRequest() else { return }
            if request.hasPrefix("GET /stream") {
                connection.write("HTTP/1.1 200 OK\r\n\r\nfirst")
            } else {
                reached.set()
            }
            connection.waitForClose()
        }
        defer { server.stop() }
        let transport = try CurlTransport()
        let client = transport.client(policy: .allowPrivate)
        var body = try await client.send(HTTPClientRequest(.get, "\(server.url)/stream")).body.makeAsyncIterator()
        #expect(try await body.next() == Array("first".utf8))
        let waiting = Task { await failure { _ = try await client.get("\(server.url)/head") }?.code }
        await reached.wait()
        await withTaskGroup { group in
            for _ in 0..<5 { group.addTask { await transport.shutdown() } }
        }
        await transport.shutdown()
        #expect(await waiting.value == .shutDown)
        var ended = body
        let error = await failure { _ = try await ended.next() }
        #expect(error?.code == .shutDown)
        let late = await failure { _ = try await client.get(server.url) }
        #expect(late?.code == .shutDown)
    }

    @Test("while requests pour in leaves nobody waiting")
    func underLoad() async throws {
        let server = try ScriptedServer(answering(body: "x"))
        defer { server.stop() }
        for round in 0..<20 {
            let transport = try CurlTransport()
            let client = transport.client(policy: .allowPrivate)
            await withTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        do {
                            for _ in 0..<50 { _ = try await client.get("\(server.url)/\(number)") }
                        } catch {
                            #expect((error as? HTTPClientError)?.code == .shutDown, "\(error)")
                        }
                    }
                }
                for _ in 0..<round { await Task.yield() }
                await transport.shutdown()
            }
        }
    }

    @Test("gives descriptors back, also when it is left out")
    func noLeak() async throws {
        let server = try ScriptedServer(answering(body: "x"))
        defer { server.stop() }
        weak var last: CurlTransport?
        let before = descriptorCount()
        for round in 0..<400 {
            let transport = try CurlTransport()
            _ = try await transport.client(policy: .allowPrivate).get(server.url)
            if round % 2 == 0 { await transport.shutdown() }
            last = transport
        }
        #expect(last == nil)
        // Other tests open some meanwhile; each transport has at least three.
        #expect(descriptorCount() < before + 400)
    }

    private func descriptorCount() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count
    }
}
