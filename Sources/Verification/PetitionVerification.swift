import Documents
import LogReading
import Messages
import PetitionCopies
import Petitions
import RingSignatures
import TagStorage
import TransparencyLog

/// The complete offline check of a petition. Only the petition's id is trusted, if given; nothing in the copy is.
public struct PetitionVerification: Sendable {
    private static let smallRing = 64
    private let copy: CheckedCopy
    private let expectedID: PetitionID?

    /// A check of the copy in `source` on `jobs` cores, at the time `now`. Entries that `verified` lists are read,
    /// hashed and counted, but their proofs are not checked again. `evidence` are signed checkpoints from elsewhere.
    /// `progress` is called with a log's name, how many of its entries are done, and how many there are.
    public init(
        source: any ResourceSource, expectedID: PetitionID?, verified: VerifiedEntries? = nil,
        evidence: [BroughtEvidence] = [], jobs: Int, now: UTCTime, progress: WorkProgress = .untold
    ) {
        precondition(jobs > 0, "at least one core")
        copy = CheckedCopy(
            source: source, verified: verified, jobs: jobs, progress: progress, now: now, evidence: evidence)
        self.expectedID = expectedID
    }

    /// Runs every check.
    public func run() async -> VerificationReport {
        var report = VerificationReport()
        guard let petition = await readPetition(&report) else { return report }
        var rolls: [RollVerification.Findings?] = []
        for reference in petition.rolls {
            let first = report.checks.count
            let findings = await verification(of: reference).run(&report)
            rolls.append(findings)
            report.judge(reference, admission: findings?.descriptor.admission, checksFrom: first)
        }
        compare(petition, rolls: rolls, &report)
        let announcements = AnnouncementVerification(
            petition: petition, copy: copy)
        await announcements.run(rolls: rolls.map { $0?.descriptor }, &report)
        let extents = await count(petition, rolls: rolls, &report)
        judgeBrought(petition, extents, &report)
        addReservations(
            petition, rolls: rolls.compactMap { $0 },
            isClosingProven: extents.allSatisfy { $0?.isClosingProven ?? false }, &report)
        return report
    }

    /// Verifies only the records of one aggregator's log whose indices are in `range`, without a tally: a part of the
    /// work, for a run that joins the parts and checks the rest.
    public func run(aggregator index: Int, range: Range<UInt64>) async -> VerificationReport {
        var report = VerificationReport()
        guard let petition = await readPetition(&report) else { return report }
        guard petition.aggregators.indices.contains(index) else {
            report.undecided(.part, "the petition has \(petition.aggregators.count) aggregators, from 0")
            return report
        }
        var rolls: [RollVerification.Findings?] = []
        for reference in petition.rolls {
            rolls.append(await verification(of: reference).run(&report, onlyMembers: true))
        }
        report.part = await logs(petition, rolls: rolls)[index].readPart(range, &report)
        report.part.map { report.verified.append($0) }
        return report
    }

    private func verification(of reference: PetitionManifest.RollReference) -> RollVerification {
        RollVerification(reference: reference, copy: copy)
    }

    /// Reports what the rolls of one petition share but must not share.
    private func compare(
        _ petition: PetitionManifest, rolls: [RollVerification.Findings?], _ report: inout VerificationReport
    ) {
        guard petition.rolls.count > 1 else { return }
        var binding: [VerificationReport.Refusal] = []
        for shared in SharedBetweenRolls.find(petition, rolls: rolls.map { $0?.replay }) {
            let refusal = refusal(shared.rule, shared.roll, at: shared.index, with: shared.other, petition)
            guard shared.isBinding else {
                report.remarks.append(refusal)
                continue
            }
            binding.append(refusal)
            // Nobody can tell which of the two took it from the other.
            report.refuse(roll: shared.roll, by: refusal)
            report.refuse(
                roll: shared.other, by: self.refusal(shared.rule, shared.other, with: shared.roll, petition))
        }
        report.conclude(.keysOfRolls, count: UInt64(rolls.compactMap { $0 }.count), binding)
    }

    private func refusal(
        _ rule: Rule, _ roll: Int, at index: UInt64? = nil, with other: Int, _ petition: PetitionManifest
    ) -> VerificationReport.Refusal {
        let url = petition.rolls[roll].url.bare
        return .init(
            log: index == nil ? url : url + "/members", index: index, rule: rule,
            detail: "shared with the roll \(petition.rolls[other].url.bare)")
    }

