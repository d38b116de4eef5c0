/// Decides when one witness is asked about one log, and with which old size: a state machine without a clock. It is
/// told each answer with its time.
///
/// Nothing that a witness says can stop the log. A witness that claims something that cannot be counts as absent, is
/// asked again later, and ever more rarely.
public struct WitnessSubmission: Sendable {
    /// How long a witness is given for an answer.
    public static let patience = Duration.seconds(5)
    /// How many proofs are made at once for a witness that names other sizes.
    private static let tries = 3
    /// After a failure that may pass by itself, the witness is asked again after a second, and then ever more rarely.
    private static let shortWaits = (first: Duration.seconds(1), longest: Duration.seconds(60))
    /// After a claim or a refusal, after a minute.
    private static let longWaits = (first: Duration.seconds(60), longest: Duration.seconds(1800))

    private let interval: Duration
    /// The size that it is believed to have cosigned last.
    private var believed: UInt64 = 0
    private var isUnderWay = false
    private var conflicts = 0
    private var failures = 0
    /// The size that it cosigned; nil if it is to cosign the same again.
    private var cosigned: UInt64?
    private var due: ContinuousClock.Instant
    /// Why it counts as absent; nil while it cosigns.
    public private(set) var trouble: WitnessTrouble?

    /// A witness that is asked no more often than every `interval`.
    public init(interval: Duration, now: ContinuousClock.Instant) {
        self.interval = interval
        due = now
    }

    /// The old size with which the tree of `size` entries is submitted now; nil if nothing is due.
    public mutating func begin(size: UInt64, now: ContinuousClock.Instant) -> UInt64? {
        guard !isUnderWay, cosigned != size, due <= now else { return nil }
        isUnderWay = true
        due = now + interval
        return min(believed, size)
    }

    /// When ``begin(size:now:)`` is to be called for this size; nil if nothing is due without news.
    public func next(size: UInt64) -> ContinuousClock.Instant? { isUnderWay || cosigned == size ? nil : due }

    /// Has the same size cosigned again, for a fresh time.
    public mutating func renew() { cosigned = nil }

    /// What to do after an answer.
    public enum Step: Equatable, Sendable {
        /// Nothing but to call ``begin(size:now:)`` again.
        case goOn
        /// The witness claims something that cannot be: look what it shows at its monitoring address.
        case look
    }

    /// To be called with the answer to the submission of `size` entries.
    public mutating func end(_ answer: WitnessAnswer, size: UInt64, now: ContinuousClock.Instant) -> Step {
        isUnderWay = false
        switch answer {
        case .cosigned:
            (believed, cosigned, trouble) = (size, size, nil)
            (conflicts, failures) = (0, 0)
            return .goOn
        case .conflict(let other?) where other <= size:
            believed = other
            conflicts += 1
            if conflicts < Self.tries {
                due = now
            } else {
                conflicts = 0
                wait(.conflictsForEver, Self.longWaits, now)
            }
            return .goOn
        case .conflict(let other):
            // What it cosigned is asked again the next time, from nothing.
            believed = 0
            wait(other.map { .claimsLarger($0) } ?? .claimsOther, Self.longWaits, now)
            return .look
        case .inconsistent:
            believed = 0
            wait(.claimsOther, Self.longWaits, now)
            return .look
        case .notFollowed(let status): wait(.notFollowed(status: status), Self.longWaits, now)
        case .malformed: wait(.malformed, Self.longWaits, now)
        case .unavailable(let reason): wait(.unavailable(reason), Self.shortWaits, now)
        }
        return .goOn
    }

    private mutating func wait(
        _ trouble: WitnessTrouble, _ waits: (first: Duration, longest: Duration), _ now: ContinuousClock.Instant
    ) {
        self.trouble = trouble
        let wait = min(waits.longest, waits.first * (1 << min(failures, 16)))
        failures += 1
        due = max(due, now + wait)
    }
}
