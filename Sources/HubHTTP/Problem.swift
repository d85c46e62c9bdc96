import ConnectorKit
import HTTPTypes
import HubCore
import Hummingbird
import JSON
import Logging
import MessageBus
import NIOCore
import SocialEvents

/// An error answer after RFC 9457, `application/problem+json`.
struct Problem: Error, HTTPResponseError {
    let status: HTTPResponse.Status
    /// What kind of problem, as the end of `urn:roost:problem:…`; a program may branch on it.
    let kind: String
    /// What happened and how to mend it.
    let detail: String
    /// The request's parameter that is at fault.
    var parameter: String?
    /// For a position that was retained away: what is lost.
    var lost: ClosedRange<Sequence>?
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ kind: String, _ detail: String, parameter: String? = nil) {
        self.status = status
        self.kind = kind
        self.detail = detail
        self.parameter = parameter
    }

    /// What a bus said, as an answer.
    init(_ error: BusError) {
        switch error {
        case .positionLost(let lost):
            self.init(.gone, "position-lost", error.description, parameter: "after")
            self.lost = lost
        case .positionAhead:
            self.init(.conflict, "position-ahead", "\(error); was the log replaced or restored?", parameter: "after")
        case .closed, .full, .inUse, .unusable, .storage:
            self.init(.serviceUnavailable, "log-unavailable", error.description)
        }
    }

    /// What a command was refused with, as an answer.
    init(_ error: HubCommandError) {
        switch error {
        case .unknownSource: self.init(.notFound, "no-such-source", error.description)
        case .disabled: self.init(.conflict, "source-disabled", error.description)
        case .cannotReread: self.init(.conflict, "cannot-reread", error.description)
        case .stopping: self.init(.serviceUnavailable, "stopping", error.description)
        }
    }

    /// There is no parameter of that name.
    init(unknownParameter name: String, known: [String]) {
        let hint =
            NearestName.of(name, in: known).map { "did you mean `\($0)`?" }
            ?? "known are \(known.joined(separator: ", "))"
        let detail = "there is no parameter `\(name.prefix(60))`; \(hint)"
        self.init(.badRequest, "unknown-parameter", detail, parameter: name)
    }

    func response(from request: Request, context: some RequestContext) -> Response {
        var fields = headers
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json())))
    }

    func json() -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", "urn:roost:problem:\(kind)")
        json.member("title", status.reasonPhrase)
        json.member("status", status.code)
        json.member("detail", detail)
        json.member("parameter", parameter)
        if let lost {
            json.key("lost")
            json.beginObject()
            json.member("first", lost.lowerBound.description)
            json.member("last", lost.upperBound.description)
            json.endObject()
            json.member("next", lost.upperBound.description)
        }
        json.endObject()
        return json.bytes
    }
}

/// Turns whatever a handler throws into a ``Problem``, so that every error looks alike and none tells what is inside.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let problem: Problem
        do {
            return try await next(request, context)
        } catch let error as Problem {
            problem = error
        } catch let error as BusError {
            problem = Problem(error)
        } catch let error as HTTPError {
            problem = Problem(
                error.status,
                "http",
                error.body ?? "\(request.method.rawValue) \(request.uri.path): \(error.status.reasonPhrase)"
            )
        } catch is CancellationError {
            problem = Problem(.serviceUnavailable, "stopping", "the hub is stopping; try again in a moment")
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            problem = Problem(.internalServerError, "internal", "the hub failed to answer; its log says more")
        }
        return problem.response(from: request, context: context)
    }
}
