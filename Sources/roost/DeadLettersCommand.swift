import ArgumentParser
import ConnectorKit
import FoundationEssentials
import HTTPTypes
import JSON

/// The command `roost deadletters [list|show|retry|discard]`.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deadletters",
        abstract: "Shows the payloads that could not be read; has them read again, and discards them.",
        subcommands: [List.self, Show.self, Retry.self, Discard.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists dead letters, oldest first.")

        @OptionGroup var hub: HubAddress
        @Flag(help: "Print the hub's JSON.")
        var json = false
        @Option(help: "Only those of this source.")
        var source: String?
        @Option(help: "Start behind the dead letter of this number.")
        var after: Int64 = 0
        @Option(help: "At most so many, up to 1000.")
        var limit = 100

        func run() async throws {
            try await hub.withHub { hub in
                var path = "/v1/deadletters?after=\(after)&limit=\(limit)"
                if let source { path += "&source=\(percentEncoded(source))" }
                let bytes = try await hub.send(.get, path).body.collect()
                if json {
                    Terminal.write(Terminal.json(bytes) + "\n")
                } else {
                    try JSONParser().parse(bytes) { DeadLetterTable.all($0) }
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a dead letter with its payload.")

        @OptionGroup var hub: HubAddress
        @Flag(help: "Print the hub's JSON, which has all of the payload.")
        var json = false
        @Option(help: "Show at most so many bytes of the payload.")
        var bytes = 4_096
        @Argument(help: "The dead letter's number.")
        var id: Int64

        func run() async throws {
            try await hub.withHub { hub in
                let answer = try await hub.send(.get, "/v1/deadletters/\(id)").body.collect()
                if json {
                    Terminal.write(Terminal.json(answer) + "\n")
                } else {
                    try JSONParser().parse(answer) { DeadLetterTable.one($0, most: max(0, bytes)) }
                }
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has dead letters read again, as after an upgrade.",
            discussion: """
                What is read becomes events and the dead letter is gone; what still cannot be read stays, with the new reason.
                Ends with exit code 1 when one stays.
                """
        )

        @OptionGroup var hub: HubAddress
        @Flag(help: "Print the hub's JSON, one answer a line.")
        var json = false
        @Option(help: "All of this source.")
        var source: String?
        @Flag(help: "All of every source.")
        var all = false
        @Argument(help: "The dead letters' numbers.")
        var ids: [Int64] = []

        func validate() throws {
            guard [source != nil, all, !ids.isEmpty].filter({ $0 }).count == 1 else {
                throw ValidationError("Say which: numbers, or --source with a name, or --all.")
            }
        }

        func run() async throws {
            var tally = RetryTally(printsJSON: json)
            try await hub.withHub { hub in
                for id in ids {
                    let bytes = try await Self.send(hub, "/v1/deadletters/\(id)/retry")
                    try JSONParser().parse(bytes) { tally.add($0) }
                    tally.end(bytes)
                }
                for (name, count) in try await sources(hub) {
                    do {
                        try await retry(name, count, hub, &tally)
                    } catch let failure as Failure where all && failure.code == .usage {
                        // That of one source cannot be read, as when it is configured no longer, says nothing of the others.
                        for line in failure.lines { Terminal.error(line) }
                        tally.refused(count)
                    }
                }
            }
            if !json { Terminal.write(tally.summary) }
            if tally.kept > 0 {
                throw Failure(.runtime, "\(tally.kept) of them cannot be read by this version; their reasons are above")
            }
        }

        /// The sources whose letters are to be read again, and how many there are.
        private func sources(_ hub: HubConnection) async throws -> [(String, Int)] {
            guard source != nil || all else { return [] }
            let query = source.map { "&source=\(percentEncoded($0))" } ?? ""
            let counts = try await hub.json(.get, "/v1/deadletters?limit=1" + query) { answer -> [(String, Int)] in
                guard let counts = answer["counts"] else { return [] }
                return counts.elements.map { ($0["source"]?.string ?? "", $0["count"]?.int ?? 0) }
            }
            return counts.filter { source == nil || $0.0 == source }
        }

        /// Goes through a source's letters, not through those that are set aside meanwhile.
        private func retry(
            _ name: String,
            _ count: Int,
            _ hub: HubConnection,
            _ tally: inout RetryTally
        ) async throws {
            var left = count
            var after: Int? = 0
            while let position = after, left > 0 {
                let limit = min(left, 20)
                let query = "source=\(percentEncoded(name))&after=\(position)&limit=\(limit)"
                let bytes = try await Self.send(hub, "/v1/deadletters/retry?\(query)")
                after = try JSONParser().parse(bytes) { answer in
                    if let results = answer["results"] {
                        for result in results.elements { tally.add(result) }
                    }
                    return answer["next"]?.int
                }
                tally.end(bytes)
                left -= limit
            }
        }

        /// As long as it takes: the hub sees to it that each letter ends.
        private static func send(_ hub: HubConnection, _ path: String) async throws -> [UInt8] {
            let deadlines = HTTPDeadlines(firstByte: nil, idle: nil, total: nil)
            return try await hub.send(.post, path, deadlines: deadlines).body.collect()
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes dead letters for good.")

        @OptionGroup var hub: HubAddress
        @Argument(help: "The dead letters' numbers.")
        var ids: [Int64]

        func run() async throws {
            try await hub.withHub { hub in
                for id in ids {
                    _ = try await hub.send(.delete, "/v1/deadletters/\(id)").body.collect()
                    Terminal.write("\(id) discarded\n")
                }
            }
        }
    }
}

/// Dead letters as a person reads them.
enum DeadLetterTable {
    static func all(_ answer: JSONValue) {
        var rows = [["ID", "SOURCE", "RECORDED", "BYTES", "ATTEMPTS", "REASON"]]
        guard let letters = answer["dead_letters"] else { return }
        for letter in letters.elements {
            rows.append([
                number(letter, "id"), text(letter, "source", width: 40), text(letter, "recorded_at", width: 40),
                number(letter, "size"), number(letter, "attempts"), text(letter, "reason", width: 100),
            ])
        }
        Terminal.write(rows.count > 1 ? Terminal.table(rows) : "no dead letters\n")
        if let next = answer["next"]?.int { Terminal.write("there are more: --after \(next)\n") }
    }

    static func one(_ letter: JSONValue, most: Int) {
        var rows = ["source", "recorded_at", "reason", "content_type"].map {
            [$0, text(letter, $0, width: 2_000)]
        }
        for field in ["size", "attempts"] { rows.append([field, number(letter, field)]) }
        if letter["cut"]?.bool == true { rows.append(["cut", "only the beginning was kept"]) }
        let payload =
            letter["text"]?.string.map { Array($0.utf8) }
            ?? letter["base64"]?.string.flatMap { Data(base64Encoded: $0).map(Array.init) } ?? []
        Terminal.write(Terminal.table(rows) + "\n")
        Terminal.write(Terminal.block(String(decoding: payload.prefix(most), as: UTF8.self)) + "\n")
        if payload.count > most {
            Terminal.write("… and \(payload.count - most) bytes more; --bytes shows more of them, --json all\n")
        }
    }

    private static func text(_ letter: JSONValue, _ field: String, width: Int) -> String {
        Terminal.oneLine(letter[named: field]?.string ?? "–", width: width)
    }

    private static func number(_ letter: JSONValue, _ field: String) -> String {
        String(letter[named: field]?.int ?? 0)
    }
}

/// What came of reading dead letters again, told as it comes.
struct RetryTally {
    let printsJSON: Bool
    private var read = 0
    private(set) var kept = 0
    private var events = 0

    init(printsJSON: Bool) {
        self.printsJSON = printsJSON
    }

    mutating func add(_ result: JSONValue) {
        let id = result["id"]?.int ?? 0
        let news = result["events"]?.int ?? 0
        events += news
        let words: String
        switch result["outcome"]?.string {
        case "read":
            read += 1
            words = "read, \(Self.events(news))"
        case "kept":
            kept += 1
            let reason = Terminal.oneLine(result["reason"]?.string ?? "no reason given", width: 500)
            words = (news > 0 ? "read in part, \(Self.events(news)), the rest stays: " : "stays: ") + reason
        default: words = "was read or discarded by somebody else"
        }
        if !printsJSON { Terminal.write("\(id) \(words)\n") }
    }

    /// The letters of a source cannot be read again at all.
    mutating func refused(_ count: Int) { kept += count }

    /// The hub's answer is complete.
    func end(_ answer: [UInt8]) {
        if printsJSON { Terminal.write(Terminal.json(answer) + "\n") }
    }

    var summary: String { "\(read) read, \(kept) stay, \(Self.events(events))\n" }

    private static func events(_ count: Int) -> String { count == 1 ? "1 new event" : "\(count) new events" }
}
