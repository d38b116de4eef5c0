/// When logs of coordinators are read, each by itself and once at a time: a state machine without a clock. Readers that
/// wait are numbers.
package struct ReadingQueue<Subject: Hashable> {
    /// Logs that are not known make one be read at once, but not more often than this: anybody can name such logs.
    package static var shortestInterval: Duration { .seconds(1) }
    /// Requests that wait for the next reading of one log at most.
    package static var waiterLimit: Int { 64 }

    private struct State {
        var isUnderWay = false
        /// Somebody wants a reading that starts after they came.
        var isWanted = false
        var waiters: [Int] = []
        var startedAt: ContinuousClock.Instant?
    }

    private var states: [Subject: State] = [:]

    /// Nothing is wanted yet.
    package init() {}

    /// True when one more may wait for the next reading of a log.
    package func hasRoom(for subject: Subject) -> Bool { (states[subject]?.waiters.count ?? 0) < Self.waiterLimit }

    /// Somebody wants a reading that starts after this. Answers when to ``begin(_:now:)`` one; nil while one is under
    /// way, whose ``end(_:now:)`` answers it.
    package mutating func want(_ subject: Subject, waiter: Int?, now: ContinuousClock.Instant) -> ContinuousClock
        .Instant?
    {
        states[subject, default: State()].isWanted = true
        if let waiter { states[subject]?.waiters.append(waiter) }
        return next(subject, now: now)
    }

    /// Nobody waits under this number any more.
    package mutating func forget(_ waiter: Int, of subject: Subject) {
        states[subject]?.waiters.removeAll { $0 == waiter }
    }

    /// A reading begins: it is for those who wait now, and no others.
    package mutating func begin(_ subject: Subject, now: ContinuousClock.Instant) -> [Int] {
        let served = states[subject]?.waiters ?? []
        states[subject] = State(isUnderWay: true, startedAt: now)
        return served
    }

    /// A reading ended. Answers when the next begins, if somebody wants one.
    package mutating func end(_ subject: Subject, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        states[subject]?.isUnderWay = false
        return next(subject, now: now)
    }

    private mutating func next(_ subject: Subject, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard let state = states[subject], state.isWanted, !state.isUnderWay else { return nil }
        states[subject]?.isUnderWay = true
        return state.startedAt.map { max(now, $0 + Self.shortestInterval) } ?? now
    }
}
