import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// What the events of all kinds of payloads have in common: ids, people, addresses.

extension FacebookNormalizer {
    /// The id of a post, `PAGE_POST`.
    static func postID(_ native: String) -> ObjectID { ObjectID(platform, .post, native) }

    /// The id of a comment, `POST_COMMENT`.
    static func commentID(_ native: String) -> ObjectID { ObjectID(platform, .comment, native) }

    /// The id of a person or Page.
    static func actorID(_ native: String) -> ObjectID { ObjectID(platform, "actor", native) }

    /// An event of which all but its data is known.
    func event(
        _ object: ObjectID,
        _ type: EventType,
        revision: Int = 0,
        subject: ObjectID? = nil,
        at time: Timestamp?
    ) -> Event {
        Event(
            type,
            of: object,
            on: Self.platform,
            revision: revision,
            subject: subject,
            at: time,
            readAt: now,
            saidBy: "created_time"
        )
    }

    /// Whole seconds, to tell one time from another; never negative.
    static func seconds(_ time: Timestamp?) -> Int { Int(max(0, time?.milliseconds ?? 0) / 1000) }

    /// Whole milliseconds, for times that are told in these; never negative.
    static func milliseconds(_ time: Timestamp?) -> Int { Int(max(0, time?.milliseconds ?? 0)) }

    /// Who wrote it, of an object of the Graph API; `nil` where it does not say.
    func author(_ value: JSONValue) -> Actor? {
        guard let from = value["from"] else { return nil }
        let name = MetaValue.phrase(from["name"])
        let id = MetaValue.objectID(Self.platform, "actor", from["id"])
        return id == nil && name == nil ? nil : Actor(id: id, name: name)
    }

    /// Notes a member that has no place in an event, a few of them.
    static func note(_ key: JSONKey, _ loss: inout [Loss]) {
        guard loss.count < 50 else { return }
        loss.append(Loss(String(key.string.prefix(100)), .dropped))
    }

    /// Where a person sees a post or comment: Facebook leads from either id to it.
    static func address(of native: String) -> String? {
        let isPlain = native.utf8.count <= 100 && native.utf8.allSatisfy { $0 == 0x5F || ($0 >= 0x30 && $0 <= 0x39) }
        return isPlain ? "https://www.facebook.com/\(native)" : nil
    }

    /// The Page as the place where something was said.
    static func channel(_ page: String?) -> Channel? {
        page.map { Channel(id: actorID($0)) }
    }

    /// A piece of media, where its address is one.
    static func media(_ kind: Media.Kind, _ url: JSONValue?) -> Media? {
        MetaValue.address(url).map { Media(kind, url: $0) }
    }

    /// The words' hashtags, links and mentions: those that Facebook marks, in UTF-16 units, and where it marks none, what can be seen.
    static func entities(of text: String, tags: JSONValue?, _ loss: inout [Loss]) -> [Entity] {
        var found = TextEntities.extract(from: text)
        guard let tags, tags.kind == .array || tags.kind == .object else { return found }
        let offsets = TextOffsets(text)
        var marked: [Entity] = []
        // Older versions have an object of lists by their offset.
        let lists: [JSONValue] = tags.kind == .array ? [tags] : tags.members.prefix(1000).map(\.value)
        for tag in lists.flatMap({ $0.elements.prefix(1000) }) {
            guard let start = tag["offset"]?.int, let length = tag["length"]?.int, length > 0, length <= 1 << 20,
                start >= 0, start <= 1 << 21, let range = offsets.range(from: start, to: start + length, in: .utf16)
            else {
                loss.append(Loss("message_tags", .dropped, "it is not within the words"))
                continue
            }
            var entity = Entity(.mention, start: range.lowerBound, end: range.upperBound)
            entity.value = MetaValue.phrase(tag["name"])
            entity.actor = MetaValue.id(tag["id"]).map(actorID)
            marked.append(entity)
        }
        guard !marked.isEmpty else { return found }
        marked.sort { ($0.start, $0.end) < ($1.start, $1.end) }
        var kept: [Entity] = []
        for entity in marked where entity.start >= (kept.last?.end ?? 0) { kept.append(entity) }
        found.removeAll { one in kept.contains { $0.start < one.end && one.start < $0.end } }
        return Array((kept + found).sorted { $0.start < $1.start }.prefix(EventLimits.entities))
    }
}
