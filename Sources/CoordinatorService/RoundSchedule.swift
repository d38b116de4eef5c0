import Documents
import Petitions

/// When the phases of a roll follow each other by themselves: the rules, without clock and database.
///
/// Joining opens when a crowd has enrolled and the round has some age, or when the round is old and the smallest ring
/// can be filled. It lasts the descriptor's `joiningSeconds`; then what waits is sealed if it fills the smallest ring.
/// If not, joining goes on for as long again, up to three times, and issuing opens again while they wait. No floor is
/// ever lowered.
public struct RoundSchedule: Equatable, Sendable {
    /// How often joining is prolonged when too few have joined.
    public static let prolongations = 3
    /// What a roll by e-mail has unless its operator says otherwise: 128 people, 12 hours, 72 hours.
    public static let standard = RoundSchedule(crowd: 128, atLeast: 12 * 3600, atMost: 72 * 3600)

    /// How many must have enrolled in the round for joining to open early.
    public let crowd: Int
    /// How old the round must then be, in seconds since its first code was issued.
    public let atLeast: Int
    /// The age in seconds at which joining opens also for fewer, if they fill the smallest ring.
    public let atMost: Int

    /// A schedule; ages are in seconds.
    public init(crowd: Int, atLeast: Int, atMost: Int) {
        self.crowd = crowd
        self.atLeast = atLeast
        self.atMost = atMost
    }

    /// What a round has come to, as far as it matters here. Times are seconds since 1970 by the coordinator's clock.
    public struct Round: Equatable, Sendable {
        /// The smallest ring, and how long joining lasts at least.
        public let terms: RollTerms
        /// True in the joining phase.
        public let isJoining: Bool
        /// When joining opened.
        public let opened: Int64
        /// When the first code of the round was issued; nil before.
        public let firstIssued: Int64?
        /// How many codes were issued in it.
        public let issued: Int
        /// How many members wait for a ring.
        public let pending: Int
        /// How often joining was prolonged.
        public let prolonged: Int
        /// When that was for the last time; nil before.
        public let prolongedAt: Int64?
        /// Whether a ring was sealed in it.
        public let isSealed: Bool

        /// The state of a round.
        public init(
            terms: RollTerms, isJoining: Bool, opened: Int64, firstIssued: Int64?, issued: Int, pending: Int,
            prolonged: Int, prolongedAt: Int64? = nil, isSealed: Bool
        ) {
            (self.terms, self.isJoining, self.opened, self.firstIssued) = (terms, isJoining, opened, firstIssued)
            (self.issued, self.pending, self.prolonged, self.isSealed) = (issued, pending, prolonged, isSealed)
            self.prolongedAt = prolongedAt
        }
    }

    /// What is done when its time has come.
    public enum Step: Equatable, Sendable {
        /// Joining opens.
        case openJoining
        /// Those who wait are sealed, and issuing opens.
        case seal
        /// Joining goes on.
        case prolong
        /// Issuing opens without a new ring.
        case openIssuing
    }

    /// What comes next.
    public struct Outlook: Equatable, Sendable {
        /// What is done.
        public let step: Step
        /// Not before this moment; nil before anybody has enrolled.
        public let notBefore: Int64?
        /// How many more must enrol first.
        public let missing: Int

        /// What comes next.
        public init(step: Step, notBefore: Int64?, missing: Int) {
            (self.step, self.notBefore, self.missing) = (step, notBefore, missing)
        }

        /// Whether it is done at `now`.
        public func isDue(at now: Int64) -> Bool { missing == 0 && notBefore.map { $0 <= now } ?? false }
    }

    /// What comes next in a round.
    public func outlook(of round: Round) -> Outlook {
        round.isJoining ? Self.joining(round) : issuing(round)
    }

    private func issuing(_ round: Round) -> Outlook {
        let least = round.terms.minimumRing
        let isCrowd = round.issued >= max(crowd, least)
        let age = isCrowd ? atLeast : max(atMost, atLeast)
        return Outlook(
            step: .openJoining, notBefore: round.firstIssued.map { $0 + Int64(age) },
            missing: max(0, least - round.issued))
    }

    private static func joining(_ round: Round) -> Outlook {
        let window = Int64(round.terms.joiningSeconds)
        // Whoever sent a key in the last moments waits for its answer, and clocks differ.
        let end = (round.prolongedAt ?? round.opened) + window + min(300, window / 4)
        let step: Step =
            if round.pending >= round.terms.minimumRing {
                .seal
            } else if round.isSealed || round.prolonged >= prolongations || round.terms.joiningSeconds == 0 {
                .openIssuing
            } else {
                .prolong
            }
        return Outlook(step: step, notBefore: end, missing: 0)
    }
}
