import ConnectorKit
import Yams

/// Reads YAML into setting nodes with their places.
///
/// Plain YAML 1.2 as configurations use it. Anchors, aliases and merge keys (`<<`) are understood, within ``mostNodes``; tags are refused, since
/// nothing here would act on them.
struct YAMLReader {
    /// A configuration of 5,000 sources has about 1 MiB.
    static let largestFile = 8 << 20
    /// Nodes after aliases are followed, so that a few lines cannot stand for billions.
    static let mostNodes = 250_000
    /// Deeper than any configuration, shallow enough for any stack.
    static let deepest = 32
    /// Repeated keys reported one by one before the reader gives up.
    static let mostRepetitions = 50

    private let file: String
    private var count = 0
    private(set) var errors: [SettingsError] = []

    private init(file: String) { self.file = file }

    /// The document's root and what is wrong in its form.
    ///
    /// The root is `nil` when the text is not YAML at all.
    static func read(_ text: String, file: String) -> (root: SettingNode?, errors: [SettingsError]) {
        var reader = YAMLReader(file: file)
        let root = reader.compose(text).flatMap { reader.convert($0, path: "", depth: 0) }
        return (root, reader.errors)
    }

    private mutating func complain(_ mark: Mark?, _ path: String, _ message: String) {
        complain(at: mark?.line ?? 0, mark?.column ?? 0, path, message)
    }

    private mutating func complain(at line: Int, _ column: Int, _ path: String, _ message: String) {
        errors.append(SettingsError(at: SettingPosition(file: file, line: line, column: column), path: path, message))
    }

    private func position(_ mark: Mark?) -> SettingPosition {
        SettingPosition(file: file, line: mark?.line ?? 0, column: mark?.column ?? 0)
    }

    // MARK: Composing

    private mutating func compose(_ text: String) -> Node? {
        var text = text
        if let line = ComplexKeyScan.firstLine(in: text) {
            complain(at: line, 1, "", "a key must be a plain word; a value that only looks like one wants quotes")
            return nil
        }
        for _ in 0...Self.mostRepetitions {
            do {
                // Without resolver rules: what a plain value means is for the setting to say, so `no` and `1e3` are left as they are.
                let parser = try Parser(yaml: text, resolver: .basic)
                guard let node = try parser.singleRoot() else {
                    complain(at: 1, 1, "", "the file is empty; expected settings such as `sources:`")
                    return nil
                }
                // The parser owns the anchors, which nodes refer to weakly; nothing here looks at them.
                return node
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                // The parser gives up at the first map with a repeated key and names one place. To tell both places, and whatever else is wrong,
                // the repetition is taken out of the way and the text read again.
                guard let key = keys.first, let second = RepeatedKey.find(key, at: context.mark, in: text) else {
                    complain(context.mark, "", "`\(keys.first ?? "")` stands more than once in one map")
                    return nil
                }
                complain(
                    at: second.line,
                    second.column,
                    "",
                    "`\(key)` stands here again; it is set already at \(file):\(context.mark.line):\(context.mark.column)"
                )
                text = second.textWithout
            } catch {
                complain(error)
                return nil
            }
        }
        return nil
    }

    private mutating func complain(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            complain(mark, "", "this is not YAML: \(problem)")
        case .reader(let problem, let offset, _, let text):
            let head = offset.map { text.prefix($0) } ?? ""
            let line = head.unicodeScalars.count { $0 == "\n" } + 1
            let column = head.unicodeScalars.reversed().prefix { $0 != "\n" }.count + 1
            complain(at: line, column, "", "this is not YAML: \(problem)")
        default:
            complain(nil, "", "this is not YAML")
        }
    }

    // MARK: Converting

    private mutating func convert(_ node: Node, path: String, depth: Int) -> SettingNode? {
        count += 1
        guard count <= Self.mostNodes else {
            if count == Self.mostNodes + 1 {
                complain(node.mark, path, "the configuration has more than \(Self.mostNodes) values, aliases followed")
            }
            return nil
        }
        guard depth <= Self.deepest else {
            complain(node.mark, path, "settings are nested more than \(Self.deepest) deep")
            return nil
        }
        switch node {
        case .scalar(let scalar):
            guard isUntagged(node, "tag:yaml.org,2002:str", path) else { return nil }
            let isQuoted = scalar.style != .plain && scalar.style != .any
            let isNull = !isQuoted && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            return SettingNode(isNull ? .null : .scalar(scalar.string, isQuoted: isQuoted), at: position(scalar.mark))
        case .sequence(let sequence):
            guard isUntagged(node, "tag:yaml.org,2002:seq", path) else { return nil }
            let elements = sequence.enumerated().compactMap { convert($1, path: "\(path)[\($0)]", depth: depth + 1) }
            return SettingNode(.list(elements), at: position(sequence.mark))
        case .mapping(let mapping):
            guard isUntagged(node, "tag:yaml.org,2002:map", path) else { return nil }
            return SettingNode(.map(members(of: mapping, path: path, depth: depth)), at: position(mapping.mark))
        case .alias(let alias):
            complain(alias.mark, path, "an alias without its anchor")
            return nil
        }
    }

    private mutating func isUntagged(_ node: Node, _ plain: String, _ path: String) -> Bool {
        guard node.tag.description != plain else { return true }
        complain(
            node.mark,
            path,
            "tags such as \(node.tag.description.prefix(60)) are not used here; write the plain value"
        )
        return false
    }

    private mutating func members(of mapping: Node.Mapping, path: String, depth: Int) -> [SettingNode.Member] {
        var members: [SettingNode.Member] = []
        var merged: [SettingNode.Member] = []
        for (key, value) in mapping {
            guard case .scalar(let name) = key else {
                complain(key.mark, path, "a key must be a plain word")
                continue
            }
            if name.string.unicodeScalars.first == RepeatedKey.mark { continue }
            let child = path.isEmpty ? name.string : "\(path).\(name.string)"
            guard let value = convert(value, path: child, depth: depth + 1) else { continue }
            if name.string == "<<", name.style == .plain {
                merged += mergedMembers(value, path: child)
            } else {
                members.append(SettingNode.Member(key: name.string, position: position(name.mark), value: value))
            }
        }
        // A key of the map itself wins over a merged one, an earlier merged one over a later (YAML merge key, 2005).
        var known = Set(members.map(\.key))
        for member in merged where known.insert(member.key).inserted { members.append(member) }
        return members
    }

    private mutating func mergedMembers(_ node: SettingNode, path: String) -> [SettingNode.Member] {
        switch node.content {
        case .map(let members): return members
        case .list(let nodes): return nodes.flatMap { mergedMembers($0, path: path) }
        default:
            errors.append(node.mismatch("an alias of a map, or a list of such", path: path))
            return []
        }
    }
}
