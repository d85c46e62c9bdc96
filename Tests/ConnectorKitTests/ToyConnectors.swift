import ConnectorKit
import HTTPTypes
import JSON
import Logging
import SocialEvents

/// A connector for a platform that counts to ten, with faults to order: what the contract's tests run it against.
struct ToyConnector: PullSource, StreamSource, WebhookSource {
    enum Fault: String, CaseIterable, Sendable {
        case none, doubles, skips, randomIDs, outlivesCancellation, leaksToken, leaksTokenToLog, foreignError,
            skipsCutPage, hugeCursor, badEvent, endless,
            laxSettings, writtenSecret, swallowsSinkFailure, cursorAhead, unsigned
    }

    static let url = Setting.url("url", summary: "Where the platform is.", isRequired: true)
    static let token = Setting.secret("token", summary: "The platform's token.")
    static let pageSize = Setting.integer("page_size", in: 1...100, summary: "Items a page.", default: 3)
    static let fault = Setting.choice("fault", of: Fault.self, summary: "What to do wrong.", default: Fault.none)
    static let descriptor = ConnectorDescriptor(
        name: "toy",
        summary: "Reads numbers.",
        settings: [url, token, pageSize, fault]
    )

    let context: ConnectorContext
    let url: String
    let token: Secret?
    let fault: Fault

    init(settings: Settings, context: ConnectorContext) throws {
        self.context = context
        url = try settings.required(Self.url)
        fault = try settings.required(Self.fault)
        if fault != .laxSettings { _ = try settings.required(Self.pageSize) }
        do {
            token = try settings.value(Self.token)
        } catch {
            guard fault == .writtenSecret else { throw error }
            token = nil
        }
    }

    func pull(_ request: PullRequest) async throws -> PullPage {
        let after = try request.cursor?.json { try $0.requiredInt("after") } ?? 0
        do {
            if fault == .leaksTokenToLog {
                context.logger.debug("asking", metadata: ["token": "\(token?.reveal() ?? "")"])
            }
            let response = try await context.fetch(
                HTTPClientRequest(.get, "\(url)?after=\(after)"),
                what: "the numbers"
            )
            return try page(response.body, after: after)
        } catch let error as JSONError {
            if fault == .foreignError { throw error }
            if fault == .skipsCutPage { return PullPage(cursor: cursor(after: 10)) }
            throw ConnectorError.malformed(error, payload: [], what: "the numbers")
        } catch is CancellationError where fault == .outlivesCancellation {
            return PullPage()
        } catch let error as ConnectorError where fault == .leaksToken {
            throw ConnectorError(error.code, "\(error.message) with token \(token?.reveal() ?? "")")
        }
    }

    private func page(_ body: [UInt8], after: Int) throws -> PullPage {
        try JSONParser().parse(body) { root in
            let numbers = try root.requiredArray("items").map { try $0.expectInt() }
            let last = numbers.last ?? after
            let shift = fault == .doubles ? -1 : fault == .skips ? 1 : 0
            return PullPage(
                events: try numbers.map(event),
                cursor: cursor(after: numbers.isEmpty ? last : last + shift),
                hasMore: fault == .endless ? true : root["more"]?.bool ?? false
            )
        }
    }

    func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
        let after = try cursor?.json { try $0.requiredInt("after") } ?? 0
        do {
            let response = try await context.http.send(HTTPClientRequest(.get, "\(url)/stream?after=\(after)"))
            for try await chunk in response.body {
                for byte in chunk where byte > UInt8(ascii: "0") && byte <= UInt8(ascii: "9") {
                    let number = Int(byte - UInt8(ascii: "0"))
                    let event = try event(number)
                    if fault == .cursorAhead { try await sink.emit([], cursor: self.cursor(after: number)) }
                    do {
                        try await sink.emit([event], cursor: self.cursor(after: number))
                    } catch  where fault == .swallowsSinkFailure {}
                }
            }
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: "the stream")
        }
    }

    func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome {
        let signature = delivery.headers.value("X-Hub-Signature-256") ?? ""
        let isGenuine = Signature.hubSHA256.verify(signature, of: delivery.body, key: token ?? Secret(""))
        guard isGenuine || fault == .unsigned else {
            return .rejected(status: 401, reason: "the signature does not fit")
        }
        do {
            return .accepted(try page(delivery.body, after: 0).events)
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: delivery.body, what: "the delivery")
        }
    }

    private func event(_ number: Int) throws -> Event {
        let native = fault == .randomIDs ? String(UInt64.random(in: 0 ... .max)) : String(number)
        var event = Event(
            id: EventID(ObjectID("toy", .post, native), .created),
            type: .postCreated,
            platform: "toy",
            subject: ObjectID("toy", .post, native),
            time: Timestamp(seconds: Int64(number))
        )
        if fault != .badEvent {
            var object = SocialObject(id: ObjectID("toy", .post, native), kind: .post)
            object.text = "number \(number)"
            event.data.object = object
        }
        return event
    }

    private func cursor(after number: Int) -> Cursor {
        if fault == .hugeCursor {
            return Cursor(
                bytes: [UInt8](repeating: 0x20, count: Cursor.maximumSize) + Array("{\"after\":\(number)}".utf8)
            )
        }
        return .json { $0.member("after", number) }
    }
}

/// What the toy platform answers: three numbers a page up to ten, and a stream of digits up to nine.
func toyPlatform(_ request: HTTPClientRequest) -> String? {
    guard let equals = request.url.lastIndex(of: "="), let after = Int(request.url[request.url.index(after: equals)...])
    else { return nil }
    if request.url.contains("/stream") {
        return after < 9 ? (after + 1...9).map { "\($0)\n" }.joined() : ""
    }
    let numbers = after < 10 ? Array(after + 1...min(after + 3, 10)) : []
    let items = numbers.map(String.init).joined(separator: ",")
    return "{\"items\":[\(items)],\"more\":\((numbers.last ?? 10) < 10)}"
}
