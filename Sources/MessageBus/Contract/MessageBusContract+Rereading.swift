import ConnectorKit
import SocialEvents

extension MessageBusContract {
    static var rereading: [Check] {
        [
            Check("A dead letter that was read after all gives way to its events, in the same commit") { bench in
                var bus = try await bench.bus()
                let letters = try await RereadingBench(bench, count: 2)
                let events = [ContractEvents.post(1), ContractEvents.post(2)]
                let batch = LogBatch(source: ContractEvents.first, events: events)
                let receipt = try await bus.replaceDeadLetter(letters.ids[0], with: batch)
                try expectEqual(receipt?.sequences.count, 2, "events stored")
                for _ in 0..<2 {
                    try expectEqual(try await bench.entries().map(\.sequence), receipt?.sequences ?? [], "positions")
                    let left = try await bus.deadLetters(of: nil, after: 0, limit: 10)
                    try expectEqual(left.map(\.id), [letters.ids[1]], "letters left")
                    let counts = try await bus.deadLetterCounts()
                    try expectEqual(counts, [ContractEvents.first: 1], "counts")
                    bus = try await bench.reopen()
                }
                let again = try await bus.replaceDeadLetter(letters.ids[0], with: batch)
                try expectEqual(again, nil, "the same letter again")
                // Another letter with the same facts.
                let repeated = try await bus.replaceDeadLetter(letters.ids[1], with: batch)
                try expectEqual(repeated, AppendReceipt(sequences: [], repeated: 2), "the same events again")
                try expectEqual(try await bench.entries().count, 2, "events")
                try expectEqual(try await bus.deadLetterCounts(), [:], "counts at the end")
            },
            Check("A dead letter that still cannot be read stays, with the new reason and one attempt more") { bench in
                var bus = try await bench.bus()
                let letters = try await RereadingBench(bench, count: 3)
                let moment = bench.environment.clock.now
                bench.environment.clock.now = moment.advanced(by: .seconds(60))
                let rest = DeadLetter(reason: "line 2", contentType: "text/csv", payload: [7, 7, 7])
                let other = DeadLetter(reason: "line 5", contentType: "text/csv", payload: [5], isCut: true)
                for number in 1...2 {
                    let batch = LogBatch(
                        source: ContractEvents.first,
                        events: [ContractEvents.post(number)],
                        deadLetters: number == 1 ? [rest] : [rest, other]
                    )
                    let receipt = try await bus.replaceDeadLetter(letters.ids[1], with: batch)
                    try expectEqual(receipt?.sequences.count, 1, "events stored at attempt \(number)")
                }
                bus = try await bench.reopen()
                let kept = try await bus.deadLetters(of: nil, after: 0, limit: 10)
                try expectEqual(kept.map(\.id).prefix(3), letters.ids[...], "ids")
                try expectEqual(kept.map(\.attempts), [0, 2, 0, 0], "attempts")
                try expectEqual(kept.map(\.letter.payload), [[0], [7, 7, 7], [2], [5]], "payloads")
                try expectEqual([kept[1].letter, kept[3].letter], [rest, other], "the letters")
                try expectEqual(kept[1].recordedTime, moment, "when it was set aside")
                try expectEqual(kept[3].recordedTime, bench.environment.clock.now, "when the other was set aside")
                try expectEqual(try await bench.entries().count, 2, "events")
            },
            Check("Only its own source replaces a dead letter, and nothing is stored for one that is not there") {
                bench in
                let bus = try await bench.bus()
                let letters = try await RereadingBench(bench, count: 1)
                let events = [ContractEvents.post(1)]
                let stranger = LogBatch(source: ContractEvents.second, events: events)
                try expectEqual(try await bus.replaceDeadLetter(letters.ids[0], with: stranger), nil, "by a stranger")
                let own = LogBatch(source: ContractEvents.first, events: events)
                try expectEqual(try await bus.replaceDeadLetter(letters.ids[0] + 1, with: own), nil, "of no letter")
                try expectEqual(try await bench.entries().count, 0, "events")
                try expectEqual(try await bus.deadLetterCounts(), [ContractEvents.first: 1], "counts")
            },
            Check("What was withdrawn since a payload was set aside is not brought back by reading it again") { bench in
                let bus = try await bench.bus()
                // Withdrawn before, and said again: it stands.
                let before = [ContractEvents.post(1, .postDeleted), ContractEvents.post(2)]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: before))
                bench.environment.clock.now = bench.environment.clock.now.advanced(by: .seconds(1))
                let letters = try await RereadingBench(bench, count: 1)
                let person = ContractEvents.actor("gone")
                var farewell = ContractEvents.post(0, .postDeleted)
                farewell.id = EventID(person, .deleted)
                farewell.subject = person
                let since = [ContractEvents.post(3, .postDeleted), farewell]
                _ = try await bus.append(LogBatch(source: ContractEvents.second, events: since))
                let batch = LogBatch(
                    source: ContractEvents.first,
                    events: [
                        ContractEvents.post(1), ContractEvents.post(3), ContractEvents.post(4, actor: "gone"),
                        ContractEvents.post(5, actor: "here"),
                    ]
                )
                let receipt = try await bus.replaceDeadLetter(letters.ids[0], with: batch)
                try expectEqual(receipt?.sequences.count, 4, "positions")
                for _ in 0..<2 {
                    let bodies = try await bench.entries().map(\.body)
                    let words = [1, 2, 3, 4, 5].map { number in
                        bodies.contains { $0.contains(ContractEvents.text(number)) }
                    }
                    try expectEqual(words, [true, true, false, false, true], "which words are there")
                    try expectEqual(bodies.count, 6, "events with content")
                    _ = try await bench.reopen()
                }
                let again = try await bench.bus().append(batch)
                try expectEqual(again.repeated, 4, "all of them are known")
            },
        ]
    }
}

/// Some dead letters of the first source, whose payloads are their numbers.
private struct RereadingBench {
    let ids: [Int64]

    init(_ bench: ContractBench, count: Int) async throws {
        let bus = try await bench.bus()
        let letters = (0..<count).map {
            DeadLetter(reason: "line 1", contentType: "text/plain", payload: [UInt8($0)])
        }
        _ = try await bus.append(LogBatch(source: ContractEvents.first, deadLetters: letters))
        ids = try await bus.deadLetters(of: nil, after: 0, limit: 100).map(\.id)
    }
}
