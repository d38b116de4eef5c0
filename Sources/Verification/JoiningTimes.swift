import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

/// What the witnesses of a roll prove about how long joining lasted. Of each round two checkpoints with a quorum are
/// kept: the first of the enrolment log in which joining is open, and one of the members log in which nothing of the
/// round is sealed. The time between them is no longer than the window that everybody could see.
struct JoiningTimes {
    /// The most rounds that are read: a hostile copy may have any number of notes.
    private static let limit: UInt32 = 1 << 12

    /// The notes of one log, by round.
    private struct Notes {
        let key: VerifierKey
        /// Of each good note its size and root, and the time of its quorum.
        var heads: [UInt32: (size: UInt64, root: Bytes32, time: UInt64)] = [:]
        var tree = TreeWithRoots(sizes: [])

        init(_ key: VerifierKey) { self.key = key }

        /// The note for a round, if it is of the log as it was read.
        func head(_ round: UInt32) -> (size: UInt64, time: UInt64)? {
            guard let head = heads[round], tree.had(head.root, at: head.size) else { return nil }
            return (head.size, head.time)
        }

        /// A checkpoint that the log's key signed and that the log does not continue.
        var contradiction: (size: UInt64, root: Bytes32, time: UInt64)? {
            heads.values.first { head in tree.root(at: head.size).map { $0 != head.root } ?? false }
        }
    }

    private let descriptor: RollDescriptor
    private var unsealed: Notes
    private var phases: Notes

    /// Reads the notes in a copy; nil for a roll without witnesses.
    init?(of descriptor: RollDescriptor, in copy: CheckedCopy) async {
        guard let policy = descriptor.witnesses else { return nil }
        self.descriptor = descriptor
        phases = Notes(descriptor.enrolmentLogKey)
        unsealed = Notes(descriptor.membersKey)
        let now = UInt64(clamping: copy.now.seconds)
        func read(_ path: String) async -> [UInt8]? {
            (try? await copy.source.read(path, limit: SignedNote.maximumCount)) ?? nil
        }
        for round in 0..<Self.limit {
            let path = "\(OfflineCopy.enrolment(descriptor.id))/\(OfflineCopy.phase(round))"
            guard let note = await read(path) else { break }
            // What is not good proves nothing, and hides nothing that comes after it.
            let opened = try? CosignedCheckpoint(verifying: note, key: phases.key, policy: policy, now: now)
            phases.heads[round] = opened.map { ($0.checkpoint.size, $0.checkpoint.root, $0.quorumTime) }
            guard let note = await read("\(OfflineCopy.members(descriptor.id))/\(OfflineCopy.unsealed(round))")
            else { continue }
            let ended = try? CosignedCheckpoint(verifying: note, key: unsealed.key, policy: policy, now: now)
            unsealed.heads[round] = ended.map { ($0.checkpoint.size, $0.checkpoint.root, $0.newestQuorumTime) }
        }
        phases.tree = TreeWithRoots(sizes: Set(phases.heads.values.map(\.size)))
        unsealed.tree = TreeWithRoots(sizes: Set(unsealed.heads.values.map(\.size)))
    }

    /// Takes the leaf hashes of the next entries of the members log.
    mutating func appendMembers(_ leaves: LeafHashes) { unsealed.tree.append(leaves) }

    /// The same for the enrolment log.
    mutating func appendEnrolment(_ leaves: LeafHashes) { phases.tree.append(leaves) }

    /// Reports what is proven, and what is not.
    func judge(_ replay: RollReplay, _ report: inout VerificationReport) {
        let roll = descriptor.url.bare
        for notes in [unsealed, phases] {
            guard let head = notes.contradiction else { continue }
            report.fail(
                .oneLog(notes.key.name),
                [
                    .init(
                        log: notes.key.name, index: nil, rule: .rootMismatch,
                        detail: "its key signed another log too, of \(head.size) entries with the root "
                            + "\(Base64.encode(head.root.array)), which these entries do not give")
                ])
        }
        var (proven, unproven): (UInt64, Int) = (0, 0)
        for (number, seal) in (replay.enrolment?.sealsThatHold ?? []).enumerated() where isPromised(seal) {
            let first = number == 0 ? 0 : replay.ledger.rings[number - 1].sealIndex + 1
            if lasted(seal, beforeMember: first) { proven += 1 } else { unproven += 1 }
        }
        let promised = descriptor.terms.joiningSeconds
        if proven > 0 { report.pass(.joiningTimes(roll: roll), count: proven) }
        if unproven > 0 {
            report.reservations.append(
                "that joining lasted \(promised) s before \(unproven) of the rings of \(roll) were sealed is the word of "
                    + "its coordinator")
        }
    }

    /// Where everybody has joined, nobody is left to be singled out.
    private func isPromised(_ seal: EnrolmentAtSeal) -> Bool {
        descriptor.terms.joiningSeconds > 0 && !seal.hasEverybody
    }

    /// True if a quorum had seen joining open, and another saw no entry from `first` on as much later as is promised.
    private func lasted(_ seal: EnrolmentAtSeal, beforeMember first: UInt64) -> Bool {
        guard let opened = phases.head(seal.round), opened.size > seal.openedAt,
            let ended = unsealed.head(seal.round), ended.size <= first, ended.time >= opened.time
        else { return false }
        return ended.time - opened.time >= UInt64(descriptor.terms.joiningSeconds)
    }
}
