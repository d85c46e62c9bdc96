import ArgumentParser
import ConnectorKit
import Logging
import PlatformSimulators
import ServiceLifecycle
import SocialEvents
import UnixSignals

/// The command `roost simulate PLATFORM`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Serves a stand-in of a platform, to try a configuration or write a connector without the platform.",
        discussion:
            "What it shows depends on the time and --seed alone: stopped and started again it goes on as if it had never stopped."
    )

    enum SimulatedPlatform: String, ExpressibleByArgument, CaseIterable {
        case feed
    }

    @Argument(help: "The platform: \(SimulatedPlatform.allCases.map(\.rawValue).joined(separator: ", ")).")
    var platform: SimulatedPlatform

    @Option(help: "The loopback port to listen on; 0 lets the system choose.")
    var port = 9300

    @Option(help: "Milliseconds between two articles.")
    var pace: Int = 1_500

    @Option(help: "How many of the newest articles a feed shows.")
    var window = 20

    @Option(help: "Which story to tell.")
    var seed: UInt64 = 1

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is a number from 0 to 65535.") }
        guard pace > 0, window > 0 else { throw ValidationError("--pace and --window are numbers above 0.") }
    }

    func run() async throws {
        let simulator = FeedSimulator.demo(port: port, pace: .milliseconds(pace), window: window, seed: seed)
        var logger = Logger(label: "simulator")
        logger.logLevel = .error
        let application = simulator.application(logger: logger) { port in
            Terminal.write(
                "simulated feeds: \(FeedChannel.allCases.map { "http://127.0.0.1:\(port)\($0.path)" }.joined(separator: "  "))\n"
            )
        }
        do {
            try await ServiceGroup(
                services: [application],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            ).run()
        } catch {
            throw PortTaken.failure(error, ports: [port], mend: "choose another with --port")
                ?? Failure(.runtime, "\(error)")
        }
    }
}

extension FeedSimulator {
    /// A simulator of a house that has published since 2025 began, so that there is a past to read and every start tells the same story.
    static func demo(port: Int, pace: Duration, window: Int = 20, seed: UInt64) -> FeedSimulator {
        let clock = SystemClock()
        let world = FeedWorld(seed: seed, epoch: 1_735_689_600_000, pace: pace.wholeMilliseconds, window: window)
        return FeedSimulator(world: world, port: port) { clock.now.milliseconds }
    }
}
