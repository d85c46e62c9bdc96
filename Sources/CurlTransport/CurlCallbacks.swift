import CCurl
import ConnectorKit

// libcurl's way back into Swift. It calls these on the curl thread, from inside the calls that `CurlLoop` makes; the
// contexts are unretained, since the loop keeps handles and connections alive for as long as libcurl knows them.

private func handle(_ context: UnsafeMutableRawPointer?) -> EasyHandle? {
    context.map { Unmanaged<EasyHandle>.fromOpaque($0).takeUnretainedValue() }
}

private func connections(_ context: UnsafeMutableRawPointer?) -> Connections? {
    context.map { Unmanaged<Connections>.fromOpaque($0).takeUnretainedValue() }
}

/// `CURLOPT_HEADERFUNCTION`: one line.
func curlReceivedHeader(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let handle = handle(context) else { return 0 }
    let loop = handle.connections.loop
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    switch handle.receive(headerLine: line, now: loop.now) {
    case .more: return line.count
    case .stop: return 0
    case .head:
        loop.markReady(handle)
        loop.schedule(handle)
        return line.count
    }
}

/// `CURLOPT_WRITEFUNCTION`: a piece of the body, decompressed.
func curlReceivedBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let handle = handle(context) else { return 0 }
    let loop = handle.connections.loop
    let body = UnsafeRawBufferPointer(start: bytes, count: size * count)
    switch handle.receive(body: body, now: loop.now) {
    case .taken:
        loop.markReady(handle)
        return body.count
    case .pause: return ccurl_write_pause
    case .stop: return 0
    }
}

/// `CURLOPT_PREREQFUNCTION`: the connection stands, the request goes out.
func curlStartsRequest(
    _ context: UnsafeMutableRawPointer?,
    _ remoteAddress: UnsafeMutablePointer<CChar>?,
    _ localAddress: UnsafeMutablePointer<CChar>?,
    _ remotePort: Int32,
    _ localPort: Int32
) -> Int32 {
    guard let handle = handle(context) else { return CURL_PREREQFUNC_ABORT }
    let loop = handle.connections.loop
    handle.requestStarts(now: loop.now)
    loop.schedule(handle)
    return CURL_PREREQFUNC_OK
}

/// `CURLOPT_OPENSOCKETFUNCTION`: the guard's moment, between name resolution and connect.
func curlOpensSocket(
    _ context: UnsafeMutableRawPointer?,
    _ purpose: Int32,
    _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> Int32 {
    guard let handle = handle(context), let address else { return ccurl_socket_bad }
    let connections = handle.connections
    // With a proxy, this is the proxy's address: the operator's own choice.
    if connections.route.proxy == nil {
        let target = IPAddress(address)
        guard let target, connections.addressGuard.allows(target) else {
            handle.refused(target)
            return ccurl_socket_bad
        }
    }
    return connections.loop.openSocket(address)
}

/// `CURLOPT_CLOSESOCKETFUNCTION`.
func curlClosesSocket(_ context: UnsafeMutableRawPointer?, _ descriptor: Int32) -> Int32 {
    connections(context)?.loop.closeSocket(descriptor) ?? -1
}

/// `CURLMOPT_SOCKETFUNCTION`: what libcurl wants to be told about a socket.
func curlWatchesSocket(
    _ easy: UnsafeMutableRawPointer?,
    _ descriptor: Int32,
    _ what: Int32,
    _ context: UnsafeMutableRawPointer?,
    _ socketContext: UnsafeMutableRawPointer?
) -> Int32 {
    guard let connections = connections(context) else { return -1 }
    let interest: SocketTable.Interest =
        switch what {
        case CURL_POLL_IN: .read
        case CURL_POLL_OUT: .write
        case CURL_POLL_INOUT: [.read, .write]
        default: []
        }
    connections.loop.watch(descriptor, for: interest, route: connections.route.index)
    return 0
}

/// `CURLMOPT_TIMERFUNCTION`: when libcurl wants to be called though nothing happened.
func curlSetsTimer(_ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> Int32
{
    connections(context)?.setTimer(milliseconds)
    return 0
}
