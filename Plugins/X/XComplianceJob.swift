package import ConnectorKit
import HTTPTypes
import JSON
package import SocialEvents

/// A batch job at X that asks which of the posts or accounts that are retained must be forgotten.
///
/// The pure part: requests as values and what their answers mean. A job is made, the ids are uploaded to where X says, one a line, X is asked until the job
/// is complete, and the results are downloaded, which name only ids with something to tell. Upload and download addresses are signed and take no credentials.
package struct XComplianceJob: Sendable, Hashable {
    /// What the ids name.
    package enum Subject: String, Sendable {
        /// Posts.
        case tweets
        /// Accounts.
        case users
    }

    /// How far a job has come.
    package enum Status: String, Sendable {
        /// Made; it waits for its ids.
        case created
        /// Being worked on.
        case inProgress = "in_progress"
        /// Its results can be downloaded.
        case complete
        /// It came to nothing.
        case failed
        /// Its addresses are no longer good.
        case expired
    }

    /// Its id.
    package var id: String
    /// How far it has come; a state that is not known counts as being worked on.
    package var status: Status
    /// Where its ids go.
    package var uploadURL: String?
    /// Where its results are.
    package var downloadURL: String?

    /// Ids that one job takes.
    package static let mostIDs = 10_000_000

    /// Reads the answer that describes a job.
    package init(_ body: [UInt8]) throws {
        self = try JSONParser().parse(body) { root in
            let data = try root.requiredObject("data")
            return XComplianceJob(
                id: try data.requiredString("id"),
                status: data["status"]?.string.flatMap(Status.init(rawValue:)) ?? .inProgress,
                uploadURL: XValue.address(data["upload_url"]),
                downloadURL: XValue.address(data["download_url"])
            )
        }
    }

    private init(id: String, status: Status, uploadURL: String?, downloadURL: String?) {
        self.id = id
        self.status = status
        self.uploadURL = uploadURL
        self.downloadURL = downloadURL
    }

    // MARK: - Requests

    /// Makes a job.
    static func create(_ subject: Subject, name: String?) -> XRequest {
        XRequest(
            method: .post,
            path: "/2/compliance/jobs",
            body: XAPI.json { writer in
                writer.member("type", subject.rawValue)
                writer.member("name", name.map { String($0.prefix(64)) })
            },
            bucket: "compliance-jobs",
            what: "the compliance job"
        )
    }

    /// Asks how far a job has come.
    static func state(of id: String) -> XRequest {
        XRequest(path: "/2/compliance/jobs/\(id.percentEncoded)", bucket: "compliance-jobs", what: "the compliance job")
    }

    /// The request that uploads ids; sent as it is, without credentials.
    package func upload(_ ids: some Swift.Sequence<String>) -> HTTPClientRequest? {
        guard let uploadURL else { return nil }
        var request = HTTPClientRequest(.put, uploadURL)
        request.headers[.contentType] = "text/plain"
        for id in ids {
            request.body += Array(id.utf8)
            request.body.append(UInt8(ascii: "\n"))
        }
        return request
    }

    /// The request that downloads the results; sent as it is, without credentials.
    package var download: HTTPClientRequest? { downloadURL.map { HTTPClientRequest(.get, $0) } }

    /// The native id of a post or an account, for a job over what is retained; `nil` for what is of another platform.
    package static func nativeID(_ id: ObjectID, _ subject: Subject) -> String? {
        let prefix = subject == .tweets ? "x:post:" : "x:actor:"
        guard id.text.hasPrefix(prefix) else { return nil }
        return String(id.text.dropFirst(prefix.count))
    }

    // MARK: - Results

    /// The facts of a result file, one JSON object a line: `{"id", "action", "reason", "redacted_at"}`.
    ///
    /// - Parameters:
    ///   - results: the file.
    ///   - subject: what the job was about.
    ///   - now: the time of reading.
    /// - Returns: for each post a withdrawal, for each account a notice; lines that cannot be read become dead letters.
    package static func events(of results: [UInt8], _ subject: Subject, now: Timestamp) -> EventBatch {
        var batch = EventBatch()
        let parser = JSONParser(maximumSize: 64 << 10)
        let normalizer = XNormalizer(now: now)
        for line in results.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            do {
                try parser.parse(line) { batch.events.append(try normalizer.jobResult($0, subject)) }
            } catch {
                let reason =
                    "the compliance job: \((error as? JSONError)?.description ?? "a result that cannot be read")"
                batch.deadLetters.append(
                    DeadLetter(reason: reason, contentType: "application/json", payload: Array(line))
                )
            }
        }
        return batch
    }
}

extension XNormalizer {
    /// The fact of one line of a batch job's results.
    func jobResult(_ value: JSONValue, _ subject: XComplianceJob.Subject) throws(JSONError) -> Event {
        let id = try value.requiredString("id")
        let time = XValue.time(value["redacted_at"])
        let reason = String((value["reason"]?.string ?? "no reason given").prefix(200))
        if subject == .users {
            let fact = ObjectID(Self.platform, "account", id)
            let revision = Int(max(0, (time ?? now).milliseconds))
            let actor = ObjectID(Self.platform, "actor", id)
            var event = event(fact, .profileUpdated, revision: revision, subject: actor, at: time)
            event.data.actor = Actor(id: actor)
            event.data.loss.append(Loss("reason", .inferred, "the account's posts must not be shown: \(reason)"))
            return event
        }
        let isFinal = reason == "deleted"
        let revision = isFinal ? 0 : Int(max(0, (time ?? now).milliseconds))
        var event = event(ObjectID(Self.platform, "post", id), .postDeleted, revision: revision, at: time)
        if !isFinal { event.data.loss.append(Loss("reason", .inferred, "a withdrawal: \(reason)")) }
        return event
    }
}
