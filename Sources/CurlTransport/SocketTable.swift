/// Which sockets epoll watches for which connections, with the least number of system calls.
///
/// Between two requests on one connection libcurl stops watching and starts again. Sockets of our own making therefore
/// stay registered when libcurl lets go of them, and are taken out only when something happens on them meanwhile or
/// they are closed. Sockets that libcurl makes for itself may be closed without a word, so those are taken out at once.
/// Pure: the functions return what epoll is to be told.
struct SocketTable {
    /// What a socket is watched for; empty for nothing.
    struct Interest: OptionSet, Sendable {
        let rawValue: UInt8
        static let read = Interest(rawValue: 1)
        static let write = Interest(rawValue: 2)
    }

    /// What epoll is to be told about a descriptor.
    enum Change: Sendable, Equatable {
        case none
        case add(Interest)
        case modify(Interest)
        case remove
    }

    private struct Entry {
        var route: Int32 = -1
        var wanted: Interest = []
        var registered: Interest = []
        var isOurs = false
    }

    private var entries: [Entry] = []

    /// A socket that we opened for libcurl.
    mutating func opened(_ descriptor: Int32) {
        self[descriptor] = Entry(isOurs: true)
    }

    /// A socket that we are about to close.
    mutating func closing(_ descriptor: Int32) -> Change {
        let change: Change = self[descriptor].registered.isEmpty ? .none : .remove
        self[descriptor] = Entry()
        return change
    }

    /// libcurl wants a socket watched for `interest` on behalf of a route.
    mutating func watch(_ descriptor: Int32, for interest: Interest, route: Int) -> Change {
        self[descriptor].route = Int32(truncatingIfNeeded: route)
        self[descriptor].wanted = interest
        let registered = self[descriptor].registered
        if interest.isEmpty {
            return self[descriptor].isOurs || registered.isEmpty ? .none : unregister(descriptor)
        }
        if registered == interest { return .none }
        self[descriptor].registered = interest
        return registered.isEmpty ? .add(interest) : .modify(interest)
    }

    /// Something happened on a socket: the route to tell, or the change that makes it quiet when nobody listens.
    mutating func happened(_ descriptor: Int32) -> (route: Int?, change: Change) {
        if !self[descriptor].wanted.isEmpty { return (Int(self[descriptor].route), .none) }
        return (nil, self[descriptor].registered.isEmpty ? .none : unregister(descriptor))
    }

    private mutating func unregister(_ descriptor: Int32) -> Change {
        self[descriptor].registered = []
        return .remove
    }

    private subscript(_ descriptor: Int32) -> Entry {
        get { Int(descriptor) < entries.count ? entries[Int(descriptor)] : Entry() }
        set {
            while entries.count <= Int(descriptor) { entries.append(Entry()) }
            entries[Int(descriptor)] = newValue
        }
    }
}
