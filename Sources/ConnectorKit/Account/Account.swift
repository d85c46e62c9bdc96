/// What all sources of one account share: credentials that change, and the order in which they are changed.
///
/// A source that names no account is an account of its own.
public protocol Account: Sendable {
    /// Its name, unique in a hub.
    var name: String { get }

    /// A small value that was kept, over restarts too; `nil` when there is none.
    func value(for key: String) async throws -> [UInt8]?

    /// Keeps a small value, at most 64 KiB; durable when it returns. `nil` removes it.
    ///
    /// Meant for what a platform hands out and nobody can hand out again: rotated tokens, sessions. Kept beside the log, readable by its owner alone.
    func setValue(_ value: [UInt8]?, for key: String) async throws

    /// Runs `body` while no other call with the same key runs in this account; callers wait for their turn.
    ///
    /// For refreshing a token once, not once for each source. Throws what `body` throws, and `CancellationError` when cancelled while waiting.
    func exclusively<Value: Sendable>(
        _ key: String,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value
}
