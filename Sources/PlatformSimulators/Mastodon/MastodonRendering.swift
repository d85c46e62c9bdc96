import JSON

/// Writes a simulated server's objects as its API does.
extension MastodonWorld {
    /// A Status.
    ///
    /// - Parameters:
    ///   - status: what to write.
    ///   - strange: whether to add members that no documentation has.
    ///   - json: takes it.
    func write(_ status: Status, strange: Bool = false, into json: inout JSONWriter) {
        json.beginObject()
        writeID("id", status.id, into: &json)
        json.member("created_at", FeedDates.rfc3339(status.createdAt))
        if let key = status.repliesTo, let answered = statuses[key] {
            writeID("in_reply_to_id", answered.id, into: &json)
            writeID("in_reply_to_account_id", accountID(answered.person), into: &json)
        } else {
            json.key("in_reply_to_id")
            json.null()
            json.key("in_reply_to_account_id")
            json.null()
        }
        json.member("sensitive", !status.warning.isEmpty)
        json.member("spoiler_text", status.warning)
        json.member("visibility", status.visibility)
        json.key("language")
        if let language = status.phrase?.language { json.string(language) } else { json.null() }
        json.member("uri", uri(status))
        json.member("url", status.boosts == nil ? "\(page(status.person))/\(status.key)" : uri(status))
        json.member("replies_count", 0)
        json.member("reblogs_count", status.boosted)
        json.member("favourites_count", status.liked)
        if flavour == .mastodon { json.member("quotes_count", 0) }
        if flavour != .pixelfed {
            json.key("edited_at")
            if let at = status.editedAt { json.string(FeedDates.rfc3339(at)) } else { json.null() }
        }
        for name in ["favourited", "reblogged", "muted", "bookmarked", "pinned"] {
            json.key(name)
            json.bool(false)
        }
        json.member("content", status.phrase.map(html) ?? "")
        json.key("reblog")
        if let original = status.boosts.flatMap({ statuses[$0] }) {
            write(original, into: &json)
        } else {
            json.null()
        }
        json.key("account")
        writeAccount(status.person, into: &json)
        writeAttachments(status, into: &json)
        if strange {
            json.key("mood")
            json.beginObject()
            json.member("tide", "high")
            json.endObject()
            json.member("crate_count", 7)
        }
        json.endObject()
    }

    /// A Notification.
    func write(_ notification: Notification, strange: Bool = false, into json: inout JSONWriter) {
        json.beginObject()
        writeID("id", String(notification.key), into: &json)
        json.member("type", notification.type)
        json.member("created_at", FeedDates.rfc3339(notification.at))
        json.member("group_key", "ungrouped-\(notification.key)")
        json.key("account")
        writeAccount(notification.person, into: &json)
        if let status = notification.status.flatMap({ statuses[$0] }) {
            json.key("status")
            write(status, into: &json)
        }
        if strange { json.member("weather", "fog") }
        json.endObject()
    }

    /// An Account.
    func writeAccount(_ index: Int, into json: inout JSONWriter) {
        let person = people[index]
        json.beginObject()
        writeID("id", accountID(index), into: &json)
        json.member("username", person.handle)
        json.member("acct", acct(index))
        json.member("display_name", person.name)
        json.member("locked", false)
        json.member("bot", person.isBot)
        json.member("created_at", "2022-11-05T00:00:00.000Z")
        json.member("note", "<p>\(Self.escaped(person.bio))</p>")
        json.member("url", page(index))
        json.member("avatar", "https://files.\(host(index))/avatars/\(person.handle).png")
        json.member("followers_count", person.followers)
        json.member("following_count", 12)
        json.key("emojis")
        json.beginArray()
        json.endArray()
        json.endObject()
    }

    /// The id of a person's account.
    func accountID(_ person: Int) -> String { flavour.id((1_667_606_400_000 << 16) + person) }

