/// Which addresses a client may connect to.
package struct NetworkPolicy: Sendable, Hashable {
    /// Whether addresses of private networks and of this machine are allowed.
    package var allowsPrivate: Bool
    /// Networks allowed whatever else is refused.
    package var allowedNetworks: [IPNetwork]

    /// A policy.
    package init(allowsPrivate: Bool = false, allowedNetworks: [IPNetwork] = []) {
        self.allowsPrivate = allowsPrivate
        self.allowedNetworks = allowedNetworks
    }

    /// Only addresses that are reachable from the whole Internet.
    package static let publicOnly = NetworkPolicy()

    /// Public addresses, loopback and private networks (RFC 1918, RFC 4193, RFC 6598); not link-local, where clouds
    /// keep their credentials.
    package static let allowPrivate = NetworkPolicy(allowsPrivate: true)
}

/// Decides whether an address may be connected to, from the registries of special-purpose addresses (RFC 6890 and
/// successors).
///
/// An IPv6 address that carries an IPv4 address (mapped, compatible, NAT64, 6to4, ISATAP) is judged by both, since the
/// packets end there.
package struct AddressGuard: Sendable {
    /// What kind of address it is.
    package enum Kind: String, Sendable, Hashable {
        /// Globally reachable.
        case global
        /// Loopback or a private network: allowed where the policy says so.
        case local
        /// Never a sensible target: unspecified, link-local with the metadata services, multicast, documentation,
        /// reserved.
        case special
    }

    private let policy: NetworkPolicy

    /// A guard for `policy`.
    package init(_ policy: NetworkPolicy) {
        self.policy = policy
    }

    /// Whether a connection to `address` may be opened.
    package func allows(_ address: IPAddress) -> Bool {
        if policy.allowedNetworks.contains(where: { $0.contains(address) }) { return true }
        switch Self.kind(of: address) {
        case .global: return true
        case .local: return policy.allowsPrivate
        case .special: return false
        }
    }

    /// Whether a host as it stands in a URL may be handed to a proxy, which resolves names out of our sight: literal
    /// addresses are judged, and so is the one name that always means this machine.
    package func allows(proxiedHost host: String) -> Bool {
        var name = host[...]
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        if name.hasSuffix(".") { name = name.dropLast() }
        if let zone = name.firstIndex(of: "%") { name = name[..<zone] }
        let lower = name.lowercased()
        if let address = IPAddress(lower) { return allows(address) }
        return policy.allowsPrivate || (lower != "localhost" && !lower.hasSuffix(".localhost"))
    }

    /// The kind of `address`.
    package static func kind(of address: IPAddress) -> Kind {
        address.isIPv4 ? kind(ofIPv4: UInt32(truncatingIfNeeded: address.low)) : kind(ofIPv6: address)
    }

    private static func kind(ofIPv4 number: UInt32) -> Kind {
        for (base, prefix, kind) in specialIPv4 where (number ^ base) >> (32 - prefix) == 0 { return kind }
        return .global
    }

    /// IANA's special-purpose IPv4 addresses, the narrower range first.
    private static let specialIPv4: [(base: UInt32, prefix: UInt32, kind: Kind)] = [
        (0x6464_64c8, 32, .special),  // 100.100.100.200, a cloud's metadata service inside 100.64.0.0/10
        (0x0000_0000, 8, .special),  // 0.0.0.0/8, "this network"; 0.0.0.0 connects to this machine
        (0x0a00_0000, 8, .local),  // 10.0.0.0/8
        (0x6440_0000, 10, .local),  // 100.64.0.0/10, carrier-grade NAT
        (0x7f00_0000, 8, .local),  // 127.0.0.0/8, loopback
        (0xa9fe_0000, 16, .special),  // 169.254.0.0/16, link-local, metadata services
        (0xac10_0000, 12, .local),  // 172.16.0.0/12
        (0xc000_0000, 24, .special),  // 192.0.0.0/24, protocol assignments
        (0xc000_0200, 24, .special),  // 192.0.2.0/24, documentation
        (0xc058_6300, 24, .special),  // 192.88.99.0/24, 6to4 relays
        (0xc0a8_0000, 16, .local),  // 192.168.0.0/16
        (0xc612_0000, 15, .special),  // 198.18.0.0/15, benchmarking
        (0xc633_6400, 24, .special),  // 198.51.100.0/24, documentation
        (0xcb00_7100, 24, .special),  // 203.0.113.0/24, documentation
        (0xe000_0000, 4, .special),  // 224.0.0.0/4, multicast
        (0xf000_0000, 4, .special),  // 240.0.0.0/4, reserved, broadcast
    ]

    private static func kind(ofIPv6 address: IPAddress) -> Kind {
        let (high, low) = (address.high, address.low)
        let last = UInt32(truncatingIfNeeded: low)
        if high == 0 {
            if low == 0 { return .special }  // ::
            if low == 1 { return .local }  // ::1
            switch low >> 32 {
            case 0xffff, 0: return kind(ofIPv4: last)  // ::ffff:0:0/96, mapped; ::/96, compatible
            default: return .special
            }
        }
        if high == 0x0064_ff9b_0000_0000, low >> 32 == 0 { return kind(ofIPv4: last) }  // 64:ff9b::/96, NAT64
        if high == 0xfd00_0ec2_0000_0000, low == 0x254 { return .special }  // a cloud's metadata service
        if high >> 57 == 0x7e { return .local }  // fc00::/7, unique local
        // Only 2000::/3 is given out as global unicast: link-local, multicast, NAT64 of one's own and all else lies
        // outside.
        guard high >> 61 == 1 else { return .special }
        if high >> 41 == 0x2001_0000 >> 9 { return .special }  // 2001::/23, protocol assignments, Teredo
        if high >> 32 == 0x2001_0db8 { return .special }  // 2001:db8::/32, documentation
        if high >> 44 == 0x3fff0 { return .special }  // 3fff::/20, documentation
        if high >> 48 == 0x2002 { return kind(ofIPv4: UInt32(truncatingIfNeeded: high >> 16)) }  // 2002::/16, 6to4
        // ISATAP (RFC 5214): the interface identifier is 0:5efe, or 200:5efe, and an IPv4 address.
        if low >> 32 & ~0x0200_0000 == 0x5efe { return kind(ofIPv4: last) }
        return .global
    }
}
