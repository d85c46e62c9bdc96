import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore

/// Serves the feeds of a ``FeedWorld`` as real servers do: validators, conditional GET, archives, an article page for every link.
package struct FeedSimulator: Sendable {
    /// What it publishes.
    package var world: FeedWorld
    /// Where it listens; only loopback addresses make sense for a stand-in.
    package var host: String
    /// The port; 0 lets the system choose.
    package var port: Int
    private let now: @Sendable () -> Int64

    /// A simulator whose time in milliseconds since 1970 is told by `now`.
    package init(world: FeedWorld, host: String = "127.0.0.1", port: Int, now: @escaping @Sendable () -> Int64) {
        self.world = world
        self.host = host
        self.port = port
        self.now = now
    }

    /// The server, to be run in a service group; `onRunning` learns the port it listens on.
    package func application(
        logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        let router = Router()
        for channel in FeedChannel.allCases {
            router.get(RouterPath(channel.path)) { request, _ in
                page(of: channel, for: request)
            }
        }
        router.get("/articles/:index") { _, context in
            let index = try context.parameters.require("index", as: Int.self)
            return article(index)
        }
        router.get("/") { _, _ in
            let list = FeedChannel.allCases.map { "<li><a href=\"\($0.path)\">\($0.title)</a></li>" }.joined()
            return html(.ok, "<h1>Simulated feeds</h1><ul>\(list)</ul>")
        }
        return Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                serverName: "roost-simulator"
            ),
            onServerRunning: { await onRunning($0.localAddress?.port ?? 0) },
            logger: logger
        )
    }

    private func page(of channel: FeedChannel, for request: Request) -> Response {
        let moment = now()
        let page = request.uri.queryParameters.get("page", as: Int.self) ?? 0
        let indices = world.indices(of: channel, page: page, at: moment)
        guard page == 0 || !indices.isEmpty else { return html(.notFound, "<h1>No such page</h1>") }
        let changed = world.lastChange(of: indices, by: moment)
        let tag = "\"\(world.seed)-\(page)-\(indices.first ?? -1)-\(changed)\""
        let headers: HTTPFields = [
            .eTag: tag, .lastModified: FeedDates.rfc822(changed), .contentType: channel.contentType,
        ]
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
        let base = "http://\(request.head.authority ?? "\(host):\(port)")"
        let document = FeedDocument(world: world, channel: channel, page: page, now: moment, base: base)
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.render()))
        )
    }

    private func article(_ index: Int) -> Response {
        let moment = now()
        guard let article = world.article(index, at: moment) else {
            return index >= 0 && index < world.published(by: moment)
                ? html(.gone, "<h1>This article was withdrawn</h1>") : html(.notFound, "<h1>No such article</h1>")
        }
        let paragraphs = article.paragraphs.map { "<p>\($0)</p>" }.joined()
        return html(.ok, "<h1>\(article.title)</h1><p>by \(article.author)</p>\(paragraphs)")
    }

    private func html(_ status: HTTPResponse.Status, _ body: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "<!doctype html><meta charset=utf-8>" + body))
        )
    }
}
