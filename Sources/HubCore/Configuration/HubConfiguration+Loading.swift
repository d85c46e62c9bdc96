import ConnectorKit

extension HubConfiguration {
    /// Reads and checks a configuration file.
    ///
    /// Everything is strict: unknown keys, wrong types, missing or unreadable credentials, repeated keys and names of wrong form are all reported,
    /// each with its place. Credentials are read here, once. Nothing is written and no network is touched. Relative paths, in the file and of the
    /// file, count from the working directory.
    ///
    /// - Parameters:
    ///   - path: the file, as the operator named it; complaints name it so.
    ///   - registry: the connectors that there are.
    ///   - environment: the variables that `${env:NAME}` may refer to.
    ///   - files: reads the file itself and what `${file:PATH}` refers to.
    /// - Returns: the configuration.
    /// - Throws: ``ConfigurationErrors`` with every complaint.
    package static func load(
        path: String,
        registry: ConnectorRegistry,
        environment: [String: String],
        files: ConfigurationFiles = .disk
    ) throws(ConfigurationErrors) -> HubConfiguration {
        let text = try readText(path, files)
        let (root, formErrors) = YAMLReader.read(text, file: path)
        guard let root else { throw ConfigurationErrors(.invalid, formErrors) }
        var decoder = ConfigurationDecoder(
            registry: registry,
            secrets: SecretReferences(environment: environment, files: files)
        )
        let configuration = decoder.decode(root)
        let errors = (formErrors + decoder.errors).sorted {
            ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column)
        }
        guard errors.isEmpty else { throw ConfigurationErrors(.invalid, errors) }
        return configuration
    }

    private static func readText(_ path: String, _ files: ConfigurationFiles) throws(ConfigurationErrors) -> String {
        func complaint(_ message: String) -> [SettingsError] {
            [SettingsError(at: SettingPosition(file: path), path: "", message)]
        }
        let bytes: [UInt8]
        do {
            bytes = try files.read(path, YAMLReader.largestFile)
        } catch {
            let problem = error as? ConfigurationFiles.Problem
            throw ConfigurationErrors(.unreadable, complaint(problem?.description ?? "the file cannot be read"))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationErrors(.invalid, complaint("the file is not UTF-8 text"))
        }
        return text
    }
}
