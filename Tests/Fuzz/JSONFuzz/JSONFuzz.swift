import JSON

/// Parses any bytes and traps where the reader and the writer disagree.
///
/// What is accepted is walked in every way the reader has, written back and read again, which must give the same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let parser = JSONParser(maximumDepth: 32, maximumSize: 1 << 16)
    var first = JSONWriter(reserving: 0)
    do {
        try parser.parse(UnsafeRawBufferPointer(start: start, count: count)) { root in
            visit(root)
            root.write(into: &first)
        }
    } catch let error as JSONError {
        precondition(error.description.utf8.count < 4096)
        return 0
    } catch {
        fatalError("an error of another type")
    }
    precondition(String(validating: first.bytes, as: UTF8.self) != nil, "what is written is not UTF-8")
    var second = JSONWriter(reserving: 0)
    do {
        try parser.parse(first.bytes) { $0.write(into: &second) }
    } catch {
        fatalError("what was written is not read")
    }
    precondition(first.bytes == second.bytes, "what is written is read as something else")
    return 0
}

private func visit(_ value: JSONValue) {
    _ = value.int
    _ = value.uint64
    _ = value.double
    _ = value.bool
    if let text = value.string {
        precondition(value.withUTF8 { $0.elementsEqual(text.utf8) } == true)
        var writer = JSONWriter(reserving: 0)
        writer.string(text)
        let isSame = try? JSONParser().parse(writer.bytes) { $0.string == text }
        precondition(isSame == true, "a string is written as something else")
    }
    var count = 0
    for (position, element) in value.elements.enumerated() {
        count += 1
        precondition((value[position] == nil) == element.isNull)
        visit(element)
    }
    for (key, member) in value.members {
        count += 1
        let found = value[named: key.string]
        precondition(found != nil || value.members.contains { $0.key.string == key.string && $0.value.isNull })
        visit(member)
    }
    precondition(count == value.count)
    if count == 0 { precondition(value.path.utf8.count < 8192) }
    _ = try? value.requiredInt("a")
    _ = try? value.expectString()
}
