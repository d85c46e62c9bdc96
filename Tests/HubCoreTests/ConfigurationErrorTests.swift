import HubCore
import Testing

/// A fault in a configuration and what is said about it.
struct Fault: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var expected: [String]

    init(_ name: String, _ text: String, _ expected: String...) {
        self.name = name
        self.text = text
        self.expected = expected
    }

    var testDescription: String { name }
}

/// An account of a connector that costs money, with this in its budget.
private func budget(_ text: String) -> String {
    "accounts:\n  acme:\n    connector: priced\n    budget: { \(text) }\n"
}

private func source(_ lines: String) -> String {
    "sources:\n  blog:\n    connector: sample\n    url: https://example.org/feed\n" + lines
}

private let faults = [
    Fault(
        "a mistyped top-level key",
        "souces: {}\n",
        "hub.yaml:1:1: souces: unknown setting; did you mean `sources`?"
    ),
    Fault(
        "a top-level key like no other",
        "data: var\ncolour: blue\n",
        "hub.yaml:2:1: colour: unknown setting; known are: data, listen, webhooks, log, retention, simulators, accounts, sources"
    ),
    Fault(
        "two sources called on one path",
        "sources:\n  one: { connector: called }\n  two: { connector: called, webhook_path: /one }\n",
        "hub.yaml:3:3: sources.two: `/one` is the path of `one` too; expected one of its own in `webhook_path`"
    ),
    Fault(
        "a path that is none",
        "sources:\n  one: { connector: called, webhook_path: one?x=1 }\n",
        "hub.yaml:2:43: sources.one.webhook_path: expected a path such as /x/acme of letters, digits and - . _ ~ /, at most 200 long"
    ),
    Fault(
        "a path that climbs",
        "sources:\n  one: { connector: called, webhook_path: /x/../y }\n",
        "hub.yaml:2:43: sources.one.webhook_path: expected a path such as /x/acme of letters, digits and - . _ ~ /, at most 200 long"
    ),
    Fault(
        "a path for a source that nobody calls",
        source("    webhook_path: /blog\n"),
        "hub.yaml:5:19: sources.blog.webhook_path: this source is not told by webhook; remove it"
    ),
    Fault(
        "a listener on the API's port",
        "listen: 127.0.0.1:8081\nwebhooks: { body_size: 2MiB }\nsources:\n  one: { connector: called }\n",
        "hub.yaml:2:11: webhooks.listen: port 8081 is used twice in this file; expected one of its own"
    ),
    Fault(
        "a word of a later version",
        "rules: { let-down: { query: x } }\n",
        "hub.yaml:1:1: rules: `rules` is not available in this version; remove it"
    ),
    Fault("a list at the top", "- a\n- b\n", "hub.yaml:1:1: expected a map of settings, found a list"),
    Fault("an empty file", "# nothing\n", "hub.yaml:1:1: the file is empty; expected settings such as `sources:`"),
    Fault(
        "a listen address without a host",
        "listen: 8080\n",
        "hub.yaml:1:9: listen: expected an address and port such as 127.0.0.1:8080 or [::1]:8080, found \"8080\"; did you mean `127.0.0.1:8080`?"
    ),
    Fault(
        "a port out of range",
        "listen: localhost:80800\n",
        "hub.yaml:1:9: listen: expected an address and port such as 127.0.0.1:8080 or [::1]:8080, found \"localhost:80800\""
    ),
    Fault(
        "a list for a path",
        "data: [var]\n",
        "hub.yaml:1:7: data: expected a path such as ./subscriptions.opml (`~` is not expanded), found a list"
    ),
    Fault(
        "a log level that there is not",
        "log: { level: verbos }\n",
        "hub.yaml:1:15: log.level: expected one of trace, debug, info, notice, warning, error, critical, found \"verbos\""
    ),
    Fault(
        "a mistyped log format",
        "log: { format: jsn }\n",
        "hub.yaml:1:16: log.format: expected one of text, json, found \"jsn\"; did you mean `json`?"
    ),
    Fault(
        "a mistyped key in a section",
        "log:\n  levl: info\n",
        "hub.yaml:2:3: log.levl: unknown setting; did you mean `level`?"
    ),
    Fault("text for a section", "log: info\n", "hub.yaml:1:6: log: expected a map of settings, found \"info\""),
    Fault(
        "an age without a unit",
        "retention: { age: 30 }\n",
        "hub.yaml:1:19: retention.age: expected a duration such as 30s, 5m or 1h from 1m to 36525d, found \"30\"; did you mean `30s`?"
    ),
    Fault(
        "a size that is none",
        "retention:\n  size: lots\n",
        "hub.yaml:2:9: retention.size: expected a size such as 10MiB from 16MiB to 1024TiB, found \"lots\""
    ),
    Fault(
        "a source without its connector",
        "sources:\n  blog: { url: https://example.org }\n",
        "hub.yaml:2:9: sources.blog: `connector` is missing: The connector that reads it; `roost connectors` lists them. Expected text."
    ),
    Fault(
        "a connector that there is not",
        "sources:\n  blog: { connector: smaple }\n",
        "hub.yaml:2:22: sources.blog.connector: there is no connector `smaple`; did you mean `sample`?"
    ),
    Fault(
        "a connector like no other",
        "sources:\n  blog: { connector: gazette }\n",
        "hub.yaml:2:22: sources.blog.connector: there is no connector `gazette`; known are: called, list, other, priced, sample"
    ),
    Fault(
        "a mistyped setting of the connector",
        source("    limt: 5\n"),
        "hub.yaml:5:5: sources.blog.limt: unknown setting; did you mean `limit`?"
    ),
    Fault(
        "a number out of range",
        source("    limit: 1000\n"),
        "hub.yaml:5:12: sources.blog.limit: expected a whole number from 1 to 100, found \"1000\"; did you mean `100`?"
    ),
    Fault(
        "a setting of the connector that is missing",
        "sources:\n  blog:\n    connector: sample\n",
        "hub.yaml:3:5: sources.blog: `url` is missing: What to read. Expected an http or https URL such as https://example.org/feed."
    ),
    Fault(
        "settings that do not go together",
        source("    kind: search\n"),
        "hub.yaml:5:11: sources.blog.kind: `search` wants `tags`"
    ),
    Fault(
        "a range the wrong way round",
        source("    every: 1h..5m\n"),
        "hub.yaml:5:12: sources.blog.every: expected a range of durations such as 5m..1h within 100ms..30d, found \"1h..5m\"; did you mean `5m..1h`?"
    ),
    Fault(
        "a word for a flag",
        source("    enabled: yes\n"),
        "hub.yaml:5:14: sources.blog.enabled: expected true or false (YAML 1.2 knows no other words), found \"yes\"; did you mean `true`?"
    ),
    Fault(
        "a priority there is not",
        source("    priority: highest\n"),
        "hub.yaml:5:15: sources.blog.priority: expected one of low, normal, high, found \"highest\""
    ),
    Fault(
        "a budget without a currency",
        budget("per_day: 20"),
        "hub.yaml:4:24: accounts.acme.budget.per_day: expected an amount such as 20 USD or 0.005 USD, found \"20\"; did you mean `20 USD`?"
    ),
    Fault(
        "a budget in two currencies",
        budget("per_day: 20 EUR"),
        "hub.yaml:4:5: accounts.acme.budget: amounts of several currencies cannot be added: EUR, USD"
    ),
    Fault(
        "a price for what the platform does not sell",
        budget("prices: { posts: 1 USD }"),
        "hub.yaml:4:25: accounts.acme.budget.prices.posts: unknown setting; did you mean `post`?"
    ),
    Fault(
        "a budget where reading is free",
        "accounts:\n  acme:\n    connector: sample\n    budget: { per_day: 1 USD }\n",
        "hub.yaml:4:5: accounts.acme.budget: the connector `sample` reads for free; remove the budget"
    ),
    Fault(
        "a certificate file that is not there",
        source("    ca_file: missing.pem\n"),
        "hub.yaml:5:14: sources.blog.ca_file: `missing.pem`: there is no such file"
    ),
    Fault(
        "a proxy of an unknown kind",
        source("    proxy: ftp://example.org\n"),
        "hub.yaml:5:12: sources.blog.proxy: expected the URL of a proxy, beginning with one of http://, https://, socks4://, socks4a://, socks5://, socks5h://"
    ),
    Fault(
        "a password in a proxy's URL",
        source("    proxy: http://me:hunter2@example.org\n"),
        "hub.yaml:5:12: sources.blog.proxy: the URL holds a user name or password; write the whole URL into a variable and ${env:NAME} here"
    ),
    Fault(
        "a source's name of wrong form",
        "sources:\n  My Blog: { connector: sample }\n",
        "hub.yaml:2:3: sources: `My Blog` cannot be a name; expected 1 to 64 lower-case letters, digits, `-`, `_` or `.`, beginning with a letter or digit; did you mean `my-blog`?"
    ),
    Fault(
        "a credential written out",
        source("    token: hunter2\n"),
        "hub.yaml:5:12: sources.blog.token: a credential is not written into the configuration: write ${env:NAME} or ${file:PATH} instead"
    ),
    Fault(
        "a variable that there is not",
        source("    token: ${env:API_TOKN}\n"),
        "hub.yaml:5:12: sources.blog.token: the environment has no variable `API_TOKN`; did you mean `API_TOKEN`?"
    ),
    Fault(
        "an empty variable",
        source("    token: ${env:EMPTY}\n"),
        "hub.yaml:5:12: sources.blog.token: the environment variable `EMPTY` is empty"
    ),
    Fault(
        "a secret file that is not there",
        source("    token: ${file:/run/no}\n"),
        "hub.yaml:5:12: sources.blog.token: the credential in `/run/no` cannot be used: there is no such file"
    ),
    Fault(
        "a secret file that is too large",
        source("    token: ${file:/run/large}\n"),
        "hub.yaml:5:12: sources.blog.token: the credential in `/run/large` cannot be used: the file is larger than 65536 bytes"
    ),
    Fault(
        "a reference with words around it",
        source("    token: Bearer ${env:API_TOKEN}\n"),
        "hub.yaml:5:12: sources.blog.token: a reference stands alone: ${env:NAME} or ${file:PATH} and nothing before or after it"
    ),
    Fault(
        "a reference of an unknown kind",
        source("    token: ${vault:x}\n"),
        "hub.yaml:5:12: sources.blog.token: unknown reference; expected ${env:NAME} or ${file:PATH}"
    ),
    Fault(
        "a reference where no credential belongs",
        source("    tags: [\"${env:API_TOKEN}\"]\n"),
        "hub.yaml:5:12: sources.blog.tags[0]: references such as ${env:NAME} are for credentials only; write the value itself"
    ),
    Fault(
        "an account that there is not",
        "accounts:\n  acme: { connector: sample }\n" + source("    account: acm\n"),
        "hub.yaml:7:14: sources.blog.account: there is no account `acm`; did you mean `acme`?"
    ),
    Fault(
        "an account of another connector",
        "accounts:\n  acme: { connector: other, key: \"${env:API_TOKEN}\" }\n" + source("    account: acme\n"),
        "hub.yaml:7:14: sources.blog.account: the account `acme` is for the connector `other`, this source uses `sample`"
    ),
    Fault(
        "a setting in both source and account",
        "accounts:\n  acme: { connector: sample, limit: 5 }\n" + source("    account: acme\n    limit: 6\n"),
        "hub.yaml:8:5: sources.blog.limit: the account `acme` sets this already; remove it from one of the two"
    ),
    Fault(
        "the same source twice",
        "sources:\n  blog: { connector: sample, url: https://a.example }\n  news: { connector: sample, url: https://b.example }\n  blog: { connector: sample, url: https://c.example }\n",
        "hub.yaml:4:3: `blog` stands here again; it is set already at hub.yaml:2:3"
    ),
    Fault(
        "the same key twice in one line",
        "log: { level: info, \"format\": text, level: debug }\n",
        "hub.yaml:1:37: `level` stands here again; it is set already at hub.yaml:1:8"
    ),
    Fault(
        "several faults at once, repeated keys among them",
        "listen: here\nlisten: there\nsources:\n  blog:\n    connector: sample\n    url: example.org\n    limit: ten\n    kid: x\n  Blog: {}\n",
        "hub.yaml:1:9: listen: expected an address and port such as 127.0.0.1:8080 or [::1]:8080, found \"here\"",
        "hub.yaml:2:1: `listen` stands here again; it is set already at hub.yaml:1:1",
        "hub.yaml:6:10: sources.blog.url: expected an http or https URL such as https://example.org/feed, found \"example.org\"; did you mean `https://example.org`?",
        "hub.yaml:7:12: sources.blog.limit: expected a whole number from 1 to 100, found \"ten\"",
        "hub.yaml:8:5: sources.blog.kid: unknown setting; did you mean `kind`?",
        "hub.yaml:9:3: sources: `Blog` cannot be a name; expected 1 to 64 lower-case letters, digits, `-`, `_` or `.`, beginning with a letter or digit; did you mean `blog`?"
    ),
    Fault(
        "a list that is not there",
        "sources:\n  many: { connector: list, list: no.txt }\n",
        "hub.yaml:2:9: sources.many: there is no such file"
    ),
    Fault(
        "a list with a name of wrong form",
        "sources:\n  many: { connector: list, list: bad.txt }\n",
        "hub.yaml:2:9: sources.many: `No Name` cannot be a part of a source's name"
    ),
    Fault(
        "a list with a name that another source has",
        "sources:\n  many.a: { connector: list }\n  many: { connector: list, list: good.txt }\n",
        "hub.yaml:3:3: sources.many: `many.a` is the name of two sources; rename one of them"
    ),
    Fault(
        "a tab for indentation",
        "log:\n\tlevel: info\n",
        "hub.yaml:2:1: this is not YAML: found character that cannot start any token"
    ),
    Fault(
        "a bracket that is not closed",
        "log: { level: info\n",
        "hub.yaml:2:1: this is not YAML: did not find expected ',' or '}'"
    ),
    Fault(
        "a tag",
        "data: !path var\n",
        "hub.yaml:1:7: data: tags such as !path are not used here; write the plain value"
    ),
    Fault("a list as a key", "sources:\n  [a, b]: {}\n", "hub.yaml:2:3: sources: a key must be a plain word"),
    Fault("an alias without its anchor", "data: *here\n", "hub.yaml:1:7: this is not YAML: found undefined alias"),
]

