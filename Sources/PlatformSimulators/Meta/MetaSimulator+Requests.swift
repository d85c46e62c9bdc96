import HTTPTypes
import JSON
import Synchronization

// Requests: who asks, what goes wrong, and where each path leads.

extension MetaSimulator {
    /// Faults that are one error each.
    static let requestFaults: [Fault.Kind: GraphProblem] = [
        "password-changed": .passwordChanged, "permission": .permission, "transient": .transient,
        "unknown-error": .unknown, "gone": .gone("17900000000000000"),
    ]

    /// Faults that are a throttle of one code.
    static let throttleFaults: [Fault.Kind: GraphProblem] = Dictionary(
        GraphProblem.throttles.map { (Fault.Kind(rawValue: "throttle-\($0.key)"), $0.value) },
        uniquingKeysWith: { first, _ in first }
    )

    /// What an edge works with.
    struct Asked {
        var request: SimulatedRequest
        /// The path without the version.
        var path: [String]
        var fields: GraphFields
        var token: String
        var kind: Token.Kind
        /// The query and the body's form or JSON members, as text.
        var parameters: [String: String]
    }

    /// Answers a request.
    package func answer(_ request: SimulatedRequest) async -> SimulatedAnswer {
        if let answer = faults.answer(for: request) { return answer }
        var path = request.segments
        if path.first.map(Self.isVersion) == true { path.removeFirst() }
        if path.isEmpty, request.method == .post { return await batch(request) }
        let parameters = Self.parameters(request)
        let token = request.bearer ?? parameters["access_token"] ?? ""
        var usage = GraphUsage(
            calls: 0,
            business: business,
            kind: products.first == .whatsapp ? "whatsapp" : "instagram"
        )
        do throws(GraphProblem) {
            if let answer = try tokenAnswer(path, parameters, token) { return Self.json(answer) }
            let kind = try authorize(request, token, parameters)
            try misbehave(request)
            let standing = allowance.take(token, at: now)
            usage.calls = min(100, 100 - standing.remaining * 100 / standing.limit)
            guard standing.isAdmitted else { throw throttle(kind) }
            let asked = Asked(
                request: request,
                path: path,
                fields: GraphFields(parameters["fields"] ?? ""),
                token: token,
                kind: kind,
                parameters: parameters
            )
            var value = try route(asked)
            if faults.takes(.unknownFields, on: request.path) {
                value = value.adding("simulated_novelty", ["tide": ["high", 1]])
            }
            var answer = Self.json(value)
            usage.write(into: &answer.headers)
            return answer
        } catch {
            return error.answer(usage)
        }
    }

    static func json(_ value: GraphValue) -> SimulatedAnswer { .json(bytes: value.bytes) }

    private static func isVersion(_ segment: String) -> Bool {
        segment.first == "v" && segment.dropFirst().contains(".")
            && segment.dropFirst().allSatisfy { $0.isNumber || $0 == "." }
    }

    private var products: [MetaProduct] { state.withLock { $0.world.products } }

    private var business: String {
        products.first == .whatsapp ? MetaAccount.whatsapp : MetaAccount.instagram
    }

    /// The query's and the body's parameters; members of a JSON body that are no text as they stand.
    private static func parameters(_ request: SimulatedRequest) -> [String: String] {
        var parameters: [String: String] = [:]
        for (name, value) in request.query { parameters[name] = value }
        guard !request.body.isEmpty else { return parameters }
        if request.body.first == UInt8(ascii: "{") {
            try? JSONParser().parse(request.body) { root in
                for (key, value) in root.members {
                    var writer = JSONWriter()
                    value.write(into: &writer)
                    parameters[key.string] = value.string ?? String(decoding: writer.bytes, as: UTF8.self)
                }
            }
        } else {
            for (name, value) in request.form { parameters[name] = value }
        }
        return parameters
    }

    // MARK: - What goes wrong

    private func authorize(
        _ request: SimulatedRequest,
        _ token: String,
        _ parameters: [String: String]
    ) throws(GraphProblem) -> Token.Kind {
        guard !token.isEmpty else { throw .noToken }
        let isExpiring = faults.takes(.expireToken, on: request.path)
        let known = state.withLock { state in
            if isExpiring { state.tokens[token]?.isExpired = true }
            return state.tokens[token].map { ($0, state.world.now) }
        }
        if token == Self.appToken { return .system }
        guard let (known, now) = known else { throw .unknownToken }
        guard !known.isExpired, known.expiresAt.map({ $0 > now }) ?? true else { throw .expired }
        if let proof = parameters["appsecret_proof"], proof != Self.proof(of: token) { throw .wrongProof }
        return known.kind
    }

    private func misbehave(_ request: SimulatedRequest) throws(GraphProblem) {
        for kind in Self.requestFaults.keys.sorted(by: { $0.rawValue < $1.rawValue })
        where faults.takes(kind, on: request.path) {
            throw Self.requestFaults[kind] ?? .unknown
        }
        for kind in Self.throttleFaults.keys.sorted(by: { $0.rawValue < $1.rawValue })
        where faults.takes(kind, on: request.path) {
            throw Self.throttleFaults[kind] ?? .unknown
        }
        if faults.takes(.throttle, on: request.path) { throw throttle(products.first == .whatsapp ? .system : .page) }
    }

    private func throttle(_ kind: Token.Kind) -> GraphProblem {
        let code: Int64 =
            switch products.first {
            case .whatsapp: 80_007
            case .facebook: 32
            default: kind == .page || kind == .instagram ? 80_002 : 4
            }
        return GraphProblem.throttles[code] ?? .unknown
    }

