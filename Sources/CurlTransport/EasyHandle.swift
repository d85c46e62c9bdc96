import CCurl
import ConnectorKit
import HTTPTypes

/// One libcurl easy handle and the transfer it carries at the moment; reused for the next.
///
/// Lives on the curl thread only.
final class EasyHandle: DeadlineHolder {
    /// Why a callback stopped libcurl.
    enum Stop {
        case bodyTooLarge
        case headTooLarge
        case redirectBodyLong
    }

    /// The largest body of a redirecting response that is read so that its connection can be reused.
    private static let redirectBodyLimit = 64 << 10

    let easy: UnsafeMutableRawPointer
    unowned let connections: Connections
    var heapIndex = -1
    private let errorText: UnsafeMutablePointer<CChar>
    private var fieldList: UnsafeMutablePointer<curl_slist>?
    /// Whether the last request used more than what ``prepare(_:)`` sets every time.
    private var isUnusual = false

    // The transfer.
    private(set) var transfer: Transfer?
    private var head = ResponseHeadCollector()
    private var received = 0
    private(set) var redirects: [HTTPRedirect] = []
    private var method = HTTPRequest.Method.get
    private var target: RequestTarget?
    private var sendsBody = false
    private var sendsCredentials = true
    /// Where to go on once the redirecting response has ended.
    private var location: String?
    private(set) var stop: Stop?
    private(set) var refusedAddress: IPAddress?
    private(set) var isHeldBack = false

    // Moments on the curl thread's clock.
    private var started: Int64 = 0
    private var requested: Int64?
    private var lastActivity: Int64 = 0

    /// Nil when libcurl is out of memory.
    init?(_ connections: Connections) {
        guard let easy = ccurl_easy_init() else { return nil }
        self.easy = easy
        self.connections = connections
        errorText = .allocate(capacity: Int(ccurl_error_size))
        errorText.pointee = 0
        setConstants()
    }

    deinit {
        ccurl_easy_cleanup(easy)
        curl_slist_free_all(fieldList)
        errorText.deallocate()
    }

