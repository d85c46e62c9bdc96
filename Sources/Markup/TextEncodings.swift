/// An encoding that documents may be in: its usual name and what iconv calls the widest form of it.
struct KnownEncoding {
    let label: String
    let iconv: String
}

extension TextDecoder {
    /// The encoding that a label means, or nil for one that is not in the list.
    ///
    /// It is read by the WHATWG Encoding Standard's reading where it is the wider one (`iso-8859-1` is
    /// windows-1252 in practice). UTF-7 is left out on purpose.
    static func known(_ label: String) -> KnownEncoding? {
        var key = ""
        for unit in label.utf8.prefix(40) where unit.isLetter || unit.isDigit {
            key.unicodeScalars.append(Unicode.Scalar(unit.lowercased))
        }
        guard let index = byKey[key] else { return nil }
        return all[index]
    }

    /// Label, iconv name, then other spellings with letters and digits alone.
    private static let definitions: [[String]] = [
        ["utf-8", "UTF-8", "utf8", "unicode11utf8", "xunicode20utf8"],
        ["us-ascii", "US-ASCII", "usascii", "ascii", "iso646us", "ansix341968"],
        ["utf-16", "UTF-16", "utf16", "ucs2", "unicode"], ["utf-16le", "UTF-16LE", "utf16le"],
        ["utf-16be", "UTF-16BE", "utf16be"], ["utf-32", "UTF-32", "utf32", "utf32le", "utf32be", "ucs4"],
        ["windows-1252", "CP1252", "windows1252", "cp1252", "xcp1252", "iso88591", "latin1", "l1", "ibm819", "cp819"],
        ["windows-1250", "CP1250", "windows1250", "cp1250", "xcp1250"],
        ["windows-1251", "CP1251", "windows1251", "cp1251", "xcp1251"],
        ["windows-1253", "CP1253", "windows1253", "cp1253"],
        ["windows-1254", "CP1254", "windows1254", "cp1254", "iso88599", "latin5", "l5"],
        ["windows-1255", "CP1255", "windows1255", "cp1255"], ["windows-1256", "CP1256", "windows1256", "cp1256"],
        ["windows-1257", "CP1257", "windows1257", "cp1257"], ["windows-1258", "CP1258", "windows1258", "cp1258"],
        ["windows-874", "CP874", "windows874", "cp874", "tis620", "iso885911", "dos874"],
        ["iso-8859-2", "ISO-8859-2", "iso88592", "latin2", "l2"], ["iso-8859-3", "ISO-8859-3", "iso88593", "latin3"],
        ["iso-8859-4", "ISO-8859-4", "iso88594", "latin4"], ["iso-8859-5", "ISO-8859-5", "iso88595", "cyrillic"],
        ["iso-8859-6", "ISO-8859-6", "iso88596", "arabic"], ["iso-8859-7", "ISO-8859-7", "iso88597", "greek"],
        ["iso-8859-8", "ISO-8859-8", "iso88598", "iso88598i", "hebrew"],
        ["iso-8859-10", "ISO-8859-10", "iso885910", "latin6"], ["iso-8859-13", "ISO-8859-13", "iso885913"],
        ["iso-8859-14", "ISO-8859-14", "iso885914"], ["iso-8859-15", "ISO-8859-15", "iso885915", "latin9"],
        ["iso-8859-16", "ISO-8859-16", "iso885916"], ["koi8-r", "KOI8-R", "koi8r", "koi8", "koi"],
        ["koi8-u", "KOI8-U", "koi8u", "koi8ru"], ["ibm866", "CP866", "ibm866", "cp866"],
        ["macintosh", "MACINTOSH", "macintosh", "macroman", "xmacroman", "mac"],
        ["shift_jis", "CP932", "shiftjis", "sjis", "xsjis", "mskanji", "windows31j", "cp932", "ms932"],
        ["euc-jp", "EUC-JP", "eucjp", "xeucjp"], ["iso-2022-jp", "ISO-2022-JP", "iso2022jp", "csiso2022jp"],
        ["gb18030", "GB18030", "gb18030", "gbk", "gb2312", "xgbk", "cp936", "euccn", "gb231280", "chinese"],
        ["big5", "BIG5-HKSCS", "big5", "big5hkscs", "cnbig5", "xxbig5", "cp950"],
        ["euc-kr", "CP949", "euckr", "ksc5601", "ksc56011987", "ksc56011989", "cp949", "uhc", "windows949", "korean"],
    ]

    private static let all: [KnownEncoding] = definitions.map { KnownEncoding(label: $0[0], iconv: $0[1]) }

    private static let byKey: [String: Int] = {
        var keys: [String: Int] = [:]
        for (index, definition) in definitions.enumerated() {
            for key in definition.dropFirst(2) { keys[key] = index }
        }
        return keys
    }()
}
