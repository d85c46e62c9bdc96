import ConnectorKit
import JSON

/// Which sources of an account rely on rules that bear another's tag, so that their owner leaves them standing when it wants them no more.
struct XRuleClaims {
    /// Where the account keeps them.
    static let key = "x-rule-claims"
    /// Rules that are remembered, which keeps the value within what an account takes.
    private static let most = 500

    /// Names of sources, by the rule's id.
    private var sources: [String: Set<String>] = [:]
    private var isChanged = false

    /// What an account has kept; what cannot be read is as good as nothing.
    init(_ account: any Account) async throws {
        guard let bytes = try await account.value(for: Self.key) else { return }
        let kept = try? JSONParser().parse(bytes) { root in
            var sources: [String: Set<String>] = [:]
            for (id, names) in root.members { sources[id.string] = Set(names.elements.compactMap(\.string)) }
            return sources
        }
        sources = kept ?? [:]
    }

    /// Whether another source relies on a rule.
    func isClaimed(_ id: String, besides source: String) -> Bool {
        sources[id]?.contains { $0 != source } == true
    }

    /// Sets what a source relies on; rules that stand no more are forgotten.
    mutating func set(_ ids: [String], of source: String, standing: Set<String>) {
        let before = sources
        for (id, names) in sources {
            let others = names.filter { $0 != source }
            sources[id] = others.isEmpty || !standing.contains(id) ? nil : others
        }
        for id in ids.sorted() where sources[id] != nil || sources.count < Self.most {
            sources[id, default: []].insert(source)
        }
        isChanged = sources != before
    }

    /// Keeps them.
    func keep(_ account: any Account) async throws {
        guard isChanged else { return }
        var writer = JSONWriter()
        writer.beginObject()
        for (id, names) in sources.sorted(by: { $0.key < $1.key }) {
            writer.key(id)
            writer.beginArray()
            for name in names.sorted() { writer.string(name) }
            writer.endArray()
        }
        writer.endObject()
        try await account.setValue(writer.bytes, for: Self.key)
    }
}
