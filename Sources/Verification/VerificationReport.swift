import Bytes
import Documents
import LogReading
import Messages
import Petitions
import TransparencyLog

/// What a verification found, for people and for programs.
public struct VerificationReport: Sendable {
    /// One thing that was checked.
    public struct Check: Equatable, Sendable {
        /// How it went.
        public enum Outcome: String, Sendable {
            case passed
            case failed
            case undecided
        }
        /// What was checked.
        public let subject: CheckSubject
        /// How many items were checked.
        public let count: UInt64
        /// How it went.
        public let outcome: Outcome
        /// Why it failed or could not be decided.
        public let detail: String?
    }

    /// An entry or document that breaks a rule.
    public struct Refusal: Equatable, Sendable {
        /// The log's name, or the document's.
        public let log: String
        /// The entry's index, nil when the log or document as a whole is concerned.
        public let index: UInt64?
        /// The rule that is broken.
        public let rule: Rule
        /// More information for people, such as a file's path.
        public let detail: String?
        /// True when the copy is not what was signed: then nothing is proven against the signer of the log.
        public internal(set) var isOfCopy = false
    }

    /// Entries of a log that break a rule and are not listed one by one, because there are too many.
    public struct Omitted: Equatable, Sendable {
        /// The log's name.
        public let log: String
        /// The rule that they break.
        public let rule: Rule
        /// How many there are.
        public let count: UInt64
    }

    /// A log as it was read.
    public struct Log: Equatable, Sendable {
        /// Its name: its url without scheme.
        public let url: String
        /// Its size.
        public let treeSize: UInt64
        /// Its root.
        public let rootHash: Bytes32
        /// How many entries it had when the petition closed, as far as witnesses prove it: those after them are late.
        /// Nil where nothing is proven.
        public internal(set) var closingSize: UInt64?
        /// How its count grew, as published by its aggregator and confirmed by recounting; without points if it was
        /// not.
        public internal(set) var history = GrowthHistory([])
    }

    /// Counts under one label, of people who were admitted in one way.
    public struct Label: Equatable, Sendable {
        /// The label, as shown to people, and how they were admitted.
        public let group: TallyGroup
        /// The counts.
        public let count: Tally.Count
    }

    /// The overall result of all checks.
    public enum Verdict: String, Sendable {
        /// Every check passed.
        case valid
        /// Something is proven wrong.
        case invalid
        /// Nothing is proven wrong, but something could not be read.
        case undecided
    }

    /// The result of the checks of one roll: shows whose numbers can be relied on when another roll is at fault.
    public struct RollVerdict: Equatable, Sendable {
        /// The roll's id.
        public let id: RollID
        /// `R`, the roll's address.
        public let url: ServiceURL
        /// The result of the checks of this roll.
        public internal(set) var verdict: Verdict
        /// How its people were admitted, by the word of its coordinator; nil if that could not be read.
        public internal(set) var admission: RollAdmission?
        /// Why it is not valid.
        public internal(set) var detail: String?
    }

    /// Records whose proofs were not checked now, but taken from a file of an earlier run or another machine.
    public struct ProofsTaken: Equatable, Sendable {
        /// The file's name.
        public let file: String
        /// The number of records, over all logs.
        public internal(set) var records: UInt64
    }

    /// The petition, when its document could be read.
    public internal(set) var petition: PetitionManifest?
    /// Every check, in the order in which it was made.
    public internal(set) var checks: [Check] = []
    /// Every broken rule; for the records of one log, the first 1000.
    public internal(set) var refusals: [Refusal] = []
    /// The other records that break a rule.
    public internal(set) var omitted: [Omitted] = []
    /// What is wrong but does not change the result.
    public internal(set) var remarks: [Refusal] = []
    /// A verdict on each roll, in the manifest's order; none when only a part was verified.
    public internal(set) var rolls: [RollVerdict] = []
    /// What the verdict relies on besides what was checked now.
    public internal(set) var proofsTaken: [ProofsTaken] = []
    /// Every log that was read.
    public internal(set) var logs: [Log] = []
    /// The recomputed tally; nil when a log or roll could not be read, since a part is not a total, and when a ring has
    /// more tags than members.
    public internal(set) var tally: Tally?
    /// The tally by label.
    public internal(set) var perLabel: [Label] = []
    /// What need not be verified again: the logs that were read to their end.
    public internal(set) var verified: [VerifiedRange] = []
    /// The entries of one log that were verified, if only a part was verified; then there is no tally.
    public internal(set) var part: VerifiedRange?
    /// What the result does not prove, in plain words.
    public internal(set) var reservations: [String] = []

