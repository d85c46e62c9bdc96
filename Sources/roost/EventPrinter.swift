import MessageBus
import ServiceLifecycle
import SocialEvents

/// Prints the events of the log as they come, beginning with the last few.
///
/// Ends by itself when nobody reads what is printed.
struct EventPrinter: Service {
    let bus: any MessageBus

    private static let before: Int64 = 10

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await follow() }
    }

    private func follow() async throws {
        let decoder = EventDecoder()
        let bounds = try await bus.bounds()
        var position = max(bounds.trimmedThrough, Sequence(max(0, bounds.head.number - Self.before)))
        do {
            while true {
                try await bus.waitForEvents(after: position)
                let page = try await bus.page(after: position, filter: EventFilter(), limits: PageLimits(count: 200))
                for entry in page.entries where try !print(entry, of: page, decoder) {
                    return try await gracefulShutdown()
                }
                position = page.scannedThrough
            }
        } catch is CancellationError {
            return
        }
    }

    private func print(_ entry: LogEntry, of page: LogPage, _ decoder: EventDecoder) throws -> Bool {
        let (event, source) = try page.storage.withUnsafeBytes {
            try decoder.decodeBody(UnsafeRawBufferPointer(rebasing: $0[entry.body]))
        }
        let recorded = RecordedEvent(
            event: event,
            source: source,
            sequence: entry.sequence,
            recordedTime: entry.recordedTime,
            duplicateOf: entry.duplicateOf
        )
        return Terminal.write(EventLine(recorded: recorded).render(width: Terminal.width))
    }
}
