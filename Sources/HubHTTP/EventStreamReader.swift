import HTTPTypes
import Hummingbird
import MessageBus
import NIOCore
import SocialEvents

/// Writes one reader's server-sent events: from the log while the reader is behind, from the shared feed at its end.
struct EventStreamReader: Sendable {
    let bus: any MessageBus
    let feed: LiveFeed
    let filter: EventFilter
    let limit: Int?

    /// Runs until the reader leaves, the limit is reached or the hub stops.
    @concurrent
    func run(from start: Sequence, lost: BusError?, to writer: inout any ResponseBodyWriter) async throws {
        var position = start
        var left = limit ?? .max
        // An id without data sets the reader's Last-Event-ID and raises no event: a reader that is cut off before its first event resumes here.
        try await writer.write(ByteBuffer(string: "retry: 2000\nid: \(position)\n\n"))
        if let lost { position = try await tellLoss(lost, to: &writer) }
        while left > 0 {
            switch await feed.next(after: position) {
            case .frames(let frames):
                if let (bytes, count, _) = frames.frames(after: position, limit: left) {
                    try await writer.write(bytes)
                    left -= count
                }
                position = frames.through
            case .behind:
                do {
                    let page = try await bus.page(after: position, filter: filter, limits: EventRoutes.streamLimits)
                    let frames = EventFrames(page, after: position, format: .serverSentEvents, limit: left)
                    if let (bytes, count, _) = frames.frames(after: position) {
                        try await writer.write(bytes)
                        left -= count
                    }
                    position = frames.through
                } catch let error as BusError {
                    guard case .positionLost = error else { return }
                    position = try await tellLoss(error, to: &writer)
                }
            case .idle:
                try await writer.write(ByteBuffer(string: ": still here\n\n"))
            case .closed:
                return
            }
        }
    }

    /// Tells the range that is lost before anything else, and where the stream goes on.
    @concurrent
    private func tellLoss(_ error: BusError, to writer: inout any ResponseBodyWriter) async throws -> Sequence {
        guard case .positionLost(let lost) = error else { throw error }
        let json = String(decoding: Problem(error).json(), as: UTF8.self)
        try await writer.write(ByteBuffer(string: "id: \(lost.upperBound)\nevent: gap\ndata: \(json)\n\n"))
        return lost.upperBound
    }
}
