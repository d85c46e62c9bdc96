import ConnectorKit
import JSON
import MetaGraph
import SocialEvents
import Testing

struct MetaSettingsTests {
    private static func plain(_ key: String, _ value: String) -> SettingNode.Member {
        SettingNode.Member(key: key, position: SettingPosition(), value: SettingNode(.scalar(value, isQuoted: false)))
    }

    private static func secret(_ key: String) -> SettingNode.Member {
        SettingNode.Member(key: key, position: SettingPosition(), value: SettingNode(.secret(Secret(key))))
    }

    @Test(
        "A version is v and two numbers",
        arguments: ["v24", "24.0", "v24.", "v.0", "vx.y", "v24.0.1", "v2 4.0", "v99999.0"]
    )
    func versions(text: String) throws {
        #expect { try MetaSettings.version(in: Settings([Self.plain("graph_version", text)])) } throws: {
            ($0 as? SettingsError)?.path == "graph_version"
        }
        #expect(try MetaSettings.version(in: Settings([Self.plain("graph_version", "v9.0")])) == "v9.0")
        #expect(try MetaSettings.version(in: Settings([])) == "v24.0")
    }

    @Test("A verify token or an older secret is of no use without the secret")
    func webhook() throws {
        for name in ["verify_token", "previous_app_secret"] {
            #expect { try MetaSettings.webhook(in: Settings([Self.secret(name)])) } throws: {
                ($0 as? SettingsError)?.path == name
            }
        }
        #expect(try MetaSettings.webhook(in: Settings([])) == nil)
        let both = try MetaSettings.webhook(
            in: Settings([Self.secret("app_secret"), Self.secret("previous_app_secret")])
        )
        #expect(both?.appSecrets.count == 2)
    }

    @Test("Values of a payload are read within bounds")
    func values() throws {
        func value<Value>(_ text: String, _ read: (JSONValue?) -> Value) throws -> Value {
            try JSONParser().parse("{\"v\":\(text)}") { read($0["v"]) }
        }
        #expect(try value("\"17\"", MetaValue.id) == "17")
        #expect(try value("17841405822304914", MetaValue.id) == "17841405822304914")
        for none in ["\"\"", "0", "\"0\"", "null", "true", "{}", "1.5"] {
            #expect(try value(none, MetaValue.id) == nil)
        }
        #expect(try value("-1", MetaValue.count) == nil)
        #expect(try value("5", MetaValue.count) == 5)
        #expect(try value("\"https://a.example/b\"", MetaValue.address) == "https://a.example/b")
        for none in ["\"https:/a\"", "\"javascript:alert(1)\"", "\"https://a b\"", "\"http://\"", "\"IMAGE_URL\"", "7"]
        {
            #expect(try value(none, MetaValue.address) == nil)
        }
        let long = String(repeating: "é", count: EventLimits.text)
        var loss: [Loss] = []
        let words = try value("\"\(long)\"") { MetaValue.words($0, "text", &loss) }
        #expect(words?.utf8.count == EventLimits.text && loss.map(\.reason) == [.truncated])
        #expect(try value("\"\(long)\"", MetaValue.phrase)?.utf8.count == EventLimits.phrase)
    }
}
