/// Which software a simulated server of the fediverse runs.
package enum MastodonFlavour: String, Sendable, CaseIterable {
    /// Mastodon 4.5: everything.
    case mastodon
    /// GoToSocial: ULIDs, no server-sent events.
    case gotosocial
    /// Pleroma: ids of letters and digits, no server-sent events.
    case pleroma
    /// Pixelfed: `min_id` includes the id itself, ids come as numbers, no streaming at all.
    case pixelfed
    /// snac: 422 for a bad token, ids that do not sort within a second, no streaming at all.
    case snac

    /// The name in NodeInfo.
    var software: String { rawValue }

    /// The version in the description of the server: relatives claim to be a Mastodon.
    var version: String {
        switch self {
        case .mastodon: "4.5.0"
        case .gotosocial: "0.20.0"
        case .pleroma: "2.7.2 (compatible; Pleroma 2.9.0)"
        case .pixelfed: "3.5.3 (compatible; Pixelfed 0.12.5)"
        case .snac: "4.0.0 (not true; really snac/2.94)"
        }
    }

    var streams: Bool { self == .mastodon }
    var includesMinimum: Bool { self == .pixelfed }
    var writesNumbers: Bool { self == .pixelfed }

    /// The id of what has that place in the order of all.
    func id(_ key: Int) -> String {
        switch self {
        case .mastodon, .pixelfed: return String(key)
        case .gotosocial: return "0" + Self.fixed(key, digits: Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), width: 25)
        case .pleroma:
            return "A"
                + Self.fixed(
                    key,
                    digits: Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
                    width: 17
                )
        case .snac:
            var dice = Dice(seed: UInt64(key))
            let digits = Array("0123456789abcdef")
            return String((key >> 16) / 1000) + String((0..<32).map { _ in dice.pick(digits) })
        }
    }

    private static func fixed(_ key: Int, digits: [Character], width: Int) -> String {
        var text: [Character] = []
        var rest = key
        for _ in 0..<width {
            text.append(digits[rest % digits.count])
            rest /= digits.count
        }
        return String(text.reversed())
    }
}
