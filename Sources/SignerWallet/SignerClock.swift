import Documents
import Petitions
import Sodium

/// Time and chance, as the signer uses them.
public struct SignerClock: Sendable {
    /// Waiting is done in pieces of this length at most, and then the clock is looked at again: a computer that sleeps,
    /// or a clock that is set, must not make it late.
    private static let slice = Duration.seconds(2)

    private let read: @Sendable () -> UTCTime

    /// This computer's clock.
    public static let system = SignerClock { UTCTime.now }

    /// A clock that says what `read` does.
    public init(_ read: @escaping @Sendable () -> UTCTime) {
        self.read = read
    }

    /// What time it is.
    public var now: UTCTime { read() }

    /// Waits until `time`, by this clock.
    public func wait(until time: UTCTime) async throws {
        while now < time {
            try await Task.sleep(for: min(Self.slice, .seconds(max(1, time.seconds - now.seconds))))
        }
    }

    /// A random moment within so many seconds from now.
    public func moment(within seconds: Int) -> UTCTime {
        Self.random(from: now.seconds, to: now.seconds + Int64(seconds))
    }

    /// A time drawn uniformly, to the second, from `start` to `end`.
    static func random(from start: Int64, to end: Int64) -> UTCTime {
        guard end > start else { return UTCTime(seconds: start) }
        let length = UInt32(clamping: end - start)
        return UTCTime(seconds: start + Int64(SystemRandomness.integer(below: length == .max ? .max : length + 1)))
    }
}
