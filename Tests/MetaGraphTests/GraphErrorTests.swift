import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import MetaGraph
import SocialEvents
import Testing

struct GraphErrorTests {
    private static func failure(
        _ body: String,
        status: Int = 400,
        _ fields: KeyValuePairs<String, String> = [:]
    ) -> ConnectorError? {
        .ofGraph(
            status: status,
            headers: headers(fields),
            body: Array(body.utf8),
            now: MetaScript.start,
            what: "the media"
        )
    }

    private static func body(_ code: Int, _ subcode: Int? = nil, isTransient: Bool = false) -> String {
        let subcode = subcode.map { ",\"error_subcode\":\($0)" } ?? ""
        return """
            {"error":{"message":"Malformed access token EAAB-secret","type":"OAuthException","code":\(code)\(subcode),\
            "is_transient":\(isTransient),"error_user_msg":"EAAB-secret","fbtrace_id":"AbC_1-2\\n"}}
            """
    }

    @Test(
        "A code says what to do, whatever the status",
        arguments: [
            (190, 463, .unauthorized), (190, 460, .unauthorized), (190, 467, .unauthorized), (190, nil, .unauthorized),
            (102, nil, .unauthorized), (0, nil, .unauthorized), (10, nil, .unauthorized), (200, nil, .unauthorized),
            (299, nil, .unauthorized), (3, nil, .unauthorized), (368, nil, .unauthorized),
            (131_031, nil, .unauthorized),
            (131_042, nil, .unauthorized), (131_048, nil, .unauthorized), (130_497, nil, .unauthorized),
            (4, nil, .rateLimited), (17, nil, .rateLimited), (32, nil, .rateLimited), (613, nil, .rateLimited),
            (80_001, nil, .rateLimited), (80_002, nil, .rateLimited), (80_006, nil, .rateLimited),
            (80_007, nil, .rateLimited), (130_429, nil, .rateLimited), (131_056, nil, .rateLimited),
            (131_057, nil, .rateLimited), (131_208, nil, .rateLimited), (9, 2_207_042, .rateLimited),
            (1, nil, .unavailable), (2, nil, .unavailable), (131_000, nil, .unavailable), (131_016, nil, .unavailable),
            (133_016, nil, .unavailable), (9007, 2_207_027, .unavailable),
            (100, 33, .rejected), (24, 2_207_006, .rejected), (100, nil, .rejected), (131_021, nil, .rejected),
            (131_026, nil, .rejected), (131_030, nil, .rejected), (131_047, nil, .rejected), (131_049, nil, .rejected),
            (131_050, nil, .rejected), (130_472, nil, .rejected), (132_000, nil, .rejected), (132_001, nil, .rejected),
            (132_007, nil, .rejected), (132_012, nil, .rejected), (132_015, nil, .rejected), (132_016, nil, .rejected),
            (131_020, nil, .rejected), (131_041, nil, .rejected), (131_201, nil, .rejected), (131_204, nil, .rejected),
        ] as [(Int, Int?, ConnectorError.Code)]
    )
    func codes(code: Int, subcode: Int?, expected: ConnectorError.Code) throws {
        for status in [400, 403, 500] {
            let failure = try #require(Self.failure(Self.body(code, subcode), status: status))
            #expect(failure.code == expected)
            #expect(failure.graph?.code == code && failure.graph?.subcode == subcode)
            #expect(failure.graph?.advice != nil)
            #expect(failure.graph?.meaning != .unknown)
        }
    }

