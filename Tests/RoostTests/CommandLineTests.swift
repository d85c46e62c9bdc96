import ConnectorKit
import Foundation
import Glibc
import HubCore
import Testing

@testable import roost

@Suite("The command line")
struct CommandLineTests {
    @Test("A wrong option is answered with exit code 2 and the way to help")
    func wrongOption() throws {
        let result = try RoostProcess.run(["run", "--confgi", "x"])
        #expect(result.code == 2)
        #expect(result.errors.contains("--config"))
    }

    @Test("A missing configuration is answered with exit code 3 and its name")
    func missingConfiguration() throws {
        let result = try RoostProcess.run(["check", "--config", "no/such/file.yaml"])
        #expect(result.code == 3)
        #expect(result.errors.contains("no/such/file.yaml"))
    }

    @Test("A wrong configuration is answered with exit code 2, the place and the nearest right thing")
    func wrongConfiguration() throws {
        let folder = try TestFolder()
        let file = try folder.write(
            "wrong.yaml",
            "sources:\n  blog: { connector: feed, ulr: \"http://example.org/feed\" }\n"
        )
        let result = try RoostProcess.run(["check", "--config", file])
        #expect(result.code == 2)
        #expect(result.errors.contains("\(file):2:"))
        #expect(result.errors.contains("did you mean `url`?"))
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../.."
    )
    .standardized

    private static var shipped: [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("Config").path)
        return (names ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
    }

    @Test("The samples that are shipped are well-formed, with every variable set that they name", arguments: shipped)
    func samples(name: String) throws {
        let text = try String(contentsOf: Self.root.appendingPathComponent("Config/\(name)"), encoding: .utf8)
        let variables = text.matches(of: /\$\{env:([A-Z_]+)\}/).map { String($0.1) }
        let environment = Dictionary(variables.map { ($0, "a-credential") }) { $1 }
        let arguments = ["check", "--config", "Config/\(name)"]
        let result = try RoostProcess.run(arguments, environment: environment, folder: Self.root)
        #expect(result.code == 0, "\(result.errors)")
    }

    @Test("No connector takes for itself a setting that every source has")
    func settingsOfTheirOwn() {
        for connector in allConnectors {
            let own = Set(connector.descriptor.settings.map { $0.name })
            let doubled = own.intersection(SourceSettings.all.map { $0.name })
            #expect(doubled.isEmpty, "\(connector.descriptor.name)")
        }
    }

    @Test("Every platform that a configuration may simulate can be simulated from the command line")
    func simulators() {
        #expect(SimulatorSettings.platforms == SimulatedPlatform.allCases.map(\.rawValue))
    }

    @Test("No hub at the address is answered with exit code 3 and how to start one")
    func noHub() throws {
        let result = try RoostProcess.run(["tail", "--url", "http://127.0.0.1:1"])
        #expect(result.code == 3)
        #expect(result.errors.contains("roost run"))
    }

    @Test("A connector's settings are printed from the code")
    func connectorSettings() throws {
        let list = try RoostProcess.run(["connectors"])
        #expect(list.output.contains("feed"))
        let page = try RoostProcess.run(["connectors", "feed"])
        #expect(page.code == 0)
        #expect(page.output.contains("url"))
        let unknown = try RoostProcess.run(["connectors", "fed"])
        #expect(unknown.code == 2)
        #expect(unknown.errors.contains("did you mean `feed`?"))
    }

    @Test("A second hub on the same data is refused with exit code 3 and the first one's name")
    func secondHub() throws {
        let folder = try TestFolder()
        let file = try folder.write(
            "hub.yaml",
            "data: \(folder.url.path)/data\nlisten: 127.0.0.1:0\nlog: { level: error }\nsources: {}\n"
        )
        let first = try RoostProcess(["run", "--config", file])
        _ = try #require(first.waitForError("listening on"))
        let second = try RoostProcess.run(["run", "--config", file])
        #expect(second.code == 3)
        #expect(second.errors.contains("roost"))
        first.send(SIGTERM)
        #expect(first.wait() == 0)
    }

    @Test("A port that is taken is answered with exit code 3 and what to change")
    func takenPort() throws {
        let folder = try TestFolder()
        let first = try RoostProcess(["simulate", "feed", "--port", "0"])
        let line = try #require(first.readLine())
        let port = try #require(line.firstMatch(of: /127\.0\.0\.1:([0-9]+)/)).1
        let file = try folder.write(
            "hub.yaml",
            "data: \(folder.url.path)/data\nlisten: 127.0.0.1:\(port)\nlog: { level: critical }\nsources: {}\n"
        )
        let hub = try RoostProcess.run(["run", "--config", file])
        #expect(hub.code == 3)
        #expect(hub.errors.contains("\(port)"))
        first.send(SIGTERM)
        first.wait()
    }

    @Test("A hub that is told to stop ends within five seconds, though calls of its webhook arrive and never end")
    func stopsInTime() throws {
        let folder = try TestFolder()
        let file = try folder.write(
            "hub.yaml",
            """
            data: \(folder.url.path)/data
            listen: 127.0.0.1:0
            webhooks: { listen: 127.0.0.1:0 }
            log: { level: critical }
            sources:
              hook: { connector: whatsapp, app_secret: "${env:SECRET}", verify_token: "${env:SECRET}" }
            """
        )
        let hub = try RoostProcess(["run", "--config", file], environment: ["SECRET": "a secret"])
        let line = try #require(hub.waitForError("webhook of hook"))
        let port = try #require(line.firstMatch(of: /127\.0\.0\.1:([0-9]+)/)?.1).description
        let callers = try (0..<20).map { _ in try Caller(port: try #require(UInt16(port))) }
        for caller in callers { caller.send("POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{") }
        let start = ContinuousClock.now
        hub.send(SIGTERM)
        #expect(hub.wait() == 0)
        // Twice the time allowed, for machines that are busy.
        #expect(ContinuousClock.now - start < .seconds(10))
        withExtendedLifetime(callers) {}
    }
}

/// A connection that says what it is told to.
private final class Caller {
    private let socket: Int32

    init(port: UInt16) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0, "no connection to port \(port)")
    }

    deinit { close(socket) }

    func send(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
    }
}