@Suite("Faults in a configuration")
struct ConfigurationErrorTests {
    @Test("Each fault is told with file, line, column, path and what was expected", arguments: faults)
    func fault(_ fault: Fault) {
        let files = [
            "/run/large": [UInt8](repeating: 0x61, count: 70_000), "good.txt": Array("a\nb\n".utf8),
            "bad.txt": Array("No Name\n".utf8),
        ]
        let found = complaints(fault.text, environment: ["API_TOKEN": "s3cret", "EMPTY": ""], files: files)
        #expect(found == fault.expected)
    }

    @Test("A file that is not there is a matter of the environment, not of what is written")
    func missingFile() {
        #expect {
            _ = try HubConfiguration.load(path: "no/such.yaml", registry: sampleRegistry, environment: [:])
        } throws: { error in
            guard let error = error as? ConfigurationErrors else { return false }
            return error.kind == .unreadable && error.description == "no/such.yaml: there is no such file"
        }
    }

    @Test("A directory is refused as a configuration")
    func directory() {
        #expect(throws: ConfigurationErrors.self) {
            _ = try HubConfiguration.load(path: "/", registry: sampleRegistry, environment: [:])
        }
    }

    @Test("A few lines of aliases to aliases do not stand for billions of values", .timeLimit(.minutes(1)))
    func aliasBomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let found = complaints(text)
        #expect(found.contains { $0.contains("more than 250000 values, aliases followed") })
    }

    @Test(
        "An alias bomb as a key is refused before it is followed",
        .timeLimit(.minutes(1)),
        arguments: [
            "? *a9\n: x\n", "*a9 : x\n", "{ [*a9]: x }\n", "m: { *a9: x }\n", "m: { k, [*a9]:x }\n",
        ]
    )
    func aliasBombAsKey(last: String) {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let found = complaints(text + last)
        #expect(found == ["hub.yaml:11:1: a key must be a plain word; a value that only looks like one wants quotes"])
    }

    @Test("Deep nesting is refused, not recursed into")
    func deep() {
        let text = "data: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(complaints(text).contains { $0.contains("nested more than 32 deep") })
        let deeper = "data: " + String(repeating: "[", count: 100_000)
        #expect(complaints(deeper).count == 1)
    }
}
