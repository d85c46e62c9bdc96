import CCurl
import Glibc
import Synchronization

/// What the curl thread is asked to do.
enum Command {
    case start(Transfer)
    case cancel(Transfer)
    case unpause(Transfer)
    case stop
}

/// The way into the curl thread: commands from any task, and one wake-up for all that were posted since it went to
/// sleep.
final class Mailbox: Sendable {
    private struct State {
        var commands: [Command] = []
        var isAsleep = false
        var isClosed = false
    }

    /// Becomes readable when the curl thread is to wake; to be watched edge-triggered, so that it need not be read.
    let eventDescriptor: Int32
    private let state = Mutex(State())

    /// Nil when the system has no descriptor left.
    init?() {
        eventDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if eventDescriptor < 0 { return nil }
    }

    deinit {
        close(eventDescriptor)
    }

    /// Leaves a command.
    ///
    /// Returns false when the thread has ended: then nobody will read it.
    @discardableResult
    func post(_ command: Command) -> Bool {
        let (accepted, wakes) = state.withLock { state in
            if state.isClosed { return (false, false) }
            state.commands.append(command)
            defer { state.isAsleep = false }
            return (true, state.isAsleep)
        }
        if wakes { eventfd_write(eventDescriptor, 1) }
        return accepted
    }

    /// Swaps the waiting commands into `batch`, which is empty, keeping both arrays' storage.
    func take(into batch: inout [Command]) {
        state.withLock { state in
            state.isAsleep = false
            swap(&state.commands, &batch)
        }
    }

    /// Tells posters that the thread is about to wait.
    ///
    /// Returns false when there is something to do first.
    func fallAsleep() -> Bool {
        state.withLock { state in
            guard state.commands.isEmpty else { return false }
            state.isAsleep = true
            return true
        }
    }

    /// Takes no more commands and returns those that were left.
    func shut() -> [Command] {
        state.withLock { state in
            state.isClosed = true
            defer { state.commands = [] }
            return state.commands
        }
    }
}
