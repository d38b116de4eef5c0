import LogReading
import Petitions
import TagStorage
import TransparencyLog
import Witnessing

extension VerificationReport {
    /// Reports what went wrong in reading a log: proven wrong, or only unreadable.
    mutating func record(_ error: any Error, subject: CheckSubject, log: String) {
        switch error {
        case let error as LogReadError: record(error, subject: subject, log: log)
        case let error as OtherEntries:
            if let error = error.logError { return record(error, subject: subject, log: log) }
            undecided(subject, error.explanation)
        case is VerifierAtFault:
            undecided(subject, "its proofs fail together and hold one by one: this machine or program is at fault")
        case let error as TagStorageError:
            undecided(subject, "the temporary file with the tags failed: \(error.reason)")
        default: undecided(subject, "the copy cannot be read")
        }
    }

    /// Reports what is wrong with a log after the part that a petition has fixed, which remains valid.
    mutating func remark(_ error: any Error, log: String) {
        var other = VerificationReport()
        other.record(error, subject: .tags, log: log)
        let unread = Refusal(log: log, index: nil, rule: .rollUnreachable, detail: other.checks.first?.detail)
        remarks.append(other.refusals.first ?? unread)
    }

    private mutating func record(_ error: LogReadError, subject: CheckSubject, log: String) {
        func refuse(_ rule: Rule, at index: UInt64? = nil, _ detail: String) {
            let damage = error.isOfCopy ? "; the copy is damaged or was changed: fetch it again" : ""
            fail(
                subject,
                [Refusal(log: log, index: index, rule: rule, detail: detail + damage, isOfCopy: error.isOfCopy)])
        }
        switch error {
        case .source(.tooLarge(let location)): undecided(subject, "\(location) is larger than it can be")
        case .source(let error): undecided(subject, "\(error.location): \(error.reason)")
        case .missing(let path): undecided(subject, "\(path) is missing")
        case .tooManyEntries(let size, let limit):
            undecided(subject, "it says that it has \(size) entries; no log of its kind has more than \(limit)")
        case .witnesses(let error): undecided(subject, error.explanation)
        case .checkpointInvalid(let reason): refuse(.checkpointInvalid, reason.explanation)
        case .bundleMalformed(let path, let first):
            refuse(.entryMalformed, at: first, "\(path): not as many entries as there should be")
        case .entryMismatch(let index):
            refuse(.rootMismatch, at: index, "this copy's entry is not the one that was signed")
        case .tileMismatch(let path): refuse(.rootMismatch, "\(path): not the hashes of this copy's entries")
        case .rootMismatch: refuse(.rootMismatch, "this copy's entries do not give the root that was signed")
        case .notAnExtension(let size): refuse(.rootMismatch, "not a continuation of its first \(size) entries")
        }
    }
}

extension LogReadError {
    /// True when what was read is not what was signed: nobody can tell a damaged copy from a forged one.
    fileprivate var isOfCopy: Bool {
        switch self {
        case .bundleMalformed, .entryMismatch, .tileMismatch, .rootMismatch: true
        case .checkpointInvalid(let reason): reason != .malformed
        case .source, .missing, .tooManyEntries, .witnesses, .notAnExtension: false
        }
    }
}
