/// Relative references resolved as RFC 3986, section 5, says, on bytes and without judging the result.
public enum URLReference {
    /// Resolves a reference against a base URL.
    ///
    /// - Parameters:
    ///   - reference: an absolute or relative reference; white space around it is left out.
    ///   - base: an absolute URL; without one, or with one that has no scheme, the reference is returned as it is.
    /// - Returns: the absolute URL; an absolute reference comes back unchanged.
    public static func resolve(_ reference: String, against base: String?) -> String {
        var reference = reference
        return reference.withUTF8 { bytes in
            let trimmed = ByteView(bytes).trimmed
            guard let base, let parsed = URLBase(base), schemeLength(trimmed) == nil else { return trimmed.string }
            var buffer = ByteBuffer(capacity: 256)
            parsed.resolve(trimmed, into: &buffer)
            return buffer.string
        }
    }

    /// Length of the scheme without its colon, or nil for a relative reference (RFC 3986, section 3.1).
    static func schemeLength(_ url: ByteView) -> Int? {
        guard !url.isEmpty, url[0].isLetter else { return nil }
        for index in 1..<url.count {
            let byte = url[index]
            if byte == UInt8(ascii: ":") { return index }
            guard byte.isLetter || byte.isDigit || byte == 0x2B || byte == 0x2D || byte == 0x2E else { return nil }
        }
        return nil
    }
}

/// A base URL taken apart once, to resolve many references against it.
struct URLBase: Sendable {
    private let text: [UInt8]
    /// Positions after `scheme:`, after the authority, after the path's last slash, after the path, after the query.
    private let schemeEnd: Int
    private let authorityEnd: Int
    private let directoryEnd: Int
    private let pathEnd: Int
    private let queryEnd: Int

    /// Nil if the text has no scheme.
    init?(_ url: String) {
        let text = Array(url.utf8)
        guard let scheme = text.withUnsafeBufferPointer({ URLReference.schemeLength(ByteView($0)) }) else { return nil }
        self.text = text
        schemeEnd = scheme + 1
        func first(from start: Int, _ isEnd: (UInt8) -> Bool) -> Int {
            text[start...].firstIndex(where: isEnd) ?? text.count
        }
        let hasAuthority = text[schemeEnd...].starts(with: "//".utf8)
        authorityEnd =
            hasAuthority ? first(from: schemeEnd + 2) { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } : schemeEnd
        pathEnd = first(from: authorityEnd) { $0 == 0x3F || $0 == 0x23 }
        queryEnd = first(from: pathEnd) { $0 == 0x23 }
        directoryEnd = text[authorityEnd..<pathEnd].lastIndex(of: 0x2F).map { $0 + 1 } ?? authorityEnd
    }

    /// Whether it is http or https.
    var isWeb: Bool {
        text.withUnsafeBufferPointer {
            let scheme = ByteView($0)[0..<(schemeEnd - 1)]
            return scheme.equalsIgnoringCase("https") || scheme.equalsIgnoringCase("http")
        }
    }

    /// Appends the absolute form of a relative reference (RFC 3986, section 5.2.2).
    func resolve(_ reference: ByteView, into buffer: inout ByteBuffer) {
        guard !reference.isEmpty else { return append(queryEnd, to: &buffer) }
        switch reference[0] {
        case UInt8(ascii: "#"):
            append(queryEnd, to: &buffer)
            buffer.append(reference)
        case UInt8(ascii: "?"):
            append(pathEnd, to: &buffer)
            buffer.append(reference)
        case UInt8(ascii: "/") where reference.count > 1 && reference[1] == UInt8(ascii: "/"):
            append(schemeEnd, to: &buffer)
            buffer.append(reference)
        case UInt8(ascii: "/"):
            append(authorityEnd, to: &buffer)
            appendPath(reference, after: buffer.count, to: &buffer)
        default:
            append(authorityEnd, to: &buffer)
            let root = buffer.count
            if directoryEnd == authorityEnd {
                buffer.append(UInt8(ascii: "/"))
            } else {
                appendRange(authorityEnd..<directoryEnd, to: &buffer)
            }
            appendPath(reference, after: root, to: &buffer)
        }
    }

    private func append(_ end: Int, to buffer: inout ByteBuffer) {
        appendRange(0..<end, to: &buffer)
    }

    private func appendRange(_ range: Range<Int>, to buffer: inout ByteBuffer) {
        text.withUnsafeBufferPointer { buffer.append(ByteView($0)[range]) }
    }

    /// Appends path, query and fragment, dot segments of the path removed (section 5.2.4) and none above the root.
    private func appendPath(_ reference: ByteView, after root: Int, to buffer: inout ByteBuffer) {
        var end = 0
        while end < reference.count, reference[end] != 0x3F, reference[end] != 0x23 { end += 1 }
        var position = 0
        while position < end {
            let slash = reference.position(of: UInt8(ascii: "/"), from: position, to: end)
            let segment = reference[position..<slash]
            let isLast = slash == end
            position = isLast ? end : slash + 1
            if segment == "." {
                continue
            }
            if segment == ".." {
                dropSegment(&buffer, root)
                continue
            }
            buffer.append(segment)
            if !isLast { buffer.append(UInt8(ascii: "/")) }
        }
        buffer.append(reference[end..<reference.count])
    }

    /// Takes `name/` off a path that ends in a slash, never its first slash.
    private func dropSegment(_ buffer: inout ByteBuffer, _ root: Int) {
        var length = buffer.count - 1
        while length > root, buffer.view[length - 1] != UInt8(ascii: "/") { length -= 1 }
        if length > root { buffer.truncate(to: length) }
    }
}
