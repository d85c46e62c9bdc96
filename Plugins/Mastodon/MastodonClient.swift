import ConnectorKit
import HTTPTypes
import JSON
import Logging
import SocialEvents

/// Asks one server, and says what its answers mean for the host.
struct MastodonClient: Sendable {
    /// Marks the failure of an answer that nothing is there: status 404 or 410.
    struct NothingThere: Error {}

    /// A request with the words for what it asks for.
    typealias Question = (request: HTTPClientRequest, what: String)

    /// One bucket: the server counts all requests together, and its headers describe the limit nearest exhaustion.
    private static let bucket = "api"

    let configuration: MastodonConfiguration
    let context: ConnectorContext
    let api: MastodonAPI
    private let memory = MastodonServerMemory()

    init(_ configuration: MastodonConfiguration, _ context: ConnectorContext) {
        self.configuration = configuration
        self.context = context
        api = MastodonAPI(baseURL: configuration.baseURL, token: configuration.token)
    }

    // MARK: - Asking

    /// The bytes of a good answer.
    func fetch(_ question: Question) async throws -> [UInt8] {
        let (response, body) = try await ask(question)
        // snac answers 422 without a body where others answer 401.
        if response.status == 422, body.isEmpty, configuration.token != nil, await software() == "snac" {
            throw ConnectorError(
                .unauthorized,
                "\(question.what): the token is not accepted (status 422); check it"
            )
        }
        if let error = failure(response, body, question.what) { throw error }
        return body
    }

    /// Reads an answer.
    func parse<Result>(_ answer: [UInt8], _ read: (JSONValue) throws -> Result) throws -> Result {
        do {
            return try JSONParser(maximumSize: MastodonAPI.longestAnswer).parse(answer, read)
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: answer, what: "the server's answer")
        }
    }

    private func ask(_ question: Question) async throws -> (HTTPClientResponse, [UInt8]) {
        try context.quota.admit(Self.bucket)
        do {
            let response = try await context.http.send(question.request)
            context.quota.observe(response.headers, bucket: Self.bucket)
            return (response, try await response.body.collect())
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: question.what)
        }
    }

    /// The failure of an answer, judged by its status alone: error messages are in the reader's language.
    private func failure(_ response: HTTPClientResponse, _ body: [UInt8], _ what: String) -> ConnectorError? {
        var error = ConnectorError.of(
            status: response.status,
            headers: response.headers,
            body: body,
            now: context.clock.now,
            what: what
        )
        if response.status == 404 || response.status == 410 { error?.underlying = NothingThere() }
        return error
    }

    // MARK: - The stream

    /// Opens the stream of what the source reads.
    func openStream() async throws -> HTTPClientResponse {
        let server = try await findServer()
        guard let streamingURL = server.streamingURL, let request = api.stream(configuration, at: streamingURL) else {
            throw unsupported(server, "names no address for it")
        }
        do {
            let response = try await context.http.send(request)
            context.quota.observe(response.headers, bucket: Self.bucket)
            let isStream = response.headers[.contentType]?.lowercased().hasPrefix("text/event-stream") ?? false
            if response.status == 200, isStream { return response }
            memory.forgetServer()
            switch response.status {
            case 401, 403:
                // Whether the token is any good is for the pulls to find out: some servers keep streams for some people.
                let whom = configuration.token == nil ? "nobody without a token" : "nobody with this token"
                throw unsupported(server, "streams to \(whom) (status \(response.status))")
            case 200..<400, 400, 404, 405, 406, 410, 422, 426, 501:
                throw unsupported(server, "has no such stream (status \(response.status))")
            default: break
            }
            throw ConnectorError.of(
                status: response.status,
                headers: response.headers,
                now: context.clock.now,
                what: "the stream"
            ) ?? unsupported(server, "answers with status \(response.status)")
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: "the stream")
        }
    }

    private func unsupported(_ server: MastodonServer, _ reason: String) -> ConnectorError {
        ConnectorError(.unsupported, "the stream: this server (\(server.softwareName)) \(reason)")
    }

    // MARK: - The server

    /// What the server says about itself: its software by NodeInfo, where it streams from by its description.
    private func findServer() async throws -> MastodonServer {
        if let known = memory.server { return known }
        var found = MastodonServer(software: await software())
        for version in [2, 1] {
            do {
                guard let named = try await describe(version, MastodonServer.streamingAddress) else { continue }
                found.streamingURL = MastodonAPI.streamingURL(named, base: configuration.baseURL)
                break
            } catch let error as ConnectorError {
                // Not every server has both forms, and some have neither.
                guard ![.unavailable, .rateLimited].contains(error.code) else { throw error }
            }
        }
        memory.set(found)
        return found
    }

    /// Whether it is the server that answers, and not something in front of it that answers 404 to all while the server is away.
    func isAnswering() async throws -> Bool {
        for version in [2, 1] {
            do {
                if try await describe(version, { $0.kind == .object }) { return true }
            } catch let error as ConnectorError {
                guard ![.unavailable, .rateLimited].contains(error.code) else { throw error }
            }
        }
        return false
    }

    private func describe<Result>(_ version: Int, _ read: (JSONValue) throws -> Result) async throws -> Result {
        try parse(
            try await fetch((request: api.instance(version: version), what: "the server's description")),
            read
        )
    }

    /// The software's name; nothing depends on it but words and one status code, so it may stay unknown.
    private func software() async -> String? {
        if let known = memory.software { return known }
        do {
            // Not by `fetch`, which may want to know the software.
            let (links, linksBody) = try await ask((request: api.nodeInfoLinks(), what: "the server's NodeInfo"))
            guard links.status == 200, let url = try parse(linksBody, MastodonServer.nodeInfoURL) else { return nil }
            let (info, infoBody) = try await ask((request: api.nodeInfo(url), what: "the server's NodeInfo"))
            guard info.status == 200, let name = try parse(infoBody, MastodonServer.software) else { return nil }
            memory.set(software: name)
            return name
        } catch {
            context.logger.debug("no NodeInfo", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
