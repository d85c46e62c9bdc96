public import HTTPTypes

extension HTTPFields {
    /// The value of a field by its name in any case, several joined by `, `; `nil` when there is none.
    ///
    /// - Parameter name: such as `X-RateLimit-Reset`.
    /// - Returns: the value.
    public func value(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { self[$0] }
    }

    /// Every value of a field by its name in any case, in their order.
    ///
    /// - Parameter name: such as `Link`.
    /// - Returns: the values, none when the field is absent.
    public func values(_ name: String) -> [String] {
        HTTPField.Name(name).map { self[values: $0] } ?? []
    }
}
