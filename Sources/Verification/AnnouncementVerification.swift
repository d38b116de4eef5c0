import Petitions
import TransparencyLog

/// Checks that a petition and its rolls were announced to everybody: a document that was made for one person's eyes is
/// not in the announcements log, or is there for everybody to see. Whether that log can be read does not stop the
/// count.
struct AnnouncementVerification {
    let petition: PetitionManifest
    let source: any ResourceSource
    let verified: VerifiedEntries?
    let progress: @Sendable (String, UInt64, UInt64) -> Void

    private var log: PublishedLog {
        OfflineCopy.announcementsLog(
            coordinator: petition.url, key: petition.key, source: source, prefix: OfflineCopy.announcements)
    }

    /// Runs the check for the petition and for each roll whose descriptor could be read, nil for the others.
    func run(rolls: [RollDescriptor?], _ report: inout VerificationReport) async {
        let log = log
        let name = "announcements log \(log.key.name)"
        var ledger = AnnouncementLedger()
        do {
            let checkpoint = try await log.readCopy(verified: verified, progress: progress, &report) { entries, _ in
                for entry in entries { ledger.append(entry) }
            }
            report.remember(checkpoint)
        } catch {
            report.file(error, name: name, log: log.key.name)
            for index in rolls.indices { report.doubt(roll: index, "\(name) could not be read") }
            return
        }
        report.pass(name, count: ledger.size)
        report.remarks += ledger.faults.map { fault in
            let isOther = fault.rule == .notAnnounced
            return .init(
                log: log.key.name, fault, detail: isOther ? "its link was announced before for another roll" : nil)
        }
        judge(ledger, rolls, &report)
    }

    private func judge(
        _ ledger: AnnouncementLedger, _ rolls: [RollDescriptor?], _ report: inout VerificationReport
    ) {
        var found: [VerificationReport.Refusal] = []
        if !ledger.isAnnounced(petition.id) { found.append(refusal("the petition")) }
        for (index, roll) in rolls.enumerated() {
            guard let roll, !ledger.isAnnounced(roll) else { continue }
            let other = ledger.roll(under: roll.link).map { ": its link was announced before for the roll \($0.hex)" }
            let refusal = refusal("the roll \(roll.url.bare)\(other ?? "")")
            report.refuse(roll: index, by: refusal)
            found.append(refusal)
        }
        report.conclude(
            "announcement of the petition and its rolls", count: UInt64(1 + rolls.compactMap { $0 }.count), found)
    }

    private func refusal(_ detail: String) -> VerificationReport.Refusal {
        .init(log: log.key.name, index: nil, rule: .notAnnounced, detail: detail)
    }
}
