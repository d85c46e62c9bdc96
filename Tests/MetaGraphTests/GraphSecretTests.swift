import ConnectorKit
import JSON
import MetaGraph
import Testing

@Suite("What the Graph API answers and no secret may be kept of")
struct GraphSecretTests {
    @Test(
        "A body that is set aside has no tokens in it, in whichever way they are written",
        arguments: [
            #"{"data":[],"paging":{"next":"https://graph.example.org/v24.0/7/media?access_token=d03EAAB_x-9|%7C&after=QVFI"}}"#,
            #"{"paging":{"next":"https://graph.example.org/7/media?limit=25&access_token\u003dEAABx9&appsecret_proof=aaEAABbb"}}"#,
            #"{"paging":{"next":"https://graph.example.org/7/media?after=QVFI\u0026access_token=EAABx9"}}"#,
            #"{"access_token": "EAABx9", "data": []}"#,
            #"{"access_token=EAABx9"#,
        ]
    )
    func tokens(body: String) throws {
        let answer = GraphAnswer(body: Array(body.utf8), what: "the media")
        let error = try #require(throws: ConnectorError.self) {
            try answer.read { root in
                _ = try root["data"]?.expectObject()
                _ = try root.requiredString("name")
            }
        }
        let kept = String(decoding: try #require(error.deadLetter).payload, as: UTF8.self)
        #expect(!kept.contains("EAAB") && !kept.contains("x9") && kept.contains("redacted"))
        #expect(!"\(error)".contains("EAAB"))
    }

    @Test("The rest of it stays as it came")
    func rest() throws {
        let body =
            #"{"data":7,"words":"the access_token and = signs","next":"https://x.example/?access_token=abc&after=QVFI"}"#
        let answer = GraphAnswer(body: Array(body.utf8), what: "the media")
        let error = try #require(throws: ConnectorError.self) { try answer.read { _ = try $0.requiredString("data") } }
        let kept = String(decoding: try #require(error.deadLetter).payload, as: UTF8.self)
        #expect(kept == body.replacing("=abc", with: "=redacted"))
    }
}
