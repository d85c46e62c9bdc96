import ArgumentParser
import HubCore

/// The command `roost check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a configuration without starting anything or reaching for the network."
    )

    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let configuration = try file.load()
        let sources = configuration.sources.count
        Terminal.write("\(file.path): well-formed, \(sources) source\(sources == 1 ? "" : "s")\n")
    }
}
