import Glibc
import Markup

/// Writes down what a handler is told, one short line each: `<name a=b`, `"text`, `>name`.
struct Recorder: XMLHandler {
    var lines: [String] = []
    var sources: [String] = []
    var context: [String] = []
    var contents: [String: XMLContent] = [:]

    mutating func start(_ element: XMLElement) -> XMLContent {
        var line = "<" + Self.spell(element.name)
        element.attributes.forEach { prefix, local, value in
            line += " " + (prefix.isEmpty ? "" : prefix.string + ":") + local.string + "=" + value.string
        }
        lines.append(line)
        context.append("\(element.depth) \(element.base ?? "-") \(element.language ?? "-")")
        return contents[element.name.local.string] ?? .events
    }

    mutating func text(_ text: ByteView) {
        lines.append("\"" + text.string)
    }

    mutating func end(_ element: XMLElementEnd) {
        lines.append((element.isClosed ? ">" : "~") + Self.spell(element.name))
        sources.append(element.source.string)
    }

    private static func spell(_ name: XMLName) -> String {
        let namespace: String
        switch name.namespace {
        case .none: namespace = ""
        case .unknown: namespace = "?:"
        case .xml: namespace = "xml:"
        default: namespace = "\(name.namespace.rawValue):"
        }
        return namespace + name.local.string
    }

    static let vocabulary = XMLVocabulary(
        namespaces: [
            .init(uris: ["http://www.w3.org/2005/Atom"], prefixes: ["atom"]),
            .init(uris: ["http://www.itunes.com/dtds/podcast-1.0.dtd"], prefixes: ["itunes"]),
        ],
        names: ["feed", "title", "pubdate"]
    )
}

/// Reads a document with a recorder.
func record(
    _ document: [UInt8],
    charset: String? = nil,
    base: String? = nil,
    contents: [String: XMLContent] = [:],
    limits: XMLReader.Limits = .init()
) throws -> (recorder: Recorder, report: XMLReport) {
    var recorder = Recorder()
    recorder.contents = contents
    let reader = XMLReader(vocabulary: Recorder.vocabulary, limits: limits)
    let report = try reader.read(document, charset: charset, base: base, into: &recorder)
    return (recorder, report)
}

func record(
    _ document: String,
    base: String? = nil,
    contents: [String: XMLContent] = [:],
    limits: XMLReader.Limits = .init()
) throws -> (recorder: Recorder, report: XMLReport) {
    try record(Array(document.utf8), base: base, contents: contents, limits: limits)
}

/// How long this thread computes on something, whatever else the machine does meanwhile.
func cpuSeconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    try body()
    return now() - start
}
