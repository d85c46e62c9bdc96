import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// Lists of media, and of conversations: media, stories, tags, hashtags, messages.

extension InstagramPulling {
    /// The next step of the lists that a source reads in turn.
    func lists(_ cursor: inout InstagramCursor) async throws -> PullPage {
        var harvest = Harvest()
        keepLists(&cursor)
        let position = min(cursor.turn, cursor.lists.count - 1)
        if cursor.lists[position].round == nil {
            let known = cursor.user
            try await findAccount(&cursor)
            if cursor.lists.isEmpty { keepLists(&cursor) }
            if known != nil, known != cursor.user { return harvest.page(cursor, hasMore: true) }
            if configuration.kind == .hashtag {
                switch try await admit(&cursor, position, &harvest) {
                case .known: break
                // Told before anything is asked for, lest a failure swallow it.
                case .counted: return harvest.page(cursor, hasMore: true)
                case .refused(let until): return advance(&cursor, harvest, waiting: until)
                }
            }
            cursor.lists[position].begin(now)
        }
        var list = cursor.lists[position]
        if list.round?.isRead != true {
            try await readPage(&list, user: cursor.user ?? configuration.user, &harvest)
        } else if !list.missing.isEmpty {
            try await askAfterMissing(&list, namespace: "media", &harvest)
        } else {
            try await readInsights(&list, &harvest)
        }
        let isDone = list.round?.isRead == true && list.missing.isEmpty && due(list).isEmpty
        if isDone { list.complete() }
        cursor.lists[position] = list
        return isDone ? advance(&cursor, harvest) : harvest.page(cursor, hasMore: true)
    }

    /// Goes on with the next list; after the last one nothing waits.
    private func advance(_ cursor: inout InstagramCursor, _ harvest: Harvest, waiting: Timestamp? = nil) -> PullPage {
        var harvest = harvest
        cursor.turn += 1
        let hasMore = cursor.turn < cursor.lists.count
        if !hasMore {
            cursor.turn = 0
            // Where nothing at all can be read there is no use in asking before.
            if cursor.lists.allSatisfy(\.isRefused), let waiting { harvest.notBefore = waiting }
        }
        return harvest.page(cursor, hasMore: hasMore)
    }

    /// Keeps the lists in step with the configuration.
    private func keepLists(_ cursor: inout InstagramCursor) {
        let names = configuration.kind == .hashtag ? configuration.hashtags : [""]
        guard cursor.lists.map(\.name) != names else { return }
        let known = cursor.lists
        let from = now.advanced(by: .zero - configuration.history)
        cursor.lists = names.map { name in known.first { $0.name == name } ?? InstagramList(name: name, from: from) }
        cursor.turn = 0
    }

    // MARK: - Pages

    private func readPage(_ list: inout InstagramList, user: String, _ harvest: inout Harvest) async throws {
        if let round = list.round, round.begun.duration(to: now) > Self.longestRound { list.begin(now) }
        let after = list.round?.after
        let kind = configuration.kind
        let request = InstagramAPI.list(kind, of: list.node ?? user, user: user, after: after)
        let answer: GraphAnswer
        do {
            answer = try await client.fetch(request)
        } catch let error as ConnectorError where error.code == .rejected && after != nil {
            // The place is forgotten; from the start nothing is lost, since what this round told does not end the next.
            let restarts = (list.round?.restarts ?? 0) + 1
            guard restarts <= Self.mostRestarts else {
                harvest.gaps.append(gap(list, error.message))
                return list.endReading(isWhole: false, askingAfter: nil)
            }
            list.begin(now)
            list.round?.restarts = restarts
            return
        }
        harvest.notBefore = answer.notBefore
        var hasNews = false
        var count = 0
        var read = list
        let paging = try answer.readList(asked: request, baseURL: client.baseURL) { elements in
            for element in elements {
                count += 1
                let isNews =
                    kind == .messages
                    ? takeConversation(element, &read, user: user, &harvest) : takeMedia(element, &read, &harvest)
                hasNews = hasNews || isNews
            }
        }
        list = read
        list.round?.pages += 1
        let pages = list.round?.pages ?? 0
        guard paging.next != nil, hasNews || count == 0 else {
            return list.endReading(isWhole: paging.next == nil, askingAfter: watched)
        }
        guard let next = paging.after, next != after, pages < Self.mostPages else {
            let why = pages < Self.mostPages ? "a page names itself as the next one" : "too many pages"
            harvest.gaps.append(gap(list, why))
            return list.endReading(isWhole: false, askingAfter: watched)
        }
        list.round?.after = next
    }