    private func electorate(_ petition: PetitionManifest, _ rolls: [RollVerification.Findings?]) -> Electorate {
        Electorate(
            petition, rings: rolls.map { $0?.rings },
            unended: Set(rolls.indices.filter { rolls[$0]?.isUnended == true }))
    }

    private func logs(
        _ petition: PetitionManifest, rolls: [RollVerification.Findings?]
    ) -> [PetitionLogVerification] {
        let electorate = electorate(petition, rolls)
        return petition.aggregators.indices.map { index in
            PetitionLogVerification(
                petition: petition, index: index, electorate: electorate, groups: groups(petition, rolls),
                copy: copy)
        }
    }

    /// What each roll is counted with; nil when one of the rolls is not known.
    private func groups(_ petition: PetitionManifest, _ rolls: [RollVerification.Findings?]) -> [TallyGroup]? {
        let groups = zip(petition.rolls, rolls).compactMap { reference, roll in
            roll.map { TallyGroup(reference, $0.descriptor) }
        }
        return groups.count == petition.rolls.count ? groups : nil
    }

    private func readPetition(_ report: inout VerificationReport) async -> PetitionManifest? {
        let subject = CheckSubject.petition
        let bytes: [UInt8]?
        do { bytes = try await copy.source.read(OfflineCopy.petition, limit: SignedNote.maximumCount) } catch {
            report.undecided(subject, "it cannot be read")
            return nil
        }
        guard let bytes else {
            report.undecided(subject, "\(copy.source.location(of: OfflineCopy.petition)) is missing")
            return nil
        }
        let petition: PetitionManifest
        do { petition = try PetitionManifest(parsing: bytes) } catch {
            report.fail(subject, [.init(log: subject.words, index: nil, rule: .noteInvalid, detail: error.explanation)])
            return nil
        }
        if let expectedID, expectedID != petition.id {
            report.fail(
                subject,
                [.init(log: subject.words, index: nil, rule: .idMismatch, detail: "its id is \(petition.id.hex)")])
            return nil
        }
        if let verified = copy.verified, verified.petition != petition.id {
            report.undecided(subject, "what was verified before is of another petition, \(verified.petition.hex)")
            return nil
        }
        report.petition = petition
        report.pass(subject, count: 1)
        return petition
    }

    /// Counts, and returns how much of each log counts; nil for a log that could not be read.
    private func count(
        _ petition: PetitionManifest, rolls: [RollVerification.Findings?], _ report: inout VerificationReport
    ) async -> [WitnessedExtent?] {
        let logs = logs(petition, rolls: rolls)
        var ledger = TagLedger()
        var findings: [PetitionLogVerification.Findings?] = []
        for log in logs { findings.append(await log.read(&report, &ledger)) }
        let extents = findings.map { $0?.extent }
        var settlement = TagSettlement(
            logs: findings.map { found in
                found.map {
                    TagSettlement.Log(
                        excluded: Set($0.records.disproved), snapshotSize: $0.published?.treeSize ?? 0,
                        historySizes: $0.timelyHistory?.points.map(\.treeSize) ?? [], rolls: petition.rolls.count)
                }
            }, rolls: petition.rolls.count)
        var isSettled = true
        do { try settlement.settle(&ledger) } catch {
            report.record(error, subject: .tags, log: "")
            isSettled = false
        }
        for (log, found) in zip(logs, findings) {
            if let found { log.conclude(found, isSettled ? settlement.logs[log.index] : nil, &report) }
        }
        guard isSettled else { return extents }
        findUnreadRings(petition, rolls, settlement, &report)
        guard areRingsLargeEnough(petition, electorate(petition, rolls), settlement, &report) else { return extents }
        // Where a log or roll is not known, or no quorum stands for a log, the count is only a part, not a total.
        guard rolls.allSatisfy({ $0?.rings != nil }), extents.allSatisfy({ $0?.isDecided ?? false }),
            let groups = groups(petition, rolls)
        else { return extents }
        let tally = settlement.tally
        report.tally = tally
        report.perLabel = tally.perGroup(groups).map { .init(group: $0.group, count: $0.count) }
        return extents
    }