    /// The overall verdict: proven wrong outweighs unknown.
    public var verdict: Verdict {
        if !refusals.isEmpty || checks.contains(where: { $0.outcome == .failed }) { return .invalid }
        if (tally == nil && part == nil) || checks.contains(where: { $0.outcome == .undecided }) { return .undecided }
        return .valid
    }

    /// What the total is made of, if that needs to be said: ``Tally/perAdmission(_:)``.
    public var perAdmission: [(admission: RollAdmission.Kind, count: Tally.Count)] {
        Tally.perAdmission(perLabel.map { ($0.group, $0.count) })
    }

    mutating func recounted(_ history: GrowthHistory, of log: String) {
        for position in logs.indices where logs[position].url == log { logs[position].history = history }
    }

    mutating func pass(_ subject: CheckSubject, count: UInt64) {
        checks.append(Check(subject: subject, count: count, outcome: .passed, detail: nil))
    }

    mutating func undecided(_ subject: CheckSubject, _ reason: String) {
        checks.append(Check(subject: subject, count: 0, outcome: .undecided, detail: reason))
    }

    mutating func fail(_ subject: CheckSubject, count: UInt64 = 0, _ found: [Refusal]) {
        refusals += found
        checks.append(Check(subject: subject, count: count, outcome: .failed, detail: found.first?.explanation))
    }

    /// Passes when nothing was found, else fails with everything that was found.
    mutating func conclude(_ subject: CheckSubject, count: UInt64, _ found: [Refusal]) {
        if found.isEmpty { pass(subject, count: count) } else { fail(subject, count: count, found) }
    }

    /// The same for one log: a fault at index `boundary` or above changes nothing, and becomes a remark.
    mutating func conclude(_ subject: CheckSubject, count: UInt64, _ found: [Refusal], bindingBelow boundary: UInt64) {
        func isBinding(_ refusal: Refusal) -> Bool { refusal.index.map { $0 < boundary } ?? true }
        conclude(subject, count: count, found.filter(isBinding))
        remarks += found.filter { !isBinding($0) }
    }

    /// Adds a remark on bad hash tiles, if there are any. Nobody needs these tiles.
    mutating func remark(_ bad: BadHashTiles?, log: String) {
        guard let bad else { return }
        let others = bad.count > 1 ? ", and so do \(bad.count - 1) others" : ""
        remarks.append(
            Refusal(
                log: log, index: nil, rule: .rootMismatch,
                detail: "\(bad.path): a tile of hashes in this copy does not fit its entries\(others); "
                    + "the entries are whole"))
    }

    /// Adds the verdict on a roll, from its checks: all from index `first` on.
    mutating func judge(
        _ roll: PetitionManifest.RollReference, admission: RollAdmission?, checksFrom first: Int
    ) {
        let checks = checks[first...]
        var verdict = RollVerdict(id: roll.id, url: roll.url, verdict: .valid, admission: admission, detail: nil)
        if let check = checks.first(where: { $0.outcome == .failed }) {
            (verdict.verdict, verdict.detail) = (.invalid, check.explanation)
        } else if let check = checks.first(where: { $0.outcome == .undecided }) {
            (verdict.verdict, verdict.detail) = (.undecided, check.explanation)
        }
        rolls.append(verdict)
    }

    /// Makes a roll invalid because of a check that was made after its own. The first reason is kept.
    mutating func refuse(roll index: Int, by found: Refusal) {
        guard rolls.indices.contains(index), rolls[index].verdict != .invalid else { return }
        (rolls[index].verdict, rolls[index].detail) = (.invalid, found.explanation)
    }

    /// Makes a valid roll undecided: something that concerns it could not be read.
    mutating func doubt(roll index: Int, _ reason: String) {
        guard rolls.indices.contains(index), rolls[index].verdict == .valid else { return }
        (rolls[index].verdict, rolls[index].detail) = (.undecided, reason)
    }

