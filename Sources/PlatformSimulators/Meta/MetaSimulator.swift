import HTTPTypes
import Synchronization

/// Meta's platforms as the documentation of the Graph API and of its webhooks describes them: Instagram by either login, WhatsApp's Business
/// Cloud API, Pages with Messenger.
///
/// Requests may begin with a version, `/v23.0`. Everything is selected by `fields` and paged by cursors, newest first.
///
/// | path | answers |
/// |---|---|
/// | `GET /me`, `/{account}` | the account of the token; of the Instagram account also `mentioned_media.media_id(ID){..}`, `mentioned_comment.comment_id(ID){..}` |
/// | `GET /{instagram}/media`, `/stories`, `/tags` | posts, what is up of the last 24 hours, posts in which the account is tagged |
/// | `GET /{media}`, `/{media}/comments`, `/{media}/children`, `/{media}/insights`, `GET /{comment}`, `/{comment}/replies` | a post, what is said under it and how it does |
/// | `GET /ig_hashtag_search`, `/{hashtag}/recent_media`, `/{hashtag}/top_media` | 30 hashtags in seven days; posts of 24 hours |
/// | `GET /{page}/feed`, `/{page}/posts`, `/{post}`, `/{post}/comments`, `/{comment}/comments` | a Page |
/// | `GET /{account}/conversations?platform=`, `/{conversation}/messages` | what was said in private |
/// | `POST /{phone}/messages`, `GET /{phone}`, `/{whatsapp}/phone_numbers`, `/{whatsapp}/message_templates` | sending on WhatsApp, and with what |
/// | `POST /{comment}/replies`, `/{media}/comments`, `/{post}/comments`, `/{account}/messages`, `DELETE /{id}` | answers, and taking back |
/// | `GET /debug_token`, `/refresh_access_token`, `/oauth/access_token` | what a token is worth, and a new one |
/// | `POST /` with `batch` | up to 50 requests at once |
/// | `POST /{app}/subscriptions`, `/{id}/subscribed_apps` | where webhooks go |
///
/// Webhooks are signed with ``appSecret`` and go, after a question that the callback answers, in batches to every subscription; what is not
/// answered with 2xx is sent again, later and later. Statuses come in any order and more than once. The tokens are ``instagramToken``,
/// ``pageToken`` and ``systemToken``.
///
/// Beside the faults that all platforms share it knows, for requests: `throttle` (the code of the account's kind), `throttle-4` to `throttle-131056`,
/// `expire-token` (until ``renewTokens()``), `password-changed`, `permission`, `transient`, `unknown-error`, `gone`, `empty-page`, `reject-cursor`,
/// `unknown-fields`; and for deliveries: `repeat`, `reorder`, `lost-answer` (taken, yet sent again), `silent` (never sent), `test-event`,
/// `forged` (another secret), `unsigned`, `garbage`, `malformed-item`, `unknown-type`, `unknown-fields`.
package final class MetaSimulator: WebhookSimulator {
    /// The app's secret, which signs.
    package static let appSecret = "simulated-app-secret"
    /// What a callback knows the platform by, unless a subscription says otherwise.
    package static let verifyToken = "simulated-verify-token"
    /// A token of Instagram's own login.
    package static let instagramToken = "IGAAsimulatedInstagramToken"
    /// A token of the Page, and of the Instagram account behind it.
    package static let pageToken = "EAAsimulatedPageToken"
    /// A token of a system user, for WhatsApp.
    package static let systemToken = "EAAsimulatedSystemToken"

    /// What can go wrong beside what goes wrong everywhere.
    package static let ownFaults: Set<Fault.Kind> = Set(requestFaults.keys).union(throttleFaults.keys).union([
        .throttle, .expireToken, "empty-page", .rejectCursor, .unknownFields, .repeated, .reorder, "lost-answer",
        "silent",
        "test-event", "forged", "unsigned", .garbage, "malformed-item", .unknownType,
    ])

    struct Token: Sendable {
        enum Kind: Sendable { case instagram, page, system }
        var kind: Kind
        var issuedAt: Int64
        var expiresAt: Int64?
        var isExpired = false
    }

    struct State {
        var world: MetaWorld
        var outbox = MetaOutbox()
        var dice: Dice
        var pace: Pace
        var tokens: [String: Token]
        var refreshes = 0
        /// The hashtags that were asked for, and when first.
        var hashtags: [String: Int64] = [:]
        /// A delivery that waits for its successor, and since when.
        var held: (letter: Parcel, at: Int64)?
        var forgeriesTaken = 0
    }

    /// A delivery before it is signed.
    struct Parcel {
        var product: MetaProduct
        var body: [UInt8]
        var facts: [Ledger.Entry]
    }

    /// What happened; also, as `told`, `given-up` and `silenced`, what became of each webhook that had to tell it.
    package let ledger = Ledger()
    /// What shall go wrong.
    package let faults = FaultPlan()
    let login: InstagramLogin
    let allowance: RequestAllowance
    let state: Mutex<State>

    /// A platform.
    ///
    /// - Parameters:
    ///   - products: what is stood in for.
    ///   - login: how the Instagram account was connected.
    ///   - seed: which story to tell.
    ///   - now: when the story begins, in milliseconds since 1970.
    ///   - history: how many things have happened at the beginning, of which no webhook tells.
    ///   - pace: milliseconds between two things as time passes; 0 for none.
    ///   - allowance: how many requests an hour each token has.
    ///   - subscriptions: who is called about what.
    package init(
        _ products: [MetaProduct] = MetaProduct.allCases,
        login: InstagramLogin = .facebook,
        seed: UInt64 = 1,
        now: Int64,
        history: Int = 60,
        pace: Int64 = 0,
        allowance: Int = 4800,
        subscriptions: [MetaSubscription] = []
    ) {
        self.login = login
        self.allowance = RequestAllowance(limit: allowance, window: 3_600_000)
        let step = max(pace, 1000)
        let begin = now - Int64(history) * step
        let world = MetaWorld(seed: seed, people: 24, now: begin, products: products, login: login, ledger: ledger)
        let kinds: [(String, Token.Kind)] = [
            (Self.instagramToken, .instagram), (Self.pageToken, .page), (Self.systemToken, .system),
        ]
        let tokens = kinds.map { ($0.0, Token(kind: $0.1, issuedAt: begin, expiresAt: Self.end($0.1, begin))) }
        state = Mutex(
            State(
                world: world,
                dice: Dice(seed: seed ^ 0x706f_7374),
                pace: Pace(every: pace, from: now),
                tokens: Dictionary(tokens, uniquingKeysWith: { first, _ in first })
            )
        )
        state.withLock { state in
            for _ in 0..<history {
                state.world.live()
                state.world.age()
                state.world.now += step
            }
            state.world.now = now
            for subscription in subscriptions { Self.subscribe(subscription, &state) }
        }
    }

    /// Sixty days for people's tokens; a system user's does not end.
    static func end(_ kind: Token.Kind, _ now: Int64) -> Int64? { kind == .system ? nil : now + 60 * MetaWorld.day }

    /// Lets webhooks tell of what happens from now on.
    package func subscribe(_ subscription: MetaSubscription) {
        state.withLock { Self.subscribe(subscription, &$0) }
    }

    static func subscribe(_ subscription: MetaSubscription, _ state: inout State) {
        state.outbox.subscribe(subscription)
        state.world.told = state.outbox.products
    }

    // MARK: - Time and life

    /// Lets that many things happen at once, a little apart.
    package func publish(_ count: Int) {
        state.withLock { state in
            for _ in 0..<count {
                state.world.now += 7
                state.world.live()
            }
            post(&state)
        }
    }

    /// Lets time pass.
    package func advance(to now: Int64) {
        state.withLock { state in
            while let moment = state.pace.due(by: now) {
                state.world.now = max(state.world.now, moment)
                state.world.age()
                state.world.live()
            }
            state.world.now = max(state.world.now, now)
            state.world.age()
            post(&state)
        }
    }

    /// Lets the number on WhatsApp send a template to several people.
    package func broadcast() {
        state.withLock { state in
            state.world.on(.whatsapp) { $0.broadcast() }
            post(&state)
        }
    }

    /// Tokens are good again, as when somebody has logged in.
    package func renewTokens() {
        state.withLock { state in
            for (text, token) in state.tokens {
                state.tokens[text]?.isExpired = false
                state.tokens[text]?.expiresAt = Self.end(token.kind, state.world.now)
            }
        }
    }

    /// Whether everything that webhooks have to tell by now has been taken.
    package var isDelivered: Bool { state.withLock { $0.outbox.isEmpty && $0.held == nil } }

    /// How many deliveries were taken that the platform never sent.
    package var forgeriesTaken: Int { state.withLock { $0.forgeriesTaken } }

    /// The time of the world, in milliseconds since 1970.
    package var now: Int64 { state.withLock { $0.world.now } }

    // MARK: - Deliveries

    /// Puts what there is to tell into deliveries.
    func post(_ state: inout State) {
        if let held = state.held, state.world.now - held.at > 2000 {
            state.held = nil
            put(held.letter, &state)
        }
        intrude(&state)
        let news = state.world.takeNews()
        guard !news.isEmpty else { return }
        for product in MetaProduct.allCases {
            var rest = news.filter { $0.product == product }[...]
            while !rest.isEmpty {
                // Mostly alone, sometimes a few, now and then very many.
                let size = state.dice.pick([1, 1, 1, 2, 5, state.dice.oneIn(10) ? 1000 : 8])
                send(Array(rest.prefix(size)), product, &state)
                rest = rest.dropFirst(size)
            }
        }
    }

    private func send(_ news: [MetaNews], _ product: MetaProduct, _ state: inout State) {
        var told: [MetaNews] = []
        for item in news {
            if faults.takes("silent") {
                state.world.ledger.append(Self.entry("silenced", item.fact, at: state.world.now))
            } else {
                told.append(item)
            }
        }
        guard !told.isEmpty else { return }
        var envelope = MetaEnvelope(product, login, isStrange: faults.takes(.unknownFields))
        for strange in strangers(product, like: told[0]) { envelope.add(strange, &state.dice) }
        for item in told { envelope.add(item, &state.dice) }
        let isArray = product == .instagram && login == .instagram && state.dice.oneIn(2)
        let parcel = Parcel(product: product, body: envelope.value(isArray: isArray).bytes, facts: told.map(\.fact))
        if state.held == nil, faults.takes(.reorder) {
            state.held = (parcel, state.world.now)
            return
        }
        put(parcel, &state)
        if faults.takes(.repeated) { put(parcel, &state) }
        if let held = state.held {
            state.held = nil
            put(held.letter, &state)
        }
    }

    private func put(_ parcel: Parcel, _ state: inout State) {
        let now = state.world.now
        let dropped = state.outbox.post(
            parcel.body,
            parcel.product,
            facts: parcel.facts,
            secret: Self.appSecret,
            at: now
        )
        for letter in dropped { record(letter, "given-up", at: now) }
    }

    /// Parts of a delivery that are nothing of the world's.
    private func strangers(_ product: MetaProduct, like news: MetaNews) -> [MetaNews] {
        var strangers: [MetaNews] = []
        if faults.takes(.unknownType) {
            var strange = news
            strange.shape = .change(field: "tides", value: ["height": .integer(news.at % 9), "at": .integer(news.at)])
            strangers.append(strange)
        }
        if faults.takes("malformed-item") {
            var strange = news
            switch product {
            case .whatsapp:
                let item: GraphValue = ["id": ["not": "text"], "type": 7, "timestamp": "noon"]
                strange.shape = .part(field: "messages", list: "messages", item: item, contact: [])
            case .instagram, .facebook:
                strange.shape = .messaging([
                    "sender": "nobody", "timestamp": "noon", "message": ["mid": ["not": "text"]],
                ])
            }
            strangers.append(strange)
        }
        return strangers
    }

    /// Deliveries that are nothing of the world's.
    private func intrude(_ state: inout State) {
        let now = state.world.now
        for product in state.outbox.products.sorted(by: { $0.rawValue < $1.rawValue }) {
            let test = MetaEnvelope.test(product, at: now).bytes
            if faults.takes("test-event") {
                _ = state.outbox.post(test, product, facts: [], secret: Self.appSecret, at: now)
            }
            if faults.takes("forged") {
                _ = state.outbox.post(test, product, facts: [], secret: "guessed", isGenuine: false, at: now)
            }
            if faults.takes("unsigned") {
                _ = state.outbox.post(test, product, facts: [], secret: nil, isGenuine: false, at: now)
            }
            if faults.takes(.garbage) {
                let body = Array("{\"object\":\"\(product.object)\",\"entry\":[{\"id\":".utf8)
                _ = state.outbox.post(body, product, facts: [], secret: Self.appSecret, at: now)
            }
        }
    }

    private static func entry(_ verb: String, _ fact: Ledger.Entry, at now: Int64) -> Ledger.Entry {
        Ledger.Entry(
            verb,
            fact.object,
            revision: fact.revision,
            actor: fact.actor,
            places: [fact.verb] + fact.places,
            at: now
        )
    }

    private func record(_ letter: MetaOutbox.Letter, _ verb: String, at now: Int64) {
        for fact in letter.facts { ledger.append(Self.entry(verb, fact, at: now)) }
    }

    /// The calls that are to be made now: questions, then deliveries.
    package func takeCalls() -> [SimulatedCall] {
        state.withLock { $0.outbox.takeCalls(at: $0.world.now) }
    }

    /// Learns what came of a call.
    package func answered(_ call: SimulatedCall, status: Int?, body: [UInt8]) {
        let isGood = (200..<300).contains(status ?? 0)
        let isLost = isGood && call.id >= 0 && faults.takes("lost-answer")
        state.withLock { state in
            let now = state.world.now
            switch state.outbox.answered(call, isGood: isGood, body: body, isLost: isLost, at: now) {
            case .delivered(let letter) where letter.isGenuine: record(letter, "told", at: now)
            case .delivered: if isGood { state.forgeriesTaken += 1 }
            case .givenUp(let letter): record(letter, "given-up", at: now)
            case .confirmed, .again, nil: break
            }
        }
    }
}
