extension Settings {
    /// Refuses settings that are written for a source of another kind, which would otherwise be passed over in silence.
    ///
    /// - Parameters:
    ///   - owners: settings by name, with the kinds they are for; those for every kind are left out.
    ///   - kind: the source's kind.
    /// - Throws: ``SettingsError`` at the first one that is not for the kind.
    public func refuse<Kind: RawRepresentable & Hashable>(
        _ owners: [(name: String, kinds: Set<Kind>)],
        for kind: Kind
    ) throws(SettingsError) where Kind.RawValue == String {
        for owner in owners where contains(owner.name) && !owner.kinds.contains(kind) {
            throw error(owner.name, "is not for sources of kind `\(kind.rawValue)`; remove it")
        }
    }
}