    /// What is missing from the list and newer than this was withdrawn; `nil` where elements leave it for other reasons.
    private var watched: Int64? {
        switch configuration.kind {
        case .media: .min
        case .stories: now.advanced(by: .zero - Self.storyEnd).milliseconds / 1000
        default: nil
        }
    }

    private func gap(_ list: InstagramList, _ why: String) -> GapReport {
        let before = list.round?.oldest.map { Timestamp(seconds: $0) }
        let key = "round-\(list.name)-\(list.round?.begun.milliseconds ?? 0)"
        return .opened(key: key, Gap(after: list.from, before: before, reason: "what is older was not read: \(why)"))
    }

    /// Takes in a media of a page; tells whether it may not be the last that is new.
    private func takeMedia(_ element: JSONValue, _ list: inout InstagramList, _ harvest: inout Harvest) -> Bool {
        guard let id = InstagramValue.native(element["id"]) else {
            harvest.events.append(unnamed(element))
            return false
        }
        let time = (element["timestamp"].flatMap(MetaTime.read) ?? now).milliseconds / 1000
        list.reach(time)
        // Those who search may see a caption in several forms.
        let digest = configuration.kind == .hashtag ? nil : InstagramValue.digest(of: element["caption"])
        let verdict = list.note(id, digest: digest, time: time)
        switch verdict {
        case .known, .old: return false
        case .knownSince: return true
        case .new: read(element, form: "media", into: &harvest) { value throws(JSONError) in try event(value, list) }
        case .edited(let revision):
            read(element, form: "media", into: &harvest) { value throws(JSONError) in
                updated(try event(value, list), revision: revision)
            }
        }
        return true
    }

    private func event(_ element: JSONValue, _ list: InstagramList) throws(JSONError) -> Event {
        var event = try normalizer.media(element, as: configuration.kind == .stories ? .story : nil)
        switch configuration.kind {
        case .hashtag:
            if let node = list.node {
                let url = "https://www.instagram.com/explore/tags/\(list.name.percentEncoded)/"
                event.data.channel = Channel(
                    id: ObjectID(InstagramNormalizer.platform, "hashtag", node),
                    name: list.name,
                    url: url
                )
            }
            event.data.matched = [Match(name: "hashtag", tags: [list.name])]
        case .tags: event.data.matched = [Match(name: "tags")]
        default: break
        }
        return event
    }

    /// Takes in the newest messages of a conversation.
    private func takeConversation(
        _ element: JSONValue,
        _ list: inout InstagramList,
        user: String,
        _ harvest: inout Harvest
    ) -> Bool {
        guard let conversation = InstagramValue.native(element["id"]) else {
            harvest.events.append(unnamed(element))
            return false
        }
        var hasNews = false
        var hasKnown = false
        var oldest: Timestamp?
        for message in InstagramValue.list(element["messages"]?["data"]) {
            guard let id = InstagramValue.native(message["id"]) else {
                harvest.events.append(unnamed(message))
                continue
            }
            let time = message["created_time"].flatMap(MetaTime.read) ?? now
            oldest = min(oldest ?? time, time)
            switch list.note(id, digest: nil, time: time.milliseconds / 1000) {
            case .new:
                hasNews = true
                read(message, form: "message", into: &harvest) { value throws(JSONError) in
                    try normalizer.graphMessage(value, account: user)
                }
            case .knownSince: hasNews = true
            case .known, .old, .edited: hasKnown = true
            }
        }
        if hasNews, !hasKnown, element["messages"]?["paging"]?["next"] != nil, let oldest {
            let why = "a conversation has more new messages than come with it"
            let gap = Gap(after: list.from, before: oldest, reason: why)
            harvest.gaps.append(.opened(key: "conversation-\(conversation)-\(oldest.milliseconds)", gap))
        }
        return hasNews
    }

