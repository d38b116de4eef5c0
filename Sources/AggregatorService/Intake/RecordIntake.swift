import Documents
import LogStorage
import Petitions
import RingSignatures
import TransparencyLog

/// Takes a record, in the order of checks of `Protocol/counting.md`, "Admission": what is cheap comes first, and the
/// first check that fails names the refusal.
///
/// From here a record goes to ``RecordReader/read(_:paidBits:electorate:for:)``, which reads it; to the
/// ``RecordSequencer`` of its petition, which has it verified with others and committed; and to ``PetitionCommit``,
/// where it gets its place and its receipt.
struct RecordIntake: Sendable {
    let resources: AdmissionResources
    let follower: RollFollower

    /// The result for the record `bytes`, which came with the header `work`. Throws a ``RecordRefusal``, or the error
    /// of the database.
    func take(
        _ bytes: [UInt8], work: String?, for sequencer: RecordSequencer
    ) async throws -> RecordSequencer.Answer {
        let petition = sequencer.petition.collected.manifest
        // Row by row of counting.md, "Checks": type, roll and ring.
        let electorate: Electorate
        do { electorate = try await self.electorate(of: bytes, in: petition) } catch let rule as Rule {
            throw RecordRefusal.breaks(rule)
        }
        // A record for which there is no room is refused before it costs anything.
        guard resources.enter() else { throw RecordRefusal.full }
        defer { resources.leave() }
        guard !resources.gate.isKnownWrong(bytes, of: petition.id) else { throw RecordRefusal.breaks(.proofInvalid) }
        guard let paidBits = resources.gate.paidBits(of: bytes, of: petition.id, work: work) else {
            throw RecordRefusal.needsWork
        }
        // Length, points and scalars; and whether these bytes are in the log.
        let reading: RecordReader.Reading
        do {
            reading = try await resources.reader.read(
                bytes, paidBits: paidBits, electorate: electorate, for: sequencer.petition)
        } catch let rule as Rule {
            throw RecordRefusal.breaks(rule)
        }
        // The receipt of a record that is in the log is given at any time, before and after closing.
        if let receipt = reading.receipt { return .known(receipt) }
        // Time.
        switch petition.status(at: resources.aggregator.clock.now) {
        case .notOpen: throw RecordRefusal.notOpen(opens: petition.text.opens)
        case .closed: throw RecordRefusal.closed(closes: petition.text.closes)
        case .open: break
        }
        guard sequencer.petition.takesRecords(at: resources.aggregator.clock.now) else {
            throw RecordRefusal.closed(closes: petition.text.closes)
        }
        try sequencer.petition.checkMayGrow()
        guard !reading.isOfNothing else {
            // Made up in any number, so it counts as a wrong proof does when the demand for work is decided. But it is
            // not remembered: the tag may sign later.
            resources.gate.found(wrong: 1, paidBits: paidBits)
            throw RecordRefusal.breaks(.notSigned)
        }
        // Proof, and then the tag: with others, in a commit.
        return try await sequencer.submit(reading.submission)
    }

    /// The rings that the record may name. If its ring is not known, the roll is read again first, provided that later
    /// rings are admitted. Only the roll that the record names is looked up: another's coordinator may be unreachable.
    private func electorate(of bytes: [UInt8], in petition: PetitionManifest) async throws -> Electorate {
        guard case .signature(let index, let number) = try? RecordOutline(parsing: bytes) else {
            return Electorate(petition, rings: [])
        }
        let roll = Int(index)
        guard roll < petition.rolls.count else { throw Rule.ringNotAdmitted }
        var rings = [[SealedRing]?](repeating: nil, count: petition.rolls.count)
        rings[roll] = try await self.rings(of: roll, in: petition, isFresh: false)
        let known = Electorate(petition, rings: rings)
        do throws(Rule) {
            _ = try known.ring(roll: index, number: number)
            return known
        } catch {
            guard petition.rolls[roll].laterRings else { throw error }
            rings[roll] = try await self.rings(of: roll, in: petition, isFresh: true)
            let fresh = Electorate(petition, rings: rings)
            _ = try fresh.ring(roll: index, number: number)
            return fresh
        }
    }

    private func rings(of roll: Int, in petition: PetitionManifest, isFresh: Bool) async throws -> [SealedRing] {
        do {
            return try await follower.rings(of: petition.rolls[roll], isFresh: isFresh)
        } catch RollFollower.Failure.unavailable(let roll, _) {
            throw RecordRefusal.rollUnreachable(roll: roll)
        }
    }
}
