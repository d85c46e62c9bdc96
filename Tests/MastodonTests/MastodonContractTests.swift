import ConnectorKit
import ConnectorTesting
import MastodonConnector
import SocialEvents
import Testing

struct MastodonContractTests {
    @Test("It keeps the contract of connectors", .timeLimit(.minutes(2)))
    func contract() async throws {
        let settings = MastodonScript.members(["backfill": "40"])
        let contract = ConnectorContract(MastodonConnector.self, settings: settings, eventCount: 30) { http in
            let timeline = ScriptedTimeline()
            timeline.post(1001...1030)
            timeline.update { state in
                for id in 1101...1160 {
                    state.stream += "event: update\ndata: \(ScriptedTimeline.Post(id: id).json)\n\n"
                    if id % 7 == 0 { state.stream += ":thump\n\n" }
                }
                state.stream += "event: delete\ndata: 1105\n\n"
            }
            http.handle(timeline.handler)
        }
        try await contract.check()
    }
}
