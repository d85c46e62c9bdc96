import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import Logging
import MetaGraph
import SocialEvents

/// A client of the Graph API over a scripted platform.
struct MetaScript {
    static let start = Timestamp(seconds: 1_784_927_750)
    static let base = "https://graph.example.org"

    let http = ScriptedHTTPClient()
    let clock = ManualClock(now: MetaScript.start)
    let meter = AccountMeter()
    let account: any Account

    init(account: any Account = EphemeralAccount(name: "test")) {
        self.account = account
    }

    var context: ConnectorContext {
        ConnectorContext(
            source: SourceName("test"),
            http: http,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            account: account,
            quota: Quota(meter, priority: .normal, clock: clock)
        )
    }

    func client(_ credentials: GraphCredentials = .fixed(Secret("page-token")), proof: Bool = false) -> GraphClient {
        GraphClient(
            context: context,
            baseURL: Self.base,
            version: "v24.0",
            credentials: credentials,
            appSecret: proof ? Secret("app secret") : nil
        )
    }

    func keeper(_ exchange: MetaTokenKeeper.Exchange = .instagramLogin, _ token: String = "first") -> MetaTokenKeeper {
        MetaTokenKeeper(
            context: context,
            baseURL: Self.base,
            version: "v24.0",
            exchange: exchange,
            configured: Secret(token)
        )
    }
}

/// Header fields by their names.
func headers(_ fields: KeyValuePairs<String, String>) -> HTTPFields {
    var headers = HTTPFields()
    for (name, value) in fields {
        if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
    }
    return headers
}

extension GraphRequest {
    static let media = GraphRequest.get(
        "/17841/media",
        fields: ["id", "caption"],
        [GraphParameter("limit", "2")],
        bucket: "media",
        what: "the media"
    )
}
