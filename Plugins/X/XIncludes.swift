import JSON

/// What a payload includes beside its posts: the people, posts, media and polls that these name by id.
///
/// Both spellings are read, `tweets` and `posts`.
struct XIncludes {
    private var users: JSONValue?
    private var posts: JSONValue?
    private var media: JSONValue?
    private var polls: JSONValue?
    private var failures: JSONValue?

    /// Nothing included.
    init() {}

    /// What stands in a payload's `includes`, and in its `errors`, which say what could not be included.
    init(_ includes: JSONValue?, errors: JSONValue? = nil) {
        failures = errors
        guard let includes else { return }
        for (key, value) in includes.members {
            switch key {
            case "users": users = value
            case "tweets", "posts": posts = value
            case "media": media = value
            case "polls": polls = value
            default: break
            }
        }
    }

    /// The person of an id; some payloads wrap people into `data`.
    func user(_ id: JSONValue) -> JSONValue? {
        guard let users else { return nil }
        for user in users.elements {
            if let own = user["id"] {
                if own.isSameString(as: id) { return user }
            } else if let wrapped = user["data"], wrapped["id"]?.isSameString(as: id) == true {
                return wrapped
            }
        }
        return nil
    }

    /// The post of an id.
    func post(_ id: JSONValue) -> JSONValue? { Self.find(id, "id", in: posts) }

    /// The piece of media of a key.
    func media(_ key: JSONValue) -> JSONValue? { Self.find(key, "media_key", in: media) }

    /// The poll of an id.
    func poll(_ id: JSONValue) -> JSONValue? { Self.find(id, "id", in: polls) }

    /// Why a post could not be included: the last part of the problem's type, such as `not-authorized-for-resource`.
    func failure(_ id: JSONValue) -> String? {
        guard let failures else { return nil }
        for failure in failures.elements where failure["resource_id"]?.isSameString(as: id) == true {
            return XProblem.kind(of: failure["type"]) ?? failure["title"]?.string.map { String($0.prefix(80)) }
        }
        return nil
    }

    private static func find(_ id: JSONValue, _ key: StaticString, in list: JSONValue?) -> JSONValue? {
        guard let list else { return nil }
        for element in list.elements where element[key]?.isSameString(as: id) == true { return element }
        return nil
    }
}
