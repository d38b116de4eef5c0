import Bytes
import Foundation

/// The vector files: those of `Protocol/vectors`, then every one named in `ROUNDROBIN_VECTORS` (colon-separated paths).
enum VectorFiles {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let paths: [String] = {
        let ours = ["protocol-vectors.json", "transparency-log-vectors.json", "witness-vectors.json"].map {
            repository.appending(path: "Protocol/vectors/\($0)").path
        }
        let brought = ProcessInfo.processInfo.environment["ROUNDROBIN_VECTORS"] ?? ""
        return ours + brought.split(separator: ":").map(String.init)
    }()

    /// Every file that has at least one section of `T`. A file that cannot be read or decoded fails the test.
    static func load<T: VectorFile>(_ type: T.Type) throws -> [T] {
        let files = try paths.map { path in
            do {
                return try JSONDecoder().decode(T.self, from: Data(contentsOf: URL(filePath: path)))
            } catch {
                throw VectorProblem(path: path, reason: String(describing: error))
            }
        }
        return files.filter { !$0.isEmpty }
    }
}

protocol VectorFile: Decodable {
    var isEmpty: Bool { get }
}

struct VectorProblem: Error {
    let path: String
    let reason: String
}

/// Lower-case hex in a vector file.
struct HexBytes: Decodable, Hashable {
    let bytes: [UInt8]

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let bytes = Hex.decode(text) else { throw VectorProblem(path: "", reason: "not hex: \(text)") }
        self.bytes = bytes
    }

    /// The bytes as exactly 32.
    func bytes32() throws -> Bytes32 {
        guard let value = Bytes32(bytes) else { throw VectorProblem(path: "", reason: "not 32 bytes") }
        return value
    }
}

/// The sections of `protocol-vectors.json`; other files may have any of them.
struct ProtocolVectors: VectorFile {
    struct Encoding: Decodable {
        let encoding: HexBytes
        let valid: Bool
        let note: String?
    }
    struct Expansion: Decodable {
        let dst: String
        let msg: HexBytes
        let length: Int
        let output: HexBytes
    }
    struct Hash: Decodable {
        let dst: String
        let msg: HexBytes
        let output: HexBytes
    }
    struct OPRF: Decodable {
        struct Vector: Decodable {
            struct Proof: Decodable {
                let proof: HexBytes
                let r: HexBytes
            }
            let Batch: Int
            let Blind: String
            let BlindedElement: String
            let EvaluationElement: String
            let Input: String
            let Output: String
            let Proof: Proof
        }
        let seed: HexBytes
        let keyInfo: HexBytes
        let skSm: HexBytes
        let pkSm: HexBytes
        let vectors: [Vector]
    }
    struct Enrolment: Decodable {
        struct Member: Decodable {
            let seed, code, codeHash, memberSecret, memberKey, blind, blinded, evaluated, proof, token: HexBytes
        }
        let rollId, enrolmentSecret, enrolmentKey: HexBytes
        let members: [Member]
    }
    struct RingSignature: Decodable {
        struct Record: Decodable {
            let record: HexBytes
            let valid: Bool
            let reason: String?
            let signer: Int?
            let tag: HexBytes?
        }
        let rollId, petitionId, ringDigest: HexBytes
        let roll: UInt8
        let ring: UInt32
        let digits: Int
        let keys: [HexBytes]
        let secrets: [HexBytes]?
        let records: [Record]
    }
    struct Withdrawal: Decodable {
        let petitionId: HexBytes
        let record: HexBytes
        let valid: Bool
        let reason: String?
    }
    struct Codes: Decodable {
        struct Code: Decodable {
            let code: HexBytes
            let text: String
            let codeHash: HexBytes?
        }
        let valid: [Code]
        let alsoValid: [Code]?
        let invalid: [String]?
    }

    struct Link: Decodable {
        let coordinator, slug: String
        let linkHash: HexBytes
    }

    let points: [Encoding]?
    let scalars: [Encoding]?
    let multiplesOfB: [HexBytes]?
    let expandMessage: [Expansion]?
    let hashToGroup: [Hash]?
    let hashToScalar: [Hash]?
    let rfc9497: OPRF?
    let enrolment: Enrolment?
    let ringSignatures: [RingSignature]?
    let withdrawals: [Withdrawal]?
    let invitationCodes: Codes?
    let enrolmentLogEntries: [String: HexBytes]?
    let rollLinks: [Link]?

    var isEmpty: Bool {
        points == nil && scalars == nil && multiplesOfB == nil && expandMessage == nil && hashToGroup == nil
            && hashToScalar == nil && rfc9497 == nil && enrolment == nil && ringSignatures == nil
            && withdrawals == nil && invitationCodes == nil && enrolmentLogEntries == nil && rollLinks == nil
    }
}
