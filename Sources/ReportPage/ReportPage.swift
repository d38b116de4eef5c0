import Bytes
import Documents
import Foundation
import Messages
import Mustache
import PageParts
import Petitions
import Verification

/// A verification's result as one HTML document that needs nothing else: for a clerk, to read, file and print.
public struct ReportPage {
    private static let templates = Templates.load(["report": PackageResources.report_mustache], in: .english)

    private let report: VerificationReport
    private let verdict: [String]
    private let isPinned: Bool
    private let madeAt: UTCTime
    private let language = Language.english

    /// A page for `report`, whose result `verdict` says in words. `isPinned` tells that the id was known before.
    public init(_ report: VerificationReport, verdict: [String], isPinned: Bool, madeAt: UTCTime) {
        self.report = report
        self.verdict = verdict
        self.isPinned = isPinned
        self.madeAt = madeAt
    }

    /// The document.
    public var html: String {
        var page: [String: Any] = [
            "css": String(decoding: Templates.style, as: UTF8.self), "verdict": verdict,
            "title": report.petition?.text.title ?? "A petition that cannot be read",
            "verdictWord": verdictWord, "checks": report.checks.map(check), "reservations": report.reservations,
            "hasRefusals": !report.refusals.isEmpty, "hasLabels": report.perLabel.count > 1,
            "labels": report.perLabel.map { label -> [String: Any] in
                [
                    "label": label.label, "signatures": language.number(label.count.signatures),
                    "withdrawn": language.number(label.count.withdrawn),
                ]
            },
            "refusals": report.refusals.map(refusal) + report.omitted.map(omitted),
            "hasRemarks": !report.remarks.isEmpty, "remarks": report.remarks.map(refusal),
            "hasRolls": !report.rolls.isEmpty, "rolls": report.rolls.map(roll),
            "logs": report.logs.map { log -> [String: Any] in
                ["url": log.url, "size": language.number(log.treeSize), "root": log.rootHash.hex]
            },
            "charts": charts, "madeAt": language.minute(madeAt.seconds), "protocol": "roundrobin-v1",
            "command": "petition-verifier verify \(report.petition?.logURL(aggregator: 0).text ?? "COPY")",
        ]
        if let total = report.tally?.total, let goal = report.petition?.text.goal {
            page["tally"] = [
                "signatures": language.number(total.signatures), "withdrawn": language.number(total.withdrawn),
                "unit": language.phrase(total.signatures == 1 ? .one : .signatures), "goal": language.number(goal),
            ]
        }
        if let petition = report.petition {
            page["petitionLang"] = petition.text.language
            page["petition"] = facts(petition)
            page["qr"] = QRCode(petition.logURL(aggregator: 0).text)?.svg(title: "QR code of the petition's address")
        }
        guard let html = Self.templates.render(page, withTemplate: "report") else {
            preconditionFailure("there is such a template")
        }
        return html
    }

    private func facts(_ petition: PetitionManifest) -> [String: Any] {
        let text = petition.text
        return [
            "startedBy": text.startedBy, "addressedTo": text.addressedTo, "id": petition.id.hex,
            "opens": language.minute(text.opens.seconds), "closes": language.minute(text.closes.seconds),
            "fingerprint": petition.id.fingerprint, "statement": StatementHTML.render(text.statement),
            "dir": Language.direction(of: text.language), "petitionLang": text.language, "pinned": isPinned,
        ]
    }

    private var verdictWord: String { word(for: report.verdict) }

    private func word(for verdict: VerificationReport.Verdict) -> String {
        switch verdict {
        case .valid: "Valid"
        case .invalid: "Invalid"
        case .undecided: "Cannot be decided"
        }
    }

    private func roll(_ roll: VerificationReport.RollVerdict) -> [String: Any] {
        var row: [String: Any] = ["url": roll.url.text, "word": word(for: roll.verdict)]
        row["detail"] = roll.detail
        return row
    }

    private func check(_ check: VerificationReport.Check) -> [String: Any] {
        let outcome =
            switch check.outcome {
            case .passed: "ok"
            case .failed: "WRONG"
            case .undecided: "undecided"
            }
        var row: [String: Any] = ["outcome": outcome, "name": check.name, "count": language.number(check.count)]
        row["detail"] = check.detail
        return row
    }

    private func refusal(_ refusal: VerificationReport.Refusal) -> [String: Any] {
        let location = refusal.index.map { "entry \($0) of \(refusal.log)" } ?? refusal.log
        return ["place": location, "rule": refusal.rule.rawValue + (refusal.detail.map { " (\($0))" } ?? "")]
    }

    private func omitted(_ omitted: VerificationReport.Omitted) -> [String: Any] {
        ["place": "and \(language.number(omitted.count)) more of \(omitted.log)", "rule": omitted.rule.rawValue]
    }

    private var charts: [[String: Any]] {
        report.logs.compactMap { log in
            GrowthChart(log.history.points, language: language).map {
                ["svg": $0.svg, "text": $0.text, "log": log.url]
            }
        }
    }
}
