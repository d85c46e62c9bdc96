import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import MetaGraph
import SocialEvents
import Testing

struct GraphClientTests {
    private static let url = "\(MetaScript.base)/v24.0/17841/media?fields=id%2Ccaption&limit=2"

    @Test("A request has its version and fields, and the token in a header alone")
    func request() async throws {
        let script = MetaScript()
        script.http.route(.get, Self.url, .response(text: "{\"data\":[]}"))
        let answer = try await script.client().fetch(.media)
        #expect(String(decoding: answer.body, as: UTF8.self) == "{\"data\":[]}")
        let sent = script.http.requests[0]
        #expect(sent.headers[.authorization] == "Bearer page-token")
        #expect(!sent.url.contains("token") && sent.maximumRedirects == 0)
    }

    @Test("With the app's secret each call proves that the app makes it")
    func proof() async throws {
        let script = MetaScript()
        script.http.handle { _ in .response(text: "{}") }
        _ = try await script.client(proof: true).fetch(.media)
        // printf 'page-token' | openssl dgst -sha256 -hmac 'app secret'
        #expect(
            script.http.requests[0].url == Self.url
                + "&appsecret_proof=4c4d8499cf1bc645a67b15411256c6d3501815c3e98718f4db1824545e9927e0"
        )
    }

    @Test("A redirect is refused: it would carry the token elsewhere")
    func redirect() async {
        let script = MetaScript()
        script.http.handle { _ in .response(302, text: "") }
        await #expect { try await script.client().fetch(.media) } throws: { ($0 as? ConnectorError)?.code == .rejected }
    }

    @Test("Usage that is used up holds the account's next call of the same kind back")
    func budget() async throws {
        let script = MetaScript()
        let usage = #"{"1":[{"type":"pages","call_count":100,"estimated_time_to_regain_access":10}]}"#
        script.http.handle { _ in
            ScriptedAnswer.response(200, headers: headers(["X-Business-Use-Case-Usage": usage]), text: "{}")
        }
        let first = try await script.client().fetch(.media)
        #expect(first.notBefore == MetaScript.start.advanced(by: .seconds(600)))
        await #expect { try await script.client().fetch(.media) } throws: {
            ($0 as? ConnectorError)?.retryAt == MetaScript.start.advanced(by: .seconds(600))
        }
        #expect(script.http.requests.count == 1)
        script.clock.advance(by: .seconds(601))
        _ = try await script.client().fetch(.media)
    }

    @Test("A form and a document are sent with their media types")
    func bodies() async throws {
        let script = MetaScript()
        script.http.handle { _ in .response(text: "{}") }
        var request = GraphRequest(.post, "/1/messages", bucket: "send", what: "the message")
        request.body = .form([GraphParameter("a b", "c&d")])
        _ = try await script.client().fetch(request)
        request.body = .json(Array("{}".utf8))
        _ = try await script.client().fetch(request)
        #expect(
            script.http.requests.map { $0.headers[.contentType] } == [
                "application/x-www-form-urlencoded", "application/json",
            ]
        )
        #expect(script.http.requests[0].body == Array("a%20b=c%26d".utf8))
    }

    @Test("An error that stands in an answer of status 200 is one; what is no JSON is kept as a dead letter")
    func answers() async throws {
        let script = MetaScript()
        script.http.expect(.get, Self.url, .response(text: #"{"error":{"code":190}}"#))
        script.http.expect(.get, Self.url, .response(text: "<html>"))
        let wrong = try await script.client().fetch(.media)
        #expect { try wrong.read { _ in } } throws: { ($0 as? ConnectorError)?.code == .unauthorized }
        let none = try await script.client().fetch(.media)
        #expect { try none.read { _ in } } throws: {
            ($0 as? ConnectorError)?.deadLetter?.payload == Array("<html>".utf8)
        }
    }

    // MARK: - Pages

    private static func paging(_ paging: String) throws -> GraphPaging {
        try JSONParser().parse("{\"data\":[],\"paging\":\(paging)}") { root in
            try GraphPaging(of: root, asked: .media, baseURL: MetaScript.base)
        }
    }

    @Test("The next page is asked for without the token that the platform wrote into its URL")
    func nextPage() async throws {
        let url =
            "\(MetaScript.base)/v24.0/17841/media?access_token=EAAB&limit=2&appsecret_proof=ab&after=QV9&%61ccess_token=EAAB"
        let paging = try Self.paging(#"{"cursors":{"before":"a","after":"QV9"},"next":"\#(url)"}"#)
        let next = try #require(paging.next)
        #expect(paging.after == "QV9" && paging.before == "a")
        #expect(paging.place == "/v24.0/17841/media?limit=2&after=QV9")
        let script = MetaScript()
        script.http.handle { _ in .response(text: "{}") }
        _ = try await script.client().fetch(next)
        _ = try await script.client().fetch(try GraphPaging.request(at: paging.place ?? "", asked: .media))
        #expect(Set(script.http.requests.map(\.url)) == ["\(MetaScript.base)/v24.0/17841/media?limit=2&after=QV9"])
    }

    @Test("A list ends where next is missing, not at an empty page")
    func end() throws {
        #expect(try Self.paging(#"{"cursors":{"after":"x"}}"#).next == nil)
        #expect(try Self.paging("null").next == nil)
        #expect(try Self.paging(#"{"next":"\#(MetaScript.base)/v24.0/1/media?after=x"}"#).next != nil)
    }

    @Test(
        "A next page elsewhere is refused: the token is for one host alone",
        arguments: [
            "https://evil.example/v24.0/1/media", "https://graph.example.org.evil.example/v24.0/1",
            "http://graph.example.org/v24.0/1", "https://graph.example.org@evil.example/1", "//evil.example/1",
            "/v24.0/1",
            "https://graph.example.org:444/1", "https://graph.example.org/1#x", "https://graph.example.org/a b",
            "https://graph.example.org\\\\@evil.example/",
        ]
    )
    func elsewhere(url: String) {
        #expect { try Self.paging(#"{"next":"\#(url)"}"#) } throws: { ($0 as? ConnectorError)?.code == .rejected }
    }

    // MARK: - Batches

    @Test("A batch is one call, and each of its reads has an answer or a failure of its own")
    func batch() async throws {
        let script = MetaScript()
        let answers = """
            [{"code":200,"body":"{\\"id\\":\\"1\\"}"},null,{"code":400,"body":"{\\"error\\":{\\"code\\":100,\\"error_subcode\\":33}}"},{"code":200}]
            """
        script.http.handle { _ in .response(text: answers) }
        let requests = (1...5).map { GraphRequest.get("/\($0)", fields: ["id"], bucket: "media", what: "number \($0)") }
        let results = try await script.client().fetch(batch: requests, bucket: "media", what: "the batch")
        #expect(results.count == 5 && script.http.requests.count == 1)
        #expect(try results[0].get().read { try $0.requiredString("id") } == "1")
        #expect(throws: ConnectorError.self) { try results[1].get() }
        guard case .failure(let gone) = results[2], case .failure(let missing) = results[4] else {
            Issue.record("no failures")
            return
        }
        #expect(gone.graph?.meaning == .gone && missing.code == .unavailable && missing.message.hasPrefix("number 5"))
        let sent = script.http.requests[0]
        #expect(sent.method == .post && sent.url == "\(MetaScript.base)/v24.0/")
        let form = String(decoding: sent.body, as: UTF8.self)
        #expect(
            form.contains("relative_url%22%3A%22v24.0%2F1%3Ffields%3Did%22") && form.hasSuffix("&include_headers=false")
        )
    }

    @Test("A batch that fails as a whole says so; one of nothing asks for nothing")
    func batchFailures() async throws {
        let script = MetaScript()
        #expect(try await script.client().fetch(batch: [], bucket: "media", what: "the batch").isEmpty)
        #expect(script.http.requests.isEmpty)
        script.http.handle { _ in .response(400, text: #"{"error":{"code":190}}"#) }
        await #expect { try await script.client().fetch(batch: [.media], bucket: "media", what: "the batch") } throws: {
            ($0 as? ConnectorError)?.code == .unauthorized
        }
        script.http.handle { _ in .response(text: #"{"next":"?access_token=EAAB"}"#) }
        await #expect { try await script.client().fetch(batch: [.media], bucket: "media", what: "the batch") } throws: {
            ($0 as? ConnectorError)?.deadLetter?.payload == Array(#"{"next":"?access_token=redacted"}"#.utf8)
        }
    }
}
