import ConnectorKit
import HubCore
import Logging
import MessageBus
import SocialEvents
import Testing

@Suite("A good configuration")
struct ConfigurationTests {
    private let full = """
        data: /srv/roost
        listen: "[::1]:9000"
        log: { level: debug, format: json }
        retention: { age: 7d, size: none }
        accounts:
          acme:
            connector: sample
            token: ${env:TOKEN}
            limit: 5
        sources:
          first:
            connector: sample
            account: acme
            url: https://example.org/feed
            every: 5m..1h
            allow_private_network: true
            proxy: ${file:/run/proxy}
            ca_file: ca.pem
            deadline: 20s
            enabled: false
          second: { connector: sample, url: https://example.net/ }
        """

    @Test("Every setting arrives where it belongs")
    func everySetting() throws {
        let configuration = try load(
            full,
            environment: ["TOKEN": "s3cret"],
            files: ["/run/proxy": Array("http://me:pw@proxy.example:3128\n".utf8), "ca.pem": []]
        )
        #expect(configuration.dataDirectory == "/srv/roost")
        #expect(configuration.listen == ListenAddress(host: "::1", port: 9000))
        #expect(configuration.log == LogConfiguration(level: .debug, format: .json))
        #expect(configuration.retention.age == .seconds(7 * 86_400))
        #expect(configuration.retention.size == nil)
        let first = try #require(configuration.sources.first)
        #expect(first.name == SourceName("first"))
        #expect(first.interval == .seconds(300) ... .seconds(3600))
        #expect(first.deadline == .seconds(20))
        #expect(!first.isEnabled)
        #expect(first.network.allowsPrivateNetwork)
        #expect(first.network.proxy?.reveal() == "http://me:pw@proxy.example:3128")
        #expect(first.network.certificateFile == "ca.pem")
        #expect(try first.settings.value(SampleConnector.token)?.reveal() == "s3cret")
        #expect(try first.settings.value(SampleConnector.limit) == 5)
    }

    @Test("What is not written has its documented default")
    func defaults() throws {
        let configuration = try load("sources:\n  a: { connector: sample, url: https://example.org }\n")
        #expect(configuration.dataDirectory == "./var")
        #expect(configuration.listen.description == "127.0.0.1:8080")
        #expect(configuration.log == LogConfiguration())
        #expect(configuration.retention.age == .seconds(30 * 86_400))
        #expect(configuration.retention.size == 10 << 30)
        let source = try #require(configuration.sources.first)
        #expect(source.interval == SampleConnector.descriptor.defaultInterval)
        #expect(source.deadline == SourceSettings.defaultDeadline)
        #expect(source.isEnabled)
        #expect(source.network == SourceNetwork())
    }

    @Test(
        "A line end after a secret in a file is no part of it, whichever the editor wrote",
        arguments: ["", "\n", "\r\n"]
    )
    func trailingNewline(end: String) throws {
        let configuration = try load(
            "sources:\n  a: { connector: sample, url: https://example.org, token: \"${file:t}\" }\n",
            files: ["t": Array(("s3cret \n" + "x" + end).utf8)]
        )
        #expect(try configuration.sources.first?.settings.value(SampleConnector.token)?.reveal() == "s3cret \nx")
    }

    @Test("Sources share settings through anchors and merge keys, their own coming first")
    func mergeKeys() throws {
        let configuration = try load(
            """
            sources:
              a: &a { connector: sample, url: "https://example.org/?a=1&b=2", limit: 7, every: 5m }
              b: { <<: *a, url: https://example.net, every: 6m }
              c:
                <<: *a
            """
        )
        #expect(configuration.sources.map(\.name.name) == ["a", "b", "c"])
        #expect(configuration.sources[1].interval == .seconds(360) ... .seconds(360))
        #expect(try configuration.sources[1].settings.value(SampleConnector.url) == "https://example.net")
        #expect(try configuration.sources[1].settings.value(SampleConnector.limit) == 7)
        #expect(try configuration.sources[2].settings.value(SampleConnector.url) == "https://example.org/?a=1&b=2")
    }

