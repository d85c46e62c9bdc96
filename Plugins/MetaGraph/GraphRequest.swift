package import ConnectorKit
package import HTTPTypes

/// A parameter of a request, in a query or a form.
package struct GraphParameter: Sendable, Hashable {
    /// Name and value, percent-encoded and joined by `=`.
    let encoded: String

    /// A parameter by its plain name and value.
    package init(_ name: String, _ value: String) {
        encoded = "\(name.percentEncoded)=\(value.percentEncoded)"
    }

    /// A parameter as it stands in a URL.
    init(encoded: String) {
        self.encoded = encoded
    }
}

extension [GraphParameter] {
    /// Joined by `&`.
    var encoded: String { map(\.encoded).joined(separator: "&") }
}

/// A request to the Graph API as a value: what is asked, without version, token and proof.
package struct GraphRequest: Sendable {
    /// What a request carries.
    package enum Body: Sendable {
        /// Nothing.
        case none
        /// A form.
        case form([GraphParameter])
        /// A JSON document.
        case json([UInt8])
    }

    /// The method.
    package var method: HTTPRequest.Method
    /// The path behind the version, such as `/17841405822304914/media`; ids from outside go through ``segment(_:)``.
    package var path: String
    /// The query, without token.
    package var query: [GraphParameter]
    /// What is sent.
    package var body: Body
    /// What the platform counts together: see ``Quota/admit(_:)``.
    package var bucket: String
    /// What is asked for, in words for an error: `the comments`.
    package var what: String
    /// How long each part may take.
    package var deadlines = HTTPDeadlines()
    /// Most bytes of the answer.
    package var maximumBodySize = 16 << 20
    /// Whether the version goes before the path; not so for pages, whose path has it, and some calls of Instagram Login.
    package var isVersioned = true

    /// A request.
    package init(
        _ method: HTTPRequest.Method = .get,
        _ path: String,
        query: [GraphParameter] = [],
        body: Body = .none,
        bucket: String,
        what: String
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.bucket = bucket
        self.what = what
    }

    /// A read; `fields` are always listed, since without them the platform gives ids alone.
    package static func get(
        _ path: String,
        fields: [String] = [],
        _ parameters: [GraphParameter] = [],
        bucket: String,
        what: String
    ) -> GraphRequest {
        var query = parameters
        if !fields.isEmpty { query.insert(GraphParameter("fields", fields.joined(separator: ",")), at: 0) }
        return GraphRequest(.get, path, query: query, bucket: bucket, what: what)
    }

    /// An id from outside as a part of a path.
    package static func segment(_ id: String) -> String { id.percentEncoded }

    /// Path and query, with the version where it belongs.
    func target(version: String) -> String {
        let path = isVersioned ? "/\(version)\(self.path)" : self.path
        return query.isEmpty ? path : "\(path)?\(query.encoded)"
    }
}
