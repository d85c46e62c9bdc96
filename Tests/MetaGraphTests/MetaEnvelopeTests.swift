import ConnectorKit
import JSON
import MetaGraph
import SocialEvents
import Testing

struct MetaEnvelopeTests {
    /// What notices a document has, each as `kind object id time field value`.
    private static func notices(_ text: String) throws -> [String] {
        var found: [String] = []
        var intake = MetaIntake()
        try JSONParser().parse(text) { root in
            intake.read(root) { notice, _ in
                found.append(
                    [
                        "\(notice.kind)", notice.object?.string ?? "-", notice.entryID ?? "-",
                        notice.entryTime.map { String($0.milliseconds) } ?? "-", notice.field?.string ?? "-",
                        written(notice.value),
                    ].joined(separator: " ")
                )
            }
        }
        return found
    }

    private static func written(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        value.write(into: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("Changes, messages and standby items of all entries are told one by one, in their order")
    func mixed() throws {
        let text = """
            {"object":"instagram","entry":[{"id":"7","time":1784927750,"changes":[{"field":"comments","value":1},{"field":"mentions","value":2}],\
            "messaging":[3]},{"id":8,"time":1784927750123,"standby":[4],"messaging":[5]}]}
            """
        #expect(
            try Self.notices(text) == [
                "change instagram 7 1784927750000 comments 1", "change instagram 7 1784927750000 mentions 2",
                "messaging instagram 7 1784927750000 - 3", "messaging instagram 8 1784927750123 - 5",
                "standby instagram 8 1784927750123 - 4",
            ]
        )
    }

    @Test("A flat entry is a change")
    func flat() throws {
        let text =
            #"{"object":"instagram","entry":[{"id":"7","time":"1784927750","field":"comments","value":{"id":"9"}}]}"#
        #expect(try Self.notices(text) == [#"change instagram 7 1784927750000 comments {"id":"9"}"#])
    }

    @Test("An array of envelopes is read like each of them")
    func array() throws {
        let one = #"{"object":"page","entry":[{"id":"1","time":1,"changes":[{"field":"feed","value":{}}]}]}"#
        let other = #"{"object":"page","entry":{"id":"2","time":2,"messaging":[{}]}}"#
        #expect(
            try Self.notices("[\(one),\(other)]") == ["change page 1 1000 feed {}", "messaging page 2 2000 - {}"]
        )
    }

    @Test(
        "What has no form that is known is told whole",
        arguments: [
            #"{"object":"page","entry":[]}"#, "[]", "{}", #""words""#, #"{"object":"page","entry":[{"id":"1"}]}"#,
            #"{"entry":[{"changes":[]}]}"#, #"{"entry":"a"}"#, #"{"data":[1]}"#,
        ]
    )
    func other(text: String) throws {
        let found = try Self.notices(text)
        #expect(found.count == 1 && found[0].hasPrefix("other"))
    }

    @Test("A change copied from the dashboard is one")
    func sample() throws {
        #expect(try Self.notices(#"{"field":"feed","value":{"a":1}}"#) == [#"change - - - feed {"a":1}"#])
        #expect(try Self.notices(#"{"sample":{"field":"feed","value":{}}}"#) == ["change - - - feed {}"])
    }

    @Test("A change without a value is its own")
    func withoutValue() throws {
        let text = #"{"object":"page","entry":[{"id":"1","time":1,"changes":[{"field":"parking"}]}]}"#
        #expect(try Self.notices(text) == [#"change page 1 1000 parking {"field":"parking"}"#])
    }

    // MARK: - What cannot be read

    private static let batch = """
        {"object":"page","entry":[{"id":"1","uid":"1","time":1784927750,"changes":[{"field":"a","verb":"v","value":{"n":1}},{"field":"b","value":{"n":2}}]},\
        {"id":"2","time":1784927750123,"messaging":[{"n":3}],"standby":[{"n":4}]},{"id":"3","field":"c","value":{"n":5}},{"id":"4","x":1}]}
        """

    @Test("A piece that cannot be read becomes a dead letter of its own, and the others go on")
    func siblings() throws {
        for bad in 1...5 {
            var intake = MetaIntake()
            try JSONParser().parse(Self.batch) { root in
                intake.read(root, body: Array(Self.batch.utf8)) { notice, intake in
                    guard let number = notice.value["n"]?.int else { return }
                    intake.events.append(notice.unrecognised("meta", now: MetaScript.start))
                    if number == bad { throw notice.value.mismatch("something else") }
                }
            }
            #expect(intake.events.count == 4)
            #expect(intake.deadLetters.count == 1)
            // Read again, the letter is that piece alone.
            var again: [Int] = []
            var second = MetaIntake()
            try JSONParser().parse(intake.deadLetters[0].payload) { root in
                second.read(root) { notice, _ in again.append(notice.value["n"]?.int ?? -1) }
            }
            #expect(again == [bad])
        }
    }

