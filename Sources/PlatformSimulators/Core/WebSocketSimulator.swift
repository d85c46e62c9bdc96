/// A stand-in of a platform that also opens WebSockets.
package protocol WebSocketSimulator: PlatformSimulator {
    /// Answers a handshake for a WebSocket; called concurrently.
    func subscribe(_ request: SimulatedRequest) -> SimulatedHandshake
}

/// What a handshake for a WebSocket comes to.
package enum SimulatedHandshake: Sendable {
    /// It is opened.
    case opened(any SimulatedSocket)
    /// It is answered as any request.
    case refused(SimulatedAnswer)
}

/// The server's side of an open WebSocket.
package protocol SimulatedSocket: Sendable {
    /// What is sent, in lines, one message each; breaks off when the client leaves.
    var messages: SimulatedStream { get }

    /// What the server chooses of the subprotocols.
    var subprotocol: String? { get }

    /// Whether it says nothing any more, not even that it is alive.
    var isStalled: Bool { get }

    /// Takes a message of the client's.
    func receive(_ message: [UInt8])
}
