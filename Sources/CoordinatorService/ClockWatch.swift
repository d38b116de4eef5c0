import Documents

/// Watches whether the clock of this machine can be believed, by another that nobody sets. A phase is logged for ever
/// with the time that the clock shows: one that was ahead for a minute must not open joining days early.
package struct ClockWatch {
    /// How far the two clocks may come apart between two looks, in seconds.
    package static let tolerance: Int64 = 60
    /// How long the clock must have been steady before phases follow each other by themselves, in seconds. A clock that
    /// was wrong when the machine started is set in this time.
    package static let calm = 600

    private var last: (wall: UTCTime, steady: ContinuousClock.Instant)
    private var since: ContinuousClock.Instant

    /// Begins to watch.
    package init(wall: UTCTime, steady: ContinuousClock.Instant) {
        (last, since) = ((wall, steady), steady)
    }

    /// Looks at both clocks. Returns by how many seconds the first was set since the last look, 0 if it was not.
    package mutating func look(wall: UTCTime, steady: ContinuousClock.Instant) -> Int64 {
        let passed = (steady - last.steady).components.seconds
        let jump = wall.seconds - last.wall.seconds - passed
        last = (wall, steady)
        guard abs(jump) > Self.tolerance else { return 0 }
        since = steady
        return jump
    }

    /// For how many seconds the clock was steady.
    package var steadySeconds: Int { Int(clamping: (last.steady - since).components.seconds) }
}
