import Bytes
import Documents
import Messages
import PageParts
import Petitions
import Verification

/// A verification's result as one self-contained HTML document, for a clerk to read, file and print.
public struct ReportPage {
    private let report: VerificationReport
    private let verdict: [String]
    private let isPinned: Bool
    private let madeAt: UTCTime
    private let language = Language.english

    /// A page for `report`, whose result `verdict` states in words. `isPinned` is true when the id was known before.
    public init(_ report: VerificationReport, verdict: [String], isPinned: Bool, madeAt: UTCTime) {
        self.report = report
        self.verdict = verdict
        self.isPinned = isPinned
        self.madeAt = madeAt
    }

    /// The document.
    public var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>Verification: \(text(title))</title>
        <style>\(String(decoding: Stylesheet.bytes, as: UTF8.self))</style>
        </head>
        <body>
        <main>
        <p class="meta">Verification report</p>
        <h1 lang="\(text(report.petition?.text.language ?? ""))" dir="auto">\(text(title))</h1>
        <p><span class="state">\(word(for: report.verdict))</span></p>
        \(count)
        \(verdict.map { "<p>\(text($0))</p>" }.joined())
        <h2>What was petitioned</h2>
        \(report.petition.map(facts) ?? "<p>The petition's document could not be read.</p>")
        \(labels)
        \(table("What was checked", ["Result", "Check", "#Things checked"], report.checks.map(row)))
        \(refusals)
        \(section("What does not change the result", ["Where", "What was found"], report.remarks.map(row)))
        \(section("Roll by roll", ["Result", "Roll"], report.rolls.map(row)))
        <h2>What this does not prove</h2>
        <ul>\(report.reservations.map { "<li>\(text($0))</li>" }.joined())</ul>
        \(report.logs.map(chart).joined())
        \(table("Logs that were read", ["Log, and its root (SHA-256)", "#Entries"], report.logs.map(row)))
        <h2>How to check this report</h2>
        <p>It was made on \(language.minute(madeAt.seconds)) by petition-verifier for the protocol roundrobin-v1, from \
        files that anybody can fetch. Do not believe it: run</p>
        <pre>petition-verifier verify \(text(report.petition?.logURL(aggregator: 0).text ?? "COPY"))</pre>
        \(report.petition.map(code) ?? "")
        </main>
        </body>
        </html>

