import Bytes
import Platform

/// A time in whole seconds, written `YYYY-MM-DDTHH:MM:SSZ` in documents.
public struct UTCTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    private static let secondsPerDay: Int64 = 86_400

    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int64

    /// The time `seconds` after 1970-01-01T00:00:00Z.
    public init(seconds: Int64) {
        self.seconds = seconds
    }

    #if !hasFeature(Embedded)
        /// The current time by this machine's clock; unproven.
        public static var now: UTCTime { WallClock.system.now }
    #endif

    /// Reads a time in the form of documents; nil for anything else, and for dates that do not exist.
    public init?(_ text: String) {
        let ascii = Array(text.utf8)
        let pattern = Array("dddd-dd-ddTdd:dd:ddZ".utf8)
        guard ascii.count == pattern.count,
            zip(ascii, pattern).allSatisfy({ $1 == UInt8(ascii: "d") ? (0x30...0x39).contains($0) : $0 == $1 })
        else { return nil }
        func number(_ range: Range<Int>) -> Int64 { ascii[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        guard (1...12).contains(month), day >= 1, hour < 24, minute < 60, second < 60 else { return nil }
        seconds =
            Self.days(year: year, month: month, day: day) * Self.secondsPerDay + hour * 3600 + minute * 60 + second
        // A day past the end of its month yields another date.
        guard description == text else { return nil }
    }

    /// Days since 1970-01-01 in the Gregorian calendar, counting years from March so that leap days come last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The time in the Gregorian calendar, in UTC.
    package var date: (year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) {
        let days = seconds >= 0 ? seconds / Self.secondsPerDay : (seconds - Self.secondsPerDay + 1) / Self.secondsPerDay
        let rest = seconds - days * Self.secondsPerDay
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted + (shifted < 10 ? 3 : -9)
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day, rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`.
    public var description: String {
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = date
        let day = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
        return "\(day)T\(padded(date.hour, 2)):\(padded(date.minute, 2)):\(padded(date.second, 2))Z"
    }

    /// Chronological order.
    public static func < (left: UTCTime, right: UTCTime) -> Bool {
        left.seconds < right.seconds
    }
}

/// The source of the current time: this machine, or a test.
public struct WallClock: Sendable {
    private let read: @Sendable () -> UTCTime

    #if !hasFeature(Embedded)
        /// This machine's clock.
        public static let system = WallClock { UTCTime(seconds: Environment.secondsSince1970) }
    #endif

    /// A clock that returns the time from `read`.
    public init(_ read: @escaping @Sendable () -> UTCTime) {
        self.read = read
    }

    /// The current time by this clock; unproven.
    public var now: UTCTime { read() }
}
