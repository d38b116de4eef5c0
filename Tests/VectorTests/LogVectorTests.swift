import Bytes
import Sodium
import Testing
import TransparencyLog

/// The sections of `transparency-log-vectors.json` that this version implements: all except witnesses and policies.
struct LogVectors: VectorFile {
    struct Hashing: Decodable {
        struct Leaf: Decodable {
            let data_hex: HexBytes
            let hash: HexBytes
        }
        struct Node: Decodable { let left, right, hash: HexBytes }
        struct Root: Decodable {
            let size: UInt64
            let root: HexBytes
        }
        let empty_tree_root: HexBytes
        let leaf: [Leaf]
        let node: [Node]
        let roots: [Root]
    }
    struct Keys: Decodable {
        struct Key: Decodable {
            let name: String
            let seed, `public`: HexBytes
            let vkey: String
        }
        struct Bad: Decodable {
            let why, vkey: String
        }
        let log: Key
        let bad_vkeys: [Bad]
    }
    struct Checkpoints: Decodable {
        struct Signed: Decodable {
            let size: UInt64
            let text: String
            let checkpoint: String
        }
        struct Cosigned: Decodable {
            let size: UInt64
            let checkpoint: String
        }
        struct Invalid: Decodable { let why, expect, checkpoint: String }
        let signed: [Signed]
        let cosigned: [Cosigned]
        let invalid: [Invalid]
    }
    struct Tiles: Decodable {
        struct Paths: Decodable {
            let size: UInt64
            let count: Int
            let sha256_of_lines: HexBytes
            let paths: [String]?
        }
        struct Content: Decodable {
            let size: UInt64
            let path: String
            let hex: HexBytes?
            let sha256: HexBytes?
        }
        let index_encoding: [String: String]
        let paths_for_size: [Paths]
        let content: [Content]
    }
    struct Bundle: Decodable {
        let entries_hex: [HexBytes]?
        let size: UInt64?
        let path: String?
        let bundle_hex: HexBytes?
        let sha256: HexBytes?
    }
    struct BadBundle: Decodable {
        let why: String
        let bundle_hex: HexBytes
    }
    struct Inclusion: Decodable {
        let why: String?
        let index, size: UInt64
        let leaf_hash, root: HexBytes
        let proof: [HexBytes]
    }
    struct Consistency: Decodable {
        let why: String?
        let old_size, new_size: UInt64
        let old_root, new_root: HexBytes
        let proof: [HexBytes]
    }
    struct Proof: Decodable {
        let why: String?
        let index, size: UInt64?
        let leaf_hash: HexBytes?
        let extra_hex: HexBytes?
        let file: String
    }

    let hashing: Hashing?
    let keys: Keys?
    let checkpoints: Checkpoints?
    let tiles: Tiles?
    let bundles: [Bundle]?
    let bad_bundles: [BadBundle]?
    let inclusion, bad_inclusion: [Inclusion]?
    let consistency, bad_consistency: [Consistency]?
    let tlog_proofs, bad_tlog_proofs: [Proof]?

    var isEmpty: Bool { keys == nil }
}

@Suite struct LogVectorTests {
    private let files: [LogVectors]

    init() throws {
        files = try VectorFiles.load(LogVectors.self)
        #expect(!files.isEmpty)
    }

    /// The tree whose leaf i is the text `entry-<i>`, with every tile that was ever full.
    private func tree(size: UInt64) -> (tree: GrowingTree, tiles: [TileID: [Bytes32]]) {
        var tree = GrowingTree()
        var tiles: [TileID: [Bytes32]] = [:]
        for index in 0..<size {
            tree.append(MerkleHash.leaf(Array("entry-\(index)".utf8))) { tiles[$0] = $1 }
        }
        for (tile, hashes) in tree.partialTiles { tiles[tile] = hashes }
        return (tree, tiles)
    }

    private func key(_ file: LogVectors) throws -> VerifierKey {
        let keys = try #require(file.keys)
        return try #require(VerifierKey(parsing: keys.log.vkey))
    }