    // MARK: - Where paths lead

    private func route(_ asked: Asked) throws(GraphProblem) -> GraphValue {
        let result: Result<GraphValue, GraphProblem> = state.withLock { state in
            do throws(GraphProblem) {
                defer { post(&state) }
                let isWriting = asked.request.method == .post || asked.request.method == .delete
                return .success(try isWriting ? write(asked, &state) : read(asked, &state))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func read(_ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue {
        guard let first = asked.path.first else { return try several(asked, &state) }
        let id = first == "me" ? asked.kind == .page ? MetaAccount.page : MetaAccount.instagram : first
        if let value = try readInstagram(id, asked, &state) { return value }
        if let value = try readFacebook(id, asked, &state) { return value }
        if let value = try readWhatsApp(id, asked, &state) { return value }
        throw .gone(id)
    }

    /// `GET /?ids=1,2`: several objects by their ids.
    private func several(_ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue {
        guard let ids = asked.parameters["ids"] else { throw .unsupported("") }
        var members: [GraphValue.Member] = []
        for id in ids.split(separator: ",").map(String.init) {
            var one = asked
            one.path = [id]
            members.append(.init(name: id, value: try read(one, &state)))
        }
        return .object(members)
    }

    private func write(_ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue {
        if let value = try subscribe(asked, &state) { return value }
        if let value = try writeWhatsApp(asked, &state) { return value }
        if let value = try writePosts(asked, &state) { return value }
        throw .unsupported(asked.path.joined(separator: "/"))
    }

    /// Where webhooks go: `POST /{app}/subscriptions`, `POST /{id}/subscribed_apps`.
    private func subscribe(_ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue? {
        guard asked.path.count == 2 else { return nil }
        if asked.path[1] == "subscribed_apps" { return ["success": true] }
        guard asked.path == [MetaAccount.app, "subscriptions"] else { return nil }
        guard let product = MetaProduct.allCases.first(where: { $0.object == asked.parameters["object"] }) else {
            throw .invalid("object")
        }
        if asked.request.method == .delete {
            state.outbox.unsubscribe(product)
            state.world.told = state.outbox.products
            return ["success": true]
        }
        guard let url = asked.parameters["callback_url"] else { throw .missing("callback_url") }
        guard WebhookCaller.Target(url) != nil else { throw .invalid("callback_url") }
        let token = asked.parameters["verify_token"] ?? Self.verifyToken
        Self.subscribe(MetaSubscription(product, url: url, verifyToken: token), &state)
        return ["success": true]
    }

    // MARK: - Lists

    /// A page of a list, newest first, as the request wants it.
    func page(
        _ items: [(place: Int, value: GraphValue?)],
        _ asked: Asked,
        fields: GraphFields,
        size: Int = 25
    ) throws(GraphProblem) -> GraphValue {
        let path = asked.request.path
        let hasCursor = asked.request.parameter("after") != nil
        if hasCursor, faults.takes(.rejectCursor, on: path) { throw .invalid("cursor") }
        let isEmpty = faults.takes("empty-page", on: path)
        guard let page = GraphPaging(items, asked.request, size: size, isEmpty: isEmpty) else {
            throw .invalid("cursor")
        }
        return page.value(asked.request, token: asked.token).selecting(fields)
    }

    /// The first page of a list that was asked for among the fields of an object, with a link to the next.
    func nested(
        _ items: [(place: Int, value: GraphValue?)],
        _ path: String,
        _ field: GraphFields.Field,
        _ asked: Asked
    ) -> GraphValue {
        let limit = field.arguments["limit"].flatMap { Int($0) } ?? 25
        let request = SimulatedRequest(.get, "\(path)?limit=\(limit)", base: asked.request.base)
        return GraphPaging(items, request, size: limit)?.value(request, token: asked.token) ?? .absent
    }

    // MARK: - Batches

    /// Up to 50 requests in one.
    private func batch(_ request: SimulatedRequest) async -> SimulatedAnswer {
        struct Part {
            var method: HTTPRequest.Method
            var url: String
            var body: [UInt8]
        }
        let parameters = Self.parameters(request)
        let parts = try? JSONParser().parse(parameters["batch"] ?? "") { root in
            try root.elements.map { part in
                Part(
                    method: HTTPRequest.Method(part["method"]?.string ?? "GET") ?? .get,
                    url: try part.requiredString("relative_url"),
                    body: Array((part["body"]?.string ?? "").utf8)
                )
            }
        }
        guard let parts, !parts.isEmpty, parts.count <= 50 else {
            return GraphProblem.invalid("batch").answer(GraphUsage(calls: 0, business: business, kind: "instagram"))
        }
        var answers: [GraphValue] = []
        for part in parts {
            var headers = request.headers
            if let token = parameters["access_token"], headers[.authorization] == nil {
                headers[.authorization] = "Bearer \(token)"
            }
            // A part may have a token of its own.
            if part.url.contains("access_token=") { headers[.authorization] = nil }
            let target = part.url.hasPrefix("/") ? part.url : "/" + part.url
            let one = SimulatedRequest(part.method, target, headers: headers, body: part.body, base: request.base)
            let answer = one.segments.isEmpty ? nil : await self.answer(one)
            guard let answer, case .bytes(let bytes) = answer.body else {
                // What takes too long has no answer.
                answers.append(.absent)
                continue
            }
            answers.append([
                "code": .integer(Int64(answer.status.code)),
                "headers": [["name": "Content-Type", "value": .optional(answer.headers[.contentType])]],
                "body": .string(String(decoding: bytes, as: UTF8.self)),
            ])
        }
        return Self.json(.array(answers))
    }
}
