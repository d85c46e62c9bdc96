import ConnectorKit
import JSON

/// The rules of the filtered stream: what stands at X, what should, and the steps between.
///
/// A rule of ours bears the tag `roost/SOURCE/NAME`. Rules with any other tag belong to somebody else and are never touched.
struct XRules {
    /// A rule as it stands at X.
    struct Standing: Hashable, Sendable {
        var id: String
        var value: String
        var tag: String?
    }

    /// A rule to add.
    struct New: Hashable, Sendable {
        var value: String
        var tag: String
    }

    /// What must be done.
    struct Change: Hashable, Sendable {
        var add: [New] = []
        /// Ids of our rules that are gone or have changed.
        var remove: [String] = []
        /// Our names of rules whose tags say something else, by their ids.
        var aliases: [String: [String]] = [:]
    }

    /// How the tags of a source's rules begin.
    static func prefix(_ source: String) -> String { "roost/\(source)/" }

    /// The steps from what stands to what is wanted.
    ///
    /// X has a value once, under one tag that never changes. A value that stands already, under an older name of ours, under another's tag or for two of our
    /// names, is therefore neither added nor removed: its id is known by our names from now on.
    static func change(from standing: [Standing], to wanted: [XConfiguration.Rule], source: String) -> Change {
        let prefix = prefix(source)
        let names = Dictionary(grouping: wanted, by: \.value).mapValues { $0.map(\.name) }
        let isOwn = { (rule: Standing) in rule.tag?.hasPrefix(prefix) == true }
        var change = Change()
        var met: Set<String> = []
        // Of two that stand for one value ours is kept.
        for rule in standing.filter(isOwn) + standing.filter({ !isOwn($0) }) {
            guard let own = names[rule.value], met.insert(rule.value).inserted else {
                if isOwn(rule) { change.remove.append(rule.id) }
                continue
            }
            if own.map({ prefix + $0 }) != [rule.tag] { change.aliases[rule.id] = own }
        }
        for rule in wanted where met.insert(rule.value).inserted {
            change.add.append(New(value: rule.value, tag: prefix + rule.name))
        }
        return change
    }

    /// What X answered to new rules.
    struct Answer: Sendable {
        /// Rules that were added, and those that stand already under another tag, by their ids, with what they select.
        var standing: [(id: String, value: String)] = []
        /// The ids of those that were added.
        var added: Set<String> = []
        /// What it complains of, by the kind of problem.
        var complaints: [String] = []
        /// The rules that it does not understand.
        var refused: [String] = []
    }

    /// A digest of rules, to see that they have changed.
    static func digest(_ rules: some Swift.Sequence<XConfiguration.Rule>) -> String {
        PayloadDigest.name(Array(rules.map { "\($0.name)\u{0}\($0.value)\u{0}" }.joined().utf8))
    }

    // MARK: - Answers

    /// A page of rules.
    static func page(_ body: [UInt8]) throws -> (rules: [Standing], next: String?) {
        try JSONParser().parse(body) { root in
            var rules: [Standing] = []
            if let data = root["data"] {
                for rule in data.elements {
                    let standing = Standing(
                        id: try rule.requiredString("id"),
                        value: try rule.requiredString("value"),
                        tag: rule["tag"]?.string
                    )
                    rules.append(standing)
                }
            }
            return (rules, root["meta"]?["next_token"]?.string)
        }
    }

    /// What came of adding rules.
    static func answer(_ body: [UInt8]) throws -> Answer {
        try JSONParser().parse(body) { root in
            var answer = Answer()
            if let data = root["data"] {
                for rule in data.elements.prefix(1000) {
                    guard let id = rule["id"]?.string, let value = rule["value"]?.string else { continue }
                    answer.standing.append((id, value))
                    answer.added.insert(id)
                }
            }
            guard let errors = root["errors"] else { return answer }
            for error in errors.elements.prefix(1000) {
                let kind = XProblem.kind(of: error["type"]) ?? "unknown"
                if kind == "duplicate-rules", let id = error["id"]?.string, let value = error["value"]?.string {
                    answer.standing.append((id, value))
                } else {
                    answer.complaints.append(kind)
                    if let value = error["value"]?.string { answer.refused.append(value) }
                }
            }
            return answer
        }
    }
}

/// Keeps the rules at X in step with the configuration.
struct XRuleKeeper {
    let client: XClient
    let source: String

    /// Most pages of rules that are read.
    private static let mostPages = 50
    /// Rules sent in one request.
    private static let mostAtOnce = 100

