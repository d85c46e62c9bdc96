import ConnectorKit
import SocialEvents

extension MessageBusContract {
    static var appending: [Check] {
        [
            Check("A batch is stored in its order, with rising positions, as it was given") { bench in
                let bus = try await bench.bus()
                var batches: [AppendReceipt] = []
                for start in stride(from: 0, to: 30, by: 10) {
                    let events = ContractEvents.posts(start..<start + 10)
                    batches.append(try await bus.append(LogBatch(source: ContractEvents.first, events: events)))
                }
                let sequences = batches.flatMap(\.sequences)
                try expect(zip(sequences, sequences.dropFirst()).allSatisfy(<), "positions do not rise: \(sequences)")
                try expect(sequences.first.map { $0 > .start } ?? false, "no position after the start")
                let read = try await bench.entries()
                try expectEqual(read.map(\.sequence), sequences, "positions read")
                for (number, event) in read.enumerated() {
                    let object = ContractEvents.object(number)
                    try expect(
                        event.body.contains("\(object)/created"),
                        "event \(number) has another id: \(event.body)"
                    )
                    try expect(event.body.contains("words of post <\(number)>"), "event \(number) lost its words")
                    try expectEqual(event.entry.source, ContractEvents.first, "source")
                    try expectEqual(event.entry.platform, ContractEvents.platform, "platform")
                    try expectEqual(event.entry.type, .postCreated, "type")
                    try expectEqual(event.entry.recordedTime, bench.environment.clock.now, "recorded time")
                    try expectEqual(event.entry.duplicateOf, nil, "duplicate of")
                }
                try expectEqual(try await bus.bounds().head, sequences.last, "head")
            },
            Check("Events, dead letters and cursor of a batch are there together after a restart") { bench in
                let bus = try await bench.bus()
                let letter = DeadLetter(reason: "no title", contentType: "text/plain", payload: [0, 255, 10])
                _ = try await bus.append(
                    LogBatch(
                        source: ContractEvents.first,
                        events: ContractEvents.posts(0..<3),
                        deadLetters: [letter],
                        cursor: Cursor(version: 7, bytes: [1, 0, 2])
                    )
                )
                let before = try await bench.entries()
                let again = try await bench.reopen()
                try expectEqual(try await bench.entries(), before, "events after a restart")
                let cursor = try await again.cursor(of: ContractEvents.first)
                try expectEqual(cursor, Cursor(version: 7, bytes: [1, 0, 2]), "cursor")
                let letters = try await again.deadLetters(of: nil, after: 0, limit: 10)
                try expectEqual(letters.map(\.letter), [letter], "dead letters")
                try expectEqual(letters.first?.source, ContractEvents.first, "source of the dead letter")
                let next = try await again.append(
                    LogBatch(source: ContractEvents.first, events: [ContractEvents.post(9)])
                )
                try expect(before.last.map { $0.sequence < next.sequences[0] } ?? false, "a position was given twice")
            },
            Check("Nothing is stored of a batch that is refused") { bench in
                let bus = try await bench.bus()
                let large = Cursor(bytes: [UInt8](repeating: 0, count: Cursor.maximumSize + 1))
                let letter = DeadLetter(reason: "", contentType: "", payload: [])
                var isRefused = false
                do {
                    let events = ContractEvents.posts(0..<3)
                    _ = try await bus.append(
                        LogBatch(source: ContractEvents.first, events: events, deadLetters: [letter], cursor: large)
                    )
                } catch is BusError {
                    isRefused = true
                }
                try expect(isRefused, "a cursor beyond the size allowed was taken")
                try expectEqual(try await bench.entries().count, 0, "events")
                try expectEqual(try await bus.deadLetterCounts(), [:], "dead letters")
                try expectEqual(try await bus.cursor(of: ContractEvents.first), nil, "cursor")
            },
            Check("A batch without a cursor leaves the cursor as it is, one with a cursor moves only its source's") {
                bench in
                let bus = try await bench.bus()
                _ = try await bus.append(LogBatch(source: ContractEvents.first, cursor: Cursor(bytes: [1])))
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: ContractEvents.posts(0..<1)))
                _ = try await bus.append(LogBatch(source: ContractEvents.second, cursor: Cursor(bytes: [2])))
                try expectEqual(try await bus.cursor(of: ContractEvents.first), Cursor(bytes: [1]), "first")
                try expectEqual(try await bus.cursor(of: ContractEvents.second), Cursor(bytes: [2]), "second")
                try expectEqual(try await bus.cursor(of: SourceName("third")), nil, "a source never heard of")
            },
            Check("What the same source brings again is skipped and counted, and its cursor still moves") { bench in
                let bus = try await bench.bus()
                let source = ContractEvents.first
                let twice = ContractEvents.posts(0..<5) + ContractEvents.posts(3..<8)
                let receipt = try await bus.append(LogBatch(source: source, events: twice))
                try expectEqual(receipt.repeated, 2, "repeated within a batch")
                try expectEqual(receipt.sequences.count, 8, "stored")
                let again = try await bench.reopen()
                let second = try await again.append(
                    LogBatch(source: source, events: ContractEvents.posts(0..<8), cursor: Cursor(bytes: [8]))
                )
                try expectEqual(second, AppendReceipt(sequences: [], repeated: 8), "receipt after a restart")
                try expectEqual(try await again.cursor(of: source), Cursor(bytes: [8]), "cursor")
                try expectEqual(try await bench.entries().count, 8, "events")
            },
            Check("What another source brought before is stored and marked") { bench in
                let bus = try await bench.bus()
                let original = try await bus.append(
                    LogBatch(source: ContractEvents.first, events: ContractEvents.posts(0..<4))
                )
                let other = try await bus.append(
                    LogBatch(source: ContractEvents.second, events: ContractEvents.posts(2..<6))
                )
                try expectEqual(other.repeated, 0, "repeated")
                try expectEqual(other.sequences.count, 4, "stored")
                let all = try await bench.entries(filter: EventFilter(includesDuplicates: true))
                let marks = all.map(\.entry.duplicateOf)
                let expected = [nil, nil, nil, nil, original.sequences[2], original.sequences[3], nil, nil]
                try expectEqual(marks, expected, "marks")
                try expectEqual(try await bench.entries().count, 6, "without duplicates")
                let asked = try await bench.entries(filter: EventFilter(sources: [ContractEvents.second]))
                try expectEqual(asked.map(\.sequence), other.sequences, "of the second source")
                let third = try await bus.append(
                    LogBatch(source: SourceName("third"), events: [ContractEvents.post(2)])
                )
                let last = try await bench.entries(filter: EventFilter(sources: [SourceName("third")]))
                try expectEqual(last.map(\.entry.duplicateOf), [original.sequences[2]], "mark of a third")
                try expectEqual(third.sequences.count, 1, "stored of a third")
            },
            Check("Recorded times do not fall when the clock does") { bench in
                let clock = bench.environment.clock
                let start = clock.now
                var bus = try await bench.bus()
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(0)]))
                clock.now = start.advanced(by: .seconds(-3_600))
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(1)]))
                bus = try await bench.reopen()
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(2)]))
                clock.now = start.advanced(by: .seconds(5))
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(3)]))
                let times = try await bench.entries().map(\.entry.recordedTime)
                try expectEqual(times, [start, start, start, start.advanced(by: .seconds(5))], "recorded times")
            },
            Check("An append by a cancelled task is done wholly or not at all") { bench in
                let bus = try await bench.bus()
                var stored = 0
                for number in 0..<20 {
                    let events = ContractEvents.posts(number * 3..<number * 3 + 3)
                    let appending = Task {
                        try await bus.append(LogBatch(source: ContractEvents.first, events: events))
                    }
                    if number.isMultiple(of: 2) { appending.cancel() }
                    do {
                        stored += try await appending.value.sequences.count
                    } catch is CancellationError {}
                }
                try expectEqual(try await bench.entries().count, stored, "events against those acknowledged")
                let next = try await bus.append(
                    LogBatch(source: ContractEvents.first, events: [ContractEvents.post(99)])
                )
                try expectEqual(next.sequences.count, 1, "stored afterwards")
            },
        ]
    }
}
