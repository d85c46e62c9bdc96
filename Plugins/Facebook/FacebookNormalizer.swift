import JSON
package import MetaGraph
package import SocialEvents

/// Makes events of what Facebook tells of Pages: notices of webhooks, and objects of the Graph API.
///
/// Pure.
package struct FacebookNormalizer: Sendable {
    static let platform: Platform = "facebook"

    /// When the payload was read: the time of counts, and of facts that say no time.
    package var now: Timestamp

    /// A normaliser.
    package init(now: Timestamp) {
        self.now = now
    }

    /// The facts of a notice; what is none becomes `social.unrecognised`.
    ///
    /// - Parameters:
    ///   - notice: the notice.
    ///   - intake: takes the events.
    /// - Throws: `JSONError` when the notice is of a known kind and lacks what it must have.
    package func read(_ notice: MetaNotice, into intake: inout MetaIntake) throws {
        let before = intake.events.count
        switch notice.kind {
        case .messaging, .standby: try readMessaging(notice, into: &intake.events)
        case .change where notice.object?.isString("page") != false: try readChange(notice, into: &intake.events)
        case .change: break
        case .other: readObject(notice.value, into: &intake)
        }
        if intake.events.count == before { intake.events.append(notice.unrecognised(Self.platform, now: now)) }
    }

    private func readChange(_ notice: MetaNotice, into events: inout [Event]) throws(JSONError) {
        guard notice.value.kind == .object else { return }
        if notice.isChange(of: "feed") {
            try readFeed(FacebookChange(notice, .feed), into: &events)
        } else if notice.isChange(of: "ratings") {
            try readFeed(FacebookChange(notice, .ratings), into: &events)
        } else if notice.isChange(of: "mention") {
            try readFeed(FacebookChange(notice, .mention), into: &events)
        }
    }

    /// A document that is no notice: an object of the Graph API, or a list of such.
    private func readObject(_ root: JSONValue, into intake: inout MetaIntake) {
        guard let data = root["data"], data.kind == .array else { return readItem(root, into: &intake) }
        for item in data.elements { readItem(item, into: &intake) }
    }

    private func readItem(_ item: JSONValue, into intake: inout MetaIntake) {
        guard item["created_time"] != nil, let id = item["id"] else { return }
        let isPost = item["status_type"] != nil || item["updated_time"] != nil || item["permalink_url"] != nil
        guard isPost, item["message"] != nil || item["story"] != nil || item["attachments"] != nil,
            id.withUTF8({ $0.contains(UInt8(ascii: "_")) }) == true
        else { return }
        intake.attempt(payload: { Self.bytes(of: item) }) { intake throws(JSONError) in
            intake.events.append(try post(item))
        }
    }

    /// A value as a document of its own.
    static func bytes(of value: JSONValue) -> [UInt8] {
        var writer = JSONWriter(reserving: 2048)
        value.write(into: &writer)
        return writer.bytes
    }
}
