import TransparencyLog
import Witnessing

/// What a witness answered to a submission. Nothing of it is trusted but lines that verify: the rest are claims.
public enum WitnessAnswer: Equatable, Sendable {
    /// The largest answer in bytes that is read: 128 KiB.
    public static let maximumCount = 128 * 1024

    /// 200, with these lines by its keys.
    case cosigned([Cosignature])
    /// 409: it says that it cosigned this size last; nil if it names none.
    case conflict(UInt64?)
    /// 422: it says that the checkpoint does not extend what it cosigned.
    case inconsistent
    /// 403 or 404: it says that it does not follow this log, or by another key.
    case notFollowed(status: Int)
    /// 400: it says that the request is malformed.
    case malformed
    /// Anything else: 429, 5xx, no answer in time, no line that verifies. The reason is for people.
    case unavailable(String)

    /// Reads the answer to the submission of `checkpoint` to the witness that has `keys`.
    public init(status: Int, body: [UInt8], to checkpoint: Checkpoint, keys: [WitnessKey]) {
        switch status {
        case 200:
            let lines = checkpoint.cosignatures(inLines: body, by: keys)
            self = lines.isEmpty ? .unavailable("its answer has no line by its key that verifies") : .cosigned(lines)
        case 400: self = .malformed
        case 403, 404: self = .notFollowed(status: status)
        case 409: self = .conflict(Self.size(body))
        case 422: self = .inconsistent
        default: self = .unavailable("it answered with status \(status)")
        }
    }

    /// The size in the body of a 409: a decimal number and a newline.
    private static func size(_ body: [UInt8]) -> UInt64? {
        guard body.count <= 20, body.last == 0x0A else { return nil }
        return String(validating: body.dropLast(), as: UTF8.self).flatMap { Checkpoint.decimal($0) }
    }
}

/// Why a witness counts as absent for a log.
public enum WitnessTrouble: Equatable, Sendable {
    /// It says that it cosigned a larger tree: it lies, or this log is a restored backup.
    case claimsLarger(UInt64)
    /// It says that it cosigned something else, but not what.
    case claimsOther
    /// It names one size after the other, and takes a proof from none.
    case conflictsForEver
    /// It does not follow this log.
    case notFollowed(status: Int)
    /// It says that our requests are malformed.
    case malformed
    /// It does not answer as a witness does.
    case unavailable(String)

    /// What is wrong, for the operator.
    public var explanation: String {
        switch self {
        case .claimsLarger(let size): "it claims to have cosigned \(size) entries, more than this log ever had"
        case .claimsOther: "it claims to have cosigned another log under this name"
        case .conflictsForEver: "it names one size after the other, and takes a proof from none of them"
        case .notFollowed(404): "it does not follow this log: give its operator the key and address of this server"
        case .notFollowed: "it follows this log by another key: give its operator the right one"
        case .malformed: "it says that our requests are malformed: this is a fault of one of the two programs"
        case .unavailable(let reason): reason
        }
    }

    /// True if an operator must do something: it does not go away by waiting.
    public var isAlarming: Bool {
        if case .unavailable = self { false } else { true }
    }
}
