import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

/// What the witnesses of a roll prove about how long joining lasted. Of each round three checkpoints with a quorum are
/// kept: the first of the enrolment log in which joining is open, and one of each log from the end of the window, in
/// which joining is still open and nothing of the round is sealed.
struct JoiningTimes {
    /// The notes of one log, by path.
    private struct Notes {
        let key: VerifierKey
        var heads: [String: CosignedCheckpoint] = [:]
        var tree = TreeWithRoots(sizes: [])

        init(_ key: VerifierKey) { self.key = key }

        /// The note at a path, if it is of the log as it was read.
        func head(_ path: String) -> CosignedCheckpoint? {
            heads[path].flatMap { tree.continues($0.checkpoint) ? $0 : nil }
        }

        /// A checkpoint that the log's key signed and that the log does not continue.
        var contradiction: Checkpoint? {
            heads.values.map(\.checkpoint).first { head in tree.root(at: head.size).map { $0 != head.root } ?? false }
        }
    }

    private let descriptor: RollDescriptor
    private var members: Notes
    private var enrolment: Notes

    /// Reads the notes in a copy; nil for a roll without witnesses.
    init?(of descriptor: RollDescriptor, in copy: CheckedCopy) async {
        guard let policy = descriptor.witnesses else { return nil }
        self.descriptor = descriptor
        (members, enrolment) = (Notes(descriptor.membersKey), Notes(descriptor.enrolmentLogKey))
        let (now, folder) = (UInt64(clamping: copy.now.seconds), OfflineCopy.roll(descriptor.id))
        for round in 0..<OfflineCopy.mostRounds {
            var isThere = false
            for (key, log, path) in OfflineCopy.joining(round, of: descriptor) {
                let place = "\(folder)/\(log)/\(path)"
                guard let note = (try? await copy.source.read(place, limit: SignedNote.maximumCount)) ?? nil else {
                    continue
                }
                isThere = true
                // What is not good proves nothing, and hides nothing that comes after it.
                let head = try? CosignedCheckpoint(verifying: note, key: key, policy: policy, now: now)
                if key == members.key { members.heads[path] = head } else { enrolment.heads[path] = head }
            }
            guard isThere else { break }
        }
        members.tree = TreeWithRoots(sizes: Set(members.heads.values.map(\.checkpoint.size)))
        enrolment.tree = TreeWithRoots(sizes: Set(enrolment.heads.values.map(\.checkpoint.size)))
    }

    /// Takes the leaf hashes of the next entries of the members log.
    mutating func appendMembers(_ leaves: LeafHashes) { members.tree.append(leaves) }

    /// The same for the enrolment log.
    mutating func appendEnrolment(_ leaves: LeafHashes) { enrolment.tree.append(leaves) }

    /// Reports what is proven, and what is not.
    func judge(_ replay: RollReplay, _ report: inout VerificationReport) {
        let roll = descriptor.url.bare
        for notes in [members, enrolment] {
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
        guard descriptor.terms.joiningSeconds > 0, let enrolment = replay.enrolment else { return }
        var (proven, full, unproven): (UInt64, Int, Int) = (0, 0, 0)
        for (number, seal) in enrolment.sealsThatHold.enumerated() {
            let first = number == 0 ? 0 : replay.ledger.rings[number - 1].sealIndex + 1
            if lasted(seal, endingAt: enrolment.joiningEnds[seal.round], beforeMember: first) {
                proven += 1
            } else if seal.hasEverybody {
                full += 1
            } else {
                unproven += 1
            }
        }
        let promised = descriptor.terms.joiningSeconds
        if proven > 0 { report.pass(.joiningTimes(roll: roll), count: proven) }
        if full > 0 {
            report.reservations.append(
                "\(full) of the rings of \(roll) were sealed without waiting, since as many had joined as enrolled: "
                    + "that they are the same people is the word of its coordinator")
        }
        if unproven > 0 {
            report.reservations.append(
                "that joining lasted \(promised) s before \(unproven) of the rings of \(roll) were sealed is the word "
                    + "of its coordinator")
        }
    }

    /// True if a quorum had seen joining open, and as much later as is promised quorums saw it still open, and no
    /// member from `first` on.
    private func lasted(_ seal: EnrolmentAtSeal, endingAt end: UInt64?, beforeMember first: UInt64) -> Bool {
        let path = OfflineCopy.end(seal.round)
        guard let opened = enrolment.head(OfflineCopy.phase(seal.round)), opened.checkpoint.size > seal.openedAt,
            let open = enrolment.head(path), open.checkpoint.size > seal.openedAt,
            end.map({ open.checkpoint.size <= $0 }) ?? true,
            let unsealed = members.head(path), unsealed.checkpoint.size <= first
        else { return false }
        let last = min(open.newestQuorumTime, unsealed.newestQuorumTime)
        return last >= opened.quorumTime && last - opened.quorumTime >= UInt64(descriptor.terms.joiningSeconds)
    }
}
