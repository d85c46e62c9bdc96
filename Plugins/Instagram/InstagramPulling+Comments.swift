import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// Comments on the account's newest media. Webhooks tell of new ones as they are written; a round sees what they never tell: edits, deletions, and what
// got lost on the way.

extension InstagramPulling {
    /// The next step of a round: a page of media with their newest comments, a further page of one media's, or questions after some that are missing.
    func comments(_ cursor: inout InstagramCursor) async throws -> PullPage {
        var harvest = Harvest()
        heard.forget(through: cursor.heard)
        cursor.heard = nil
        let isLong = cursor.round.map { $0.begun.duration(to: now) > Self.longestRound } ?? false
        if isLong, !cursor.isListed || isDeep(cursor) { begin(&cursor) }
        if cursor.round == nil {
            let known = cursor.user
            try await findAccount(&cursor)
            if known != nil, known != cursor.user { return harvest.page(cursor, hasMore: true) }
            begin(&cursor)
        }
        if !cursor.isListed {
            try await readMedia(&cursor, &harvest)
        } else if let index = cursor.lists.firstIndex(where: { $0.round?.after != nil }) {
            try await readFurther(&cursor.lists[index], &harvest)
        } else if let index = cursor.lists.firstIndex(where: { !$0.missing.isEmpty }) {
            try await askAfterMissing(&cursor.lists[index], namespace: "comment", &harvest)
        } else if let index = cursor.lists.firstIndex(where: { $0.round == nil }) {
            if try await isWatched(cursor.lists[index], &harvest) {
                // The round broke off before it came to it.
                cursor.lists[index].round = InstagramList.Round(begun: now, isRead: true)
            } else {
                cursor.lists.remove(at: index)
            }
        }
        let isDone =
            cursor.isListed
            && cursor.lists.allSatisfy { $0.round != nil && $0.missing.isEmpty && $0.round?.after == nil }
        if isDone { end(&cursor) }
        return harvest.page(cursor, hasMore: !isDone)
    }

    private func isDeep(_ cursor: InstagramCursor) -> Bool { cursor.lists.contains { $0.round?.after != nil } }

    private func begin(_ cursor: inout InstagramCursor) {
        cursor.round = InstagramList.Round(begun: now)
        cursor.isListed = false
        for index in cursor.lists.indices {
            cursor.lists[index].begin(now)
            cursor.lists[index].round = nil
        }
        let (comments, mark) = heard.all()
        guard !comments.isEmpty else { return }
        for (media, heard) in Dictionary(grouping: comments, by: \.media).sorted(by: { $0.key < $1.key }) {
            let index = position(of: media, &cursor)
            cursor.lists[index].hear(heard)
        }
        cursor.heard = mark
    }

    /// The place of a media's list, which is made where there is none.
    private func position(of media: String, _ cursor: inout InstagramCursor) -> Int {
        if let known = cursor.lists.firstIndex(where: { $0.name == media }) { return known }
        let start = cursor.round?.begun ?? now
        cursor.lists.append(InstagramList(name: media, from: start.advanced(by: .zero - configuration.history)))
        return cursor.lists.count - 1
    }

    /// Asks after a media that a round did not come to: whether it is still to be watched, or too old, or gone, and with it what was said below it.
    private func isWatched(_ list: InstagramList, _ harvest: inout Harvest) async throws -> Bool {
        guard !list.items.isEmpty else { return false }
        do {
            let made = try await checkExistence(of: list.name, &harvest)
            return made.map { $0 >= now.advanced(by: .zero - configuration.watch) } ?? false
        } catch let error as ConnectorError where error.code == .rejected {
            guard error.graph?.meaning == .gone else { return false }
            let platform = InstagramNormalizer.platform
            for item in list.items {
                let comment = ObjectID(platform, "comment", item.id)
                harvest.events.append(normalizer.event(comment, .postDeleted, at: nil))
            }
            harvest.events.append(normalizer.event(ObjectID(platform, "media", list.name), .postDeleted, at: nil))
            return false
        }
    }

    /// Ends a round.
    private func end(_ cursor: inout InstagramCursor) {
        for index in cursor.lists.indices { cursor.lists[index].complete(most: .max) }
        cursor.round = nil
        cursor.isListed = false
    }

    // MARK: - Pages

    /// A page of media, each with its newest comments and the answers to them.
    private func readMedia(_ cursor: inout InstagramCursor, _ harvest: inout Harvest) async throws {
        let user = cursor.user ?? configuration.user
        let after = cursor.round?.after
        let request = InstagramAPI.list(.comments, of: user, user: user, after: after)
        let answer: GraphAnswer
        do {
            answer = try await client.fetch(request)
        } catch let error as ConnectorError where error.code == .rejected && after != nil {
            let restarts = (cursor.round?.restarts ?? 0) + 1
            guard restarts <= Self.mostRestarts else {
                let gap = Gap(reason: "comments of older media were not read: \(error.message)")
                harvest.gaps.append(.opened(key: "media-\(now.milliseconds)", gap))
                cursor.isListed = true
                return
            }
            begin(&cursor)
            cursor.round?.restarts = restarts
            return
        }
        harvest.notBefore = answer.notBefore
        let earliest = now.advanced(by: .zero - configuration.watch)
        var isOld = false
        var read = cursor
        let paging = try answer.readList(asked: request, baseURL: client.baseURL) { elements in
            for element in elements {
                guard let id = InstagramValue.native(element["id"]) else {
                    harvest.events.append(unnamed(element))
                    continue
                }
                if let time = element["timestamp"].flatMap(MetaTime.read), time < earliest {
                    isOld = true
                    continue
                }
                try take(element["comments"], of: id, &read, &harvest)
            }
        }
        cursor = read
        cursor.round?.pages += 1
        guard paging.next != nil, !isOld else {
            cursor.isListed = true
            return
        }
        guard let next = paging.after, next != after, (cursor.round?.pages ?? 0) < Self.mostPages else {
            let why = "comments of older media were not read: the list of media has no end"
            let gap = Gap(before: earliest, reason: why)
            harvest.gaps.append(.opened(key: "media-\(now.milliseconds)", gap))
            cursor.isListed = true
            return
        }
        cursor.round?.after = next
    }

