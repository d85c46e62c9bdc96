import ArgumentParser
import ConnectorKit
import CurlTransport
import Glibc
import HTTPTypes
import JSON

/// Which running hub a command talks to.
struct HubAddress: ParsableArguments {
    @Option(help: "The running hub.")
    var url = "http://127.0.0.1:8080"

    /// Calls `body` with a way to talk to the hub and lets go of it afterwards.
    func withHub<Result>(_ body: (HubConnection) async throws -> Result) async throws -> Result {
        let transport = try CurlTransport()
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        do {
            let result = try await body(HubConnection(base: base, http: transport.client(policy: .allowPrivate)))
            await transport.shutdown()
            return result
        } catch {
            await transport.shutdown()
            throw error
        }
    }
}

/// A running hub, as its HTTP side gives it.
struct HubConnection: Sendable {
    let base: String
    let http: any HTTPClient

    /// Sends a request; failures to reach the hub are told as such.
    func send(
        _ method: HTTPRequest.Method = .get,
        _ path: String,
        headers: HTTPFields = [:],
        deadlines: HTTPDeadlines = HTTPDeadlines()
    ) async throws -> HTTPClientResponse {
        let request = HTTPClientRequest(
            method,
            base + path,
            headers: headers,
            deadlines: deadlines,
            maximumBodySize: .max
        )
        let response: HTTPClientResponse
        do {
            response = try await http.send(request)
        } catch let error as HTTPClientError {
            switch error.code {
            case .invalidRequest: throw Failure(.usage, "--url: \(error.message)")
            default:
                throw Failure(
                    .environment,
                    "no hub answers at \(base) (\(error.message)); start one with `roost run`, or name it with --url"
                )
            }
        }
        guard (200..<300).contains(response.status) else { throw try await failure(response) }
        return response
    }

    /// The parsed answer to a request.
    func json<Result>(_ method: HTTPRequest.Method = .get, _ path: String, _ read: (JSONValue) throws -> Result)
        async throws -> Result
    {
        let bytes = try await send(method, path).body.collect()
        return try JSONParser().parse(bytes, read)
    }

    private func failure(_ response: HTTPClientResponse) async throws -> Failure {
        let bytes = try await response.body.collect()
        let detail = try? JSONParser().parse(bytes) { $0["detail"]?.string }
        let text = (detail ?? nil) ?? "the hub answered \(response.status)"
        return Failure((400..<500).contains(response.status) ? .usage : .runtime, Terminal.oneLine(text, width: 1_000))
    }
}

/// Text as one segment of a URL's path or a value of its query (RFC 3986 §2.1).
func percentEncoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            encoded.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }
    }
    return encoded
}
