import HTTPTypes
import JSON
import Synchronization

/// One connection of the stream.
package final class BlueskySubscription: SimulatedSocket {
    /// The messages, one a line.
    package let messages = SimulatedStream()
    /// What the server chose of the subprotocols.
    package let subprotocol: String?
    let isFirst: Bool
    private struct Filter {
        var collections: [String]
        var dids: Set<String>
    }

    private let filter: Mutex<Filter>
    private let stalled = Mutex(false)
    /// What begins once the client has said what it wants, where it asked for that.
    private let waiting = Mutex<(@Sendable (BlueskySubscription) -> Void)?>(nil)

    init(_ request: SimulatedRequest) {
        isFirst = request.path == "/subscribe"
        subprotocol = isFirst ? nil : "xrpc.v1.json"
        filter = Mutex(
            Filter(
                collections: request.parameters(isFirst ? "wantedCollections" : "collections"),
                dids: Set(request.parameters(isFirst ? "wantedDids" : "dids"))
            )
        )
    }

    /// Begins now, or once the client has said what it wants.
    func begin(afterHello: Bool, _ body: @escaping @Sendable (BlueskySubscription) -> Void) {
        if afterHello { waiting.withLock { $0 = body } } else { body(self) }
    }

    /// Stays connected and says nothing any more, not even that it is alive.
    func stall() {
        messages.mute()
        stalled.withLock { $0 = true }
    }

    /// Whether it says nothing any more.
    package var isStalled: Bool { stalled.withLock { $0 } }

    func wants(_ happening: BlueskyWorld.Happening) -> Bool {
        filter.withLock { filter in
            if !filter.dids.isEmpty, !filter.dids.contains(happening.did) { return false }
            guard let collection = happening.collection, !filter.collections.isEmpty else { return true }
            return filter.collections.contains { wanted in
                wanted.hasSuffix(".*") ? collection.hasPrefix(wanted.dropLast()) : wanted == collection
            }
        }
    }

    func send(_ line: [UInt8]) {
        messages.send(line + [UInt8(ascii: "\n")])
    }

    func send(_ happening: BlueskyWorld.Happening) {
        guard wants(happening) else { return }
        send(
            isFirst
                ? happening.first
                : Array("{\"$type\":\"message\",\"payload\":".utf8) + happening.second + [UInt8(ascii: "}")]
        )
    }

    /// Takes a message of the client's.
    package func receive(_ message: [UInt8]) {
        guard isFirst else { return messages.finish() }
        let parser = JSONParser(maximumSize: 10 << 20)
        // Anything but an update of the filters is passed over.
        let update = try? parser.parse(message) { root -> Filter? in
            guard root["type"]?.string == "options_update", let payload = root["payload"] else { return nil }
            return Filter(
                collections: payload["wantedCollections"]?.elements.compactMap(\.string) ?? [],
                dids: Set(payload["wantedDids"]?.elements.compactMap(\.string) ?? [])
            )
        }
        guard let update else { return }
        filter.withLock { $0 = update }
        let begin = waiting.withLock { $0.take() }
        begin?(self)
    }
}

extension BlueskySimulator {
    /// Answers a handshake for the stream.
    package func subscribe(_ request: SimulatedRequest) -> SimulatedHandshake {
        if let fault = faults.answer(for: request) { return .refused(fault) }
        if faults.takes(.throttle, on: request.path) {
            return .refused(Self.error(.tooManyRequests, "RateLimitExceeded", "Rate Limit Exceeded"))
        }
        switch request.path {
        case "/subscribe", "/xrpc/network.bsky.jetstream.subscribeEvents": break
        default: return .refused(Self.error(.notFound, "NotFound", "no such path"))
        }
        let cursor = request.parameter("cursor").flatMap { Int($0) }
        let isTime = request.path == "/subscribe" || (cursor ?? 0) >= 1_000_000_000_000_000
        if let cursor, !isTime, faults.takes(.rejectCursor, on: request.path) {
            return .refused(
                Self.error(.badRequest, "CursorTooOld", "cursor \(cursor) is below the retention floor \(cursor + 1)")
            )
        }
        let subscription = BlueskySubscription(request)
        let isHeld = subscription.isFirst && request.parameter("requireHello") == "true"
        let isClamped = cursor != nil && faults.takes(.clampCursor, on: request.path)
        subscription.begin(afterHello: isHeld) { [self] subscription in
            replay(to: subscription, from: cursor, isTime: isTime, isClamped: isClamped)
        }
        return .opened(subscription)
    }

    private func replay(to subscription: BlueskySubscription, from cursor: Int?, isTime: Bool, isClamped: Bool) {
        state.withLock { state in
            if let cursor {
                var replay = state.world.happenings[...]
                replay = replay.drop { isTime ? $0.microseconds < cursor : $0.sequence < cursor }
                if isClamped {
                    replay = replay.dropFirst(replay.count / 2)
                    if !subscription.isFirst {
                        let type = "network.bsky.jetstream.subscribeEvents#info"
                        let payload = "{\"$type\":\"\(type)\",\"name\":\"OutdatedCursor\"}"
                        subscription.send(Array("{\"$type\":\"message\",\"payload\":\(payload)}".utf8))
                    }
                }
                for happening in replay { subscription.send(happening) }
            }
            state.subscriptions.removeAll { !$0.messages.isOpen }
            state.subscriptions.append(subscription)
        }
    }

    /// Sends what happened to all who listen, as well as the faults let it.
    func send(_ happening: BlueskyWorld.Happening, _ state: inout State) {
        if state.held == nil, faults.takes(.reorder) {
            state.held = happening
            return
        }
        let isRepeated = faults.takes(.repeated)
        for subscription in state.subscriptions where subscription.messages.isOpen {
            subscription.send(happening)
            if isRepeated { subscription.send(happening) }
            if let held = state.held { subscription.send(held) }
        }
        state.held = nil
        disturb(&state)
    }

    /// Lets go wrong in open streams what shall.
    func disturb(_ state: inout State) {
        let open = state.subscriptions.filter(\.messages.isOpen)
        guard !open.isEmpty else { return }
        if faults.takes(.garbage) { for subscription in open { subscription.send(Array("{\"did\":".utf8)) } }
        if faults.takes(.unknownType) {
            let did = state.world.did(0)
            let time = Int(state.world.now) * 1000
            for subscription in open {
                subscription.send(
                    Array("{\"did\":\"\(did)\",\"time_us\":\(time),\"kind\":\"weather\",\"weather\":{}}".utf8)
                )
            }
        }
        if faults.takes(.endlessLine) {
            for subscription in open { subscription.send([UInt8](repeating: UInt8(ascii: " "), count: 2 << 20)) }
        }
        if faults.takes(.drop) { for subscription in open { subscription.messages.breakOff() } }
        if faults.takes(.close) { for subscription in open { subscription.messages.finish() } }
        if faults.takes(.stall) { for subscription in open { subscription.stall() } }
    }
}
