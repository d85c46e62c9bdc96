import JSON
import SocialEvents
import Testing

@Suite struct EventSchemaTests {
    @Test("The committed schema is the one made from the types")
    func committedFile() throws {
        try Fixture.expect(EventSchema.text, in: Fixture.root + "/Sources/SocialEvents/event.schema.json")
    }

    @Test("The schema knows exactly the members that an event can have")
    func members() throws {
        var generator = EventGenerator(seed: 11)
        generator.fillsEverything = true
        var emitted: Set<String> = []
        // Several, since a payload stands either as text or as base64.
        for bytes in [Array("text".utf8), [0xff]] {
            var recorded = generator.recorded()
            recorded.event.data.raw?.bytes = bytes
            var writer = JSONWriter()
            EventEncoder.encode(recorded, into: &writer)
            try JSONParser().parse(writer.bytes) { collect($0, at: "", into: &emitted) }
        }
        // The names of these counts are the platform's.
        emitted = Set(emitted.map { $0.hasPrefix("data.metrics.other.") ? "data.metrics.other.*" : $0 })
        var described: Set<String> = []
        try JSONParser().parse(EventSchema.text) { describe($0, root: $0, at: "", into: &described) }
        #expect(emitted.subtracting(described) == [])
        #expect(described.subtracting(emitted) == [])
    }

    @Test("The event names the part of the schema that describes its data")
    func dataSchema() throws {
        var writer = JSONWriter()
        EventEncoder.encode(ExampleEvents.all[0], into: &writer)
        let reference = try JSONParser().parse(writer.bytes) { try $0.requiredString("dataschema") }
        try JSONParser().parse(EventSchema.text) { schema in
            let anchor = try #require(schema["$defs"]?["data"]?["$anchor"]?.string)
            #expect(schema["$id"]?.string == EventSchema.identifier)
            #expect(reference == "\(EventSchema.identifier)#\(anchor)")
        }
    }

    private func collect(_ value: JSONValue, at path: String, into paths: inout Set<String>) {
        for (key, member) in value.members {
            let place = path.isEmpty ? key.string : "\(path).\(key.string)"
            paths.insert(place)
            collect(member, at: place, into: &paths)
        }
        for element in value.elements { collect(element, at: path, into: &paths) }
    }

    private func describe(_ schema: JSONValue, root: JSONValue, at path: String, into paths: inout Set<String>) {
        if let reference = schema["$ref"]?.string, let name = reference.split(separator: "/").last {
            guard let definition = root["$defs"]?[named: String(name)] else {
                Issue.record("\(reference) is not defined")
                return
            }
            describe(definition, root: root, at: path, into: &paths)
        }
        if let properties = schema["properties"] {
            for (key, member) in properties.members {
                let place = path.isEmpty ? key.string : "\(path).\(key.string)"
                paths.insert(place)
                describe(member, root: root, at: place, into: &paths)
            }
            #expect(schema["additionalProperties"]?.bool == false, "\(path) admits any member")
        }
        if schema["additionalProperties"]?.kind == .object { paths.insert("\(path).*") }
        if let items = schema["items"] { describe(items, root: root, at: path, into: &paths) }
    }
}
