import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

/// What the witnesses of a roll say about how long joining lasted: of each opening of joining and each seal, the first
/// checkpoint that a quorum cosigned is kept, with the times. It is a hint, and no proof.
struct JoiningTimes {
    /// The most notes of one kind that are read: a hostile copy may have any number.
    private static let limit = 1 << 12

    /// The notes of one log, by ring or round.
    private struct Notes {
        let key: VerifierKey
        /// Of each good note its size and root, and the time of its quorum; nil for a note that is not good.
        var heads: [(size: UInt64, root: Bytes32, time: UInt64)?] = []
        var tree: TreeWithRoots

        init(_ key: VerifierKey) {
            self.key = key
            tree = TreeWithRoots(sizes: [])
        }

        /// When a quorum had cosigned the entry at `index`, by the note with this number; nil if nothing shows it.
        func time(_ number: Int, of index: UInt64) -> UInt64? {
            guard heads.indices.contains(number), let head = heads[number], head.size > index,
                tree.had(head.root, at: head.size)
            else { return nil }
            return head.time
        }

        /// A checkpoint that the log's key signed and that the log does not continue.
        var contradiction: (size: UInt64, root: Bytes32, time: UInt64)? {
            heads.compactMap { $0 }.first { head in tree.root(at: head.size).map { $0 != head.root } ?? false }
        }
    }

    private let descriptor: RollDescriptor
    private let policy: WitnessPolicy
    private var seals: Notes
    private var phases: Notes

    /// Reads the notes in a copy; nil for a roll without witnesses.
    init?(of descriptor: RollDescriptor, in copy: CheckedCopy) async {
        guard let policy = descriptor.witnesses else { return nil }
        (self.descriptor, self.policy) = (descriptor, policy)
        seals = await Self.read(descriptor.membersKey, policy, copy) {
            "\(OfflineCopy.members(descriptor.id))/\(OfflineCopy.seal($0))"
        }
        phases = await Self.read(descriptor.enrolmentLogKey, policy, copy) {
            "\(OfflineCopy.enrolment(descriptor.id))/\(OfflineCopy.phase(UInt32($0)))"
        }
    }

    private static func read(
        _ key: VerifierKey, _ policy: WitnessPolicy, _ copy: CheckedCopy, path: (Int) -> String
    ) async -> Notes {
        var notes = Notes(key)
        while notes.heads.count < limit,
            let note = (try? await copy.source.read(path(notes.heads.count), limit: SignedNote.maximumCount)) ?? nil
        {
            // What is not good proves nothing, and hides nothing that comes after it.
            let head = try? CosignedCheckpoint(
                verifying: note, key: key, policy: policy, now: UInt64(clamping: copy.now.seconds))
            notes.heads.append(head.map { ($0.checkpoint.size, $0.checkpoint.root, $0.quorumTime) })
        }
        notes.tree = TreeWithRoots(sizes: Set(notes.heads.compactMap { $0?.size }))
        return notes
    }

    /// Takes the leaf hashes of the next entries of the members log.
    mutating func appendMembers(_ leaves: [Bytes32]) { for leaf in leaves { seals.tree.append(leaf) } }

    /// The same for the enrolment log.
    mutating func appendEnrolment(_ leaves: [Bytes32]) { for leaf in leaves { phases.tree.append(leaf) } }

    /// Reports what is proven, and what is not.
    func judge(_ replay: RollReplay, _ report: inout VerificationReport) {
        let roll = descriptor.url.bare
        for notes in [seals, phases] {
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
        // A note over a seal is no proof that the seal was not there before: the coordinator chooses what it shows. Nor
        // is it one against the coordinator, since the witnesses may have seen the opening late.
        let promised = UInt64(descriptor.terms.joiningSeconds)
        var (short, unknown) = (0, 0)
        for (number, seal) in (replay.enrolment?.sealsThatHold ?? []).enumerated() {
            let index = replay.ledger.rings[number].sealIndex
            // Where everybody has joined, nobody is left to be singled out.
            guard !seal.hasEverybody else { continue }
            let times = (phases.time(Int(seal.round), of: seal.openedAt), seals.time(number, of: index))
            if let opened = times.0, let sealed = times.1, sealed - min(sealed, opened) < promised {
                short += 1
            } else {
                unknown += 1
            }
        }
        if short > 0 {
            report.reservations.append(
                "\(short) of the rings of \(roll) were sealed less than \(promised) s after witnesses saw joining open: "
                    + "ask its coordinator why")
        }
        if unknown > 0 {
            report.reservations.append(
                "that joining lasted \(promised) s before \(unknown) of the rings of \(roll) were sealed is the word of its "
                    + "coordinator")
        }
    }
}
