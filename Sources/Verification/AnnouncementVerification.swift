import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

/// Checks that a petition and its rolls were announced to everybody: a document made for a single person is not in the
/// announcements log, or is there for everybody to see. An earlier announcement of another roll under the same link is
/// proof of a fault. What is only missing may have been announced after the log was copied. Neither that nor an
/// unreadable log stops the count.
struct AnnouncementVerification {
    let petition: PetitionManifest
    let copy: CheckedCopy

    private var log: PublishedLog {
        OfflineCopy.announcementsLog(
            coordinator: petition.url, key: petition.key, source: copy.source, prefix: OfflineCopy.announcements)
    }

    /// Runs the check for the petition and for each roll whose descriptor could be read, nil for the others.
    func run(rolls: [RollDescriptor?], _ report: inout VerificationReport) async {
        let log = log
        let subject = CheckSubject.announcementsLog(log.key.name)
        let proof = await readProof(&report)
        var ledger = AnnouncementLedger(rootsAt: proof.map { [$0.head.checkpoint.size] } ?? [])
        do {
            let checkpoint = try await log.readCopy(copy, &report) { entries, _ in
                for entry in entries { ledger.append(entry) }
            }
            report.remember(checkpoint)
        } catch {
            report.record(error, subject: subject, log: log.key.name)
            for index in rolls.indices { report.doubt(roll: index, "\(subject.words) could not be read") }
            return
        }
        await EvidenceCheck(source: copy.source, folder: OfflineCopy.announcements).run(log.key, &report)
        report.pass(subject, count: ledger.size)
        report.remarks += ledger.faults.map { fault in
            let isOther = fault.rule == .notAnnounced
            return .init(
                log: log.key.name, fault, detail: isOther ? "its link was announced before for another roll" : nil)
        }
        judge(ledger, rolls, &report)
        if let proof { judge(proof.head.checkpoint, ledger, &report) }
    }

    /// The proof that the witnesses of the petition saw its announcement; nil if it has no witnesses, or if the proof
    /// is not there or not good: then nothing is proven against anybody.
    private func readProof(_ report: inout VerificationReport) async -> WitnessedProof? {
        guard let policy = petition.witnesses else { return nil }
        let (subject, path) = (CheckSubject.witnessedAnnouncement, OfflineCopy.announcement)
        guard let bytes = (try? await copy.source.read(path, limit: SignedNote.maximumCount)) ?? nil else {
            report.undecided(subject, "\(path) is missing")
            return nil
        }
        do throws(WitnessedProofError) {
            return try Announcement.witnessedProof(
                bytes, of: petition, under: policy, now: UInt64(clamping: copy.now.seconds))
        } catch {
            report.undecided(subject, "\(path): \(error.explanation)")
            return nil
        }
    }

    /// What the witnesses saw must be the log in the copy: otherwise the coordinator showed two.
    private func judge(_ seen: Checkpoint, _ ledger: AnnouncementLedger, _ report: inout VerificationReport) {
        let subject = CheckSubject.witnessedAnnouncement
        if ledger.continues(seen) {
            report.pass(subject, count: 1)
        } else if seen.size > ledger.size {
            report.undecided(
                subject,
                "the witnesses saw \(seen.size) announcements, and only \(ledger.size) are here")
        } else {
            report.fail(
                subject,
                [
                    .init(
                        log: log.key.name, index: nil, rule: .rootMismatch,
                        detail: "its key signed another log too: \(OfflineCopy.announcement) has a checkpoint of "
                            + "\(seen.size) entries with the root \(Base64.encode(seen.root.array)), which these "
                            + "entries do not give. That and this copy's checkpoint prove it")
                ])
        }
    }

    private func judge(
        _ ledger: AnnouncementLedger, _ rolls: [RollDescriptor?], _ report: inout VerificationReport
    ) {
        var found: [VerificationReport.Refusal] = []
        var missing = ledger.isAnnounced(petition.id) ? [] : ["the petition"]
        for (index, roll) in rolls.enumerated() {
            guard let roll, !ledger.isAnnounced(roll) else { continue }
            let what = "the roll \(roll.url.bare)"
            if let other = ledger.roll(under: roll.link) {
                let refusal = VerificationReport.Refusal(
                    log: log.key.name, index: nil, rule: .notAnnounced,
                    detail: "\(what): its link was announced before for the roll \(other.hex)")
                found.append(refusal)
                blame(roll, at: index, refusal, &report)
            } else {
                missing.append(what)
                report.doubt(roll: index, doubt(ledger, [what]))
            }
        }
        let subject = CheckSubject.announcement
        if !missing.isEmpty { report.undecided(subject, doubt(ledger, missing)) }
        if missing.isEmpty || !found.isEmpty {
            report.conclude(subject, count: UInt64(1 + rolls.compactMap { $0 }.count), found)
        }
    }

    /// What a coordinator announces about another coordinator's roll is not a fault of that roll.
    private func blame(
        _ roll: RollDescriptor, at index: Int, _ refusal: VerificationReport.Refusal,
        _ report: inout VerificationReport
    ) {
        if roll.coordinator == petition.url, roll.key == petition.key {
            report.refuse(roll: index, by: refusal)
        } else {
            report.doubt(roll: index, refusal.explanation)
        }
    }

    private func doubt(_ ledger: AnnouncementLedger, _ missing: [String]) -> String {
        "the announcements log in this copy, with \(ledger.size) entries, does not have "
            + "\(missing.joined(separator: ", ")): it may be older than the petition"
    }
}
