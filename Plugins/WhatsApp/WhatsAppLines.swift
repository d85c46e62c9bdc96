import JSON
import MetaGraph
import SocialEvents

/// Writes as text what has no words of its own.
enum WhatsAppLines {
    /// A place: name, address, latitude and longitude, its page; a line each.
    static func location(_ place: JSONValue) -> String {
        var lines: [String] = []
        if let name = WhatsAppValue.phrase(place["name"]) { lines.append(name) }
        if let address = WhatsAppValue.phrase(place["address"]) { lines.append(address) }
        if let latitude = WhatsAppValue.decimal(place["latitude"]),
            let longitude = WhatsAppValue.decimal(place["longitude"])
        {
            lines.append("\(latitude), \(longitude)")
        }
        if let url = MetaValue.address(place["url"]) { lines.append(url) }
        return lines.joined(separator: "\n")
    }

    /// Contacts: a line for each, its name and what it can be reached by.
    static func contacts(_ contacts: JSONElements) -> String {
        var lines: [String] = []
        for contact in contacts {
            let name = contact["name"]
            let parts = [name?["first_name"], name?["last_name"]].compactMap { WhatsAppValue.phrase($0) }
            let shown = WhatsAppValue.phrase(name?["formatted_name"]) ?? parts.joined(separator: " ")
            var ways: [String] = []
            for phone in contact["phones"]?.sequence ?? [] {
                if let number = WhatsAppValue.phrase(phone["phone"] ?? phone["wa_id"]) { ways.append(number) }
            }
            for mail in contact["emails"]?.sequence ?? [] {
                if let address = WhatsAppValue.phrase(mail["email"]) { ways.append(address) }
            }
            if let company = WhatsAppValue.phrase(contact["org"]?["company"]) { ways.append(company) }
            let line = [shown, ways.joined(separator: ", ")].filter { !$0.isEmpty }.joined(separator: ": ")
            if !line.isEmpty { lines.append(line) }
        }
        return lines.joined(separator: "\n")
    }

    /// An order: the words with it, then a line for each product.
    static func order(_ order: JSONValue) -> String {
        var lines: [String] = []
        if let words = WhatsAppValue.phrase(order["text"]) { lines.append(words) }
        for product in order["product_items"]?.sequence ?? [] {
            var line = WhatsAppValue.decimal(product["quantity"]).map { "\($0) × " } ?? ""
            line += WhatsAppValue.native(product["product_retailer_id"]) ?? "?"
            if let price = WhatsAppValue.decimal(product["item_price"]) {
                line += " (\(price)\(WhatsAppValue.phrase(product["currency"]).map { " \($0)" } ?? ""))"
            }
            lines.append(line)
        }
        if let catalogue = WhatsAppValue.native(order["catalog_id"]) { lines.append("catalog_id: \(catalogue)") }
        return lines.joined(separator: "\n")
    }

    /// Any value: a line for each of its parts that is no list or object, `path: value`, in the payload's own words.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - leftOut: its members that are told elsewhere.
    /// - Returns: the lines, at most ``EventLimits/phrase`` bytes of them.
    static func text(of value: JSONValue, leavingOut leftOut: [StaticString] = []) -> String {
        WhatsAppValue.bounded(uncut(value, leavingOut: leftOut))
    }

    /// The same with what the last line has too many: at most twice as long, whatever the payload.
    static func uncut(_ value: JSONValue, leavingOut leftOut: [StaticString] = []) -> String {
        var writer = Writer()
        for (key, member) in value.members where !leftOut.contains(where: { key == $0 }) {
            writer.write(member, key.string)
        }
        if value.kind != .object { writer.write(value, "") }
        return writer.text
    }

    private struct Writer {
        var text = ""

        mutating func write(_ value: JSONValue, _ path: String) {
            // What would be cut is not written, so that no payload makes much work.
            guard text.utf8.count <= EventLimits.phrase, path.utf8.count <= 1000 else { return }
            switch value.kind {
            case .object:
                for (key, member) in value.members {
                    write(member, path.isEmpty ? key.string : "\(path).\(key.string)")
                }
            case .array:
                for (index, element) in value.elements.enumerated() { write(element, "\(path)[\(index)]") }
            case .string: line(path, WhatsAppValue.phrase(value))
            case .number: line(path, WhatsAppValue.decimal(value))
            case .boolean: line(path, value.bool.map { "\($0)" })
            case .null: break
            }
        }

        private mutating func line(_ path: String, _ value: String?) {
            guard let value else { return }
            if !text.isEmpty { text += "\n" }
            text += path.isEmpty ? value : "\(path): \(value)"
        }
    }
}
