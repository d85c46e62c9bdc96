import Glibc

/// What a person sees: colours on a terminal only, nothing foreign that could steer it.
enum Terminal {
    enum Style: String {
        case plain = ""
        case dim = "2"
        case bold = "1"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    /// Whether standard output is a terminal that wants colours (https://no-color.org).
    static let hasColours =
        isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil && getenv("TERM").map { String(cString: $0) } != "dumb"

    /// The width of the terminal, 100 where there is none.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
        return Int(size.ws_col)
    }

    static func styled(_ text: String, _ style: Style) -> String {
        hasColours && style != .plain ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// One line that cannot steer a terminal: control and bidirectional-override characters are shown as spaces.
    static func oneLine(_ text: String, width: Int) -> String {
        var line = ""
        var isSpace = true
        for scalar in text.unicodeScalars {
            let hidden =
                scalar.properties.generalCategory == .control || (0x202A...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value)
            if hidden || scalar.properties.isWhitespace {
                if !isSpace { line.unicodeScalars.append(" ") }
                isSpace = true
            } else {
                line.unicodeScalars.append(scalar)
                isSpace = false
            }
        }
        return line.count > width ? line.prefix(max(0, width - 1)) + "…" : line
    }

    /// Text of several lines that cannot steer a terminal: what could is shown as an escape, such as `\u{1b}`.
    static func block(_ text: String) -> String {
        var block = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\t" || !steers(scalar) {
                block.unicodeScalars.append(scalar)
            } else {
                block += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return block
    }

    /// JSON that says the same and cannot steer a terminal: what could stands only inside strings, where an escape means it too (RFC 8259 §7).
    static func json(_ bytes: [UInt8]) -> String {
        var json = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            guard steers(scalar) else {
                json.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return json
    }

    /// Whether a scalar is a control, a separator of lines, or invisible and of effect on others, but for the joiners that scripts and emoji need.
    private static func steers(_ scalar: Unicode.Scalar) -> Bool {
        // ASCII and the letters behind it, nearly all there is, need no look into tables.
        if scalar.value < 0x7f { return scalar.value < 0x20 }
        return switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: scalar.value != 0x200c && scalar.value != 0x200d
        default: false
        }
    }

    /// Writes to standard output and shows it at once; false when nobody reads it any more.
    @discardableResult
    static func write(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                return false
            }
            bytes = bytes.dropFirst(written)
        }
        return true
    }

    static func error(_ text: String, prefix: String = "roost: ") {
        var bytes = Array((prefix + text + "\n").utf8)
        _ = Glibc.write(STDERR_FILENO, &bytes, bytes.count)
    }

    /// Columns of equal width, as wide as their widest cell.
    static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        var text = ""
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            text += line + "\n"
        }
        return text
    }
}
