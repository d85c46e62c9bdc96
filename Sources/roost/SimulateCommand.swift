import ArgumentParser
import HubCore
import Logging
import ServiceLifecycle
import UnixSignals

/// The command `roost simulate PLATFORM`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Serves a stand-in of a platform, to try a configuration or write a connector without the platform.",
        discussion: """
            Feeds depend on the time and --seed alone: stopped and started again they go on as if they had never stopped. The other platforms \
            begin with a past of some minutes at each start, and take orders at /_simulator/: GET ledger, POST posts?count=N, POST faults. \
            Facebook, Instagram and WhatsApp call --callback, after a question that the webhook listener answers.
            """
    )

    @Argument(help: "The platform: \(SimulatedPlatform.allCases.map(\.rawValue).joined(separator: ", ")).")
    var platform: SimulatedPlatform

    @Option(help: "The loopback port to listen on; 0 lets the system choose. Each platform has a usual one.")
    var port: Int?

    @Option(help: "Milliseconds between two things that happen.")
    var pace: Int = 1_500

    @Option(help: "For feeds: how many of the newest articles a feed shows.")
    var window = 20

    @Option(help: "Which story to tell.")
    var seed: UInt64 = 1

    @Option(help: "For Facebook, Instagram and WhatsApp: where they call, on this machine; may be repeated.")
    var callback: [String] = []

    func validate() throws {
        guard (0...65_535).contains(port ?? 0) else { throw ValidationError("--port is a number from 0 to 65535.") }
        guard pace > 0, window > 0 else { throw ValidationError("--pace and --window are numbers above 0.") }
        guard callback.isEmpty || platform.metaProduct != nil else {
            throw ValidationError("--callback is for facebook, instagram and whatsapp; the others do not call.")
        }
        guard callback.allSatisfy(SimulatorSettings.isLoopback) else {
            throw ValidationError("--callback begins with http://127.0.0.1; simulators call nobody but this machine.")
        }
    }

    func run() async throws {
        let port = port ?? platform.usualPort
        let simulation = Simulation(
            platform: platform,
            port: port,
            pace: .milliseconds(pace),
            seed: seed,
            window: window,
            callbacks: callback
        )
        var logger = Logger(label: "simulator")
        logger.logLevel = .error
        let service = simulation.service(logger: logger) { [platform] port in
            Terminal.write(platform.greeting(port: port) + "\n")
        }
        do {
            try await ServiceGroup(
                services: [service],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            ).run()
        } catch {
            throw PortTaken.failure(error, ports: [port], mend: "choose another with --port")
                ?? Failure(.runtime, "\(error)")
        }
    }
}
