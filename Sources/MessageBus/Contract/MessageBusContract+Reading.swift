import SocialEvents

extension MessageBusContract {
    static var reading: [Check] {
        [
            Check("Reading on after any position yields every later event once, in order") { bench in
                let bus = try await bench.bus()
                for start in stride(from: 0, to: 40, by: 4) {
                    let source = start.isMultiple(of: 8) ? ContractEvents.first : ContractEvents.second
                    let events = ContractEvents.posts(start..<start + 4)
                    _ = try await bus.append(LogBatch(source: source, events: events))
                }
                for _ in 0..<2 {
                    let all = try await bench.entries()
                    try expectEqual(all.count, 40, "events")
                    for (index, event) in all.enumerated() {
                        let rest = try await bench.entries(after: event.sequence, limits: PageLimits(count: 7))
                        try expectEqual(rest, Array(all[(index + 1)...]), "after \(event.sequence)")
                    }
                    // Once as they were just stored, once as a restarted log has them.
                    _ = try await bench.reopen()
                }
            },
            Check("Filters select by source, platform and type") { bench in
                let bus = try await bench.bus()
                let other: Platform = "other"
                _ = try await bus.append(
                    LogBatch(
                        source: ContractEvents.first,
                        events: [
                            ContractEvents.post(0), ContractEvents.post(0, .postUpdated, revision: 1),
                            ContractEvents.post(1, platform: other),
                        ]
                    )
                )
                _ = try await bus.append(
                    LogBatch(
                        source: ContractEvents.second,
                        events: [ContractEvents.post(2), ContractEvents.post(3, .postUpdated, platform: other)]
                    )
                )
                for _ in 0..<2 {
                    let all = try await bench.entries()
                    let filters: [(EventFilter, [Int])] = [
                        (EventFilter(), [0, 1, 2, 3, 4]),
                        (EventFilter(sources: [ContractEvents.first]), [0, 1, 2]),
                        (EventFilter(sources: [ContractEvents.first, ContractEvents.second]), [0, 1, 2, 3, 4]),
                        (EventFilter(platforms: [other]), [2, 4]),
                        (EventFilter(types: [.postUpdated]), [1, 4]),
                        (EventFilter(sources: [ContractEvents.second], platforms: [other], types: [.postUpdated]), [4]),
                        (EventFilter(sources: [SourceName("nobody")]), []),
                        (EventFilter(types: [.followCreated]), []),
                    ]
                    for (filter, expected) in filters {
                        let found = try await bench.entries(filter: filter)
                        try expectEqual(found, expected.map { all[$0] }, "\(filter)")
                    }
                    _ = try await bench.reopen()
                }
            },
            Check("A page keeps to its limits and says how far it came") { bench in
                var bus = try await bench.bus()
                let large = (0..<20).map { ContractEvents.post($0, size: 2_000) }
                let receipt = try await bus.append(LogBatch(source: ContractEvents.first, events: large))
                for _ in 0..<2 {
                    let counted = try await bus.page(after: .start, filter: EventFilter(), limits: PageLimits(count: 3))
                    try expectEqual(counted.entries.map(\.sequence), Array(receipt.sequences[..<3]), "by count")
                    try expectEqual(counted.scannedThrough, receipt.sequences[2], "scanned, by count")
                    try expectEqual(counted.head, receipt.sequences[19], "head")
                    let sized = try await bus.page(
                        after: .start,
                        filter: EventFilter(),
                        limits: PageLimits(bytes: 7_000)
                    )
                    try expect(
                        (2...3).contains(sized.entries.count),
                        "\(sized.entries.count) events of 2 KB in 7,000 bytes"
                    )
                    try expectEqual(sized.scannedThrough, sized.entries.last?.sequence, "scanned, by size")
                    let tiny = try await bus.page(after: .start, filter: EventFilter(), limits: PageLimits(bytes: 1))
                    try expectEqual(tiny.entries.count, 1, "the first event is given however large")
                    let none = EventFilter(types: [.postDeleted])
                    let looked = try await bus.page(after: .start, filter: none, limits: PageLimits(scanned: 5))
                    try expectEqual(looked.entries.count, 0, "nothing passes")
                    try expectEqual(looked.scannedThrough, receipt.sequences[4], "scanned, by effort")
                    let all = try await bus.page(after: .start, filter: none, limits: PageLimits())
                    try expectEqual(all.scannedThrough, all.head, "scanned to the head")
                    let end = try await bus.page(after: all.head, filter: EventFilter(), limits: PageLimits())
                    try expectEqual(end.entries.count, 0, "after the head")
                    try expectEqual(end.scannedThrough, all.head, "scanned, after the head")
                    bus = try await bench.reopen()
                }
            },
            Check("A position beyond the head is refused with the head") { bench in
                var bus = try await bench.bus()
                let limits = PageLimits()
                try await expectError(.positionAhead(head: .start), "in an empty log") {
                    _ = try await bus.page(after: Sequence(1), filter: EventFilter(), limits: limits)
                }
                let receipt = try await bus.append(
                    LogBatch(source: ContractEvents.first, events: ContractEvents.posts(0..<3))
                )
                for _ in 0..<2 {
                    let head = receipt.sequences[2]
                    try await expectError(.positionAhead(head: head), "one beyond") {
                        _ = try await bus.page(after: Sequence(head.number + 1), filter: EventFilter(), limits: limits)
                    }
                    bus = try await bench.reopen()
                }
            },
        ]
    }

