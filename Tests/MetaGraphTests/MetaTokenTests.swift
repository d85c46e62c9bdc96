import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import MetaGraph
import SocialEvents
import Testing

struct MetaTokenTests {
    private static func day(_ count: Int) -> Duration { .seconds(count * 86_400) }

    private static func fresh(_ token: String, days: Int = 60) -> ScriptedAnswer {
        .response(text: "{\"access_token\":\"\(token)\",\"token_type\":\"bearer\",\"expires_in\":\(days * 86_400)}")
    }

    @Test("A token is exchanged at first and again in its last third, and kept for all sources of the account")
    func exchange() async throws {
        let account = EphemeralAccount(name: "shared")
        let script = MetaScript(account: account)
        script.http.handle { _ in Self.fresh("second") }
        #expect(try await script.keeper().accessToken(insteadOf: nil) == Secret("second"))
        #expect(
            script.http.requests.map(\.url) == [
                "\(MetaScript.base)/refresh_access_token?grant_type=ig_refresh_token&access_token=first"
            ]
        )
        script.clock.advance(by: Self.day(39))
        #expect(try await script.keeper().accessToken(insteadOf: nil) == Secret("second"))
        #expect(script.http.requests.count == 1)
        script.clock.advance(by: Self.day(2))
        script.http.handle { request in
            request.url.hasSuffix("access_token=second") ? Self.fresh("third") : nil
        }
        #expect(try await script.keeper().accessToken(insteadOf: nil) == Secret("third"))
        // Another source of the account finds it.
        let other = MetaScript(account: account)
        other.clock.advance(by: Self.day(41))
        #expect(try await other.keeper().accessToken(insteadOf: nil) == Secret("third"))
        #expect(other.http.requests.isEmpty)
    }

    @Test("An exchange that fails changes nothing while the token lives, and is tried again a day later")
    func failedExchange() async throws {
        let script = MetaScript()
        // Instagram exchanges no token of the same day.
        script.http.handle { _ in .response(400, text: #"{"error":{"code":100}}"#) }
        #expect(try await script.keeper().accessToken(insteadOf: nil) == Secret("first"))
        #expect(try await script.keeper().accessToken(insteadOf: nil) == Secret("first"))
        #expect(script.http.requests.count == 1)
        script.clock.advance(by: Self.day(1) + .seconds(1))
        script.http.handle { _ in Self.fresh("second") }
        #expect(try await script.keeper().accessToken(insteadOf: nil) == Secret("second"))
        // Past its end the failure is told.
        script.http.handle { _ in .response(400, text: #"{"error":{"code":190,"error_subcode":463}}"#) }
        script.clock.advance(by: Self.day(61))
        await #expect { try await script.keeper().accessToken(insteadOf: nil) } throws: {
            ($0 as? ConnectorError)?.code == .unauthorized
        }
    }

    @Test("A token that a person writes anew counts more than what was kept")
    func rewritten() async throws {
        let script = MetaScript()
        script.http.handle { _ in Self.fresh("second") }
        _ = try await script.keeper().accessToken(insteadOf: nil)
        script.http.handle { request in request.url.hasSuffix("=other") ? Self.fresh("other 2") : nil }
        #expect(try await script.keeper(.instagramLogin, "other").accessToken(insteadOf: nil) == Secret("other 2"))
    }

    @Test("A refused token is exchanged once, and the call made again")
    func refused() async throws {
        let script = MetaScript()
        script.http.handle { request in
            if request.url.contains("refresh_access_token") {
                return Self.fresh(request.url.hasSuffix("=first") ? "second" : "third")
            }
            return request.headers[.authorization] == "Bearer third"
                ? .response(text: "{}") : .response(400, text: #"{"error":{"code":190,"error_subcode":467}}"#)
        }
        _ = try await script.client(.kept(script.keeper())).fetch(.media)
        #expect(script.http.requests.count == 4)
        // A token that does not change is not asked for twice.
        let fixed = MetaScript()
        fixed.http.handle { _ in .response(400, text: #"{"error":{"code":190}}"#) }
        await #expect(throws: ConnectorError.self) { try await fixed.client().fetch(.media) }
        #expect(fixed.http.requests.count == 1)
    }

    @Test("Facebook's exchange sends the app's secret in the body, never in a URL")
    func facebook() async throws {
        let script = MetaScript()
        script.http.handle { _ in .response(text: #"{"access_token":"second"}"#) }
        let exchange = MetaTokenKeeper.Exchange.facebookLogin(appID: "77", appSecret: Secret("app secret"))
        #expect(try await script.keeper(exchange).accessToken(insteadOf: nil) == Secret("second"))
        let sent = script.http.requests[0]
        #expect(sent.method == .post && sent.url == "\(MetaScript.base)/v24.0/oauth/access_token")
        #expect(
            String(decoding: sent.body, as: UTF8.self)
                == "grant_type=fb_exchange_token&client_id=77&client_secret=app%20secret&fb_exchange_token=first"
        )
    }

    @Test("An answer that cannot be read is no dead letter, since it may hold tokens")
    func unreadable() async {
        let script = MetaScript()
        script.http.handle { _ in .response(text: #"{"access_token":7,"x":"EAAB"}"#) }
        await #expect { try await script.keeper().accessToken(insteadOf: Secret("first")) } throws: {
            let error = $0 as? ConnectorError
            return error?.code == .unavailable && error?.deadLetter == nil
                && error?.description.contains("EAAB") == false
        }
    }

    @Test("What a token is good for is told, and what it lacks")
    func debug() async throws {
        let script = MetaScript()
        script.http.handle { _ in
            .response(
                text: """
                    {"data":{"app_id":"77","type":"PAGE","is_valid":true,"expires_at":0,"data_access_expires_at":1792703750,\
                    "scopes":["pages_read_engagement","pages_show_list"],"profile_id":"1","user_id":"2"}}
                    """
            )
        }
        let info = try await script.client(.fixed(Secret("77|secret"))).debug(Secret("to see"))
        #expect(info.isValid && info.expiresAt == nil && info.userID == "1" && info.appID == "77")
        #expect(info.dataAccessExpiresAt == Timestamp(seconds: 1_792_703_750))
        #expect(info.missing(of: ["pages_show_list", "pages_messaging"]) == ["pages_messaging"])
        #expect(script.http.requests[0].url == "\(MetaScript.base)/v24.0/debug_token?input_token=to%20see")
    }
}
