import Documents
import Petitions
import Sodium

/// Time and chance, as the signer uses them.
public struct SignerClock: Sendable {
    /// Waiting is done in pieces of this length at most, and then the clock is looked at again: a computer that sleeps,
    /// or a clock that is set, must not make it late.
    private static let slice = Duration.seconds(2)

    private let read: @Sendable () -> UTCTime
    private let sleep: @Sendable (Duration) async throws -> Void
    private let chance: @Sendable (UInt32) -> UInt32

    /// This computer's clock and chance.
    public static let system = SignerClock(
        read: { UTCTime.now }, sleep: { try await Task.sleep(for: $0) },
        chance: { SystemRandomness.integer(below: $0) })

    /// A clock that says what `read` does, waits as `sleep` does, and draws what `chance` does: a number below the one
    /// that it is given.
    public init(
        read: @escaping @Sendable () -> UTCTime, sleep: @escaping @Sendable (Duration) async throws -> Void,
        chance: @escaping @Sendable (UInt32) -> UInt32
    ) {
        self.read = read
        self.sleep = sleep
        self.chance = chance
    }

    /// What time it is.
    public var now: UTCTime { read() }

    /// Waits until `time`, by this clock.
    public func wait(until time: UTCTime) async throws {
        while now < time {
            try await sleep(min(Self.slice, .seconds(max(1, time.seconds - now.seconds))))
        }
    }

    /// A random moment within so many seconds from now.
    public func moment(within seconds: Int) -> UTCTime {
        moment(from: now.seconds, to: now.seconds + Int64(seconds))
    }

    /// A time drawn uniformly, to the second, from `start` to `end`.
    func moment(from start: Int64, to end: Int64) -> UTCTime {
        guard end > start else { return UTCTime(seconds: start) }
        let length = UInt32(clamping: end - start)
        return UTCTime(seconds: start + Int64(chance(length == .max ? .max : length + 1)))
    }
}
