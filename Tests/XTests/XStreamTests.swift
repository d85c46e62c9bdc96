import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import XConnector

struct XStreamTests {
    private static let settings: [SettingNode.Member] = [
        .plain("kind", "stream"), .rules(["care": "acme lang:fr", "press": "from:lemonde acme"]),
    ]

    /// A platform with rules, one stream and a list of connections: before it is opened and behind.
    private static func platform(
        _ script: XScript,
        standing: String = "",
        stream: ScriptedAnswer,
        added: String = "{\"meta\":{}}",
        connections: (before: [String], after: [String]) = (["older"], ["older", "ours"])
    ) {
        script.http.handle { [http = script.http] request in
            switch (request.method, Query.path(request.url)) {
            case (.get, "/2/tweets/search/stream/rules"):
                .response(text: standing.isEmpty ? "{\"meta\":{}}" : "{\"data\":[\(standing)],\"meta\":{}}")
            case (.post, "/2/tweets/search/stream/rules"): .response(201, text: added)
            case (.get, "/2/tweets/search/stream"): stream
            case (.get, "/2/connections"):
                Self.list(
                    http.requests.contains { Query.path($0.url) == "/2/tweets/search/stream" }
                        ? connections.after : connections.before
                )
            case (.delete, "/2/connections"): .response(text: "{\"data\":{\"successful_kills\":1,\"failed_kills\":0}}")
            default: nil
            }
        }
    }

