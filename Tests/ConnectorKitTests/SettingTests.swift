import ConnectorKit
import Testing

@Suite("Settings")
struct SettingTests {
    enum Mode: String, CaseIterable, Sendable {
        case latest, search, notifications
    }

    func scalar(_ text: String, quoted: Bool = false) -> SettingNode {
        SettingNode(.scalar(text, isQuoted: quoted), at: SettingPosition(file: "roost.yaml", line: 3, column: 5))
    }

    func refusal<Value>(_ form: SettingForm<Value>, _ node: SettingNode) -> String? {
        do {
            _ = try form.read(node, "sources.blog.key")
            return nil
        } catch {
            return error.description
        }
    }

    func read<Value>(_ form: SettingForm<Value>, _ text: String) throws -> Value {
        try form.read(scalar(text), "key")
    }

    @Test("a duration is a whole number and its unit")
    func durations() throws {
        #expect(try read(.duration(), "250ms") == .milliseconds(250))
        #expect(try read(.duration(), "30s") == .seconds(30))
        #expect(try read(.duration(), "5m") == .seconds(300))
        #expect(try read(.duration(), "1h") == .seconds(3600))
        #expect(try read(.duration(), "30d") == .seconds(2_592_000))
        #expect(try read(.duration(), "0s") == .zero)
    }

