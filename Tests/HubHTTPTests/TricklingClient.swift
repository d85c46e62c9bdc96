import Glibc

/// A client that sends a request's head and then one byte of its body now and then, as who wants to hold a connection does.
struct TricklingClient {
    let port: Int

    /// How many bytes of the body were sent before the server closed the connection; `nil` when it never did.
    func bytesUntilClosed(path: String, every milliseconds: Int) throws -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw Failure(code: errno) }
        let length = 500
        let head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(length)\r\n\r\n"
        _ = send(descriptor, head, head.utf8.count, Int32(MSG_NOSIGNAL))
        for sent in 0..<length - 1 {
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if Glibc.poll(&poll, 1, Int32(milliseconds)) > 0 {
                var byte: UInt8 = 0
                guard recv(descriptor, &byte, 1, 0) > 0 else { return sent }
            }
            guard send(descriptor, "x", 1, Int32(MSG_NOSIGNAL)) == 1 else { return sent }
        }
        return nil
    }

    struct Failure: Error {
        let code: Int32
    }
}
