import Petitions
import RingSignatures
import TransparencyLog

/// The whole offline check of a petition. Nothing in the copy is trusted but, if given, the petition's id.
public struct PetitionVerification: Sendable {
    private static let smallRing = 64
    private let source: any ResourceSource
    private let expectedID: PetitionID?
    private let verified: VerifiedEntries?
    private let jobs: Int
    private let progress: @Sendable (String, UInt64, UInt64) -> Void

    /// A check of the copy in `source` on `jobs` cores. What `verified` says was verified before is read, hashed and counted,
    /// but its proofs are not checked again. `progress` is told a log's name, how many of its entries are done, and how many
    /// there are.
    public init(
        source: any ResourceSource, expectedID: PetitionID?, verified: VerifiedEntries? = nil, jobs: Int,
        progress: @escaping @Sendable (String, UInt64, UInt64) -> Void = { _, _, _ in }
    ) {
        precondition(jobs > 0, "at least one core")
        self.source = source
        self.expectedID = expectedID
        self.verified = verified
        self.jobs = jobs
        self.progress = progress
    }

    /// Runs every check.
    public func run() async -> VerificationReport {
        var report = VerificationReport()
        guard let petition = await readPetition(&report) else { return report }
        var rolls: [RollVerification.Result?] = []
        for reference in petition.rolls { rolls.append(await verification(of: reference).run(&report)) }
        addReservations(petition, rolls: rolls.compactMap { $0 }, &report)
        await count(petition, rolls: rolls, &report)
        return report
    }

    /// Verifies the records of one aggregator's log whose indices are in `range`, and no tally: a part of the work, for whoever
    /// joins the parts and checks the rest.
    public func run(aggregator index: Int, range: Range<UInt64>) async -> VerificationReport {
        var report = VerificationReport()
        guard let petition = await readPetition(&report) else { return report }
        guard petition.aggregators.indices.contains(index) else {
            report.undecided("part", "the petition has \(petition.aggregators.count) aggregators, from 0")
            return report
        }
        var rolls: [RollVerification.Result?] = []
        for reference in petition.rolls {
            rolls.append(await verification(of: reference).run(&report, onlyMembers: true))
        }
        report.part = await logs(petition, rolls: rolls)[index].readPart(range, &report)
        report.part.map { report.verified.append($0) }
        return report
    }

    private func verification(of reference: PetitionManifest.RollReference) -> RollVerification {
        RollVerification(reference: reference, source: source, verified: verified, jobs: jobs, progress: progress)
    }

    private func logs(_ petition: PetitionManifest, rolls: [RollVerification.Result?]) -> [PetitionLogVerification] {
        let electorate = Electorate(petition, rings: rolls.map { $0?.rings })
        return petition.aggregators.indices.map { index in
            PetitionLogVerification(
                petition: petition, index: index, electorate: electorate, labels: labels(petition, rolls),
                source: source, verified: verified, jobs: jobs, progress: progress)
        }
    }

    /// The label of each roll: the manifest's, or else the roll's name. Nil when that is needed and not known.
    private func labels(_ petition: PetitionManifest, _ rolls: [RollVerification.Result?]) -> [String]? {
        let labels = zip(petition.rolls, rolls).compactMap { $0.label ?? $1?.descriptor.name }
        return labels.count == petition.rolls.count ? labels : nil
    }

    private func readPetition(_ report: inout VerificationReport) async -> PetitionManifest? {
        let name = "petition"
        let bytes: [UInt8]?
        do { bytes = try await source.read(OfflineCopy.petition, limit: SignedNote.maximumCount) } catch {
            report.undecided(name, "it cannot be read")
            return nil
        }
        guard let bytes else {
            report.undecided(name, "\(source.location(of: OfflineCopy.petition)) is missing")
            return nil
        }
        let petition: PetitionManifest
        do { petition = try PetitionManifest(parsing: bytes) } catch {
            report.fail(name, [.init(log: name, index: nil, rule: .noteInvalid, detail: error.explanation)])
            return nil
        }
        if let expectedID, expectedID != petition.id {
            report.fail(name, [.init(log: name, index: nil, rule: .idMismatch, detail: "its id is \(petition.id.hex)")])
            return nil
        }
        if let verified, verified.petition != petition.id {
            report.undecided(name, "what was verified before is of another petition, \(verified.petition.hex)")
            return nil
        }
        report.petition = petition
        report.pass(name, count: 1)
        if petition.witnesses != nil {
            report.undecided("witnesses of the petition", "this version does not check cosignatures")
        }
        return petition
    }

    private func count(
        _ petition: PetitionManifest, rolls: [RollVerification.Result?], _ report: inout VerificationReport
    ) async {
        let logs = logs(petition, rolls: rolls)
        var ledger = TagLedger()
        var findings: [PetitionLogVerification.Findings?] = []
        for log in logs { findings.append(await log.read(&report, &ledger)) }
        var settlement = TagSettlement(
            logs: findings.map { found in
                found.map {
                    TagSettlement.Log(
                        excluded: $0.proofRefusals, snapshotSize: $0.published?.treeSize ?? 0,
                        historySizes: $0.history?.points.map(\.treeSize) ?? [], rolls: petition.rolls.count)
                }
            }, rolls: petition.rolls.count)
        var isSettled = true
        do { try settlement.settle(&ledger) } catch {
            report.file(error, name: "tags", log: "")
            isSettled = false
        }
        for (log, found) in zip(logs, findings) {
            if let found { log.conclude(found, isSettled ? settlement.logs[log.index] : nil, &report) }
        }
        guard isSettled else { return }
        // Where a log or roll is not known, or a policy of witnesses is not checked, a part is no total.
        guard petition.witnesses == nil, rolls.allSatisfy({ $0 != nil }), findings.allSatisfy({ $0 != nil }),
            let labels = labels(petition, rolls)
        else { return }
        let tally = settlement.tally
        report.tally = tally
        report.perLabel = tally.perLabel(labels).map { .init(label: $0.label, count: $0.count) }
    }

    /// What even a perfect check does not prove.
    private func addReservations(
        _ petition: PetitionManifest, rolls: [RollVerification.Result], _ report: inout VerificationReport
    ) {
        report.reservations.append(
            "closing time not proven, nor the times of the growth: no witness says when the logs had which size")
        for roll in rolls {
            if let enrolment = roll.enrolment {
                report.reservations.append(
                    "the coordinator of \(roll.descriptor.url.bare) could have enrolled people who do not exist, up to "
                        + "the \(enrolment.invited - enrolment.voided) it invited and did not void")
            }
            if let smallest = roll.rings.map(\.ring.members.count).min(), smallest < Self.smallRing {
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
