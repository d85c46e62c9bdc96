import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import Logging
import SocialEvents
import Testing

@Suite("Connector errors")
struct ConnectorErrorTests {
    let now = Timestamp(seconds: 1_763_780_000)

    @Test(
        "each status says what to do",
        arguments: [
            (400, ConnectorError.Code.rejected), (401, .unauthorized), (403, .unauthorized), (404, .rejected),
            (405, .unsupported), (407, .unauthorized),
            (408, .unavailable), (410, .rejected), (420, .rateLimited), (422, .rejected), (425, .unavailable),
            (429, .rateLimited), (500, .unavailable),
            (501, .unsupported), (502, .unavailable), (503, .unavailable), (599, .unavailable),
        ]
    )
    func statuses(status: Int, code: ConnectorError.Code) throws {
        let error = try #require(ConnectorError.of(status: status, headers: [:], now: now, what: "the feed"))
        #expect(error.code == code)
        #expect(error.description.contains("the feed") && error.description.contains(String(status)))
        #expect(error.retryAt == nil)
    }

    @Test("a status below 400 is no failure", arguments: [200, 204, 206, 301, 304])
    func good(status: Int) {
        #expect(ConnectorError.of(status: status, headers: [.retryAfter: "5"], now: now, what: "the feed") == nil)
    }

    @Test("a refusal says when to come back")
    func retryAt() throws {
        let busy = ConnectorError.of(status: 503, headers: [.retryAfter: "30"], now: now, what: "it")
        #expect(busy?.retryAt == now.advanced(by: .seconds(30)))
        let name = try #require(HTTPField.Name("x-rate-limit-reset"))
        let remaining = try #require(HTTPField.Name("x-rate-limit-remaining"))
        let limited = ConnectorError.of(
            status: 429,
            headers: [name: "1763780900", remaining: "0"],
            now: now,
            what: "it"
        )
        #expect(limited?.retryAt == Timestamp(seconds: 1_763_780_900))
        let forbidden = ConnectorError.of(status: 403, headers: [.retryAfter: "60"], now: now, what: "it")
        #expect(forbidden?.code == .rateLimited)
        let body = Array(#"{"extras":{"wait_seconds":7}}"#.utf8)
        let discourse = ConnectorError.of(status: 429, headers: [:], body: body, now: now, what: "it")
        #expect(discourse?.retryAt == now.advanced(by: .seconds(7)))
    }

    @Test("a refused address says how to allow it, and other failed transfers what to do")
    func transfers() {
        let refused = ConnectorError.of(
            HTTPClientError(.addressRefused, "127.0.0.1 is a loopback address"),
            what: "the feed"
        )
        #expect(refused.code == .rejected)
        #expect(refused.message.contains("allow_private_network: true"))
        #expect(ConnectorError.of(HTTPClientError(.deadline, "no first byte in 30s"), what: "it").code == .unavailable)
        #expect(ConnectorError.of(HTTPClientError(.connection, "reset"), what: "it").code == .unavailable)
        #expect(ConnectorError.of(HTTPClientError(.bodyTooLarge, "more than 1MiB"), what: "it").code == .unavailable)
    }

    @Test("fetching throws what the host can act on and hands over the rest")
    func fetching() async throws {
        let http = ScriptedHTTPClient()
        let context = ConnectorContext(
            source: SourceName("blog"),
            http: http,
            clock: ManualClock(now: now),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let url = "https://example.org/"
        http.expect(.get, url, .response(200, text: "hello").chunked(2))
        http.expect(.get, url, .response(304))
        http.expect(.get, url, .response(429, headers: [.retryAfter: "9"]))
        http.expect(.get, url, .failure(.tls))
        http.expect(.get, url, .response(200, text: "hel").breaking(.connection))
        let response = try await context.fetch(HTTPClientRequest(.get, url), what: "it")
        #expect(response.body == Array("hello".utf8))
        #expect(try await context.fetch(HTTPClientRequest(.get, url), what: "it").status == 304)
        await #expect { try await context.fetch(HTTPClientRequest(.get, url), what: "it") } throws: { error in
            (error as? ConnectorError)?.retryAt == now.advanced(by: .seconds(9))
        }
        for _ in 1...2 {
            await #expect { try await context.fetch(HTTPClientRequest(.get, url), what: "it") } throws: { error in
                (error as? ConnectorError)?.code == .unavailable
            }
        }
    }

    @Test("a payload that is not JSON becomes a dead letter that does not quote it in its reason")
    func malformed() throws {
        let payload = Array("{\"token\": \"hunter2\", }".utf8)
        do {
            try JSONParser().parse(payload) { _ in }
            Issue.record("it parsed")
        } catch let error as JSONError {
            let failure = ConnectorError.malformed(error, payload: payload, what: "the page")
            #expect(failure.code == .malformed)
            #expect(failure.deadLetter?.payload == payload)
            #expect(!failure.description.contains("hunter2"))
        }
    }
}
