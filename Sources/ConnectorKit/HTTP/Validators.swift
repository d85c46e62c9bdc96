public import HTTPTypes
public import JSON
public import SocialEvents

/// What a server gave to ask later whether a resource has changed (RFC 9110 §8.8), kept and sent back verbatim.
///
/// Servers compare these as text, so neither is ever parsed or rewritten.
public struct Validators: Sendable, Hashable {
    /// The `ETag`, weak mark and quotes included.
    public var etag: String?
    /// The `Last-Modified`.
    public var lastModified: String?

    /// Longer ones are not kept: they would only fill the cursor.
    private static let longest = 1024

    /// Nothing to ask with.
    public init() {}

    /// What a response gave.
    public init(_ headers: HTTPFields) {
        etag = Self.bounded(headers[.eTag])
        lastModified = Self.bounded(headers[.lastModified])
    }

    /// Whether there is nothing to ask with.
    public var isEmpty: Bool { etag == nil && lastModified == nil }

    /// Makes a request conditional: the server may answer 304 with no body.
    ///
    /// Sends both `If-None-Match` and `If-Modified-Since`; a server that knows the first ignores the second.
    public func apply(to headers: inout HTTPFields) {
        if let etag { headers[.ifNoneMatch] = etag }
        if let lastModified { headers[.ifModifiedSince] = lastModified }
    }

    /// Takes over what a response gave: all of it from one with the resource, only what is there from a 304.
    ///
    /// A resource that changed within two seconds of the response may have changed again within the same second, which no validator with
    /// the resolution of a second would show (RFC 9110 §8.8.2.2); some servers make their `ETag` of that time too. Nothing is kept then, so
    /// that the next request is a full one.
    ///
    /// - Parameters:
    ///   - status: the response's status.
    ///   - headers: its fields.
    ///   - now: the time of the response where it has no `Date`.
    public mutating func update(status: Int, headers: HTTPFields, now: Timestamp) {
        let new = Validators(headers)
        guard status == 304 else {
            self = Self.isFresh(headers, now: now) ? Validators() : new
            return
        }
        etag = new.etag ?? etag
        lastModified = new.lastModified ?? lastModified
    }

    private static func isFresh(_ headers: HTTPFields, now: Timestamp) -> Bool {
        guard let changed = headers[.lastModified].flatMap({ HTTPDate.parse($0, now: now) }) else { return false }
        let answered = headers[.date].flatMap { HTTPDate.parse($0, now: now) } ?? now
        return changed.duration(to: answered) < .seconds(2)
    }

    /// Writes the members `etag` and `last_modified` into an object that the caller has begun, for a cursor.
    public func write(into writer: inout JSONWriter) {
        writer.member("etag", etag)
        writer.member("last_modified", lastModified)
    }

    /// Reads what ``write(into:)`` wrote; what is of another kind or too long is left out.
    public init(_ value: JSONValue) {
        etag = Self.bounded(value["etag"]?.string)
        lastModified = Self.bounded(value["last_modified"]?.string)
    }

    private static func bounded(_ text: String?) -> String? {
        guard let text, !text.isEmpty, text.utf8.count <= longest else { return nil }
        return text
    }
}
