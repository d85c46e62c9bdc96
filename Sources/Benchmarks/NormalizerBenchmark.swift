import BlueskyConnector
import ConnectorKit
import InstagramConnector
import JSON
import MastodonConnector
import MetaGraph
import SocialEvents
import WhatsAppConnector
import XConnector

/// Measures one core: from the bytes of a platform's stream to the bytes of the log, through the real normalisers.
func benchmarkNormalizers() throws -> [BenchmarkRow] {
    let parser = JSONParser()
    let now = Timestamp(seconds: 1_772_353_800)
    let source = SourceName("acme")
    var writer = JSONWriter()
    var events: [Event] = []
    var checksum = 0

    func row(
        _ name: String,
        _ payload: String,
        becomes types: [EventType] = [.postCreated],
        bar: Double = 250_000,
        _ read: ([UInt8]) throws -> Void
    ) throws -> BenchmarkRow {
        let bytes = Array(payload.utf8)
        func work() throws {
            events.removeAll(keepingCapacity: true)
            writer.removeAll()
            try read(bytes)
            for event in events { EventEncoder.encodeBody(event, source: source, into: &writer) }
            checksum &+= writer.count
        }
        try work()
        guard events.map(\.type) == types, events.allSatisfy({ $0.validate().isEmpty }) else {
            throw BenchmarkFailure("\(name): the payload became no good event")
        }
        let out = writer.count
        let parsing = rate {
            if let count = try? parser.parse(bytes, { $0.count }) { checksum &+= count }
        }
        let payloads = rate { try? work() }
        let value = payloads * Double(types.count)
        return BenchmarkRow(
            name: name,
            value: value,
            unit: "events/s",
            bar: bar,
            note: "\(bytes.count) bytes in, \(out) bytes out; \(share(of: payloads, in: parsing))"
        )
    }

    var x = XNormalizer(now: now)
    let mastodon = MastodonNormalizer(host: "social.example", now: now)
    var bluesky = BlueskyNormalizer(now: now)
    func whatsApp(_ bytes: [UInt8]) throws {
        var intake = MetaIntake()
        var normalizer = WhatsAppNormalizer(now: now)
        try parser.parse(bytes) { normalizer.read($0, body: bytes, into: &intake) }
        events = intake.events
    }
    let instagram = InstagramNormalizer(now: now)
    return [
        try row("X stream payload to encoded event", PlatformPayloads.x) { bytes in
            try parser.parse(bytes) { x.readPosts($0, into: &events) }
        },
        try row("Mastodon status to encoded event", PlatformPayloads.mastodon) { bytes in
            try parser.parse(bytes) { _ = try mastodon.status($0, on: .appearance, into: &events) }
        },
        try row("Jetstream message to encoded event", PlatformPayloads.jetstream) { bytes in
            bluesky.removeAll()
            _ = bluesky.jetstream(bytes, with: parser)
            events.append(contentsOf: bluesky.events)
        },
        try row(
            "WhatsApp message to encoded event",
            PlatformPayloads.whatsApp(1),
            becomes: [.messageCreated],
            bar: 200_000,
            whatsApp
        ),
        try row(
            "WhatsApp status to encoded events, of a delivery and its broadcast",
            PlatformPayloads.whatsAppStatus,
            becomes: [.broadcastCreated, .deliveryUpdated],
            bar: 200_000,
            whatsApp
        ),
        try row("Instagram comment to encoded event", PlatformPayloads.instagram, bar: 200_000) { bytes in
            events = try parser.parse(bytes) { instagram.read($0, body: bytes).events }
        },
    ]
}
