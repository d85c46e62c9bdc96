import ConnectorKit
import SocialEvents

extension MessageBusContract {
    static var forgetting: [Check] {
        [
            Check("A withdrawal erases what is retained of its subject, and is itself read") { bench in
                let bus = try await bench.bus()
                let events = [
                    ContractEvents.post(1), ContractEvents.post(2), ContractEvents.post(1, .postUpdated, revision: 3),
                    // An object whose id begins with that of the other one.
                    ContractEvents.post(12),
                ]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: events))
                _ = try await bus.append(LogBatch(source: ContractEvents.second, events: [ContractEvents.post(1)]))
                let deleted = ContractEvents.post(1, .postDeleted)
                let receipt = try await bus.append(LogBatch(source: ContractEvents.second, events: [deleted]))
                try expectEqual(receipt.sequences.count, 1, "the withdrawal stored")
                for _ in 0..<2 {
                    let rest = try await bench.entries(filter: EventFilter(includesDuplicates: true))
                    try expectEqual(rest.map(\.entry.type), [.postCreated, .postCreated, .postDeleted], "types")
                    try expect(!rest.contains { $0.body.contains(ContractEvents.text(1)) }, "the words are still there")
                    try expectEqual(rest.last?.sequence, receipt.sequences[0], "position of the withdrawal")
                    _ = try await bench.reopen()
                }
            },
            Check("A withdrawal in the same batch as its subject leaves only itself") { bench in
                let bus = try await bench.bus()
                let events = [ContractEvents.post(1), ContractEvents.post(1, .postDeleted), ContractEvents.post(2)]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: events))
                for _ in 0..<2 {
                    try expectEqual(try await bench.entries().map(\.entry.type), [.postDeleted, .postCreated], "types")
                    _ = try await bench.reopen()
                }
            },
            Check("A withdrawal finds events whose id does not say their object") { bench in
                let bus = try await bench.bus()
                var odd = ContractEvents.post(1)
                odd.id = EventID(text: "contract:an-id-of-its-own")
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [odd, ContractEvents.post(2)]))
                let deleted = ContractEvents.post(1, .postDeleted)
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [deleted]))
                try expectEqual(try await bench.entries().map(\.entry.type), [.postCreated, .postDeleted], "types")
            },
            Check("What was erased is not brought back, by its source or another") { bench in
                let bus = try await bench.bus()
                let post = [ContractEvents.post(1)]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: post))
                let receipt = try await bus.erase(.object(ContractEvents.object(1)))
                try expectEqual(receipt.events, 1, "erased")
                let again = try await bus.append(LogBatch(source: ContractEvents.first, events: post))
                try expectEqual(again.repeated, 1, "repeated")
                _ = try await bus.append(LogBatch(source: ContractEvents.second, events: post))
                for _ in 0..<2 {
                    let all = EventFilter(includesDuplicates: true)
                    try expectEqual(try await bench.entries(filter: all).count, 0, "events")
                    _ = try await bench.reopen()
                }
            },
            Check("Erasing an object spares others, and the news of withdrawals") { bench in
                let bus = try await bench.bus()
                let events = [
                    ContractEvents.post(1), ContractEvents.post(1, .postUpdated, revision: 1),
                    ContractEvents.post(1, .postDeleted), ContractEvents.post(2), ContractEvents.post(10),
                ]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: events))
                _ = try await bus.erase(.object(ContractEvents.object(1)))
                let types = try await bench.entries().map(\.entry.type)
                try expectEqual(types, [.postDeleted, .postCreated, .postCreated], "types")
                let nobody = try await bus.erase(.object(ContractEvents.object(77)))
                try expectEqual(nobody, ErasureReceipt(events: 0, deadLetters: 0), "receipt for nothing")
            },
            Check("Erasing a person takes all they did and their profile, whoever brought it") { bench in
                let bus = try await bench.bus()
                let profile = Event(
                    id: EventID(ContractEvents.actor("anna"), .updated, revision: 1),
                    type: .profileUpdated,
                    platform: ContractEvents.platform,
                    subject: ContractEvents.actor("anna"),
                    time: Timestamp(seconds: 1)
                )
                let events = (0..<20).map { ContractEvents.post($0, actor: $0.isMultiple(of: 2) ? "anna" : "bert") }
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: events + [profile]))
                let others = [ContractEvents.post(30, actor: "anna"), ContractEvents.post(31)]
                _ = try await bus.append(LogBatch(source: ContractEvents.second, events: others))
                let receipt = try await bus.erase(.actor(ContractEvents.actor("anna")))
                try expectEqual(receipt, ErasureReceipt(events: 12, deadLetters: 0), "receipt")
                for _ in 0..<2 {
                    let rest = try await bench.entries()
                    try expectEqual(rest.count, 11, "events")
                    try expect(!rest.contains { $0.body.contains("anna") }, "she is still named")
                    _ = try await bench.reopen()
                }
            },
            Check("Erasing a source takes its events, dead letters and cursor, and no other's") { bench in
                let bus = try await bench.bus()
                let letter = DeadLetter(reason: "", contentType: "text/plain", payload: [1])
                for source in [ContractEvents.first, ContractEvents.second] {
                    let start = source == ContractEvents.first ? 0 : 3
                    _ = try await bus.append(
                        LogBatch(
                            source: source,
                            events: ContractEvents.posts(start..<start + 3),
                            deadLetters: [letter, letter],
                            cursor: Cursor(bytes: [1])
                        )
                    )
                }
                let receipt = try await bus.erase(.source(ContractEvents.first))
                try expectEqual(receipt, ErasureReceipt(events: 3, deadLetters: 2), "receipt")
                let rest = try await bench.entries()
                try expectEqual(rest.map(\.entry.source), Array(repeating: ContractEvents.second, count: 3), "sources")
                try expectEqual(try await bus.deadLetterCounts(), [ContractEvents.second: 2], "dead letters")
                try expectEqual(try await bus.cursor(of: ContractEvents.first), nil, "its cursor")
                try expectEqual(
                    try await bus.cursor(of: ContractEvents.second),
                    Cursor(bytes: [1]),
                    "the other's cursor"
                )
            },
            Check("Trimming by age drops the oldest, and readers before are told exactly what they lost") { bench in
                var bus = try await bench.bus()
                let clock = bench.environment.clock
                let start = clock.now
                var receipts: [AppendReceipt] = []
                for hour in 0..<4 {
                    clock.now = start.advanced(by: .seconds(hour * 3_600))
                    let events = ContractEvents.posts(hour * 5..<hour * 5 + 5)
                    receipts.append(try await bus.append(LogBatch(source: ContractEvents.first, events: events)))
                }
                let all = try await bench.entries()
                let nothing = try await bus.trim(RetentionPolicy(age: .seconds(86_400)), now: clock.now)
                try expectEqual(nothing, TrimReceipt(events: 0, trimmedThrough: .start), "nothing is that old")
                let receipt = try await bus.trim(RetentionPolicy(age: .seconds(2 * 3_600)), now: clock.now)
                let lost = receipts[0].sequences[4]
                try expectEqual(receipt, TrimReceipt(events: 5, trimmedThrough: lost), "receipt")
                for _ in 0..<2 {
                    let limits = PageLimits()
                    for event in [Sequence.start] + all[..<4].map(\.sequence) {
                        let range = Sequence(event.number + 1)...lost
                        try await expectError(.positionLost(lost: range), "after \(event)") {
                            _ = try await bus.page(after: event, filter: EventFilter(), limits: limits)
                        }
                    }
                    try expectEqual(try await bench.entries(after: lost), Array(all[5...]), "what is retained")
                    try expectEqual(try await bus.bounds().trimmedThrough, lost, "bounds")
                    bus = try await bench.reopen()
                }
                let again = try await bus.append(
                    LogBatch(source: ContractEvents.first, events: [ContractEvents.post(0)])
                )
                try expectEqual(again.sequences.count, 1, "what is gone may come again")
            },
            Check("Trimming everything away gives no position twice") { bench in
                var bus = try await bench.bus()
                let receipt = try await bus.append(
                    LogBatch(source: ContractEvents.first, events: ContractEvents.posts(0..<10))
                )
                let later = bench.environment.clock.now.advanced(by: .seconds(10))
                let trimmed = try await bus.trim(RetentionPolicy(age: .seconds(1)), now: later)
                try expectEqual(trimmed, TrimReceipt(events: 10, trimmedThrough: receipt.sequences[9]), "receipt")
                let recorded = bench.environment.clock.now
                bench.environment.clock.now = recorded.advanced(by: .seconds(-100))
                bus = try await bench.reopen()
                try expectEqual(try await bus.bounds().head, receipt.sequences[9], "head of an empty log")
                try await bus.waitForEvents(after: .start)
                let next = try await bus.append(
                    LogBatch(source: ContractEvents.first, events: [ContractEvents.post(11)])
                )
                try expect(next.sequences[0] > receipt.sequences[9], "position \(next.sequences[0]) was given before")
                let read = try await bench.entries(after: receipt.sequences[9])
                try expectEqual(read.map(\.sequence), next.sequences, "positions")
                try expectEqual(read.map(\.entry.recordedTime), [recorded], "recorded time")
            },
            Check("Trimming by size drops the oldest until the rest fits") { bench in
                let bus = try await bench.bus()
                for start in stride(from: 0, to: 2_000, by: 100) {
                    let events = (start..<start + 100).map { ContractEvents.post($0, size: 1_000) }
                    _ = try await bus.append(LogBatch(source: ContractEvents.first, events: events))
                }
                let receipt = try await bus.trim(RetentionPolicy(size: 1_500_000), now: bench.environment.clock.now)
                try expect(
                    (500...1_600).contains(receipt.events),
                    "\(receipt.events) of 2,000 events of 1.3 KB dropped"
                )
                let rest = try await bench.entries(after: receipt.trimmedThrough)
                try expectEqual(rest.count, 2_000 - receipt.events, "retained")
                let again = try await bus.trim(RetentionPolicy(size: 1_500_000), now: bench.environment.clock.now)
                try expectEqual(again.events, 0, "dropped by doing it again")
            },
        ]
    }
}
