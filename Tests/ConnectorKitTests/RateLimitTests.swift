import ConnectorKit
import HTTPTypes
import SocialEvents
import Testing

@Suite("Rate limits")
struct RateLimitTests {
    let now = Timestamp(seconds: 1_763_780_000)

    func headers(_ fields: (String, String)...) -> HTTPFields {
        var headers = HTTPFields()
        for (name, value) in fields {
            guard let name = HTTPField.Name(name) else { continue }
            headers.append(HTTPField(name: name, value: value))
        }
        return headers
    }

    @Test("X counts in seconds since 1970")
    func x() {
        let limits = RateLimit.all(
            in: headers(
                ("x-rate-limit-limit", "450"),
                ("x-rate-limit-remaining", "45"),
                ("x-rate-limit-reset", "1763780900")
            ),
            now: now
        )
        #expect(
            limits == [
                RateLimit(limit: 450, remaining: 45, usedFraction: 0.9, resetAt: Timestamp(seconds: 1_763_780_900))
            ]
        )
    }

    @Test("X's daily limits stand beside the others, with their scope")
    func xDaily() {
        let limits = RateLimit.all(
            in: headers(
                ("x-rate-limit-remaining", "10"),
                ("x-app-limit-24hour-limit", "17"),
                ("x-app-limit-24hour-remaining", "0"),
                ("x-app-limit-24hour-reset", "1763866400")
            ),
            now: now
        )
        #expect(limits.map(\.scope) == ["", "app-24hour"])
        #expect(
            RateLimit.exhaustedUntil(
                in: headers(("x-app-limit-24hour-remaining", "0"), ("x-app-limit-24hour-reset", "1763866400")),
                now: now
            ) == Timestamp(seconds: 1_763_866_400)
        )
    }

    @Test("Mastodon writes a time with microseconds")
    func mastodon() {
        let limits = RateLimit.all(
            in: headers(
                ("X-RateLimit-Limit", "300"),
                ("X-RateLimit-Remaining", "299"),
                ("X-RateLimit-Reset", "2025-08-16T20:40:00.112917Z")
            ),
            now: now
        )
        #expect(limits.first?.resetAt == Timestamp(rfc3339: "2025-08-16T20:40:00.112Z"))
        #expect(limits.first?.limit == 300)
    }

    @Test("GoToSocial uses the same names with seconds since 1970")
    func goToSocial() {
        let limits = RateLimit.all(
            in: headers(
                ("X-RateLimit-Limit", "300"),
                ("X-RateLimit-Remaining", "0"),
                ("X-RateLimit-Reset", "1763780300")
            ),
            now: now
        )
        #expect(limits.first?.resetAt == Timestamp(seconds: 1_763_780_300))
        #expect(limits.first?.isExhausted == true)
    }

    @Test("Bluesky tells its window in a policy")
    func bluesky() {
        let limits = RateLimit.all(
            in: headers(
                ("RateLimit-Limit", "3000"),
                ("RateLimit-Remaining", "2999"),
                ("RateLimit-Reset", "1763780300"),
                ("RateLimit-Policy", "3000;w=300")
            ),
            now: now
        )
        #expect(limits.count == 1)
        #expect(limits.first?.window == .seconds(300))
        #expect(limits.first?.resetAt == Timestamp(seconds: 1_763_780_300))
    }

    @Test("Reddit counts in seconds left and in fractions, without a limit")
    func reddit() {
        let limits = RateLimit.all(
            in: headers(("x-ratelimit-used", "2"), ("x-ratelimit-remaining", "598.0"), ("x-ratelimit-reset", "421")),
            now: now
        )
        #expect(limits.first?.remaining == 598)
        #expect(limits.first?.resetAt == now.advanced(by: .seconds(421)))
        #expect(limits.first?.usedFraction.map { abs($0 - 2.0 / 600) < 1e-9 } == true)
    }

    @Test("Meta counts in percent and tells minutes, in JSON inside a field")
    func meta() {
        let limits = RateLimit.all(
            in: headers(
                ("X-App-Usage", #"{"call_count":28,"total_time":25,"total_cputime":25}"#),
                (
                    "X-Business-Use-Case-Usage",
                    #"{"17841405726653026":[{"type":"instagram","call_count":100,"total_cputime":25,"total_time":25,"estimated_time_to_regain_access":19}]}"#
                )
            ),
            now: now
        )
        #expect(limits.map(\.scope) == ["app", "instagram 17841405726653026"])
        #expect(limits.first?.usedFraction == 0.28)
        #expect(limits.last?.isExhausted == true)
        #expect(limits.last?.resetAt == now.advanced(by: .seconds(19 * 60)))
    }

    @Test("the IETF's drafts write one field")
    func drafts() {
        let older = RateLimit.all(
            in: headers(("RateLimit", "limit=100, remaining=50, reset=30"), ("RateLimit-Policy", "100;w=60")),
            now: now
        )
        #expect(
            older == [
                RateLimit(
                    limit: 100,
                    remaining: 50,
                    usedFraction: 0.5,
                    resetAt: now.advanced(by: .seconds(30)),
                    window: .seconds(60)
                )
            ]
        )
        let newer = RateLimit.all(
            in: headers(("RateLimit", #""default";r=25;t=30"#), ("RateLimit-Policy", #""default";q=100;w=60"#)),
            now: now
        )
        #expect(
            newer == [
                RateLimit(
                    scope: "default",
                    limit: 100,
                    remaining: 25,
                    usedFraction: 0.75,
                    resetAt: now.advanced(by: .seconds(30)),
                    window: .seconds(60)
                )
            ]
        )
    }

    @Test("a limit may carry its window, as Pinterest writes it")
    func pinterest() {
        let limits = RateLimit.all(
            in: headers(("x-ratelimit-limit", "100, 100;w=1"), ("x-ratelimit-remaining", "99")),
            now: now
        )
        #expect(limits == [RateLimit(limit: 100, remaining: 99, usedFraction: 1 - 0.99, window: .seconds(1))])
    }

    @Test("a reset in milliseconds is told from one in seconds")
    func milliseconds() {
        let limits = RateLimit.all(in: headers(("x-ratelimit-reset", "1763780300123")), now: now)
        #expect(limits.first?.resetAt == Timestamp(milliseconds: 1_763_780_300_123))
    }

    @Test("the tightest limit is an exhausted one that ends last, or the fullest")
    func tightest() {
        let full = headers(
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "1763780300"),
            ("x-app-limit-24hour-remaining", "0"),
            ("x-app-limit-24hour-reset", "1763866400"),
            ("X-App-Usage", #"{"call_count":99}"#)
        )
        #expect(RateLimit.tightest(in: full, now: now)?.scope == "app-24hour")
        let free = headers(
            ("x-rate-limit-limit", "10"),
            ("x-rate-limit-remaining", "9"),
            ("X-App-Usage", #"{"call_count":50}"#)
        )
        #expect(RateLimit.tightest(in: free, now: now)?.scope == "app")
        #expect(RateLimit.tightest(in: [:], now: now) == nil)
    }

    @Test(
        "garbage is left out and never fails",
        arguments: [
            "", " ", "-", "-5", "nan", "inf", "1e400", "0x7fffffff", "99999999999999999999999999", "5;5;5", ",,,",
            ";;;", "=", "\"", "{", "[]",
            "{\"a\":[{\"call_count\":1e308}]}", "{\"call_count\":-1}", "١٢٣", "2025-99-99T00:00:00Z",
            String(repeating: ",", count: 70_000),
        ]
    )
    func garbage(value: String) {
        let names = [
            "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "x-ratelimit-limit",
            "x-ratelimit-remaining", "x-ratelimit-used",
            "x-ratelimit-reset", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy",
            "ratelimit", "x-app-usage",
            "x-page-usage", "x-business-use-case-usage",
        ]
        var all = HTTPFields()
        for name in names {
            guard let name = HTTPField.Name(name) else { continue }
            all[name] = value
        }
        for limit in RateLimit.all(in: all, now: now) {
            #expect((limit.remaining ?? 0) >= 0 && (limit.limit ?? 0) >= 0)
            #expect(limit.usedFraction.map { $0.isFinite && $0 >= 0 } ?? true)
        }
    }
}
