import Bytes

/// Why bytes were refused as a receipt.
public enum LogProofError: Error, Equatable, Sendable {
    /// The bytes are not laid out as a tlog-proof.
    case malformed
    /// Its checkpoint is not that of the expected log.
    case checkpoint(CheckpointError)
    /// The proof does not connect the entry to the checkpoint's root.
    case proof(ProofFailure)

    /// What is wrong, in words.
    public var explanation: String {
        switch self {
        case .malformed: "it is not laid out as one"
        case .checkpoint(let error): "its checkpoint: \(error.explanation)"
        case .proof: "it does not connect the entry to the log that was signed"
        }
    }
}

/// A receipt that an entry is in a log (C2SP tlog-proof): an inclusion proof and the signed checkpoint it refers to.
public struct LogProof: Equatable, Sendable {
    private static let header = "c2sp.org/tlog-proof@v1"
    private static let maximumHashes = 63

    /// Opaque, unauthenticated bytes that some logs add. Our logs do not.
    public let extra: [UInt8]?
    /// The entry's index, and the hashes up to the root.
    public let inclusion: InclusionProof
    /// The signed checkpoint exactly as published.
    public let checkpoint: [UInt8]

    /// A receipt without extra bytes.
    public init(inclusion: InclusionProof, checkpoint: [UInt8]) {
        extra = nil
        self.inclusion = inclusion
        self.checkpoint = checkpoint
    }

    /// Reads a receipt. It proves nothing before ``verify(leaf:key:)`` succeeds.
    public init(parsing bytes: [UInt8]) throws(LogProofError) {
        guard bytes.count <= SignedNote.maximumCount, String(validating: bytes, as: UTF8.self) != nil,
            let blank = (0..<max(bytes.count - 1, 0)).first(where: { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A })
        else { throw .malformed }
        var lines = String(decoding: bytes[..<blank], as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst() == Self.header[...] else { throw .malformed }
        var extra: [UInt8]?
        if let line = lines.first, line.hasPrefix("extra ") {
            extra = Base64.decode(line.dropFirst(6))
            guard extra != nil else { throw .malformed }
            lines.removeFirst()
        }
        guard let line = lines.popFirst(), line.hasPrefix("index "), let index = Checkpoint.decimal(line.dropFirst(6)),
            lines.count <= Self.maximumHashes
        else { throw .malformed }
        var hashes: [Bytes32] = []
        for line in lines {
            guard let hash = Base64.decode32(line) else { throw .malformed }
            hashes.append(hash)
        }
        self.extra = extra
        inclusion = InclusionProof(index: index, hashes: hashes)
        checkpoint = Array(bytes[(blank + 2)...])
    }

    /// The receipt's bytes.
    public var encoded: [UInt8] {
        // Built as bytes instead of a string, for speed: a server writes thousands of these per second.
        var bytes = Array("\(Self.header)\n".utf8)
        bytes.reserveCapacity(bytes.count + 32 + 48 * inclusion.hashes.count + checkpoint.count)
        if let extra { bytes += Array("extra \(Base64.encode(extra))\n".utf8) }
        bytes += Array("index \(inclusion.index)\n".utf8)
        for hash in inclusion.hashes {
            bytes += Base64.encodedBytes(hash.array)
            bytes.append(0x0A)
        }
        bytes.append(0x0A)
        return bytes + checkpoint
    }

    /// Checks the signature by `key` on the checkpoint, and that `leaf` (a leaf hash) is in its tree.
    public func verify(leaf: Bytes32, key: VerifierKey) throws(LogProofError) -> Checkpoint {
        let head: Checkpoint
        do { head = try Checkpoint(verifying: checkpoint, key: key) } catch { throw .checkpoint(error) }
        do { try inclusion.verify(leaf: leaf, size: head.size, root: head.root) } catch { throw .proof(error) }
        return head
    }
}
