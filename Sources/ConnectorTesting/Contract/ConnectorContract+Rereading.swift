public import ConnectorKit
public import SocialEvents

extension ConnectorContract {
    /// Has dead letters read again: the same one gives the same valid events every time, and one that is cut or changed gives events, dead letters or
    /// an error that the host knows, and tells no secret.
    ///
    /// - Parameter letters: dead letters as the connector makes them, of payloads that it can read.
    /// - Returns: the events of each, for the test to look at.
    /// - Throws: ``ContractFailure`` for a broken promise.
    @discardableResult
    public func rereading(_ letters: [DeadLetter]) async throws -> [[Event]] {
        var all: [[Event]] = []
        for letter in letters {
            let first = try await reread(letter)
            let second = try await reread(letter)
            guard first.map(\.id) == second.map(\.id) else {
                throw ContractFailure(
                    "the same dead letter gives the same events",
                    difference(first.map(\.id), second.map(\.id))
                )
            }
            guard !first.isEmpty else { throw ContractFailure("a dead letter that can be read gives events", "none") }
            all.append(first)
            for cut in 0..<Self.cuts {
                var tampered = letter
                tampered.payload = Array(letter.payload.prefix(letter.payload.count * cut / Self.cuts))
                try await isContained(tampered, "cut at \(cut)/\(Self.cuts)")
            }
            for index in stride(from: 0, to: letter.payload.count, by: max(1, letter.payload.count / Self.cuts)) {
                var tampered = letter
                tampered.payload[index] ^= 1
                try await isContained(tampered, "bit changed in byte \(index)")
            }
        }
        return all
    }

    private func reread(_ letter: DeadLetter) async throws -> [Event] {
        guard let reader = try run().connector as? any DeadLetterReader else {
            throw ContractFailure("a dead letter is read again", "the connector does not read any again")
        }
        let reading = try await reader.reread(RereadRequest(letter: letter, receivedAt: now))
        try ContractFailure.check(reading.events)
        if let rest = reading.deadLetters.first {
            throw ContractFailure("a dead letter that can be read is read whole", rest.reason)
        }
        return reading.events
    }

    private func isContained(_ letter: DeadLetter, _ what: String) async throws {
        guard let reader = try run().connector as? any DeadLetterReader else { return }
        do {
            let reading = try await reader.reread(RereadRequest(letter: letter, receivedAt: now))
            try ContractFailure.check(reading.events)
            guard !reading.deadLetters.contains(where: { $0.reason.contains(Self.marker) }) else {
                throw ContractFailure("no secret is printed", what)
            }
        } catch let error as ConnectorError {
            guard !error.description.contains(Self.marker) else { throw ContractFailure("no secret is printed", what) }
        }
    }
}
