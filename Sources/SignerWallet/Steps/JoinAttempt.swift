import Documents
import Petitions

/// What one attempt to join has come to. It is gone on with after each wait.
public struct JoinAttempt: Sendable {
    /// What the person agreed to.
    var agreed: Set<SignerRisk.Name> = []
    /// True once the person was told when the key is sent, and once that moment has come.
    var isAnnounced = false, isDue = false
    /// Moments of other things that this wallet does, and how far the key is sent from them, in seconds.
    let avoided: [UTCTime]
    let distance: Int64
    /// When others join no more, and how long waits between tries are at most, in seconds.
    var retries: (end: Int64, longest: Int64)?
    /// Why it is tried again.
    var trouble: SignerError?

    /// When others join no more; nil before the phase is known.
    public var end: UTCTime? { retries.map { UTCTime(seconds: $0.end) } }

    /// A new attempt, which keeps clear of other things that this wallet does, if it can.
    public init(avoiding moments: [UTCTime] = [], by distance: Int64 = 0) {
        (avoided, self.distance) = (moments, distance)
    }
}

/// How an attempt to join goes on.
public enum JoinProgress: Sendable {
    /// Not before this moment.
    case waits(until: UTCTime)
    /// It does not: it is over.
    case ended(JoinOutcome)
}

extension Wallet {
    /// The moment at which the key is sent: drawn uniformly from the second half of the window, or from what remains of
    /// it, apart from what else this wallet does. It is kept for the next start.
    func joinMoment(
        of state: EnrolmentState, roll: RollDescriptor, clock: SignerClock, _ attempt: JoinAttempt
    ) throws(SignerError) -> (moment: UTCTime, isNew: Bool) {
        let (opened, window) = (Int64(clamping: state.opened), Int64(roll.terms.joiningSeconds))
        let now = clock.now.seconds
        let kept = try enrolment(in: roll.id)?.joinMoment.flatMap { $0.opened == state.opened ? $0.at : nil }
        var span = max(now, opened + window / 2)...max(now, opened + window / 2, opened + window)
        if let kept {
            if attempt.isDue || now - kept <= SignerClock.lateness { return (UTCTime(seconds: kept), false) }
            // Not at once: whoever sees the computer come on would know whose key it is.
            let latest = max(now, min(now + SignerClock.afterSleep, opened + window))
            span = min(now + SignerClock.afterSleep / 15, latest)...latest
        }
        let drawn = clock.moment(
            from: span.lowerBound, to: span.upperBound, avoiding: attempt.avoided, by: attempt.distance)
        try change(roll.id) { $0.joinMoment = .init(opened: state.opened, at: drawn.seconds) }
        return (drawn, true)
    }
}
