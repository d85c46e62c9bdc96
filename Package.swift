// swift-tools-version: 6.2
import PackageDescription

/// One list for every target: what this package holds its code to.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The connectors.
///
/// A new one is a folder under `Plugins/`, its name here, and its line in `Sources/roost/Connectors.swift`.
let connectors = ["Bluesky", "Facebook", "Feed", "Instagram", "Mastodon", "WhatsApp", "X"]

/// The library that a connector shares with others of its family, where there is one.
func family(_ name: String) -> [Target.Dependency] {
    ["Facebook", "Instagram", "WhatsApp"].contains(name) ? ["MetaGraph"] : []
}

/// A connector's target: its code lies in `Plugins/NAME` beside its README and fixtures.
func connector(_ name: String) -> Target {
    .target(
        name: "\(name)Connector",
        dependencies: [
            "ConnectorKit", "SocialEvents", "JSON", "Markup",
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Logging", package: "swift-log"),
        ] + family(name),
        path: "Plugins/\(name)",
        exclude: ["README.md", "Fixtures"],
        swiftSettings: settings
    )
}

/// A target of the host under `Sources/`.
func room(_ name: String, exclude: [String] = [], _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// A target of tests under `Tests/`.
func tests(_ name: String, exclude: [String] = [], _ dependencies: Target.Dependency...) -> Target {
    tests(name, exclude: exclude, dependencies)
}

func tests(_ name: String, exclude: [String] = [], _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// A connector's tests: `Tests/NAMETests`.
func connectorTests(_ name: String) -> Target {
    tests(
        "\(name)Tests",
        [
            .target(name: "\(name)Connector"), "ConnectorTesting", "ConnectorKit", "SocialEvents", "JSON", "Markup",
            "PlatformSimulators", "SimulatorTesting", "CurlTransport", "WebSocketTransport", httpTypes, logging,
            lifecycle,
        ] + family(name)
    )
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let connectorTargets = connectors.map { Target.Dependency.target(name: "\($0)Connector") }

let package = Package(
    name: "roost",
    products: [
        .executable(name: "roost", targets: ["roost"]),
        .executable(name: "roost-benchmarks", targets: ["Benchmarks"]),
        .library(name: "ConnectorKit", targets: ["ConnectorKit", "SocialEvents", "JSON", "Markup"]),
        .library(name: "ConnectorTesting", targets: ["ConnectorTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: connectors.map(connector) + [
        .target(
            name: "CSimdJSON",
            cxxSettings: [.define("NDEBUG")],
            linkerSettings: [.linkedLibrary("simdjson")]
        ),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

        room("JSON", "CSimdJSON"),
        room("Markup", "CLibXML2"),
        room("SocialEvents", exclude: ["event.schema.json"], "JSON"),
        room("ConnectorKit", "SocialEvents", "JSON", httpTypes, logging, crypto),
        .target(
            name: "MetaGraph",
            dependencies: ["ConnectorKit", "SocialEvents", "JSON", httpTypes, logging],
            path: "Plugins/MetaGraph",
            exclude: ["README.md"],
            swiftSettings: settings
        ),
        room("ConnectorTesting", "ConnectorKit", "SocialEvents", "JSON", httpTypes, logging),
        room("CurlTransport", "CCurl", "ConnectorKit", "SocialEvents", httpTypes, logging),
        room(
            "WebSocketTransport",
            "ConnectorKit",
            "SocialEvents",
            httpTypes,
            nioCore,
            nioHTTP,
            nioPosix,
            nioSSL,
            nioTLS,
            nioWebSocket
        ),
        room("MessageBus", "SocialEvents", "ConnectorKit"),
        room("SQLiteBus", "MessageBus", "ConnectorKit", "SocialEvents", "JSON", grdb, sqlite),
        room("HubCore", "CMalloc", "ConnectorKit", "MessageBus", "SocialEvents", "JSON", yams, logging, lifecycle),
        room(
            "HubHTTP",
            "HubCore",
            "MessageBus",
            "ConnectorKit",
            "SocialEvents",
            "JSON",
            hummingbird,
            hummingbirdCore,
            httpTypes,
            logging,
            nioCore,
            nioHTTPTypes,
            lifecycle
        ),
        room(
            "PlatformSimulators",
            "JSON",
            crypto,
            hummingbird,
            httpTypes,
            logging,
            nioCore,
            nioHTTP,
            nioPosix,
            nioWebSocket,
            lifecycle
        ),
        .executableTarget(
            name: "roost",
            dependencies: [
                "ConnectorKit", "CurlTransport", "HubCore", "HubHTTP", "JSON", "MessageBus", "PlatformSimulators",
                "SocialEvents", "SQLiteBus", "WebSocketTransport",
                argumentParser, httpTypes, lifecycle, logging, nioCore, signals,
            ] + connectorTargets,
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "CMalloc", "ConnectorKit", "CurlTransport", "HubCore", "HubHTTP", "JSON", "Markup", "MessageBus",
                "SocialEvents", "SQLiteBus", "BlueskyConnector", "FeedConnector", "InstagramConnector",
                "MastodonConnector",
                "MetaGraph", "WhatsAppConnector", "XConnector", httpTypes, hummingbird, lifecycle, logging, nioCore,
                sqlite,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "FeedDump",
            dependencies: ["FeedConnector", "ConnectorKit", "JSON", "SocialEvents"],
            path: "Tests/Corpus/FeedDump",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "PayloadReport",
            dependencies: ["ConnectorKit", "JSON", "MetaGraph", "SocialEvents"]
                + connectorTargets,
            path: "Tests/Corpus/PayloadReport",
            swiftSettings: settings
        ),
        .target(
            name: "SimulatorTesting",
            dependencies: ["PlatformSimulators", "ConnectorKit", "SocialEvents", httpTypes],
            path: "Tests/SimulatorTesting",
            swiftSettings: settings
        ),

        tests("JSONTests", "JSON"),
        tests("MarkupTests", "Markup"),
        tests("SocialEventsTests", exclude: ["Fixtures"], "SocialEvents", "JSON", "ConnectorTesting"),
        tests(
            "ConnectorKitTests",
            exclude: ["Fixtures"],
            "ConnectorKit",
            "ConnectorTesting",
            "SocialEvents",
            "JSON",
            httpTypes,
            logging
        ),
        tests("CurlTransportTests", "CurlTransport", "ConnectorKit", httpTypes),
        tests(
            "WebSocketTransportTests",
            "WebSocketTransport",
            "ConnectorKit",
            httpTypes,
            nioCore,
            nioHTTP,
            nioPosix,
            nioSSL,
            nioWebSocket
        ),
        tests(
            "MetaGraphTests",
            "MetaGraph",
            "ConnectorKit",
            "ConnectorTesting",
            "SocialEvents",
            "JSON",
            httpTypes,
            logging
        ),
        tests(
            "MetaSimulatorTests",
            [
                "PlatformSimulators", "SimulatorTesting", "MetaGraph", "ConnectorKit", "ConnectorTesting",
                "SocialEvents", "JSON", crypto, httpTypes, logging, lifecycle,
            ] + ["Facebook", "Instagram", "WhatsApp"].map { .target(name: "\($0)Connector") }
        ),
        tests("SQLiteBusTests", "SQLiteBus", "MessageBus", "ConnectorKit", "SocialEvents", "JSON", grdb),
    ] + connectors.map(connectorTests) + [
        tests(
            "HubCoreTests",
            "HubCore",
            "MessageBus",
            "ConnectorKit",
            "ConnectorTesting",
            "SocialEvents",
            "JSON",
            httpTypes,
            logging
        ),
        tests(
            "HubHTTPTests",
            "HubHTTP",
            "HubCore",
            "SQLiteBus",
            "MessageBus",
            "CurlTransport",
            "ConnectorKit",
            "SocialEvents",
            "JSON",
            httpTypes,
            logging,
            lifecycle
        ),
        tests(
            "RoostTests",
            "roost",
            "HubCore",
            "PlatformSimulators",
            "SQLiteBus",
            "MessageBus",
            "ConnectorKit",
            "SocialEvents",
            logging,
            lifecycle
        ),
    ]
)
