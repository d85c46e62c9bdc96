import CCurl
import ConnectorKit

/// The connections of one route: a libcurl multi handle and the easy handles at rest.
///
/// Lives on the curl thread only.
final class Connections {
    /// Most easy handles kept for later requests.
    private static let restingLimit = 256

    let route: Route
    let addressGuard: AddressGuard
    let multi: UnsafeMutableRawPointer
    unowned let loop: CurlLoop
    /// When libcurl wants to be called even if nothing happens, on the curl thread's clock.
    private(set) var timerDue: Int64?
    private var resting: [EasyHandle] = []

    /// Nil when libcurl is out of memory.
    init?(_ route: Route, loop: CurlLoop) {
        guard let multi = ccurl_multi_init() else { return nil }
        self.multi = multi
        self.route = route
        self.loop = loop
        addressGuard = AddressGuard(route.policy)
        let this = Unmanaged.passUnretained(self).toOpaque()
        let configuration = route.configuration
        ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, this)
        ccurl_multi_set_socket_function(multi, curlWatchesSocket)
        ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, this)
        ccurl_multi_set_timer_function(multi, curlSetsTimer)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.maximumConnections)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maximumConnectionsPerHost)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.maximumIdleConnections)
    }

    /// Closes all connections; to be called once, when no handle carries a transfer any more.
    func close() {
        resting = []
        ccurl_multi_cleanup(multi)
    }

    func takeHandle() -> EasyHandle? {
        resting.popLast() ?? EasyHandle(self)
    }

    func giveBack(_ handle: EasyHandle) {
        if resting.count < Self.restingLimit { resting.append(handle) }
    }

    func setTimer(_ milliseconds: Int) {
        timerDue = milliseconds < 0 ? nil : loop.now + Int64(milliseconds)
    }

    func timerFired() {
        timerDue = nil
        ccurl_multi_socket_action(multi, ccurl_socket_timeout, 0)
    }
}
