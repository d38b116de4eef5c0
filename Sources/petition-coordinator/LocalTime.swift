import CommandSupport
import Documents
import Foundation

/// Times as an organiser writes them: `2027-01-31T12:00:00Z`, or a local date with its zone, as in
/// `2027-01-31 18:00 Europe/Berlin` and `2027-01-31 Europe/Berlin`.
struct LocalTime {
    /// What a date without a time means.
    enum Edge {
        case firstMoment
        case lastMoment
    }

    /// The time.
    let time: UTCTime
    /// The zone that it was written in.
    private let zone: TimeZone

    private static let hint =
        "write it like 2027-01-31T12:00:00Z, or \"2027-01-31 18:00 Europe/Berlin\"; a date alone is the whole day"

    /// Reads a time, which `option` names in an error. A date without a time means one edge of that day.
    init(_ text: String, option: String, edge: Edge) throws {
        func wrong(_ why: String) -> UserError {
            UserError(.usage, "--\(option): \(shown(text)) \(why)", hint: Self.hint)
        }
        if let time = UTCTime(text) {
            (self.time, zone) = (time, .gmt)
            return
        }
        guard let match = text.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?(?: ?(\S+))?/)
        else { throw wrong("is not a time") }
        guard let name = match.7.map(String.init) else { throw wrong("has no time zone") }
        guard let zone = Self.zone(name) else { throw wrong("names no time zone that is known here") }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let asked = DateComponents(
            year: Int(match.1), month: Int(match.2), day: Int(match.3), hour: match.4.flatMap { Int($0) } ?? 0,
            minute: match.5.flatMap { Int($0) } ?? 0, second: match.6.flatMap { Int($0) } ?? 0)
        guard var date = calendar.date(from: asked),
            calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date) == asked
        else { throw wrong("is not in the calendar: there is no such day, or the clocks skip that hour") }
        if match.4 == nil, edge == .lastMoment, let next = calendar.date(byAdding: .day, value: 1, to: date) {
            date = next.addingTimeInterval(-1)
        }
        guard let time = UTCTime("\(UTCTime(seconds: Int64(date.timeIntervalSince1970)))") else {
            throw wrong("is too far away")
        }
        (self.time, self.zone) = (time, zone)
    }

    /// A zone by its name (`Europe/Berlin`), or by its difference to UTC (`+02:00`).
    private static func zone(_ name: String) -> TimeZone? {
        if ["Z", "UTC", "GMT"].contains(name.uppercased()) { return .gmt }
        guard let match = name.wholeMatch(of: /([+-])(\d\d):?(\d\d)/), let hours = Int(match.2),
            let minutes = Int(match.3),
            hours < 15, minutes < 60
        else { return name.contains("/") ? TimeZone(identifier: name) : nil }
        return TimeZone(secondsFromGMT: (match.1 == "-" ? -1 : 1) * (hours * 3600 + minutes * 60))
    }

    /// The time in words: `Sunday 31 January 2027, 18:00:00 in Europe/Berlin (2027-01-31T17:00:00Z)`.
    var words: String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let date = Date(timeIntervalSince1970: Double(time.seconds))
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
        func two(_ number: Int?) -> String { String("0\(number ?? 0)".suffix(2)) }
        let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
        let months = [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ]
        let day =
            "\(days[(parts.weekday ?? 1) - 1]) \(parts.day ?? 1) \(months[(parts.month ?? 1) - 1]) \(parts.year ?? 0)"
        let clock = "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second))"
        let place = zone == .gmt ? "UTC" : zone.identifier
        return zone == .gmt ? "\(day), \(clock) \(place)" : "\(day), \(clock) in \(place) (\(time))"
    }
}
