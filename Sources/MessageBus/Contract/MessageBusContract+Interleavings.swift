import ConnectorKit
import SocialEvents

extension MessageBusContract {
    static var interleavings: [Check] {
        (1...5).map { seed in
            Check("Readers miss and double nothing while several sources append at random, seed \(seed)") { bench in
                try await Interleaving(seed: UInt64(seed)).run(bench)
            }
        }
    }
}

/// Several sources that append what overlaps, while readers follow with limits of all sizes.
private struct Interleaving {
    var seed: UInt64

    func run(_ bench: ContractBench) async throws {
        let bus = try await bench.bus()
        let sources = (0..<4).map { SourceName("source-\($0)") }
        let goal = sources.count * 150
        let seen = try await withThrowingTaskGroup(of: [ReadEvent].self) { group in
            for (number, source) in sources.enumerated() {
                group.addTask {
                    try await append(source, number, to: bus)
                    return []
                }
            }
            for reader in 0..<3 {
                group.addTask { try await follow(bus, reader, until: goal) }
            }
            var seen: [[ReadEvent]] = []
            for try await events in group where !events.isEmpty { seen.append(events) }
            return seen
        }
        let all = EventFilter(includesDuplicates: true)
        let log = try await bench.entries(filter: all)
        try expectEqual(log.count, goal, "events")
        try expect(zip(log, log.dropFirst()).allSatisfy { $0.sequence < $1.sequence }, "positions do not rise")
        try expectEqual(seen.count, 3, "readers")
        for (reader, events) in seen.enumerated() {
            try expect(events == log, "reader \(reader) saw another log: \(events.count) events of \(log.count)")
        }
        var originals: [String: Sequence] = [:]
        for event in log {
            let mark = originals[event.body.eventID]
            try expectEqual(event.entry.duplicateOf, mark, "mark of \(event.sequence)")
            if mark == nil { originals[event.body.eventID] = event.sequence }
        }
        for source in sources {
            let own = log.filter { $0.entry.source == source }.map(\.body.eventID)
            try expectEqual(Set(own).count, 150, "distinct events of \(source)")
            let cursor = try await bus.cursor(of: source)
            try expectEqual(cursor, Cursor(bytes: Array("150".utf8)), "cursor of \(source)")
        }
        _ = try await bench.reopen()
        try expectEqual(try await bench.entries(filter: all), log, "the log after a restart")
    }

    /// Brings 150 posts in batches of all sizes, some of them twice, half of them shared with the other sources.
    private func append(_ source: SourceName, _ number: Int, to bus: any MessageBus) async throws {
        var random = SeededGenerator(seed: seed &* 31 &+ UInt64(number))
        var next = 0
        while next < 150 {
            let size = min(Int.random(in: 0...20, using: &random), 150 - next)
            let start = max(0, next - Int.random(in: 0...5, using: &random))
            let events = (start..<next + size).map { index in
                ContractEvents.post(index.isMultiple(of: 2) ? index : 1_000 * (number + 1) + index)
            }
            next += size
            let cursor = Cursor(bytes: Array(String(next).utf8))
            let receipt = try await bus.append(LogBatch(source: source, events: events, cursor: cursor))
            try expectEqual(receipt.sequences.count + receipt.repeated, events.count, "events accounted for")
            try expectEqual(receipt.sequences.count, size, "events stored")
            if Bool.random(using: &random) { await Task.yield() }
        }
    }

    private func follow(_ bus: any MessageBus, _ reader: Int, until goal: Int) async throws -> [ReadEvent] {
        var random = SeededGenerator(seed: seed &* 77 &+ UInt64(reader))
        var events: [ReadEvent] = []
        var position = Sequence.start
        while events.count < goal {
            try await bus.waitForEvents(after: position)
            let limits = PageLimits(
                count: Int.random(in: 1...40, using: &random),
                bytes: Int.random(in: 1...20_000, using: &random),
                scanned: Int.random(in: 1...60, using: &random)
            )
            let page = try await bus.page(
                after: position,
                filter: EventFilter(includesDuplicates: true),
                limits: limits
            )
            try expect(page.scannedThrough > position, "a page after a wait leads nowhere")
            try expect(page.entries.allSatisfy { $0.sequence > position }, "an event from before the position")
            events += page.entries.map { ReadEvent($0, in: page) }
            position = page.scannedThrough
        }
        return events
    }
}

extension String {
    /// The id of an event in JSON.
    fileprivate var eventID: String {
        let parts = split(separator: "\"", maxSplits: 40, omittingEmptySubsequences: false)
        guard let key = parts.firstIndex(of: "id"), key + 2 < parts.endIndex else { return "" }
        return String(parts[key + 2])
    }
}

/// Random numbers that are the same for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
