import ConnectorKit

/// Where platforms call.
package struct WebhookConfiguration: Sendable, Hashable {
    /// Where the listener listens, apart from the subscription API.
    package var listen: ListenAddress
    /// The address under which platforms reach it, without a slash at its end; it is only told, never listened on.
    package var publicURL: String?
    /// The largest body that is taken, in bytes.
    package var bodySize: Int

    /// Where platforms call.
    package init(
        listen: ListenAddress = WebhookSettings.defaultListen,
        publicURL: String? = nil,
        bodySize: Int = WebhookSettings.defaultBodySize
    ) {
        self.listen = listen
        self.publicURL = publicURL
        self.bodySize = bodySize
    }
}

/// The settings of the webhook listener.
package enum WebhookSettings {
    /// Loopback, since a platform's calls come through a proxy that speaks TLS.
    package static let defaultListen = ListenAddress(host: "127.0.0.1", port: 8081)
    /// Far more than any platform sends.
    package static let defaultBodySize = 1 << 20

    static let listen = Setting(
        "listen",
        .listenAddress,
        summary:
            "Where platforms' calls arrive, from a proxy that speaks TLS; its own address, apart from the subscription API.",
        default: defaultListen
    )
    static let publicURL = Setting.url(
        "public_url",
        summary: "The address under which platforms reach the listener; told at the start, for you to register."
    )
    static let bodySize = Setting(
        "body_size",
        .byteSize(in: 1 << 10...64 << 20),
        summary: "The largest body that is taken.",
        default: defaultBodySize
    )

    static let all: [any SettingDescription] = [listen, publicURL, bodySize]
}

/// Checks the paths on which platforms call.
enum WebhookPath {
    /// What one looks like, in words for a message.
    static let form = "a path such as /x/acme of letters, digits and - . _ ~ /, at most 200 long"

    /// Whether it may be one.
    static func isValid(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path.utf8.count <= 200 && parts.count > 1 && parts[0].isEmpty
            && parts.dropFirst().allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.unicodeScalars.allSatisfy {
                        switch $0 {
                        case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": true
                        default: false
                        }
                    }
            }
    }
}
