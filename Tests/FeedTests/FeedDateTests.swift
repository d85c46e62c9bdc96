import SocialEvents
import Testing

@testable import FeedConnector

struct FeedDateTests {
    @Test(
        "Dates in the forms found in the wild",
        arguments: [
            ("Sun, 22 Nov 2026 02:33:16 +0000", "2026-11-22T02:33:16.000Z"),
            ("Sun, 22 Nov 2026 02:33:16 GMT", "2026-11-22T02:33:16.000Z"),
            ("Sun, 22 Nov 2026 02:33:16 -0530", "2026-11-22T08:03:16.000Z"),
            ("Sun, 22 Nov 2026 02:33:16 EST", "2026-11-22T07:33:16.000Z"),
            ("Sun, 22 Nov 2026 02:33:16 PDT", "2026-11-22T09:33:16.000Z"),
            ("Sun, 22 Nov 2026 02:33:16 CEST", "2026-11-22T00:33:16.000Z"),
            ("Sun, 22 Nov 2026 02:33:16 Nowhere", "2026-11-22T02:33:16.000Z"),
            ("Sun, 22 Nov 2026 02:33:16 GMT-05:00", "2026-11-22T07:33:16.000Z"),
            ("Sun, 22 Nov 2026 02:33:16 Etc/GMT", "2026-11-22T02:33:16.000Z"),
            ("Sunday, 22 November 2026 2:33 PM", "2026-11-22T14:33:00.000Z"),
            ("  22 nov 26 02:33 +01:00 ", "2026-11-22T01:33:00.000Z"),
            ("Thu, 31 Dec 99 23:59:59 Z", "1999-12-31T23:59:59.000Z"),
            ("Thu 1 Jan 2004", "2004-01-01T00:00:00.000Z"),
            ("Jan 1st, 2004 12:05 am", "2004-01-01T00:05:00.000Z"),
            ("January 5, 2004", "2004-01-05T00:00:00.000Z"),
            ("Tues, 2 Mar 2004 19:14:55", "2004-03-02T19:14:55.000Z"),
            ("Sun Jan 04 16:29:06 PST 2004", "2004-01-05T00:29:06.000Z"),
            ("Wed Oct 10 20:19:24 +0000 2018", "2018-10-10T20:19:24.000Z"),
            ("Sun Jan  4 16:29:06 2004", "2004-01-04T16:29:06.000Z"),
            ("Fri, 2006/09/15 08:19:53 EDT", "2006-09-15T12:19:53.000Z"),
            ("2026-03-01T08:30:00Z", "2026-03-01T08:30:00.000Z"),
            ("2026-03-01t08:30:00.1234+02:00", "2026-03-01T06:30:00.123Z"),
            ("2026-03-01T08:30:00+0200", "2026-03-01T06:30:00.000Z"),
            ("2026-03-01T08:30Z", "2026-03-01T08:30:00.000Z"),
            ("2026-03-01T08:30:00 +01", "2026-03-01T07:30:00.000Z"),
            ("2026-03-01 08:30:00.5", "2026-03-01T08:30:00.500Z"),
            ("2004-07-08 23:56:58 -0600", "2004-07-09T05:56:58.000Z"),
            ("2004-07-08 23:56:58.0", "2004-07-08T23:56:58.000Z"),
            ("2026-03-01", "2026-03-01T00:00:00.000Z"), ("2026-03", "2026-03-01T00:00:00.000Z"),
            ("2026", "2026-01-01T00:00:00.000Z"), ("20260301", "2026-03-01T00:00:00.000Z"),
            ("20260301T083000Z", "2026-03-01T08:30:00.000Z"), ("20260301083000", "2026-03-01T08:30:00.000Z"),
            ("2003-335", "2003-12-01T00:00:00.000Z"), ("2004/7/8", "2004-07-08T00:00:00.000Z"),
            ("01.03.2026 08:30", "2026-03-01T08:30:00.000Z"), ("3/1/2026 8:30:00 AM", "2026-03-01T08:30:00.000Z"),
            ("31/12/2026", "2026-12-31T00:00:00.000Z"), ("01-Mar-2026 08:30:00", "2026-03-01T08:30:00.000Z"),
            ("1772353800", "2026-03-01T08:30:00.000Z"), ("1772353800123", "2026-03-01T08:30:00.123Z"),
            ("2026-03-01T24:00:00Z", "2026-03-02T00:00:00.000Z"), ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
            ("2004년 05월  28일  01:31:15", "2004-05-28T01:31:15.000Z"),
            ("2004-05-25 오후 11:23:17", "2004-05-25T23:23:17.000Z"),
            ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00.000Z"),
            ("2004-július-13T9:15-05:00", "2004-07-13T14:15:00.000Z"),
            ("mar., 03 mars 2009 10:00:00 +0100", "2009-03-03T09:00:00.000Z"),
            ("Mi, 14 Okt 2009 10:00:00 +0200", "2009-10-14T08:00:00.000Z"),
            ("5 de enero de 2010", "2010-01-05T00:00:00.000Z"), ("14 juillet 2010", "2010-07-14T00:00:00.000Z"),
        ]
    )
    func forms(text: String, expected: String) {
        #expect(FeedDate.parse(text)?.description == expected)
    }

    @Test(
        "What is no date, or one that does not exist, is not read",
        arguments: [
            "", " ", "yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "Mon, 32 Nov 2026 00:00:00 GMT", "25:00",
            "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "Mon, 01 Jan 0001 00:00:00 +0000", "99999999999999999999",
            "2026-03-01T25:00:00Z", "2026-03-01T08:61:00Z", "::::", "-", "+", "T", "12", "2026-",
            "Sun, 22 Nov 2026 02:33:16 +9900", String(repeating: "1 Jan ", count: 100),
        ]
    )
    func nonsense(text: String) {
        #expect(FeedDate.parse(text) == nil)
    }

    @Test("Every moment of a wide range is read back from the forms that software writes")
    func roundTrip() throws {
        var state: UInt64 = 7
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        for _ in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // 1975 to 2095.
            let moment = Timestamp(seconds: 160_000_000 + Int64(state >> 33) % 3_800_000_000)
            let text = moment.description
            let (date, time) = (text.prefix(10), text.dropFirst(11).prefix(8))
            let month = try #require(Int(date.dropFirst(5).prefix(2)))
            let name = names[month - 1]
            let forms = [
                text, "\(date) \(time)", "\(date)T\(time)+00:00",
                "Xxx, \(date.suffix(2)) \(name) \(date.prefix(4)) \(time) +0000",
                "Mon, \(date.suffix(2)) \(name) \(date.prefix(4)) \(time) GMT",
                "\(name) \(date.suffix(2)) \(time) UTC \(date.prefix(4))",
            ]
            for form in forms { #expect(FeedDate.parse(form) == moment, "\(form)") }
        }
    }

    @Test("No text makes it fail or wait")
    func hostile() {
        var state: UInt64 = 1
        let alphabet = Array("0123456789:-+/., TZGMTJanFebΙ오pm\u{0}".utf8)
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int(state >> 60) + 4 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            if let moment = bytes.withUnsafeBufferPointer({ FeedDate.parse($0) }) {
                #expect(Timestamp.writable.contains(moment))
            }
        }
    }
}
