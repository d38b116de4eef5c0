import Documents
import Petitions
import Sodium
import Witnessing

/// The source of time and randomness for the signer.
public struct SignerClock: Sendable {
    /// The longest time to sleep before reading the clock again: a computer that is asleep, or a clock that is set,
    /// must not make the signer late.
    private static let slice = Duration.seconds(2)

    /// How late something may be done, in seconds: what is later was slept through.
    static let lateness: Int64 = 600
    /// Within how many seconds after the start of a program, or a sleep, what is due is done: never at once, since
    /// whoever sees the computer come on would know what asks; and soon, since it may not stay on for long.
    public static let afterSleep: Int64 = 900

    private let read: @Sendable () -> UTCTime
    private let sleep: @Sendable (Duration) async throws(SignerError) -> Void
    private let chance: @Sendable (UInt32) -> UInt32
    private let steady: @Sendable () -> Duration

    #if !hasFeature(Embedded)
        /// The clock and randomness of this computer.
        public static let system = SignerClock(
            read: { UTCTime.now },
            sleep: { time throws(SignerError) in
                do { try await Task.sleep(for: time) } catch { throw .interrupted }
            },
            chance: { SystemRandomness.integer(below: $0) }, elapsed: { [start = ContinuousClock.now] in .now - start })
    #endif

    /// A clock that reads the time with `read`, waits with `sleep`, and draws a number below a given one with `chance`.
    /// `elapsed` is how long ago some moment was, by a clock that nobody sets.
    public init(
        read: @escaping @Sendable () -> UTCTime,
        sleep: @escaping @Sendable (Duration) async throws(SignerError) -> Void,
        chance: @escaping @Sendable (UInt32) -> UInt32, elapsed: @escaping @Sendable () -> Duration
    ) {
        steady = elapsed
        self.read = read
        self.sleep = sleep
        self.chance = chance
    }

    /// The current time.
    public var now: UTCTime { read() }
    /// How long ago some moment was, by a clock that nobody sets.
    public var elapsed: Duration { steady() }

    /// Waits until `time`, by this clock; but no longer than that is away now, if the clock is set back meanwhile.
    public func wait(until time: UTCTime) async throws(SignerError) {
        let (start, longest) = (elapsed, Duration.seconds(time.seconds - now.seconds))
        while now < time, elapsed - start < longest {
            try await sleep(min(Self.slice, .seconds(max(1, time.seconds - now.seconds))))
        }
    }

    /// The same in seconds since 1970, as witnesses count.
    var seconds: UInt64 { UInt64(clamping: now.seconds) }

    /// What is asked of the witnesses of a log that is read now: a quorum, no longer ago than
    /// ``QuorumDemand/longestAge``. Nil without a policy.
    func demand(_ policy: WitnessPolicy?) -> QuorumDemand? {
        QuorumDemand(policy, now: seconds, longestAge: Self.longestAge)
    }

    /// How old a quorum may be, in seconds: two hours. Servers have their logs cosigned again every hour.
    private static let longestAge: UInt64 = 7200

    /// A random moment within this many seconds from now.
    public func moment(within seconds: Int) -> UTCTime {
        moment(from: now.seconds, to: now.seconds + Int64(seconds))
    }

    /// A time drawn uniformly from `start` to `end`, again and again until it is far enough from others, if it can be.
    public func moment(from start: Int64, to end: Int64, avoiding moments: [UTCTime], by distance: Int64) -> UTCTime {
        var drawn = moment(from: start, to: end)
        for _ in 0..<Self.draws where moments.contains(where: { abs($0.seconds - drawn.seconds) < distance }) {
            drawn = moment(from: start, to: end)
        }
        return drawn
    }

    private static let draws = 64

    /// A time drawn uniformly, to the second, from `start` to `end`.
    public func moment(from start: Int64, to end: Int64) -> UTCTime {
        guard end > start else { return UTCTime(seconds: start) }
        let length = UInt32(clamping: end - start)
        return UTCTime(seconds: start + Int64(chance(length == .max ? .max : length + 1)))
    }
}
