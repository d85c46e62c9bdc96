public import ConnectorKit
import HTTPTypes
import Logging
public import SocialEvents

/// The promises every connector keeps, as checks that any connector can be run against without network, clock or host.
///
/// A connector's tests make one of these from good settings and a script of its platform, and call ``check()``; each check can also be called alone.
/// A check throws ``ContractFailure``. The script is run anew for every connector value that is made, so that each meets the same platform.
public struct ConnectorContract: Sendable {
    let type: any Connector.Type
    let settings: [SettingNode.Member]
    let now: Timestamp
    let limit: Int
    let eventCount: Int?
    let script: @Sendable (ScriptedHTTPClient) -> Void
    let webSockets: (@Sendable (ScriptedWebSocketClient) -> Void)?

    /// What credentials are replaced by, to be searched for in everything that is printed.
    static let marker = "s3cret-m4rker-7c1f"

    /// A contract for one connector.
    ///
    /// - Parameters:
    ///   - type: the connector's type.
    ///   - settings: good settings; credentials in them are replaced.
    ///   - now: the time it is, constant during the checks.
    ///   - limit: what pull requests ask for at most.
    ///   - eventCount: how many events there are for a pull source to find; without it skipping is noticed only where it differs from run to run.
    ///   - webSockets: tells the WebSocket client what the platform sends, by a handler that goes on from where the request asks; for sources that
    ///     stream over WebSockets.
    ///   - script: tells the HTTP client what the platform answers, by routes or a handler rather than by expectations, since the same page is asked for
    ///     more than once. It should hold more than one page.
    public init(
        _ type: any Connector.Type,
        settings: [SettingNode.Member],
        now: Timestamp = Timestamp(seconds: 1_767_225_600),
        limit: Int = 500,
        eventCount: Int? = nil,
        webSockets: (@Sendable (ScriptedWebSocketClient) -> Void)? = nil,
        script: @escaping @Sendable (ScriptedHTTPClient) -> Void
    ) {
        self.type = type
        self.settings = settings.map { member in
            var member = member
            member.value = Self.marking(member.value)
            return member
        }
        self.now = now
        self.limit = limit
        self.eventCount = eventCount
        self.webSockets = webSockets
        self.script = script
    }

    /// Runs every check that applies to the modes in which a source with these settings reads, but for ``webhook(_:isSigned:)``, which needs deliveries.
    public func check() async throws {
        try describesItself()
        try buildsWithoutEffects()
        try refusesBadSettings()
        let modes = type.modes(of: Settings(settings))
        if modes.contains(.pull) {
            try await pullIsDeterministic()
            try await pullResumesFromEveryCursor()
            try await cancelledPullEnds()
            try await pullContainsMalformedPayloads()
            try await pullLosesNothingToCutPayloads()
            try await pullHidesSecrets()
        }
        if modes.contains(.stream) {
            try await streamResumesAfterFailedSinks()
            try await cancelledStreamEnds()
        }
    }

    /// One connector value with the platform it was given.
    struct Run: Sendable {
        let connector: any Connector
        let http: ScriptedHTTPClient
        let webSockets: ScriptedWebSocketClient
        let clock: ManualClock
        let log: LogRecorder
    }

    /// Makes a connector value over the script, its answers changed by `tamper`, or over WebSockets that say nothing.
    func run(
        _ settings: [SettingNode.Member]? = nil,
        isSilent: Bool = false,
        tamper: (@Sendable (ScriptedAnswer) -> ScriptedAnswer)? = nil
    ) throws -> Run {
        let http = ScriptedHTTPClient()
        script(http)
        if let tamper { http.tamper(tamper) }
        let sockets = ScriptedWebSocketClient()
        if isSilent { sockets.handle { _ in ([], .silence) } } else { webSockets?(sockets) }
        let clock = ManualClock(now: now)
        let log = LogRecorder()
        let context = ConnectorContext(
            source: SourceName("contract"),
            http: http,
            clock: clock,
            logger: log.logger(),
            webSockets: sockets
        )
        let connector = try type.init(
            settings: Settings(settings ?? self.settings, path: "sources.contract"),
            context: context
        )
        return Run(connector: connector, http: http, webSockets: sockets, clock: clock, log: log)
    }

    /// Whether an error is one that the host knows what to do with.
    static func isExpected(_ error: any Error) -> Bool {
        error is ConnectorError || error is HTTPClientError || error is CancellationError
    }

    private static func marking(_ node: SettingNode) -> SettingNode {
        switch node.content {
        case .secret: SettingNode(.secret(Secret(marker)), at: node.position)
        case .list(let nodes): SettingNode(.list(nodes.map(marking)), at: node.position)
        case .map(let members):
            SettingNode(
                .map(members.map { .init(key: $0.key, position: $0.position, value: marking($0.value)) }),
                at: node.position
            )
        case .scalar, .null: node
        }
    }
}
