import Glibc

/// A file that lasts as long as the value.
final class TemporaryFile {
    struct Failure: Error {}

    let path: String

    init(_ text: String) throws {
        var template = Array("/tmp/roost-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Failure() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let bytes = Array(text.utf8)
        let written = write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard written == bytes.count else { throw Failure() }
    }

    deinit {
        unlink(path)
    }
}
