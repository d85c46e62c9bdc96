import ConnectorKit
import FacebookConnector
import InstagramConnector
import JSON
import MetaGraph
import SocialEvents
import WhatsAppConnector
import XConnector

/// What a connector makes of a payload.
struct Reading {
    var events: [Event] = []
    /// Why parts of it could not be read.
    var deadLetters: [String] = []
}

/// How a connector reads a payload, whichever of its platform's it is.
struct Reader: Sendable {
    /// What becomes of a payload; `nil` when it is not one, as a file of several lines.
    var read: @Sendable ([UInt8]) -> Reading?

    /// By the names of the connectors.
    static let all: [String: Reader] = [
        "bluesky": Reader { BlueskyPayload().read($0) },
        "facebook": meta { payload, intake in
            let normalizer = FacebookNormalizer(now: now)
            try JSONParser().parse(payload) { root in
                intake.read(root, body: payload) { notice, intake in try normalizer.read(notice, into: &intake) }
            }
        },
        "instagram": meta { payload, intake in
            let normalizer = InstagramNormalizer(now: now)
            intake = try JSONParser().parse(payload) { normalizer.read($0, body: payload) }
        },
        "mastodon": Reader { MastodonPayload().read($0) },
        "whatsapp": meta { payload, intake in
            var normalizer = WhatsAppNormalizer(now: now)
            try JSONParser().parse(payload) { normalizer.read($0, body: payload, into: &intake) }
        },
        "x": Reader { payload in
            var normalizer = XNormalizer(now: now)
            var reading = Reading()
            let isJSON: Void? = try? JSONParser().parse(payload) { normalizer.read($0, into: &reading.events) }
            return isJSON == nil ? nil : reading
        },
    ]

    /// When all payloads are read.
    static let now = Timestamp(seconds: 1_784_927_750)

    private static func meta(_ read: @escaping @Sendable ([UInt8], inout MetaIntake) throws -> Void) -> Reader {
        Reader { payload in
            var intake = MetaIntake()
            guard (try? read(payload, &intake)) != nil else { return nil }
            return Reading(events: intake.events, deadLetters: intake.deadLetters.map(\.reason))
        }
    }
}
