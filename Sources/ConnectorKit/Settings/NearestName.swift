/// Finds what somebody meant who mistyped a name.
public enum NearestName {
    /// Names of more bytes than this are not compared, so that hostile input costs nothing.
    private static let longest = 64

    /// The candidate nearest to `name`, or `nil` when none is near enough to be meant.
    ///
    /// Near is at most one slip for every three letters of the longer name, and at least one: a letter left out, added, exchanged, or two
    /// neighbours swapped (optimal string alignment distance). Case, `-` and `_` count for nothing, so `Page-Size` finds `page_size`.
    /// Of equally near candidates the first wins.
    public static func of(_ name: String, in candidates: some Sequence<String>) -> String? {
        guard name.utf8.count <= longest else { return nil }
        let wanted = folded(name)
        guard !wanted.isEmpty else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            guard candidate.utf8.count <= longest else { continue }
            let letters = folded(candidate)
            guard !letters.isEmpty else { continue }
            let limit = min(max(1, max(wanted.count, letters.count) / 3), (best?.distance ?? .max) - 1)
            guard limit >= 0, abs(wanted.count - letters.count) <= limit else { continue }
            let distance = distance(wanted, letters)
            if distance <= limit { best = (candidate, distance) }
            if distance == 0 { break }
        }
        // One letter for another is no slip but another name, where there are only one or two.
        guard let best, best.distance < wanted.count else { return nil }
        return best.name
    }

    private static func folded(_ name: String) -> [Character] {
        name.lowercased().filter { $0 != "-" && $0 != "_" }
    }

    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            row.reserveCapacity(b.count + 1)
            for j in 1...b.count {
                let exchange = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var least = min(exchange, last[j] + 1, row[j - 1] + 1)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    least = min(least, beforeLast[j - 2] + 1)
                }
                row.append(least)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
