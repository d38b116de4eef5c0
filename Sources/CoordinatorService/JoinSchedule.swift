/// Decides when joins are written to the disk: a state machine without a clock. The joins of one interval are written
/// together, and intervals follow each other whether anyone joins or not, so that the disk reveals no more than the
/// interval in which a key came.
package struct JoinSchedule {
    /// The largest number of waiting joins, of some 200 bytes each.
    package static let limit = 16_384
    /// With an interval of zero, how often to check for leftover joins.
    private static let shortestPause = Duration.seconds(1)

    /// What happens with a new join.
    package enum Reception: Equatable {
        /// It waits for the end of the interval.
        case waits
        /// It is written at once, with everything that waits.
        case commit
        /// Too many joins are waiting.
        case refused
    }

    private let interval: Duration
    private var waiting = 0
    /// True once the server was told to stop: from then on, no join waits for a later batch.
    private var isStopping = false
    /// The end of the current interval.
    package private(set) var due: ContinuousClock.Instant

    /// A schedule that writes joins every `interval`, or with zero, each at once.
    package init(now: ContinuousClock.Instant, every interval: Duration) {
        self.interval = interval
        due = now + max(interval, Self.shortestPause)
    }

    /// Registers a new join.
    package mutating func receive() -> Reception {
        guard waiting < Self.limit else { return .refused }
        waiting += 1
        return isStopping || interval == .zero ? .commit : .waits
    }

    /// True at the end of an interval: the waiting joins must be written now.
    package mutating func step(now: ContinuousClock.Instant) -> Bool {
        guard now >= due else { return false }
        due = now + max(interval, Self.shortestPause)
        return true
    }

    /// Call this when the server is told to stop, and write the waiting joins: from now on, each join is written at
    /// once.
    package mutating func stop() { isStopping = true }

    /// Call this when all waiting joins have been taken.
    package mutating func take() { waiting = 0 }
}
