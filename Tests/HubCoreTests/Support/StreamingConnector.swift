import ConnectorKit
import HubCore
import SocialEvents
import Synchronization
import Testing

/// What a test says over the connection of a source that streams.
enum Word: Sendable {
    /// The platform accepts the connection.
    case accept
    /// Posts, one batch each, the cursor after each.
    case say([String])
    /// A sign of life with a cursor and no posts.
    case mark(String)
    /// It hears nothing more, not even that it is to end, until the script lets it go.
    case hold
    /// The connection breaks.
    case fail(any Error)
    /// The platform ends it in order.
    case end
}

/// A source that streams what the test says, and can be asked as the script says.
struct StreamingConnector: PullSource, StreamSource {
    static let pulls = Setting.flag("pulls", summary: "Whether it can be asked too.", default: true)
    static let descriptor = ConnectorDescriptor(
        name: "streaming",
        summary: "Follows a script.",
        settings: [ScriptedConnector.script, pulls]
    )

    static func modes(of settings: Settings) -> ConnectorModes {
        (try? settings.value(pulls)) == false ? .stream : [.stream, .pull]
    }

    struct Wire: Sendable {
        var words: [Word] = []
        /// The cursor of each connection.
        var opened: [String?] = []
    }

    static let wires = Mutex<[String: Wire]>([:])

    private let puller: ScriptedConnector
    private let key: String

    init(settings: Settings, context: ConnectorContext) throws {
        puller = try ScriptedConnector(settings: settings, context: context)
        key = try settings.required(ScriptedConnector.script)
    }

    func pull(_ request: PullRequest) async throws -> PullPage { try await puller.pull(request) }

    func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
        let text = cursor.map { String(decoding: $0.bytes, as: UTF8.self) }
        Self.wires.withLock { $0[key, default: Wire()].opened.append(text) }
        while true {
            try Task.checkCancellation()
            let word = Self.wires.withLock { wires -> Word? in
                wires[key]?.words.isEmpty == false ? wires[key]?.words.removeFirst() : nil
            }
            switch word {
            case nil: await Task.yield()
            case .accept: await sink.connected()
            case .say(let names):
                for name in names { try await sink.emit([post(name)], cursor: Cursor(bytes: Array(name.utf8))) }
            case .mark(let name): try await sink.emit(EventBatch(cursor: Cursor(bytes: Array(name.utf8))))
            case .hold: await puller.script.hold()
            case .fail(let error): throw error
            case .end: return
            }
        }
    }
}

extension Stage {
    /// Says words over the present connection, or the next.
    func hear(_ words: Word...) {
        StreamingConnector.wires.withLock { $0[key, default: .init()].words += words }
    }

    /// Whether all that was said has been taken.
    var hasHeardAll: Bool { StreamingConnector.wires.withLock { $0[key]?.words.isEmpty != false } }

    /// Where the source stands in the log.
    var cursor: String? {
        bus.state.current.cursors[SourceName("s")].map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Returns when what was missed before the connection has been read, and the silence after it is watched.
    func untilFilled(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await untilSleeping(for: SilenceGauge.verifiable.range.upperBound, sourceLocation: sourceLocation)
    }

    /// The cursors of the connections that were opened.
    var connections: [String?] { StreamingConnector.wires.withLock { $0[key]?.opened ?? [] } }

    /// Returns when so many connections have been opened.
    func untilConnections(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await until("connection \(count)", sourceLocation: sourceLocation) { connections.count >= count }
    }

    /// Returns when what was said is taken and the source has been asked so many times, all of it stored.
    func untilPulled(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await until("pull \(count)", sourceLocation: sourceLocation) { try status("s").counts.pulls >= count }
    }
}
