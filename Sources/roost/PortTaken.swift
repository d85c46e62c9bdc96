import Glibc
import NIOCore

/// Tells a port that is taken from other failures to start a server.
enum PortTaken {
    static func failure(_ error: any Error, ports: [Int], mend: String) -> Failure? {
        guard let cause = error as? IOError else { return nil }
        let port = "port " + ports.map(String.init).joined(separator: " or ")
        switch cause.errnoCode {
        case EADDRINUSE: return Failure(.environment, "\(port) is taken by another program; \(mend)")
        case EACCES: return Failure(.environment, "this user may not listen on \(port); \(mend)")
        case EADDRNOTAVAIL:
            return Failure(.environment, "the address to listen on is not one of this machine's; \(mend)")
        default: return nil
        }
    }
}
