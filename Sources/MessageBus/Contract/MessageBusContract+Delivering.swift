import ConnectorKit
import SocialEvents

extension MessageBusContract {
    static var delivering: [Check] {
        [
            Check("A delivery only moves forward, for each message, member of a group and source on its own") { bench in
                try expectEqual(try await bench.stored(Deliveries.event(1, .delivered)), 1, "the first news")
                try expectEqual(try await bench.stored(Deliveries.event(1, .sent)), 0, "a stage before it")
                try expectEqual(
                    try await bench.stored(Deliveries.event(1, .read), Deliveries.event(1, .sent)),
                    1,
                    "further"
                )
                // Who gets it may be named now by a number and now by an account.
                let renamed = try await bench.stored(Deliveries.event(1, .delivered, to: "anna-by-another-name"))
                try expectEqual(renamed, 0, "the same recipient by another name")
                for member in ["anna", "bert"] {
                    let further = Deliveries.event(3, .read, to: member, in: "crew")
                    let back = Deliveries.event(3, .sent, to: member, in: "crew")
                    try expectEqual(try await bench.stored(further, back), 1, "\(member) in a group")
                }
                try expectEqual(try await bench.stored(Deliveries.event(2, .queued)), 1, "another message")
                let elsewhere = try await bench.stored(Deliveries.event(1, .sent), by: ContractEvents.second)
                try expectEqual(elsewhere, 1, "another source")
                let again = try await bench.reopen()
                let late = try await again.append(
                    LogBatch(
                        source: ContractEvents.first,
                        events: [Deliveries.event(1, .queued), Deliveries.event(1, .failed)]
                    )
                )
                try expectEqual(late.sequences.count, 1, "stored after a restart")
                try expectEqual(late.repeated, 1, "skipped after a restart")
            },
            Check("The counts of a broadcast end the same in any order and repetition of its news") { bench in
                let bus = try await bench.bus()
                let news = Deliveries.ofABroadcast
                let orders = (0..<12).map { seed in
                    var order = news + news.prefix(seed * 3)
                    var random = SeededGenerator(seed: UInt64(seed))
                    if seed > 0 { order.shuffle(using: &random) }
                    return order
                }
                for (number, order) in orders.enumerated() {
                    let source = SourceName("order-\(number)")
                    var rest = order[...]
                    while !rest.isEmpty {
                        _ = try await bus.append(LogBatch(source: source, events: Array(rest.prefix(1 + number * 2))))
                        rest = rest.dropFirst(1 + number * 2)
                    }
                }
                let tallies = try await bus.changedBroadcasts(limit: 100)
                try expectEqual(
                    tallies.map(\.source).sorted(),
                    orders.indices.map { SourceName("order-\($0)") }.sorted(),
                    "counted"
                )
                for tally in tallies {
                    try expectEqual(tally.broadcast, Deliveries.broadcast, "broadcast")
                    let counts = tally.metrics.map { "\($0.name) \($0.count)" }
                    try expectEqual(counts, Deliveries.counts, "counts of \(tally.source)")
                }
            },
            Check("Counts of a broadcast are told once, and again when they changed, over restarts") { bench in
                var bus = try await bench.bus()
                let news = [Deliveries.event(1, .sent, broadcast: true), Deliveries.event(2, .sent, broadcast: true)]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: news))
                bus = try await bench.reopen()
                let changed = try await bus.changedBroadcasts(limit: 10)
                try expectEqual(changed.count, 1, "changed")
                // What changes between the asking and the telling is news.
                let more = [Deliveries.event(2, .read, broadcast: true)]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: more))
                var told = LogBatch(source: ContractEvents.first, events: [ContractEvents.post(1)])
                told.observed = [ObservedBroadcast(broadcast: changed[0].broadcast, version: changed[0].version)]
                _ = try await bus.append(told)
                let rest = try await bus.changedBroadcasts(limit: 10)
                try expectEqual(rest.map { $0.metrics[3].count }, [1], "read, told again")
                told.observed = rest.map { ObservedBroadcast(broadcast: $0.broadcast, version: $0.version) }
                _ = try await bus.append(told)
                try expectEqual(try await bus.changedBroadcasts(limit: 10), [], "told")
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: more + news))
                bus = try await bench.reopen()
                try expectEqual(try await bus.changedBroadcasts(limit: 10), [], "after repetitions and a restart")
            },
            Check("Who wants no more is counted once, for the broadcast that reached them last") { bench in
                let bus = try await bench.bus()
                let news = Deliveries.ofABroadcast + [Deliveries.event(77, .sent, to: "person-3")]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: news))
                for number in 1...2 {
                    let optOuts = [
                        Deliveries.optOut(of: "person-3", number: number),
                        Deliveries.optOut(of: "a stranger", number: number),
                        Deliveries.optOut(of: "person-4", from: "group", number: number),
                    ]
                    _ = try await bus.append(LogBatch(source: ContractEvents.first, events: optOuts))
                    let counts = try await bus.changedBroadcasts(limit: 1).map { $0.metrics[6] }
                    try expectEqual(counts, [Metrics.NamedCount(name: "opted_out", count: 1)], "opt-outs")
                }
            },
            Check("A person who is forgotten stays counted and nothing more") { bench in
                let bus = try await bench.bus()
                let news = Deliveries.ofABroadcast
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: news))
                let before = try await bus.changedBroadcasts(limit: 1).map(\.metrics)
                _ = try await bus.erase(.actor(ContractEvents.actor("person-2")))
                try expectEqual(try await bus.changedBroadcasts(limit: 1).map(\.metrics), before, "counts")
                let left = try await bench.entries().filter { $0.body.contains("person-2\"") }
                try expectEqual(left.map(\.entry.type), [], "events that name them")
                // An answer of somebody unknown to the broadcast is not theirs.
                let optOut = Deliveries.optOut(of: "person-2", number: 2)
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: [optOut]))
                try expectEqual(try await bus.changedBroadcasts(limit: 1).map(\.metrics), before, "after an opt-out")
            },
            Check("With a source, its deliveries and broadcasts are forgotten") { bench in
                let bus = try await bench.bus()
                let news = [Deliveries.event(1, .read, broadcast: true)]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: news))
                _ = try await bus.append(LogBatch(source: ContractEvents.second, events: news))
                _ = try await bus.erase(.source(ContractEvents.first))
                try expectEqual(
                    try await bus.changedBroadcasts(limit: 9).map(\.source),
                    [ContractEvents.second],
                    "left"
                )
            },
            Check("What retention drops of deliveries goes with its events, and the counts stay while others are news")
            {
                bench in
                let bus = try await bench.bus()
                let first = [Deliveries.event(1, .read, broadcast: true)]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: first))
                bench.environment.clock.now = bench.environment.clock.now.advanced(by: .seconds(7200))
                let second = [Deliveries.event(2, .read, broadcast: true)]
                _ = try await bus.append(LogBatch(source: ContractEvents.first, events: second))
                let policy = RetentionPolicy(age: .seconds(3600), size: nil)
                _ = try await bus.trim(policy, now: bench.environment.clock.now)
                let tally = try await bus.changedBroadcasts(limit: 9)
                try expectEqual(tally.map { $0.metrics[3].count }, [2], "read")
                bench.environment.clock.now = bench.environment.clock.now.advanced(by: .seconds(7200))
                _ = try await bus.trim(policy, now: bench.environment.clock.now)
                try expectEqual(try await bus.changedBroadcasts(limit: 9), [], "after all of it is gone")
            },
        ]
    }
}

