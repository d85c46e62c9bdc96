import CCurl
import ConnectorKit

/// libcurl's results in the words of ``HTTPClientError``.
enum CurlErrors {
    /// Most bytes of libcurl's own explanation that are shown.
    private static let detailLimit = 200

    /// The kind of failure and what to say about it.
    ///
    /// `detail` is libcurl's explanation. It is shown for connections and TLS only, where it names hosts, ports and
    /// certificates; elsewhere it may quote what the server sent.
    static func describe(
        _ result: CURLcode,
        isSystemError: Bool,
        detail: UnsafePointer<CChar>
    ) -> (HTTPClientError.Code, String) {
        let plain = String(cString: curl_easy_strerror(result))
        switch result {
        case CURLE_URL_MALFORMAT: return (.invalidRequest, plain)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return (.nameResolution, plain)
        case CURLE_COULDNT_CONNECT, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_PROXY, CURLE_FAILED_INIT,
            CURLE_OUT_OF_MEMORY, CURLE_INTERFACE_FAILED:
            return (.connection, explained(plain, detail))
        // A reset comes from the system; a body that cannot be read as chunks has the same code without it.
        case CURLE_RECV_ERROR where isSystemError: return (.connection, explained(plain, detail))
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT,
            CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_USE_SSL_FAILED:
            return (.tls, explained(plain, detail))
        case CURLE_OPERATION_TIMEDOUT: return (.deadline, plain)
        // Unsupported can only be what the server speaks, HTTP/0.9: the URL's scheme has been looked at before.
        default: return (.protocolViolation, result == CURLE_UNSUPPORTED_PROTOCOL ? "the server speaks no HTTP" : plain)
        }
    }

    private static func explained(_ plain: String, _ detail: UnsafePointer<CChar>) -> String {
        guard detail.pointee != 0 else { return plain }
        let printable = String(cString: detail).unicodeScalars.prefix(detailLimit).map { scalar in
            scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7f ? Character(scalar) : "?"
        }
        return "\(plain): \(String(printable))"
    }
}
