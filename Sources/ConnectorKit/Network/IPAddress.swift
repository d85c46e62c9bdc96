import Glibc

/// An IPv4 or IPv6 address as a number.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// The 128 bits of an IPv6 address, or the 32 bits of an IPv4 address in the last four bytes.
    let high: UInt64
    let low: UInt64
    /// Whether the address is an IPv4 one; an IPv4-mapped IPv6 address is not.
    package let isIPv4: Bool

    /// An IPv4 address, its first byte the most significant.
    package init(ipv4 number: UInt32) {
        high = 0
        low = UInt64(number)
        isIPv4 = true
    }

    /// The 16 bytes of an IPv6 address in network order.
    package init(ipv6 bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count >= 16, "an IPv6 address has 16 bytes")
        high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        isIPv4 = false
    }

    /// An address written as `192.0.2.1` or `2001:db8::1`, without brackets, zone or port.
    package init?(_ text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = withUnsafeBytes(of: six) { IPAddress(ipv6: $0) }
    }

    /// The usual notation: dotted quad, or eight groups of hexadecimal digits.
    package var description: String {
        if isIPv4 { return (0..<4).map { String((low >> (24 - 8 * $0)) & 0xff) }.joined(separator: ".") }
        return (0..<8).map { index in
            let half = index < 4 ? high : low
            return String((half >> (48 - 16 * (index & 3))) & 0xffff, radix: 16)
        }.joined(separator: ":")
    }
}

/// A range of addresses, as in `10.0.0.0/8` or `fd00::/8`.
package struct IPNetwork: Sendable, Hashable {
    private let base: IPAddress
    private let prefix: Int

    /// A network in CIDR notation (RFC 4632 §3.1); a single address stands for itself.
    ///
    /// Nil when the text is neither.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let base = IPAddress(String(first)) else { return nil }
        let width = base.isIPv4 ? 32 : 128
        if parts.count == 1 {
            prefix = width
        } else {
            guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(parts[1]), length <= width
            else {
                return nil
            }
            prefix = length
        }
        self.base = base
    }

    /// Whether the address lies in the network.
    ///
    /// IPv4 networks hold IPv4 addresses only, IPv6 networks IPv6 addresses only.
    package func contains(_ address: IPAddress) -> Bool {
        guard address.isIPv4 == base.isIPv4 else { return false }
        if base.isIPv4 { return Self.agree(address.low << 32, base.low << 32, first: prefix) }
        return Self.agree(address.high, base.high, first: min(prefix, 64))
            && Self.agree(address.low, base.low, first: max(prefix - 64, 0))
    }

    private static func agree(_ one: UInt64, _ other: UInt64, first bits: Int) -> Bool {
        bits == 0 || (one ^ other) >> UInt64(64 - bits) == 0
    }
}
