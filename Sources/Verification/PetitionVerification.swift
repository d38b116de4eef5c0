import Petitions
import RingSignatures
import TransparencyLog

/// The whole offline check of a petition. Nothing in the copy is trusted but, if given, the petition's id.
public struct PetitionVerification: Sendable {
    private static let smallRing = 64
    private let source: any ResourceSource
    private let expectedID: PetitionID?
    private let progress: @Sendable (String, UInt64, UInt64) -> Void

    /// A check of the copy in `source`. `progress` is told a log's name, how many of its entries are done, and how many
    /// there are.
    public init(
        source: any ResourceSource, expectedID: PetitionID?,
        progress: @escaping @Sendable (String, UInt64, UInt64) -> Void = { _, _, _ in }
    ) {
        self.source = source
        self.expectedID = expectedID
        self.progress = progress
    }

    /// Runs every check.
    public func run() async -> VerificationReport {
        var report = VerificationReport()
        guard let petition = await readPetition(&report) else { return report }
        report.petition = petition
        var rolls: [RollVerification.Result?] = []
        for reference in petition.rolls {
            rolls.append(await RollVerification(reference: reference, source: source).run(&report))
        }
        addReservations(petition, rolls: rolls.compactMap { $0 }, &report)
        await count(petition, rolls: rolls, &report)
        return report
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
        report.pass(name, count: 1)
        if petition.witnesses != nil {
            report.undecided("witnesses of the petition", "this version does not check cosignatures")
        }
        return petition
    }

    private func count(
        _ petition: PetitionManifest, rolls: [RollVerification.Result?], _ report: inout VerificationReport
    ) async {
        let labels = zip(petition.rolls, rolls).map { $0.label ?? $1?.descriptor.name ?? $0.url.bare }
        let electorate = Electorate(petition, rings: rolls.map { $0?.rings })
        var counter = TallyCounter(rolls: petition.rolls.count)
        // Where a policy of witnesses is not checked, or a roll is not known, a part is no total.
        var isComplete = petition.witnesses == nil && rolls.allSatisfy { $0 != nil }
        for index in petition.aggregators.indices {
            let log = PetitionLogVerification(
                petition: petition, index: index, electorate: electorate, labels: labels, source: source,
                progress: progress)
            guard let tags = await log.run(&report) else {
                isComplete = false
                continue
            }
            for (tag, state) in tags {
                counter.add(tag: tag, roll: state.roll, isWithdrawn: state.withdrawnAt != nil)
            }
        }
        guard isComplete else { return }
        let tally = counter.tally
        report.tally = tally
        report.perLabel = tally.perLabel(labels).map { .init(label: $0.label, count: $0.count) }
    }

    /// What even a perfect check does not prove.
    private func addReservations(
        _ petition: PetitionManifest, rolls: [RollVerification.Result], _ report: inout VerificationReport
    ) {
        report.reservations.append("closing time not proven: no witness says when the logs had which size")
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
