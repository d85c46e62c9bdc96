package import JSON
package import SocialEvents

/// Makes events of what X sends: posts of the API v2, envelopes of the Activity API, compliance messages and the older forms of v1.1.
///
/// Pure but for what it remembers of rules. One value serves one stream or one request.
package struct XNormalizer {
    static let platform: Platform = "x"

    /// When the payload was read: the time of counts, and of facts that say no time.
    package var now: Timestamp
    var rules: XRuleBook
    /// The versions of edited posts in what was read; whoever keeps them takes them.
    var edits: [XEdit] = []

    /// A normaliser.
    ///
    /// - Parameters:
    ///   - now: when the payload is read.
    ///   - rules: what is known of the rules of a filtered stream.
    package init(now: Timestamp, rules: XRuleBook = XRuleBook()) {
        self.now = now
        self.rules = rules
    }

    // MARK: - Pages and streams of posts

    /// The posts of one payload of the API v2, whether one or many, before each repost the post that is passed on.
    ///
    /// A post that cannot be read becomes `social.unrecognised`, and the others go on.
    ///
    /// - Parameters:
    ///   - root: an object with `data`, `includes` and perhaps `matching_rules` and `errors`.
    ///   - matched: what selected them, where the payload does not say.
    ///   - oldestFirst: whether several are told from the last to the first, since pages begin with the newest.
    ///   - events: takes the events.
    package mutating func readPosts(
        _ root: JSONValue,
        matched: [Match] = [],
        oldestFirst: Bool = false,
        into events: inout [Event]
    ) {
        var data: JSONValue?
        var includes: JSONValue?
        var matching: JSONValue?
        var errors: JSONValue?
        for (key, value) in root.members {
            switch key {
            case "data": data = value
            case "includes": includes = value
            case "matching_rules": matching = value
            case "errors": errors = value
            default: break
            }
        }
        guard let data else { return }
        var (matches, hasOwn) = rules.matches(matching)
        guard hasOwn else { return }
        if matches.isEmpty { matches = matched }
        let included = XIncludes(includes, errors: errors)
        if data.kind == .array {
            events.reserveCapacity(events.count + data.count)
            if oldestFirst {
                for value in data.elements.reversed() { append(value, included, matches, to: &events) }
            } else {
                for value in data.elements { append(value, included, matches, to: &events) }
            }
        } else {
            append(data, included, matches, to: &events)
        }
    }

    /// Appends the event that a post is, or `social.unrecognised` where it cannot be read.
    mutating func append(
        _ value: JSONValue,
        _ includes: XIncludes,
        _ matched: [Match],
        isPassedOn: Bool = false,
        to events: inout [Event]
    ) {
        do throws(JSONError) {
            try post(value, includes, matched: matched, isPassedOn: isPassedOn, into: &events)
        } catch {
            events.append(unrecognised(value, why: error))
        }
    }

    // MARK: - Anything

    /// The facts of a payload of whatever kind; what is none becomes `social.unrecognised`, so that at least one event comes of each payload.
    ///
    /// - Parameters:
    ///   - root: the payload.
    ///   - events: takes the events.
    package mutating func read(_ root: JSONValue, into events: inout [Event]) {
        let before = events.count
        if root.kind == .array {
            for value in root.elements { readObject(value, into: &events) }
        } else {
            readObject(root, into: &events)
        }
        if events.count == before { events.append(unrecognised(root)) }
    }

    private mutating func readObject(_ root: JSONValue, into events: inout [Event]) {
        if let data = root["data"] {
            readData(data, root, into: &events)
        } else if root["id_str"] != nil, root["text"] ?? root["full_text"] != nil {
            readLegacyPost(root, into: &events)
        } else if root["event_type"] != nil, root["id"] != nil {
            readDirectMessage(root, XIncludes(), into: &events)
        } else if !readCompliance(root, into: &events) {
            readAccountActivity(root, into: &events)
        }
    }

    private mutating func readData(_ data: JSONValue, _ root: JSONValue, into events: inout [Event]) {
        let first = data.kind == .array ? data[0] : data
        guard let first else { return }
        if first["event_type"] != nil {
            if first["payload"] != nil {
                readActivity(data, into: &events)
            } else {
                let includes = XIncludes(root["includes"], errors: root["errors"])
                for value in data.kind == .array ? Array(data.elements) : [data] {
                    readDirectMessage(value, includes, into: &events)
                }
            }
        } else if first["text"] != nil, first["id"] != nil {
            readPosts(root, into: &events)
        } else {
            _ = readCompliance(data, into: &events)
        }
    }

    /// Appends the event that a closure makes of a value, or `social.unrecognised` where it cannot.
    func attempt(
        _ value: JSONValue,
        into events: inout [Event],
        _ make: (XNormalizer, JSONValue) throws -> Event?
    ) {
        do {
            events.append(try make(self, value) ?? unrecognised(value))
        } catch {
            // Nothing else is thrown by reading a payload.
            events.append(unrecognised(value, why: error as? JSONError))
        }
    }
}
