import Glibc
import JSON
import SocialEvents

/// Measures one core: from a stream payload of X to a filled event, from the event to JSON, and back.
func benchmarkEvents() -> [BenchmarkRow] {
    let payload = Array(XPayload.text.utf8)
    let parser = JSONParser()
    guard let event = try? parser.parse(payload, { try XPayload.event(from: $0) }), event.validate().isEmpty else {
        return [BenchmarkRow(name: "X payload to event", value: 0, unit: "events/s", bar: 250_000, note: "failed")]
    }
    let source = SourceName("acme-on-x")
    var writer = JSONWriter()
    EventEncoder.encodeBody(event, source: source, into: &writer)
    let body = writer.bytes
    let decoder = EventDecoder()
    let stamp = EventStamp(sequence: Sequence(42), recordedTime: event.time)
    var output: [UInt8] = []
    var checksum = 0

    let parsing = rate {
        if let count = try? parser.parse(payload, { $0.count }) { checksum &+= count }
    }
    let filling = rate {
        if let event = try? parser.parse(payload, { try XPayload.event(from: $0) }) {
            checksum &+= event.data.loss.count
        }
    }
    let encoding = rate {
        writer.removeAll()
        EventEncoder.encodeBody(event, source: source, into: &writer)
        checksum &+= writer.count
    }
    let decoding = rate {
        if let decoded = try? decoder.decodeBody(body) { checksum &+= decoded.event.data.loss.count }
    }
    let splicing = rate {
        output.removeAll(keepingCapacity: true)
        stamp.appendSpliced(body: body, into: &output)
        checksum &+= output.count
    }
    let validation = rate { checksum &+= event.validate().count }
    let sizes = "\(payload.count) bytes in, \(body.count) bytes out"
    return [
        BenchmarkRow(name: "X payload parsed, nothing read", value: parsing, unit: "payloads/s"),
        BenchmarkRow(name: "X payload to event", value: filling, unit: "events/s", bar: 250_000, note: sizes),
        BenchmarkRow(name: "event to JSON", value: encoding, unit: "events/s", bar: 500_000, note: "sum \(checksum)"),
        BenchmarkRow(name: "JSON to event", value: decoding, unit: "events/s"),
        BenchmarkRow(name: "stamp spliced before a body", value: splicing, unit: "events/s"),
        BenchmarkRow(name: "event checked", value: validation, unit: "events/s"),
    ]
}

/// How often `work` runs in a second of this thread's CPU time, which other processes do not take from: the median of
/// seven rounds.
private func rate(_ work: () -> Void) -> Double {
    let repetitions = 40_000
    let rates = (0..<7).map { _ in
        let start = threadSeconds()
        for _ in 0..<repetitions { work() }
        return Double(repetitions) / (threadSeconds() - start)
    }
    return rates.sorted()[rates.count / 2]
}

private func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// A message of X's filtered stream, and a compact reading of it that leaves none of the usual fields out.
private enum XPayload {
    static func event(from root: JSONValue) throws(JSONError) -> Event {
        let post = try root.requiredObject("data")
        let created = try time(post, "created_at")
        let id = try ObjectID("x", .post, in: post, "id")
        let author = try ObjectID("x", "actor", in: post, "author_id")
        var event = Event(id: EventID(id, .created), type: .postCreated, platform: "x", subject: id, time: created)
        event.data.object = try object(id, from: post, createdAt: created)
        event.data.conversation = try ObjectID("x", "conversation", in: post, "conversation_id")
        event.data.metrics = try metrics(post, observedAt: created)
        if let users = try root.optionalObject("includes")?.optionalArray("users") {
            for user in users where try ObjectID("x", "actor", in: user, "id") == author {
                event.data.actor = try actor(author, from: user)
                break
            }
        }
        if let references = try post.optionalArray("referenced_tweets") {
            for reference in references {
                let target = Reference(id: try ObjectID("x", .post, in: reference, "id"))
                if reference["type"]?.isString("replied_to") == true { event.data.inReplyTo = target }
                if reference["type"]?.isString("quoted") == true { event.data.quoteOf = target }
            }
        }
        for rule in try root.requiredArray("matching_rules") {
            event.data.matched.append(
                Match(name: try rule.requiredString("id"), tags: try rule.optionalString("tag").map { [$0] } ?? [])
            )
        }
        if post["geo"] != nil { event.data.loss = [Loss("data.geo", .dropped)] }
        return event
    }

    private static func object(
        _ id: ObjectID,
        from post: JSONValue,
        createdAt: Timestamp
    ) throws(JSONError) -> SocialObject {
        var object = SocialObject(id: id, kind: .reply)
        object.createdAt = createdAt
        object.text = try post.requiredString("text")
        object.language = try post.optionalString("lang")
        object.isSensitive = try post.optionalBool("possibly_sensitive") ?? false
        object.audience = .public
        guard let entities = post["entities"] else { return object }
        object.entities.reserveCapacity(8)
        if let tags = try entities.optionalArray("hashtags") {
            for tag in tags { object.entities.append(try entity(.hashtag, tag, value: tag.requiredString("tag"))) }
        }
        if let mentions = try entities.optionalArray("mentions") {
            for mention in mentions {
                let person = try ObjectID("x", "actor", in: mention, "id")
                object.entities.append(
                    try entity(.mention, mention, value: mention.requiredString("username"), actor: person)
                )
            }
        }
        if let links = try entities.optionalArray("urls") {
            for link in links {
                let url = try link.optionalString("expanded_url")
                object.entities.append(try entity(.link, link, value: link.requiredString("display_url"), url: url))
            }
        }
        return object
    }

