import ArgumentParser
import Glibc

/// The command line.
@main
struct Roost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roost",
        abstract: "Brings what is said on social platforms into one stream of events.",
        discussion: """
            Connectors read platforms, everything becomes one event format on one durable log, and whoever wants to know subscribes.
            Start with `roost run --config Config/demo.yaml --follow`; then read http://127.0.0.1:8080/v1/events.

            Exit codes: 0 well done, 1 failed while running, 2 wrong configuration or arguments, 3 something is missing here: a file, a port, a hub.
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, CheckCommand.self, TailCommand.self, SourcesCommand.self, DeadLettersCommand.self,
            ConnectorsCommand.self, SimulateCommand.self,
        ]
    )

    static func main() async {
        // A reader that goes away is an error where it is written to, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            for line in failure.lines { Terminal.error(line) }
            Glibc.exit(failure.code.rawValue)
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                print(fullMessage(for: error))
                Glibc.exit(0)
            }
            Terminal.error(fullMessage(for: error), prefix: "")
            Glibc.exit(code == .validationFailure ? Failure.Code.usage.rawValue : Failure.Code.runtime.rawValue)
        }
    }
}

/// Why a command ended badly, in words for the person who ran it.
struct Failure: Error {
    enum Code: Int32 {
        /// It failed while running.
        case runtime = 1
        /// The configuration or the arguments are wrong.
        case usage = 2
        /// Something is missing on this machine: a file, a port, a running hub.
        case environment = 3
    }

    let code: Code
    let lines: [String]

    init(_ code: Code, _ lines: String...) {
        self.code = code
        self.lines = lines
    }

    init(_ code: Code, lines: [String]) {
        self.code = code
        self.lines = lines
    }
}
