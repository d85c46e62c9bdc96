/// Finds and writes the place of a value for an error.
///
/// It walks the tape from its root, so that reading has nothing to keep track of.
enum JSONPath {
    /// Longer names are cut, deeper paths shortened in the middle, so that a hostile payload cannot fill a log.
    private static let maximumNameLength = 48
    private static let maximumComponents = 24

    /// `data.urls[3]` and `start` make `data.urls[3].start`.
    static func join(_ path: String, _ component: String) -> String {
        path.isEmpty || component.hasPrefix("[") ? path + component : "\(path).\(component)"
    }

    /// A member's name as it stands in a path: bare where it reads as a name, else in brackets and quotes.
    static func component(_ name: String) -> String {
        var text = ""
        var isPlain = !name.isEmpty
        for (position, scalar) in name.unicodeScalars.enumerated() {
            guard position < maximumNameLength else {
                text += "…"
                break
            }
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "$":
                text.unicodeScalars.append(scalar)
            default:
                isPlain = false
                text.unicodeScalars.append(isPrintable(scalar) ? scalar : "\u{FFFD}")
            }
        }
        return isPlain ? text : "[\"\(text)\"]"
    }

    /// Control and format characters could forge lines or turn the text round in a terminal.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: false
        default: scalar != "\""
        }
    }

    /// The path of the value at an index of the tape that `root` is part of.
    static func path(to target: Int, root: JSONValue) -> String {
        var components: [String] = []
        var place = root
        while place.index < target {
            guard let (component, child) = child(of: place, holding: target) else { break }
            components.append(component)
            place = child
        }
        let excess = components.count - maximumComponents
        if excess > 0 {
            components.replaceSubrange(maximumComponents / 2..<maximumComponents / 2 + excess, with: ["…"])
        }
        return components.reduce("", join)
    }

    private static func child(of place: JSONValue, holding target: Int) -> (String, JSONValue)? {
        switch place.kind {
        case .object:
            for (key, value) in place.members where target < value.after(value.index) {
                return (component(key.string), value)
            }
        case .array:
            for (position, value) in place.elements.enumerated() where target < value.after(value.index) {
                return ("[\(position)]", value)
            }
        default:
            break
        }
        return nil
    }
}

extension JSONValue {
    /// Where the value stands in its document, such as `data.entities.urls[3].start`; empty for the root.
    ///
    /// Found by walking the document up to here: meant for errors. Names are cut at 48 characters.
    public var path: String {
        JSONPath.path(to: index, root: at(1))
    }
}