    @Test("A piece written anew is read as it was, with all members beside it")
    func rewritten() throws {
        var payloads: [String] = []
        var intake = MetaIntake()
        try JSONParser().parse(Self.batch) { root in
            intake.read(root) { notice, _ in payloads.append(String(decoding: notice.payload, as: UTF8.self)) }
        }
        #expect(
            payloads == [
                #"{"object":"page","entry":[{"id":"1","uid":"1","time":1784927750,"changes":[{"field":"a","verb":"v","value":{"n":1}}]}]}"#,
                #"{"object":"page","entry":[{"id":"1","uid":"1","time":1784927750,"changes":[{"field":"b","value":{"n":2}}]}]}"#,
                #"{"object":"page","entry":[{"id":"2","time":1784927750123,"messaging":[{"n":3}]}]}"#,
                #"{"object":"page","entry":[{"id":"2","time":1784927750123,"standby":[{"n":4}]}]}"#,
                #"{"object":"page","entry":[{"id":"3","field":"c","value":{"n":5}}]}"#,
                #"{"object":"page","entry":[{"id":"4","x":1}]}"#,
            ]
        )
    }

    @Test("A piece that is alone in its delivery keeps the bytes as they came; its id is the same in a batch")
    func unrecognised() throws {
        let alone =
            #"{"object":"page", "entry":[{"id":"1","time":1784927750,"changes":[{"field":"b","value":{"t":"\u00e9"}}]}]}"#
        let change = #"{"id":"1","time":1784927750,"changes":[{"field":"b","value":{"t":"é"}}]}"#
        func events(_ text: String) throws -> [Event] {
            var intake = MetaIntake()
            try JSONParser().parse(text) { root in
                intake.read(root, body: Array(text.utf8)) { notice, intake in
                    intake.events.append(notice.unrecognised("meta", now: MetaScript.start))
                }
            }
            return intake.events
        }
        let one = try events(alone)
        let many = try events("{\"object\":\"page\",\"entry\":[\(change),\(change)]}")
        #expect(one.map { $0.data.raw.map { String(decoding: $0.bytes, as: UTF8.self) } } == [alone])
        #expect(Set((one + many).map(\.id)).count == 1)
        #expect(one.allSatisfy { $0.validate().isEmpty && $0.time == Timestamp(seconds: 1_784_927_750) })
    }

    @Test("One element of a list inside a change is set aside without its siblings")
    func elements() throws {
        let text = """
            {"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"p":1},\
            "contacts":[{"c":1}],"messages":[{"m":1},{"m":2}],"statuses":[{"s":1}]}}]}]}
            """
        var intake = MetaIntake()
        try JSONParser().parse(text) { root in
            intake.read(root) { notice, intake in
                for element in notice.value["messages"]?.elements ?? notice.value.elements {
                    intake.attempt(payload: { notice.payload(only: element, of: "messages", leavingOut: ["statuses"]) })
                    {
                        _ = try $0.events.isEmpty ? element.requiredInt("x") : 0
                    }
                }
            }
        }
        #expect(
            intake.deadLetters.map { String(decoding: $0.payload, as: UTF8.self) }
                == [1, 2].map {
                    """
                    {"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"p":1},\
                    "contacts":[{"c":1}],"messages":[{"m":\($0)}]}}]}]}
                    """
                }
        )
    }

    // MARK: - Times

    @Test(
        "Times are read in every form that Meta writes",
        arguments: [
            ("1784927750", 1_784_927_750_000), ("\"1784927750\"", 1_784_927_750_000),
            ("1784927750123", 1_784_927_750_123),
            ("\"1784927750123\"", 1_784_927_750_123), ("\"2018-02-23T21:32:16+0000\"", 1_519_421_536_000),
            ("0", nil), ("\"0\"", nil), ("\"\"", nil), ("\"soon\"", nil), ("true", nil), ("9223372036854775807", nil),
            ("1e300", nil), ("-9223372036854775808", nil), ("\"99999999999999999999\"", nil),
        ] as [(String, Int64?)]
    )
    func times(text: String, milliseconds: Int64?) throws {
        let time = try JSONParser().parse("[\(text)]") { $0[0].flatMap(MetaTime.read)?.milliseconds }
        #expect(time == milliseconds)
    }
}
