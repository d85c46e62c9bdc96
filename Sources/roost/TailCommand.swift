import ArgumentParser
import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// The command `roost tail`.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Follows the events of a running hub.",
        discussion: "A connection that breaks is made again, and goes on after the last event shown."
    )

    @OptionGroup var hub: HubAddress

    @Flag(help: "Print each event's JSON, one a line.")
    var json = false

    @Option(help: "Start after this sequence, at `earliest`, or `now`.")
    var after = "now"

    @Option(help: "End after this many events.")
    var limit: Int?

    @Option(help: "Only events of this source; may be given several times.")
    var source: [String] = []

    @Option(help: "Only events of this platform; may be given several times.")
    var platform: [String] = []

    @Option(help: "Only events of this type, such as social.post.created; may be given several times.")
    var type: [String] = []

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is a number above 0.") }
    }

    func run() async throws {
        try await hub.withHub { try await follow($0) }
    }

    /// Reads one connection after another until the limit is reached or nobody reads what is printed.
    private func follow(_ hub: HubConnection) async throws {
        var position = after
        var left = limit ?? .max
        var attempt = 0
        while true {
            do {
                let isDone = try await read(hub, from: &position, left: &left) { attempt = 0 }
                if isDone { return }
            } catch let error as Failure where attempt == 0 || error.code == .usage {
                throw error
            } catch is CancellationError {
                return
            } catch {
                // The connection broke; the next one goes on where this one was.
            }
            attempt += 1
            let pause = min(10, attempt)
            Terminal.error("the connection ended; trying again in \(pause) s")
            try await SystemClock().sleep(for: .seconds(pause))
        }
    }

    private func read(
        _ hub: HubConnection,
        from position: inout String,
        left: inout Int,
        onEvent: () -> Void
    ) async throws -> Bool {
        var query = ["after=\(percentEncoded(position))"]
        query += source.map { "source=\(percentEncoded($0))" }
        query += platform.map { "platform=\(percentEncoded($0))" }
        query += type.map { "type=\(percentEncoded($0))" }
        let response = try await hub.send(
            .get,
            "/v1/events?" + query.joined(separator: "&"),
            headers: [.accept: "text/event-stream"],
            // The hub sends a comment every 15 s; three of them missing means that it is gone.
            deadlines: HTTPDeadlines(idle: .seconds(45), total: nil)
        )
        var parser = ServerSentEventParser()
        let decoder = EventDecoder()
        for try await chunk in response.body {
            for message in try parser.read(chunk) {
                position = message.id ?? position
                guard !message.data.isEmpty else { continue }
                onEvent()
                guard show(message, decoder) else { return true }
                left -= 1
                if left <= 0 { return true }
            }
        }
        return false
    }

    /// Prints a message; false when nobody reads what is printed.
    private func show(_ message: ServerSentEventParser.Message, _ decoder: EventDecoder) -> Bool {
        if json { return Terminal.write(String(decoding: message.data, as: UTF8.self) + "\n") }
        guard let recorded = try? decoder.decodeRecorded(message.data) else {
            return Terminal.write(
                Terminal.oneLine(
                    "\(message.event): \(String(decoding: message.data, as: UTF8.self))",
                    width: Terminal.width
                ) + "\n"
            )
        }
        return Terminal.write(EventLine(recorded: recorded).render(width: Terminal.width))
    }
}
