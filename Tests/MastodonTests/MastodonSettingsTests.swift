import ConnectorKit
import ConnectorTesting
import HTTPTypes
import MastodonConnector
import SocialEvents
import Testing

struct MastodonSettingsTests {
    private func refusal(_ settings: [String: String], withToken: Bool = true) -> String? {
        var members = MastodonScript.members(settings)
        if !withToken { members.removeAll { $0.key == "access_token" } }
        do {
            _ = try MastodonConfiguration(Settings(members))
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("What belongs to another kind, or is missing, is answered with how to mend it")
    func refusals() {
        #expect(refusal([:]) == nil)
        #expect(refusal([:], withToken: false)?.contains("access_token") == true)
        #expect(refusal(["kind": "public"], withToken: false) == nil)
        #expect(refusal(["kind": "hashtag"])?.contains("hashtag") == true)
        #expect(refusal(["kind": "hashtag", "hashtag": "#été"], withToken: false) == nil)
        #expect(refusal(["kind": "hashtag", "hashtag": "two words"])?.contains("spaces") == true)
        #expect(refusal(["kind": "home", "hashtag": "x"])?.contains("hashtag") == true)
        #expect(refusal(["kind": "list"])?.contains("list") == true)
        #expect(refusal(["kind": "account"], withToken: false)?.contains("user") == true)
        #expect(refusal(["kind": "home", "scope": "local"])?.contains("scope") == true)
        #expect(refusal(["base_url": "https://harbour.example/?x=1"])?.contains("base_url") == true)
        for (settings, name) in [
            (["kind": "home", "include_filtered": "true"], "include_filtered"),
            (["kind": "public", "include_filtered": "false"], "include_filtered"),
            (["kind": "notifications", "scope": "all"], "scope"),
            (["kind": "account", "user": "nora", "stream": "off"], "stream"),
        ] {
            #expect(refusal(settings)?.contains("kind `\(settings["kind"] ?? "")`") == true, "\(settings)")
            #expect(refusal(settings)?.contains(name) == true, "\(settings)")
        }
        #expect(refusal(["kind": "notifications", "include_filtered": "true"]) == nil)
        #expect(refusal(["kind": "everything"]) != nil)
        #expect(refusal(["recheck": "0"]) != nil)
    }

    @Test("An address is taken apart as it is meant")
    func addresses() throws {
        let settings = [
            "base_url": "https://Harbour.example:8443//", "kind": "account", "user": "@nora@harbour.example",
        ]
        let configuration = try MastodonConfiguration(Settings(MastodonScript.members(settings)))
        #expect(configuration.baseURL == "https://Harbour.example:8443")
        #expect(configuration.host == "harbour.example:8443")
        #expect(configuration.account == "nora@harbour.example")
    }

    @Test("An account is looked up once, and searched for where there is no lookup")
    func account() async throws {
        for isOld in [false, true] {
            let script = try MastodonScript(["kind": "account", "user": "Nora@harbour.example"])
            let post = ScriptedTimeline.Post(id: 1001).json
            if isOld {
                script.http.route(
                    .get,
                    MastodonScript.base + "/api/v1/accounts/search?q=Nora%40harbour.example&limit=5&resolve=true",
                    .response(
                        text:
                            "[{\"id\":\"8\",\"acct\":\"nora2\"},{\"id\":\"9\",\"acct\":\"nora@quay.example\"},{\"id\":\"7\",\"acct\":\"nora\"}]"
                    )
                )
            } else {
                script.http.route(
                    .get,
                    MastodonScript.base + "/api/v1/accounts/lookup?acct=Nora%40harbour.example",
                    .response(text: "{\"id\":\"7\",\"acct\":\"nora\"}")
                )
            }
            let url = MastodonScript.base + "/api/v1/accounts/7/statuses?limit=40"
            script.http.route(.get, url, .response(text: "[\(post)]"))
            script.http.route(.get, url + "&min_id=1001", .response(text: "[]"))
            script.http.route(.get, url + "&max_id=1001", .response(text: "[]"))
            #expect(try await script.pull().events.facts == ["created 1001"])
            #expect(try await script.pull().events.isEmpty)
            let lookups = script.http.requests.filter { $0.url.contains("/lookup") || $0.url.contains("/search") }
            #expect(lookups.count == (isOld ? 2 : 1))
        }
    }
}
