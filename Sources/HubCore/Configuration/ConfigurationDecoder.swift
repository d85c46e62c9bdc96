import ConnectorKit
import Logging
import MessageBus
import SocialEvents

/// Turns setting nodes into a configuration and collects everything that is wrong on the way.
struct ConfigurationDecoder {
    let registry: ConnectorRegistry
    let secrets: SecretReferences
    private(set) var errors: [SettingsError] = []

    init(registry: ConnectorRegistry, secrets: SecretReferences) {
        self.registry = registry
        self.secrets = secrets
    }

    /// Decodes the whole file; what cannot be decoded is left at its default and complained about.
    mutating func decode(_ root: SettingNode) -> HubConfiguration {
        var configuration = HubConfiguration()
        guard var top = members(of: root, path: "") else { return configuration }
        let sections = ["webhooks", "log", "retention", "simulators", "accounts", "sources"]
        refuseUnknown(
            top,
            path: "",
            known: [HubSettings.data.name, HubSettings.listen.name] + sections,
            later: HubSettings.later
        )
        let own = top.filter { !sections.contains($0.key) }
        own.forEach { refuseReferences($0, path: "") }
        let settings = Settings(own, position: root.position)
        configuration.dataDirectory = value(HubSettings.data, settings) ?? configuration.dataDirectory
        configuration.listen = value(HubSettings.listen, settings) ?? configuration.listen
        top.removeAll { !sections.contains($0.key) }
        let webhooks = section("webhooks", of: top, WebhookSettings.all)
        configuration.webhooks = decodeWebhooks(webhooks)
        let log = section("log", of: top, [HubSettings.logLevel, HubSettings.logFormat])
        configuration.log.level = value(HubSettings.logLevel, log) ?? configuration.log.level
        configuration.log.format = value(HubSettings.logFormat, log) ?? configuration.log.format
        let retention = section("retention", of: top, [HubSettings.retentionAge, HubSettings.retentionSize])
        configuration.retention.age = value(HubSettings.retentionAge, retention) ?? nil
        configuration.retention.size = (value(HubSettings.retentionSize, retention) ?? nil).map { Int64($0) }
        configuration.simulators = decodeSimulators(top, listen: configuration.listen)
        let accounts = decodeAccounts(top, into: &configuration)
        // Names are unique in the file, but those that come from lists may meet them or each other.
        var names: Set<SourceName> = []
        var paths: [String: SourceName] = [:]
        for member in named("sources", of: top) {
            for source in decodeSource(member, accounts: accounts) {
                if !names.insert(source.name).inserted {
                    let message = "`\(source.name)` is the name of two sources; rename one of them"
                    complain(SettingsError(at: member.position, path: "sources.\(member.key)", message))
                }
                if let path = source.webhookPath, let other = paths[path] {
                    let message = "`\(path)` is the path of `\(other)` too; expected one of its own in `webhook_path`"
                    complain(SettingsError(at: member.position, path: "sources.\(member.key)", message))
                }
                if let path = source.webhookPath { paths[path] = source.name }
                configuration.sources.append(source)
            }
        }
        let port = configuration.webhooks.listen.port
        let ports = [configuration.listen.port] + configuration.simulators.map(\.port)
        // The listener is opened only where somebody is called.
        if !paths.isEmpty, port != 0, ports.contains(port) {
            let message = "port \(port) is used twice in this file; expected one of its own"
            complain(webhooks.error(WebhookSettings.listen.name, message))
        }
        return configuration
    }

    // MARK: Pieces

    mutating func complain(_ error: SettingsError) {
        errors.append(error)
    }

    /// The members of a map; nothing written counts as an empty one.
    mutating func members(of node: SettingNode, path: String) -> [SettingNode.Member]? {
        switch node.content {
        case .map(let members): return members
        case .null: return []
        default:
            complain(node.mismatch("a map of settings", path: path))
            return nil
        }
    }

    mutating func section(
        _ name: String,
        of top: [SettingNode.Member],
        _ known: [any SettingDescription],
        under parent: String = ""
    ) -> Settings {
        let path = join(parent, name)
        guard let member = top.first(where: { $0.key == name }), let members = members(of: member.value, path: path)
        else {
            return Settings(path: path)
        }
        refuseUnknown(members, path: path, known: known.map(\.name))
        members.forEach { refuseReferences($0, path: path) }
        return Settings(members, path: path, position: member.value.position)
    }

