import ArgumentParser
import ConnectorKit
import HTTPTypes
import JSON

/// The command `roost sources [list|pause|resume]`.
struct SourcesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sources",
        abstract: "Shows what the sources of a running hub do; pauses and resumes them.",
        subcommands: [List.self, Pause.self, Resume.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows every source, or one in full.")

        @OptionGroup var hub: HubAddress
        @Flag(help: "Print the hub's JSON.")
        var json = false
        @Argument(help: "The source to show in full.")
        var name: String?

        func run() async throws {
            try await hub.withHub { hub in
                let path = name.map { "/v1/sources/\(percentEncoded($0))" } ?? "/v1/sources"
                let bytes = try await hub.send(.get, path).body.collect()
                if json {
                    Terminal.write(String(decoding: bytes, as: UTF8.self) + "\n")
                } else {
                    try JSONParser().parse(bytes) { name == nil ? SourceTable.all($0) : SourceTable.one($0) }
                }
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops reading a source until it is resumed, over restarts too."
        )

        @OptionGroup var hub: HubAddress
        @Argument(help: "The source.")
        var name: String

        func run() async throws {
            try await hub.withHub {
                try await $0.json(.post, "/v1/sources/\(percentEncoded(name))/pause") { SourceTable.one($0) }
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads a source again that was paused, or had stopped."
        )

        @OptionGroup var hub: HubAddress
        @Argument(help: "The source.")
        var name: String

        func run() async throws {
            try await hub.withHub {
                try await $0.json(.post, "/v1/sources/\(percentEncoded(name))/resume") { SourceTable.one($0) }
            }
        }
    }
}

/// Sources as a person reads them.
enum SourceTable {
    static func all(_ answer: JSONValue) {
        var rows = [["SOURCE", "CONNECTOR", "STATE", "EVENTS", "LAST EVENT", "REASON"]]
        guard let sources = answer["sources"] else { return }
        for source in sources.elements {
            rows.append([
                cell(source, "name"), cell(source, "connector"), cell(source, "state"), count(source, "events"),
                cell(source, "last_event_at"),
                Terminal.oneLine(source["reason"]?.string ?? "", width: 80),
            ])
        }
        Terminal.write(Terminal.table(rows))
    }

    static func one(_ source: JSONValue) {
        let fields = [
            "name", "connector", "state", "since", "reason", "until", "last_pull_at", "last_event_at", "next_pull_at",
        ]
        var rows = fields.compactMap { field in
            source[named: field]?.string.map { [field, Terminal.oneLine($0, width: 500)] }
        }
        for counter in ["pulls", "failures", "events", "repeated", "dead_letters"] {
            rows.append([counter, count(source, counter)])
        }
        Terminal.write(Terminal.table(rows))
    }

    private static func cell(_ source: JSONValue, _ field: String) -> String {
        Terminal.oneLine(source[named: field]?.string ?? "–", width: 40)
    }

    private static func count(_ source: JSONValue, _ field: String) -> String {
        String(source["since_start"]?[named: field]?.int ?? 0)
    }
}
