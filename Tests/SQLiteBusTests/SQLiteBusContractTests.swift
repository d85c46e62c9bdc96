import MessageBus
import SQLiteBus
import Testing

@Suite(.timeLimit(.minutes(10))) struct SQLiteBusContractTests {
    @Test("The embedded log keeps the contract of all logs", arguments: MessageBusContract.checks)
    func contract(check: MessageBusContract.Check) async throws {
        let directory = try TemporaryDirectory()
        try await check.run { environment in
            try await SQLiteBus(
                directory: directory.path + "/" + environment.name,
                SQLiteBusConfiguration { environment.clock.now }
            )
        }
    }

    @Test(
        "It keeps it with no events in memory, small groups and a narrow mailbox",
        arguments: MessageBusContract.checks
    )
    func contractWithTightLimits(check: MessageBusContract.Check) async throws {
        let directory = try TemporaryDirectory()
        try await check.run { environment in
            var configuration = SQLiteBusConfiguration { environment.clock.now }
            configuration.recentBytes = 0
            configuration.groupBytes = 1
            configuration.mailboxBytes = 1
            configuration.mailboxCount = 1
            configuration.readers = 1
            configuration.stepCount = 3
            configuration.checkpointBytes = 1
            configuration.walBytes = 1 << 16
            return try await SQLiteBus(
                directory: directory.path + "/" + environment.name,
                configuration
            )
        }
    }
}
