/// Decides when coordinators' logs are read, each separately and by one reading at a time: a state machine without a
/// clock. Waiting requests are identified by numbers.
package struct ReadingQueue<Subject: Hashable> {
    /// A log is read immediately on request, but no more often than this: anybody can cause such requests.
    package static var shortestInterval: Duration { .seconds(1) }
    /// The most requests that may wait for the next reading of one log.
    package static var waiterLimit: Int { 64 }

    private struct State {
        var isUnderWay = false
        /// True when somebody wants a reading that starts after their request.
        var isWanted = false
        var waiters: [Int] = []
        var startedAt: ContinuousClock.Instant?
    }

    private var states: [Subject: State] = [:]

    /// An empty queue.
    package init() {}

    /// True when one more request may wait for the next reading of a log.
    package func hasRoom(for subject: Subject) -> Bool { (states[subject]?.waiters.count ?? 0) < Self.waiterLimit }

    /// Requests a reading that starts after this call. Returns when to ``begin(_:now:)`` it; nil while another is in
    /// progress, whose ``end(_:now:)`` returns it.
    package mutating func want(_ subject: Subject, waiter: Int?, now: ContinuousClock.Instant) -> ContinuousClock
        .Instant?
    {
        states[subject, default: State()].isWanted = true
        if let waiter { states[subject]?.waiters.append(waiter) }
        return next(subject, now: now)
    }

    /// Removes a waiter that no longer waits.
    package mutating func forget(_ waiter: Int, of subject: Subject) {
        states[subject]?.waiters.removeAll { $0 == waiter }
    }

    /// To be called when a reading begins. Returns the waiters that it serves: those that wait now, and no others.
    package mutating func begin(_ subject: Subject, now: ContinuousClock.Instant) -> [Int] {
        let served = states[subject]?.waiters ?? []
        states[subject] = State(isUnderWay: true, startedAt: now)
        return served
    }

    /// To be called when a reading has ended. Returns when the next begins, if somebody wants one.
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