    /// Takes in the newest comments of a media.
    private func take(
        _ comments: JSONValue?,
        of media: String,
        _ cursor: inout InstagramCursor,
        _ harvest: inout Harvest
    ) throws {
        let index = position(of: media, &cursor)
        // A media may stand on two pages where others were added meanwhile.
        guard cursor.lists[index].round == nil else { return }
        cursor.lists[index].round = InstagramList.Round(begun: now)
        guard let comments else { return cursor.lists[index].endReading(isWhole: true, askingAfter: .min) }
        // What a further page looks like is known from the request for it.
        let request = InstagramAPI.comments(of: media, after: "")
        let paging = try GraphPaging(of: comments, asked: request, baseURL: client.baseURL)
        takePage(InstagramValue.list(comments["data"]), paging, after: nil, &cursor.lists[index], &harvest)
    }

    /// A further page of a media's comments.
    private func readFurther(_ list: inout InstagramList, _ harvest: inout Harvest) async throws {
        guard let after = list.round?.after else { return }
        let request = InstagramAPI.comments(of: list.name, after: after)
        let answer: GraphAnswer
        do {
            answer = try await client.fetch(request)
        } catch let error as ConnectorError where error.code == .rejected {
            // The media is gone, or the place: what else it has comes with the next round.
            return list.endReading(isWhole: false, askingAfter: nil)
        }
        harvest.notBefore = answer.notBefore
        var read = list
        let paging = try answer.readList(asked: request, baseURL: client.baseURL) { elements in
            // Where the list goes on is not known yet; it is looked at below.
            takePage(Array(elements), nil, after: after, &read, &harvest)
        }
        list = read
        goOn(&list, paging, after: after, hasNews: list.round?.isRead != true, &harvest)
    }

    /// Takes in a page of comments, with the answers to them.
    private func takePage(
        _ comments: [JSONValue],
        _ paging: GraphPaging?,
        after: String?,
        _ list: inout InstagramList,
        _ harvest: inout Harvest
    ) {
        var hasNews = false
        for comment in comments {
            let parent = InstagramValue.native(comment["id"])
            if take(comment, below: nil, &list, &harvest) { hasNews = true }
            for reply in InstagramValue.list(comment["replies"]?["data"]) {
                if take(reply, below: parent, &list, &harvest) { hasNews = true }
            }
        }
        list.round?.pages += 1
        // An empty page is no end.
        let goesOn = hasNews || comments.isEmpty
        if let paging {
            goOn(&list, paging, after: after, hasNews: goesOn, &harvest)
        } else if !goesOn {
            list.endReading(isWhole: false, askingAfter: .min)
        }
    }

    /// Notes where the comments of a media go on, or that they have been read.
    private func goOn(
        _ list: inout InstagramList,
        _ paging: GraphPaging,
        after: String?,
        hasNews: Bool,
        _ harvest: inout Harvest
    ) {
        guard paging.next != nil, hasNews else {
            return list.endReading(isWhole: paging.next == nil, askingAfter: .min)
        }
        guard let next = paging.after, next != after, (list.round?.pages ?? 0) < Self.mostPages else {
            let before = list.round?.oldest.map { Timestamp(seconds: $0) }
            let why = "older comments were not read: their list has no end"
            let gap = Gap(after: list.from, before: before, reason: why)
            harvest.gaps.append(.opened(key: "comments-\(list.name)-\(now.milliseconds)", gap))
            return list.endReading(isWhole: false, askingAfter: .min)
        }
        list.round?.after = next
    }

    /// Takes in a comment; tells whether it may not be the last that is new.
    private func take(
        _ comment: JSONValue,
        below parent: String?,
        _ list: inout InstagramList,
        _ harvest: inout Harvest
    ) -> Bool {
        guard let id = InstagramValue.native(comment["id"]) else {
            harvest.events.append(unnamed(comment))
            return false
        }
        let time = (comment["timestamp"].flatMap(MetaTime.read) ?? now).milliseconds / 1000
        if parent == nil { list.reach(time) }
        let media = ObjectID(InstagramNormalizer.platform, "media", list.name)
        let above = parent.map { ObjectID(InstagramNormalizer.platform, "comment", $0) }
        let digest = InstagramValue.digest(of: comment["text"])
        switch list.note(id, digest: digest, time: time, isReply: parent != nil) {
        case .known, .old: return false
        case .knownSince: return true
        case .new:
            read(comment, form: "comment", into: &harvest) { value throws(JSONError) in
                try normalizer.commentAlone(value, media: media, below: above)
            }
        case .edited(let revision):
            read(comment, form: "comment", into: &harvest) { value throws(JSONError) in
                updated(try normalizer.commentAlone(value, media: media, below: above), revision: revision)
            }
        }
        return true
    }
}