    private static func entity(
        _ kind: Entity.Kind,
        _ json: JSONValue,
        value: String,
        url: String? = nil,
        actor: ObjectID? = nil
    ) throws(JSONError) -> Entity {
        let start = try json.requiredInt("start")
        return Entity(kind, start: start, end: try json.requiredInt("end"), value: value, url: url, actor: actor)
    }

    private static func actor(_ id: ObjectID, from user: JSONValue) throws(JSONError) -> Actor {
        var actor = Actor(id: id)
        actor.handle = try user.requiredString("username")
        actor.name = try user.optionalString("name")
        actor.url = try user.optionalString("url")
        actor.avatarURL = try user.optionalString("profile_image_url")
        actor.isVerified = try user.optionalBool("verified")
        actor.followerCount = try user["public_metrics"]?.optionalInt("followers_count")
        return actor
    }

    private static func metrics(_ post: JSONValue, observedAt: Timestamp) throws(JSONError) -> Metrics? {
        guard let counts = post["public_metrics"] else { return nil }
        var metrics = Metrics(observedAt: observedAt)
        metrics.likes = try counts.optionalInt("like_count")
        metrics.reposts = try counts.optionalInt("retweet_count")
        metrics.replies = try counts.optionalInt("reply_count")
        metrics.quotes = try counts.optionalInt("quote_count")
        metrics.bookmarks = try counts.optionalInt("bookmark_count")
        metrics.views = try counts.optionalInt("impression_count")
        return metrics
    }

    private static func time(_ json: JSONValue, _ name: StaticString) throws(JSONError) -> Timestamp {
        guard let value = json[name], let time = value.withUTF8({ Timestamp(rfc3339: $0) }) ?? nil else {
            throw (json[name] ?? json).mismatch("an RFC 3339 time")
        }
        return time
    }

    static let text = #"""
        {"data":{"id":"1900000000000000001","text":"@acme_help bonjour 👋 déçu par #AcmeMobile: plus de réseau depuis ce matin \#
        à Lyon, et l'application affiche une erreur… Vous avez une idée ? https://t.co/AbCdEf0123 cc @zoe_martin #panne","created_at":\#
        "2026-03-01T08:30:00.000Z","author_id":"2244994945","conversation_id":"1899999999999999990","in_reply_to_user_id":\#
        "783214783214783214","lang":"fr","possibly_sensitive":false,"reply_settings":"everyone","edit_history_tweet_ids":\#
        ["1900000000000000001"],"edit_controls":{"edits_remaining":5,"is_edit_eligible":true,"editable_until":\#
        "2026-03-01T09:30:00.000Z"},"public_metrics":{"retweet_count":3,"reply_count":2,"like_count":17,"quote_count":1,\#
        "bookmark_count":4,"impression_count":2381},"entities":{"hashtags":[{"start":30,"end":41,"tag":"AcmeMobile"},\#
        {"start":179,"end":185,"tag":"panne"}],"mentions":[{"start":0,"end":10,"username":"acme_help","id":"783214783214783214"},\#
        {"start":167,"end":178,"username":"zoe_martin","id":"1350123456789012345"}],"urls":[{"start":140,"end":163,"url":\#
        "https://t.co/AbCdEf0123","expanded_url":"https://example.org/forum/topics/pas-de-reseau-a-lyon?page=2",\#
        "display_url":"example.org/forum/topics/p…","status":200,"title":"Pas de réseau à Lyon","description":\#
        "Sujet ouvert par plusieurs clients","unwound_url":"https://example.org/forum/topics/pas-de-reseau-a-lyon?page=2"}],\#
        "annotations":[{"start":76,"end":79,"probability":0.9411,"type":"Place","normalized_text":"Lyon"}]},\#
        "referenced_tweets":[{"type":"replied_to","id":"1899999999999999990"}],"context_annotations":[{"domain":{"id":"46",\#
        "name":"Business Taxonomy","description":"Categories within Brand Verticals that narrow down the scope of Brands"},\#
        "entity":{"id":"1557697121477832705","name":"Telecommunications"}}],"geo":{"place_id":"09f6a7707f18e0b1"}},\#
        "includes":{"users":[{"id":"2244994945","name":"Camille Rousseau","username":"camille_rousseau","created_at":\#
        "2013-12-14T04:35:55.000Z","description":"Lyon. Vélo, photo, et un peu de râleries. Les avis sont les miens, \#
        les fautes aussi. Ici depuis 2013, sans robot ni programme. 🚲📷","url":"https://t.co/camille0001",\#
        "profile_image_url":"https://pbs.twimg.com/profile_images/1683899100922511378/5lY42eHs_normal.jpg","verified":false,\#
        "protected":false,"public_metrics":{"followers_count":1482,"following_count":731,"tweet_count":9120,"listed_count":12}},\#
        {"id":"783214783214783214","name":"Acme Aide","username":"acme_help","created_at":"2010-02-20T14:35:54.000Z",\#
        "profile_image_url":"https://pbs.twimg.com/profile_images/1683325380441128960/yRsRRjGO_normal.jpg","verified":true,\#
        "protected":false,"public_metrics":{"followers_count":98211,"following_count":15,"tweet_count":204113,"listed_count":310}}]},\#
        "matching_rules":[{"id":"1700000000000000001","tag":"acme care"},{"id":"1700000000000000002","tag":"french"}]}
        """#
}