    /// The members of a map of names, those of wrong form complained about and left out.
    private mutating func named(_ section: String, of top: [SettingNode.Member]) -> [SettingNode.Member] {
        guard let member = top.first(where: { $0.key == section }),
            let members = members(of: member.value, path: section)
        else { return [] }
        return members.filter { member in
            if ConfiguredName.isValid(member.key) { return true }
            let nearest = ConfiguredName.nearest(to: member.key).map { "; did you mean `\($0)`?" } ?? ""
            complain(
                SettingsError(
                    at: member.position,
                    path: section,
                    "`\(member.key.prefix(80))` cannot be a name; expected \(ConfiguredName.form)\(nearest)"
                )
            )
            return false
        }
    }

    mutating func value<Value>(_ setting: Setting<Value>, _ settings: Settings) -> Value? {
        do {
            return try settings.value(setting)
        } catch {
            complain(error)
            return nil
        }
    }

    mutating func refuseUnknown(
        _ members: [SettingNode.Member],
        path: String,
        known: [String],
        later: [String] = []
    ) {
        for member in members where !known.contains(member.key) {
            let message: String
            if later.contains(member.key) {
                message = "`\(member.key)` is not available in this version; remove it"
            } else if let nearest = NearestName.of(member.key, in: known) {
                message = "unknown setting; did you mean `\(nearest)`?"
            } else {
                message = "unknown setting; known are: \(known.joined(separator: ", "))"
            }
            complain(SettingsError(at: member.position, path: join(path, member.key), message))
        }
    }

    private mutating func refuseReferences(_ member: SettingNode.Member, path: String) {
        secrets.refuse(in: member.value, path: join(path, member.key)) { errors.append($0) }
    }

    // MARK: Accounts

    struct Account {
        var connector: String
        var members: [SettingNode.Member]
    }

    /// The accounts, by name; one that could not be read is there with `nil`, so that its sources are not blamed for it.
    private mutating func decodeAccounts(
        _ top: [SettingNode.Member],
        into configuration: inout HubConfiguration
    ) -> [String: Account?] {
        var accounts: [String: Account?] = [:]
        for member in named("accounts", of: top) {
            let path = "accounts.\(member.key)"
            accounts[member.key] = .some(nil)
            guard let members = members(of: member.value, path: path) else { continue }
            let settings = Settings(members, path: path, position: member.value.position)
            guard let type = connector(settings, members, path: path) else { continue }
            let own = type.descriptor.settings
            refuseUnknown(members, path: path, known: [SourceSettings.connector.name, "budget"] + own.map(\.name))
            let shared = members.filter { $0.key != SourceSettings.connector.name && $0.key != "budget" }
            accounts[member.key] = Account(
                connector: type.descriptor.name,
                members: resolved(shared, of: own, path: path)
            )
            let budget = decodeBudget(members, of: type, path: path)
            configuration.accounts.append(AccountConfiguration(name: member.key, connector: type, budget: budget))
        }
        return accounts
    }

    private mutating func decodeBudget(
        _ members: [SettingNode.Member],
        of type: any Connector.Type,
        path parent: String
    ) -> BudgetConfiguration {
        let path = join(parent, "budget")
        guard let member = members.first(where: { $0.key == "budget" }),
            let parts = self.members(of: member.value, path: path)
        else { return BudgetConfiguration() }
        let list = type.descriptor.prices
        guard !list.isEmpty else {
            let message = "the connector `\(type.descriptor.name)` reads for free; remove the budget"
            complain(SettingsError(at: member.position, path: path, message))
            return BudgetConfiguration()
        }
        refuseUnknown(parts, path: path, known: AccountSettings.budget.map(\.name) + ["prices"])
        parts.forEach { refuseReferences($0, path: path) }
        let settings = Settings(parts, path: path, position: member.value.position)
        var budget = BudgetConfiguration(
            perDay: value(AccountSettings.perDay, settings),
            perMonth: value(AccountSettings.perMonth, settings)
        )
        if let prices = parts.first(where: { $0.key == "prices" }) {
            let kinds = self.members(of: prices.value, path: join(path, "prices")) ?? []
            refuseUnknown(kinds, path: join(path, "prices"), known: list.keys.sorted())
            let amounts = Settings(kinds, path: join(path, "prices"), position: prices.value.position)
            for kind in kinds where list[kind.key] != nil {
                budget.prices[kind.key] = value(Setting(kind.key, .money, summary: "What one read costs."), amounts)
            }
        }
        let amounts = Array(budget.prices.values) + list.values + [budget.perDay, budget.perMonth].compactMap(\.self)
        let currencies = Set(amounts.map(\.currency))
        if currencies.count > 1 {
            let message =
                "amounts of several currencies cannot be added: \(currencies.sorted().joined(separator: ", "))"
            complain(SettingsError(at: member.position, path: path, message))
        }
        return budget
    }

