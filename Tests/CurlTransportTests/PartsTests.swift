import HTTPTypes
import Testing

@testable import CurlTransport

@Suite("The deadline heap")
struct DeadlineHeapTests {
    private final class Holder: DeadlineHolder {
        var heapIndex = -1
    }

    @Test("gives deadlines in order whatever is set, moved and removed before", arguments: 1...5)
    func order(seed: Int) {
        var random = UInt64(seed)
        func next(_ limit: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % limit
        }
        var heap = DeadlineHeap<Holder>()
        let holders = (0..<50).map { _ in Holder() }
        var expected = [Int64?](repeating: nil, count: holders.count)
        for _ in 0..<2000 {
            let index = next(holders.count)
            if next(3) == 0 {
                heap.remove(holders[index])
                expected[index] = nil
            } else {
                let due = Int64(next(1000))
                heap.set(holders[index], due: due)
                expected[index] = due
            }
            #expect(heap.soonest == expected.compactMap(\.self).min())
            #expect(heap.due(of: holders[index]) == expected[index])
        }
        #expect(heap.removeDue(at: -1) == nil)
        var last = Int64.min
        var count = 0
        while let soonest = heap.soonest, let holder = heap.removeDue(at: 1000) {
            #expect(soonest >= last)
            #expect(holder.heapIndex == -1)
            last = soonest
            count += 1
        }
        #expect(count == expected.compactMap(\.self).count)
    }
}

@Suite("The socket table")
struct SocketTableTests {
    @Test("keeps our sockets registered between two requests")
    func reuse() {
        var table = SocketTable()
        table.opened(7)
        #expect(table.watch(7, for: .write, route: 0) == .add(.write))
        #expect(table.watch(7, for: .read, route: 0) == .modify(.read))
        #expect(table.watch(7, for: [], route: 0) == .none)
        #expect(table.watch(7, for: .read, route: 0) == .none)
        #expect(table.happened(7).route == 0)
    }

    @Test("takes a resting socket out when something happens on it, and in again when it is used")
    func resting() {
        var table = SocketTable()
        table.opened(7)
        _ = table.watch(7, for: .read, route: 2)
        _ = table.watch(7, for: [], route: 2)
        let (route, change) = table.happened(7)
        #expect(route == nil)
        #expect(change == .remove)
        #expect(table.happened(7).change == .none)
        #expect(table.watch(7, for: .read, route: 2) == .add(.read))
    }

    @Test("takes sockets that libcurl made for itself out at once")
    func foreign() {
        var table = SocketTable()
        #expect(table.watch(9, for: .read, route: 1) == .add(.read))
        #expect(table.watch(9, for: [], route: 1) == .remove)
        #expect(table.watch(9, for: .read, route: 1) == .add(.read))
    }

    @Test("forgets a socket that is closed, since its number will be another's")
    func closed() {
        var table = SocketTable()
        table.opened(7)
        _ = table.watch(7, for: .read, route: 0)
        #expect(table.closing(7) == .remove)
        #expect(table.closing(7) == .none)
        table.opened(7)
        #expect(table.watch(7, for: .read, route: 1) == .add(.read))
        #expect(table.happened(7).route == 1)
    }
}

@Suite("Targets")
struct TargetTests {
    @Test("lose user name, password and fragment")
    func cleaned() throws {
        let target = try RequestTarget("HTTPS://us%3Aer:p%40ss@Example.org:8443/a/@b?q=@#part")
        #expect(target.url == "https://Example.org:8443/a/@b?q=@")
        #expect(target.user == "us:er")
        #expect(target.password == "p@ss")
        #expect(target.origin?.description == "https://example.org:8443")
    }

    @Test("print as an origin only, without the port that goes without saying")
    func printed() throws {
        #expect(
            try RequestTarget("https://example.org/bot-token/send?key=1").origin?.description == "https://example.org"
        )
        #expect(try RequestTarget("http://[::1]:80/").origin?.description == "http://[::1]")
    }

    @Test(
        "share credentials with their own origin and with themselves behind TLS",
        arguments: [
            ("http://a.example/", "http://a.example:80/x", true), ("http://a.example/", "https://a.example/", true),
            ("https://a.example/", "http://a.example/", false), ("http://a.example/", "http://b.example/", false),
            ("http://a.example/", "http://a.example:8080/", false),
            ("http://a.example:8080/", "https://a.example/", false),
            ("http://a.example/", "https://a.example:8443/", false), ("https://a.example/", "https://A.Example/", true),
            ("https://a.example/", "https://a.example.evil.example/", false),
        ]
    )
    func sharing(from: String, to: String, isShared: Bool) throws {
        let (from, to) = (try #require(RequestTarget(from).origin), try #require(RequestTarget(to).origin))
        #expect(from.sharesCredentials(with: to) == isShared)
    }

    @Test(
        "resolve a Location as RFC 3986 says",
        arguments: [
            ("next", "http://h.example/a/next"), ("/next", "http://h.example/next"),
            ("?p=2", "http://h.example/a/b?p=2"),
            ("//other.example/x", "http://other.example/x"), ("../c", "http://h.example/c"),
            ("https://u:p@other.example/#f", "https://other.example/"),
        ]
    )
    func resolution(location: String, resolved: String) throws {
        let base = try RequestTarget("http://h.example/a/b?p=1")
        #expect(RequestTarget(location: location, from: base)?.url == resolved)
    }
}

@Suite("The head of a response")
struct ResponseHeadTests {
    private func collect(_ lines: [String]) -> (ResponseHeadCollector, ResponseHeadCollector.Step?) {
        var collector = ResponseHeadCollector()
        var last: ResponseHeadCollector.Step?
        for line in lines { last = Array((line + "\r\n").utf8).withUnsafeBytes { collector.receive($0) } }
        return (collector, last)
    }

    @Test("is the last one's, after interim ones")
    func interim() throws {
        let (collector, step) = collect([
            "HTTP/1.1 103 Early", "Link: a", "", "HTTP/2 404", "A:  b\t ", ": no name", "no colon", "",
        ])
        #expect(step == .complete)
        #expect(collector.status == 404)
        let fields = try FieldLines.fields(collector.lines)
        #expect(fields.map(\.name.rawName) == ["A"])
        #expect(fields.first?.value == "b")
    }

    @Test("has a limit, which interim responses share")
    func limit() {
        let block = ["HTTP/1.1 100 Continue", "X: " + String(repeating: "x", count: 1000), ""]
        let (_, step) = collect(Array((0..<300).map { _ in block }.joined()))
        #expect(step == .tooLarge)
    }

    @Test("tells the first Location only, whatever its case")
    func location() {
        let lines = Array("Locations: no\r\nLOCATION: /one\r\nlocation: /two\r\n".utf8)
        #expect(FieldLines.location(lines) == "/one")
        #expect(FieldLines.location(Array("X-Location: /x\r\n".utf8)) == nil)
    }
}
