import ArgumentParser

/// A time to wait, as typed by a person: `90s`, `30m`, `6h`, `7d`; at most a week.
public struct WaitingTime: ExpressibleByArgument, Equatable, Sendable, CustomStringConvertible {
    private static let longest = 604_800
    private static let units: [(letter: Character, seconds: Int)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]

    /// The time in seconds.
    public let seconds: Int

    /// A time, with fractions of a second dropped.
    public init(_ duration: Duration) {
        seconds = Int(clamping: duration.components.seconds)
    }

    /// Reads a number and its unit; nil for anything else, or for more than a week.
    public init?(argument text: String) {
        guard let unit = Self.units.first(where: { $0.letter == text.last }), text.utf8.count <= 8,
            text.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text.dropLast()),
            number * unit.seconds <= Self.longest
        else { return nil }
        seconds = number * unit.seconds
    }

    /// The same as a duration.
    public var duration: Duration { .seconds(seconds) }

    /// The time in the largest unit that gives a whole number.
    public var description: String {
        let unit = Self.units.first { seconds >= $0.seconds && seconds % $0.seconds == 0 } ?? ("s", 1)
        return "\(seconds / unit.seconds)\(unit.letter)"
    }

    /// The time as shown by `--help`.
    public var defaultValueDescription: String { description }
}
