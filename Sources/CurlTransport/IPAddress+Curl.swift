import CCurl
import ConnectorKit

extension IPAddress {
    /// The address libcurl is about to connect to; nil when it is of another family than IPv4 and IPv6.
    init?(_ address: UnsafePointer<curl_sockaddr>) {
        var bytes: (UInt64, UInt64) = (0, 0)
        let read: IPAddress? = withUnsafeMutableBytes(of: &bytes) { buffer in
            switch ccurl_address_bytes(address, buffer.assumingMemoryBound(to: UInt8.self).baseAddress) {
            case 4: IPAddress(ipv4: UInt32(bigEndian: buffer.load(as: UInt32.self)))
            case 16: IPAddress(ipv6: UnsafeRawBufferPointer(buffer))
            default: nil
            }
        }
        guard let read else { return nil }
        self = read
    }
}
