import ConnectorKit
import CurlTransport
import Glibc
import HTTPTypes
import Testing

/// A dead proxy in the environment for all tests: a client that minded it would reach nothing.
private let hostileEnvironment: Void = {
    setenv("http_proxy", "http://127.0.0.1:9", 1)
    setenv("all_proxy", "http://127.0.0.1:9", 1)
}()

/// Runs `body` with a server that follows `script` and a client that may reach it; stops both.
func withServer<Result>(
    configuration: CurlTransportConfiguration = CurlTransportConfiguration(),
    policy: NetworkPolicy = .allowPrivate,
    _ script: @escaping ScriptedServer.Script,
    _ body: (ScriptedServer, any HTTPClient) async throws -> Result
) async throws -> Result {
    _ = hostileEnvironment
    let server = try ScriptedServer(script)
    defer { server.stop() }
    let transport = try CurlTransport(configuration)
    do {
        let result = try await body(server, transport.client(policy: policy))
        await transport.shutdown()
        return result
    } catch {
        await transport.shutdown()
        throw error
    }
}

/// The error that `body` throws as the transport's own; records an issue when there is none.
func failure(_ body: () async throws -> Void) async -> HTTPClientError? {
    do {
        try await body()
        Issue.record("nothing failed")
        return nil
    } catch let error as HTTPClientError {
        return error
    } catch {
        Issue.record("failed with \(error)")
        return nil
    }
}

extension HTTPClient {
    /// The whole answer to a GET.
    func get(_ url: String) async throws -> (response: HTTPClientResponse, body: String) {
        let response = try await send(HTTPClientRequest(.get, url))
        return (response, String(decoding: try await response.body.collect(), as: UTF8.self))
    }
}

/// Answers every request on a connection in the same way.
func answering(_ status: String = "200 OK", headers: String = "", body: String = "") -> ScriptedServer.Script {
    { connection in
        while connection.readRequest() != nil { connection.respond(status, headers: headers, body: body) }
    }
}
