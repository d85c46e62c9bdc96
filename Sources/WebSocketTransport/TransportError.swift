import ConnectorKit
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL

/// What NIO's errors mean for those who asked for a connection.
enum TransportError {
    /// The error as clients throw it; `doing` says what was under way.
    static func translated(_ error: any Error, _ doing: String) -> HTTPClientError {
        switch error {
        case let error as HTTPClientError: error
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            HTTPClientError(.tls, "\(doing): the certificate or the TLS handshake is not good")
        case is HTTPParserError: HTTPClientError(.protocolViolation, "\(doing): the answer is not HTTP")
        case is NIOHTTPClientUpgradeError:
            HTTPClientError(.protocolViolation, "\(doing): the answer is not that of a WebSocket server")
        case let error as IOError:
            HTTPClientError(.connection, "\(doing) (\(String(cString: strerror(error.errnoCode))))")
        case ChannelError.connectTimeout: HTTPClientError(.deadline, "\(doing): no connection in time")
        default: HTTPClientError(.connection, doing)
        }
    }
}
