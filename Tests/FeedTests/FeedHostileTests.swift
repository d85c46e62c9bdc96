import ConnectorKit
import ConnectorTesting
import FeedConnector
import SocialEvents
import Testing

/// Feeds that are broken, endless or meant to do harm.
struct FeedHostileTests {
    @Test("A feed cut anywhere is read as far as it goes, and loses nothing once it is whole")
    func cuts() async throws {
        let whole = Array(Sample.rss(Sample.items(Array((1...8).reversed()))).utf8)
        for cut in stride(from: 0, to: whole.count, by: 7) {
            let script = try FeedScript()
            var told: Set<ObjectID> = []
            do {
                let page = try await script.pull(String(decoding: whole[..<cut], as: UTF8.self))
                told.formUnion(page.events.compactMap(\.subject))
                // What is told is told right: no id that was cut.
                #expect(told.isSubset(of: (1...8).map { tagged("\($0)") }))
            } catch let error as ConnectorError {
                #expect(error.code == .malformed)
            }
            let page = try await script.pull(String(decoding: whole, as: UTF8.self))
            told.formUnion(page.events.compactMap(\.subject))
            #expect(told.count == 8, "cut at \(cut)")
            #expect(page.events.allSatisfy { $0.type == .postCreated })
        }
    }

    @Test("What an ill-formed feed lacks is said in the loss of its events")
    func loss() async throws {
        let body =
            "<rss><channel><item><guid>urn:x:1</guid><title>a & b <i>c</title></item><item><guid>urn:x:2</guid></channel>"
        let page = try await FeedScript().pull(body)
        #expect(page.events.contains { $0.subject?.text == "feed:article:urn:x:1" })
        #expect(page.events.allSatisfy { $0.data.loss.contains { $0.field == "feed" && $0.reason == .repaired } })
    }

    @Test("An entry that says nothing is set aside once, and the others go on")
    func unreadable() async throws {
        let script = try FeedScript()
        let page = try await script.pull(Sample.rss("<item><unknown>x</unknown></item>", Sample.items([1])))
        #expect(page.events.count == 1 && page.deadLetters.count == 1)
        #expect(page.deadLetters.contains { String(decoding: $0.payload, as: UTF8.self).contains("unknown") })
        let again = try await script.pull(Sample.rss("<item><unknown>x</unknown></item>", Sample.items([2, 1])))
        #expect(again.events.count == 1 && again.deadLetters.isEmpty)
    }

    @Test("Entities that expand to more than they are stay small")
    func entityBomb() async throws {
        var definitions = "<!ENTITY a0 \"lol\">"
        for level in 1...12 {
            let uses = String(repeating: "&a\(level - 1);", count: 10)
            definitions += "<!ENTITY a\(level) \"\(uses)\">"
        }
        let body =
            "<!DOCTYPE rss [\(definitions)<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
            + Sample.rss(Sample.item("1", text: "&a12;&x;"))
        let page = try await FeedScript().pull(body)
        let event = try #require(page.events.first)
        #expect((event.data.object?.text?.utf8.count ?? 0) < 4096)
        #expect(event.data.object?.text?.contains("root:") != true)
    }

    @Test("More entries than are read at once are read in part, and said to be more")
    func manyEntries() async throws {
        let script = try FeedScript(["maximum_size": "64MiB"])
        let page = try await script.pull(Sample.rss(Sample.items(Array(0..<50_000))))
        #expect(page.events.count == 20_000 && page.deadLetters.count == 1)
        #expect(try #require(page.cursor).bytes.count < Cursor.maximumSize)
    }

    @Test("Deep nesting, endless attributes and binary content are borne")
    func nesting() async throws {
        let deep = String(repeating: "<div>", count: 20_000)
        let attributes = (0..<5000).map { " a\($0)='x'" }.joined()
        let bodies = [
            Sample.rss(Sample.item("1", text: "<![CDATA[\(deep)]]>")), Sample.rss(Sample.item("1", text: deep)),
            "<rss\(attributes)><channel><item\(attributes)><title>x</title></item></channel></rss>",
            String(repeating: "<rss>", count: 10_000), Sample.rss(String(repeating: "<item>", count: 5000)),
        ]
        for body in bodies {
            let script = try FeedScript()
            do {
                _ = try await script.pull(body)
            } catch {
                #expect(error is ConnectorError)
            }
        }
    }

    @Test("No script comes through, in whatever field it stands")
    func scripts() async throws {
        let evil = "<script>alert(1)</script><img src=x onerror=alert(1)><a href=\"javascript:alert(1)\">x</a>"
        let escaped = evil.replacing("<", with: "&lt;")
        let item = """
            <item><guid>urn:x:1</guid><title>\(escaped)</title><link>javascript:alert(1)</link><category>\(escaped)</category>\
            <author>\(escaped)</author><description>\(escaped)</description><enclosure url="javascript:alert(1)" type="audio/mpeg"/></item>
            """
        let page = try await FeedScript().pull(Sample.rss(item))
        let object = try #require(page.events.first?.data.object)
        #expect(object.url == nil && object.media.allSatisfy { $0.url == "https://example.org/x" })
        let html = object.html ?? ""
        #expect(!html.contains("script") && !html.contains("onerror"))
        #expect(page.events.first?.data.loss.contains { $0.reason == .sanitised } == true)
        #expect(object.title?.contains("<script") != true && object.tags.allSatisfy { !$0.contains("<") })
    }

    @Test("A date in the future is not believed, and kept as what the author says")
    func future() async throws {
        let script = try FeedScript()
        let page = try await script.pull(Sample.rss(Sample.item("1", date: "Fri, 01 May 2099 10:00:00 +0000")))
        let event = try #require(page.events.first)
        #expect(
            event.time == script.clock.now && event.data.object?.createdAt?.description == "2099-05-01T10:00:00.000Z"
        )
        #expect(event.data.loss.contains { $0.field == "date" && $0.reason == .inferred })
    }
}
