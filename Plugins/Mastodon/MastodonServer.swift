import ConnectorKit
import JSON
import Synchronization

/// What a server says about itself.
struct MastodonServer: Sendable, Equatable {
    /// The software's name as NodeInfo has it, such as `mastodon`, `gotosocial`, `pixelfed`; `nil` where it does not tell.
    ///
    /// Version strings are of no use here: most relatives claim to be a version of Mastodon.
    var software: String?
    /// Where to stream from; `nil` where the server names no such address.
    var streamingURL: String?

    /// The software's name for people.
    var softwareName: String { software ?? "an unknown software" }

    /// The address of NodeInfo among the links of `/.well-known/nodeinfo`; the newest version that is known here.
    static func nodeInfoURL(_ links: JSONValue) -> String? {
        guard let links = links["links"] else { return nil }
        var best: (version: String, url: String)?
        for link in links.elements {
            guard let relation = link["rel"]?.string, let url = link["href"]?.webAddress,
                let version = relation.split(separator: "/").last.map(String.init), version.hasPrefix("2."),
                WebAddress.isValid(url)
            else { continue }
            if best.map({ $0.version < version }) ?? true { best = (version, url) }
        }
        return best?.url
    }

    /// The software's name in NodeInfo.
    static func software(_ nodeInfo: JSONValue) -> String? {
        guard let name = nodeInfo["software"]?["name"]?.string, name.utf8.count <= 64,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return name.lowercased()
    }

    /// The address for streaming in either form of the description of the server.
    static func streamingAddress(_ instance: JSONValue) -> String? {
        let named = instance["configuration"]?["urls"]?["streaming"] ?? instance["urls"]?["streaming_api"]
        return named?.string
    }
}

/// What is known of the server, found out when it is first needed.
final class MastodonServerMemory: Sendable {
    private struct State {
        var server: MastodonServer?
        var software: String?
    }

    private let state = Mutex(State())

    /// What is known.
    var server: MastodonServer? { state.withLock { $0.server } }

    /// The software's name, if it is known.
    var software: String? { state.withLock { $0.software } }

    /// Keeps it.
    func set(_ server: MastodonServer) {
        state.withLock { $0.server = server }
    }

    /// Keeps the software's name.
    func set(software: String) {
        state.withLock { $0.software = software }
    }

    /// Forgets it: something of it was wrong.
    func forgetServer() {
        state.withLock { state in
            state.server = nil
            state.software = nil
        }
    }
}
