extension EventSchema {
    /// The parts of an event by name.
    static let definitions: SchemaNode = [
        "sequence": ["type": "string", "pattern": "^[0-9]{20}$"],
        "time": [
            "description": "RFC 3339 in UTC with milliseconds.",
            "type": "string",
            "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$",
        ],
        "objectID": [
            "description": "PLATFORM:KIND:NATIVE-ID; opaque to readers.",
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9-]*:[a-z0-9_-]+:.+$",
            "maxLength": .number(EventLimits.identifier),
        ],
        "eventID": [
            "description": "The id of what it happened to, the verb, and a number where the verb is repeated.",
            "type": "string",
            "pattern": .text("^[a-z0-9][a-z0-9-]*:[a-z0-9_-]+:.+/(\(verbs))(/[0-9]+)?$"),
            "maxLength": .number(EventLimits.identifier),
        ],
        "data": data,
        "object": object,
        "entity": entity,
        "media": media,
        "actor": actor,
        "reference": reference,
        "metrics": metrics,
        "delivery": delivery,
        "raw": raw,
    ]

    private static let verbs = EventType.Verb.allCases.map(\.rawValue).joined(separator: "|")

    private static let data: SchemaNode = {
        let data = SchemaNode.closed(
            "The normalised fact. Absent is absent, never null.",
            [
                "object": .definition("object"),
                "actor": .definition("actor"),
                "in_reply_to": .definition("reference"),
                "quote_of": .definition("reference"),
                "repost_of": .definition("reference"),
                "target": .definition("reference"),
                "conversation": .objectID,
                "channel": .closed(
                    "Where it was said.",
                    required: ["id"],
                    ["id": .objectID, "name": .phrase, "url": .url]
                ),
                "reaction": .phrase,
                "metrics": .definition("metrics"),
                "delivery": .definition("delivery"),
                "matched": .list(
                    of: .closed(
                        "A rule of the platform or query of the hub that selected the event.",
                        required: ["name"],
                        ["name": .phrase, "tags": .list(of: .phrase)]
                    )
                ),
                "loss": .list(
                    of: .closed(
                        "A place where the event says less than the payload, or other than it.",
                        required: ["field", "reason"],
                        ["field": .phrase, "reason": .word(Loss.Reason.self), "detail": .phrase]
                    )
                ),
                "raw": .definition("raw"),
                "source_state": .closed(
                    "A source's move from one state to another.",
                    required: ["state"],
                    [
                        "state": .word(SourceState.self),
                        "previous": .word(SourceState.self),
                        "reason": .phrase,
                        "until": .time,
                        "attempt": .count,
                    ]
                ),
                "gap": .closed(
                    "A hole in what a source has read.",
                    required: ["reason"],
                    ["after": .time, "before": .time, "reason": .phrase]
                ),
            ]
        )
        guard case .object(let members) = data else { return data }
        return .object([("$anchor", "data")] + members)
    }()

    private static let object: SchemaNode = .closed(
        "An utterance: a post, article, message and so on.",
        required: ["id", "kind"],
        [
            "id": .objectID,
            "kind": .word(ObjectKind.self),
            "url": .url,
            "created_at": .time,
            "edited_at": .time,
            "revision": ["type": "integer", "minimum": 1],
            "language": .name,
            "title": .phrase,
            "text": .string(EventLimits.text),
            "html": .string(EventLimits.text),
            "entities": .list(of: .definition("entity"), most: EventLimits.entities),
            "media": .list(of: .definition("media")),
            "poll": .closed(
                "A poll that belongs to an object.",
                required: ["options"],
                [
                    "options": .list(
                        of: .closed(
                            "One choice.",
                            required: ["title"],
                            ["title": .phrase, "votes": .count]
                        )
                    ),
                    "ends_at": .time,
                    "multiple": .set,
                ]
            ),
            "tags": .list(of: .phrase),
            "audience": .word(Audience.self),
            "sensitive": .set,
            "content_warning": .phrase,
        ]
    )

    private static let entity: SchemaNode = .closed(
        "A marked stretch of an object's text. Offsets count Unicode scalars; the end is exclusive.",
        required: ["kind", "start", "end"],
        [
            "kind": .word(Entity.Kind.self),
            "start": .count,
            "end": .count,
            "value": .phrase,
            "url": .url,
            "actor": .objectID,
        ]
    )

    private static let media: SchemaNode = .closed(
        "A picture, video, sound or file. Sizes are in pixels, milliseconds and bytes.",
        required: ["kind"],
        [
            "kind": .word(Media.Kind.self),
            "url": .url,
            "content_type": .name,
            "alt": .phrase,
            "preview_url": .url,
            "width": .count,
            "height": .count,
            "duration_ms": .count,
            "size": .count,
            "expires_at": .time,
        ]
    )

    private static let actor: SchemaNode = .closed(
        "Who did something.",
        [
            "id": .objectID,
            "handle": .phrase,
            "name": .phrase,
            "url": .url,
            "avatar": .url,
            "bot": .boolean,
            "verified": .boolean,
            "followers": .count,
            "aliases": .list(of: .objectID),
        ]
    )

    private static let reference: SchemaNode = .closed(
        "Something another event may be about.",
        ["id": .objectID, "url": .url, "actor": .objectID]
    )

    private static let metrics: SchemaNode = .closed(
        "Counts observed at a time. A count never seen is absent, which is not zero.",
        required: ["observed_at"],
        [
            "observed_at": .time,
            "likes": .count,
            "reposts": .count,
            "replies": .count,
            "quotes": .count,
            "bookmarks": .count,
            "views": .count,
            "score": .integer,
            "other": [
                "description": "Counts a platform has beyond these, by their names.",
                "type": "object",
                "minProperties": 1,
                "maxProperties": .number(EventLimits.counts),
                "propertyNames": .name,
                "additionalProperties": .integer,
            ],
        ]
    )

    private static let delivery: SchemaNode = .closed(
        "How far a message or broadcast has come.",
        required: ["status"],
        [
            "status": .word(Delivery.Status.self), "recipient": .objectID, "error_code": .name, "reason": .phrase,
            "group": .objectID, "broadcast": .objectID,
        ]
    )

    private static let raw: SchemaNode = .object(
        [
            ("description", "The platform's payload, byte for byte."),
            ("type", "object"),
            ("required", ["content_type"]),
            (
                "properties",
                [
                    "content_type": .name,
                    "text": .string(EventLimits.raw),
                    "base64": ["type": "string", "contentEncoding": "base64"],
                ]
            ),
            ("additionalProperties", false),
            ("oneOf", [["required": ["text"]], ["required": ["base64"]]]),
        ]
    )
}
