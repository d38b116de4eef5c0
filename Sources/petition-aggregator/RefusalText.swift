import AggregatorService
import CommandSupport
import Documents
import LogReading
import Petitions
import TransparencyLog

/// Messages for why a petition is not accepted: what is wrong, where, and what to do next.
enum RefusalText {
    /// The error message for a refusal by `add`.
    static func userError(for error: PetitionRefusal) -> UserError {
        switch error {
        case .unreadable(let location, let reason):
            UserError(.undecided, "\(location) cannot be read: \(reason)", hint: again)
        case .logTooShort(let log, let size, let needed):
            UserError(
                .undecided, "the log \(log) has \(size) entries, and the petition needs \(needed) of them", hint: again)
        case .logWrong(let log, let error): about(error, in: log)
        case .descriptorWrong(let roll, let reason):
            UserError(.refused, "\(roll) is not the roll that the petition names: \(reason)", hint: compare)
        case .petitionNotAnnounced(let log):
            UserError(
                .refused, "the petition is not in the announcements log \(log) (\(Rule.notAnnounced.rawValue))",
                hint: "what is not announced may be made for a few people: ask the petition's organisers")
        case .announcementNotWitnessed(let address, let reason):
            UserError(
                .undecided, "\(address) is no proof that the petition's witnesses saw its announcement: \(reason)",
                hint: "run the same command again in a minute; if it stays so, ask the petition's organisers")
        case .announcementsOtherThanWitnessed(let log, let size):
            UserError(
                .refused,
                "the log \(log) is not the one that the petition's witnesses cosigned with \(size) entries "
                    + "(\(Rule.rootMismatch.rawValue))",
                hint: "you are shown another log than others: do not take the petition, and tell its organisers")
        case .rollNotAnnounced(let roll, let log, let other):
            notAnnounced(roll, in: log, other)
        case .rootMismatch(let log, let size):
            UserError(
                .refused,
                "the first \(size) entries of the log \(log) are not those that the petition refers to "
                    + "(\(Rule.rootMismatch.rawValue) at size \(size))",
                hint: compare)
        case .rollAtFault(let log, let fault):
            UserError(
                .refused, "entry \(fault.index) of the log \(log) breaks the rule \(fault.rule.rawValue)",
                hint: "nobody could verify this petition: ask the coordinator of the roll")
        case .rollsShare(.enrolmentKeyReused, let roll, let other):
            UserError(
                .refused, "the rolls \(roll) and \(other) have one enrolment key (\(Rule.enrolmentKeyReused.rawValue))",
                hint: "one of them was made from the other: ask the petition's organisers")
        case .rollsShare(let rule, let roll, let other):
            UserError(
                .refused, "a member's key is in the rolls \(roll) and \(other) (\(rule.rawValue))",
                hint: "one of them was made from the other: ask the petition's organisers")
        }
    }

    private static let again = "run the same command again when the coordinator answers"
    private static let compare =
        "you are shown another roll than the petition's organisers: compare with others, and ask them"

    private static func notAnnounced(_ roll: String, in log: String, _ other: RollID?) -> UserError {
        let rule = Rule.notAnnounced.rawValue
        guard let other else {
            return UserError(
                .refused, "the roll \(roll) is not in the announcements log \(log) (\(rule))",
                hint: "what is not announced may be made for a few people: ask the petition's organisers")
        }
        return UserError(
            .refused, "the log \(log) announces the link of the roll \(roll) for another, \(other.hex) (\(rule))",
            hint: "one of the two may be made for a few: ask the coordinator of the roll")
    }

    private static func about(_ error: LogReadError, in log: String) -> UserError {
        switch error {
        case .notAnExtension(let size):
            UserError(
                .refused, "the log \(log) is shorter than what is kept of it, or another: \(size) entries are kept",
                hint: "what was signed before is in this aggregator's folder: keep it, and ask the coordinator")
        case .checkpointInvalid:
            UserError(
                .refused, "the checkpoint of the log \(log) is not one that its key signed",
                hint: "ask the coordinator")
        default:
            UserError(
                .refused, "the entries of the log \(log) do not give the root that was signed",
                hint: "another log was kept before, or it is damaged: ask the coordinator")
        }
    }
}