    @Test("Nothing that the platform says is printed, since it repeats tokens at times; its trace id is")
    func secrets() throws {
        let failure = try #require(Self.failure(Self.body(190, 463)))
        #expect(!failure.description.contains("EAAB"))
        #expect(!(failure.graph?.description.contains("EAAB") ?? true))
        #expect(
            failure.message
                == "the media: the access token has expired; make a new one (code 190/463; fbtrace_id AbC_1-2)"
        )
    }

    @Test("What is gone is told from what is wrong")
    func gone() {
        #expect(Self.failure(Self.body(100, 33))?.graph?.meaning == .gone)
        #expect(Self.failure(Self.body(100))?.graph?.meaning == .invalid)
        #expect(Self.failure(Self.body(24, 2_207_006))?.graph?.meaning == .gone)
        #expect(Self.failure(Self.body(24))?.graph?.meaning == .unknown)
    }

    @Test("A code that is not known goes by the status, and may pass where the platform says so")
    func unknown() {
        #expect(Self.failure(Self.body(987_654), status: 404)?.code == .rejected)
        #expect(Self.failure(Self.body(987_654), status: 503)?.code == .unavailable)
        #expect(Self.failure(Self.body(987_654), status: 429)?.code == .rateLimited)
        #expect(Self.failure(Self.body(987_654, isTransient: true), status: 400)?.code == .unavailable)
        // What is known counts more than that.
        #expect(Self.failure(Self.body(190, isTransient: true))?.code == .unauthorized)
    }

    @Test("Without an error in the body the status decides")
    func status() {
        #expect(Self.failure("<html>", status: 502)?.code == .unavailable)
        #expect(Self.failure("{\"error\":\"words\"}", status: 401)?.code == .unauthorized)
        #expect(Self.failure("{\"error\":{\"message\":\"no code\"}}", status: 429)?.code == .rateLimited)
        #expect(Self.failure("", status: 302)?.code == .rejected)
        #expect(Self.failure(Self.body(190), status: 200) == nil)
    }

    @Test("A throttled call waits for what the usage headers say, otherwise by the ladder")
    func waiting() throws {
        let usage =
            #"{"17841":[{"type":"instagram","call_count":100,"total_time":5,"estimated_time_to_regain_access":7}]}"#
        let told = try #require(Self.failure(Self.body(80_002), ["X-Business-Use-Case-Usage": usage]))
        #expect(told.retryAt == MetaScript.start.advanced(by: .seconds(420)))
        let untold = try #require(Self.failure(Self.body(4), ["X-App-Usage": #"{"call_count":100}"#]))
        #expect(untold.retryAt == nil && untold.ladder == GraphLadders.throttled)
    }

    @Test("WhatsApp's errors are read in their own form")
    func whatsApp() throws {
        let text =
            #"{"code":131047,"title":"Re-engagement message","error_data":{"details":"more than 24 hours"},"href":"https://x"}"#
        let error = try #require(try JSONParser().parse(text) { GraphError($0) })
        #expect(error.meaning == .recipient)
        #expect(error.details == "more than 24 hours" && error.message == "Re-engagement message")
        #expect(error.advice == "more than 24 hours since the recipient wrote; send a template")
        #expect(try JSONParser().parse("{\"code\":\"131026\"}") { GraphError($0)?.code } == 131_026)
        #expect(try JSONParser().parse("{\"title\":\"x\"}") { GraphError($0) } == nil)
    }

    @Test("Usage near its end puts the next reading off, and a full one till access returns")
    func usage() {
        func notBefore(_ usage: String) -> Duration? {
            MetaUsage.notBefore(in: headers(["X-App-Usage": usage]), now: MetaScript.start)
                .map { MetaScript.start.duration(to: $0) }
        }
        #expect(notBefore(#"{"call_count":79,"total_time":20}"#) == nil)
        #expect(notBefore(#"{"call_count":20,"total_time":80}"#) == .seconds(300))
        #expect(notBefore(#"{"call_count":96}"#) == .seconds(900))
        #expect(notBefore(#"{"call_count":100}"#) == .seconds(1800))
        #expect(notBefore(#"{"call_count":120,"estimated_time_to_regain_access":3}"#) == .seconds(180))
        #expect(notBefore("no JSON") == nil)
        #expect(MetaUsage.notBefore(in: [:], now: MetaScript.start) == nil)
    }
}
