import Glibc

/// Brings the bytes of a document to clean UTF-8, whatever they are in and whatever they claim to be in.
///
/// Order: byte order mark, then the transport's charset, then the XML declaration, then UTF-8. RFC 7303 puts the mark before
/// the charset. A label is looked up in a fixed list and never handed on, so a document cannot choose what gets loaded.
struct TextDecoder: ~Copyable {
    private(set) var encoding = "utf-8"
    private(set) var source = TextEncodingSource.standard
    var problems: ProblemList
    private var decoded = ByteBuffer(capacity: 16)
    private var cleaned = ByteBuffer(capacity: 16)

    init(problemLimit: Int) {
        problems = ProblemList(limit: problemLimit)
    }

    /// Decodes; the view holds for as long as both the decoder and `bytes` do, and is `bytes` itself where those are clean.
    mutating func decode(_ bytes: ByteView, charset: String?) -> ByteView {
        let text = decodeCharacters(bytes, charset: charset)
        return clean(text)
    }

    private mutating func decodeCharacters(_ bytes: ByteView, charset: String?) -> ByteView {
        let mark = byteOrderMark(bytes)
        if mark.length > 0 {
            source = .byteOrderMark
            encoding = mark.encoding
            if let label = charset, let named = Self.known(label), !named.label.hasPrefix(mark.encoding.prefix(5)) {
                problems.note(.wrongEncoding, label)
            }
            let rest = bytes[mark.length..<bytes.count]
            return mark.encoding == "utf-8" ? validUTF8(rest, declared: "utf-8") : convert(rest, from: mark.iconv)
        }
        if let pattern = wideWithoutMark(bytes) {
            encoding = pattern.encoding
            return convert(bytes, from: pattern.iconv)
        }
        let declared = declaredEncoding(bytes)
        for (label, origin) in [(charset, TextEncodingSource.transport), (declared, .declaration)] {
            guard let label, !label.isEmpty else { continue }
            guard let known = Self.known(label) else {
                problems.note(.unknownEncoding, label)
                continue
            }
            // A wide encoding would have shown in the first bytes; us-ascii is the default that servers add unasked.
            if known.label.hasPrefix("utf-16") || known.label.hasPrefix("utf-32") {
                problems.note(.wrongEncoding, label)
                continue
            }
            if known.label == "us-ascii" { continue }
            source = origin
            encoding = known.label
            return known.label == "utf-8" ? validUTF8(bytes, declared: label) : convertChecked(bytes, known, label)
        }
        return validUTF8(bytes, declared: "utf-8")
    }

    /// Bytes that should be UTF-8: as they are if so; with U+FFFD where only a little is broken; else as windows-1252.
    private mutating func validUTF8(_ bytes: ByteView, declared: String) -> ByteView {
        let check = UTF8Check(bytes)
        if check.isValid { return bytes }
        if check.sequences >= check.errors {
            problems.note(.undecodableBytes)
            decoded.removeAll()
            check.repair(bytes, into: &decoded)
            return decoded.view
        }
        problems.note(.wrongEncoding, declared)
        encoding = "windows-1252"
        source = .content
        return convert(bytes, from: "CP1252")
    }

    /// Bytes said to be in another encoding, unless they are plainly UTF-8.
    private mutating func convertChecked(_ bytes: ByteView, _ known: KnownEncoding, _ label: String) -> ByteView {
        let check = UTF8Check(bytes)
        if check.isValid {
            // ISO-2022-JP is all ASCII on the wire, the others differ from UTF-8 wherever they are not ASCII.
            if check.sequences == 0, known.label != "iso-2022-jp" { return bytes }
            if check.sequences > 0 {
                problems.note(.wrongEncoding, label)
                encoding = "utf-8"
                source = .content
                return bytes
            }
        }
        return convert(bytes, from: known.iconv)
    }