    static var waiting: [Check] {
        [
            Check("Waiting ends at once where there are events, and with the next one where there are none") { bench in
                let bus = try await bench.bus()
                async let first: Void = bus.waitForEvents(after: .start)
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(0)]))
                try await first
                try await bus.waitForEvents(after: .start)
                let head = try await bus.bounds().head
                let waiters = (0..<50).map { _ in
                    Task {
                        try await bus.waitForEvents(after: head)
                        return try await bus.page(after: head, filter: EventFilter(), limits: PageLimits()).entries
                            .count
                    }
                }
                // A batch that adds nothing wakes nobody, and the next one everybody.
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(0)]))
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(1)]))
                for waiter in waiters { try expectEqual(try await waiter.value, 1, "events after the wait") }
            },
            Check("Waiting ends when its task is cancelled, and only that") { bench in
                let bus = try await bench.bus()
                let cancelled = (0..<50).map { _ in Task { try await bus.waitForEvents(after: .start) } }
                let kept = Task { try await bus.waitForEvents(after: .start) }
                for (index, task) in cancelled.enumerated() {
                    if index.isMultiple(of: 3) { await Task.yield() }
                    task.cancel()
                }
                for task in cancelled {
                    do {
                        try await task.value
                        throw ContractFailure(description: "a cancelled wait ended without an event")
                    } catch is CancellationError {}
                }
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(0)]))
                try await kept.value
            },
            Check("Closing ends all waiting, and everything after it is refused") { bench in
                let bus = try await bench.bus()
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [ContractEvents.post(0)]))
                let head = try await bus.bounds().head
                let waiters = (0..<10).map { _ in Task { try await bus.waitForEvents(after: head) } }
                let appends = (1..<30).map { number in
                    Task {
                        try await bus.append(
                            LogBatch(source: ContractEvents.first, events: [ContractEvents.post(number)])
                        )
                    }
                }
                await bus.close()
                for waiter in waiters {
                    // One of the appends may have woken it before.
                    do { try await waiter.value } catch BusError.closed {}
                }
                var stored = 1
                for append in appends {
                    do { stored += try await append.value.sequences.count } catch BusError.closed {}
                }
                let refused: [(String, () async throws -> Void)] = [
                    ("append", { _ = try await bus.append(LogBatch(source: ContractEvents.first)) }),
                    ("page", { _ = try await bus.page(after: .start, filter: EventFilter(), limits: PageLimits()) }),
                    ("wait", { try await bus.waitForEvents(after: .start) }),
                    ("cursor", { _ = try await bus.cursor(of: ContractEvents.first) }),
                    ("bounds", { _ = try await bus.bounds() }),
                    ("erase", { _ = try await bus.erase(.source(ContractEvents.first)) }),
                    ("trim", { _ = try await bus.trim(RetentionPolicy(), now: Timestamp(seconds: 0)) }),
                    ("dead letters", { _ = try await bus.deadLetters(of: nil, after: 0, limit: 1) }),
                    ("counts", { _ = try await bus.deadLetterCounts() }),
                    ("discard", { _ = try await bus.discardDeadLetter(1) }),
                    ("value", { _ = try await bus.value(for: "key") }),
                    ("set value", { try await bus.setValue([], for: "key") }),
                ]
                for (name, call) in refused { try await expectError(.closed, name, call) }
                await bus.close()
                _ = try await bench.reopen()
                try expectEqual(try await bench.entries().count, stored, "events against those acknowledged")
            },
        ]
    }
}
