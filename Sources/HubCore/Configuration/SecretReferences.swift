import ConnectorKit

/// Puts credentials in the place of `${env:NAME}` and `${file:PATH}`, and only there.
struct SecretReferences {
    let environment: [String: String]
    let files: ConfigurationFiles

    /// The largest credential read from a file: room for a chain of certificates.
    static let largestFile = 64 << 10

    /// The credential that `node` refers to.
    ///
    /// What is read is held in a `Secret` at once; no complaint repeats any of it.
    func resolve(_ node: SettingNode, path: String) throws(SettingsError) -> SettingNode {
        guard case .scalar(let text, _) = node.content, Self.mentionsReference(text) else { return node }
        func complaint(_ message: String) -> SettingsError { SettingsError(at: node.position, path: path, message) }
        guard text.hasPrefix("${"), text.hasSuffix("}"), let colon = text.firstIndex(of: ":") else {
            throw complaint("a reference stands alone: ${env:NAME} or ${file:PATH} and nothing before or after it")
        }
        let kind = text[..<colon].dropFirst(2)
        let name = String(text[text.index(after: colon)...].dropLast())
        switch kind {
        case "env": return SettingNode(.secret(try variable(name, complaint)), at: node.position)
        case "file": return SettingNode(.secret(try file(name, complaint)), at: node.position)
        default: throw complaint("unknown reference; expected ${env:NAME} or ${file:PATH}")
        }
    }

    /// Complains about references where no credential belongs.
    func refuse(in node: SettingNode, path: String, _ complain: (SettingsError) -> Void) {
        switch node.content {
        case .scalar(let text, _):
            guard Self.mentionsReference(text) else { return }
            complain(
                SettingsError(
                    at: node.position,
                    path: path,
                    "references such as ${env:NAME} are for credentials only; write the value itself"
                )
            )
        case .list(let nodes):
            for (index, node) in nodes.enumerated() { refuse(in: node, path: "\(path)[\(index)]", complain) }
        case .map(let members):
            for member in members { refuse(in: member.value, path: "\(path).\(member.key)", complain) }
        case .secret, .null: break
        }
    }

    private static func mentionsReference(_ text: String) -> Bool {
        text.hasPrefix("${") || text.contains("${env:") || text.contains("${file:")
    }

    private func variable(
        _ name: String,
        _ complaint: (String) -> SettingsError
    ) throws(SettingsError) -> Secret {
        guard let first = name.unicodeScalars.first, first == "_" || first.properties.isAlphabetic,
            name.unicodeScalars.allSatisfy({
                $0.isASCII && ($0 == "_" || Character($0).isLetter || Character($0).isNumber)
            })
        else { throw complaint("expected the name of an environment variable, such as ${env:API_TOKEN}") }
        guard let value = environment[name] else {
            let nearest = NearestName.of(name, in: environment.keys.sorted()).map { "; did you mean `\($0)`?" } ?? ""
            throw complaint("the environment has no variable `\(name)`\(nearest)")
        }
        guard !value.isEmpty else { throw complaint("the environment variable `\(name)` is empty") }
        return Secret(value)
    }

    private func file(_ path: String, _ complaint: (String) -> SettingsError) throws(SettingsError) -> Secret {
        guard !path.isEmpty, !path.hasPrefix("~") else {
            throw complaint("expected a path such as ${file:/run/secrets/token} (`~` is not expanded)")
        }
        let bytes: [UInt8]
        do {
            bytes = try files.read(path, Self.largestFile)
        } catch {
            let reason = (error as? ConfigurationFiles.Problem)?.description ?? "the file cannot be read"
            throw complaint("the credential in `\(path)` cannot be used: \(reason)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw complaint("the credential in `\(path)` cannot be used: the file is not UTF-8 text")
        }
        // Editors end a file with a line break that is no part of the credential; "\r\n" is one character.
        let value = text.last?.isNewline == true ? String(text.dropLast()) : text
        guard !value.isEmpty else { throw complaint("the credential in `\(path)` cannot be used: the file is empty") }
        return Secret(value)
    }
}