    // MARK: - Hashtags

    /// Sees to it that a hashtag may be asked for, and finds its id.
    ///
    /// - Returns: `known` where it may; a hashtag that Instagram does not have is refused for an hour.
    private func admit(
        _ cursor: inout InstagramCursor,
        _ position: Int,
        _ harvest: inout Harvest
    ) async throws -> InstagramHashtagBudget.Admission {
        let name = cursor.lists[position].name
        let user = cursor.user ?? configuration.user
        let admission = try await InstagramHashtagBudget(account: context.account).admit(name, now: now)
        switch admission {
        case .known: break
        case .counted(let used, let freeAt):
            harvest.events.append(normalizer.hashtagBudget(name, used: used, freeAt: freeAt, user: user))
            return admission
        case .refused(let until):
            let most = InstagramHashtagBudget.most
            let words = "the account has asked for \(most) different hashtags in 7 days; the next is free at \(until)"
            leaveOut(&cursor.lists[position], words, &harvest)
            return admission
        }
        if cursor.lists[position].node == nil {
            do {
                let answer = try await client.fetch(InstagramAPI.hashtag(name, user: user))
                cursor.lists[position].node = try answer.read { root in
                    InstagramValue.native(try root.requiredArray("data").first { _ in true }?["id"])
                }
            } catch let error as ConnectorError where error.code == .rejected {
                leaveOut(&cursor.lists[position], error.message, &harvest)
                return .refused(until: now.advanced(by: Self.longPause))
            }
        }
        guard cursor.lists[position].node != nil else {
            leaveOut(&cursor.lists[position], "Instagram knows no such hashtag", &harvest)
            return .refused(until: now.advanced(by: Self.longPause))
        }
        cursor.lists[position].isRefused = false
        return .known
    }

    /// Tells, once, that a hashtag is not read.
    private func leaveOut(_ list: inout InstagramList, _ why: String, _ harvest: inout Harvest) {
        defer { list.isRefused = true }
        guard !list.isRefused else { return }
        let gap = Gap(after: now, reason: "the hashtag \(list.name) is not read: \(why)")
        harvest.gaps.append(.opened(key: "hashtag-\(list.name)-\(now.milliseconds)", gap))
    }

    // MARK: - The end of a story

    /// A story lives 24 hours, and so do its counts.
    private static let storyEnd = Duration.seconds(23 * 3600)

    /// The stories near their end whose counts were not read.
    private func due(_ list: InstagramList) -> [String] {
        guard configuration.kind == .stories else { return [] }
        let latest = now.advanced(by: .zero - Self.storyEnd).milliseconds / 1000
        return list.items.filter { $0.time <= latest && !$0.marks.contains(.counted) }.map(\.id)
    }

    private func readInsights(_ list: inout InstagramList, _ harvest: inout Harvest) async throws {
        for (count, id) in due(list).prefix(Self.mostQuestions).enumerated() {
            do {
                let answer = try await client.fetch(InstagramAPI.storyInsights(id))
                let story = ObjectID(InstagramNormalizer.platform, "media", id)
                if let event = try answer.read({ normalizer.insights($0, of: story) }) { harvest.events.append(event) }
            } catch let error as ConnectorError {
                // Code 10 says that too few have seen it, or that a permission lacks; what is gone or refused has no counts either.
                let isFinal = error.graph?.code == 10 || error.code == .rejected || error.code == .malformed
                guard isFinal else {
                    guard count > 0 else { throw error }
                    return
                }
                if let letter = error.deadLetter { harvest.deadLetters.append(letter) }
                if error.graph?.code == 10 { harvest.events.append(normalizer.noInsights(of: id)) }
            }
            list.mark(id, .counted)
        }
    }
}
