import ConnectorKit
import Foundation
import MessageBus
import SQLiteBus
import SocialEvents
import Testing

@Suite("roost deadletters", .timeLimit(.minutes(5)))
struct DeadLetterCommandTests {
    private static let feed = """
        <rss version="2.0"><channel><title>Acme</title>
        <item><guid isPermaLink="false">1</guid><title>One</title></item>
        <item><guid isPermaLink="false">2</guid><title>Two</title></item></channel></rss>
        """

    /// A running hub whose log holds these dead letters of a source that reads a feed which nobody serves.
    private func hub(_ folder: TestFolder, _ letters: [DeadLetter]) async throws -> (process: RoostProcess, url: String)
    {
        let data = folder.url.path + "/data"
        let bus = try await SQLiteBus(directory: data, SQLiteBusConfiguration { SystemClock().now })
        _ = try await bus.append(LogBatch(source: SourceName("blog"), deadLetters: letters))
        await bus.close()
        let file = try folder.write(
            "hub.yaml",
            """
            data: \(data)
            listen: 127.0.0.1:0
            log: { level: info }
            sources:
              blog: { connector: feed, url: "http://127.0.0.1:1/feed", allow_private_network: true }

            """
        )
        let process = try RoostProcess(["run", "--config", file])
        let line = try #require(process.waitForError("listening on http"))
        let url = try #require(line.firstMatch(of: /http:\/\/127\.0\.0\.1:[0-9]+/))
        return (process, String(url.0))
    }

    private func stop(_ process: RoostProcess) {
        process.send(SIGTERM)
        #expect(process.wait() == 0)
    }

    private func run(_ arguments: [String], _ url: String) async throws -> (
        code: Int32, output: String, errors: String
    ) {
        try await offThread { try RoostProcess.run(["deadletters"] + arguments + ["--url", url]) }
    }

    @Test("They are listed, shown, read again and discarded against a running hub")
    func all() async throws {
        let folder = try TestFolder()
        let type = "application/rss+xml; charset=utf-8"
        let (process, url) = try await hub(
            folder,
            [
                DeadLetter(reason: "an older version", contentType: type, payload: Array(Self.feed.utf8)),
                DeadLetter(
                    reason: "no \u{1b}[31mfeed",
                    contentType: "text/html",
                    payload: Array("<html>\u{9b}2J".utf8)
                ),
                DeadLetter(reason: "to go", contentType: "text/plain", payload: [UInt8](repeating: 0x61, count: 9_000)),
            ]
        )
        let list = try await run([], url)
        #expect(list.code == 0)
        #expect(list.output.contains("an older version"))
        #expect(!list.output.contains("\u{1b}"))

        let shown = try await run(["show", "2"], url)
        #expect(shown.code == 0)
        #expect(shown.output.contains(#"<html>\u{9b}2J"#))
        let json = try await run(["show", "2", "--json"], url)
        #expect(json.output.contains(#"<html>\u009b2J"#))
        for text in [shown.output, json.output] {
            #expect(!text.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control })
        }
        let long = try await run(["show", "3", "--bytes", "100"], url)
        #expect(long.output.contains(String(repeating: "a", count: 100) + "\n"))
        #expect(long.output.contains("8900 bytes more"))

        let discarded = try await run(["discard", "3"], url)
        #expect(discarded.code == 0)
        let retried = try await run(["retry", "--source", "blog"], url)
        #expect(retried.code == 1, "one still cannot be read")
        #expect(retried.output.contains("1 read, 2 new events"))
        #expect(retried.output.contains("1 read, 1 stay, 2 new events"))
        let again = try await run(["retry", "--all", "--json"], url)
        #expect(again.code == 1)
        #expect(again.output.contains(#""outcome":"kept""#))
        #expect(try await run(["--json"], url).output.contains(#""attempts":2"#))
        stop(process)
        let titles = try await storedEvents(folder.url.path + "/data").compactMap { $0.data.object?.title }
        #expect(titles.sorted() == ["One", "Two"])
    }

    @Test("What is asked wrongly ends with exit code 2, and a hub that is not there with 3")
    func wrong() async throws {
        let folder = try TestFolder()
        let (process, url) = try await hub(folder, [])
        #expect(try await run([], url).output == "no dead letters\n")
        for arguments in [
            ["retry"], ["retry", "1", "--all"], ["show", "7"], ["discard", "7"], ["--source", "blgo"],
        ] {
            let result = try await run(arguments, url)
            #expect(result.code == 2, "\(arguments): \(result.errors)")
        }
        #expect(try await run(["--source", "blgo"], url).errors.contains("did you mean `blog`?"))
        stop(process)
        #expect(try await run([], "http://127.0.0.1:1").code == 3)
    }
}