    // MARK: Sources

    private mutating func decodeSource(
        _ member: SettingNode.Member,
        accounts: [String: Account?]
    ) -> [SourceConfiguration] {
        let path = "sources.\(member.key)"
        guard let members = members(of: member.value, path: path) else { return [] }
        let settings = Settings(members, path: path, position: member.value.position)
        guard let type = connector(settings, members, path: path) else { return [] }
        let before = errors.count
        let common = SourceSettings.all.map(\.name)
        let own = type.descriptor.settings.filter { !common.contains($0.name) }
        refuseUnknown(members, path: path, known: common + own.map(\.name))

        let commonMembers = resolved(
            members.filter { common.contains($0.key) },
            of: SourceSettings.all,
            mayRefer: [SourceSettings.proxy.name],
            path: path
        )
        let commonSettings = Settings(commonMembers, path: path, position: member.value.position)
        var source = decodeCommon(commonSettings, type, member.key)
        let ownMembers = resolved(members.filter { !common.contains($0.key) }, of: own, path: path)
        let shared = account(of: settings, connector: type.descriptor.name, own: ownMembers, accounts, path: path)
        source.settings = Settings(ownMembers + shared, path: path, position: member.value.position)
        source.webhookPath = webhookPath(source, commonSettings)
        for setting in own { check(setting, source.settings) }
        // Only a source that is right in all its parts is shown to the connector, which would else complain about the same again.
        guard errors.count == before else { return [source] }
        let sources = expand(source, at: member.value.position)
        for source in sources { tryOut(source, at: member.value.position) }
        return sources
    }

    /// The sources that one stands for: itself, unless its connector knows better.
    private mutating func expand(_ source: SourceConfiguration, at position: SettingPosition) -> [SourceConfiguration] {
        guard let type = source.connector as? any SourceExpanding.Type else { return [source] }
        let path = "sources.\(source.name)"
        let files = secrets.files
        do {
            let parts = try type.expand(source.settings) { try files.read($0, YAMLReader.largestFile) }
            guard let parts else { return [source] }
            return try parts.map { part in
                guard ConfiguredName.isValidSuffix(part.nameSuffix) else {
                    let name = part.nameSuffix.prefix(80)
                    throw SettingsError(at: position, path: path, "`\(name)` cannot be a part of a source's name")
                }
                var expanded = source
                expanded.name = SourceName("\(source.name).\(part.nameSuffix)")
                if case .source = source.account { expanded.account = .source(expanded.name.name) }
                expanded.settings = part.settings
                if expanded.webhookPath != nil { expanded.webhookPath = "/\(expanded.name)" }
                return expanded
            }
        } catch let error as SettingsError {
            complain(error)
        } catch let problem as ConfigurationFiles.Problem {
            complain(SettingsError(at: position, path: path, problem.description))
        } catch {
            complain(SettingsError(at: position, path: path, StepFailure(error).reason))
        }
        return [source]
    }

    private mutating func decodeCommon(
        _ settings: Settings,
        _ type: any Connector.Type,
        _ name: String
    ) -> SourceConfiguration {
        var source = SourceConfiguration(
            name: SourceName(name),
            connector: type,
            interval: value(SourceSettings.every, settings) ?? type.descriptor.defaultInterval
        )
        source.deadline = value(SourceSettings.deadline, settings) ?? source.deadline
        source.isEnabled = value(SourceSettings.enabled, settings) ?? source.isEnabled
        source.priority = value(SourceSettings.priority, settings) ?? source.priority
        if let account = value(SourceSettings.account, settings) { source.account = .named(account) }
        source.network.allowsPrivateNetwork = value(SourceSettings.allowPrivateNetwork, settings) ?? false
        source.network.proxy = value(SourceSettings.proxy, settings)
        if let file = value(SourceSettings.caFile, settings) {
            source.network.certificateFile = file
            do {
                _ = try secrets.files.read(file, 8 << 20)
            } catch {
                let problem = (error as? ConfigurationFiles.Problem)?.description ?? "the file cannot be read"
                complain(settings.error(SourceSettings.caFile.name, "`\(file)`: \(problem)"))
            }
        }
        return source
    }