    private static func list(_ connections: [String]) -> ScriptedAnswer {
        .response(text: "{\"data\":[\(connections.map { "{\"id\":\"\($0)\"}" }.joined(separator: ","))]}")
    }

    /// What the rules were changed by.
    private static func changes(_ script: XScript) -> [String] {
        script.http.requests.filter { $0.method == .post }.map { String(decoding: $0.body, as: UTF8.self) }
    }

    private static func stream(
        _ script: XScript,
        after cursor: Cursor? = nil,
        into sink: RecordingSink = RecordingSink()
    ) async -> ConnectorError? {
        do {
            try await script.connector.stream(after: cursor, into: sink)
            return nil
        } catch {
            return error as? ConnectorError
        }
    }

    @Test("Rules are brought into step and those of others left alone")
    func rules() async throws {
        let standing = """
            {"id":"1","value":"acme lang:fr","tag":"roost/test/care"},{"id":"2","value":"old","tag":"roost/test/old"},\
            {"id":"3","value":"from:figaro acme","tag":"theirs"},{"id":"4","value":"x","tag":"roost/test2/care"},{"id":"5","value":"y"}
            """
        let script = try XScript(Self.settings)
        Self.platform(script, standing: standing, stream: .response(text: "\r\n"))
        _ = await Self.stream(script)
        #expect(
            Self.changes(script) == [
                #"{"add":[{"value":"from:lemonde acme","tag":"roost/test/press"}]}"#, #"{"delete":{"ids":["2"]}}"#,
            ]
        )
    }

    @Test("Rules in step change nothing")
    func inStep() async throws {
        let standing = """
            {"id":"1","value":"acme lang:fr","tag":"roost/test/care"},{"id":"2","value":"from:lemonde acme","tag":"roost/test/press"}
            """
        let script = try XScript(Self.settings)
        Self.platform(script, standing: standing, stream: .response(text: "\r\n"))
        _ = await Self.stream(script)
        #expect(!script.http.requests.contains { $0.method == .post })
    }

    @Test("A rule that X does not understand stops the source with its name")
    func badRule() async throws {
        let script = try XScript(Self.settings)
        let answer = """
            {"errors":[{"value":"acme lang:fr","title":"Invalid Rule","type":"https://api.x.com/2/problems/invalid-rules"}]}
            """
        Self.platform(script, stream: .response(text: "\r\n"), added: answer)
        let error = await Self.stream(script)
        #expect(error?.code == .rejected)
        #expect(error?.message.contains("care") == true)
    }

    @Test("A rule that stands under another's tag still counts as ours")
    func duplicateRule() async throws {
        let script = try XScript(Self.settings)
        let answer = """
            {"errors":[{"value":"acme lang:fr","id":"199","title":"DuplicateRule","type":"https://api.x.com/2/problems/duplicate-rules"}]}
            """
        let line = "{\"data\":\(Sample.post(5)),\"matching_rules\":[{\"id\":\"199\",\"tag\":\"theirs\"}]}\r\n"
        Self.platform(script, stream: .response(text: line), added: answer)
        let sink = RecordingSink()
        _ = await Self.stream(script, into: sink)
        #expect(sink.events.map(\.data.matched) == [[Match(name: "care")]])
    }

    @Test("A rule that stands under another's tag in the list is not asked for again")
    func standingDuplicate() async throws {
        let script = try XScript([.plain("kind", "stream"), .rules(["care": "acme lang:fr"])])
        let line = "{\"data\":\(Sample.post(5)),\"matching_rules\":[{\"id\":\"3\",\"tag\":\"theirs\"}]}\r\n"
        let standing = #"{"id":"3","value":"acme lang:fr","tag":"theirs"}"#
        Self.platform(script, standing: standing, stream: .response(text: line))
        let sink = RecordingSink()
        _ = await Self.stream(script, into: sink)
        #expect(Self.changes(script) == [])
        #expect(sink.events.map(\.data.matched) == [[Match(name: "care")]])
    }

    @Test("A renamed rule stays, since X has a value once and never changes its tag, and events bear the new name")
    func renamedRule() async throws {
        let script = try XScript([.plain("kind", "stream"), .rules(["help": "acme lang:fr"])])
        let line = "{\"data\":\(Sample.post(5)),\"matching_rules\":[{\"id\":\"1\",\"tag\":\"roost/test/care\"}]}\r\n"
        let standing = #"{"id":"1","value":"acme lang:fr","tag":"roost/test/care"}"#
        Self.platform(script, standing: standing, stream: .response(text: line))
        let sink = RecordingSink()
        _ = await Self.stream(script, into: sink)
        #expect(Self.changes(script) == [])
        #expect(sink.events.map(\.data.matched) == [[Match(name: "help")]])
    }

    @Test("A rule that X names as one that it has already is not removed")
    func answeredDuplicate() async throws {
        let script = try XScript([.plain("kind", "stream"), .rules(["help": "acme lang:fr"])])
        // X has trimmed what it lists.
        let standing = #"{"id":"1","value":"acme  lang:fr","tag":"roost/test/care"}"#
        let answer = """
            {"errors":[{"value":"acme lang:fr","id":"1","title":"DuplicateRule","type":"https://api.x.com/2/problems/duplicate-rules"}]}
            """
        Self.platform(script, standing: standing, stream: .response(text: "\r\n"), added: answer)
        _ = await Self.stream(script)
        #expect(Self.changes(script).count == 1)
    }

    @Test("One value under two names is one rule at X, and its posts bear both", arguments: [true, false])
    func twoNames(isStanding: Bool) async throws {
        let script = try XScript([.plain("kind", "stream"), .rules(["care": "acme", "press": "acme"])])
        let rule = #"{"id":"1","value":"acme","tag":"roost/test/care"}"#
        let line = "{\"data\":\(Sample.post(5)),\"matching_rules\":[{\"id\":\"1\",\"tag\":\"roost/test/care\"}]}\r\n"
        Self.platform(
            script,
            standing: isStanding ? rule : "",
            stream: .response(text: line),
            added: "{\"data\":[\(rule)],\"meta\":{}}"
        )
        let sink = RecordingSink()
        _ = await Self.stream(script, into: sink)
        #expect(Self.changes(script) == (isStanding ? [] : [#"{"add":[{"value":"acme","tag":"roost/test/care"}]}"#]))
        #expect(sink.events.map(\.data.matched) == [[Match(name: "care"), Match(name: "press")]])
        // The search that fills a hole says the same, and asks once.
        script.http.handle { _ in .response(text: Sample.page([4])) }
        let page = try await script.pull()
        #expect(page.events.map(\.data.matched) == [[Match(name: "care"), Match(name: "press")]] && !page.hasMore)
    }

    @Test("A rule that another source relies on outlives its owner, for whom it counts no more")
    func sharedRule() async throws {
        let account = EphemeralAccount(name: "acme")
        let standing = #"{"id":"1","value":"acme","tag":"roost/test/care"}"#
        let line = "{\"data\":\(Sample.post(5)),\"matching_rules\":[{\"id\":\"1\",\"tag\":\"roost/test/care\"}]}\r\n"
        func changes(_ source: String, _ rules: KeyValuePairs<String, String>) async throws -> ([String], [[Match]]) {
            let script = try XScript([.plain("kind", "stream"), .rules(rules)], source: source, account: account)
            Self.platform(script, standing: standing, stream: .response(text: line))
            let sink = RecordingSink()
            _ = await Self.stream(script, into: sink)
            return (Self.changes(script).filter { $0.contains("delete") }, sink.events.map(\.data.matched))
        }
        // Another source finds it standing and takes it as its own.
        #expect(try await changes("other", ["theirs": "acme"]) == ([], [[Match(name: "theirs")]]))
        // The owner wants it no more.
        #expect(try await changes("test", ["care": "else"]) == ([], []))
        // Nor does the other; then the owner may take it away.
        #expect(try await changes("other", ["theirs": "else"]).0 == [])
        #expect(try await changes("test", ["care": "else"]).0 == [#"{"delete":{"ids":["1"]}}"#])
    }

    @Test("Posts of our rules become events that name them, those of other rules none", arguments: [1, 3, 50, 100_000])
    func posts(chunk: Int) async throws {
        let script = try XScript(Self.settings)
        let text =
            "\r\n" + Sample.line(1) + "\r\n" + Sample.line(2, rule: "theirs") + Sample.line(3, rule: "roost/test/press")
        Self.platform(script, stream: .response(text: text).chunked(chunk))
        let sink = RecordingSink()
        let error = await Self.stream(script, into: sink)
        #expect(sink.events.map(\.subject) == [postID(1), postID(3)])
        #expect(sink.events.map(\.data.matched) == [[Match(name: "care")], [Match(name: "press")]])
        #expect(error?.code == .unavailable)
        #expect(
            error?.ladder
                == RetryLadder(first: .milliseconds(250), growth: .linear(.milliseconds(250)), cap: .seconds(16))
        )
    }

    @Test("Without rules of its own a source takes all, with the tags of whoever set them")
    func withoutRules() async throws {
        let script = try XScript([.plain("kind", "stream")])
        Self.platform(script, stream: .response(text: Sample.line(1, rule: "theirs")))
        let sink = RecordingSink()
        _ = await Self.stream(script, into: sink)
        #expect(sink.events.map(\.data.matched) == [[Match(name: "69", tags: ["theirs"])]])
        #expect(!script.http.requests.contains { Query.path($0.url).hasSuffix("/rules") })
    }

    @Test("The mark lags behind what was read, and only moves forward")
    func mark() async throws {
        let script = try XScript(Self.settings)
        Self.platform(
            script,
            stream: .response(text: Sample.line(1) + Sample.line(2)).chunked(Sample.line(1).utf8.count)
        )
        let sink = RecordingSink()
        _ = await Self.stream(script, into: sink)
        let marks = try sink.batches.map { try XCursor($0.cursor).from }
        #expect(marks == Array(repeating: Timestamp(rfc3339: "2026-07-24T20:59:00Z"), count: 2))
    }

    @Test("The request allows no longer silence than 21 s")
    func idleDeadline() async throws {
        let script = try XScript(Self.settings)
        Self.platform(script, stream: .response(text: "\r\n"))
        _ = await Self.stream(script)
        let request = script.http.requests.first { Query.path($0.url) == "/2/tweets/search/stream" }
        #expect(request?.deadlines.idle == .seconds(21))
        #expect(request?.deadlines.total == nil)
    }

    @Test("Silence breaks the connection with the ladder of broken connections")
    func silence() async throws {
        let script = try XScript(Self.settings)
        Self.platform(script, stream: .response(text: Sample.line(1)).breaking(.deadline))
        let sink = RecordingSink()
        let error = await Self.stream(script, into: sink)
        #expect(sink.events.count == 1)
        #expect(error?.code == .unavailable && error?.ladder?.first == .milliseconds(250))
    }

    @Test("An error within the stream comes after the posts before it")
    func inStreamError() async throws {
        let script = try XScript(Self.settings)
        let problem = """
            {"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect",\
            "type":"https://api.x.com/2/problems/operational-disconnect"}]}\r\n
            """
        Self.platform(script, stream: .response(text: Sample.line(1) + problem))
        let sink = RecordingSink()
        let error = await Self.stream(script, into: sink)
        #expect(sink.events.count == 1)
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("UpstreamOperationalDisconnect") == true)
    }

    @Test("A line that is no JSON or too long becomes a dead letter, unknown messages are kept, and the rest goes on")
    func badLines() async throws {
        let script = try XScript(Self.settings)
        let long = "{\"x\":\"" + String(repeating: "y", count: 3 << 20) + "\"}\r\n"
        let text = "<html>\r\n" + long + "{\"news\":1}\r\n" + Sample.line(1)
        Self.platform(script, stream: .response(text: text))
        let sink = RecordingSink()
        _ = await Self.stream(script, into: sink)
        #expect(sink.deadLetters.count == 2)
        #expect(sink.events.map(\.type) == [.unrecognised, .postCreated])
    }

    @Test("Too many connections ends the one that was ours, and waits long")
    func zombie() async throws {
        let account = EphemeralAccount(name: "acme")
        let first = try XScript(Self.settings, account: account)
        Self.platform(first, stream: .response(text: Sample.line(1)).breaking(.connection))
        _ = await Self.stream(first)
        let second = try XScript(Self.settings, account: account)
        let issue = Sample.problem(
            "streaming-connection",
            status: 429,
            more: ",\"connection_issue\":\"TooManyConnections\""
        )
        Self.platform(second, stream: .response(429, text: issue))
        let error = await Self.stream(second)
        #expect(error?.code == .rateLimited)
        #expect(error?.ladder == RetryLadder(first: .seconds(60), growth: .doubling, cap: .seconds(3600)))
        let ended = second.http.requests.filter { $0.method == .delete }.map {
            String(decoding: $0.body, as: UTF8.self)
        }
        #expect(ended == [#"{"uuids":["ours"]}"#])
        // It was ended once; another connection that is open now is not ours.
        _ = await Self.stream(second)
        #expect(second.http.requests.filter { $0.method == .delete }.count == 1)
    }

    @Test("Where nobody can tell which connection is ours none is ended", arguments: [["older", "a", "b"], ["older"]])
    func unknownConnection(after: [String]) async throws {
        let account = EphemeralAccount(name: "acme")
        let first = try XScript(Self.settings, account: account)
        Self.platform(
            first,
            stream: .response(text: Sample.line(1)).breaking(.connection),
            connections: (["older"], after)
        )
        _ = await Self.stream(first)
        let second = try XScript(Self.settings, account: account)
        let more = ",\"connection_issue\":\"TooManyConnections\""
        let issue = Sample.problem("streaming-connection", status: 429, more: more)
        Self.platform(second, stream: .response(429, text: issue))
        _ = await Self.stream(second)
        #expect(!second.http.requests.contains { $0.method == .delete })
    }

    @Test(
        "After a break X is asked to say again what it can, as far as the access goes",
        arguments: [
            (0, 60, nil, nil), (5, 60, "5", nil), (5, 7200, nil, "2026-07-24T19:15:50Z"), (5, 90_000, nil, nil),
        ]
            as [(Int, Int, String?, String?)]
    )
    func backfill(minutes: Int, age: Int, expected: String?, start: String?) async throws {
        let settings = Self.settings + [.plain("backfill_minutes", String(minutes))]
        let script = try XScript(settings)
        Self.platform(script, stream: .response(text: "\r\n"))
        let cursor = XCursor(from: XScript.start.advanced(by: .seconds(-age))).encoded()
        _ = await Self.stream(script, after: cursor)
        let request = script.http.requests.first { Query.path($0.url) == "/2/tweets/search/stream" }
        let query = Query.parse(request?.url ?? "")
        #expect(query["backfill_minutes"] == expected)
        #expect(query["start_time"] == start)
    }

    @Test("Others' rules bear one name, whether the stream or a search brings their posts")
    func othersRules() async throws {
        let script = try XScript([.plain("kind", "stream")])
        let rule = #"{"id":"7","value":"acme","tag":"theirs"}"#
        let line = "{\"data\":\(Sample.post(5)),\"matching_rules\":[{\"id\":\"7\",\"tag\":\"theirs\"}]}\r\n"
        script.http.handle { request in
            switch Query.path(request.url) {
            case "/2/tweets/search/stream/rules": .response(text: "{\"data\":[\(rule)],\"meta\":{}}")
            case "/2/tweets/search/stream": .response(text: line)
            case "/2/tweets/search/recent": .response(text: Sample.page([4]))
            default: nil
            }
        }
        let sink = RecordingSink()
        _ = await Self.stream(script, into: sink)
        let page = try await script.pull()
        #expect(sink.events.map(\.data.matched) == [[Match(name: "7", tags: ["theirs"])]])
        #expect(page.events.map(\.data.matched) == sink.events.map(\.data.matched))
    }

    @Test("A start that is too early for one rule ends its walk, and leaves the others what they have")
    func agedRules() async throws {
        let script = try XScript(Self.settings)
        script.http.handle { request in
            let query = Query.parse(request.url)
            switch (query["query"], query["pagination_token"]) {
            case ("acme lang:fr", nil): return .response(text: Sample.page([4, 3], next: "t"))
            case ("acme lang:fr", _): return .response(400, text: Sample.invalid("start_time"))
            default: return .response(text: Sample.page([2]))
            }
        }
        var cursor: Cursor? = XCursor(from: XScript.start.advanced(by: .seconds(-6 * 86_400))).encoded()
        var pages: [PullPage] = []
        for _ in 0..<3 {
            pages.append(try await script.pull(cursor))
            cursor = pages.last?.cursor
        }
        #expect(pages.map(\.gaps.count) == [0, 1, 0])
        #expect(pages.map { $0.events.map(\.subject) } == [[postID(3), postID(4)], [], [postID(2)]])
        #expect(pages.last?.hasMore == false)
    }

    @Test("A load balancer's page is waited out with the ladder of HTTP failures")
    func html503() async throws {
        let script = try XScript(Self.settings)
        Self.platform(script, stream: .response(503, text: "<html><h1>Service Unavailable</h1></html>"))
        let error = await Self.stream(script)
        #expect(error?.code == .unavailable)
        #expect(error?.ladder == RetryLadder(first: .seconds(5), growth: .doubling, cap: .seconds(320)))
    }

    @Test("A platform without rules answers 409, which is tried again")
    func noRules() async throws {
        let script = try XScript([.plain("kind", "stream")])
        Self.platform(script, stream: .response(409, text: Sample.problem("invalid-request", status: 409)))
        #expect(await Self.stream(script)?.code == .unavailable)
    }

    @Test("What a stream missed is searched rule by rule for the same stretch of time")
    func fillsByRules() async throws {
        let script = try XScript(Self.settings)
        script.http.handle { request in
            let query = Query.parse(request.url)
            switch (query["query"], query["pagination_token"]) {
            case ("acme lang:fr", nil): return .response(text: Sample.page([4, 3], next: "t"))
            case ("acme lang:fr", "t"): return .response(text: Sample.page([2]))
            case ("from:lemonde acme", nil): return .response(text: Sample.page([4]))
            default: return nil
            }
        }
        var cursor: Cursor? = XCursor(from: XScript.start.advanced(by: .seconds(-600))).encoded()
        var pages: [PullPage] = []
        repeat {
            script.clock.advance(by: .seconds(1))
            pages.append(try await script.pull(cursor))
            cursor = pages.last?.cursor ?? cursor
        } while pages.last?.hasMore == true && pages.count < 10
        #expect(pages.map { $0.events.map(\.subject) } == [[postID(3), postID(4)], [postID(2)], [postID(4)]])
        #expect(pages[0].events[0].data.matched == [Match(name: "care")])
        for index in 0..<3 {
            #expect(script.query(index)["start_time"] == "2026-07-24T21:05:50Z")
            #expect(script.query(index)["end_time"] == "2026-07-24T21:15:21Z")
        }
        #expect(try XCursor(cursor).from == Timestamp(rfc3339: "2026-07-24T21:15:21Z"))
    }

    @Test(
        "While the stream stands, the hole is filled only once X's index holds what came just before it",
        .timeLimit(.minutes(1))
    )
    func waitsForIndex() async throws {
        let script = try XScript(Self.settings)
        script.http.handle { request in
            switch (request.method, Query.path(request.url)) {
            case (.get, "/2/tweets/search/stream"): .response(text: "\r\n").stayingOpen()
            case (_, "/2/tweets/search/stream/rules"): .response(text: "{\"meta\":{}}")
            case (_, "/2/tweets/search/recent"): .response(text: Sample.page([]))
            case (_, "/2/connections"): Self.list([])
            default: nil
            }
        }
        let streaming = Task { try await script.connector.stream(after: nil, into: RecordingSink()) }
        // Rules twice, connections before, the stream, and the connection is remembered after it was accepted.
        try await script.http.waitForRequests(5)
        var cursor: Cursor? = XCursor(from: XScript.start.advanced(by: .seconds(-600))).encoded()
        var page = try await script.pull(cursor)
        page = try await script.pull(page.cursor)
        #expect(page.hasMore)
        #expect(page.notBefore == XScript.start.advanced(by: .seconds(32)))
        script.clock.advance(by: .seconds(32))
        cursor = page.cursor
        page = try await script.pull(cursor)
        page = try await script.pull(page.cursor)
        #expect(!page.hasMore)
        #expect(script.http.requests.last.map { Query.parse($0.url)["end_time"] } == "2026-07-24T21:15:52Z")
        streaming.cancel()
        _ = await streaming.result
    }

    @Test("A rule that search does not take leaves a hole and the others are searched")
    func unsearchable() async throws {
        let script = try XScript(Self.settings)
        script.http.handle { request in
            Query.parse(request.url)["query"] == "acme lang:fr"
                ? .response(400, text: Sample.invalid("query")) : .response(text: Sample.page([4]))
        }
        let first = try await script.pull()
        #expect(first.gaps.count == 1 && first.hasMore)
        let second = try await script.pull(first.cursor)
        #expect(second.events.count == 1 && !second.hasMore)
    }

    @Test("A compliance stream tells what must be forgotten, and of a hole it cannot fill")
    func compliance() async throws {
        let script = try XScript([.plain("kind", "compliance"), .plain("partition", "2")])
        let text = """
            {"data":{"delete":{"tweet":{"id":"5","author_id":"7"},"event_at":"2026-07-24T21:00:00.000Z"}}}\r\n\r\n
            """
        script.http.handle { _ in .response(text: text) }
        let sink = RecordingSink()
        let cursor = XCursor(from: XScript.start.advanced(by: .seconds(-3600))).encoded()
        do { try await script.connector.stream(after: cursor, into: sink) } catch {}
        #expect(Query.path(script.http.requests[0].url) == "/2/tweets/compliance/stream")
        #expect(script.query(0)["partition"] == "2")
        #expect(sink.events.map(\.id.text) == ["x:post:5/deleted"])
        #expect(sink.batches.flatMap(\.gaps).count == 1)
    }

    @Test("The deletion of a version that another source of the account has read withdraws the first one too")
    func laterVersion() async throws {
        let account = EphemeralAccount(name: "acme")
        let reader = try XScript([.plain("kind", "search"), .plain("query", "acme")], account: account)
        let edited = #"{"id":"12","text":"words","author_id":"7","edit_history_tweet_ids":["10","11","12"]}"#
        reader.http.handle { _ in .response(text: "{\"data\":[\(edited)],\"meta\":{\"newest_id\":\"12\"}}") }
        #expect(try await reader.pull().events.map(\.subject) == [postID(10)])
        let told = try XScript([.plain("kind", "compliance")], source: "told", account: account)
        let lines = [11, 13].map { id in
            #"{"data":{"delete":{"tweet":{"id":"\#(id)","author_id":"7"},"event_at":"2026-07-24T21:00:00.000Z"}}}"#
                + "\r\n"
        }
        told.http.handle { _ in .response(text: lines.joined()) }
        let sink = RecordingSink()
        do { try await told.connector.stream(after: nil, into: sink) } catch {}
        #expect(sink.events.map(\.id.text) == ["x:post:11/deleted", "x:post:10/deleted", "x:post:13/deleted"])
        #expect(sink.events.map(\.subject) == [postID(11), postID(10), postID(13)])
    }

    @Test("What is remembered of edits stays within what an account keeps, the newest of it")
    func edits() async throws {
        let account = EphemeralAccount(name: "acme")
        let memory = XEditMemory(account: account)
        try await memory.remember((0..<5000).map { XEdit(later: UInt64($0 * 16 + 5), first: UInt64($0)) })
        #expect(try await account.value(for: "x-edits.5")?.count == 64_000)
        let event = XNormalizer(now: XScript.start).event(postID(4999 * 16 + 5), .postDeleted, revision: 3, at: nil)
        #expect(
            try await memory.completing([event]).map(\.id.text) == ["x:post:79989/deleted/3", "x:post:4999/deleted/3"]
        )
    }

    @Test("The modes follow from what is read")
    func modes() {
        func modes(_ kind: String) -> ConnectorModes { XConnector.modes(of: Settings([.plain("kind", kind)])) }
        #expect(modes("search") == .pull)
        #expect(modes("stream") == [.stream, .pull])
        #expect(modes("activity") == .webhook)
        #expect(modes("compliance") == .stream)
    }
}