    /// Converts through iconv; what does not decode becomes U+FFFD, byte by byte.
    private mutating func convert(_ bytes: ByteView, from name: String) -> ByteView {
        decoded.removeAll()
        guard let input = bytes.bytes.baseAddress, let converter = iconv_open("UTF-8", name),
            converter != UnsafeMutableRawPointer(bitPattern: -1)
        else {
            // The C library lacks this table (a stripped container): keep what is ASCII.
            if !bytes.isEmpty { problems.note(.unknownEncoding, name) }
            encoding = "utf-8"
            UTF8Check(bytes).repair(bytes, into: &decoded)
            return decoded.view
        }
        defer { iconv_close(converter) }
        var source: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(mutating: input).assumingMemoryBound(
            to: CChar.self
        )
        var left = bytes.count
        while left > 0 {
            var failure: Int32 = 0
            decoded.appendUnsafely(room: left + left / 2 + 16) { space in
                var target = UnsafeMutableRawPointer(space.baseAddress)?.assumingMemoryBound(to: CChar.self)
                var room = space.count
                if iconv(converter, &source, &left, &target, &room) == -1 { failure = errno }
                return space.count - room
            }
            if failure == EILSEQ || failure == EINVAL {
                problems.note(.undecodableBytes)
                decoded.append(scalar: 0xFFFD)
                source = source.map { $0 + 1 }
                left -= 1
            }
        }
        return decoded.view
    }

    /// Leaves out control characters and makes every line end a line feed (XML, section 2.11); most documents pass untouched.
    private mutating func clean(_ text: ByteView) -> ByteView {
        var position = 0
        var kept = 0
        var isChanged = false
        while true {
            position = text.positionOfControl(from: position)
            guard position < text.count else { break }
            if !isChanged {
                isChanged = true
                cleaned.removeAll()
            }
            cleaned.append(text[kept..<position])
            if text[position] == 0x0D {
                if position + 1 >= text.count || text[position + 1] != 0x0A { cleaned.append(0x0A) }
            } else {
                problems.note(.controlCharacters)
            }
            position += 1
            kept = position
        }
        guard isChanged else { return text }
        cleaned.append(text[kept..<text.count])
        return cleaned.view
    }

    private func byteOrderMark(_ bytes: ByteView) -> (length: Int, encoding: String, iconv: String) {
        let head = (0..<4).map { $0 < bytes.count ? Int(bytes[$0]) : -1 }
        switch (head[0], head[1], head[2], head[3]) {
        case (0xEF, 0xBB, 0xBF, _): return (3, "utf-8", "UTF-8")
        case (0xFF, 0xFE, 0, 0): return (4, "utf-32le", "UTF-32LE")
        case (0, 0, 0xFE, 0xFF): return (4, "utf-32be", "UTF-32BE")
        case (0xFF, 0xFE, _, _): return (2, "utf-16le", "UTF-16LE")
        case (0xFE, 0xFF, _, _): return (2, "utf-16be", "UTF-16BE")
        default: return (0, "", "")
        }
    }

    /// UTF-16 shows by the zero byte beside the first `<` (XML, appendix F.1).
    private func wideWithoutMark(_ bytes: ByteView) -> (encoding: String, iconv: String)? {
        guard bytes.count >= 4 else { return nil }
        if bytes[0] == 0x3C, bytes[1] == 0, bytes[2] != 0, bytes[3] == 0 { return ("utf-16le", "UTF-16LE") }
        if bytes[0] == 0, bytes[1] == 0x3C, bytes[2] == 0, bytes[3] != 0 { return ("utf-16be", "UTF-16BE") }
        return nil
    }

    /// The encoding that an XML declaration near the start names.
    private func declaredEncoding(_ bytes: ByteView) -> String? {
        let head = bytes[0..<min(bytes.count, 1024)]
        guard let start = head.position(of: "<?xml", from: 0) else { return nil }
        let end = head.position(of: "?>", from: start) ?? head.count
        let declaration = head[start..<end]
        guard let name = declaration.position(of: "encoding", from: 5) else { return nil }
        var position = name + 8
        while position < declaration.count, declaration[position].isMarkupSpace || declaration[position] == 0x3D {
            position += 1
        }
        guard position < declaration.count, declaration[position] == 0x22 || declaration[position] == 0x27 else {
            return nil
        }
        let close = declaration.position(of: declaration[position], from: position + 1, to: declaration.count)
        return declaration[(position + 1)..<close].trimmed.string
    }
}

extension ProblemList {
    fileprivate mutating func note(_ kind: MarkupProblem.Kind, _ detail: String) {
        var detail = detail
        detail.withUTF8 { note(kind, ByteView($0)) }
    }
}
