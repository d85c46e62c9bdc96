public import ConnectorKit
import HTTPTypes
import SocialEvents

extension ConnectorContract {
    /// Judges deliveries: good ones give the same valid events every time, cut and changed ones are contained, and a signed one whose bytes or signature
    /// changed is never accepted.
    ///
    /// - Parameters:
    ///   - deliveries: genuine deliveries, signed with the settings' secret if the platform signs. Credentials in the settings are replaced by
    ///     ``secret``: sign with that.
    ///   - isSigned: whether the platform signs.
    /// - Throws: ``ContractFailure`` for a broken promise.
    public func webhook(_ deliveries: [WebhookDelivery], isSigned: Bool) async throws {
        for delivery in deliveries {
            let first = try await accepted(delivery)
            let second = try await accepted(delivery)
            guard first.map(\.id) == second.map(\.id) else {
                throw ContractFailure(
                    "the same delivery gives the same events",
                    difference(first.map(\.id), second.map(\.id))
                )
            }
            for cut in 0..<Self.cuts {
                var tampered = delivery
                tampered.body = Array(delivery.body.prefix(delivery.body.count * cut / Self.cuts))
                try await isContained(tampered, isSigned, "cut at \(cut)/\(Self.cuts)")
            }
            for index in stride(from: 0, to: delivery.body.count, by: max(1, delivery.body.count / Self.cuts)) {
                var tampered = delivery
                tampered.body[index] ^= 1
                try await isContained(tampered, isSigned, "bit changed in byte \(index)")
            }
            if isSigned {
                var unsigned = delivery
                unsigned.headers = [:]
                try await isContained(unsigned, true, "without its header fields")
            }
        }
    }

    /// What stands for every credential of the settings during the checks.
    public static var secret: Secret { Secret(marker) }

    private func accepted(_ delivery: WebhookDelivery) async throws -> [Event] {
        let promise = "a genuine delivery is accepted"
        guard let source = try run().connector as? any WebhookSource else {
            throw ContractFailure(promise, "it is no webhook source")
        }
        switch try await source.receive(delivery) {
        case .accepted(let events, _):
            try ContractFailure.check(events)
            return events
        case .challenge: return []
        case .rejected(let status, let reason):
            throw ContractFailure(promise, "it was rejected with \(status): \(reason)")
        }
    }

    private func isContained(_ delivery: WebhookDelivery, _ isSigned: Bool, _ what: String) async throws {
        guard let source = try run().connector as? any WebhookSource else { return }
        do {
            switch try await source.receive(delivery) {
            case .accepted(let events, _):
                guard !isSigned else { throw ContractFailure("a changed delivery is not accepted", what) }
                try ContractFailure.check(events)
            case .challenge:
                guard !isSigned else { throw ContractFailure("a changed delivery is not accepted", what) }
            case .rejected(_, let reason):
                guard !reason.contains(Self.marker) else { throw ContractFailure("no secret is printed", what) }
            }
        } catch let error as ConnectorError {
            guard !error.description.contains(Self.marker) else { throw ContractFailure("no secret is printed", what) }
        }
    }
}
