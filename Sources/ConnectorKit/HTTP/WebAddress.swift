/// Checks and joins web addresses (RFC 3986) without changing their spelling.
public enum WebAddress {
    /// What is the matter with a text that should be an absolute http or https URL.
    enum Verdict: Equatable {
        /// It is one.
        case good
        /// It is one but for the user name or password in it.
        case holdsCredentials
        /// It is none; with what was probably meant.
        case bad(nearest: String?)
    }

    /// The parts of a URL or relative reference (RFC 3986 §3), each as it is written; absent parts are `nil`.
    struct Parts: Equatable {
        var scheme: Substring?
        var authority: Substring?
        var path: Substring
        var query: Substring?
        var fragment: Substring?
    }

    /// Whether `text` is an absolute `http` or `https` URL with a host, a valid port if any, no credentials, no spaces and no control characters.
    public static func isValid(_ text: String) -> Bool {
        check(text) == .good
    }

    static func check(_ text: String) -> Verdict {
        let parts = split(text[...])
        let isClean = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace
        }
        let scheme = parts.scheme?.lowercased()
        guard isClean, text.utf8.count <= 8192, scheme == "http" || scheme == "https", let authority = parts.authority
        else {
            return .bad(nearest: suggestion(for: text))
        }
        if authority.utf8.contains(UInt8(ascii: "@")) { return .holdsCredentials }
        return isHost(authority) ? .good : .bad(nearest: nil)
    }

    /// Host and optional port.
    private static func isHost(_ authority: Substring) -> Bool {
        var host = authority
        if let colon = authority.utf8.lastIndex(of: UInt8(ascii: ":")),
            !authority[colon...].utf8.contains(UInt8(ascii: "]"))
        {
            let port = after(colon, in: authority)
            guard port.isEmpty || port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) && UInt16(port) != nil else {
                return false
            }
            host = authority[..<colon]
        }
        if host.hasPrefix("[") {
            let isAddress = host.dropFirst().dropLast().utf8.allSatisfy {
                $0 == 0x3A || $0 == 0x2E || Character(Unicode.Scalar($0)).isHexDigit
            }
            return host.hasSuffix("]") && host.utf8.count > 3 && isAddress
        }
        return !host.isEmpty && !host.utf8.contains { "[]:<>\"\\^`{|}".utf8.contains($0) }
    }

    private static func suggestion(for text: String) -> String? {
        let bare = text.filter { !$0.isWhitespace }
        guard !bare.isEmpty, bare.utf8.count <= 200, !bare.contains("@"), !bare.hasPrefix("/") else { return nil }
        let candidate =
            if let range = bare.firstRange(of: "://") {
                (bare[..<range.lowerBound].lowercased() == "http" ? "http" : "https") + bare[range.lowerBound...]
            } else {
                "https://" + bare
            }
        let parts = split(candidate[...])
        guard let authority = parts.authority, authority.contains("."), candidate != text, isHost(authority) else {
            return nil
        }
        return candidate
    }
}

// MARK: - Joining

extension WebAddress {
    /// The absolute URL that `reference` means on a page at `base` (RFC 3986 §5.2), or `nil` when either is none.
    ///
    /// The result's scheme is whatever `reference` says: a caller who only wants web pages checks with ``isValid(_:)``.
    public static func resolve(_ reference: String, against base: String) -> String? {
        let target = split(reference[...])
        let base = split(base[...])
        guard let baseScheme = base.scheme else { return target.scheme == nil ? nil : reference }
        if let scheme = target.scheme {
            return compose(scheme, target.authority, removingDots(target.path), target.query, target.fragment)
        }
        if let authority = target.authority {
            return compose(baseScheme, authority, removingDots(target.path), target.query, target.fragment)
        }
        if target.path.isEmpty {
            return compose(baseScheme, base.authority, base.path, target.query ?? base.query, target.fragment)
        }
        if target.path.utf8.first == UInt8(ascii: "/") {
            return compose(baseScheme, base.authority, removingDots(target.path), target.query, target.fragment)
        }
        let merged: Substring
        if base.path.isEmpty, base.authority != nil {
            merged = "/" + target.path
        } else if let slash = base.path.utf8.lastIndex(of: UInt8(ascii: "/")) {
            merged = base.path[...slash] + target.path
        } else {
            merged = target.path
        }
        return compose(baseScheme, base.authority, removingDots(merged), target.query, target.fragment)
    }

    static func split(_ text: Substring) -> Parts {
        var parts = Parts(path: text)
        // By bytes, not by characters: a combining mark behind a `/` must not hide it.
        if let hash = parts.path.utf8.firstIndex(of: UInt8(ascii: "#")) {
            parts.fragment = after(hash, in: parts.path)
            parts.path = parts.path[..<hash]
        }
        if let mark = parts.path.utf8.firstIndex(of: UInt8(ascii: "?")) {
            parts.query = after(mark, in: parts.path)
            parts.path = parts.path[..<mark]
        }
        if let colon = parts.path.utf8.firstIndex(of: UInt8(ascii: ":")), isScheme(parts.path[..<colon]) {
            parts.scheme = parts.path[..<colon]
            parts.path = after(colon, in: parts.path)
        }
        if parts.path.utf8.starts(with: "//".utf8) {
            let rest = Substring(parts.path.utf8.dropFirst(2))
            let end = rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            parts.authority = rest[..<end]
            parts.path = rest[end...]
        }
        return parts
    }

    private static func after(_ index: String.Index, in text: Substring) -> Substring {
        text[text.utf8.index(after: index)...]
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, Character(Unicode.Scalar(first)).isLetter, first < 0x80 else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    /// Resolves `.` and `..` in a path (RFC 3986 §5.2.4).
    private static func removingDots(_ path: Substring) -> Substring {
        guard path.utf8.contains(UInt8(ascii: ".")) else { return path }
        let isRooted = path.utf8.first == UInt8(ascii: "/")
        var kept: [Substring] = []
        let segments = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch Substring(segment) {
            case ".": if isLast { kept.append("") }
            case "..":
                if kept.count > (isRooted ? 1 : 0) { kept.removeLast() }
                if isLast { kept.append("") }
            case let segment: kept.append(segment)
            }
        }
        return kept.joined(separator: "/")[...]
    }

    private static func compose(
        _ scheme: Substring,
        _ authority: Substring?,
        _ path: Substring,
        _ query: Substring?,
        _ fragment: Substring?
    ) -> String {
        var text = scheme + ":"
        if let authority { text += "//" + authority }
        text += path
        if let query { text += "?" + query }
        if let fragment { text += "#" + fragment }
        return String(text)
    }
}
