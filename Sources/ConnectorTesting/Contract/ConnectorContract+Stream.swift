import ConnectorKit
import SocialEvents

extension ConnectorContract {
    /// A sink's failure ends the stream, and a new one from the last durable cursor brings exactly what was not durable, wherever it failed.
    public func streamResumesAfterFailedSinks() async throws {
        let promise = "a stream goes on from the last durable cursor"
        let whole = try await stream(run(), from: nil, into: RecordingSink(), promise)
        let expected = whole.events.map(\.id)
        guard !expected.isEmpty else { throw ContractFailure(promise, "the script gave no events at all") }
        for call in 1...min(whole.callCount, Self.cuts) {
            let failing = RecordingSink(failing: .calls([call]))
            let run = try run()
            guard let source = run.connector as? any StreamSource else { return }
            do {
                try await source.stream(after: nil, into: failing)
                // What comes quickly may have gathered into fewer batches this time.
                guard failing.callCount >= call else { continue }
                throw ContractFailure("a sink's failure ends the stream", "call \(call) failed and the stream went on")
            } catch is RecordingSink.Failure {
                // As it should be: the host sees what its own sink threw.
            } catch let error as ConnectorError {
                if failing.callCount < call, error.code == .unavailable { continue }
                guard error.underlying is RecordingSink.Failure else {
                    throw ContractFailure("a sink's failure ends the stream", "it became \(error)")
                }
            }
            guard failing.callCount == call else {
                throw ContractFailure(
                    "a sink's failure ends the stream",
                    "it was called again after call \(call) failed"
                )
            }
            let rest = try await stream(self.run(), from: failing.cursor, into: RecordingSink(), promise)
            let ids = (failing.events + rest.events).map(\.id)
            guard Set(ids) == Set(expected) else {
                throw ContractFailure(promise, "failing at call \(call): \(difference(expected, ids))")
            }
        }
    }

    /// A stream whose platform is silent ends when it is cancelled.
    ///
    /// Give the test a time limit: one that does not end hangs it.
    public func cancelledStreamEnds() async throws {
        if webSockets != nil {
            let run = try run(isSilent: true)
            return try await ends(run) { try await run.webSockets.waitForRequests() }
        }
        for answer in [ScriptedAnswer.hang, .response().stayingOpen()] {
            let run = try run { _ in answer }
            try await ends(run) { try await run.http.waitForRequests() }
        }
    }

    private func ends(_ run: Run, onceAsked: () async throws -> Void) async throws {
        guard let source = run.connector as? any StreamSource else { return }
        // Awaited below.
        let task = Task { try await source.stream(after: nil, into: RecordingSink()) }
        try await onceAsked()
        task.cancel()
        _ = await task.result
    }

    private func stream(
        _ run: Run,
        from cursor: Cursor?,
        into sink: RecordingSink,
        _ promise: String
    ) async throws -> RecordingSink {
        guard let source = run.connector as? any StreamSource else {
            throw ContractFailure(promise, "it is no stream source")
        }
        do {
            try await source.stream(after: cursor, into: sink)
        } catch let error as ConnectorError where error.code == .unavailable {
            // A scripted connection ends, which some platforms' streams never do by themselves.
        } catch {
            throw ContractFailure(promise, "the stream failed: \(error)")
        }
        try ContractFailure.check(sink.events)
        for cursor in sink.batches.compactMap(\.cursor) where cursor.bytes.count > Cursor.maximumSize {
            throw ContractFailure("cursors are bounded", "one has \(cursor.bytes.count) bytes")
        }
        return sink
    }
}
