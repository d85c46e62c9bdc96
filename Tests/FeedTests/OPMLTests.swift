import ConnectorKit
import FeedConnector
import Testing

struct OPMLTests {
    private static let list = """
        <?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
        <outline text="News"><outline text="Local" ><outline title="One" text="x" type="rss" xmlUrl="https://one.example/feed"/></outline>
        <outline text="Two" xmlUrl="feed://two.example/rss?a=1&amp;b=2" category="/a,b"/></outline>
        <outline text="One again" xmlURL="https://one.example/feed"/>
        </body></opml>
        """

    @Test("Every feed of a list is found once, with the outlines around it")
    func feeds() throws {
        let feeds = try OPML.feeds(in: Array(Self.list.utf8))
        #expect(feeds.map(\.url) == ["https://one.example/feed", "http://two.example/rss?a=1&b=2"])
        #expect(feeds.map(\.title) == ["One", "Two"])
        #expect(feeds.map(\.categories) == [["News", "Local"], ["News", "/a", "b"]])
    }

    @Test(
        "What is no list of feeds is refused in words",
        arguments: [
            ("", "empty"), ("words", "expected OPML"), ("<rss/>", "no `<opml>`"),
            ("<opml><body/></opml>", "no outline"),
            ("<opml><body><outline text='Bad' xmlUrl='javascript:alert(1)'/></body></opml>", "\"Bad\""),
        ]
    )
    func refused(text: String, reason: String) {
        let problem = #expect(throws: OPML.Problem.self) { try OPML.feeds(in: Array(text.utf8)) }
        #expect(problem?.description.contains(reason) == true)
    }

    @Test("A list longer than a hub can hold is refused")
    func tooLong() {
        let outlines = (0...OPML.mostFeeds).map { "<outline xmlUrl='https://example.org/\($0)'/>" }.joined()
        #expect(throws: OPML.Problem.self) { try OPML.feeds(in: Array("<opml><body>\(outlines)</body></opml>".utf8)) }
    }

    @Test("A source with a list stands for one source per feed, whose names depend on the address alone")
    func expansion() throws {
        let settings = Settings([.plain("opml", "feeds.opml"), .plain("language", "de")], path: "sources.blogs")
        let read = try #require(
            try FeedConnector.expand(settings) { path in
                #expect(path == "feeds.opml")
                return Array(Self.list.utf8)
            }
        )
        #expect(read.count == 2 && Set(read.map(\.nameSuffix)).count == 2)
        #expect(read.allSatisfy { $0.nameSuffix.utf8.count <= ExpandedSource.longestSuffix })
        #expect(read[0].nameSuffix.hasPrefix("one.example-"))
        let configuration = try FeedConfiguration(read[1].settings)
        #expect(configuration.url == "http://two.example/rss?a=1&b=2" && configuration.language == "de")
        let reversed = Self.list.replacing("News", with: "Olds")
        let again = try FeedConnector.expand(settings) { _ in Array(reversed.utf8) }
        #expect(again?.map(\.nameSuffix) == read.map(\.nameSuffix))
    }

    @Test("A source without a list stands for itself, and one with both is refused")
    func noExpansion() throws {
        #expect(try FeedConnector.expand(Settings([.plain("url", "https://example.org/")])) { _ in [] } == nil)
        let both = Settings([.plain("url", "https://example.org/"), .plain("opml", "a.opml")])
        #expect(throws: SettingsError.self) { try FeedConnector.expand(both) { _ in [] } }
        #expect(throws: SettingsError.self) { try FeedConfiguration(both) }
        #expect(throws: SettingsError.self) { try FeedConfiguration(Settings([.plain("opml", "a.opml")])) }
        #expect(throws: SettingsError.self) { try FeedConfiguration(Settings()) }
    }
}