        """
    }

    private func text(_ text: String) -> String { text.escapedForXML }

    private var title: String { report.petition?.text.title ?? "A petition that cannot be read" }

    private var count: String {
        guard let total = report.tally?.total, let goal = report.petition?.text.goal else {
            return "<p class=\"count\">There is no total.</p>"
        }
        let unit = language.phrase(total.signatures == 1 ? .one : .signatures)
        let worth = report.perAdmission.map { admission, count in
            "\(admission.name) \(language.number(count.signatures))" + (admission.caution.map { ", \($0)" } ?? "")
        }
        return """
            \(worth.isEmpty ? "" : "<p>\(worth.joined(separator: " · "))</p>")
            <p class="count"><strong>\(language.number(total.signatures))</strong> \(unit), \
            \(language.number(total.withdrawn)) withdrawn; first goal \(language.number(goal))</p>
            """
    }

    private func facts(_ petition: PetitionManifest) -> String {
        let of = petition.text
        let caution = isPinned ? "" : " (nobody said which id to expect: compare it with the one you know)"
        let rows = [
            ("Started by", "<td dir=\"auto\">\(text(of.startedBy))</td>"),
            ("Addressed to", "<td dir=\"auto\">\(text(of.addressedTo))</td>"),
            ("Open from", "<td>\(language.minute(of.opens.seconds))</td>"),
            ("Open until", "<td>\(language.minute(of.closes.seconds))</td>"),
            ("Petition id", "<td><code>\(petition.id.hex)</code>\(caution)</td>"),
            ("Short fingerprint", "<td class=\"fingerprint\">\(text(petition.id.fingerprint))</td>"),
        ]
        return """
            <table>
            \(rows.map { "<tr><th scope=\"row\">\($0)</th>\($1)</tr>" }.joined(separator: "\n"))
            </table>
            <div class="statement" lang="\(text(of.language))" dir="\(Language.direction(of: of.language))">
            \(StatementHTML.render(of.statement))
            </div>
            """
    }

    /// The counts for each roll's label, if there are several.
    private var labels: String {
        guard report.perLabel.count > 1 else { return "" }
        let rows = report.perLabel.map { label in
            """
            <tr><th scope="row" dir="auto">\(text(label.group.label))</th>\
            <td class="number">\(language.number(label.count.signatures))</td>\
            <td class="number">\(language.number(label.count.withdrawn))</td></tr>
            """
        }
        return table("By roll", ["Roll", "#Signatures", "#Withdrawn"], rows)
    }

    private var refusals: String {
        let rows = report.refusals.map(row) + report.omitted.map(row)
        return report.refusals.isEmpty ? "" : table("What is wrong", ["Where", "Rule that is broken"], rows)
    }

    // MARK: Tables

    /// A heading and a table, if there is anything in it.
    private func section(_ heading: String, _ columns: [String], _ rows: [String]) -> String {
        rows.isEmpty ? "" : table(heading, columns, rows)
    }

    /// A heading and a table. Columns of numbers begin with a `#`.
    private func table(_ heading: String, _ columns: [String], _ rows: [String]) -> String {
        let heads = columns.map { column in
            column.first == "#"
                ? "<th scope=\"col\" class=\"number\">\(column.dropFirst())</th>" : "<th scope=\"col\">\(column)</th>"
        }
        return """
            <h2>\(heading)</h2>
            <table><thead><tr>\(heads.joined())</tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table>
            """
    }

    private func word(for verdict: VerificationReport.Verdict) -> String {
        switch verdict {
        case .valid: "Valid"
        case .invalid: "Invalid"
        case .undecided: "Cannot be decided"
        }
    }

    private func row(_ roll: VerificationReport.RollVerdict) -> String {
        let admission = roll.admission.map { "<br>People admitted \(text($0.words))" } ?? ""
        let detail = roll.detail.map { "<br>\(text($0))" } ?? ""
        return "<tr><td>\(word(for: roll.verdict))</td><td>\(text(roll.url.text))\(admission)\(detail)</td></tr>"
    }

    private func row(_ check: VerificationReport.Check) -> String {
        let outcome =
            switch check.outcome {
            case .passed: "ok"
            case .failed: "WRONG"
            case .undecided: "undecided"
            }
        let detail = check.detail.map { "<br>\(text($0))" } ?? ""
        return """
            <tr><td>\(outcome)</td><td>\(text(check.subject.words))\(detail)</td>\
            <td class="number">\(language.number(check.count))</td></tr>
            """
    }

    private func row(_ refusal: VerificationReport.Refusal) -> String {
        let location = refusal.index.map { "entry \($0) of \(refusal.log)" } ?? refusal.log
        let rule = refusal.rule.rawValue + (refusal.detail.map { " (\($0))" } ?? "")
        return "<tr><td>\(text(location))</td><td>\(text(rule))</td></tr>"
    }

    private func row(_ omitted: VerificationReport.Omitted) -> String {
        let location = "and \(language.number(omitted.count)) more of \(omitted.log)"
        return "<tr><td>\(text(location))</td><td>\(omitted.rule.rawValue)</td></tr>"
    }

    private func row(_ log: VerificationReport.Log) -> String {
        """
        <tr><td>\(text(log.url))<br><code>\(log.rootHash.hex)</code></td>\
        <td class="number">\(language.number(log.treeSize))</td></tr>
        """
    }

    // MARK: Pictures

    private func chart(_ log: VerificationReport.Log) -> String {
        guard let chart = GrowthChart(log.history.points, language: language) else { return "" }
        return """
            <h2>Signatures over time</h2>
            <figure class="figure">\(chart.svg)<figcaption class="quiet">\(text(chart.text)) The counts were recounted; \
            the hours are the word of \(text(log.url)).</figcaption></figure>
            """
    }

    private func code(_ petition: PetitionManifest) -> String {
        guard let code = QRCode(petition.logURL(aggregator: 0).text) else { return "" }
        let picture = code.svg(title: "QR code of the petition's address")
        return "<p>The petition's address, with its id at the end:</p><p>\(picture)</p>"
    }
}
