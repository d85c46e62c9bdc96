import ConnectorKit
import SocialEvents

extension ConnectorContract {
    /// The descriptor says all that an operator needs: names in the right form, a sentence for each setting, defaults that fit.
    public func describesItself() throws {
        let promise = "the descriptor describes the connector"
        let descriptor = type.descriptor
        func isName(_ name: String, _ hyphen: Character) -> Bool {
            guard let first = name.first, ("a"..."z").contains(first) else { return false }
            return name.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == hyphen }
        }
        func isSentence(_ text: String) -> Bool { text.hasSuffix(".") && text.count > 5 }
        guard isName(descriptor.name, "-") else { throw ContractFailure(promise, "its name is \"\(descriptor.name)\"") }
        guard isSentence(descriptor.summary) else { throw ContractFailure(promise, "its summary is no sentence") }
        guard descriptor.defaultInterval.lowerBound > .zero else {
            throw ContractFailure(promise, "its default interval begins at zero")
        }
        var seen: Set<String> = []
        for setting in descriptor.settings {
            guard isName(setting.name, "_") else {
                throw ContractFailure(promise, "a setting is named \"\(setting.name)\"")
            }
            guard seen.insert(setting.name).inserted else {
                throw ContractFailure(promise, "`\(setting.name)` stands twice")
            }
            guard isSentence(setting.summary) else {
                throw ContractFailure(promise, "the summary of `\(setting.name)` is no sentence")
            }
            guard !setting.form.isEmpty else {
                throw ContractFailure(promise, "`\(setting.name)` does not say its form")
            }
            guard !(setting.isRequired && setting.defaultText != nil) else {
                throw ContractFailure(promise, "`\(setting.name)` is required and has a default")
            }
            guard !(setting.isSecret && setting.defaultText != nil) else {
                throw ContractFailure(promise, "the credential `\(setting.name)` has a default")
            }
        }
        do {
            try Settings(settings).refuseUnknownKeys(known: descriptor.settings.map(\.name))
        } catch {
            throw ContractFailure(promise, "it does not list a setting of the contract: \(error)")
        }
    }

    /// Building makes no request and starts no sleep, so that a configuration can be checked offline.
    public func buildsWithoutEffects() throws {
        let promise = "building has no effects"
        let run: Run
        do {
            run = try self.run()
        } catch {
            throw ContractFailure(promise, "the good settings were refused: \(error)")
        }
        guard run.http.requests.isEmpty else {
            throw ContractFailure(promise, "it asked for \(run.http.requests.map(\.url))")
        }
        guard run.clock.sleeperCount == 0 else { throw ContractFailure(promise, "it sleeps") }
    }

    /// A setting that is missing though required, of the wrong kind, or a credential written out is refused at its place, without repeating credentials.
    public func refusesBadSettings() throws {
        let position = SettingPosition(file: "contract.yaml", line: 2, column: 3)
        for setting in type.descriptor.settings {
            let others = settings.filter { $0.key != setting.name }
            if setting.isRequired {
                try refuses(others, "a missing required setting is refused", naming: setting.name)
            }
            let map = SettingNode(.map([.init(key: "a", position: position, value: SettingNode(.null))]), at: position)
            let wrong = SettingNode.Member(key: setting.name, position: position, value: map)
            try refuses(others + [wrong], "a setting of the wrong kind is refused", naming: setting.name)
            if setting.isSecret {
                let literal = SettingNode(.scalar(Self.marker, isQuoted: true), at: position)
                let written = SettingNode.Member(key: setting.name, position: position, value: literal)
                try refuses(others + [written], "a credential written out is refused", naming: setting.name)
            }
        }
    }

    private func refuses(_ settings: [SettingNode.Member], _ promise: String, naming name: String) throws {
        do {
            _ = try run(settings)
        } catch let error as SettingsError {
            guard error.description.contains(name) else {
                throw ContractFailure(promise, "the complaint does not name `\(name)`: \(error)")
            }
            guard !error.description.contains(Self.marker) else {
                throw ContractFailure(promise, "the complaint about `\(name)` repeats the credential")
            }
            return
        } catch {
            throw ContractFailure(promise, "`\(name)` gave \(Swift.type(of: error)) instead of a SettingsError")
        }
        throw ContractFailure(promise, "`\(name)` was accepted")
    }
}