    /// Counts records whose proofs were not checked now, since a file says that they were checked before.
    mutating func take(_ records: UInt64, from file: String) {
        if let position = proofsTaken.firstIndex(where: { $0.file == file }) {
            proofsTaken[position].records += records
        } else {
            proofsTaken.append(ProofsTaken(file: file, records: records))
        }
    }
}

extension VerificationReport.Check {
    /// What was checked and why it did not pass.
    var explanation: String { subject.words + (detail.map { ": \($0)" } ?? "") }
}

extension VerificationReport.Refusal {
    /// The rule and where it is broken, for people.
    var explanation: String {
        rule.rawValue + (index.map { " at entry \($0)" } ?? "") + (detail.map { " (\($0))" } ?? "")
    }

    /// A fault of the log with this name.
    init(log: String, _ fault: LogFault, detail: String? = nil) {
        self.init(log: log, index: fault.index, rule: fault.rule, detail: detail)
    }
}

extension VerificationReport {
    /// The report as one JSON object. `valid` is null when nothing could be decided.
    public var json: String {
        var fields: [String] = []
        func add(_ name: String, _ value: String) { fields.append("\"\(name)\":\(value)") }
        add("valid", verdict == .valid ? "true" : verdict == .invalid ? "false" : "null")
        add("petition", petition.map { JSONValue.string($0.id.hex).text(isPretty: false) } ?? "null")
        if let total = tally?.total {
            add("signatures", String(total.signatures))
            add("withdrawn", String(total.withdrawn))
        }
        add(
            "perLabel",
            array(
                perLabel.map { label in
                    [
                        ("label", .string(label.group.label)),
                        ("admission", .string(label.group.admission.rawValue)),
                        ("signatures", .integer(label.count.signatures)),
                        ("withdrawn", .integer(label.count.withdrawn)),
                    ]
                }))
        add(
            "logs",
            array(
                logs.map { log in
                    [
                        ("url", .string(log.url)), ("treeSize", .integer(log.treeSize)),
                        ("rootHash", .string(Base64.encode(log.rootHash.array))),
                    ] + (log.closingSize.map { [("closingSize", .integer($0))] } ?? [])
                }))
        add(
            "rolls",
            array(
                rolls.map { roll in
                    [
                        ("id", .string(roll.id.hex)), ("url", .string(roll.url.text)),
                        ("verdict", .string(roll.verdict.rawValue)),
                    ] + (roll.admission.map { [("admission", $0.json)] } ?? [])
                        + (roll.detail.map { [("detail", .string($0))] } ?? [])
                }))
        add(
            "checks",
            array(
                checks.map { check in
                    [
                        ("name", .string(check.subject.words)), ("count", .integer(check.count)),
                        ("result", .string(check.outcome.rawValue)),
                    ] + (check.detail.map { [("detail", .string($0))] } ?? [])
                }))
        add("refusals", array(refusals.map(Self.fields)))
        add(
            "refusalsOmitted",
            array(
                omitted.map { omitted in
                    [
                        ("log", .string(omitted.log)), ("rule", .string(omitted.rule.rawValue)),
                        ("count", .integer(omitted.count)),
                    ]
                }))
        add("remarks", array(remarks.map(Self.fields)))
        add(
            "proofsTaken",
            array(proofsTaken.map { [("file", .string($0.file)), ("records", .integer($0.records))] }))
        if let part {
            add(
                "part",
                "{\"log\":\(JSONValue.string(part.log).text(isPretty: false)),"
                    + "\"first\":\(part.entries.lowerBound),\"end\":\(part.entries.upperBound)}")
        }
        add("reservations", JSONValue.array(reservations.map { .string($0) }).text(isPretty: false))
        return "{" + fields.joined(separator: ",") + "}"
    }

    private static func fields(_ refusal: Refusal) -> [(name: String, value: JSONValue)] {
        [("log", .string(refusal.log))] + (refusal.index.map { [("index", .integer($0))] } ?? [])
            + [("rule", .string(refusal.rule.rawValue))] + (refusal.detail.map { [("detail", .string($0))] } ?? [])
    }

    private func array(_ objects: [[(name: String, value: JSONValue)]]) -> String {
        JSONValue.array(objects.map { .object($0) }).text(isPretty: false)
    }
}
