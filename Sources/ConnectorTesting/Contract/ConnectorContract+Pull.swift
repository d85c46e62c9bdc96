import ConnectorKit
import SocialEvents

extension ConnectorContract {
    /// Pages that were pulled one after the other.
    struct Walk: Sendable {
        var pages: [[Event]] = []
        /// The cursor after each page; the one before where a page left it as it was.
        var cursors: [Cursor?] = []

        var events: [Event] { pages.flatMap { $0 } }
        var ids: [EventID] { events.map(\.id) }
    }

    /// The same payloads give the same events, whole and in the same order, and a further pull gives nothing again.
    public func pullIsDeterministic() async throws {
        let promise = "the same payload gives the same events"
        let first = try await walk(run(), from: nil, promise)
        let second = try await walk(run(), from: nil, promise)
        guard first.ids == second.ids else {
            throw ContractFailure(promise, "ids differ: \(difference(first.ids, second.ids))")
        }
        guard first.events == second.events else {
            throw ContractFailure(promise, "the ids are the same, the events are not")
        }
        if let eventCount, first.ids.count != eventCount {
            throw ContractFailure("nothing is skipped", "\(first.ids.count) events came of \(eventCount)")
        }
        guard !first.events.isEmpty else { throw ContractFailure(promise, "the script gave no events at all") }
        guard Set(first.ids).count == first.ids.count else {
            throw ContractFailure(promise, "an id stands twice in one walk")
        }
        let again = try await walk(run(), from: first.cursors.last ?? nil, promise)
        guard again.events.isEmpty else {
            throw ContractFailure("nothing is given again", "\(again.ids.prefix(3)) came again after the last cursor")
        }
    }

    /// Going on from any cursor with a new connector value gives exactly the rest.
    public func pullResumesFromEveryCursor() async throws {
        let promise = "pulling goes on from every cursor"
        let whole = try await walk(run(), from: nil, promise)
        for (index, cursor) in whole.cursors.enumerated() {
            guard let cursor else { continue }
            let copy = Cursor(version: cursor.version, bytes: Array(cursor.bytes))
            let rest = try await walk(run(), from: copy, promise)
            let expected = whole.pages.dropFirst(index + 1).flatMap { $0.map(\.id) }
            guard rest.ids == expected else {
                throw ContractFailure(promise, "after page \(index + 1): \(difference(expected, rest.ids))")
            }
        }
    }

    /// A pull whose platform never answers ends when it is cancelled.
    ///
    /// Give the test a time limit: one that does not end hangs it.
    public func cancelledPullEnds() async throws {
        for answer in [ScriptedAnswer.hang, .response(text: "{").stayingOpen()] {
            let run = try run { _ in answer }
            guard let source = run.connector as? any PullSource else { return }
            let request = PullRequest(limit: limit)
            // Awaited below.
            let task = Task { try await source.pull(request) }
            try await run.http.waitForRequests()
            task.cancel()
            guard case .failure = await task.result else {
                throw ContractFailure("a cancelled pull ends by throwing", "it returned a page")
            }
        }
    }

    /// Whatever the platform answers becomes events, dead letters or an error that the host knows, never a crash.
    public func pullContainsMalformedPayloads() async throws {
        for payload in Self.malformed {
            _ = try await contained(
                run { $0.replacingBody { _ in payload } },
                from: nil,
                "a malformed payload is contained"
            )
        }
    }

    /// A payload cut anywhere is contained, and what it lacked still comes when the whole one is read with the cursor that the cut one gave.
    public func pullLosesNothingToCutPayloads() async throws {
        let promise = "a cut payload loses nothing"
        let whole = try await walk(run(), from: nil, promise)
        for cut in 0..<Self.cuts {
            let tampered = try run { $0.replacingBody { Array($0.prefix($0.count * cut / Self.cuts)) } }
            guard let page = try await contained(tampered, from: nil, promise) else { continue }
            let rest = try await walk(run(), from: page.cursor, promise)
            let missing = Set(whole.ids).subtracting(page.events.map(\.id)).subtracting(rest.ids)
            guard missing.isEmpty else {
                throw ContractFailure(
                    promise,
                    "cut at \(cut)/\(Self.cuts), \(missing.count) events never came, such as \(missing.first?.text ?? "")"
                )
            }
        }
    }