extension ContractBench {
    /// Appends events; answers how many of them were stored.
    fileprivate func stored(_ events: Event..., by source: SourceName = ContractEvents.first) async throws -> Int {
        try await bus().append(LogBatch(source: source, events: events)).sequences.count
    }
}

/// News of deliveries.
private enum Deliveries {
    static let broadcast = ObjectID(ContractEvents.platform, .broadcast, "spring")

    static func message(_ number: Int) -> ObjectID { ObjectID(ContractEvents.platform, .message, "m\(number)") }

    static func event(
        _ number: Int,
        _ status: Delivery.Status,
        to recipient: String = "anna",
        in group: String? = nil,
        errorCode: String? = nil,
        broadcast isBroadcast: Bool = false
    ) -> Event {
        let message = message(number)
        var event = Event(
            id: EventID(text: "\(message)/updated/\(recipient)/\(status.rawValue)"),
            type: .deliveryUpdated,
            platform: ContractEvents.platform,
            subject: message,
            time: Timestamp(seconds: 1_790_000_000)
        )
        var delivery = Delivery(status, recipient: ContractEvents.actor(recipient), errorCode: errorCode)
        delivery.group = group.map { ObjectID(ContractEvents.platform, "group", $0) }
        if isBroadcast { delivery.broadcast = broadcast }
        event.data.delivery = delivery
        return event
    }

    static func answer(to number: Int, by person: String) -> Event {
        let message = ObjectID(ContractEvents.platform, .message, "answer-\(number)")
        var event = Event(
            id: EventID(message, .created),
            type: .messageCreated,
            platform: ContractEvents.platform,
            subject: message,
            time: Timestamp(seconds: 1_790_000_000)
        )
        event.data.object = SocialObject(id: message, kind: .message)
        event.data.actor = Actor(id: ContractEvents.actor(person))
        event.data.inReplyTo = Reference(id: Deliveries.message(number))
        return event
    }

    static func optOut(of person: String, from target: String = "actor", number: Int) -> Event {
        let consent = ObjectID(ContractEvents.platform, "consent", person)
        var event = Event(
            id: EventID(consent, .deleted, revision: number),
            type: .followDeleted,
            platform: ContractEvents.platform,
            subject: consent,
            time: Timestamp(seconds: 1_790_000_000)
        )
        event.data.actor = Actor(id: ContractEvents.actor(person))
        event.data.target = Reference(id: ObjectID(ContractEvents.platform, target, "acme"))
        return event
    }

    /// Ten messages: three read, two of them answered; two delivered, two sent, one queued, two failed for one reason.
    ///
    /// One event names no broadcast.
    static var ofABroadcast: [Event] {
        var events: [Event] = []
        for number in 0..<10 {
            var stages: [Delivery.Status] = [.queued]
            if number != 7 { stages.append(.sent) }
            if number < 5 { stages.append(.delivered) }
            if number < 3 { stages.append(.read) }
            if number > 7 { stages.append(.failed) }
            for stage in stages {
                events.append(
                    event(
                        number,
                        stage,
                        to: "person-\(number)",
                        errorCode: stage == .failed ? "131049" : nil,
                        broadcast: !(stage == .delivered && number == 4)
                    )
                )
            }
        }
        events.append(answer(to: 0, by: "person-0"))
        events.append(answer(to: 1, by: "person-1"))
        return events
    }

    static let counts = [
        "queued 10", "sent 7", "delivered 5", "read 3", "failed 2", "replied 2", "opted_out 0", "failed.131049 2",
    ]
}
