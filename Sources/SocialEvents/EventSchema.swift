/// The JSON Schema (draft 2020-12) of an event, made from the same words and limits as the types.
///
/// The same text lies beside this file as `event.schema.json`.
public enum EventSchema {
    /// The schema's name.
    ///
    /// A change that breaks readers gets another number.
    public static let identifier = "urn:roost:schema:event:1"

    /// The name of the part that describes `data`: the CloudEvents attribute `dataschema`.
    static let dataIdentifier: StaticString = "urn:roost:schema:event:1#data"

    /// The schema as indented JSON, ending with a line end.
    public static let text = root.text() + "\n"

    private static let root: SchemaNode = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": .text(identifier),
        "title": "Roost event",
        "description": "A CloudEvents 1.0 event in structured mode about one fact on a social platform.",
        "type": "object",
        "required": [
            "specversion", "id", "source", "type", "time", "dataschema", "datacontenttype", "platform", "data",
        ],
        "properties": attributes,
        "additionalProperties": false,
        "dependentRequired": [
            "sequence": ["recordedtime"], "recordedtime": ["sequence"], "duplicateof": ["sequence"],
        ],
        "allOf": .list(requirements),
        "$defs": definitions,
    ]

    private static let attributes: SchemaNode = [
        "sequence": definition("sequence", "The position in the log; sequences rise strictly."),
        "recordedtime": definition("time", "When the event was recorded."),
        "duplicateof": definition("sequence", "The event with the same id that another source brought earlier."),
        "specversion": ["const": "1.0"],
        "id": definition("eventID", "The same for the same fact, however often and by whichever way it is seen."),
        "source": [
            "description": "The source that brought the event.",
            "type": "string",
            "pattern": "^/sources/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+$",
        ],
        "type": .word(EventType.self),
        "subject": definition("objectID", "The object the event is about."),
        "time": definition("time", "When it happened at the platform."),
        "dataschema": ["const": .text("\(dataIdentifier)")],
        "datacontenttype": ["const": "application/json"],
        "platform": ["type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$", "maxLength": .number(EventLimits.name)],
        "causationid": definition("eventID", "The event that caused this one."),
        "data": .definition("data"),
    ]

    private static func definition(_ name: String, _ description: String) -> SchemaNode {
        ["description": .text(description), "$ref": .text("#/$defs/" + name)]
    }

    /// What each type cannot be without; types that ask for the same share a rule.
    private static var requirements: [SchemaNode] {
        var kinds: [(requirements: EventRequirements, types: [EventType])] = []
        for type in EventType.allCases where !type.requirements.isEmpty {
            if let position = kinds.firstIndex(where: { $0.requirements == type.requirements }) {
                kinds[position].types.append(type)
            } else {
                kinds.append((type.requirements, [type]))
            }
        }
        return kinds.map { kind in
            let inData = EventRequirements.inData.filter { kind.requirements.contains($0.part) }
            var rule: [(name: String, value: SchemaNode)] = []
            if kind.requirements.contains(.subject) { rule.append(("required", ["subject"])) }
            if !inData.isEmpty {
                let required: SchemaNode = ["required": .list(inData.map { .text($0.name) })]
                rule.append(("properties", ["data": required]))
            }
            let types = SchemaNode.list(kind.types.map { .text($0.rawValue) })
            return ["if": ["properties": ["type": ["enum": types]]], "then": .object(rule)]
        }
    }
}
