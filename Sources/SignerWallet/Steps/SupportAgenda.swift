import Documents
import Petitions

/// Which plan of a wallet is gone on with next, and when. What one plan does must not be seen next to what another
/// does, nor next to a computer that comes on: both would be known for one person's. It reaches no network and no file.
public struct SupportAgenda {
    /// What is done next.
    public enum Move: Sendable {
        /// Nothing before this moment: the plans are read again then, since there may be a new one.
        case wait(until: UTCTime, SupportPlan)
        /// A moment is drawn for this plan, with ``plan(_:at:isDrawn:)``: it has none, or slept through it.
        case draw(SupportPlan)
        /// The plan is gone on with.
        case step(SupportPlan)
    }

    private struct Entry {
        var due: UTCTime
        /// True if the moment was drawn for something that others can see, and must not be put off lightly.
        var isDrawn: Bool
        /// When it is too late; nil if that is not known.
        var until: UTCTime?
    }

    /// The longest wait before plans are read again, in seconds.
    private static let longestWait: Int64 = 600
    /// How far the clock may be set without being noticed, in seconds.
    private static let tolerance: Int64 = 60

    private let clock: SignerClock
    private var entries: [String: Entry] = [:]
    /// When servers were asked something, as the wallet has it, and by the clock as it is set now.
    private var noted: [Errand: UTCTime] = [:], visits: [Errand: UTCTime] = [:]
    private var seen: (wall: UTCTime, elapsed: Duration)

    /// An agenda without plans.
    public init(clock: SignerClock) {
        self.clock = clock
        seen = (clock.now, clock.elapsed)
    }

    /// Takes note of when servers were asked something with the wallet, for plans or by other commands.
    public mutating func note(_ times: [Errand: UTCTime]) {
        noticeSetClock()
        visits = visits.filter { times[$0.key] != nil }
        for (errand, time) in times where noted[errand] != time {
            // A clock that was ahead must not keep others waiting for long.
            visits[errand] = min(time, clock.now)
        }
        noted = times
    }

    /// The next move for these plans, none of which is at its end; nil if there are none.
    public mutating func next(of plans: [SupportPlan]) -> Move? {
        noticeSetClock()
        // What was planned for others is over: they were taken back, or stopped.
        let keys = Set(plans.map { $0.key })
        entries = entries.filter { keys.contains($0.key) }
        // A key is handed in once, however many petitions wait for it.
        let ready = plans.filter { plan in
            plan.step != .join || plans.first { $0.step == .join && $0.roll.id == plan.roll.id }?.key == plan.key
        }
        for plan in ready where entries[plan.key] == nil {
            guard plan.step == .enrol else { return .draw(plan) }
            entries[plan.key] = Entry(due: clock.now, isDrawn: false)
        }
        while let (plan, entry) = ready.compactMap({ plan in entries[plan.key].map { (plan, $0) } })
            .min(by: { $0.1.due < $1.1.due })
        {
            let now = clock.now
            guard entry.due <= now else {
                return .wait(until: min(entry.due, UTCTime(seconds: now.seconds + Self.longestWait)), plan)
            }
            if plan.step != .enrol, now.seconds - entry.due.seconds > SignerClock.lateness {
                entries[plan.key] = nil
                return .draw(plan)
            }
            guard let other = neighbour(of: plan, entry, now: now) else { return .step(plan) }
            let due = apart(from: other, plan)
            entries[plan.key]?.due = due
        }
        return nil
    }

    /// When something else was done just now, or another plan does something soon, at a moment that was drawn for it;
    /// nil if there is nothing, or if it would be too late afterwards.
    private func neighbour(of plan: SupportPlan, _ entry: Entry, now: UTCTime) -> UTCTime? {
        let distance = Wallet.distance(of: plan.roll).lowerBound
        let latest = [entry.until, plan.latest].compactMap { $0 }.min()
        func hasRoom(after time: UTCTime) -> Bool { latest.map { time.seconds + distance < $0.seconds } ?? true }
        let last = visits.filter { !plan.errands.contains($0.key) }.values.max()
        if let last, now.seconds - last.seconds < distance, hasRoom(after: last) { return last }
        if entry.isDrawn { return nil }
        return drawnMoments(beside: plan).filter {
            (now.seconds - SignerClock.lateness..<now.seconds + distance).contains($0.seconds) && hasRoom(after: $0)
        }.max()
    }

    /// A moment for a plan that is not next to `time`, and is before its petition closes if that is possible.
    private func apart(from time: UTCTime, _ plan: SupportPlan) -> UTCTime {
        let distance = Wallet.distance(of: plan.roll)
        let latest = [entries[plan.key]?.until, plan.latest].compactMap { $0?.seconds }.min() ?? .max
        let first = time.seconds + distance.lowerBound
        let moment = clock.moment(
            from: first, to: max(first, min(time.seconds + distance.upperBound, latest - 1)),
            avoiding: drawnMoments(beside: plan), by: distance.lowerBound)
        return max(moment, UTCTime(seconds: clock.now.seconds + 1))
    }

    /// The moments that were drawn for other plans.
    public func drawnMoments(beside plan: SupportPlan) -> [UTCTime] {
        entries.filter { $0.key != plan.key && $0.value.isDrawn }.map { $0.value.due }
    }

    /// When a plan is gone on with; after `until` it would be too late.
    public mutating func plan(_ plan: SupportPlan, at due: UTCTime, isDrawn: Bool, until: UTCTime? = nil) {
        entries[plan.key] = Entry(due: due, isDrawn: isDrawn, until: until)
    }

    /// Before when the roll of a plan is not looked at, since it was looked at or enrolled in just before; nil if it
    /// was not. Whoever looks right after enrolling could be recognised by that.
    public func earliestLook(for plan: SupportPlan) -> UTCTime? {
        guard plan.step == .join, !plan.hasJoinMoment, let last = visits[.roll(plan.roll.link)] else { return nil }
        return UTCTime(seconds: last.seconds + Wallet.pause(of: plan.roll).lowerBound)
    }

    /// Pauses are kept by the time that passes: a clock that is set moves them. What was drawn in a time that others
    /// set, such as a joining phase, is drawn again.
    private mutating func noticeSetClock() {
        let (now, elapsed) = (clock.now, clock.elapsed)
        let jump = now.seconds - seen.wall.seconds - (elapsed - seen.elapsed).components.seconds
        seen = (now, elapsed)
        guard abs(jump) > Self.tolerance else { return }
        entries = entries.filter { !$0.value.isDrawn }.mapValues {
            Entry(due: UTCTime(seconds: $0.due.seconds + jump), isDrawn: false)
        }
        visits = visits.mapValues { UTCTime(seconds: $0.seconds + jump) }
    }
}

extension SupportPlan {
    /// What distinguishes it from the others of a wallet.
    public var key: String { "\(roll.id.hex) \(petition?.id.hex ?? "")" }

    /// How long before a petition closes the last record is sent, in seconds: answers may take a minute.
    public static let beforeClosing: Int64 = 120

    /// When it is too late to send a record; nil before that is next.
    var latest: UTCTime? {
        guard step == .sign || step == .send, let petition else { return nil }
        return UTCTime(seconds: petition.text.closes.seconds - Self.beforeClosing)
    }

    /// The moment, or an earlier one at least so many seconds from now, if the petition would close before.
    public func beforeClosing(_ moment: UTCTime, least: Int64, clock: SignerClock) -> UTCTime {
        guard let latest else { return moment }
        return min(moment, UTCTime(seconds: clock.now.seconds + max(least, (latest.seconds - clock.now.seconds) / 2)))
    }
}
