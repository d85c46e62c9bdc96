public import SocialEvents

/// Dates as HTTP writes them (RFC 9110 §5.6.7), all three forms a recipient must read.
public enum HTTPDate {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let dayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    /// The moment a date names.
    ///
    /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`; names in any case, the day of the
    /// week unchecked, `UTC` and `+0000` for `GMT`. A year of two digits that would lie more than 50 years after `now` is taken from the century before.
    ///
    /// - Parameters:
    ///   - text: the field's value.
    ///   - now: the time now, for years of two digits.
    /// - Returns: `nil` for everything else, dates that do not exist among it.
    public static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        guard text.utf8.count <= 64 else { return nil }
        let words = text.lowercased().split { $0 == " " || $0 == "," }
        switch words.count {
        case 6 where isZone(words[5]):
            return moment(day: words[1], month: words[2], year: words[3], time: words[4])
        case 4 where isZone(words[3]):
            let date = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard date.count == 3 else { return nil }
            return moment(day: date[0], month: date[1], year: century(of: date[2], now: now)[...], time: words[2])
        case 5:
            return moment(day: words[2], month: words[1], year: words[4], time: words[3])
        default: return nil
        }
    }

    /// The form to send: `Sun, 06 Nov 1994 08:49:37 GMT`; parts of a second are left out.
    public static func text(of moment: Timestamp) -> String {
        let written = moment.description
        let fields = written.prefix(19).split { $0 == "-" || $0 == "T" }
        guard fields.count == 4, let month = Int(fields[1]) else { return written }
        let days = moment.milliseconds.flooredQuotient(by: 86_400_000)
        let day = dayNames[Int(((days % 7) + 7) % 7)]
        return "\(day), \(fields[2]) \(monthNames[month - 1]) \(fields[0]) \(fields[3]) GMT"
    }

    private static func isZone(_ word: Substring) -> Bool {
        word == "gmt" || word == "utc" || word == "+0000"
    }

    private static func century(of year: Substring, now: Timestamp) -> String {
        guard year.utf8.count == 2, let number = Int(year), let thisYear = Int(now.description.prefix(4)) else {
            return String(year)
        }
        let near = thisYear / 100 * 100 + number
        return String(near > thisYear + 50 ? near - 100 : near)
    }

    private static func moment(day: Substring, month: Substring, year: Substring, time: Substring) -> Timestamp? {
        guard let month = months.firstIndex(of: String(month)), year.utf8.count == 4, time.utf8.count == 8 else {
            return nil
        }
        return Timestamp(rfc3339: "\(year)-\(padded(String(month + 1)))-\(padded(String(day)))T\(time)Z")
    }

    private static func padded(_ digits: String) -> String {
        digits.utf8.count == 1 ? "0" + digits : digits
    }
}

extension Int64 {
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }
}