    @Test(
        "a duration in another form is refused with the right one",
        arguments: [
            ("30", "30s"), ("30 sec", "30s"), ("5min", "5m"), ("1h30m", "90m"), ("1.5h", "90m"), ("2w", "14d"),
            ("5M", "5m"),
            ("1 day", "1d"), ("0.5s", "500ms"),
        ]
    )
    func nearestDuration(written: String, meant: String) {
        let complaint = refusal(.duration(), scalar(written))
        #expect(
            complaint
                == "roost.yaml:3:5: sources.blog.key: expected a duration such as 30s, 5m or 1h, found \"\(written)\"; did you mean `\(meant)`?"
        )
    }

    @Test(
        "nothing that is not a duration is taken for one",
        arguments: [
            "", "s", "-5s", "+5s", "5", "5 s", "1e3s", "٣s", "99999999999999999999s", "40000d", "5s\u{301}", "5sx",
            "0x5s",
        ]
    )
    func notDurations(text: String) {
        #expect(DurationText.parse(text) == nil)
        #expect(refusal(.duration(), scalar(text)) != nil)
    }

    @Test("a duration out of range is refused with the range")
    func durationRangeLimit() {
        let form = SettingForm.duration(in: .seconds(60) ... .seconds(3600))
        #expect(refusal(form, scalar("60s")) == nil)
        #expect(refusal(form, scalar("30s"))?.contains("from 1m to 1h, found \"30s\"") == true)
    }

    @Test("a written duration reads back as itself")
    func durationRoundTrip() throws {
        for seconds in [1, 59, 60, 61, 3599, 3600, 5400, 86_399, 86_400, 604_800, 1_000_000] {
            let duration = Duration.seconds(seconds)
            #expect(DurationText.parse(DurationText.of(duration)) == duration)
        }
        #expect(DurationText.of(.seconds(5400)) == "90m")
        #expect(DurationText.of(.milliseconds(1500)) == "1500ms")
        #expect(DurationText.of(.zero) == "0s")
    }

    @Test("a range of durations has two ends or one, in order")
    func durationRanges() throws {
        #expect(try read(.durationRange(), "5m..1h") == .seconds(300) ... .seconds(3600))
        #expect(try read(.durationRange(), "5m") == .seconds(300) ... .seconds(300))
        #expect(refusal(.durationRange(), scalar("1h..5m"))?.contains("did you mean `5m..1h`?") == true)
        #expect(refusal(.durationRange(), scalar("5 min - 1h"))?.contains("did you mean `5m..1h`?") == true)
        #expect(refusal(.durationRange(), scalar("5m..")) != nil)
        #expect(refusal(.durationRange(in: .seconds(1) ... .seconds(60)), scalar("5s..1h")) != nil)
    }

    @Test("a size is a whole number and a decimal or binary unit")
    func sizes() throws {
        #expect(try read(.byteSize(), "10MiB") == 10 << 20)
        #expect(try read(.byteSize(), "50GiB") == 50 << 30)
        #expect(try read(.byteSize(), "1kB") == 1000)
        #expect(try read(.byteSize(), "512B") == 512)
        for size in [0, 1, 1000, 1024, 1536, 1_000_000, 1 << 20, 3 << 40, 123_456_789] {
            #expect(ByteSizeText.parse(ByteSizeText.of(size)) == size)
        }
        #expect(ByteSizeText.of(16 << 20) == "16MiB")
        #expect(ByteSizeText.of(2000) == "2kB")
    }

    @Test(
        "a size in another form is refused with the right one",
        arguments: [
            ("10mb", "10MB"), ("10 MiB", "10MiB"), ("10M", "10MB"), ("1.5GiB", "1536MiB"), ("1048576", "1048576B"),
            ("2 kilo", nil),
        ]
    )
    func nearestSize(written: String, meant: String?) {
        let complaint = refusal(.byteSize(), scalar(written))
        #expect(complaint?.contains("expected a size such as 10MiB, found \"\(written)\"") == true)
        #expect(complaint?.contains("did you mean") == (meant != nil))
        if let meant { #expect(complaint?.hasSuffix("did you mean `\(meant)`?") == true) }
    }

    @Test("a size too large to count is refused")
    func hugeSize() {
        #expect(refusal(.byteSize(), scalar("9999999999TiB")) != nil)
        #expect(refusal(.byteSize(), scalar("99999999999999999999B")) != nil)
    }

    @Test("a flag is true or false, unquoted, and nothing else")
    func flags() throws {
        #expect(try read(.flag, "true"))
        #expect(try !read(.flag, "False"))
        #expect(refusal(.flag, scalar("yes"))?.hasSuffix("found \"yes\"; did you mean `true`?") == true)
        #expect(refusal(.flag, scalar("off"))?.hasSuffix("did you mean `false`?") == true)
        #expect(refusal(.flag, scalar("true", quoted: true))?.contains("without quotes") == true)
        #expect(refusal(.flag, SettingNode(.list([])))?.contains("found a list") == true)
    }

    @Test("a number keeps its range and says it")
    func integers() throws {
        #expect(try read(.integer(in: 1...100), "42") == 42)
        #expect(
            refusal(.integer(in: 1...100), scalar("500"))?.contains(
                "a whole number from 1 to 100, found \"500\"; did you mean `100`?"
            ) == true
        )
        #expect(refusal(.integer(), scalar("1_000"))?.contains("did you mean `1000`?") == true)
        #expect(refusal(.integer(), scalar("3.5")) != nil)
        #expect(refusal(.integer(), scalar("42", quoted: true))?.contains("without quotes") == true)
        #expect(refusal(.integer(), scalar("99999999999999999999")) != nil)
    }

    @Test("a choice names all cases and the nearest one")
    func choices() throws {
        #expect(try read(.choice(of: Mode.self), "search") == .search)
        let complaint = refusal(.choice(of: Mode.self), scalar("serach"))
        #expect(
            complaint?.contains("one of latest, search, notifications, found \"serach\"; did you mean `search`?")
                == true
        )
    }

    @Test("a list reads each element and names the bad one")
    func lists() throws {
        let form = SettingForm<[Duration]>.list(of: .duration())
        let good = SettingNode(.list([scalar("5s"), scalar("1m")]))
        #expect(try form.read(good, "key") == [.seconds(5), .seconds(60)])
        #expect(
            refusal(form, SettingNode(.list([scalar("5s"), scalar("1x")])))?.contains("sources.blog.key[1]: expected")
                == true
        )
        #expect(refusal(form, scalar("5s"))?.contains("did you mean `[5s]`?") == true)
    }

    @Test("a credential written out is refused and not repeated")
    func secrets() throws {
        let complaint = try #require(refusal(.secret, scalar("hunter2")))
        #expect(!complaint.contains("hunter2"))
        #expect(complaint.contains("write ${env:NAME} or ${file:PATH}"))
        let secret = try SettingForm.secret.read(SettingNode(.secret(Secret("hunter2"))), "key")
        #expect(secret.reveal() == "hunter2")
        #expect(!"\(secret) \(String(reflecting: secret))".contains("hunter2"))
    }

    @Test("a credential is refused where none belongs")
    func secretElsewhere() {
        let complaint = refusal(.text, SettingNode(.secret(Secret("hunter2"))))
        #expect(
            complaint
                == "sources.blog.key: expected text, found a secret; references such as ${env:NAME} are for credentials only"
        )
    }

    @Test("a URL with a password is refused and not repeated")
    func urlWithPassword() {
        let complaint = refusal(.url, scalar("https://me:hunter2@example.org/"))
        #expect(complaint?.contains("hunter2") == false)
        #expect(complaint?.contains("user name or password") == true)
    }

    @Test("a settings object gives values, defaults and complaints with their place")
    func settings() throws {
        let every = Setting.durationRange(
            "every",
            summary: "How often to ask.",
            default: .seconds(300) ... .seconds(3600)
        )
        let kind = Setting.choice("kind", of: Mode.self, summary: "What to read.", isRequired: true)
        let url = Setting.url("url", summary: "Where.")
        #expect(every.defaultText == "5m..1h")
        #expect(kind.form == "one of latest, search, notifications")
        let position = SettingPosition(file: "roost.yaml", line: 7, column: 9)
        let settings = Settings(
            [.init(key: "kinds", position: position, value: scalar("search"))],
            path: "sources.blog",
            position: SettingPosition(file: "roost.yaml", line: 6, column: 3)
        )
        #expect(try settings.required(every) == .seconds(300) ... .seconds(3600))
        #expect(try settings.value(url) == nil)
        #expect(throws: SettingsError.self) { try settings.value(kind) }
        #expect {
            try settings.refuseUnknownKeys(known: ["every", "kind", "url"])
        } throws: { error in
            "\(error)" == "roost.yaml:7:9: sources.blog.kinds: unknown setting; did you mean `kind`?"
        }
    }
}

@Suite("Nearest name")
struct NearestNameTests {
    @Test(
        "a slip finds the name that was meant",
        arguments: [
            ("page_sise", "page_size"), ("Page-Size", "page_size"), ("evrey", "every"), ("ur", "url"),
            ("retentoin", "retention"),
            ("retnetion", "retention"), ("evry", "every"),
        ]
    )
    func slips(written: String, meant: String) {
        #expect(NearestName.of(written, in: ["page_size", "every", "url", "retention"]) == meant)
    }

    @Test("what is far from everything finds nothing", arguments: ["", "x", "completely", "pagination", "abc"])
    func far(written: String) {
        #expect(NearestName.of(written, in: ["page_size", "every", "url", "retention"]) == nil)
    }

    @Test("a very long name costs nothing and finds nothing")
    func long() {
        #expect(NearestName.of(String(repeating: "a", count: 1_000_000), in: ["page_size"]) == nil)
    }

    @Test("of equally near names the first wins")
    func first() {
        #expect(NearestName.of("cat", in: ["bat", "rat"]) == "bat")
    }
}
