/// Plain text from HTML.
public enum HTMLText {
    /// The words of a piece of HTML with its line breaks, as in ``HTMLFragment/text``.
    ///
    /// To read many pieces, keep an ``HTMLReader``.
    public static func plain(from html: String) -> String {
        var options = HTMLReader.Options()
        options.html = false
        options.links = false
        return HTMLReader(options: options).read(html).text
    }

    /// Resolves the character references of a text that has no tags, such as a title; everything else stays as it is.
    public static func decodeEntities(_ text: String) -> String {
        var text = text
        return text.withUTF8 { bytes in
            let view = ByteView(bytes)
            guard view.position(of: UInt8(ascii: "&"), from: 0, to: view.count) < view.count else { return nil }
            var buffer = ByteBuffer(capacity: view.count)
            buffer.append(decoding: view, inAttribute: false)
            return buffer.string
        } ?? text
    }
}

extension ByteBuffer {
    /// Appends HTML text or an attribute value with its references resolved.
    mutating func append(decoding text: ByteView, inAttribute: Bool) {
        var position = 0
        while position < text.count {
            let ampersand = text.position(of: UInt8(ascii: "&"), from: position, to: text.count)
            append(text[position..<ampersand])
            guard ampersand < text.count else { return }
            if case .scalar(let scalar, let length) = CharacterReference.readHTML(
                text,
                at: ampersand,
                inAttribute: inAttribute
            ) {
                append(scalar: scalar)
                position = ampersand + length
            } else {
                append(UInt8(ascii: "&"))
                position = ampersand + 1
            }
        }
    }
}
