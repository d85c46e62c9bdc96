import Crypto
import HTTPTypes

/// Who is to be called about a product.
package struct MetaSubscription: Sendable, Hashable {
    /// The product.
    package var product: MetaProduct
    /// Where: `http`, a loopback address.
    package var url: String
    /// What the question before the first delivery says to be known by.
    package var verifyToken: String

    /// A subscription.
    package init(_ product: MetaProduct, url: String, verifyToken: String = MetaSimulator.verifyToken) {
        self.product = product
        self.url = url
        self.verifyToken = verifyToken
    }
}

/// Deliveries on their way: each is tried until it is answered well, later and later, and given up in the end.
struct MetaOutbox {
    /// A subscription and whether it has been confirmed.
    struct Standing {
        var subscription: MetaSubscription
        var isVerified = false
        var isAsking = false
        var questions = 0
        var nextQuestionAt: Int64 = 0
        var challenge = ""
    }

    /// A delivery.
    struct Letter {
        var id: Int
        var subscription: MetaSubscription
        var headers: HTTPFields
        var body: [UInt8]
        /// What it tells; nothing when it is not from the world.
        var facts: [Ledger.Entry]
        var since: Int64
        var attempts = 0
        var nextAt: Int64
        var isOut = false
        /// Whether the platform sent it: its signature is good.
        var isGenuine = true
    }

    /// What came of an answer.
    enum Outcome {
        case confirmed
        case delivered(Letter)
        case givenUp(Letter)
        case again
    }

    /// As much as is kept for who does not answer.
    static let mostWaiting = 50_000
    /// As many calls as are made at a time.
    static let mostAtOnce = 16

    private(set) var standings: [Standing] = []
    private(set) var letters: [Letter] = []
    private var nextID = 1

    mutating func subscribe(_ subscription: MetaSubscription) {
        standings.removeAll {
            $0.subscription.product == subscription.product && $0.subscription.url == subscription.url
        }
        standings.append(Standing(subscription: subscription))
    }

    mutating func unsubscribe(_ product: MetaProduct) {
        standings.removeAll { $0.subscription.product == product }
        letters.removeAll { $0.subscription.product == product }
    }

    var products: Set<MetaProduct> { Set(standings.map(\.subscription.product)) }

    /// Whether nothing waits any more.
    var isEmpty: Bool { letters.isEmpty }

    /// Puts a delivery down for everybody who listens to the product; returns what had to be dropped for it.
    ///
    /// `secret` signs it; without one it goes unsigned.
    mutating func post(
        _ body: [UInt8],
        _ product: MetaProduct,
        facts: [Ledger.Entry],
        secret: String?,
        isGenuine: Bool = true,
        at now: Int64
    ) -> [Letter] {
        for standing in standings where standing.subscription.product == product {
            letters.append(
                Letter(
                    id: nextID,
                    subscription: standing.subscription,
                    headers: Self.headers(body, secret: secret),
                    body: body,
                    facts: facts,
                    since: now,
                    nextAt: now,
                    isGenuine: isGenuine
                )
            )
            nextID += 1
        }
        guard letters.count > Self.mostWaiting else { return [] }
        let dropped = Array(letters.prefix(Self.mostWaiting / 10))
        letters.removeFirst(dropped.count)
        return dropped
    }

    private static let signatureField = HTTPField.Name("X-Hub-Signature-256") ?? .date
    private static let oldSignatureField = HTTPField.Name("X-Hub-Signature") ?? .date

    private static func headers(_ body: [UInt8], secret: String?) -> HTTPFields {
        var headers: HTTPFields = [.contentType: "application/json", .userAgent: "facebookexternalua", .accept: "*/*"]
        if let secret {
            let key = SymmetricKey(data: Array(secret.utf8))
            headers[oldSignatureField] = "sha1=" + hex(HMAC<Insecure.SHA1>.authenticationCode(for: body, using: key))
            headers[signatureField] = "sha256=" + hex(HMAC<SHA256>.authenticationCode(for: body, using: key))
        }
        return headers
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: - Calls

    /// The calls that are due.
    mutating func takeCalls(at now: Int64) -> [SimulatedCall] {
        var calls: [SimulatedCall] = []
        for index in standings.indices {
            let standing = standings[index]
            guard !standing.isVerified, !standing.isAsking, standing.nextQuestionAt <= now else { continue }
            standings[index].isAsking = true
            standings[index].questions += 1
            standings[index].challenge = String(1_158_201_444 + nextID * 7919)
            calls.append(question(index))
            nextID += 1
        }
        let room = Self.mostAtOnce - letters.count(where: \.isOut)
        let open = Set(standings.filter(\.isVerified).map(\.subscription))
        var taken = 0
        for index in letters.indices {
            guard taken < room else { break }
            let letter = letters[index]
            guard !letter.isOut, letter.nextAt <= now, open.contains(letter.subscription) else { continue }
            letters[index].isOut = true
            taken += 1
            calls.append(
                SimulatedCall(
                    id: letter.id,
                    method: .post,
                    url: letter.subscription.url,
                    headers: letter.headers,
                    body: letter.body
                )
            )
        }
        return calls
    }

    private func question(_ index: Int) -> SimulatedCall {
        let standing = standings[index]
        let url = standing.subscription.url
        let token = GraphPaging.escaped(standing.subscription.verifyToken)
        return SimulatedCall(
            id: -1 - index,
            method: .get,
            url: url + (url.contains("?") ? "&" : "?")
                + "hub.mode=subscribe&hub.challenge=\(standing.challenge)&hub.verify_token=\(token)",
            headers: [.userAgent: "facebookplatform/1.0 (+http://developers.facebook.com)"],
            body: []
        )
    }

    /// Learns of an answer.
    ///
    /// `isLost`: the answer got lost, so that what was taken is sent again.
    mutating func answered(_ call: SimulatedCall, isGood: Bool, body: [UInt8], isLost: Bool, at now: Int64) -> Outcome?
    {
        if call.id < 0 {
            let index = -1 - call.id
            guard standings.indices.contains(index) else { return nil }
            standings[index].isAsking = false
            standings[index].isVerified = isGood && body == Array(standings[index].challenge.utf8)
            standings[index].nextQuestionAt = now + Self.delay(standings[index].questions)
            return standings[index].isVerified ? .confirmed : .again
        }
        guard let index = letters.firstIndex(where: { $0.id == call.id }) else { return nil }
        letters[index].isOut = false
        // Who forges does not insist.
        if isGood && !isLost || !letters[index].isGenuine { return .delivered(letters.remove(at: index)) }
        letters[index].attempts += 1
        letters[index].nextAt = now + Self.delay(letters[index].attempts)
        if now - letters[index].since > letters[index].subscription.product.patience {
            return .givenUp(letters.remove(at: index))
        }
        return .again
    }

    /// How long after that many tries the next one comes: a second, two, four and so on, an hour at most.
    static func delay(_ attempts: Int) -> Int64 { min(1000 << Int64(min(attempts, 20) - 1), 3_600_000) }
}
