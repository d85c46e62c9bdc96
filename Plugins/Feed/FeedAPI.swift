import ConnectorKit
import HTTPTypes
import SocialEvents

/// What a server answered, with its whole body.
struct FeedAnswer {
    var status: Int
    var headers: HTTPFields
    /// The address that answered, after redirects.
    var url: String
    var redirects: [HTTPRedirect]
    var body: [UInt8]
}

/// Requests for feeds as values, and what the answers' heads say.
///
/// No I/O.
enum FeedAPI {
    private static let accepted =
        "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, "
        + "text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"

    /// A conditional request for a feed or one of its older pages.
    static func request(_ url: String, _ configuration: FeedConfiguration, validators: Validators) -> HTTPClientRequest
    {
        var request = HTTPClientRequest(.get, url, maximumBodySize: configuration.maximumSize)
        request.headers[.accept] = accepted
        if let agent = configuration.userAgent { request.headers[.userAgent] = agent }
        validators.apply(to: &request.headers)
        return request
    }

    /// Where to ask from now on: the end of a chain of redirects if all of them are permanent (RFC 9110 §15.4), else as before.
    ///
    /// A chain that leads from `https` to `http` is followed but not remembered.
    static func address(after response: FeedAnswer, configured: String, remembered: String?) -> String? {
        guard !response.redirects.isEmpty else { return remembered }
        let asked = remembered ?? configured
        let isSafe = !(asked.hasPrefix("https:") && !response.url.hasPrefix("https:"))
        guard isSafe, response.redirects.allSatisfy(\.isPermanent), WebAddress.isValid(response.url) else {
            return remembered
        }
        return response.url == configured ? nil : response.url
    }

    /// The `charset` parameter of a media type.
    static func charset(of contentType: String) -> String? {
        for part in contentType.split(separator: ";").dropFirst() {
            let trimmed = part.drop { $0 == " " }
            guard trimmed.lowercased().hasPrefix("charset=") else { continue }
            let value = trimmed.dropFirst(8).filter { $0 != "\"" && $0 != "'" && $0 != " " }
            return value.isEmpty || value.utf8.count > 40 ? nil : value
        }
        return nil
    }

    /// Caches answer for longer than this as if nothing had changed; more would only delay news.
    private static let longestFreshness = 3600

    /// How long the server says that asking again is useless: `max-age` less `Age` (RFC 9111 §4.2), at most an hour.
    static func freshness(of headers: HTTPFields) -> Duration {
        guard let control = headers[.cacheControl]?.lowercased(), control.utf8.count <= 1024,
            !control.contains("no-cache"), !control.contains("no-store"),
            let range = control.firstRange(of: "max-age=")
        else { return .zero }
        let digits = control[range.upperBound...].prefix { $0.isASCII && $0.isNumber }
        guard let seconds = Int(digits.prefix(9)) else { return .zero }
        let age = headers[.age].flatMap { Int($0.prefix(9)) } ?? 0
        return .seconds(min(max(0, seconds - max(0, age)), longestFreshness))
    }
}
