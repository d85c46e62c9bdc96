import Crypto
import Synchronization

// Tokens: what they are worth, and new ones for old.

extension MetaSimulator {
    /// The app's own token.
    package static let appToken = "\(MetaAccount.app)|\(appSecret)"

    /// What shows that who asks knows the app's secret: `appsecret_proof`.
    package static func proof(of token: String) -> String {
        let key = SymmetricKey(data: Array(appSecret.utf8))
        return MetaOutbox.hex(HMAC<SHA256>.authenticationCode(for: Array(token.utf8), using: key))
    }

    /// The answers that do without the token of an account.
    func tokenAnswer(
        _ path: [String],
        _ parameters: [String: String],
        _ token: String
    ) throws(GraphProblem) -> GraphValue? {
        switch path {
        case ["debug_token"]: return try debug(parameters, token)
        case ["refresh_access_token"]:
            guard parameters["grant_type"] == "ig_refresh_token" else { throw .missing("grant_type") }
            return try renewed(token, .instagram)
        case ["oauth", "access_token"]:
            guard parameters["grant_type"] == "fb_exchange_token" else { throw .missing("grant_type") }
            guard parameters["client_id"] == MetaAccount.app, parameters["client_secret"] == Self.appSecret else {
                throw GraphProblem(code: 1, status: 400, message: "Error validating client secret.")
            }
            return try renewed(parameters["fb_exchange_token"] ?? "", nil)
        default: return nil
        }
    }

    private func debug(_ parameters: [String: String], _ token: String) throws(GraphProblem) -> GraphValue {
        guard let asked = parameters["input_token"] else { throw .missing("input_token") }
        let (known, asker, now) = state.withLock { ($0.tokens[asked], $0.tokens[token], $0.world.now) }
        guard token == Self.appToken || asker != nil else { throw .unknownToken }
        guard let known else {
            let error: GraphValue = ["code": 190, "message": "Invalid OAuth access token."]
            return ["data": ["error": error, "is_valid": false, "scopes": []]]
        }
        let isValid = !known.isExpired && (known.expiresAt.map { $0 > now } ?? true)
        let error: GraphValue = ["code": 190, "message": "Session has expired.", "subcode": 463]
        let scopes: [GraphValue]
        let (type, account): (GraphValue, String)
        switch known.kind {
        case .instagram:
            scopes = [
                "instagram_business_basic", "instagram_business_manage_comments", "instagram_business_manage_messages",
            ]
            (type, account) = ("USER", MetaAccount.instagram)
        case .page:
            scopes = [
                "instagram_basic", "instagram_manage_comments", "instagram_manage_messages",
                "instagram_manage_insights",
                "pages_read_engagement", "pages_read_user_content", "pages_messaging", "pages_manage_metadata",
            ]
            (type, account) = ("PAGE", MetaAccount.page)
        case .system:
            scopes = ["whatsapp_business_messaging", "whatsapp_business_management"]
            (type, account) = ("SYSTEM_USER", "600700800900100")
        }
        return [
            "data": [
                "app_id": .string(MetaAccount.app), "type": type, "application": "Simulated",
                "data_access_expires_at": known.expiresAt.map { .integer($0 / 1000) } ?? 0,
                "expires_at": known.expiresAt.map { .integer($0 / 1000) } ?? 0, "is_valid": .bool(isValid),
                "issued_at": .integer(known.issuedAt / 1000), "scopes": .array(scopes), "user_id": .string(account),
                "error": isValid ? .absent : error,
            ]
        ]
    }

    /// A new token for one that is good; the old one stays good as long as it would.
    private func renewed(_ token: String, _ kind: Token.Kind?) throws(GraphProblem) -> GraphValue {
        let new: (token: String, seconds: Int64)? = state.withLock { state in
            let now = state.world.now
            guard let known = state.tokens[token], kind == nil || known.kind == kind, !known.isExpired,
                known.expiresAt.map({ $0 > now }) ?? true
            else { return nil }
            state.refreshes += 1
            let name = (known.kind == .instagram ? "IGAA" : "EAA") + "simulatedToken\(state.refreshes)"
            let end = now + 60 * MetaWorld.day
            state.tokens[name] = Token(kind: known.kind, issuedAt: now, expiresAt: end)
            return (name, (end - now) / 1000)
        }
        guard let new else { throw .expired }
        return [
            "access_token": .string(new.token), "token_type": "bearer", "expires_in": .integer(new.seconds),
            "permissions": kind == .instagram ? "instagram_business_basic,instagram_business_manage_comments" : .absent,
        ]
    }
}
