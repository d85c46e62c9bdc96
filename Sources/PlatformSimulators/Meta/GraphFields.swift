/// What `fields=` asks for: `id,caption,comments.limit(3){text,from},mentioned_media.media_id(17){caption}`.
struct GraphFields: Hashable {
    /// One field, with its arguments and what is asked of it.
    struct Field: Hashable {
        var name: String
        var arguments: [String: String] = [:]
        var fields = GraphFields(all: [])
    }

    /// The fields in their order.
    var all: [Field]

    init(all: [Field]) { self.all = all }

    /// The fields that a text names.
    init(_ text: String) {
        var rest = Substring(text)
        all = Self.list(&rest)
    }

    /// The field of that name.
    subscript(_ name: String) -> Field? { all.first { $0.name == name } }

    private static func list(_ rest: inout Substring) -> [Field] {
        var fields: [Field] = []
        while !rest.isEmpty, rest.first != "}" {
            let name = rest.prefix { !",.{}".contains($0) }
            rest = rest.dropFirst(name.count)
            var field = Field(name: String(name))
            while rest.first == "." {
                let argument = rest.dropFirst().prefix { $0 != "(" }
                rest = rest.dropFirst(argument.count + 2)
                let value = rest.prefix { $0 != ")" }
                rest = rest.dropFirst(value.count + 1)
                field.arguments[String(argument)] = String(value)
            }
            if rest.first == "{" {
                rest = rest.dropFirst()
                field.fields = GraphFields(all: list(&rest))
                rest = rest.dropFirst()
            }
            if !field.name.isEmpty { fields.append(field) }
            if rest.first == "," { rest = rest.dropFirst() }
        }
        return fields
    }
}

extension GraphValue {
    /// Of an object, its `id` and what was asked for; of a list, that of each element.
    func selecting(_ fields: GraphFields) -> GraphValue {
        switch self {
        case .array(let elements): return .array(elements.map { $0.selecting(fields) })
        case .object(let members):
            // An edge: {data: [...], paging: {...}}.
            if case .array(let data) = self["data"] {
                return .object(
                    members.map {
                        $0.name == "data" ? Member(name: "data", value: GraphValue.array(data).selecting(fields)) : $0
                    }
                )
            }
            var selected = members.filter { $0.name == "id" }
            for field in fields.all where field.name != "id" {
                let value = self[field.name]
                guard value != .absent else { continue }
                selected.append(
                    Member(name: field.name, value: field.fields.all.isEmpty ? value : value.selecting(field.fields))
                )
            }
            return .object(selected)
        default: return self
        }
    }
}
