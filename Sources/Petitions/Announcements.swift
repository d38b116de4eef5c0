import Bytes
import Documents
import Sodium
import TransparencyLog
import Witnessing

/// An entry of a coordinator's announcements log, which lists what the coordinator publishes, so that a document made
/// for a single person can be noticed.
///
/// | bytes | layout |
/// | ---: | --- |
/// | 65 | `0x01 || rollId || linkHash` a roll, and the link that identifies it |
/// | 33 | `0x02 || petitionId` a petition |
public enum Announcement: Hashable, Sendable {
    case roll(RollID, linkHash: Bytes32)
    case petition(PetitionID)

    /// The longest entry in bytes: 65.
    public static let maximumCount = 1 + 2 * Bytes32.count

    /// The announcement of a published roll.
    public static func roll(_ descriptor: RollDescriptor) -> Announcement {
        .roll(descriptor.id, linkHash: descriptor.link.hash)
    }

    /// The entry's bytes.
    public var bytes: [UInt8] {
        switch self {
        case .roll(let id, let linkHash): [0x01] + id.bytes.array + linkHash.array
        case .petition(let id): [0x02] + id.bytes.array
        }
    }

    /// Reads an entry. Throws `entry-malformed` on a wrong type or length.
    public init(parsing bytes: [UInt8]) throws(Rule) {
        guard !bytes.isEmpty else { throw .entryMalformed }
        var reader = ByteReader(bytes, from: 1)
        let entry: Announcement?
        switch bytes.first {
        case 0x01:
            guard let id = reader.read32(), let linkHash = reader.read32() else { throw .entryMalformed }
            entry = .roll(RollID(id), linkHash: linkHash)
        case 0x02: entry = reader.read32().map { .petition(PetitionID($0)) }
        default: entry = nil
        }
        guard let entry, reader.isAtEnd else { throw .entryMalformed }
        self = entry
    }

    /// The key of the announcements log of the coordinator at `url`.
    public static func logKey(coordinator url: ServiceURL, key: Ed25519PublicKey) -> VerifierKey {
        VerifierKey(name: url.bare + "/announcements", publicKey: key)
    }
}

/// Reads an announcements log entry by entry. The first announcement of a link holds. An entry that is not an
/// announcement, or that announces another roll under the same link, is ignored and recorded as a fault.
public struct AnnouncementLedger: Sendable {
    /// How many faults are recorded at most: a hostile log can have any number of them.
    private static let faultLimit = 16

    /// The rolls whose announcements hold, in the order of the log.
    public private(set) var rolls: [RollID] = []
    /// Entries that were ignored; at most the first 16.
    public private(set) var faults: [LogFault] = []
    /// Entries read so far.
    public private(set) var size: UInt64 = 0
    private var links: [Bytes32: RollID] = [:]
    private var known: Set<RollID> = []
    private var petitions: Set<PetitionID> = []
    /// Nil if nobody asks for roots.
    private var tree: TreeWithRoots?

    /// A ledger of an empty log that will know the log's roots at the given sizes.
    public init(rootsAt sizes: Set<UInt64> = []) {
        tree = sizes.isEmpty ? nil : TreeWithRoots(sizes: sizes)
    }

    /// Reads the next entry.
    public mutating func append(_ bytes: [UInt8]) {
        defer { size += 1 }
        tree?.append(MerkleHash.leaf(bytes))
        do throws(Rule) {
            switch try Announcement(parsing: bytes) {
            case .roll(let id, let linkHash):
                guard links[linkHash] == nil || links[linkHash] == id else { throw .notAnnounced }
                guard links.updateValue(id, forKey: linkHash) == nil else { return }
                // A roll can be announced any number of times under made-up links: it is still one roll.
                if known.insert(id).inserted { rolls.append(id) }
            case .petition(let id): petitions.insert(id)
            }
        } catch {
            if faults.count < Self.faultLimit { faults.append(LogFault(index: size, rule: error)) }
        }
    }

    /// Whether the roll's link identifies this roll and no other.
    public func isAnnounced(_ roll: RollDescriptor) -> Bool { links[roll.link.hash] == roll.id }

    /// The roll that a link identifies, nil when the link was never announced.
    public func roll(under link: RollLink) -> RollID? { links[link.hash] }

    /// Whether the log that was read continues this head, whose size was asked about.
    public func continues(_ head: Checkpoint) -> Bool { tree?.continues(head) ?? false }

    /// Whether the petition was announced.
    public func isAnnounced(_ petition: PetitionID) -> Bool { petitions.contains(petition) }
}

extension Announcement {
    /// Where a petition's coordinator serves the proof that it was announced.
    public static func proofAddress(of petition: PetitionManifest) -> String {
        "\(petition.url.text)/petitions/\(petition.id.hex)/announcement"
    }

    /// Reads the proof that a petition with a witness policy was announced: its announcement is in the log of its
    /// coordinator, under a checkpoint with the quorum of the policy. That the whole log continues this checkpoint is
    /// for the caller to check (``AnnouncementLedger/continues(_:)``). `now` is in seconds since 1970.
    public static func witnessedProof(
        _ bytes: [UInt8], of petition: PetitionManifest, under policy: WitnessPolicy, now: UInt64
    ) throws(WitnessedProofError) -> WitnessedProof {
        try Announcement.petition(petition.id).witnessedProof(
            bytes, key: logKey(coordinator: petition.url, key: petition.key), policy, now: now)
    }

    /// The same for a roll, with the policy of the roll.
    public static func witnessedProof(
        _ bytes: [UInt8], of roll: RollDescriptor, under policy: WitnessPolicy, now: UInt64
    ) throws(WitnessedProofError) -> WitnessedProof {
        try Announcement.roll(roll).witnessedProof(
            bytes, key: logKey(coordinator: roll.coordinator, key: roll.key), policy, now: now)
    }

    private func witnessedProof(
        _ bytes: [UInt8], key: VerifierKey, _ policy: WitnessPolicy, now: UInt64
    ) throws(WitnessedProofError) -> WitnessedProof {
        let proof: LogProof
        do { proof = try LogProof(parsing: bytes) } catch { throw .proof(error) }
        return try WitnessedProof(proof, leaf: MerkleHash.leaf(self.bytes), key: key, policy: policy, now: now)
    }
}