    @Test func hashing() throws {
        for vectors in files.compactMap(\.hashing) {
            #expect(MerkleHash.emptyRoot.array == vectors.empty_tree_root.bytes)
            for leaf in vectors.leaf { #expect(MerkleHash.leaf(leaf.data_hex.bytes).array == leaf.hash.bytes) }
            for node in vectors.node {
                #expect(MerkleHash.node(try node.left.bytes32(), try node.right.bytes32()).array == node.hash.bytes)
            }
            for vector in vectors.roots { #expect(tree(size: vector.size).tree.root.array == vector.root.bytes) }
        }
    }

    @Test func keys() throws {
        for vectors in files.compactMap(\.keys) {
            let secret = Ed25519SecretKey(seed: SecretBytes(copying: vectors.log.seed.bytes))
            #expect(secret.publicKey.bytes.array == vectors.log.public.bytes)
            let key = VerifierKey(name: vectors.log.name, publicKey: secret.publicKey)
            #expect(key.vkey == vectors.log.vkey)
            #expect(VerifierKey(parsing: vectors.log.vkey) == key)
            for bad in vectors.bad_vkeys { #expect(VerifierKey(parsing: bad.vkey) == nil, "\(bad.why)") }
        }
    }

    @Test func checkpointsAreAcceptedAndRefused() throws {
        for file in files {
            guard let vectors = file.checkpoints, let keys = file.keys else { continue }
            let key = try key(file)
            let secret = Ed25519SecretKey(seed: SecretBytes(copying: keys.log.seed.bytes))
            for vector in vectors.signed {
                let checkpoint = try Checkpoint(verifying: Array(vector.checkpoint.utf8), key: key)
                #expect(checkpoint.size == vector.size && checkpoint.text == Array(vector.text.utf8))
                #expect(checkpoint.signed(by: secret) == Array(vector.checkpoint.utf8))
            }
            for vector in vectors.cosigned {
                #expect(try Checkpoint(verifying: Array(vector.checkpoint.utf8), key: key).size == vector.size)
                // Names of other keys that form one Character with the adjacent space are valid names.
                for name in ["\u{301}x", "x\u{600}"] {
                    let more = vector.checkpoint + "\u{2014} \(name) AAAAAAA=\n"
                    #expect(try Checkpoint(verifying: Array(more.utf8), key: key).size == vector.size)
                }
            }
            for vector in vectors.invalid {
                let error = #expect(throws: CheckpointError.self, "\(vector.why)") {
                    try Checkpoint(verifying: Array(vector.checkpoint.utf8), key: key)
                }
                #expect(error.map(expectation) == vector.expect, "\(vector.why)")
            }
        }
    }

    private func expectation(_ error: CheckpointError) -> String {
        switch error {
        case .note(.malformed), .note(.tooLarge): "reject: malformed note"
        case .note(.noKnownSignature): "reject: no signature by a known key"
        case .note(.signatureInvalid): "reject: bad signature"
        case .malformed: "reject: malformed checkpoint"
        case .unexpectedOrigin: "reject: unexpected origin"
        }
    }

    @Test func tilePathsAndContents() throws {
        for vectors in files.compactMap(\.tiles) {
            for (index, path) in vectors.index_encoding {
                let number = try #require(UInt64(index))
                #expect(TileID(level: 0, index: number).path() == "tile/0/\(path)")
                #expect(TileRequest(path: "tile/0/\(path)") == .hashes(TileID(level: 0, index: number), width: 256))
            }
            for vector in vectors.paths_for_size {
                let requests = TileRequest.all(size: vector.size)
                #expect(requests.count == vector.count)
                let lines = requests.map { $0.path + "\n" }.joined()
                #expect(SHA256.hash(Array(lines.utf8)).array == vector.sha256_of_lines.bytes)
                for request in requests { #expect(TileRequest(path: request.path) == request) }
            }
            for vector in vectors.content {
                guard case .hashes(let tile, let width) = TileRequest(path: vector.path) else {
                    Issue.record("not a tile: \(vector.path)")
                    continue
                }
                let hashes = try #require(tree(size: vector.size).tiles[tile])
                #expect(hashes.count == width)
                let bytes = HashTile.encode(hashes)
                if let hex = vector.hex { #expect(bytes == hex.bytes) }
                if let digest = vector.sha256 { #expect(SHA256.hash(bytes).array == digest.bytes) }
                #expect(HashTile.decode(bytes) == hashes)
            }
        }
        for path in ["tile/0/0", "tile/00/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/x000/001", "tile/64/000"]
        {
            #expect(TileRequest(path: path) == nil, "\(path)")
        }
    }

    @Test func bundles() throws {
        for vector in files.flatMap({ $0.bundles ?? [] }) {
            if let entries = vector.entries_hex?.map(\.bytes) {
                #expect(EntryBundle.encode(entries) == vector.bundle_hex?.bytes)
                #expect(EntryBundle.decode(vector.bundle_hex?.bytes ?? []) == entries)
            } else if let size = vector.size, let path = vector.path,
                case .entries(let index, let width) = TileRequest(path: path)
            {
                let first = index * 256
                let entries = (first..<min(size, first + UInt64(width))).map { Array("entry-\($0)".utf8) }
                let bytes = EntryBundle.encode(entries)
                if let hex = vector.bundle_hex { #expect(bytes == hex.bytes) }
                if let digest = vector.sha256 { #expect(SHA256.hash(bytes).array == digest.bytes) }
            } else {
                let bytes = EntryBundle.encode([[UInt8](repeating: 0x61, count: 65_535)])
                #expect(SHA256.hash(bytes).array == vector.sha256?.bytes)
            }
        }
        for vector in files.flatMap({ $0.bad_bundles ?? [] }) {
            #expect(EntryBundle.decode(vector.bundle_hex.bytes) == nil, "\(vector.why)")
        }
    }

    @Test func inclusionProofs() throws {
        for vector in files.flatMap({ $0.inclusion ?? [] }) {
            let proof = InclusionProof(index: vector.index, hashes: try vector.proof.map { try $0.bytes32() })
            try proof.verify(leaf: vector.leaf_hash.bytes32(), size: vector.size, root: vector.root.bytes32())
            let tiles = tree(size: vector.size).tiles
            #expect(try MerkleProver(size: vector.size) { tiles[$0] }.inclusion(of: vector.index) == proof)
        }
        for vector in files.flatMap({ $0.bad_inclusion ?? [] }) {
            let proof = InclusionProof(index: vector.index, hashes: try vector.proof.map { try $0.bytes32() })
            #expect(throws: ProofFailure.self, "\(vector.why ?? "")") {
                try proof.verify(leaf: vector.leaf_hash.bytes32(), size: vector.size, root: vector.root.bytes32())
            }
        }
    }

    @Test func consistencyProofs() throws {
        for vector in files.flatMap({ $0.consistency ?? [] }) {
            let proof = ConsistencyProof(hashes: try vector.proof.map { try $0.bytes32() })
            try verify(proof, vector)
            let tiles = tree(size: vector.new_size).tiles
            #expect(try MerkleProver(size: vector.new_size) { tiles[$0] }.consistency(from: vector.old_size) == proof)
        }
        for vector in files.flatMap({ $0.bad_consistency ?? [] }) {
            let proof = ConsistencyProof(hashes: try vector.proof.map { try $0.bytes32() })
            #expect(throws: ProofFailure.self, "\(vector.why ?? "")") { try verify(proof, vector) }
        }
    }

    private func verify(_ proof: ConsistencyProof, _ vector: LogVectors.Consistency) throws {
        try proof.verify(
            oldSize: vector.old_size, oldRoot: vector.old_root.bytes32(), newSize: vector.new_size,
            newRoot: vector.new_root.bytes32())
    }

    @Test func receipts() throws {
        for file in files {
            let key = try key(file)
            for vector in file.tlog_proofs ?? [] {
                let proof = try LogProof(parsing: Array(vector.file.utf8))
                #expect(proof.encoded == Array(vector.file.utf8))
                #expect(proof.extra == vector.extra_hex?.bytes)
                #expect(proof.inclusion.index == vector.index)
                let leaf = try #require(vector.leaf_hash).bytes32()
                #expect(try proof.verify(leaf: leaf, key: key).size == vector.size)
                #expect(throws: LogProofError.self) { try proof.verify(leaf: MerkleHash.emptyRoot, key: key) }
            }
            let leaf = try #require(file.inclusion?.first { $0.index == 2 && $0.size == 5 }?.leaf_hash).bytes32()
            for vector in file.bad_tlog_proofs ?? [] {
                #expect(throws: LogProofError.self, "\(vector.why ?? "")") {
                    try LogProof(parsing: Array(vector.file.utf8)).verify(leaf: leaf, key: key)
                }
            }
        }
    }
}