    @Test("A source that is a list becomes one source for each, with the host's settings of the one written")
    func lists() throws {
        let configuration = try load(
            "sources:\n  many: { connector: list, list: names.txt, every: 7m }\n  one: { connector: list }\n",
            files: ["names.txt": Array("a\nb\n".utf8)]
        )
        #expect(configuration.sources.map(\.name.name) == ["many.a", "many.b", "one"])
        #expect(configuration.sources.map(\.interval.lowerBound) == [.seconds(420), .seconds(420), .seconds(60)])
    }

    @Test(
        "A source that is called has a path of its own name unless told otherwise, and the listener an address of its own"
    )
    func webhooks() throws {
        let text = """
            listen: 127.0.0.1:8081
            webhooks: { listen: 127.0.0.1:9000, public_url: https://hooks.example.org/, body_size: 2MiB }
            sources:
              acme: { connector: called }
              other: { connector: called, webhook_path: /x/other }
              blog: { connector: sample, url: https://example.org/feed }
            """
        let configuration = try load(text)
        #expect(configuration.sources.map(\.webhookPath) == ["/acme", "/x/other", nil])
        let expected = WebhookConfiguration(
            listen: ListenAddress(host: "127.0.0.1", port: 9000),
            publicURL: "https://hooks.example.org",
            bodySize: 2 << 20
        )
        #expect(configuration.webhooks == expected)
        #expect(try load("listen: 127.0.0.1:8081\n").webhooks == WebhookConfiguration(), "nobody is called")
    }

    @Test("Five thousand sources are read in a moment", .timeLimit(.minutes(1)))
    func manySources() throws {
        var text = "sources:\n"
        for number in 1...5000 {
            text += "  feed-\(number): { connector: sample, url: https://example.org/\(number)/feed, every: 5m..1h }\n"
        }
        #expect(try load(text).sources.count == 5000)
    }

    @Test("Every setting of the hub says what it does and what may be written")
    func documented() {
        for section in HubSettings.sections {
            #expect(section.summary.hasSuffix("."))
            for setting in section.settings {
                #expect(setting.summary.hasSuffix("."), "\(setting.name)")
                #expect(!setting.form.isEmpty, "\(setting.name)")
            }
        }
    }

    @Test("No credential is printed by anything that holds a configuration")
    func secretsStayHidden() throws {
        let configuration = try load(
            full,
            environment: ["TOKEN": "s3cret-token"],
            files: ["/run/proxy": Array("http://me:s3cret-proxy@proxy.example:3128\n".utf8), "ca.pem": []]
        )
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in [
            dumped, String(describing: configuration), String(reflecting: configuration), "\(configuration.sources)",
        ] {
            #expect(!text.contains("s3cret"))
        }
        #expect(dumped.contains("first"), "the dump shows the configuration at all")
    }

    @Test("No complaint repeats a credential, wherever it was written")
    func complaintsHideSecrets() {
        let texts = [
            "sources:\n  a: { connector: sample, url: https://example.org, token: s3cret }\n",
            "sources:\n  a: { connector: sample, url: https://example.org, token: [s3cret] }\n",
            "sources:\n  a: { connector: sample, url: https://example.org, tokn: s3cret }\n",
            "sources:\n  a: { connector: sample, url: \"https://me:s3cret@example.org\" }\n",
            "sources:\n  a: { connector: sample, url: https://example.org, proxy: \"http://me:s3cret@example.org\" }\n",
            "sources:\n  a: { connector: sample, url: https://example.org, proxy: \"${env:TOKEN}\" }\n",
            "sources:\n  a: { connector: sample, url: https://example.org, url: \"${env:TOKEN}\" }\n",
            "sources:\n  a: { connector: sample, url: \"${env:TOKEN}\" }\n",
            "sources:\n  a: { connector: sample, token: \"${env:TOKEN}\" }\n",
            "sources:\n  a: { connector: sample, url: https://example.org, token: \"${file:secret}\" }\n",
            "sources:\n  a: { connector: sample, token: s3cret, token: s3cret }\n",
            "sources:\n  a: { connector: sample, token: s3cret\n",
        ]
        for text in texts {
            let found = complaints(
                text,
                environment: ["TOKEN": "s3cret"],
                files: ["secret": Array("s3cret".utf8) + [0xff]]
            )
            #expect(!found.isEmpty, "\(text)")
            #expect(!found.joined().contains("s3cret"), "\(text)")
        }
    }
}
