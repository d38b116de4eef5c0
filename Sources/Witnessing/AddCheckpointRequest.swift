import Bytes
import Sodium
import TransparencyLog

/// The body of `POST <submission prefix>/add-checkpoint` (C2SP tlog-witness): which size the log believes that the
/// witness has, a proof from there, and the new checkpoint.
public struct AddCheckpointRequest: Equatable, Sendable {
    /// The largest size of a body in bytes that a witness reads: 128 KiB.
    public static let maximumCount = 128 * 1024
    /// The path below the submission prefix.
    public static let path = "add-checkpoint"
    private static let maximumHashes = 63

    /// The size that the witness is believed to have cosigned last.
    public let oldSize: UInt64
    /// The proof that the checkpoint extends the tree of that size.
    public let proof: ConsistencyProof
    /// The signed checkpoint.
    public let note: [UInt8]

    /// A request.
    public init(oldSize: UInt64, proof: ConsistencyProof, note: [UInt8]) {
        self.oldSize = oldSize
        self.proof = proof
        self.note = note
    }

    /// Reads a body; nil if it is malformed. The checkpoint is not looked at.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.maximumCount,
            let blank = (0..<max(bytes.count - 1, 0)).first(where: { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A }),
            let head = String(validating: bytes[..<blank], as: UTF8.self)
        else { return nil }
        // By scalars: CR LF is one Character.
        var lines = head.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
        guard let first = lines.popFirst(), first.hasPrefix("old "), lines.count <= Self.maximumHashes,
            let oldSize = Checkpoint.decimal(first.dropFirst(4))
        else { return nil }
        var hashes: [Bytes32] = []
        for line in lines {
            guard let hash = Base64.decode32(line) else { return nil }
            hashes.append(hash)
        }
        self.init(oldSize: oldSize, proof: ConsistencyProof(hashes: hashes), note: Array(bytes[(blank + 2)...]))
    }

    /// The path of what a witness shows of a log, below its monitoring prefix.
    public static func monitoringPath(of origin: String) -> String {
        "\(SHA256.hash(Array(origin.utf8)).hex)/checkpoint"
    }

    /// The longest origin in bytes that a witness looks up.
    private static let longestOrigin = 512

    /// The origin that a note names, whoever signed it; nil if it is no checkpoint.
    public static func claimedOrigin(_ note: [UInt8]) -> String? {
        guard let note = try? SignedNote(parsing: note) else { return nil }
        return (try? Checkpoint(parsing: note.text))?.origin
    }

    /// True for an origin that a key can have as its name, and that is not so long that looking it up costs much.
    public static func canBeFollowed(_ origin: String) -> Bool {
        origin.utf8.count <= longestOrigin && NoteKey.isValidName(origin)
    }

    /// The body.
    public var encoded: [UInt8] {
        let lines = ["old \(oldSize)"] + proof.hashes.map { Base64.encode($0.array) }
        return Array(lines.map { $0 + "\n" }.joined().utf8) + [0x0A] + note
    }
}

/// What a witness does with a request.
public enum WitnessVerdict: Equatable, Sendable {
    /// It cosigns this checkpoint, once its state is stored: 200.
    case cosign(Checkpoint)
    /// The body is malformed, or the old size is above the checkpoint's: 400.
    case malformed
    /// No trusted key of the origin signed it: 403.
    case untrusted
    /// The origin is not one that this witness follows: 404.
    case unknownOrigin
    /// The witness cosigned this size last, not the old size: 409.
    case conflict(UInt64)
    /// The checkpoint does not extend the one that was cosigned last: 422.
    case inconsistent

    /// The rules of tlog-witness. `key` is the key that an origin is trusted with; `last` what this witness cosigned
    /// last of an origin, with nil standing for the empty tree.
    public init(
        _ request: AddCheckpointRequest, key: (_ origin: String) -> VerifierKey?,
        last: (_ origin: String) -> Checkpoint?
    ) {
        guard let note = try? SignedNote(parsing: request.note), let claimed = try? Checkpoint(parsing: note.text)
        else {
            self = .malformed
            return
        }
        guard let key = key(claimed.origin) else {
            self = .unknownOrigin
            return
        }
        guard let checkpoint = try? Checkpoint(verifying: request.note, key: key) else {
            self = .untrusted
            return
        }
        let last = last(claimed.origin)
        self = Self.verdict(request, on: checkpoint, after: last)
    }

    private static func verdict(
        _ request: AddCheckpointRequest, on new: Checkpoint, after last: Checkpoint?
    ) -> WitnessVerdict {
        guard request.oldSize <= new.size else { return .malformed }
        let size = last?.size ?? 0
        guard request.oldSize == size else { return .conflict(size) }
        let root = last?.root ?? MerkleHash.emptyRoot
        // The proof rules accept any tree after the empty one, also an empty tree with a false root.
        guard new.size > 0 || new.root == MerkleHash.emptyRoot,
            (try? request.proof.verify(oldSize: size, oldRoot: root, newSize: new.size, newRoot: new.root)) != nil
        else { return .inconsistent }
        return .cosign(new)
    }
}