    /// The person of an account's id.
    func person(_ id: String) -> Int? { people.indices.first { accountID($0) == id } }

    private func writeID(_ name: StaticString, _ id: String, into json: inout JSONWriter) {
        if flavour.writesNumbers, let number = Int(id) {
            json.member(name, number)
        } else {
            json.member(name, id)
        }
    }

    private func writeAttachments(_ status: Status, into json: inout JSONWriter) {
        json.key("media_attachments")
        json.beginArray()
        if status.hasMedia {
            json.beginObject()
            json.member("id", "1")
            json.member("type", "image")
            json.member("url", "https://files.harbour.example/media/\(status.key).jpg")
            json.member("preview_url", "https://files.harbour.example/media/\(status.key)-small.jpg")
            json.member("description", "A bowl of soup, steaming 🍲")
            json.endObject()
        }
        json.endArray()
        json.key("mentions")
        json.beginArray()
        for person in status.phrase?.mentions ?? [] {
            json.beginObject()
            writeID("id", accountID(person), into: &json)
            json.member("username", people[person].handle)
            json.member("url", page(person))
            json.member("acct", acct(person))
            json.endObject()
        }
        json.endArray()
        json.key("tags")
        json.beginArray()
        for tag in status.phrase?.hashtags ?? [] {
            json.beginObject()
            json.member("name", tag.lowercased())
            json.member("url", "https://harbour.example/tags/\(tag)")
            json.endObject()
        }
        json.endArray()
        json.key("emojis")
        json.beginArray()
        json.endArray()
        json.key("card")
        json.null()
        writeQuote(status, into: &json)
        json.key("poll")
        guard status.hasPoll else { return json.null() }
        json.beginObject()
        json.member("id", String(status.key))
        json.member("expires_at", FeedDates.rfc3339(status.createdAt + 86_400_000))
        json.member("expired", false)
        json.member("multiple", false)
        json.member("votes_count", 3)
        json.key("options")
        json.beginArray()
        for (title, votes) in [("Bread", 1), ("Soup", 2)] {
            json.beginObject()
            json.member("title", title)
            json.member("votes_count", votes)
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }

    private func writeQuote(_ status: Status, into json: inout JSONWriter) {
        guard flavour == .mastodon, let key = status.quotes else { return }
        json.key("quote")
        json.beginObject()
        if let quoted = statuses[key] {
            json.member("state", "accepted")
            json.key("quoted_status")
            write(quoted, into: &json)
        } else {
            json.member("state", "deleted")
            json.key("quoted_status")
            json.null()
        }
        json.endObject()
    }

    // MARK: - HTML

    /// A phrase as Mastodon marks it up.
    func html(_ phrase: Phrase) -> String {
        var html = "<p>"
        for part in phrase.parts {
            switch part {
            case .words(let words): html += Self.escaped(words)
            case .hashtag(let tag):
                html +=
                    "<a href=\"https://harbour.example/tags/\(Self.escaped(tag))\" class=\"mention hashtag\" rel=\"tag\">#<span>\(Self.escaped(tag))</span></a>"
            case .mention(let person):
                html +=
                    "<span class=\"h-card\" translate=\"no\"><a href=\"\(page(person))\" class=\"u-url mention\">@<span>\(people[person].handle)</span></a></span>"
            case .link(let url): html += Self.link(url)
            case .paragraph: html += "</p><p>"
            }
        }
        return html + "</p>"
    }

    /// A link whose scheme and end are hidden.
    private static func link(_ url: String) -> String {
        let bare = url.hasPrefix("https://") ? String(url.dropFirst(8)) : url
        return
            "<a href=\"\(escaped(url))\" target=\"_blank\" rel=\"nofollow noopener noreferrer\"><span class=\"invisible\">https://</span><span class=\"ellipsis\">\(escaped(String(bare.prefix(30))))</span><span class=\"invisible\">\(escaped(String(bare.dropFirst(30))))</span></a>"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
