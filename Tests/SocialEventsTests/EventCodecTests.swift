import ConnectorTesting
import JSON
import SocialEvents
import Testing

@Suite struct EventCodecTests {
    @Test("Events of every type have the JSON form that subscribers rely on")
    func golden() throws {
        let lines = ExampleEvents.all.map { recorded in
            let bytes = encoded(recorded)
            EmittedEvents.note(bytes)
            return String(decoding: bytes, as: UTF8.self) + "\n"
        }
        try Fixture.expect(lines.joined(), in: Fixture.root + "/Tests/SocialEventsTests/Fixtures/events.ndjson")
    }

    @Test("An event with any fields reads back as it was", arguments: 0..<20)
    func roundTrip(seed: UInt64) throws {
        var generator = EventGenerator(seed: seed)
        let decoder = EventDecoder()
        for _ in 0..<50 {
            let recorded = generator.recorded()
            let bytes = encoded(recorded)
            EmittedEvents.note(bytes)
            #expect(try decoder.decodeRecorded(bytes) == recorded)
            let body = try decoder.decodeBody(bytes)
            #expect(body.event == recorded.event)
            #expect(body.source == recorded.source)
        }
    }

    @Test("A stamp spliced before a body gives what encoding the whole gives")
    func splicing() {
        var generator = EventGenerator(seed: 3)
        for _ in 0..<200 {
            let recorded = generator.recorded()
            var writer = JSONWriter()
            EventEncoder.encodeBody(recorded.event, source: recorded.source, into: &writer)
            let body = writer.bytes
            let before = Array("before\n".utf8)
            var spliced = before
            recorded.stamp.appendSpliced(body: body, into: &spliced)
            #expect(spliced == before + encoded(recorded))
            var fromSlice: [UInt8] = []
            recorded.stamp.appendSpliced(body: ([1, 2] + body + [3])[2..<(body.count + 2)], into: &fromSlice)
            #expect(before + fromSlice == spliced)
        }
    }

    @Test("Unknown members, nulls and other orders are read past")
    func tolerance() throws {
        let text = """
            {"data":{"new":[{"a":1}],"object":{"kind":"post","x":null,"id":"x:post:1","text":null}},"extra":"?",
            "time":"2026-03-01T09:30:00+01:00","platform":"x","type":"social.post.created","subject":"x:post:1",
            "source":"/sources/a%20b","id":"x:post:1/created","specversion":"1.0","sequence":"42",
            "recordedtime":"2026-03-01T08:30:00Z","duplicateof":null}
            """
        let recorded = try EventDecoder().decodeRecorded(Array(text.utf8))
        #expect(recorded.source == SourceName("a b"))
        #expect(recorded.sequence == Sequence(42))
        #expect(recorded.duplicateOf == nil)
        #expect(recorded.event.time == recorded.recordedTime)
        #expect(recorded.event.data.object == SocialObject(id: ObjectID(text: "x:post:1"), kind: .post))
        #expect(recorded.event.validate().isEmpty)
    }

    @Test(
        "A missing or ill-typed member is named by its path",
        arguments: [
            (#""id":"x:post:1/created","#, "", JSONError.Code.missing, "id"),
            (#""1.0""#, #""0.3""#, .mismatch, "specversion"),
            (#""social.post.created""#, #""social.post.made""#, .mismatch, "type"),
            (#""2026-03-01T08:30:00.000Z""#, "1772353800", .mismatch, "time"),
            (#""2026-03-01T08:30:00.000Z""#, #""yesterday""#, .mismatch, "time"),
            (#""/sources/a""#, #""a""#, .mismatch, "source"),
            (#""data":{"#, #""data":[],"old":{"#, .mismatch, "data"),
            (#""kind":"post""#, #""kind":"essay""#, .mismatch, "data.object.kind"),
            (#""kind":"post","#, "", .missing, "data.object.kind"),
            (#""start":0"#, #""start":"0""#, .mismatch, "data.object.entities[1].start"),
            (#""end":4"#, #""end":4.5"#, .mismatch, "data.object.entities[1].end"),
            (#"["t"]"#, #"["t",1]"#, .mismatch, "data.object.tags[1]"),
            (#""sensitive":true"#, #""sensitive":1"#, .mismatch, "data.object.sensitive"),
            (#""text":"raw""#, #""base64":"?""#, .mismatch, "data.raw.base64"),
            (#","text":"raw""#, "", .missing, "data.raw.text"),
            (#""00000000000000000042""#, "42", .mismatch, "sequence"),
            (#""sequence":"00000000000000000042","#, "", .missing, "sequence"),
        ]
    )
    func strictness(part: String, replacement: String, code: JSONError.Code, path: String) throws {
        let text = """
            {"sequence":"00000000000000000042","recordedtime":"2026-03-01T08:30:01.000Z","specversion":"1.0",\
            "id":"x:post:1/created","source":"/sources/a","type":"social.post.created",\
            "time":"2026-03-01T08:30:00.000Z","platform":"x","data":{"object":{"kind":"post","id":"x:post:1",\
            "entities":[{"kind":"link","start":1,"end":2},{"kind":"link","start":0,"end":4}],"tags":["t"],\
            "sensitive":true},"raw":{"content_type":"text/plain","text":"raw"}}}
            """
        _ = try EventDecoder().decodeRecorded(Array(text.utf8))
        let pieces = text.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(pieces.count == 2)
        let error = #expect(throws: JSONError.self) {
            try EventDecoder().decodeRecorded(Array(pieces.joined(separator: replacement).utf8))
        }
        #expect(error?.code == code)
        #expect(error?.path == path)
    }

    @Test("Deeply nested or oversized bytes are refused")
    func hostility() {
        let nested = Array(String(repeating: "[", count: 100_000).utf8)
        #expect(throws: JSONError.self) { try EventDecoder().decodeBody(nested) }
        #expect(throws: JSONError.self) { try EventDecoder(maximumSize: 10).decodeBody(encoded(ExampleEvents.all[0])) }
    }

    private func encoded(_ recorded: RecordedEvent) -> [UInt8] {
        var writer = JSONWriter()
        EventEncoder.encode(recorded, into: &writer)
        return writer.bytes
    }
}