    /// No credential stands in an error, a dead letter's reason or a line of the log, even where the platform repeats it.
    public func pullHidesSecrets() async throws {
        let echo = Array("{\"error\": \"\(Self.marker)\"}".utf8)
        var answers = [200, 400, 401, 403, 404, 410, 422, 429, 500, 503].map { ScriptedAnswer.response($0, body: echo) }
        answers += [
            .failure(.connection), .failure(.tls), .failure(.addressRefused), .response(body: echo).breaking(.deadline),
        ]
        for answer in answers {
            let run = try run { _ in answer }
            guard let source = run.connector as? any PullSource else { return }
            var printed: [String] = []
            do {
                let page = try await source.pull(PullRequest(limit: limit))
                printed += page.deadLetters.map(\.reason)
            } catch {
                printed.append(String(describing: error))
                if let letter = (error as? ConnectorError)?.deadLetter { printed.append(letter.reason) }
            }
            guard !(printed + run.log.text).contains(where: { $0.contains(Self.marker) }) else {
                throw ContractFailure("no secret is printed", printed.joined(separator: " | "))
            }
        }
    }

    // MARK: - Walking

    func walk(_ run: Run, from start: Cursor?, _ promise: String) async throws -> Walk {
        guard let source = run.connector as? any PullSource else {
            throw ContractFailure(promise, "it is no pull source")
        }
        var walk = Walk()
        var cursor = start
        for _ in 0..<1000 {
            let page: PullPage
            do {
                page = try await source.pull(PullRequest(cursor: cursor, limit: limit))
            } catch {
                throw ContractFailure(promise, "page \(walk.pages.count + 1) failed: \(error)")
            }
            try ContractFailure.check(page.events)
            if let size = page.cursor?.bytes.count, size > Cursor.maximumSize {
                throw ContractFailure("cursors are bounded", "one has \(size) bytes")
            }
            cursor = page.cursor ?? cursor
            walk.pages.append(page.events)
            walk.cursors.append(cursor)
            if !page.hasMore { return walk }
        }
        throw ContractFailure(promise, "it says after 1,000 pages that there is more")
    }

    /// The page of a pull that may fail in an expected way; `nil` when it did.
    private func contained(_ run: Run, from cursor: Cursor?, _ promise: String) async throws -> PullPage? {
        guard let source = run.connector as? any PullSource else { return nil }
        do {
            let page = try await source.pull(PullRequest(cursor: cursor, limit: limit))
            try ContractFailure.check(page.events)
            return page
        } catch let error where Self.isExpected(error) {
            return nil
        } catch let failure as ContractFailure {
            throw failure
        } catch {
            throw ContractFailure(promise, "it threw \(Swift.type(of: error)), which the host does not know: \(error)")
        }
    }

    func difference(_ expected: [EventID], _ got: [EventID]) -> String {
        let index = zip(expected, got).prefix { $0 == $1 }.count
        let should = index < expected.count ? expected[index].text : "the end"
        let did = index < got.count ? got[index].text : "the end"
        return "event \(index + 1) should be \(should) and is \(did); \(expected.count) expected, \(got.count) came"
    }

    /// At how many places payloads are cut.
    static let cuts = 64

    /// What no platform should answer.
    static let malformed: [[UInt8]] = [
        [], [0], [0xFF, 0xFE], Array("null".utf8), Array("[]".utf8), Array("{}".utf8), Array("\"text\"".utf8),
        Array("42".utf8),
        Array("[null]".utf8), Array("{\"data\":null}".utf8), Array("{\"data\":[{}]}".utf8),
        Array("<html><body>Bad gateway</body></html>".utf8),
        Array("<?xml version=\"1.0\"?><rss><channel>".utf8), Array("<feed".utf8),
        [UInt8](repeating: UInt8(ascii: "["), count: 100_000),
        [UInt8](repeating: UInt8(ascii: "<"), count: 100_000), [UInt8](repeating: 0, count: 4096),
        Array((0...255).map { UInt8($0) }),
        Array("{\"id\":\"\u{0}\u{FFFF}\"}".utf8), [0x1F, 0x8B, 0x08, 0x00, 0x00],
    ]
}