    /// What was brought must be of one of the logs, lest somebody believes that it was considered.
    private func judgeBrought(
        _ petition: PetitionManifest, _ extents: [WitnessedExtent?], _ report: inout VerificationReport
    ) {
        for brought in copy.evidence {
            let isTaken = extents.contains { $0?.evidence?.heads.contains { $0.place == brought.name } ?? false }
            if isTaken { continue }
            report.undecided(
                .brought(brought.name),
                petition.witnesses == nil
                    ? "the petition names no witnesses, so that it says nothing of any time"
                    : "it has no checkpoint of any log of this petition")
        }
    }

    /// Looks for signatures from later rings of which nothing is known, since the enrolment log is shorter than their
    /// seals say. Without such signatures, these rings do not matter.
    private func findUnreadRings(
        _ petition: PetitionManifest, _ rolls: [RollVerification.Findings?], _ settlement: TagSettlement,
        _ report: inout VerificationReport
    ) {
        for (index, roll) in rolls.enumerated() {
            guard let first = roll?.firstUnread else { continue }
            let tags = settlement.ringTags.reduce(0) { sum, entry in
                Int(entry.key.roll) == index && Int(entry.key.ring) >= first ? sum + entry.value : sum
            }
            guard tags > 0 else { continue }
            let reason = "\(tags) signed from rings whose seals speak of more than the enrolment log has"
            report.undecided(.laterRings(roll: petition.rolls[index].url.bare), reason)
            report.doubt(roll: index, reason)
        }
    }

    /// False when a ring has more tags than members. Whatever is claimed of their proofs, some of them are invented,
    /// and nobody can tell which.
    private func areRingsLargeEnough(
        _ petition: PetitionManifest, _ electorate: Electorate, _ settlement: TagSettlement,
        _ report: inout VerificationReport
    ) -> Bool {
        let exceeded = settlement.exceeded { position in
            (try? electorate.ring(roll: position.roll, number: position.ring))?.members.count
        }
        let found = exceeded.map { position, members, tags in
            let refusal = VerificationReport.Refusal(
                log: petition.rolls[Int(position.roll)].url.bare, index: nil, rule: .ringExceeded,
                detail: "ring \(position.ring) has \(members) members, \(tags) tags")
            report.refuse(roll: Int(position.roll), by: refusal)
            return refusal
        }
        if !settlement.ringTags.isEmpty {
            report.conclude(
                .fullRings, count: UInt64(settlement.ringTags.count), found)
        }
        return found.isEmpty
    }

    /// What even a perfect check does not prove.
    private func addReservations(
        _ petition: PetitionManifest, rolls: [RollVerification.Findings], isClosingProven: Bool,
        _ report: inout VerificationReport
    ) {
        report.reservations.append(
            isClosingProven
                ? "the times of the growth are the word of those who count: witnesses prove only what was there at the end"
                : petition.witnesses == nil
                    ? "closing time not proven, nor the times of the growth: no witness says when the logs had which size"
                    : "closing time not proven, nor the times of the growth")
        for roll in rolls {
            if let enrollable = roll.enrollable {
                report.reservations.append(
                    "the coordinator of \(roll.descriptor.url.bare) could have enrolled people who do not exist, up to "
                        + "the \(enrollable) it had invited and not voided")
            }
            if case .email(let domains) = roll.descriptor.admission {
                report.reservations.append(
                    "\(roll.descriptor.url.bare) admits mailboxes, not people: who has several "
                        + "counts several times, and "
                        + (domains.isEmpty
                            ? "who runs a mail domain has as many as it likes"
                            : "who runs \(domains.map(\.text).joined(separator: ", ")) has as many as it likes"))
            }
            if let smallest = roll.rings?.map(\.ring.members.count).min(), smallest < Self.smallRing {
                report.reservations.append(
                    "\(roll.descriptor.url.bare) has a ring of only \(smallest) members, in which a signer hides less well"
                )
            }
        }
        if petition.rolls.count > 1 {
            report.reservations.append("a person in two of the rolls can sign twice: memberships should be disjoint")
        }
        if !rolls.contains(where: { $0.descriptor.key == petition.key }) {
            report.reservations.append("the petition is signed by a key that none of its rolls has")
        }
    }
}
