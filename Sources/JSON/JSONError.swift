/// Why a document, or a value in it, could not be read.
///
/// Safe to print: beside the fixed words it holds only names of object members, cut short and freed of control
/// characters, never a value.
public struct JSONError: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Code: String, Hashable, Sendable {
        /// There is no value in the document.
        case empty
        /// The document is longer than the parser allows.
        case tooLarge
        /// Objects and arrays stand deeper inside one another than the parser allows.
        case tooDeep
        /// The bytes are not UTF-8.
        case invalidUTF8
        /// A string is not closed, or has a bad escape, an unpaired surrogate or an unescaped control character.
        case invalidString
        /// A number is ill-formed, or does not fit in 64 bits.
        case invalidNumber
        /// The text does not follow the grammar of JSON, or ends early.
        case invalidSyntax
        /// A required member is absent or null.
        case missing
        /// A value is of another kind than expected, or out of the range asked for.
        case mismatch
        /// The parser was used inside the closure that reads its document.
        case parserInUse
        /// There was no memory.
        case outOfMemory
    }

    /// What is wrong, for the program.
    public let code: Code
    /// Where the value stands, such as `data.entities.urls[3].start`; empty for the root and for the whole document.
    public let path: String
    /// What is wrong, for people.
    public let message: String

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: what is wrong, for the program.
    ///   - message: what is wrong, for people; free of values from the document.
    ///   - path: where the value stands.
    public init(_ code: Code, _ message: String, path: String = "") {
        self.code = code
        self.path = path
        self.message = message
    }
}

extension JSONError: CustomStringConvertible {
    /// The path, if there is one, and the message.
    public var description: String {
        path.isEmpty ? message : "\(path): \(message)"
    }
}