    /// All rules that stand at X.
    func standing() async throws -> [XRules.Standing] {
        var rules: [XRules.Standing] = []
        var token: String?
        for _ in 0..<Self.mostPages {
            let body = try await client.fetch(XAPI.rules(token))
            let page = try read(body) { try XRules.page($0) }
            rules += page.rules
            token = page.next
            if token == nil { return rules }
        }
        return rules
    }

    /// Brings the rules into step, and tells by which names of ours rules count whose tags say something else; no name where they do not count.
    ///
    /// New rules are added before old ones are removed, so that a changed rule leaves no hole, unless there is no room for both. Sources of one account take
    /// turns, and none removes a rule that another relies on.
    func bringInStep(_ wanted: [XConfiguration.Rule]) async throws -> [String: [String]] {
        try await client.context.account.exclusively(XRuleClaims.key) {
            let standing = try await standing()
            var change = XRules.change(from: standing, to: wanted, source: source)
            var claims = try await XRuleClaims(client.context.account)
            let relied = change.remove.filter { claims.isClaimed($0, besides: source) }
            change.remove.removeAll { relied.contains($0) }
            var aliases = change.aliases
            try await add(change.add, besides: &change.remove, wanted, &aliases)
            let own = Set(standing.filter { $0.tag?.hasPrefix(XRules.prefix(source)) == true }.map(\.id))
            claims.set(aliases.keys.filter { !own.contains($0) }, of: source, standing: Set(standing.map(\.id)))
            try await claims.keep(client.context.account)
            for id in relied { aliases[id] = [] }
            return aliases
        }
    }

    /// Adds rules and removes those that have gone, but none that X then names as one that it has already.
    private func add(
        _ rules: [XRules.New],
        besides remove: inout [String],
        _ wanted: [XConfiguration.Rule],
        _ aliases: inout [String: [String]]
    ) async throws {
        var answer: XRules.Answer
        do {
            answer = try await add(rules)
        } catch let refusal as XRefusal where refusal.problem?.kind == "rule-cap" {
            answer = XRules.Answer(complaints: ["rule-cap"])
        }
        if answer.complaints.contains("rule-cap"), !remove.isEmpty {
            try await self.remove(remove)
            remove = []
            answer = try await add(rules)
        }
        for (id, value) in answer.standing {
            let names = wanted.filter { $0.value == value }.map(\.name)
            guard !names.isEmpty else { continue }
            remove.removeAll { $0 == id }
            let isPlain = names.count == 1 && answer.added.contains(id)
            if !isPlain { aliases[id] = names }
        }
        try await self.remove(remove)
        let names = wanted.filter { answer.refused.contains($0.value) }.map(\.name)
        guard answer.complaints.isEmpty else {
            let which = names.isEmpty ? "" : " of the rules " + names.joined(separator: ", ")
            throw ConnectorError(
                .rejected,
                "the rules: X does not take some\(which) (\(Set(answer.complaints).sorted().joined(separator: ", "))); mend `rules`"
            )
        }
    }

    private func add(_ rules: [XRules.New]) async throws -> XRules.Answer {
        var answer = XRules.Answer()
        for start in stride(from: 0, to: rules.count, by: Self.mostAtOnce) {
            let part = Array(rules[start..<min(start + Self.mostAtOnce, rules.count)])
            let body: [UInt8]
            do {
                body = try await client.fetch(XAPI.add(part))
            } catch let refusal as XRefusal where refusal.status == 400 {
                answer.complaints.append(refusal.problem?.kind ?? "invalid-rules")
                if part.count == 1 { answer.refused.append(part[0].value) }
                continue
            }
            let one = try read(body) { try XRules.answer($0) }
            answer.standing += one.standing
            answer.added.formUnion(one.added)
            answer.complaints += one.complaints
            answer.refused += one.refused
        }
        return answer
    }

    private func remove(_ ids: [String]) async throws {
        for start in stride(from: 0, to: ids.count, by: Self.mostAtOnce) {
            _ = try await client.fetch(XAPI.remove(rules: Array(ids[start..<min(start + Self.mostAtOnce, ids.count)])))
        }
    }

    private func read<Value>(_ body: [UInt8], _ parse: ([UInt8]) throws -> Value) throws -> Value {
        do {
            return try parse(body)
        } catch let error as JSONError {
            throw ConnectorError(.unavailable, "the rules: the answer cannot be read: \(error)", ladder: XLadders.http)
        }
    }
}
