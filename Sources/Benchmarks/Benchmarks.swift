import Glibc

/// Runs the groups whose name contains the first argument, or all, and prints their table.
@main
enum Benchmarks {
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let arguments = CommandLine.arguments.dropFirst()
        do {
            if arguments.first == "sse-readers" {
                let numbers = arguments.dropFirst().compactMap { Int($0) }
                guard numbers.count == 3 else { throw BenchmarkFailure("sse-readers PORT COUNT EVENTS") }
                try await runReaders(port: numbers[0], count: numbers[1], events: numbers[2])
            } else if arguments.first == "webhook-calls" {
                guard let port = arguments.dropFirst().first.flatMap({ Int($0) }) else {
                    throw BenchmarkFailure("webhook-calls PORT")
                }
                try await runCallers(port: port)
            } else {
                try await run(only: arguments.first)
            }
        } catch {
            print("benchmark failed: \(error)")
            exit(1)
        }
    }

    private static let groups: [(name: String, run: @Sendable () async throws -> [BenchmarkRow])] = [
        ("events", { try benchmarkEvents() }),
        ("normalizers", { try benchmarkNormalizers() }),
        ("feeds", { try await benchmarkFeeds() }),
        ("bus", { try await benchmarkBus() }),
        ("transport", { try await benchmarkTransport() }),
        ("conditional", { try await benchmarkConditionalGets() }),
        ("polling", { try await benchmarkPolling() }),
        ("webhooks", { try await benchmarkWebhooks() }),
        ("fan-out", { try await benchmarkFanOut() }),
    ]

    private static func run(only name: String?) async throws {
        guard let name else {
            // Each in a process of its own, so that none finds the memory and the threads of those before it.
            for group in groups { try runAlone(group.name) }
            return
        }
        let chosen = groups.filter { $0.name.contains(name) }
        guard !chosen.isEmpty else {
            throw BenchmarkFailure(
                "there is no group \(name); there are \(groups.map(\.name).joined(separator: ", "))"
            )
        }
        for group in chosen {
            say("\(group.name):")
            for row in try await group.run() { say("  " + line(row)) }
        }
    }

    private static func runAlone(_ group: String) throws {
        var status: Int32 = 0
        let child = try spawn(["/proc/self/exe", group], quiet: false)
        guard waitpid(child, &status, 0) == child, status == 0 else {
            throw BenchmarkFailure("the group \(group) failed")
        }
    }

    private static func line(_ row: BenchmarkRow) -> String {
        let value = row.value >= 100 ? grouped(Int(row.value.rounded())) : "\((row.value * 100).rounded() / 100)"
        var line = pad(row.name, 62) + pad(value, 14, right: true) + " " + pad(row.unit, 14)
        if let bar = row.bar {
            line += " bar \(bar >= 100 ? grouped(Int(bar)) : "\(bar)")" + (row.value >= bar ? "" : "  SHORT OF IT")
        }
        if !row.note.isEmpty { line += "  (\(row.note))" }
        return line
    }

    private static func grouped(_ number: Int) -> String {
        var digits = String(number)
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits.removeLast(3)
        }
        return ([digits[...]] + groups).joined(separator: ",")
    }

    private static func pad(_ text: String, _ width: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return right ? space + text : text + space
    }
}
