import CCurl
import ConnectorKit
import Glibc

/// The curl thread: everything libcurl does, in one loop over epoll.
///
/// No function of this class but ``run()`` is called from elsewhere.
final class CurlLoop {
    /// Most events taken from epoll at once.
    private static let eventLimit = 256

    /// The thread's clock, read once for each turn of the loop.
    private(set) var now = CurlTime.now()
    private let mailbox: Mailbox
    private let epoll: Int32
    private var sockets = SocketTable()
    private var connections: [Connections?] = []
    private var deadlines = DeadlineHeap<EasyHandle>()
    private var active: [ObjectIdentifier: EasyHandle] = [:]
    /// Transfers whose waiting task may have something to take, delivered together at the end of a turn.
    private var ready: [Transfer] = []
    private var commands: [Command] = []
    private var stops = false

    /// Nil when the system has no descriptor left.
    init?(_ mailbox: Mailbox) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        if epoll < 0 { return nil }
        self.mailbox = mailbox
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | EPOLLET.rawValue
        event.data.fd = mailbox.eventDescriptor
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, mailbox.eventDescriptor, &event) == 0 else {
            close(epoll)
            return nil
        }
    }

    deinit {
        close(epoll)
    }

    // MARK: The loop

    /// Works until told to stop; then fails what is open and closes all connections.
    func run() {
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Self.eventLimit)
        defer { events.deallocate() }
        while !stops {
            let timeout = mailbox.fallAsleep() ? timeUntilNextWork() : 0
            let count = epoll_wait(epoll, events, Int32(Self.eventLimit), timeout)
            now = CurlTime.now()
            for index in 0..<Int(max(count, 0)) { handle(events[index]) }
            obeyCommands()
            fireTimers()
            collectFinished()
            failOverdue()
            deliver()
        }
        shutDown()
    }

    private func timeUntilNextWork() -> Int32 {
        var due = deadlines.soonest ?? .max
        for case let group? in connections {
            if let timer = group.timerDue, timer < due { due = timer }
        }
        if due == .max { return -1 }
        return Int32(min(max(due - CurlTime.now(), 0), Int64(Int32.max)))
    }

    private func handle(_ event: epoll_event) {
        let descriptor = event.data.fd
        if descriptor == mailbox.eventDescriptor { return }
        let (route, change) = sockets.happened(descriptor)
        apply(change, to: descriptor)
        guard let route, let group = connections[route] else { return }
        var what: Int32 = 0
        if event.events & EPOLLIN.rawValue != 0 { what |= CURL_CSELECT_IN }
        if event.events & EPOLLOUT.rawValue != 0 { what |= CURL_CSELECT_OUT }
        if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { what |= CURL_CSELECT_ERR }
        ccurl_multi_socket_action(group.multi, descriptor, what)
    }

    private func obeyCommands() {
        mailbox.take(into: &commands)
        for command in commands {
            switch command {
            case .start(let transfer): start(transfer)
            case .cancel(let transfer): transfer.handle.map(stop)
            case .unpause(let transfer): transfer.handle.map(unpause)
            case .stop: stops = true
            }
        }
        commands.removeAll(keepingCapacity: true)
    }

    private func fireTimers() {
        for case let group? in connections {
            // Libcurl asks to be called at once after a handle is added; that may lead to the next such wish, so this
            // is bounded.
            for _ in 0..<4 {
                guard let due = group.timerDue, due <= now else { break }
                group.timerFired()
            }
        }
    }

    private func collectFinished() {
        for case let group? in connections {
            var result = CURLE_OK
            while let easy = ccurl_multi_next_finished(group.multi, &result) {
                var context: UnsafeMutableRawPointer?
                ccurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
                guard let context else { continue }
                finished(Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue(), result)
            }
        }
    }

    private func failOverdue() {
        while let handle = deadlines.removeDue(at: now) {
            guard let deadline = handle.nextDeadline() else { continue }
            guard deadline.due <= now else {
                deadlines.set(handle, due: deadline.due)
                continue
            }
            handle.transfer?.end(
                .failed(handle.error(.deadline, "the \(deadline.name) deadline of \(deadline.limit) passed"))
            )
            stop(handle)
        }
    }

    private func deliver() {
        for transfer in ready { transfer.deliver() }
        ready.removeAll(keepingCapacity: true)
    }

    private func shutDown() {
        let error = HTTPClientError(.shutDown, "the client is shut down")
        for case .start(let transfer) in mailbox.shut() {
            transfer.end(.failed(error))
            ready.append(transfer)
        }
        for handle in active.values {
            handle.transfer?.end(.failed(error))
            stop(handle)
        }
        for case let group? in connections { group.close() }
        connections = []
        deliver()
    }

    // MARK: Transfers

    private func start(_ transfer: Transfer) {
        if transfer.isEnded { return }
        do {
            guard let group = connections(for: transfer.route), let handle = group.takeHandle() else {
                throw HTTPClientError(.connection, "out of memory")
            }
            transfer.handle = handle
            active[ObjectIdentifier(handle)] = handle
            do {
                try handle.begin(transfer, now: now)
                try add(handle)
            } catch {
                transfer.end(.failed(error))
                release(handle)
            }
        } catch {
            transfer.end(.failed(error))
            ready.append(transfer)
        }
    }

    private func add(_ handle: EasyHandle) throws {
        guard ccurl_multi_add(handle.connections.multi, handle.easy) == CURLM_OK else {
            throw HTTPClientError(.connection, "libcurl does not take the request")
        }
        schedule(handle)
    }

    private func unpause(_ handle: EasyHandle) {
        let result = handle.unpause(now: now)
        if result == CURLE_OK { schedule(handle) } else { finished(handle, result) }
    }

    private func finished(_ handle: EasyHandle, _ result: CURLcode) {
        ccurl_multi_remove(handle.connections.multi, handle.easy)
        guard let transfer = handle.transfer else { return }
        if handle.isToFollow(result) {
            do {
                try handle.followRedirect()
                try add(handle)
                return
            } catch {
                transfer.end(.failed(error))
            }
        } else if let error = handle.error(result) {
            transfer.end(.failed(error))
        } else {
            transfer.end(.complete)
        }
        release(handle)
    }

    /// Ends a running transfer before libcurl does.
    private func stop(_ handle: EasyHandle) {
        ccurl_multi_remove(handle.connections.multi, handle.easy)
        release(handle)
    }

    /// Parts a handle, which libcurl does not work on any more, from its transfer.
    private func release(_ handle: EasyHandle) {
        deadlines.remove(handle)
        active[ObjectIdentifier(handle)] = nil
        if let transfer = handle.transfer {
            transfer.handle = nil
            ready.append(transfer)
        }
        handle.finish()
        handle.connections.giveBack(handle)
    }

    private func connections(for route: Route) -> Connections? {
        while connections.count <= route.index { connections.append(nil) }
        if connections[route.index] == nil { connections[route.index] = Connections(route, loop: self) }
        return connections[route.index]
    }

    // MARK: What libcurl's callbacks do

    /// Makes sure the handle is looked at when its soonest deadline passes.
    ///
    /// An earlier look finds out by itself that it is early, so deadlines that move away need no care.
    func schedule(_ handle: EasyHandle) {
        guard let deadline = handle.nextDeadline() else { return }
        if let due = deadlines.due(of: handle), due <= deadline.due { return }
        deadlines.set(handle, due: deadline.due)
    }

    /// The transfer's task may have something to take.
    func markReady(_ handle: EasyHandle) {
        if let transfer = handle.transfer { ready.append(transfer) }
    }

    func watch(_ descriptor: Int32, for interest: SocketTable.Interest, route: Int) {
        apply(sockets.watch(descriptor, for: interest, route: route), to: descriptor)
    }

    /// Opens a socket that libcurl is to connect.
    func openSocket(_ address: UnsafePointer<curl_sockaddr>) -> Int32 {
        let address = address.pointee
        let descriptor = socket(address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.`protocol`)
        if descriptor >= 0 { sockets.opened(descriptor) }
        return descriptor
    }

    func closeSocket(_ descriptor: Int32) -> Int32 {
        apply(sockets.closing(descriptor), to: descriptor)
        return close(descriptor)
    }

    private func apply(_ change: SocketTable.Change, to descriptor: Int32) {
        let operation: Int32
        var event = epoll_event()
        event.data.fd = descriptor
        switch change {
        case .none: return
        case .add(let interest):
            operation = EPOLL_CTL_ADD
            event.events = interest.epollEvents
        case .modify(let interest):
            operation = EPOLL_CTL_MOD
            event.events = interest.epollEvents
        case .remove: operation = EPOLL_CTL_DEL
        }
        epoll_ctl(epoll, operation, descriptor, &event)
    }
}

extension SocketTable.Interest {
    fileprivate var epollEvents: UInt32 {
        (contains(.read) ? EPOLLIN.rawValue : 0) | (contains(.write) ? EPOLLOUT.rawValue : 0)
    }
}
