import ConnectorKit
import HTTPTypes

/// What a request may not contain.
enum RequestRules {
    /// Throws ``HTTPClientError`` with `invalidRequest` when the request cannot be sent as it is.
    static func check(_ request: HTTPClientRequest) throws {
        if request.method == .connect {
            throw HTTPClientError(.invalidRequest, "CONNECT is not a request for a resource")
        }
        for field in request.headers {
            let isClean = field.withUnsafeBytesOfValue { value in
                value.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
            }
            guard isClean else {
                throw HTTPClientError(.invalidRequest, "the field \(field.name.rawName) holds control characters")
            }
            if framing.contains(field.name.canonicalName) {
                throw HTTPClientError(.invalidRequest, "the field \(field.name.rawName) is the client's to set")
            }
        }
    }

    /// Fields that tell where a message ends or how its connection is used.
    private static let framing: Set<String> = [
        "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    ]
}
