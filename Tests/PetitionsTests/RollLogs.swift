import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// The two logs of a roll in editable form, so that every rule can be broken in them.
///
/// Each round invites its number of people, issues to all of them, opens joining, and seals them into one ring. With
/// the rounds of the examples, 3, 2 and 2 members, the enrolment log has 7, 13 and 19 entries at the seals, and the
/// members log 4, 7 and 10 entries after them.
struct RollLogs {
    struct Sealed {
        var keys: [MemberKey]
        /// The size of the enrolment log in the seal.
        var enrolmentSize: Int
    }

    static let rounds = [3, 2, 2]
    static let points = somePoints(60)

    let descriptor: RollDescriptor
    var enrolment: [[UInt8]] = []
    var rings: [Sealed] = []

    /// Valid logs. Keys are taken from index `first` on.
    init(
        slug: String = "a", rounds: [Int] = RollLogs.rounds, first: Int = 0, enrolmentKey: UInt64 = 1,
        admission: RollAdmission = .list
    ) throws {
        let key = Fixture.noteKey(0)
        descriptor = try RollDescriptor.make(
            name: slug, link: Fixture.link(slug),
            enrolmentKey: GroupElement.base.multiplied(by: Scalar(enrolmentKey)),
            terms: RollTerms(ringCapacity: 16, minimumRing: 2), admission: admission, key: key)
        var member = 0
        for (round, count) in rounds.enumerated() {
            if round > 0 { append(.issuingOpens(round: UInt32(round))) }
            let codes = (member..<member + count).map { Self.code($0) }
            if admission.isOpen {
                for code in codes {
                    append(.invited(codeHash: code))
                    append(.issued(codeHash: code))
                }
            } else {
                for code in codes { append(.invited(codeHash: code)) }
                for code in codes { append(.issued(codeHash: code)) }
            }
            append(.joiningOpens(round: UInt32(round), opened: UInt64(round + 1) * 1000))
            let start = first + member
            rings.append(Sealed(keys: Array(Self.points[start..<start + count]), enrolmentSize: enrolment.count))
            member += count
        }
    }

    /// The hash of a code in these logs.
    static func code(_ number: Int) -> Bytes32 {
        SHA256.hash([UInt8(number)])
    }

    private mutating func append(_ entry: EnrolmentEntry) {
        enrolment.append(entry.bytes)
    }

    /// The tree over the first `size` entries of a log.
    static func tree(_ entries: [[UInt8]], size: Int? = nil) -> GrowingTree {
        var tree = GrowingTree()
        for entry in entries.prefix(size ?? entries.count) { tree.append(MerkleHash.leaf(entry)) }
        return tree
    }

    /// The members log, whose seals refer to the current enrolment log.
    var members: [[UInt8]] {
        rings.flatMap { ring in
            let root = Self.tree(enrolment, size: ring.enrolmentSize).root
            let seal = RollEntry.seal(enrolmentSize: UInt64(ring.enrolmentSize), enrolmentRoot: root)
            return ring.keys.map { RollEntry.member($0).bytes } + [seal.bytes]
        }
    }

    /// Replays only the members log: the given entries, or the valid ones.
    func replayMembers(_ members: [[UInt8]]? = nil, rootsAt sizes: Set<UInt64> = []) -> RollReplay {
        var replay = RollReplay(descriptor, rootsAt: sizes)
        replay.appendMembers(members ?? self.members)
        return replay
    }

    /// Replays both logs.
    func replay(members: [[UInt8]]? = nil, rootsAt sizes: Set<UInt64> = []) -> RollReplay {
        var replay = replayMembers(members, rootsAt: sizes)
        replay.appendEnrolment(enrolment)
        return replay
    }

    /// A manifest's reference to the roll at `size`: with the given members log, or the valid one.
    func reference(
        _ size: UInt64, of members: [[UInt8]]? = nil, laterRings: Bool = true
    ) throws -> PetitionManifest.RollReference {
        PetitionManifest.RollReference(
            id: descriptor.id, coordinator: descriptor.coordinator, label: nil, size: size,
            root: Self.tree(members ?? self.members, size: Int(size)).root, laterRings: laterRings)
    }
}

extension RollReplay {
    mutating func appendMembers(_ entries: [[UInt8]]) {
        appendMembers(RollEntry.parse(entries), leaves: LeafHashes(of: entries))
    }

    mutating func appendEnrolment(_ entries: [[UInt8]]) {
        appendEnrolment(entries, leaves: LeafHashes(of: entries))
    }

    /// The numbers of the rings that a petition may admit.
    func numbers(
        under reference: PetitionManifest.RollReference, includingUnread: Bool = false
    ) -> [UInt32] {
        rings(under: reference, includingUnread: includingUnread).map { $0.ring.number }
    }
}
