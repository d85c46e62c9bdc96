/// The namespaces and element names that a handler knows, so that it is called with small numbers instead of strings.
///
/// Build one per handler type, once (`static let`), and share it: it is immutable and safe to use from everywhere.
public struct XMLVocabulary: Sendable {
    /// A namespace under all the URIs it is declared with in the wild.
    public struct Namespace: Sendable {
        /// URIs that mean this namespace; compared without case, scheme `http` or `https`, and trailing `/` or `#`.
        public var uris: [String]
        /// Prefixes, in lower case, that mean this namespace in a document that forgot to declare them.
        public var prefixes: [String]

        /// Describes a namespace by its URIs and customary prefixes.
        public init(uris: [String], prefixes: [String] = []) {
            self.uris = uris
            self.prefixes = prefixes
        }
    }

    private let uris: [(key: [UInt8], namespace: XMLNamespace)]
    private let prefixTable: NameTable
    private let prefixNamespaces: [XMLNamespace]
    private let nameTable: NameTable

    /// Lists what is known: the n-th namespace is reported as `XMLNamespace(rawValue: n)`, the n-th name as token n.
    ///
    /// - Parameters:
    ///   - namespaces: the namespaces, each with its URIs and prefixes.
    ///   - names: local names of elements and attributes in lower case; they match in any case.
    public init(namespaces: [Namespace], names: [String]) {
        var keys: [(key: [UInt8], namespace: XMLNamespace)] = []
        var prefixes: [String] = []
        var owners: [XMLNamespace] = []
        for (index, namespace) in namespaces.enumerated() {
            let id = XMLNamespace(rawValue: index)
            for uri in namespace.uris { keys.append((Self.key(of: Array(uri.utf8)), id)) }
            for prefix in namespace.prefixes {
                prefixes.append(prefix)
                owners.append(id)
            }
        }
        uris = keys
        prefixTable = NameTable(prefixes, foldsCase: true)
        prefixNamespaces = owners
        nameTable = NameTable(names, foldsCase: true)
    }

    func token(of name: ByteView) -> Int {
        nameTable.find(name)
    }

    /// The namespace that an undeclared prefix usually means.
    func namespace(ofPrefix prefix: ByteView) -> XMLNamespace {
        let index = prefixTable.find(prefix)
        return index < 0 ? .unknown : prefixNamespaces[index]
    }

    func namespace(ofURI uri: ByteView) -> XMLNamespace {
        if uri.isBlank { return .none }
        let key = Self.key(of: Array(uri.trimmed.bytes))
        for known in uris where known.key == key { return known.namespace }
        return .unknown
    }

    private static func key(of uri: [UInt8]) -> [UInt8] {
        var key = uri.map(\.lowercased)[...]
        if key.starts(with: "https://".utf8) {
            key = key.dropFirst(8)
        } else if key.starts(with: "http://".utf8) {
            key = key.dropFirst(7)
        }
        while let last = key.last, last == UInt8(ascii: "/") || last == UInt8(ascii: "#") { key = key.dropLast() }
        return Array(key)
    }
}

/// A namespace as a small number: the position in the vocabulary's list, or one of three that are not in any list.
///
/// Give yours names: `extension XMLNamespace { static let atom = XMLNamespace(rawValue: 0) }`.
public struct XMLNamespace: RawRepresentable, Hashable, Sendable {
    /// The position in the vocabulary's list of namespaces; negative for the three below.
    public let rawValue: Int

    /// Names the namespace at a position of the vocabulary's list.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// No namespace at all, as of the elements of RSS 2.0.
    public static let none = XMLNamespace(rawValue: -1)
    /// A namespace, or an undeclared prefix, that the vocabulary does not list.
    public static let unknown = XMLNamespace(rawValue: -2)
    /// The namespace of `xml:lang` and `xml:base`.
    public static let xml = XMLNamespace(rawValue: -3)
}
