import ConnectorKit
import ConnectorTesting
import FeedConnector
import HTTPTypes
import SocialEvents
import Testing

struct FeedContractTests {
    @Test(
        "It keeps the contract of connectors",
        .timeLimit(.minutes(2)),
        arguments: [
            Sample.rss(Sample.items([3, 2, 1])),
            Sample.atom(Sample.entry("3"), Sample.entry("2"), "<at:deleted-entry ref=\"tag:example.org,2026:0\"/>"),
            Sample.json,
        ]
    )
    func contract(body: String) async throws {
        let contract = ConnectorContract(FeedConnector.self, settings: [.plain("url", FeedScript.url)]) { http in
            http.route(.get, FeedScript.url, .response(text: body))
        }
        try await contract.check()
    }
}
