package import ConnectorKit
package import JSON
package import SocialEvents

/// What `debug_token` says of an access token.
package struct GraphTokenInfo: Sendable, Hashable {
    /// Whether it opens anything now.
    package var isValid: Bool
    /// `PAGE`, `USER`, `SYSTEM_USER`.
    package var type: String?
    /// The app it was made for.
    package var appID: String?
    /// The user or Page it stands for.
    package var userID: String?
    /// When it ends; `nil` for one that does not.
    package var expiresAt: Timestamp?
    /// When the person's consent to read data ends; `nil` where it does not.
    package var dataAccessExpiresAt: Timestamp?
    /// What it opens.
    package var scopes: [String]
    /// Why it does not, where it does not.
    package var error: GraphError?

    /// Reads the answer of `debug_token`; `nil` for what is none.
    package init?(_ root: JSONValue) {
        guard let data = root["data"], data.kind == .object else { return nil }
        isValid = data["is_valid"]?.bool == true
        type = data["type"]?.string
        appID = data["app_id"].flatMap { $0.string ?? $0.int.map { String($0) } }
        userID = (data["profile_id"] ?? data["user_id"]).flatMap { $0.string ?? $0.int.map { String($0) } }
        // 0 stands for never.
        expiresAt = data["expires_at"].flatMap(MetaTime.read)
        dataAccessExpiresAt = data["data_access_expires_at"].flatMap(MetaTime.read)
        scopes = data["scopes"].map { $0.elements.prefix(200).compactMap(\.string) } ?? []
        error = data["error"].flatMap { GraphError($0) }
    }

    /// Which of some permissions the token lacks.
    package func missing(of permissions: [String]) -> [String] {
        permissions.filter { !scopes.contains($0) }
    }
}

extension GraphClient {
    /// Asks what an access token is good for.
    ///
    /// The client's own token must belong to the same app.
    ///
    /// - Parameter token: the token.
    /// - Returns: what Meta says of it.
    /// - Throws: ``ConnectorError``.
    package func debug(_ token: Secret) async throws -> GraphTokenInfo {
        let asked = GraphParameter("input_token", token.reveal())
        let answer = try await fetch(.get("/debug_token", [asked], bucket: "token", what: "the access token"))
        guard let info = try? answer.read({ GraphTokenInfo($0) }) else {
            // Not a dead letter: the body may hold tokens.
            throw ConnectorError(
                .unavailable,
                "the access token: the answer cannot be read",
                ladder: GraphLadders.failed
            )
        }
        return info
    }
}
