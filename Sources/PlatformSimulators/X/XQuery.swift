/// As much of X's language of queries and rules as stories need.
///
/// Words, `lang:`, `from:`, `#tag`, `@name`, `is:retweet`, `is:reply` and `is:quote`, each perhaps after a `-`; all of them must hold, and `OR` stands
/// between alternatives. Brackets count for nothing.
struct XQuery {
    private var alternatives: [[Substring]]

    init(_ text: String) {
        let words = text.split { $0 == " " || $0 == "(" || $0 == ")" || $0 == "\"" }
        alternatives = words.split { $0 == "OR" }.map(Array.init)
    }

    /// Whether it selects a post.
    func matches(_ post: XWorld.Post, in world: XWorld) -> Bool {
        alternatives.contains { terms in
            terms.allSatisfy { term in
                term.hasPrefix("-") ? !holds(term.dropFirst(), post, world) : holds(term, post, world)
            }
        }
    }

    private func holds(_ term: Substring, _ post: XWorld.Post, _ world: XWorld) -> Bool {
        if term.hasPrefix("lang:") { return post.phrase.language == term.dropFirst(5) }
        if term.hasPrefix("from:") { return world.people[post.author].handle == term.dropFirst(5) }
        if term.hasPrefix("#") { return post.phrase.hashtags.contains(String(term.dropFirst())) }
        if term.hasPrefix("@") { return world.mentioned(post).contains { world.people[$0].handle == term.dropFirst() } }
        switch (term, post.relation) {
        case ("is:retweet", .repost?), ("is:reply", .reply?), ("is:quote", .quote?): return true
        case ("is:retweet", _), ("is:reply", _), ("is:quote", _): return false
        default: return post.phrase.plain { world.people[$0].handle }.lowercased().contains(term.lowercased())
        }
    }
}
