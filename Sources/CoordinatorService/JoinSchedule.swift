/// When joins are written to the disk: a state machine without a clock. Those of one interval are written together,
/// and intervals follow each other whether anybody joins or not: what stands on the disk tells no more than the
/// interval in which a key came.
package struct JoinSchedule {
    /// Joins that wait at most, of some 200 bytes each.
    package static let limit = 16_384
    /// With no interval, what was left over is still looked for this often.
    private static let shortestPause = Duration.seconds(1)

    /// What becomes of a join that came in.
    package enum Reception: Equatable {
        /// It waits for the end of the interval.
        case waits
        /// It is written at once, with everything that waits.
        case commit
        /// Too many wait.
        case refused
    }

    private let interval: Duration
    private var waiting = 0
    /// Nothing waits for a later batch once the server was told to stop.
    private var isStopping = false
    /// The end of the interval.
    package private(set) var due: ContinuousClock.Instant

    /// Joins are written every `interval`; with zero, each at once.
    package init(now: ContinuousClock.Instant, every interval: Duration) {
        self.interval = interval
        due = now + max(interval, Self.shortestPause)
    }

    /// A join came in.
    package mutating func receive() -> Reception {
        guard waiting < Self.limit else { return .refused }
        waiting += 1
        return isStopping || interval == .zero ? .commit : .waits
    }

    /// True when what waits is to be written: at the end of an interval.
    package mutating func step(now: ContinuousClock.Instant) -> Bool {
        guard now >= due else { return false }
        due = now + max(interval, Self.shortestPause)
        return true
    }

    /// The server was told to stop: what waits is written, and from now on each join at once.
    package mutating func stop() { isStopping = true }

    /// Everything that waited was taken.
    package mutating func take() { waiting = 0 }
}
