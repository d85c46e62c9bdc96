import JSON
import SocialEvents
import Testing

@Suite struct TimestampTests {
    @Test(
        "A time in any accepted form is read to its millisecond",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-03-01T08:30:00.000Z", 1_772_353_800_000),
            ("2026-03-01t08:30:00z", 1_772_353_800_000),
            ("2026-03-01 08:30:00Z", 1_772_353_800_000),
            ("2026-03-01T09:30:00+01:00", 1_772_353_800_000),
            ("2026-03-01T03:00:00-05:30", 1_772_353_800_000),
            ("2026-03-01T08:30:00+0000", 1_772_353_800_000),
            ("2026-03-01T08:30:00-00", 1_772_353_800_000),
            ("2026-03-01T08:30:00.5Z", 1_772_353_800_500),
            ("2026-03-01T08:30:00.04Z", 1_772_353_800_040),
            ("2026-03-01T08:30:00.123999999999999999999Z", 1_772_353_800_123),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            // Leap seconds stay within their minute.
            ("2016-12-31T23:59:60Z", 1_483_228_799_999),
            ("2016-12-31T23:59:60.7Z", 1_483_228_799_999),
            ("2017-01-01T00:59:60+01:00", 1_483_228_799_999),
        ]
    )
    func reading(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(
        "What is no time is refused",
        arguments: [
            "", "2026", "2026-03-01", "2026-03-01T08:30Z", "2026-03-01T08:30:00", "2026-03-01T08:30:00.Z",
            "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T12:00:60Z", "2016-12-31T23:59:60+01:00",
            "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+1",
            "2026-01-01T00:00:00+01:",
            "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00ZZ", "26-01-01T00:00:00Z",
            "+026-01-01T00:00:00Z", "２０２６-01-01T00:00:00Z", "2026/01/01T00:00:00Z", "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ]
    )
    func refusal(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("Every day of two centuries is written as a calendar counts it")
    func calendar() {
        var (year, month, day) = (1890, 1, 1)
        var time = Timestamp(milliseconds: -2_524_521_600_000)
        var wrong = 0
        while year < 2110 {
            let text = time.description
            if text != "\(year)-\(padded(month))-\(padded(day))T00:00:00.000Z" || Timestamp(rfc3339: text) != time {
                wrong += 1
            }
            time.milliseconds += 86_400_000
            day += 1
            let isLeapYear = year.isMultiple(of: 400) || (year.isMultiple(of: 4) && !year.isMultiple(of: 100))
            if day > [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] {
                (month, day) = (month + 1, 1)
            }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(wrong == 0)
    }

    @Test("Any moment that can be written reads back the same, and text order is time order")
    func roundTrip() {
        var random = SeededGenerator(seed: 1)
        let range = Timestamp.writable.lowerBound.milliseconds...Timestamp.writable.upperBound.milliseconds
        var previous = Timestamp.writable.lowerBound
        for _ in 0..<3000 {
            let time = Timestamp(milliseconds: .random(in: range, using: &random))
            #expect(Timestamp(rfc3339: time.description) == time)
            #expect((time < previous) == (time.description < previous.description))
            previous = time
        }
    }

    @Test("Moments outside the four-digit years are written as the nearest inside")
    func clamping() {
        #expect(Timestamp(milliseconds: .min).description == "0000-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: .max).description == "9999-12-31T23:59:59.999Z")
    }

    @Test("A moment is written into JSON as a string")
    func writing() {
        var writer = JSONWriter()
        Timestamp(milliseconds: 0).append(to: &writer)
        #expect(writer.bytes == Array("\"1970-01-01T00:00:00.000Z\"".utf8))
    }

    @Test("Arithmetic saturates instead of trapping")
    func saturation() {
        let last = Timestamp(milliseconds: .max)
        let first = Timestamp(milliseconds: .min)
        #expect(last.advanced(by: .seconds(1)) == last)
        #expect(first.advanced(by: .seconds(-1)) == first)
        #expect(Timestamp(seconds: .max) == last)
        #expect(Timestamp(seconds: .min) == first)
        #expect(first.duration(to: last) == .milliseconds(Int64.max))
        #expect(last.duration(to: first) == .milliseconds(Int64.min))
        #expect(Duration(secondsComponent: .max, attosecondsComponent: 0).wholeMilliseconds == .max)
        #expect(
            Duration(secondsComponent: .max / 1000, attosecondsComponent: 999_000_000_000_000_000).wholeMilliseconds
                == .max
        )
        #expect(Timestamp(milliseconds: 5).advanced(by: .milliseconds(-7)).milliseconds == -2)
    }

    private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
