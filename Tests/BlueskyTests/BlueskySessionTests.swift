import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import SocialEvents
import Synchronization
import Testing

/// A server that hands out sessions whose tokens can be made to expire.
final class SessionServer: Sendable {
    private struct State: Sendable {
        var generation = 0
        var expired: Set<String> = []
        var created = 0
        var refreshed = 0
        var refusesRefresh = false
        var refusesLogin = false
    }

    private let state = Mutex(State())
    let home: String?

    init(home: String? = nil) {
        self.home = home
    }

    var created: Int { state.withLock { $0.created } }
    var refreshed: Int { state.withLock { $0.refreshed } }

    func expire() { state.withLock { _ = $0.expired.insert("access-\($0.generation)") } }
    func refuseRefresh() { state.withLock { $0.refusesRefresh = true } }
    func refuseLogin() { state.withLock { $0.refusesLogin = true } }

    func answer(_ request: HTTPClientRequest) -> ScriptedAnswer? {
        let token = request.headers[.authorization].map { String($0.dropFirst(7)) }
        return state.withLock { state in
            if request.url.hasSuffix("com.atproto.server.createSession") {
                if state.refusesLogin {
                    return .response(
                        401,
                        text: "{\"error\":\"AuthenticationRequired\",\"message\":\"Invalid password\"}"
                    )
                }
                state.created += 1
                state.generation += 1
                return .response(text: session(state.generation))
            }
            if request.url.hasSuffix("com.atproto.server.refreshSession") {
                guard !state.refusesRefresh, token == "refresh-\(state.generation)" else {
                    return .response(400, text: "{\"error\":\"ExpiredToken\",\"message\":\"Token has been revoked\"}")
                }
                state.refreshed += 1
                state.generation += 1
                return .response(text: session(state.generation))
            }
            guard let token, token == "access-\(state.generation)", !state.expired.contains(token) else {
                return .response(400, text: "{\"error\":\"ExpiredToken\",\"message\":\"Token has expired\"}")
            }
            return .response(text: "{\"notifications\":[]}")
        }
    }

    private func session(_ generation: Int) -> String {
        let document = home.map {
            ",\"didDoc\":{\"service\":[{\"id\":\"#atproto_pds\",\"type\":\"AtprotoPersonalDataServer\",\"serviceEndpoint\":\"\($0)\"}]}"
        }
        return """
            {"accessJwt":"access-\(generation)","refreshJwt":"refresh-\(generation)","did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",\
            "handle":"anna.example"\(document ?? "")}
            """
    }
}

@Suite("Sessions")
struct BlueskySessionTests {
    private func script(_ server: SessionServer, account: EphemeralAccount? = nil) throws -> BlueskyScript {
        let script = try BlueskyScript(
            ["kind": "notifications", "identifier": "anna.example"],
            password: "pass-word",
            account: account
        )
        script.http.handle { server.answer($0) }
        return script
    }

    @Test("Signing in happens once, for all sources of the account and over restarts")
    func once() async throws {
        let server = SessionServer()
        let account = EphemeralAccount(name: "anna")
        for _ in 0..<3 { _ = try await script(server, account: account).pull() }
        let first = try script(server, account: account)
        let second = try script(server, account: account)
        async let one = first.connector.pull(PullRequest())
        async let two = second.connector.pull(PullRequest())
        _ = try await (one, two)
        #expect(server.created == 1)
    }

    @Test("Sources that start at the same time sign in once")
    func together() async throws {
        let server = SessionServer()
        let account = EphemeralAccount(name: "anna")
        let connectors = try (0..<10).map { _ in try script(server, account: account).connector }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for connector in connectors { group.addTask { _ = try await connector.pull(PullRequest()) } }
            try await group.waitForAll()
        }
        #expect(server.created == 1)
    }

    @Test("Expired tokens are traded for new ones, once for all sources")
    func refresh() async throws {
        let server = SessionServer()
        let account = EphemeralAccount(name: "anna")
        let connectors = try (0..<10).map { _ in try script(server, account: account).connector }
        _ = try await connectors[0].pull(PullRequest())
        server.expire()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for connector in connectors { group.addTask { _ = try await connector.pull(PullRequest()) } }
            try await group.waitForAll()
        }
        #expect(server.created == 1)
        #expect(server.refreshed == 1)
    }

    @Test("Where the refresh token is refused too, it signs in again")
    func again() async throws {
        let server = SessionServer()
        let script = try script(server)
        _ = try await script.pull()
        server.expire()
        server.refuseRefresh()
        _ = try await script.pull()
        #expect(server.created == 2)
        #expect(server.refreshed == 0)
    }

    @Test("A wrong password stops the source and is tried once")
    func wrongPassword() async throws {
        let server = SessionServer()
        server.refuseLogin()
        let script = try script(server)
        let error = await #expect(throws: ConnectorError.self) { try await script.pull() }
        #expect(error?.code == .unauthorized)
        #expect(script.http.requests.count == 1)
        #expect(error.map { String(describing: $0).contains("pass-word") } == false)
    }

    @Test("More than 200 sign-ins a day are not tried")
    func limit() async throws {
        let server = SessionServer()
        server.refuseRefresh()
        let script = try script(server)
        _ = try await script.pull()
        for _ in 0..<199 {
            server.expire()
            _ = try await script.pull()
        }
        server.expire()
        let error = await #expect(throws: ConnectorError.self) { try await script.pull() }
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAt == BlueskyScript.now.advanced(by: .seconds(86_400)))
        #expect(server.created == 200)
        script.clock.setWallTime(to: BlueskyScript.now.advanced(by: .seconds(86_401)))
        _ = try await script.pull()
        #expect(server.created == 201)
    }

    @Test(
        "Requests go to the account's own server, which its document names",
        arguments: [
            ("https://pds.example", "https://pds.example/"), ("http://pds.example", "https://bsky.social/"),
            ("file:///etc", "https://bsky.social/"),
        ]
    )
    func home(endpoint: String, expected: String) async throws {
        let server = SessionServer(home: endpoint)
        let script = try script(server)
        _ = try await script.pull()
        let last = try #require(script.http.requests.last)
        #expect(last.url.hasPrefix(expected))
        #expect(last.headers[.authorization] == "Bearer access-1")
    }

    @Test("The session is kept in the account and nowhere in a cursor or an error")
    func secrets() async throws {
        let server = SessionServer()
        let script = try script(server)
        let page = try await script.pull()
        let cursor = page.cursor.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
        for secret in ["access-", "refresh-", "pass-word"] { #expect(!cursor.contains(secret)) }
        #expect(try await script.account.value(for: "bluesky-session") != nil)
    }
}
