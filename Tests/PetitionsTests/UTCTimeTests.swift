import Documents
import Petitions
import Testing

@Suite struct UTCTimeTests {
    private static let secondsPerDay: Int64 = 86_400

    private func isLeap(_ year: Int) -> Bool {
        year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    }

    private func length(ofMonth month: Int, in year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return repeated("0", width - digits.count) + digits
    }

    private func midnight(_ year: Int, _ month: Int, _ day: Int) -> String {
        "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T00:00:00Z"
    }

    @Test func knownMomentsHaveTheirSeconds() {
        let known: [(String, Int64)] = [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:01Z", 1),
            ("1969-12-31T23:59:59Z", -1),
            ("1900-03-01T00:00:00Z", -2_203_891_200),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2001-09-09T01:46:40Z", 1_000_000_000),
            ("2038-01-19T03:14:08Z", 2_147_483_648),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ]
        for (text, seconds) in known {
            let time = UTCTime(text)
            #expect(time?.seconds == seconds, "\(text)")
            #expect(UTCTime(seconds: seconds).description == text)
        }
    }

    @Test func anyOtherSpellingIsRefused() {
        let texts = [
            "", "2026", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00Z", "2026-01-31 12:00:00Z",
            "2026-01-31t12:00:00Z", "2026-01-31T12:00:00z", "2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00.0Z",
            "2026-01-31T12:00:00ZZ", " 2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z ", "2026-01-31T12:00:00Z\n",
            "2026-1-31T12:00:00Z", "26-01-31T12:00:00Z", "02026-01-31T12:00:00Z", "+026-01-31T12:00:00Z",
            "-026-01-31T12:00:00Z", "2026/01/31T12:00:00Z", "2026-01-31T12.00.00Z", "20260131T120000Z",
            "2026-01-31T12:00:0aZ", "2026-01-31T12:00: 0Z", "2026-01-31T12:00:-1Z", "2026-W05-6T12:00:00Z",
            "\u{FF12}026-01-31T12:00:00Z", "2026-01-31T12:00:0\u{660}Z", "2026-01-31T12:00:00\u{5A}\u{301}",
        ]
        for text in texts {
            let isRefused = UTCTime(text) == nil
            #expect(isRefused, "\(text)")
        }
    }

    @Test func datesAndTimesThatDoNotExistAreRefused() {
        let texts = [
            "2026-00-10T12:00:00Z", "2026-13-10T12:00:00Z", "2026-99-10T12:00:00Z", "2026-01-00T12:00:00Z",
            "2026-01-32T12:00:00Z", "2026-04-31T12:00:00Z", "2026-06-31T12:00:00Z", "2026-09-31T12:00:00Z",
            "2026-11-31T12:00:00Z", "2026-02-29T12:00:00Z", "2026-02-30T12:00:00Z", "2026-02-31T12:00:00Z",
            "2024-02-30T12:00:00Z", "2026-12-99T12:00:00Z", "9999-12-32T00:00:00Z", "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z", "2016-12-31T23:59:60Z", "2026-01-31T99:99:99Z",
        ]
        for text in texts {
            let isRefused = UTCTime(text) == nil
            #expect(isRefused, "\(text)")
        }
    }

    @Test func leapYearsAreTheGregorianOnes() {
        for year in [4, 1600, 1904, 1996, 2000, 2024, 2096, 2400, 9996] {
            let time = UTCTime(midnight(year, 2, 29))
            #expect(time?.description == midnight(year, 2, 29))
        }
        for year in [1, 1700, 1800, 1900, 2023, 2100, 2200, 2300, 9900, 9999] {
            let isRefused = UTCTime(midnight(year, 2, 29)) == nil
            #expect(isRefused, "\(year)")
        }
    }

    @Test func everyMonthBeginsAndEndsOnItsDay() {
        // 1600-01-01, in days relative to 1970-01-01.
        var day: Int64 = -135_140
        var wrong: [String] = []
        for year in 1600...2800 {
            for month in 1...12 {
                let length = length(ofMonth: month, in: year)
                let first = midnight(year, month, 1)
                let last = midnight(year, month, length)
                let lastDay = day + Int64(length) - 1
                if UTCTime(first)?.seconds != day * Self.secondsPerDay { wrong.append(first) }
                if UTCTime(last)?.seconds != lastDay * Self.secondsPerDay { wrong.append(last) }
                if length < 31, UTCTime(midnight(year, month, length + 1)) != nil { wrong.append("after \(last)") }
                day += Int64(length)
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func everyMomentIsReadAsItIsWritten() {
        let last: Int64 = 253_402_300_799
        var moments: [Int64] = [-1, 0, 1, 951_782_399, 951_782_400, 951_868_799, 951_868_800, last - 1, last]
        // Every 97th day from 1600 to the end of 9999, each at a different second of the day.
        var moment: Int64 = -135_140 * Self.secondsPerDay
        while moment < last {
            moments.append(moment)
            moment += 97 * Self.secondsPerDay + 7919
        }
        var wrong: [Int64] = []
        for seconds in moments {
            let text = UTCTime(seconds: seconds).description
            if text.utf8.count != 20 || UTCTime(text)?.seconds != seconds { wrong.append(seconds) }
        }
        #expect(wrong.isEmpty)
    }

    @Test func timesAreOrderedAsTheirSpellingsAre() throws {
        let texts = [
            "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z",
            "2000-03-01T00:00:00Z", "2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z", "9999-12-31T23:59:59Z",
        ]
        var times: [UTCTime] = []
        for text in texts { times.append(try Fixture.time(text)) }
        for (earlier, later) in zip(times, times.dropFirst()) {
            #expect(earlier < later)
            let isReversed = later < earlier
            #expect(!isReversed)
        }
        #expect(times.reversed().sorted() == times)
        let again = try Fixture.time("2026-01-31T12:00:00Z")
        #expect(again == times[5])
        let isBelowItself = again < again
        #expect(!isBelowItself)
    }
}
