import ConnectorKit
import NIOCore
import NIOWebSocket

/// Puts messages together from frames, and says what to do about each frame (RFC 6455 §5).
///
/// A state machine without I/O: frames go in, instructions come out.
struct FrameAssembler: Sendable {
    /// What a frame asks for.
    enum Step: Sendable, Hashable {
        /// Nothing yet: more fragments follow, or it was an answer to a ping.
        case wait
        /// A whole message.
        case message(WebSocketMessage)
        /// Answer a ping with its own bytes.
        case pong([UInt8])
        /// The other side closes, with this status; answer and end.
        case close(code: Int?)
        /// The other side broke the protocol: end with this status.
        case fail(HTTPClientError, code: Int)
    }

    private let maximumMessageSize: Int
    private var fragments: [UInt8] = []
    /// Whether the message under way is text; nil when none is.
    private var isText: Bool?
    private var isClosed = false

    init(maximumMessageSize: Int) {
        self.maximumMessageSize = maximumMessageSize
    }

    /// Takes one frame.
    mutating func take(_ frame: WebSocketFrame) -> Step {
        guard !isClosed else { return .wait }
        if frame.maskKey != nil { return fail("a frame is masked, which only those of clients are") }
        if frame.rsv1 || frame.rsv2 || frame.rsv3 { return fail("a frame uses an extension that was not agreed on") }
        switch frame.opcode {
        case .text, .binary:
            guard isText == nil else { return fail("a message begins within another") }
            isText = frame.opcode == .text
            return append(frame)
        case .continuation:
            guard isText != nil else { return fail("a fragment belongs to no message") }
            return append(frame)
        case .ping, .pong:
            guard frame.fin, frame.length <= 125 else { return fail("a control frame is fragmented or too long") }
            return frame.opcode == .ping ? .pong(bytes(frame)) : .wait
        case .connectionClose:
            guard frame.fin, frame.length <= 125 else { return fail("a control frame is fragmented or too long") }
            isClosed = true
            let payload = bytes(frame)
            guard payload.count != 1 else { return fail("a closing frame holds half a status") }
            return .close(code: payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil)
        default: return fail("a frame is of an unknown kind")
        }
    }

    private mutating func append(_ frame: WebSocketFrame) -> Step {
        guard fragments.count + frame.length <= maximumMessageSize else {
            isClosed = true
            fragments = []
            return .fail(
                HTTPClientError(.bodyTooLarge, "a message is larger than \(maximumMessageSize) bytes"),
                code: 1009
            )
        }
        if frame.fin, fragments.isEmpty {
            return finish(bytes(frame))
        }
        fragments.append(contentsOf: bytes(frame))
        guard frame.fin else { return .wait }
        let message = fragments
        fragments = []
        return finish(message)
    }

    private mutating func finish(_ message: [UInt8]) -> Step {
        let wasText = isText == true
        isText = nil
        guard wasText else { return .message(.binary(message)) }
        guard String(validating: message, as: UTF8.self) != nil else {
            isClosed = true
            return .fail(HTTPClientError(.protocolViolation, "a text is not UTF-8"), code: 1007)
        }
        return .message(.text(message))
    }

    private mutating func fail(_ fault: String) -> Step {
        isClosed = true
        fragments = []
        return .fail(HTTPClientError(.protocolViolation, fault), code: 1002)
    }

    private func bytes(_ frame: WebSocketFrame) -> [UInt8] {
        Array(frame.unmaskedData.readableBytesView)
    }
}
