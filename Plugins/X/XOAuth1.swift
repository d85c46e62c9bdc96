package import ConnectorKit
package import HTTPTypes

/// Signs requests as OAuth 1.0a has it (RFC 5849 §3.4, HMAC-SHA1).
package struct XOAuth1: Sendable {
    private let key: Secret
    private let secret: Secret
    private let token: Secret
    private let tokenSecret: Secret

    /// What signs.
    ///
    /// - Parameters:
    ///   - key: the app's API key.
    ///   - secret: the app's API key secret.
    ///   - token: the account's access token.
    ///   - tokenSecret: its secret.
    package init(key: Secret, secret: Secret, token: Secret, tokenSecret: Secret) {
        self.key = key
        self.secret = secret
        self.token = token
        self.tokenSecret = tokenSecret
    }

    /// The value of a request's `Authorization` field.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - url: the URL without a query.
    ///   - parameters: the query's parameters, and the body's where it is a form; not encoded.
    ///   - timestamp: seconds since 1970.
    ///   - nonce: never the same twice at one timestamp.
    /// - Returns: `OAuth` and its fields.
    package func authorization(
        _ method: HTTPRequest.Method,
        _ url: String,
        _ parameters: [XParameter],
        timestamp: Int64,
        nonce: String
    ) -> String {
        var own = [
            XParameter("oauth_consumer_key", key.reveal()), XParameter("oauth_nonce", nonce),
            XParameter("oauth_signature_method", "HMAC-SHA1"), XParameter("oauth_timestamp", String(timestamp)),
            XParameter("oauth_token", token.reveal()), XParameter("oauth_version", "1.0"),
        ]
        let signed = (own + parameters).map { ($0.name.percentEncoded, $0.value.percentEncoded) }.sorted { $0 < $1 }
        let text = signed.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        let base = "\(method.rawValue)&\(url.percentEncoded)&\(text.percentEncoded)"
        let signing = Secret("\(secret.reveal().percentEncoded)&\(tokenSecret.reveal().percentEncoded)")
        let signature = Signature(.sha1, encoding: .base64).make(Array(base.utf8), key: signing)
        own.append(XParameter("oauth_signature", signature))
        let fields = own.sorted { $0.name < $1.name }.map { "\($0.name)=\"\($0.value.percentEncoded)\"" }
        return "OAuth " + fields.joined(separator: ", ")
    }
}

/// A name and its value in a query or a form, not encoded.
package struct XParameter: Sendable, Hashable {
    /// The name.
    package var name: String
    /// The value.
    package var value: String

    /// A parameter.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension Sequence where Element == XParameter {
    /// The parameters as a query or a form, with a `%` wherever one may stand, as signatures want it.
    var encoded: String {
        map { "\($0.name.percentEncoded)=\($0.value.percentEncoded)" }.joined(separator: "&")
    }
}
