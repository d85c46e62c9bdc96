import ConnectorKit
import MessageBus
import SocialEvents
import Synchronization
import Testing

@testable import SQLiteBus

/// The parts of the embedded log, each for itself.
@Suite(.timeLimit(.minutes(10))) struct PartsTests {
    @Test("SipHash-2-4 gives the digests of its authors' test vectors")
    func sipHash() {
        let hash = SipHash(low: 0x0706_0504_0302_0100, high: 0x0f0e_0d0c_0b0a_0908)
        let vectors: [(count: Int, digest: UInt64)] = [
            (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
        ]
        for vector in vectors {
            let bytes = (0..<vector.count).map { UInt8($0) }
            #expect(bytes.withUnsafeBytes { hash.digest($0) } == vector.digest)
        }
    }

    @Test("An object's events are found by their ids only where the ids say it")
    func objectKeys() {
        let object = ObjectID(text: "feed:article:https://a.example/1")
        for verb in EventType.Verb.allCases {
            for revision in [0, 1, 27] {
                #expect(ObjectKeys.derives(object, from: EventID(object, verb, revision: revision)))
            }
        }
        let others = [
            "", "/", "/created/", "/created/x", "/created/1/created", "/published", "created", "/created2",
            "0/created", "/2/created",
        ]
        for other in others {
            #expect(!ObjectKeys.derives(object, from: EventID(text: object.text + other)), "\(other)")
        }
    }

    @Test("A mailbox hands over within its bounds, in order, and lets those beyond be withdrawn")
    func mailbox() async throws {
        let mailbox = Mailbox(maximumWeight: 1 << 20, maximumCount: 2)
        let calls = Mutex(0)
        mailbox.connect { calls.withLock { $0 += 1 } }
        let hash = SipHash(low: 0, high: 0)
        let configuration = SQLiteBusConfiguration { BusFixture.start }
        var tasks: [Task<AppendReceipt, any Error>] = []
        for number in 0..<4 {
            let batch = LogBatch(source: SourceName("\(number)"), events: [BusFixture.post(number)])
            let prepared = try PreparedBatch(batch, hash: hash, configuration: configuration)
            tasks.append(Task { try await mailbox.append(prepared) })
            while mailbox.waitingCount < number + 1 { await Task.yield() }
        }
        #expect(calls.withLock { $0 } == 1)
        for task in [tasks[1], tasks[3]] { task.cancel() }
        await #expect(throws: CancellationError.self) { _ = try await tasks[3].value }
        #expect(finish(mailbox.take(upTo: .max)) == ["0", "1"])
        #expect(finish(mailbox.take(upTo: .max)) == ["2"])
        #expect(finish(mailbox.take(upTo: .max)) == [])
        for task in tasks[..<3] { #expect(try await task.value.repeated == 7) }
    }

    @Test("What waits beyond a mailbox's bounds is refused when it closes, what is within is done")
    func closingMailbox() async throws {
        let mailbox = Mailbox(maximumWeight: 1, maximumCount: 10)
        let configuration = SQLiteBusConfiguration { BusFixture.start }
        var tasks: [Task<AppendReceipt, any Error>] = []
        for number in 0..<3 {
            let batch = LogBatch(source: SourceName("\(number)"), events: [BusFixture.post(number)])
            let prepared = try PreparedBatch(batch, hash: SipHash(low: 0, high: 0), configuration: configuration)
            tasks.append(Task { try await mailbox.append(prepared) })
            while mailbox.waitingCount < number + 1 { await Task.yield() }
        }
        mailbox.close()
        await #expect(throws: BusError.closed) { _ = try await tasks[1].value }
        await #expect(throws: BusError.closed) { _ = try await tasks[2].value }
        #expect(finish(mailbox.take(upTo: .max)) == ["0"])
        #expect(try await tasks[0].value.repeated == 7)
    }

    @Test("Recent events are bounded in bytes, and forget what is erased and trimmed")
    func recentEvents() throws {
        let recent = RecentEvents(head: .start, trimmedThrough: .start, maximumBytes: 1_000)
        for number in 1...30 {
            recent.publish([chunk(Int64(number), size: 100)], erased: [])
        }
        let limits = PageLimits()
        #expect(try recent.page(after: Sequence(10), filter: EventFilter(), limits: limits) == nil)
        let page = try #require(try recent.page(after: Sequence(25), filter: EventFilter(), limits: limits))
        #expect(page.entries.map(\.sequence.number) == [26, 27, 28, 29, 30])
        for entry in page.entries {
            #expect(page.storage[entry.body].allSatisfy { $0 == UInt8(entry.sequence.number) })
        }
        recent.erase([Sequence(27), Sequence(30)])
        let erased = try #require(try recent.page(after: Sequence(25), filter: EventFilter(), limits: limits))
        #expect(erased.entries.map(\.sequence.number) == [26, 28, 29])
        #expect(erased.storage.count == 300)
        #expect(erased.scannedThrough == Sequence(30))
        recent.trim(through: Sequence(28))
        #expect(throws: BusError.positionLost(lost: Sequence(26)...Sequence(28))) {
            _ = try recent.page(after: Sequence(25), filter: EventFilter(), limits: limits)
        }
        let rest = try #require(try recent.page(after: Sequence(28), filter: EventFilter(), limits: limits))
        #expect(rest.entries.map(\.sequence.number) == [29])
    }

    private func chunk(_ number: Int64, size: Int) -> RecentEvents.Chunk {
        let entry = LogEntry(
            sequence: Sequence(number),
            recordedTime: BusFixture.start,
            source: BusFixture.source,
            platform: BusFixture.platform,
            type: .postCreated,
            duplicateOf: nil,
            body: 0..<size
        )
        return RecentEvents.Chunk(
            entries: [entry],
            storage: [UInt8](repeating: UInt8(number), count: size),
            last: Sequence(number)
        )
    }

    /// Tells the callers of `jobs` that they are done; answers their sources.
    private func finish(_ jobs: [WriteJob]) -> [String] {
        jobs.compactMap { job in
            guard case .append(let batch, let continuation) = job else { return nil }
            continuation.resume(returning: AppendReceipt(sequences: [], repeated: 7))
            return batch.source.name
        }
    }
}

/// Which bytes of which pages are overwritten on their way to the database file.
@Suite(.timeLimit(.minutes(10))) struct PageScrubberTests {
    @Test("The gap of a tree's page lies between the cells and the pointers to them")
    func gaps() {
        #expect(gap(5, kind: 13, cells: 10, content: 4_000) == 28..<4_000)
        #expect(gap(5, kind: 10, cells: 0, content: 8_192) == 8..<8_192)
        #expect(gap(5, kind: 5, cells: 3, content: 100) == 18..<100)
        #expect(gap(5, kind: 2, cells: 3, content: 100) == 18..<100)
        #expect(gap(1, kind: 13, cells: 4, content: 3_000) == 116..<3_000)
    }

    @Test("Pages of other kinds, ill-formed pages and those that tell where others belong are left alone")
    func others() {
        for kind: UInt8 in [0, 1, 3, 4, 6, 9, 14, 255] { #expect(gap(5, kind: kind, cells: 1, content: 4_000) == nil) }
        #expect(gap(5, kind: 13, cells: 3_000, content: 4_000) == nil)
        #expect(gap(5, kind: 13, cells: 3, content: 9_000) == nil)
        #expect(gap(5, kind: 13, cells: 3, content: 0) == nil)
        for number: Int64 in [2, 2 + 1_639, 2 + 2 * 1_639] {
            #expect(gap(number, kind: 5, cells: 3, content: 100) == nil)
            #expect(gap(number + 1, kind: 5, cells: 3, content: 100) != nil)
        }
    }

    private func gap(_ number: Int64, kind: UInt8, cells: Int, content: Int) -> Range<Int>? {
        var page = [UInt8](repeating: 7, count: 8_192)
        let header = number == 1 ? 100 : 0
        page[header] = kind
        page[header + 3] = UInt8(cells >> 8)
        page[header + 4] = UInt8(cells & 0xff)
        page[header + 5] = UInt8(content >> 8 & 0xff)
        page[header + 6] = UInt8(content & 0xff)
        return page.withUnsafeBytes { PageScrubber.gap(in: $0, number: number) }
    }
}
