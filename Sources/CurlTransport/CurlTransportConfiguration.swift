import ConnectorKit

/// Settings of a ``CurlTransport`` that hold for all its clients.
package struct CurlTransportConfiguration: Sendable {
    /// Most connections open at once for each distinct policy, proxy and certificate authority; more requests wait in
    /// line.
    package var maximumConnections: Int
    /// Most connections open at once to one host; more requests to it wait in line.
    package var maximumConnectionsPerHost: Int
    /// Most idle connections kept for reuse.
    package var maximumIdleConnections: Int
    /// What requests without a `User-Agent` field say.
    package var userAgent: String
    /// How long a resolved name is kept.
    package var nameCacheLifetime: Duration

    /// Settings fit for a hub of some thousand sources.
    package init(
        maximumConnections: Int = 4096,
        maximumConnectionsPerHost: Int = 64,
        maximumIdleConnections: Int = 256,
        userAgent: String = "Roost",
        nameCacheLifetime: Duration = .seconds(60)
    ) {
        self.maximumConnections = maximumConnections
        self.maximumConnectionsPerHost = maximumConnectionsPerHost
        self.maximumIdleConnections = maximumIdleConnections
        self.userAgent = userAgent
        self.nameCacheLifetime = nameCacheLifetime
    }
}

/// How requests leave: what may be reached, through which proxy, trusting whom.
///
/// libcurl asks the guard only when it opens a connection, not when it reuses one, so each route has connections of its
/// own.
final class Route: Sendable {
    /// The place of the route's connections in the curl thread.
    let index: Int
    let policy: NetworkPolicy
    let proxy: String?
    let certificateAuthority: String?
    let configuration: CurlTransportConfiguration

    init(
        index: Int,
        policy: NetworkPolicy,
        proxy: String?,
        certificateAuthority: String?,
        configuration: CurlTransportConfiguration
    ) {
        self.index = index
        self.policy = policy
        self.proxy = proxy
        self.certificateAuthority = certificateAuthority
        self.configuration = configuration
    }
}
