/// Dates as feeds write them, in UTC.
enum FeedDates {
    static func rfc3339(_ milliseconds: Int64) -> String {
        let moment = Civil(milliseconds)
        return
            "\(pad(moment.year, 4))-\(pad(moment.month))-\(pad(moment.day))T\(moment.time).\(pad(moment.millisecond, 3))Z"
    }

    /// RFC 822 with a four-digit year, as RSS has it; also the form of HTTP dates (RFC 9110 §5.6.7).
    static func rfc822(_ milliseconds: Int64) -> String {
        let moment = Civil(milliseconds)
        return
            "\(weekdays[moment.weekday]), \(pad(moment.day)) \(months[moment.month - 1]) \(pad(moment.year, 4)) \(moment.time) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// A moment taken apart after the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
    private struct Civil {
        let year: Int
        let month: Int
        let day: Int
        let weekday: Int
        let time: String
        let millisecond: Int

        init(_ milliseconds: Int64) {
            let seconds = Int(milliseconds / 1000)
            millisecond = Int(milliseconds % 1000)
            let days = seconds / 86_400
            let second = seconds % 86_400
            time = "\(pad(second / 3600)):\(pad(second / 60 % 60)):\(pad(second % 60))"
            weekday = (days + 4) % 7
            let shifted = days + 719_468
            let era = shifted / 146_097
            let dayOfEra = shifted % 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let monthFromMarch = (5 * dayOfYear + 2) / 153
            day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
            month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        }
    }
}
