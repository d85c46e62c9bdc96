import ConnectorKit
import ConnectorTesting
import HTTPTypes
import Logging
import SocialEvents
import Testing

@testable import XConnector

struct XOAuthTests {
    @Test("OAuth 1.0a signs the example of X's documentation as it says")
    func publishedByX() {
        let signer = XOAuth1(
            key: Secret("xvz1evFS4wEEPTGEFPHBog"),
            secret: Secret("kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"),
            token: Secret("370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"),
            tokenSecret: Secret("LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE")
        )
        let field = signer.authorization(
            .post,
            "https://api.twitter.com/1/statuses/update.json",
            [
                XParameter("include_entities", "true"),
                XParameter("status", "Hello Ladies + Gentlemen, a signed OAuth request!"),
            ],
            timestamp: 1_318_622_958,
            nonce: "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"
        )
        #expect(field.contains("oauth_signature=\"tnnArxj06cWHq44gCs1OSKk%2FjLY%3D\""))
        #expect(field.hasPrefix("OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", "))
    }

    private static let settings: [SettingNode.Member] = [
        .plain("kind", "search"), .plain("query", "acme"), .plain("client_id", "app"),
        .secret("refresh_token", "configured"),
    ]

    /// A platform that takes each refresh token once.
    private static func platform(_ script: XScript, lifetime: Int = 7200) {
        script.http.handle { [http = script.http] request in
            guard Query.path(request.url) == "/2/oauth2/token" else {
                let token = request.headers[.authorization] ?? ""
                return token.hasPrefix("Bearer good-") ? .response(text: Sample.page([1])) : .response(401, text: "{}")
            }
            let form = Query.parse("?" + String(decoding: request.body, as: UTF8.self))
            let earlier = http.requests.dropLast().filter { $0.body == request.body }.count
            guard form["client_id"] == "app", let used = form["refresh_token"], earlier == 0 else {
                return .response(400, text: "{\"error\":\"invalid_request\"}")
            }
            return .response(
                text: """
                    {"token_type":"bearer","expires_in":\(lifetime),"access_token":"good-\(used)","refresh_token":"after-\(used)"}
                    """
            )
        }
    }

    @Test("The rotated refresh token is kept before the access token is used, and outlives the connector")
    func rotation() async throws {
        let account = EphemeralAccount(name: "acme")
        let script = try XScript(Self.settings, account: account, bearer: false)
        Self.platform(script)
        _ = try await script.pull()
        #expect(script.http.requests[1].headers[.authorization] == "Bearer good-configured")
        let kept = String(decoding: try await account.value(for: "x-oauth2") ?? [], as: UTF8.self)
        #expect(kept.contains("after-configured"))

        let again = try XScript(Self.settings, account: account, bearer: false)
        Self.platform(again)
        _ = try await again.pull()
        #expect(again.http.requests.count == 1)
        again.clock.advance(by: .seconds(7300))
        _ = try await again.pull()
        #expect(String(decoding: again.http.requests[1].body, as: UTF8.self).contains("after-configured"))
        #expect(again.http.requests.last?.headers[.authorization] == "Bearer good-after-configured")
    }

    @Test("Sources that need a token at once refresh it once")
    func oneAtATime() async throws {
        let account = EphemeralAccount(name: "acme")
        let script = try XScript(Self.settings, account: account, bearer: false)
        Self.platform(script)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await script.pull() } }
            try await group.waitForAll()
        }
        #expect(script.http.requests.filter { Query.path($0.url) == "/2/oauth2/token" }.count == 1)
    }

    @Test("A token that X refuses early is replaced and the request made once more")
    func refusedEarly() async throws {
        let account = EphemeralAccount(name: "acme")
        let script = try XScript(Self.settings, account: account, bearer: false)
        script.http.handle { [http = script.http] request in
            if Query.path(request.url) == "/2/oauth2/token" {
                let number = http.requests.filter { Query.path($0.url) == "/2/oauth2/token" }.count
                return .response(
                    text: "{\"expires_in\":7200,\"access_token\":\"t\(number)\",\"refresh_token\":\"r\(number)\"}"
                )
            }
            return request.headers[.authorization] == "Bearer t2"
                ? .response(text: Sample.page([1])) : .response(401, text: "{}")
        }
        #expect(try await script.pull().events.count == 1)
        #expect(script.http.requests.count == 4)
    }

    @Test("A refresh token that X takes no more needs a person, and no secret is told")
    func refused() async throws {
        let script = try XScript(Self.settings, bearer: false)
        script.http.handle { _ in
            .response(400, text: "{\"error\":\"invalid_request\",\"error_description\":\"configured\"}")
        }
        await #expect { try await script.pull() } throws: { error in
            let error = error as? ConnectorError
            return error?.code == .unauthorized && error?.description.contains("configured") == false
        }
    }

    @Test("A new refresh token in the configuration counts before the one that was kept")
    func reconfigured() async throws {
        let account = EphemeralAccount(name: "acme")
        let first = try XScript(Self.settings, account: account, bearer: false)
        Self.platform(first)
        _ = try await first.pull()
        var settings = Self.settings
        settings[3] = .secret("refresh_token", "second")
        let script = try XScript(settings, account: account, bearer: false)
        Self.platform(script)
        _ = try await script.pull()
        #expect(script.http.requests.last?.headers[.authorization] == "Bearer good-second")
    }

    @Test("A refresh that is under way is kept, whoever gives up waiting for it", .timeLimit(.minutes(1)))
    func cancelledRefresh() async throws {
        let account = EphemeralAccount(name: "acme")
        let slow = SlowTokens()
        let clock = ManualClock(now: XScript.start)
        let connector = try XConnector(
            settings: Settings(Self.settings),
            context: ConnectorContext(
                source: SourceName("test"),
                http: slow,
                clock: clock,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                account: account
            )
        )
        let step = Task { try await connector.pull(PullRequest()) }
        for await _ in slow.asked { break }
        step.cancel()
        slow.answer()
        _ = await step.result
        let kept = String(decoding: try await account.value(for: "x-oauth2") ?? [], as: UTF8.self)
        #expect(kept.contains("rotated"))
    }
}

/// Answers a request for tokens when told to; who is cancelled meanwhile gets nothing, as with a real client.
private final class SlowTokens: HTTPClient {
    let asked: AsyncStream<Void>
    private let ask: AsyncStream<Void>.Continuation
    private let answered: AsyncStream<Void>
    private let give: AsyncStream<Void>.Continuation

    init() {
        (asked, ask) = AsyncStream.makeStream()
        (answered, give) = AsyncStream.makeStream()
    }

    func answer() { give.yield() }

    func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        ask.yield()
        for await _ in answered { break }
        try Task.checkCancellation()
        let tokens = #"{"expires_in":7200,"access_token":"a","refresh_token":"rotated"}"#
        return try await ScriptedHTTPClient { _ in .response(text: tokens) }.send(request)
    }
}