    /// The connector that `settings` name.
    private mutating func connector(
        _ settings: Settings,
        _ members: [SettingNode.Member],
        path: String
    ) -> (any Connector.Type)? {
        guard let name = value(SourceSettings.connector, settings) else { return nil }
        if let type = registry[name] { return type }
        let nearest =
            NearestName.of(name, in: registry.names).map { "did you mean `\($0)`?" }
            ?? "known are: \(registry.names.joined(separator: ", "))"
        complain(
            settings.error(SourceSettings.connector.name, "there is no connector `\(name.prefix(60))`; \(nearest)")
        )
        return nil
    }

    /// The members that a source takes over from its account.
    private mutating func account(
        of settings: Settings,
        connector: String,
        own: [SettingNode.Member],
        _ accounts: [String: Account?],
        path: String
    ) -> [SettingNode.Member] {
        guard let name = value(SourceSettings.account, settings) else { return [] }
        guard let known = accounts[name] else {
            let nearest =
                NearestName.of(name, in: accounts.keys.sorted()).map { "did you mean `\($0)`?" }
                ?? (accounts.isEmpty
                    ? "there are none" : "known are: \(accounts.keys.sorted().joined(separator: ", "))")
            complain(
                settings.error(SourceSettings.account.name, "there is no account `\(name.prefix(60))`; \(nearest)")
            )
            return []
        }
        guard let account = known else { return [] }
        guard account.connector == connector else {
            complain(
                settings.error(
                    SourceSettings.account.name,
                    "the account `\(name)` is for the connector `\(account.connector)`, this source uses `\(connector)`"
                )
            )
            return []
        }
        return account.members.filter { shared in
            guard let double = own.first(where: { $0.key == shared.key }) else { return true }
            complain(
                SettingsError(
                    at: double.position,
                    path: "\(path).\(double.key)",
                    "the account `\(name)` sets this already; remove it from one of the two"
                )
            )
            return false
        }
    }

    /// The members with their credentials in place; references elsewhere are complained about.
    private mutating func resolved(
        _ members: [SettingNode.Member],
        of settings: [any SettingDescription],
        mayRefer: [String] = [],
        path: String
    ) -> [SettingNode.Member] {
        members.map { member in
            guard mayRefer.contains(member.key) || settings.contains(where: { $0.name == member.key && $0.isSecret })
            else {
                refuseReferences(member, path: path)
                return member
            }
            var resolved = member
            do throws(SettingsError) {
                resolved.value = try secrets.resolve(member.value, path: join(path, member.key))
            } catch {
                complain(error)
                // Not there is better than there and wrong: the one complaint is enough.
                resolved.value = SettingNode(.secret(Secret("")), at: member.value.position)
            }
            return resolved
        }
    }

    private mutating func check(_ setting: any SettingDescription, _ settings: Settings) {
        if let error = (setting as? any CheckableSetting)?.complaint(about: settings) { complain(error) }
    }

    /// Lets the connector look at its settings as a whole.
    ///
    /// Making one has no effects, so this can be done offline.
    private mutating func tryOut(_ source: SourceConfiguration, at position: SettingPosition) {
        let context = ConnectorContext(
            source: source.name,
            http: NoHTTPClient(),
            clock: SystemClock(),
            logger: Logger(label: "roost.check") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            _ = try source.connector.init(settings: source.settings, context: context)
        } catch let error as SettingsError {
            complain(error)
        } catch {
            let reason = StepFailure(error).reason
            complain(SettingsError(at: position, path: "sources.\(source.name)", reason))
        }
    }

    private func join(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }
}

/// A setting that can be checked without knowing what it is decoded to.
private protocol CheckableSetting {
    /// What is wrong with it in `settings`.
    func complaint(about settings: Settings) -> SettingsError?
}

extension Setting: CheckableSetting {
    fileprivate func complaint(about settings: Settings) -> SettingsError? {
        do {
            _ = try settings.value(self)
            return nil
        } catch {
            return error
        }
    }
}

/// The client of a connector that is only tried out.
private struct NoHTTPClient: HTTPClient {
    func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        throw HTTPClientError(.shutDown, "the configuration is only being checked")
    }
}
