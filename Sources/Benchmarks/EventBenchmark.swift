import Glibc
import JSON
import SocialEvents
import XConnector

/// Measures one core: from a stream payload of X to a filled event, from the event to JSON, and back.
func benchmarkEvents() throws -> [BenchmarkRow] {
    let payload = Array(PlatformPayloads.x.utf8)
    let parser = JSONParser()
    let now = Timestamp(seconds: 1_772_353_800)
    var normalizer = XNormalizer(now: now)
    var events: [Event] = []
    try parser.parse(payload) { normalizer.readPosts($0, into: &events) }
    guard let event = events.first, event.type == .postCreated, event.validate().isEmpty else {
        throw BenchmarkFailure("the payload of X became no good event")
    }
    let source = SourceName("acme-on-x")
    var writer = JSONWriter()
    EventEncoder.encodeBody(event, source: source, into: &writer)
    let body = writer.bytes
    let decoder = EventDecoder()
    let stamp = EventStamp(sequence: Sequence(42), recordedTime: event.time)
    var output: [UInt8] = []
    var checksum = 0

    let parsing = rate {
        if let count = try? parser.parse(payload, { $0.count }) { checksum &+= count }
    }
    let filling = rate {
        events.removeAll(keepingCapacity: true)
        try? parser.parse(payload) { normalizer.readPosts($0, into: &events) }
        checksum &+= events.count
    }
    let encoding = rate {
        writer.removeAll()
        EventEncoder.encodeBody(event, source: source, into: &writer)
        checksum &+= writer.count
    }
    let decoding = rate {
        if let decoded = try? decoder.decodeBody(body) { checksum &+= decoded.event.data.loss.count }
    }
    let splicing = rate {
        output.removeAll(keepingCapacity: true)
        stamp.appendSpliced(body: body, into: &output)
        checksum &+= output.count
    }
    let validation = rate { checksum &+= event.validate().count }
    let sizes = "\(payload.count) bytes in, \(body.count) bytes out; \(share(of: filling, in: parsing))"
    return [
        BenchmarkRow(name: "X payload parsed, nothing read", value: parsing, unit: "payloads/s"),
        BenchmarkRow(name: "X payload to event", value: filling, unit: "events/s", bar: 250_000, note: sizes),
        BenchmarkRow(name: "event to JSON", value: encoding, unit: "events/s", bar: 500_000, note: "sum \(checksum)"),
        BenchmarkRow(name: "JSON to event", value: decoding, unit: "events/s"),
        BenchmarkRow(name: "stamp spliced before a body", value: splicing, unit: "events/s"),
        BenchmarkRow(name: "event checked", value: validation, unit: "events/s"),
    ]
}

/// What part a rate is of that at which the same payload is parsed and nothing of it read, which tells more from machine to machine than the rate.
///
/// The bar of 250,000 was set on a machine that parsed 880,000 payloads of X a second, of which it is 0.28.
func share(of rate: Double, in parsing: Double) -> String {
    "\((rate / parsing * 100).rounded() / 100) of parsing alone"
}

/// How often `work` runs in a second of this thread's CPU time, which other processes do not take from: the median of
/// seven rounds.
func rate(_ work: () -> Void) -> Double {
    let repetitions = 40_000
    let rates = (0..<7).map { _ in
        let start = threadSeconds()
        for _ in 0..<repetitions { work() }
        return Double(repetitions) / (threadSeconds() - start)
    }
    return rates.sorted()[rates.count / 2]
}

private func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
