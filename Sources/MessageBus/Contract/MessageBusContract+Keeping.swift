import ConnectorKit
import SocialEvents

extension MessageBusContract {
    static var keeping: [Check] {
        [
            Check("Dead letters are read by source, oldest first, on from any of them, and discarded one by one") {
                bench in
                var bus = try await bench.bus()
                let letters = (0..<6).map {
                    DeadLetter(reason: "\($0)", contentType: "text/plain", payload: [UInt8($0)])
                }
                for (index, letter) in letters.enumerated() {
                    let source = index.isMultiple(of: 2) ? ContractEvents.first : ContractEvents.second
                    _ = try await bus.append(LogBatch(source: source, deadLetters: [letter]))
                }
                bus = try await bench.reopen()
                let all = try await bus.deadLetters(of: nil, after: 0, limit: 100)
                try expectEqual(all.map(\.letter), letters, "all")
                try expect(zip(all, all.dropFirst()).allSatisfy { $0.id < $1.id }, "ids do not rise")
                try expectEqual(all.map(\.recordedTime), all.map { _ in bench.environment.clock.now }, "recorded times")
                let first = try await bus.deadLetters(of: ContractEvents.first, after: 0, limit: 2)
                try expectEqual(first.map(\.letter.reason), ["0", "2"], "of the first source")
                let rest = try await bus.deadLetters(of: ContractEvents.first, after: first[1].id, limit: 2)
                try expectEqual(rest.map(\.letter.reason), ["4"], "the rest of the first source")
                let none = try await bus.deadLetters(of: SourceName("nobody"), after: 0, limit: 2)
                try expectEqual(none, [], "of nobody")
                let counts = try await bus.deadLetterCounts()
                try expectEqual(counts, [ContractEvents.first: 3, ContractEvents.second: 3], "counts")
                try expect(try await bus.discardDeadLetter(first[0].id), "there was nothing to discard")
                try expect(try await !bus.discardDeadLetter(first[0].id), "discarded twice")
                let left = try await bus.deadLetterCounts()
                try expectEqual(left, [ContractEvents.first: 2, ContractEvents.second: 3], "counts, one discarded")
            },
            Check("Values are kept over a restart, replaced and forgotten") { bench in
                var bus = try await bench.bus()
                try expectEqual(try await bus.value(for: "paused"), nil, "before")
                try await bus.setValue([1, 0, 255], for: "paused")
                try await bus.setValue([], for: "empty")
                try await bus.setValue([9], for: "gone")
                try await bus.setValue(nil, for: "gone")
                try await bus.setValue([7], for: "replaced")
                try await bus.setValue([8], for: "replaced")
                bus = try await bench.reopen()
                try expectEqual(try await bus.value(for: "paused"), [1, 0, 255], "kept")
                try expectEqual(try await bus.value(for: "empty"), [], "empty")
                try expectEqual(try await bus.value(for: "gone"), nil, "forgotten")
                try expectEqual(try await bus.value(for: "replaced"), [8], "replaced")
            },
            Check("A log that takes events says so") { bench in
                try expectEqual(try await bench.bus().condition, .ready, "condition")
            },
        ]
    }
}