    /// What is the same for every request.
    ///
    /// `curl_easy_reset` clears all of it.
    private func setConstants() {
        let route = connections.route
        let configuration = route.configuration
        let this = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_pointer(easy, CURLOPT_PRIVATE, this)
        ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
        ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        ccurl_set_web_protocols_only(easy)
        ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        ccurl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        ccurl_set_long(easy, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        ccurl_set_string(easy, CURLOPT_ACCEPT_ENCODING, "")
        ccurl_set_string(easy, CURLOPT_USERAGENT, configuration.userAgent)
        // Unset, these two come from the environment, past the guard.
        ccurl_set_string(easy, CURLOPT_PROXY, route.proxy ?? "")
        ccurl_set_string(easy, CURLOPT_NOPROXY, "")
        ccurl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if let file = route.certificateAuthority { ccurl_set_string(easy, CURLOPT_CAINFO, file) }
        ccurl_set_long(easy, CURLOPT_BUFFERSIZE, 16 << 10)
        ccurl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16 << 10)
        ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        ccurl_set_long(easy, CURLOPT_DNS_CACHE_TIMEOUT, CurlTime.seconds(configuration.nameCacheLifetime))
        ccurl_set_pointer(easy, CURLOPT_WRITEDATA, this)
        ccurl_set_write_function(easy, curlReceivedBody)
        ccurl_set_pointer(easy, CURLOPT_HEADERDATA, this)
        ccurl_set_header_function(easy, curlReceivedHeader)
        ccurl_set_pointer(easy, CURLOPT_PREREQDATA, this)
        ccurl_set_prerequest_function(easy, curlStartsRequest)
        ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, this)
        ccurl_set_open_socket_function(easy, curlOpensSocket)
        // A connection outlives its handle, so this one gets the connections it belongs to.
        ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(connections).toOpaque())
        ccurl_set_close_socket_function(easy, curlClosesSocket)
    }

    // MARK: From request to request

    /// Takes a transfer on.
    ///
    /// Throws ``HTTPClientError`` when its request cannot be sent.
    func begin(_ transfer: Transfer, now: Int64) throws {
        self.transfer = transfer
        method = transfer.request.method
        target = transfer.target
        sendsBody = !transfer.request.body.isEmpty
        started = now
        let milliseconds = CurlTime.milliseconds(transfer.request.deadlines.connect)
        ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds)
        try prepare(transfer)
    }

    /// Goes on with where the response pointed.
    ///
    /// Throws ``HTTPClientError`` when that may not be followed.
    func followRedirect() throws {
        guard let transfer, let from = target, let location else { return }
        guard redirects.count < transfer.request.maximumRedirects else {
            throw HTTPClientError(.redirect, "more than \(transfer.request.maximumRedirects) redirects")
        }
        guard var next = RequestTarget(location: location, from: from), let origin = next.origin else {
            throw HTTPClientError(.redirect, "the redirect does not point to an http or https URL")
        }
        let nextMethod = Redirection.method(after: head.status, from: method)
        if nextMethod != method { sendsBody = false }
        if from.origin?.sharesCredentials(with: origin) == true {
            (next.user, next.password) = (from.user, from.password)
        } else {
            sendsCredentials = false
            if sendsBody {
                throw HTTPClientError(
                    .redirect,
                    "a request with a body is not sent on to another origin, here \(origin)"
                )
            }
        }
        redirects.append(HTTPRedirect(status: head.status, location: next.url))
        method = nextMethod
        target = next
        self.location = nil
        stop = nil
        head = ResponseHeadCollector()
        received = 0
        errorText.pointee = 0
        try prepare(transfer)
    }

    /// Lets go of the transfer and makes ready for the next.
    func finish() {
        transfer = nil
        target = nil
        head = ResponseHeadCollector()
        received = 0
        redirects = []
        location = nil
        stop = nil
        refusedAddress = nil
        isHeldBack = false
        sendsCredentials = true
        requested = nil
        errorText.pointee = 0
        setFields(nil)
        if isUnusual {
            ccurl_easy_reset(easy)
            setConstants()
            isUnusual = false
        }
    }

    /// Sets what differs between requests.
    private func prepare(_ transfer: Transfer) throws {
        guard let target else { return }
        if connections.route.proxy != nil {
            guard let host = target.origin?.host, connections.addressGuard.allows(proxiedHost: host) else {
                throw HTTPClientError(.addressRefused, "the host may not be reached under this source's network policy")
            }
        }
        ccurl_set_string(easy, CURLOPT_URL, target.url)
        if isUnusual || method != .get || sendsBody || target.user != nil || target.password != nil {
            isUnusual = true
            prepareUnusual(target, body: transfer.request.body)
        }
        try setFields(fieldList(transfer.request.headers))
    }

    /// Whether a length is announced: of a body, or of none where the method means one (RFC 9110 §8.6).
    private var posts: Bool { sendsBody || method == .post || method == .put || method == .patch }

    private func prepareUnusual(_ target: RequestTarget, body: [UInt8]) {
        ccurl_set_long(easy, CURLOPT_HTTPGET, 1)
        if posts {
            let bytes = sendsBody ? body : []
            ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, Int64(bytes.count))
            _ = bytes.withUnsafeBytes { buffer in
                // Null would make libcurl read the body from a callback.
                buffer.isEmpty
                    ? ccurl_set_string(easy, CURLOPT_COPYPOSTFIELDS, "")
                    : ccurl_set_pointer(
                        easy,
                        CURLOPT_COPYPOSTFIELDS,
                        UnsafeMutableRawPointer(mutating: buffer.baseAddress)
                    )
            }
        } else if method == .head {
            ccurl_set_long(easy, CURLOPT_NOBODY, 1)
        }
        ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, method == .get || method == .head ? nil : method.rawValue)
        if method == .get, sendsBody { ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, "GET") }
        ccurl_set_string(easy, CURLOPT_USERNAME, sendsCredentials ? target.user : nil)
        ccurl_set_string(easy, CURLOPT_PASSWORD, sendsCredentials ? target.password : nil)
    }

    private func setFields(_ list: UnsafeMutablePointer<curl_slist>?) {
        if list == nil, fieldList == nil { return }
        ccurl_set_list(easy, CURLOPT_HTTPHEADER, list)
        curl_slist_free_all(fieldList)
        fieldList = list
    }

    private func fieldList(_ fields: HTTPFields) throws -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        var line: [UInt8] = []
        func append() throws {
            line.append(0)
            let longer = line.withUnsafeBytes {
                curl_slist_append(list, $0.assumingMemoryBound(to: CChar.self).baseAddress)
            }
            guard let longer else {
                curl_slist_free_all(list)
                throw HTTPClientError(.connection, "out of memory")
            }
            list = longer
        }
        var namesContentType = false
        for field in fields {
            if !sendsCredentials, !Redirection.isFitForOthers(field.name) { continue }
            if Redirection.describesBody(field.name) {
                // A body that a redirect dropped takes its description along.
                if !sendsBody, transfer?.request.body.isEmpty == false { continue }
                if field.name == .contentType { namesContentType = true }
            }
            line.removeAll(keepingCapacity: true)
            line.append(contentsOf: field.name.rawName.utf8)
            field.withUnsafeBytesOfValue { value in
                // libcurl's way to write an empty field, which "Name:" would suppress.
                if value.isEmpty {
                    line.append(UInt8(ascii: ";"))
                } else {
                    line.append(UInt8(ascii: ":"))
                    line.append(UInt8(ascii: " "))
                    line.append(contentsOf: value)
                }
            }
            try append()
        }
        if posts {
            // What libcurl would add by itself: a form's content type, and a second's wait for the server's leave.
            if !namesContentType {
                line = Array("Content-Type:".utf8)
                try append()
            }
            line = Array("Expect:".utf8)
            try append()
        }
        return list
    }

    // MARK: Callbacks

    /// The connection stands and the request goes out.
    func requestStarts(now: Int64) {
        if requested == nil { requested = now }
    }

    /// What a header line led to.
    enum HeaderAnswer {
        case more
        case head
        case stop
    }

    /// Takes a header line.
    func receive(headerLine line: UnsafeRawBufferPointer, now: Int64) -> HeaderAnswer {
        switch head.receive(line) {
        case .more: return .more
        case .tooLarge:
            stop = .headTooLarge
            return .stop
        case .complete: break
        }
        lastActivity = now
        guard let transfer, let target else { return .stop }
        if transfer.request.maximumRedirects > 0, Redirection.isRedirect(head.status),
            let location = FieldLines.location(head.lines)
        {
            self.location = location
            return .head
        }
        let lines = head.takeLines()
        transfer.receive(
            head: ResponseHead(status: head.status, fieldLines: lines, url: target.url, redirects: redirects)
        )
        return .head
    }

    /// What to tell libcurl about a piece of the body.
    enum BodyAnswer {
        case taken
        case pause
        case stop
    }

    /// Takes a piece of the body.
    func receive(body bytes: UnsafeRawBufferPointer, now: Int64) -> BodyAnswer {
        lastActivity = now
        guard let transfer else { return .stop }
        let (total, overflow) = received.addingReportingOverflow(bytes.count)
        if location != nil {
            received = total
            if total <= Self.redirectBodyLimit { return .taken }
            stop = .redirectBodyLong
            return .stop
        }
        if overflow || total > transfer.request.maximumBodySize {
            stop = .bodyTooLarge
            return .stop
        }
        guard transfer.receive(bytes) else {
            isHeldBack = true
            return .pause
        }
        received = total
        return .taken
    }

    /// The guard refused an address.
    func refused(_ address: IPAddress?) {
        refusedAddress = address
    }

    /// Goes on after the reader has drained the buffer.
    ///
    /// libcurl hands over at once what it held back. An error in doing so is only returned here, it does not end the
    /// exchange by itself.
    func unpause(now: Int64) -> CURLcode {
        guard isHeldBack else { return CURLE_OK }
        isHeldBack = false
        lastActivity = now
        return ccurl_easy_unpause(easy)
    }

    // MARK: Outcome

    /// Whether the finished exchange was a redirect to follow, its body read or dropped.
    func isToFollow(_ result: CURLcode) -> Bool {
        location != nil && (result == CURLE_OK || stop == .redirectBodyLong)
    }

    /// The error a finished exchange means, nil when it went well.
    func error(_ result: CURLcode) -> HTTPClientError? {
        if result == CURLE_OK {
            return head.isComplete ? nil : error(.protocolViolation, "the exchange ended without a final response")
        }
        switch stop {
        case .bodyTooLarge:
            return error(.bodyTooLarge, "the body exceeds \(transfer?.request.maximumBodySize ?? 0) bytes")
        case .headTooLarge:
            return error(.protocolViolation, "the response head exceeds \(ResponseHeadCollector.limit) bytes")
        case .redirectBodyLong, nil: break
        }
        if result == CURLE_COULDNT_CONNECT, let refusedAddress {
            return error(.addressRefused, "\(refusedAddress) may not be reached under this source's network policy")
        }
        if result == CURLE_OPERATION_TIMEDOUT {
            return error(.deadline, "no connection within \(transfer?.request.deadlines.connect ?? .zero)")
        }
        var systemError = 0
        ccurl_get_long(easy, CURLINFO_OS_ERRNO, &systemError)
        let (code, message) = CurlErrors.describe(result, isSystemError: systemError != 0, detail: errorText)
        return error(code == .invalidRequest && !redirects.isEmpty ? .redirect : code, message)
    }

    /// An error whose message says which server it is about.
    func error(_ code: HTTPClientError.Code, _ message: String) -> HTTPClientError {
        guard let origin = target?.origin else { return HTTPClientError(code, message) }
        return HTTPClientError(code, "\(message) (\(origin))")
    }

    // MARK: Deadlines

    /// When the soonest of the transfer's deadlines passes as things stand, and what it means.
    func nextDeadline() -> (due: Int64, name: String, limit: Duration)? {
        guard let limits = transfer?.request.deadlines else { return nil }
        var next: (due: Int64, name: String, limit: Duration)?
        func consider(_ start: Int64?, _ limit: Duration?, _ name: String) {
            guard let start, let limit else { return }
            let due = start + Int64(CurlTime.milliseconds(limit))
            if due < next?.due ?? .max { next = (due, name, limit) }
        }
        consider(started, limits.total, "total")
        if !head.isComplete {
            consider(requested, limits.firstByte, "first byte")
        } else if !isHeldBack {
            consider(lastActivity, limits.idle, "idle")
        }
        return next
    }
}
