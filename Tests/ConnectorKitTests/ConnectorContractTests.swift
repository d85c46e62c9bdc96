import ConnectorKit
import ConnectorTesting
import Glibc
import HTTPTypes
import JSON
import SocialEvents
import Testing

@Suite("The connector contract", .timeLimit(.minutes(1)))
struct ConnectorContractTests {
    func contract(_ fault: ToyConnector.Fault) -> ConnectorContract {
        func member(_ key: String, _ content: SettingNode.Content) -> SettingNode.Member {
            .init(key: key, position: SettingPosition(), value: SettingNode(content))
        }
        return ConnectorContract(
            ToyConnector.self,
            settings: [
                member("url", .scalar("https://toy.example/numbers", isQuoted: false)),
                member("token", .secret(Secret("whatever"))),
                member("fault", .scalar(fault.rawValue, isQuoted: false)),
            ],
            eventCount: 10,
            script: { http in
                http.handle { request in toyPlatform(request).map { .response(text: $0).chunked(5) } }
            }
        )
    }

    @Test("a good connector keeps it")
    func good() async throws {
        try await contract(.none).check()
        try await contract(.none).webhook([delivery()], isSigned: true)
    }

    @Test(
        "every broken promise is found and named",
        arguments: [
            (ToyConnector.Fault.doubles, "nothing is skipped"), (.skips, "nothing is skipped"),
            (.randomIDs, "the same payload gives the same events"),
            (.outlivesCancellation, "a cancelled pull ends"), (.leaksToken, "no secret is printed"),
            (.leaksTokenToLog, "no secret is printed"),
            (.foreignError, "a malformed payload is contained"), (.skipsCutPage, "a cut payload loses nothing"),
            (.hugeCursor, "cursors are bounded"),
            (.badEvent, "events keep the rules of the log"), (.endless, "there is more"),
            (.laxSettings, "a setting of the wrong kind is refused"),
            (.writtenSecret, "is refused"), (.swallowsSinkFailure, "a sink's failure ends the stream"),
            (.cursorAhead, "a stream goes on from the last durable cursor"),
        ]
    )
    func broken(fault: ToyConnector.Fault, promise: String) async {
        await #expect {
            try await contract(fault).check()
        } throws: { error in
            let failure = error as? ContractFailure
            return failure?.description.contains(promise) == true
        }
    }

    @Test("a delivery whose signature is not checked is found")
    func unsigned() async {
        await #expect {
            try await contract(.unsigned).webhook([delivery()], isSigned: true)
        } throws: { ($0 as? ContractFailure)?.promise == "a changed delivery is not accepted" }
    }

    @Test("a delivery that is not accepted is found")
    func notAccepted() async {
        var delivery = delivery()
        delivery.headers = [:]
        await #expect {
            try await contract(.none).webhook([delivery], isSigned: true)
        } throws: { ($0 as? ContractFailure)?.promise == "a genuine delivery is accepted" }
    }

    func delivery() -> WebhookDelivery {
        let body = Array(#"{"items":[1,2,3]}"#.utf8)
        var headers = HTTPFields()
        if let name = HTTPField.Name("X-Hub-Signature-256") {
            headers[name] = Signature.hubSHA256.make(body, key: ConnectorContract.secret)
        }
        return WebhookDelivery(method: .post, headers: headers, body: body, receivedAt: Timestamp(seconds: 0))
    }
}

@Suite("Cursors")
struct CursorTests {
    @Test("a cursor of JSON reads back")
    func roundTrip() throws {
        let cursor = Cursor.json(version: 2) { $0.member("after", "a\"b") }
        #expect(try cursor.json(upTo: 2) { try $0.requiredString("after") } == "a\"b")
    }

    @Test(
        "one of a newer version, or unreadable, stops the source instead of starting over",
        arguments: [
            Cursor(version: 2, bytes: Array("{}".utf8)), Cursor(bytes: []), Cursor(bytes: Array("[1".utf8)),
            Cursor(bytes: Array("[]".utf8)),
        ]
    )
    func unreadable(cursor: Cursor) {
        #expect {
            try cursor.json { _ in }
        } throws: { ($0 as? ConnectorError)?.code == .rejected }
    }
}

// Not while golden files are written: a test here compares with what is wrong on purpose.
@Suite("Fixtures", .disabled(if: getenv("UPDATE_FIXTURES") != nil))
struct FixtureTests {
    @Test("bytes equal to a golden file pass, others name the line", arguments: [true, false])
    func golden(isEqual: Bool) throws {
        let fixture = Fixture("Fixtures")
        let golden = try fixture.bytes("golden.txt")
        guard !isEqual else { return try fixture.expect(golden, equals: "golden.txt") }
        #expect {
            try fixture.expect(Array("first line\nanother line\n".utf8), equals: "golden.txt")
        } throws: { error in
            let text = String(describing: error)
            return text.hasPrefix("line 2 differs from golden.txt")
                && text.contains("expected: second line\ngot:      another line")
        }
    }

    @Test("the files of a folder are listed by suffix, and a missing one is named")
    func names() throws {
        let fixture = Fixture("Fixtures")
        #expect(try fixture.names(suffix: ".txt") == ["golden.txt"])
        #expect { try fixture.bytes("none") } throws: {
            String(describing: $0).hasSuffix("Fixtures/none cannot be read")
        }
    }
}
