package import ConnectorKit
package import SocialEvents

/// As much of a host as a connector needs to show that it loses and invents nothing: a log that takes each event once, a cursor that moves with it,
/// catching up before and behind every connection of a stream.
///
/// It waits for nobody: where a host would sleep it calls `pause`, which lets the test's time pass.
package actor TinyHost {
    /// A connector value, made anew for every life.
    package typealias Maker = @Sendable () throws -> any Connector

    /// The events in the order in which they became durable, each id once.
    package private(set) var log: [Event] = []
    /// Events that came again.
    package private(set) var repetitions = 0
    /// Payloads that could not be read.
    package private(set) var deadLetters = 0
    /// Holes that were told of.
    package private(set) var gaps: [GapReport] = []
    /// How often a step failed, by the code of its error.
    package private(set) var failures: [ConnectorError.Code: Int] = [:]
    /// How often a stream was connected.
    package private(set) var connections = 0
    /// The cursor that is durable.
    package private(set) var cursor: Cursor?

    /// How often it caught up or failed to.
    package private(set) var steps = 0

    private var ids: Set<EventID> = []
    private var isHolding = false
    private var heldCursor: Cursor?
    private let make: Maker
    private let pause: @Sendable () async -> Void

    /// A host without a past.
    package init(pause: @escaping @Sendable () async -> Void, make: @escaping Maker) {
        self.pause = pause
        self.make = make
    }

    /// One life of the process: pulls, streams, and starts over when something fails, until the task is cancelled, which stands for a kill.
    ///
    /// What was durable stays; what the connector had in memory goes.
    package func live() async throws {
        isHolding = false
        heldCursor = nil
        let connector = try make()
        while !Task.isCancelled {
            guard await catchUp(connector) else { continue }
            guard let source = connector as? any StreamSource else {
                await pause()
                continue
            }
            isHolding = true
            heldCursor = nil
            do {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    let (connected, connection) = AsyncStream.makeStream(of: Void.self)
                    let sink = Sink(host: self, connection: connection)
                    group.addTask { [cursor] in
                        defer { connection.finish() }
                        try await source.stream(after: cursor, into: sink)
                    }
                    for await _ in connected {
                        while await !catchUp(connector), !Task.isCancelled {}
                        release()
                    }
                    try await group.waitForAll()
                }
            } catch {
                await failed(error)
            }
            isHolding = false
        }
    }

    /// Pulls until there is no more and, `times` times in a row, nothing new; for the end of a test.
    package func settle(_ times: Int = 3) async throws {
        isHolding = false
        let connector = try make()
        var quiet = 0
        while quiet < times {
            let count = log.count
            let isDone = await catchUp(connector)
            quiet = isDone && log.count == count ? quiet + 1 : 0
            await pause()
        }
    }

    /// Whether it caught up.
    private func catchUp(_ connector: any Connector) async -> Bool {
        guard let source = connector as? any PullSource else { return true }
        defer { steps += 1 }
        while !Task.isCancelled {
            do {
                let page = try await source.pull(PullRequest(cursor: cursor))
                // A killed process makes nothing durable.
                try Task.checkCancellation()
                store(page.events, page.deadLetters, page.gaps)
                if let next = page.cursor { cursor = next }
                if !page.hasMore { return true }
                if page.notBefore != nil { await pause() }
            } catch {
                await failed(error)
                return false
            }
        }
        return false
    }

    private func failed(_ error: any Error) async {
        if let error = error as? ConnectorError { failures[error.code, default: 0] += 1 }
        await pause()
    }

    private func store(_ events: [Event], _ letters: [DeadLetter], _ reports: [GapReport]) {
        for event in events {
            if ids.insert(event.id).inserted {
                log.append(event)
            } else {
                repetitions += 1
            }
        }
        deadLetters += letters.count
        gaps += reports
    }

    private func release() {
        isHolding = false
        if let held = heldCursor { cursor = held }
        heldCursor = nil
    }

    fileprivate func take(_ batch: EventBatch) throws {
        try Task.checkCancellation()
        store(batch.events, batch.deadLetters, batch.gaps)
        guard let next = batch.cursor else { return }
        if isHolding { heldCursor = next } else { cursor = next }
    }

    fileprivate func connect() {
        connections += 1
    }

    private struct Sink: EventSink {
        let host: TinyHost
        let connection: AsyncStream<Void>.Continuation

        func connected() async {
            await host.connect()
            connection.yield()
        }

        func emit(_ batch: EventBatch) async throws {
            try await host.take(batch)
        }
    }
}
