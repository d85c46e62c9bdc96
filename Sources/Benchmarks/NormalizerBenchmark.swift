import BlueskyConnector
import ConnectorKit
import JSON
import MastodonConnector
import SocialEvents
import XConnector

/// Measures one core: from the bytes of a platform's stream to the bytes of the log, through the real normalisers.
func benchmarkNormalizers() throws -> [BenchmarkRow] {
    let parser = JSONParser()
    let now = Timestamp(seconds: 1_772_353_800)
    let source = SourceName("acme")
    var writer = JSONWriter()
    var events: [Event] = []
    var checksum = 0

    func row(_ name: String, _ payload: String, _ read: ([UInt8]) throws -> Void) throws -> BenchmarkRow {
        let bytes = Array(payload.utf8)
        func work() throws {
            events.removeAll(keepingCapacity: true)
            writer.removeAll()
            try read(bytes)
            for event in events { EventEncoder.encodeBody(event, source: source, into: &writer) }
            checksum &+= writer.count
        }
        try work()
        guard events.count == 1, events[0].type == .postCreated, events[0].validate().isEmpty else {
            throw BenchmarkFailure("\(name): the payload became no good event")
        }
        let out = writer.count
        let parsing = rate {
            if let count = try? parser.parse(bytes, { $0.count }) { checksum &+= count }
        }
        let value = rate { try? work() }
        return BenchmarkRow(
            name: name,
            value: value,
            unit: "events/s",
            bar: 250_000,
            note: "\(bytes.count) bytes in, \(out) bytes out; \(share(of: value, in: parsing))"
        )
    }

    var x = XNormalizer(now: now)
    let mastodon = MastodonNormalizer(host: "social.example", now: now)
    var bluesky = BlueskyNormalizer(now: now)
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
    ]
}
