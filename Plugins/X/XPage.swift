import ConnectorKit
import JSON
import SocialEvents

/// A page of posts, read.
struct XPage: Sendable {
    /// The facts, oldest first: X gives the newest first.
    var events: [Event] = []
    /// The newest id on the page, as X says it.
    var newest: String?
    /// The oldest id on the page.
    var oldest: String?
    /// The versions of edited posts.
    var edits: [XEdit] = []
    /// The next page.
    var next: String?
    /// How many posts the page has.
    var count = 0
    /// What X bills: the resources of the answer.
    var reads = XReads()

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - body: the answer.
    ///   - what: what was asked for, in words for an error.
    ///   - now: the time of reading.
    ///   - matched: what selected the posts.
    /// - Throws: ``XRefusal`` when X says, with status 200, why it gives nothing; ``ConnectorError`` `malformed` with the body when it is no answer at all.
    init(_ body: [UInt8], what: String, now: Timestamp, matched: [Match] = []) throws {
        do {
            try JSONParser().parse(body) { root in
                let root = try root.expectObject()
                let meta = root["meta"]
                guard root["data"]?.kind == .array || meta != nil else {
                    guard let problem = XProblem(root) else { throw root.mismatch("a page of posts") }
                    throw XRefusal(error: .inAnswer(problem, what: what), problem: problem, status: 200)
                }
                var normalizer = XNormalizer(now: now)
                normalizer.readPosts(root, matched: matched, oldestFirst: true, into: &events)
                edits = normalizer.edits
                newest = meta?["newest_id"]?.string ?? root["data"]?[0]?["id"]?.string
                oldest = meta?["oldest_id"]?.string ?? Self.last(root["data"])?["id"]?.string
                next = meta?["next_token"]?.string
                count = root["data"]?.count ?? 0
                reads.add(root)
            }
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: body, what: what)
        }
    }

    private static func last(_ data: JSONValue?) -> JSONValue? {
        guard let data, data.kind == .array, data.count > 0 else { return nil }
        return data[data.count - 1]
    }
}

/// The resources that X bills: each once a UTC day, which the quota sees to.
struct XReads: Sendable {
    /// Posts, those included too.
    var posts: [String] = []
    /// People.
    var users: [String] = []

    /// Adds what a payload holds.
    mutating func add(_ root: JSONValue) {
        if let data = root["data"] {
            if data.kind == .array {
                Self.collect(data, &posts)
            } else if let id = data["id"]?.string {
                posts.append(id)
            }
        }
        guard let includes = root["includes"] else { return }
        for (key, list) in includes.members {
            switch key {
            case "tweets", "posts": Self.collect(list, &posts)
            case "users": Self.collect(list, &users)
            default: break
            }
        }
    }

    private static func collect(_ list: JSONValue, _ ids: inout [String]) {
        for element in list.elements {
            if let id = element["id"]?.string { ids.append(id) }
        }
    }

    /// Bills them.
    func bill(_ quota: Quota) {
        if !posts.isEmpty { quota.reads("post", ids: posts) }
        if !users.isEmpty { quota.reads("user", ids: users) }
    }
}
