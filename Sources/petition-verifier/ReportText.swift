import Documents
import Petitions
import Verification

/// The report for people.
enum ReportText {
    static func make(_ report: VerificationReport, isPinned: Bool) -> String {
        var lines: [String] = []
        if let petition = report.petition {
            lines += [petition.text.title, "Petition \(petition.id.hex)"]
            if !isPinned { lines.append("(compare this id with the one you know, or pin it with --id)") }
            lines.append("")
        }
        lines += report.checks.map(line)
        if !report.refusals.isEmpty {
            lines += ["", "What is wrong:"] + report.refusals.map(line) + report.omitted.map(line)
        }
        if !report.remarks.isEmpty { lines += ["", "What does not change the result:"] + report.remarks.map(line) }
        if !report.rolls.isEmpty { lines += ["", "Roll by roll:"] + report.rolls.map(line) }
        lines.append("")
        lines += counts(report) + verdict(report)
        if report.verdict != .undecided, report.part == nil, !report.reservations.isEmpty {
            lines += ["", "What this does not prove:"] + report.reservations.map { "  - \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ check: VerificationReport.Check) -> String {
        switch check.outcome {
        case .passed: "  ok         \(check.subject.words) (\(check.count))"
        case .failed: "  WRONG      \(check.subject.words): \(check.detail ?? "")"
        case .undecided: "  UNDECIDED  \(check.subject.words): \(check.detail ?? "")"
        }
    }

    private static func line(_ roll: VerificationReport.RollVerdict) -> String {
        let why = roll.detail.map { ": \($0)" } ?? ""
        let verdict =
            switch roll.verdict {
            case .valid: "  valid      \(roll.url)"
            case .invalid: "  INVALID    \(roll.url)\(why)"
            case .undecided: "  UNDECIDED  \(roll.url)\(why)"
            }
        return verdict + (roll.admission.map { "\n             people admitted \($0.words)" } ?? "")
    }

    private static func line(_ refusal: VerificationReport.Refusal) -> String {
        let location = refusal.index.map { "entry \($0) of \(refusal.log)" } ?? refusal.log
        return "  \(location): \(refusal.rule.rawValue)\(refusal.detail.map { " (\($0))" } ?? "")"
    }

    private static func line(_ omitted: VerificationReport.Omitted) -> String {
        "  and \(omitted.count) more of \(omitted.log): \(omitted.rule.rawValue)"
    }

    private static func counts(_ report: VerificationReport) -> [String] {
        var lines: [String] = []
        if let total = report.tally?.total, let goal = report.petition?.text.goal {
            lines += report.perAdmission.map { admission, count in
                let name = admission.name + String(repeating: " ", count: max(0, 10 - admission.name.count))
                let caution = admission.caution.map { "; \($0)" } ?? ""
                return "  \(name) \(count.signatures), \(count.withdrawn) withdrawn\(caution)"
            }
            lines.append("\(total.signatures) signatures, \(total.withdrawn) withdrawn; first goal \(goal).")
            if report.perLabel.count > 1 {
                lines += report.perLabel.map {
                    "  \($0.group.label): \($0.count.signatures), \($0.count.withdrawn) withdrawn"
                }
            }
        }
        return lines
    }

    /// The overall result of all checks, and what it relies on.
    static func verdict(_ report: VerificationReport) -> [String] {
        words(for: report) + report.proofsTaken.map(line)
    }

    private static func line(_ taken: VerificationReport.ProofsTaken) -> String {
        let what = taken.records == 1 ? "proof of 1 record was" : "proofs of \(taken.records) records were"
        return "The \(what) taken from \(taken.file), not checked now."
    }

    private static func words(for report: VerificationReport) -> [String] {
        switch report.verdict {
        case .valid where report.part != nil:
            ["PART VALID: the proofs of these records hold. This is no tally: join the parts with merge."]
        case .valid:
            [
                "VALID: each signature is by a different member of the rolls, nothing was added, altered or counted twice.",
                "Nobody, not even the aggregator and the coordinator together, could have added a signature for a member.",
            ]
        case .invalid where !report.refusals.isEmpty && report.refusals.allSatisfy(\.isOfCopy):
            [
                "INVALID: this copy is not what was signed. It is damaged or was changed: fetch it again.",
                "Nothing is proven against those who signed it.",
            ]
        case .invalid: ["INVALID: what is published breaks the rules."]
        case .undecided:
            [
                "CANNOT DECIDE: something is missing or unreachable"
                    + (report.tally == nil ? ", so there is no total." : "; the total was not contradicted.")
            ]
        }
    }
}
