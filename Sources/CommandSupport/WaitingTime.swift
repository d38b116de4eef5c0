import ArgumentParser

/// A time to wait, as typed by a person: `90s`, `30m`, `1h30m`, `7d`; at most a week.
public struct WaitingTime: ExpressibleByArgument, Equatable, Sendable, CustomStringConvertible {
    private static let longest = 604_800
    private static let units: [(letter: UInt8, seconds: Int)] = [
        (UInt8(ascii: "d"), 86_400), (UInt8(ascii: "h"), 3600), (UInt8(ascii: "m"), 60), (UInt8(ascii: "s"), 1),
    ]

    /// The time in seconds.
    public let seconds: Int

    /// A time, with fractions of a second dropped.
    public init(_ duration: Duration) {
        seconds = Int(clamping: duration.components.seconds)
    }

    /// Reads numbers, each with its unit, the largest unit first; nil for anything else, or for more than a week.
    public init?(argument text: String) {
        guard !text.isEmpty, text.utf8.count <= 20 else { return nil }
        var (total, number, next) = (0, nil as Int?, Self.units.startIndex)
        for byte in text.utf8 {
            if (0x30...0x39).contains(byte) {
                number = min((number ?? 0) * 10 + Int(byte - 0x30), Self.longest + 1)
                continue
            }
            guard let count = number, let unit = Self.units[next...].firstIndex(where: { $0.letter == byte }) else {
                return nil
            }
            total += count * Self.units[unit].seconds
            (number, next) = (nil, unit + 1)
        }
        guard number == nil, total <= Self.longest else { return nil }
        seconds = total
    }

    /// The same as a duration.
    public var duration: Duration { .seconds(seconds) }

    /// The time in the fewest units, such as `1h30m`.
    public var description: String {
        var (rest, text) = (seconds, "")
        for unit in Self.units where rest >= unit.seconds {
            text += "\(rest / unit.seconds)\(Character(UnicodeScalar(unit.letter)))"
            rest %= unit.seconds
        }
        return text.isEmpty ? "0s" : text
    }

    /// The time as shown by `--help`.
    public var defaultValueDescription: String { description }
}
