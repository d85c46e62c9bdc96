import ConnectorKit
import HTTPTypes
package import JSON

/// Where a list goes on: `paging.cursors.{before,after}` and `paging.next`.
///
/// The list ends where `next` is missing; an empty page with a `next` is no end. Pages begin with the newest, and no list can be read the other
/// way round. Cursors are not for keeping long: what they name may be deleted.
package struct GraphPaging: Sendable {
    /// The request for the next page; `nil` at the end.
    package var next: GraphRequest?
    /// The cursor of this page's last element.
    package var after: String?
    /// The cursor of this page's first element.
    package var before: String?

    /// Reads the paging of a list.
    ///
    /// - Parameters:
    ///   - list: the object that has `data` and `paging`: an answer's root, or an expanded edge such as `comments`.
    ///   - request: what was asked; the next page is asked for in the same way.
    ///   - baseURL: where the API is.
    /// - Throws: ``ConnectorError`` `rejected` when the next page lies elsewhere than at `baseURL`: the token is for that host alone.
    package init(of list: JSONValue, asked request: GraphRequest, baseURL: String) throws {
        let paging = list["paging"]
        after = paging?["cursors"]?["after"]?.string
        before = paging?["cursors"]?["before"]?.string
        guard let url = paging?["next"]?.string, !url.isEmpty else { return }
        next = try Self.request(for: url, asked: request, baseURL: baseURL)
    }

    /// Where the next page is: path and query without token, to be kept in a cursor until the next step; `nil` at the end.
    package var place: String? { next?.target(version: "") }

    /// The request for a page whose ``place`` was kept.
    ///
    /// - Parameters:
    ///   - place: the place; the cursor it comes from must belong to the same server.
    ///   - request: what was asked first.
    /// - Returns: the request.
    /// - Throws: ``ConnectorError`` `rejected` for what is no path.
    package static func request(at place: String, asked request: GraphRequest) throws -> GraphRequest {
        try self.request(for: place, asked: request, baseURL: "")
    }

    /// The request for a page's URL, without the token and the proof that the platform writes into it.
    static func request(for url: String, asked: GraphRequest, baseURL: String) throws -> GraphRequest {
        // By bytes, so that no mark hides behind a character of the host's name.
        guard url.utf8.starts(with: (baseURL + "/").utf8), url.utf8.count <= 8192,
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "\\") })
        else {
            throw ConnectorError(.rejected, "\(asked.what): the next page lies elsewhere; check `base_url`")
        }
        let target = url.dropFirst(baseURL.count)
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var request = asked
        request.method = .get
        request.body = .none
        request.path = String(parts[0])
        request.isVersioned = false
        request.query = []
        for item in parts.count > 1 ? parts[1].split(separator: "&") : [] where !isCredential(item) {
            request.query.append(GraphParameter(encoded: String(item)))
        }
        return request
    }

    /// Whether a query's item is a token or proof; its name may be percent-encoded to look otherwise.
    private static func isCredential(_ item: Substring) -> Bool {
        let name = item.prefix { $0 != "=" }.lowercased()
        if name.contains("%") { return true }
        return name == "access_token" || name == "appsecret_proof" || name == "client_secret"
    }
}
