import HTTPTypes

/// The rules of following a redirect (RFC 9110 §15.4), as pure functions.
enum Redirection {
    /// Whether a status redirects to the response's `Location`.
    static func isRedirect(_ status: Int) -> Bool {
        switch status {
        case 301, 302, 303, 307, 308: true
        default: false
        }
    }

    /// The method of the next request: 303 asks for the representation of the result, and 301 and 302 do so for POST,
    /// as every browser does.
    static func method(after status: Int, from method: HTTPRequest.Method) -> HTTPRequest.Method {
        switch status {
        case 303: method == .head ? .head : .get
        case 301, 302: method == .post ? .get : method
        default: method
        }
    }

    /// Whether a field goes along to another origin.
    ///
    /// All fields that could be credentials stay behind, and a connector may give those any name: so the list says what
    /// may go, not what may not.
    static func isFitForOthers(_ name: HTTPField.Name) -> Bool {
        fitForOthers.contains(name.canonicalName)
    }

    /// Whether a field describes the body, and so goes when the body goes.
    static func describesBody(_ name: HTTPField.Name) -> Bool {
        name.canonicalName.hasPrefix("content-")
    }

    private static let fitForOthers: Set<String> = [
        "accept", "accept-charset", "accept-encoding", "accept-language", "a-im", "cache-control", "content-encoding",
        "content-language", "content-type", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "pragma", "range", "user-agent",
    ]
}
