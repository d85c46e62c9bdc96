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
    }

    /// How the tags of a source's rules begin.
    static func prefix(_ source: String) -> String { "roost/\(source)/" }

    /// The steps from what stands to what is wanted; of our own rules that stand twice one is left.
    static func change(from standing: [Standing], to wanted: [XConfiguration.Rule], source: String) -> Change {
        let prefix = prefix(source)
        var missing = Set(wanted.map { New(value: $0.value, tag: prefix + $0.name) })
        var change = Change()
        for rule in standing {
            guard let tag = rule.tag, tag.hasPrefix(prefix) else { continue }
            if missing.remove(New(value: rule.value, tag: tag)) == nil { change.remove.append(rule.id) }
        }
        change.add = wanted.map { New(value: $0.value, tag: prefix + $0.name) }.filter { missing.contains($0) }
        return change
    }

    /// What X answered to new rules.
    struct Answer: Sendable {
        /// Rules that stand already under another's tag, by their ids, with what they select.
        var duplicates: [(id: String, value: String)] = []
        /// What it complains of, by the kind of problem.
        var complaints: [String] = []
        /// The rules that it does not understand.
        var refused: [String] = []
    }

    /// A digest of rules, to see that they have changed.
    static func digest(_ rules: [XConfiguration.Rule]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for rule in rules {
            for byte in "\(rule.name)\u{0}\(rule.value)\u{0}".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return hash
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
            guard let errors = root["errors"] else { return answer }
            for error in errors.elements.prefix(1000) {
                let kind = XProblem.kind(of: error["type"]) ?? "unknown"
                if kind == "duplicate-rules", let id = error["id"]?.string, let value = error["value"]?.string {
                    answer.duplicates.append((id, value))
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

    /// Brings the rules into step, and tells under which other ids ours stand.
    ///
    /// New rules are added before old ones are removed, so that a changed rule leaves no hole, unless there is no room for both.
    func bringInStep(_ wanted: [XConfiguration.Rule]) async throws -> [String: String] {
        let change = XRules.change(from: try await standing(), to: wanted, source: source)
        var answer: XRules.Answer
        do {
            answer = try await add(change.add)
        } catch let refusal as XRefusal where refusal.problem?.kind == "rule-cap" {
            answer = XRules.Answer(complaints: ["rule-cap"])
        }
        var removed = false
        if answer.complaints.contains("rule-cap"), !change.remove.isEmpty {
            try await remove(change.remove)
            removed = true
            answer = try await add(change.add)
        }
        if !removed { try await remove(change.remove) }
        let names = wanted.filter { answer.refused.contains($0.value) }.map(\.name)
        guard answer.complaints.isEmpty else {
            let which = names.isEmpty ? "" : " of the rules " + names.joined(separator: ", ")
            throw ConnectorError(
                .rejected,
                "the rules: X does not take some\(which) (\(Set(answer.complaints).sorted().joined(separator: ", "))); mend `rules`"
            )
        }
        var aliases: [String: String] = [:]
        for duplicate in answer.duplicates {
            aliases[duplicate.id] = wanted.first { $0.value == duplicate.value }?.name
        }
        return aliases
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
            answer.duplicates += one.duplicates
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
