import ConnectorKit
import HTTPTypes
import SocialEvents
import Testing

@Suite("HTTP dates and waiting times")
struct HTTPDateTests {
    let now = Timestamp(seconds: 1_763_780_000)
    let example = Timestamp(seconds: 784_111_777)

    @Test(
        "all three forms of a date name the same moment",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "sun, 6 nov 1994 08:49:37 utc",
            "Sun, 06 Nov 1994 08:49:37 +0000",
        ]
    )
    func forms(text: String) {
        #expect(HTTPDate.parse(text, now: now) == example)
    }

    @Test("a year of two digits lies at most 50 years ahead")
    func twoDigits() {
        #expect(HTTPDate.parse("Sunday, 06-Nov-75 08:49:37 GMT", now: now)?.description.prefix(4) == "2075")
        #expect(HTTPDate.parse("Sunday, 06-Nov-76 08:49:37 GMT", now: now)?.description.prefix(4) == "1976")
    }

    @Test(
        "what is no date is not read",
        arguments: [
            "", "soon", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT", "06 Nov 1994 08:49:37 GMT extra words here",
            "Sunday, 06-Nov-1994-1 08:49:37 GMT",
            String(repeating: "a ", count: 100_000),
        ]
    )
    func notDates(text: String) {
        #expect(HTTPDate.parse(text, now: now) == nil)
    }

    @Test(
        "a written date reads back as the same second",
        arguments: [0, 784_111_777, -1, -86_400 * 365 * 40, 1_763_780_000, 4_102_444_800]
    )
    func roundTrip(seconds: Int64) {
        let moment = Timestamp(seconds: seconds)
        #expect(HTTPDate.parse(HTTPDate.text(of: moment), now: now) == moment)
    }

    @Test("the day of the week is right")
    func weekday() {
        #expect(HTTPDate.text(of: example) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(of: Timestamp(seconds: 0)) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate.text(of: Timestamp(seconds: -86_400)) == "Wed, 31 Dec 1969 00:00:00 GMT")
    }

    @Test("a waiting time is seconds or a date")
    func retryAfter() {
        #expect(RetryAfter.parse("120", now: now) == now.advanced(by: .seconds(120)))
        #expect(RetryAfter.parse(" 1.5 ", now: now) == now.advanced(by: .milliseconds(1500)))
        #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", now: now) == example)
    }

    @Test(
        "a waiting time that makes no sense is none",
        arguments: ["", "-5", "soon", "nan", "inf", "0x10", "1e9", "١٢", "9999999999999999999999999", "1.2.3"]
    )
    func badRetryAfter(text: String) {
        #expect(RetryAfter.parse(text, now: now) == nil)
    }

    @Test("a waiting time of any length never overflows")
    func hugeRetryAfter() throws {
        let moment = try #require(RetryAfter.parse("999999999999999999999999", now: now))
        #expect(moment > now)
    }

    @Test("a waiting time may stand in the body, as Discourse writes it")
    func discourse() {
        let body = Array(
            #"{"errors":["slow down"],"error_type":"rate_limit","extras":{"wait_seconds":17,"time_left":"17 seconds"}}"#
                .utf8
        )
        #expect(RetryAfter.moment(in: [:], body: body, now: now) == now.advanced(by: .seconds(17)))
        #expect(RetryAfter.moment(in: [.retryAfter: "3"], body: body, now: now) == now.advanced(by: .seconds(3)))
        #expect(RetryAfter.moment(in: [:], body: Array("<html>".utf8), now: now) == nil)
        #expect(RetryAfter.moment(in: [:], body: Array(#"{"extras":{"wait_seconds":-1}}"#.utf8), now: now) == nil)
        #expect(RetryAfter.moment(in: [:], body: Array(#"{"extras":[]}"#.utf8), now: now) == nil)
    }
}
