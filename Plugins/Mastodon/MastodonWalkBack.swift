import ConnectorKit
import JSON
import SocialEvents

/// A walk from the newest page back, until what is known is reached.
struct MastodonWalkBack {
    /// The oldest id so far; the next page ends before it.
    private(set) var oldest: String?
    /// How many elements were found.
    private(set) var count = 0

    private let newestKnown: MastodonCursor.Item?
    private let known: Set<String>
    private let wanted: Int?
    private var hasMet = false
    private var oldestTime: Timestamp?

    /// A walk to the items of `cursor`.
    ///
    /// - Parameters:
    ///   - cursor: what is known.
    ///   - wanted: how many elements are enough where nothing is known; `nil` for as many as there are.
    init(_ cursor: MastodonCursor, wanted: Int?) {
        newestKnown = cursor.items.last
        known = Set(cursor.items.map(\.id))
        self.wanted = wanted
    }

    /// Looks at the next page and says whether there should be another.
    mutating func takes(_ root: JSONValue) throws(JSONError) -> Bool {
        var isEmpty = true
        let before = oldest
        for element in try root.expectArray() {
            guard let id = element["id"]?.nativeID else { continue }
            isEmpty = false
            count += 1
            oldest = id
            oldestTime = element["created_at"]?.moment ?? oldestTime
            if meets(id) { hasMet = true }
        }
        // The end of the timeline, or a server that gives the same page again and again.
        if isEmpty || oldest == before {
            hasMet = true
            return false
        }
        if let wanted, newestKnown == nil { return count < wanted }
        return !hasMet
    }

    private func meets(_ id: String) -> Bool {
        if known.contains(id) { return true }
        guard let newestKnown, let oldestTime else { return false }
        return MastodonCursor.precedes(id, newestKnown.id) && oldestTime < newestKnown.createdAt
    }

    /// The hole between what is known and the oldest that was found, if the walk ended before.
    var gap: GapReport? {
        guard let newestKnown, !hasMet else { return nil }
        return .opened(
            key: "behind \(newestKnown.id)",
            Gap(
                after: newestKnown.createdAt,
                before: oldestTime,
                reason: "more was posted meanwhile than is read back at once"
            )
        )
    }
}
