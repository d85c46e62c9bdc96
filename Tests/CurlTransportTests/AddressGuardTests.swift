import ConnectorKit
import Testing

@Suite("The address guard")
struct AddressGuardTests {
    @Test(
        "knows the kind of every range, at its ends, and of what lies beside it",
        arguments: [
            ("global", "1.1.1.1"), ("global", "9.255.255.255"), ("global", "11.0.0.0"), ("global", "100.63.255.255"),
            ("global", "100.128.0.0"), ("global", "126.255.255.255"), ("global", "128.0.0.0"),
            ("global", "169.253.255.255"),
            ("global", "169.255.0.0"), ("global", "172.15.255.255"), ("global", "172.32.0.0"), ("global", "192.0.1.0"),
            ("global", "192.0.3.0"), ("global", "192.167.255.255"), ("global", "192.169.0.0"),
            ("global", "198.17.255.255"),
            ("global", "198.20.0.0"), ("global", "223.255.255.255"),
            ("local", "10.0.0.0"), ("local", "10.255.255.255"), ("local", "100.64.0.0"), ("local", "100.127.255.255"),
            ("local", "127.0.0.1"), ("local", "127.255.255.255"), ("local", "172.16.0.0"), ("local", "172.31.255.255"),
            ("local", "192.168.0.0"), ("local", "192.168.255.255"),
            ("special", "0.0.0.0"), ("special", "0.255.255.255"), ("special", "169.254.0.0"),
            ("special", "169.254.169.254"),
            ("special", "169.254.255.255"), ("special", "192.0.0.0"), ("special", "192.0.2.1"),
            ("special", "192.88.99.1"),
            ("special", "198.18.0.0"), ("special", "198.19.255.255"), ("special", "198.51.100.1"),
            ("special", "203.0.113.255"), ("special", "224.0.0.0"), ("special", "239.255.255.255"),
            ("special", "240.0.0.0"),
            ("special", "255.255.255.255"), ("special", "100.100.100.200"),
            ("global", "2606:4700::1111"), ("global", "2001:200::1"), ("global", "2003::1"), ("global", "3ffe::1"),
            ("local", "::1"), ("local", "fc00::1"), ("local", "fdff:ffff::1"),
            ("special", "::"), ("special", "::2:0:0"), ("special", "fe80::1"), ("special", "febf::1"),
            ("special", "fec0::1"),
            ("special", "ff02::1"), ("special", "2001::1"), ("special", "2001:1ff::1"), ("special", "2001:db8::1"),
            ("special", "3fff::1"), ("special", "3fff:fff::1"), ("special", "100::1"), ("special", "5f00::1"),
            ("special", "64:ff9b:1::1"), ("special", "4000::1"), ("special", "fd00:ec2::254"),
            ("global", "::ffff:1.1.1.1"), ("local", "::ffff:127.0.0.1"), ("special", "::ffff:169.254.169.254"),
            ("local", "::127.0.0.1"), ("global", "64:ff9b::1.1.1.1"), ("local", "64:ff9b::10.0.0.1"),
            ("special", "64:ff9b::169.254.169.254"), ("global", "2002:0101:0101::1"), ("local", "2002:0a00:0001::1"),
            ("special", "2002:a9fe:a9fe::1"), ("local", "2606:4700::5efe:10.0.0.1"),
            ("local", "2606:4700::200:5efe:10.0.0.1"),
            ("global", "2606:4700::5efe:1.1.1.1"),
        ]
    )
    func kinds(kind: String, text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressGuard.kind(of: address).rawValue == kind)
        #expect(AddressGuard(.publicOnly).allows(address) == (kind == "global"))
        #expect(AddressGuard(.allowPrivate).allows(address) == (kind != "special"))
    }

    @Test("lets explicitly allowed networks through and nothing beside them")
    func allowedNetworks() throws {
        let networks = try ["10.1.0.0/16", "fd12:3456::/33", "169.254.7.7"].map { try #require(IPNetwork($0)) }
        let addressGuard = AddressGuard(NetworkPolicy(allowedNetworks: networks))
        for text in ["10.1.0.0", "10.1.255.255", "fd12:3456:7fff::1", "169.254.7.7", "1.1.1.1"] {
            #expect(addressGuard.allows(try #require(IPAddress(text))), "\(text)")
        }
        for text in ["10.0.255.255", "10.2.0.0", "fd12:3456:8000::1", "169.254.7.8", "127.0.0.1", "::ffff:10.1.0.1"] {
            #expect(!addressGuard.allows(try #require(IPAddress(text))), "\(text)")
        }
    }

    @Test(
        "reads networks strictly",
        arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "10.0.0.0/-1", "x", "10.0.0.0/+8", ""]
    )
    func malformedNetworks(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test("a prefix of 0 is everything of its family")
    func everything() throws {
        let all = try #require(IPNetwork("0.0.0.0/0"))
        #expect(all.contains(try #require(IPAddress("255.1.2.3"))))
        #expect(!all.contains(try #require(IPAddress("::1"))))
    }

    @Test(
        "judges hosts that a proxy would resolve by what can be seen of them",
        arguments: [
            ("127.0.0.1", false), ("[::1]", false), ("[fe80::1%25eth0]", false), ("localhost", false),
            ("LOCALHOST.", false),
            ("a.localhost", false), ("169.254.169.254", false), ("example.org", true), ("1.1.1.1", true),
            ("localhost.example", true),
        ]
    )
    func proxiedHosts(host: String, isAllowed: Bool) {
        #expect(AddressGuard(.publicOnly).allows(proxiedHost: host) == isAllowed)
    }

    @Test(
        "addresses print in the usual notation",
        arguments: ["192.0.2.1", "2001:db8:0:0:0:0:0:1", "0:0:0:0:0:ffff:7f00:1"]
    )
    func notation(text: String) {
        #expect(IPAddress(text)?.description == text)
    }
}
