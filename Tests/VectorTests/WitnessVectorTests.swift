import Foundation
import Bytes
import Sodium
import Testing
import TransparencyLog
import Witnessing

/// The sections about witnesses of all vector files.
struct WitnessVectors: VectorFile {
    struct Keys: Decodable {
        struct Key: Decodable {
            let name, vkey: String
            let seed: HexBytes
        }
        let log: Key
        let witnesses: [Key]
    }
    struct Checkpoints: Decodable {
        struct Cosigned: Decodable {
            let witnesses: [Int]
            let timestamps: [UInt64]
            let signed_messages: [String]
            let checkpoint: String
        }
        struct Invalid: Decodable { let why, expect, checkpoint: String }
        let cosigned: [Cosigned]
        let invalid_cosignatures: [Invalid]
    }
    struct Cosignatures: Decodable {
        struct Line: Decodable, Equatable {
            let name: String
            let time: UInt64
        }
        let about, note: String
        let keys: [String]
        let found: [Line]?
        let error: String?
    }
    struct Policy: Decodable {
        struct Result: Decodable {
            let cosigned_by: [String]
            let satisfied: Bool
        }
        let policy: String
        let results: [Result]
    }
    struct Strength: Decodable {
        let about, policy: String
        let shared, smallest_quorum: Int
        let blocking: Int?
    }
    struct GoodPolicy: Decodable {
        let about, policy: String
        let witnesses: Int
    }
    struct BadPolicy: Decodable {
        let why, policy: String
        let line: Int?
    }
    struct QuorumTime: Decodable {
        let policy: String
        let times: [Cosignatures.Line]
        let quorum: UInt64?
    }
    struct List: Decodable {
        struct Entry: Decodable {
            let vkey, origin, contact: String
            let qpd: UInt32
        }
        let about, list: String
        let entries: [Entry]
    }
    struct BadList: Decodable {
        let why, list: String
        let line: Int
    }
    struct Receipt: Decodable {
        let about, leaf, receipt, policy: String
        let satisfied: Bool
    }
    struct Request: Decodable {
        let about, body: String
        let witness_size: UInt64?
        let status: Int
        let response: String?
    }
    struct Conversation: Decodable {
        let key: String
        let requests: [Request]
    }
    let keys: Keys?
    let checkpoints: Checkpoints?
    let cosignatures: [Cosignatures]?
    let policies: [Policy]?
    let bad_policies, bad_witness_policies: [BadPolicy]?
    let witness_policies: [GoodPolicy]?
    let strengths: [Strength]?
    let quorum_times: [QuorumTime]?
    let log_lists: [List]?
    let bad_log_lists: [BadList]?
    let receipts: [Receipt]?
    let witness_requests: [Request]?
    let witness_conversation: Conversation?

    var isEmpty: Bool { keys == nil && cosignatures == nil }
}

@Suite struct WitnessVectorTests {
    private let files: [WitnessVectors]

    init() throws {
        files = try VectorFiles.load(WitnessVectors.self)
        #expect(files.count >= 2)
    }

    private func keys(_ vkeys: [String]) throws -> [WitnessKey] {
        try vkeys.map { try #require(WitnessKey(parsing: $0), "\($0)") }
    }

    // MARK: Cosignatures

    @Test func keysAndCosignaturesAreThoseOfTheVectors() throws {
        for file in files {
            guard let vectors = file.keys, let checkpoints = file.checkpoints else { continue }
            let keys = try keys(vectors.witnesses.map(\.vkey))
            #expect(keys.map(\.vkey) == vectors.witnesses.map(\.vkey))
            #expect(WitnessKey(parsing: vectors.log.vkey) == nil, "the type of a log's key")
            #expect(VerifierKey(parsing: vectors.witnesses[0].vkey) == nil, "the type of a witness's key")
            let log = try #require(VerifierKey(parsing: vectors.log.vkey))
            for vector in checkpoints.cosigned {
                let bytes = Array(vector.checkpoint.utf8)
                let found = try SignedNote(parsing: bytes).cosignatures(by: keys)
                #expect(found.map(\.key) == vector.witnesses.map { keys[$0] })
                #expect(found.map(\.time) == vector.timestamps)
                // What we sign is, byte for byte, what the vectors have: Ed25519 signs always the same.
                let checkpoint = try Checkpoint(verifying: bytes, key: log)
                for (index, time) in zip(vector.witnesses, vector.timestamps) {
                    let witness = vectors.witnesses[index]
                    let secret = Ed25519SecretKey(seed: SecretBytes(copying: witness.seed.bytes))
                    let line = secret.cosign(checkpoint, name: witness.name, at: time)
                    #expect(vector.checkpoint.contains("\n" + line))
                }
            }
            for vector in checkpoints.invalid_cosignatures {
                let note = try SignedNote(parsing: Array(vector.checkpoint.utf8))
                #expect(throws: NoteError.signatureInvalid, "\(vector.why)") { try note.cosignatures(by: keys) }
            }
        }
    }

    @Test func ofEachKeyTheEarliestLineCounts() throws {
        for vector in files.compactMap(\.cosignatures).joined() {
            let keys = try keys(vector.keys)
            let note = try SignedNote(parsing: Array(vector.note.utf8))
            if let expected = vector.found {
                let found = try note.cosignatures(by: keys)
                #expect(
                    found.map { WitnessVectors.Cosignatures.Line(name: $0.key.name, time: $0.time) } == expected,
                    "\(vector.about)")
                #expect(found.allSatisfy { vector.note.contains("\n" + $0.line) })
            } else {
                #expect(throws: NoteError.signatureInvalid, "\(vector.about)") { try note.cosignatures(by: keys) }
            }
        }
    }

    @Test func ofAnAnswerOnlyWhatVerifiesIsKept() throws {
        let vectors = try #require(files.compactMap(\.cosignatures).first)
        let text = try #require(vectors.first { $0.about.hasPrefix("a bad line beside") })
        let note = try SignedNote(parsing: Array(text.note.utf8))
        let log = try #require(files.compactMap(\.keys).first?.log)
        let checkpoint = try Checkpoint(verifying: note.bytes, key: #require(VerifierKey(parsing: log.vkey)))
        let lines = text.note.components(separatedBy: "\n\n")[1]
        let found = checkpoint.cosignatures(
            inLines: Array((lines + "\nno line\n\u{2014} half\n\n").utf8) + [0xFF, 0x0A], by: try keys(text.keys))
        #expect(found.map(\.time) == [1_700_000_009])
    }

    @Test func aLineThatIsAheadCountsAsAbsent() throws {
        let vectors = try #require(files.compactMap(\.cosignatures).first)
        let one = try #require(vectors.first { $0.about == "one line" })
        let line = try #require(SignedNote(parsing: Array(one.note.utf8)).cosignatures(by: keys(one.keys)).first)
        #expect(line.counts(at: line.time) && line.counts(at: line.time - 300) && line.counts(at: .max))
        #expect(!line.counts(at: line.time - 301) && !line.counts(at: 0))
    }

    // MARK: Policies

    @Test func policiesAreMetByTheirQuorums() throws {
        for vector in files.compactMap(\.policies).joined() {
            let policy = try WitnessPolicy(parsing: Array(vector.policy.utf8))
            for result in vector.results {
                #expect(policy.isMet { result.cosigned_by.contains($0.name) } == result.satisfied)
            }
        }
        for vector in files.compactMap(\.witness_policies).joined() {
            let policy = try WitnessPolicy(parsing: Array(vector.policy.utf8))
            #expect(policy.witnesses.count == vector.witnesses, "\(vector.about)")
            #expect(policy.isMet { _ in true }, "\(vector.about)")
        }
    }

    @Test func badPoliciesAreRefusedWithTheirLine() throws {
        for vector in files.flatMap({ ($0.bad_policies ?? []) + ($0.bad_witness_policies ?? []) }) {
            let error = #expect(throws: WitnessPolicyError.self, "\(vector.why)") {
                try WitnessPolicy(parsing: Array(vector.policy.utf8))
            }
            if let line = vector.line { #expect(error?.line == line, "\(vector.why)") }
        }
        let bomb = [UInt8](repeating: 0x20, count: WitnessPolicy.maximumBytes + 1)
        #expect(throws: WitnessPolicyError(line: 1, fault: .tooLong)) { try WitnessPolicy(parsing: bomb) }
    }

    @Test func strengthsAreThoseOfTheTreeOfGroups() throws {
        for vector in files.compactMap(\.strengths).joined() {
            let strength = try WitnessPolicy(parsing: Array(vector.policy.utf8)).strength
            #expect(strength.shared == vector.shared, "\(vector.about)")
            #expect(strength.smallestQuorum == vector.smallest_quorum, "\(vector.about)")
            #expect(strength.blocking == vector.blocking, "\(vector.about)")
        }
    }

    /// The three numbers against all sets of witnesses, tried one by one.
    @Test(arguments: ["2 w0 w1 w2", "3 w0 w1 w2 w3 w4", "all w0 w1", "any w0 w1 w2", "4 w0 w1 w2 w3 w4"])
    func strengthsHoldForEverySetOfWitnesses(group: String) throws {
        let count = group.split(separator: " ").count - 1
        let lines = (0..<count).map { number in
            let seed = SecretBytes(copying: [UInt8](repeating: UInt8(number), count: 32))
            let key = WitnessKey(name: "w\(number)", publicKey: Ed25519SecretKey(seed: seed).publicKey)
            return "witness w\(number) \(key.vkey)\n"
        }
        let policy = try WitnessPolicy(parsing: Array((lines.joined() + "group g \(group)\nquorum g\n").utf8))
        let sets = (0..<1 << count).map { bits in Set((0..<count).filter { bits >> $0 & 1 == 1 }.map { "w\($0)" }) }
        let quorums = sets.filter { set in policy.isMet { set.contains($0.name) } }
        #expect(policy.strength.smallestQuorum == quorums.map(\.count).min())
        #expect(policy.strength.shared == quorums.flatMap { one in quorums.map { one.intersection($0).count } }.min())
        let away = sets.filter { set in !policy.isMet { !set.contains($0.name) } }
        #expect(policy.strength.blocking == away.map(\.count).min())
    }

    @Test func theQuorumsTimeIsWhenItsLastMemberSigned() throws {
        for vector in files.compactMap(\.quorum_times).joined() {
            let policy = try WitnessPolicy(parsing: Array(vector.policy.utf8))
            var times: [WitnessKey: UInt64] = [:]
            for line in vector.times { times[try #require(policy.keys.first { $0.name == line.name })] = line.time }
            #expect(policy.firstQuorum(times, by: <) == vector.quorum)
        }
    }

    @Test func aReceiptWithRealCosignaturesMeetsItsPolicy() throws {
        for vector in files.compactMap(\.receipts).joined() {
            let policy = try WitnessPolicy(parsing: Array(vector.policy.utf8))
            let log = try #require(policy.logs.first)
            let receipt = try LogProof(parsing: Array(vector.receipt.utf8))
            _ = try receipt.verify(leaf: MerkleHash.leaf(Array(vector.leaf.utf8)), key: log.key)
            let lines = try SignedNote(parsing: receipt.checkpoint).cosignatures(by: policy.keys)
            #expect((policy.quorumTime(lines) != nil) == vector.satisfied)
            // The ML-DSA-44 keys alone would be no quorum here: what they sign counts as absent.
            #expect(policy.canBeChecked && lines.allSatisfy { $0.key.ed25519 != nil })
        }
    }

    // MARK: Lists

    @Test func listsOfLogsAreReadAndWritten() throws {
        for vector in files.compactMap(\.log_lists).joined() {
            let list = try LogList(parsing: Array(vector.list.utf8))
            #expect(list.entries.map(\.key.vkey) == vector.entries.map(\.vkey), "\(vector.about)")
            #expect(list.entries.map(\.origin) == vector.entries.map(\.origin), "\(vector.about)")
            #expect(list.entries.map(\.perDay) == vector.entries.map(\.qpd), "\(vector.about)")
            #expect(list.entries.map(\.contact) == vector.entries.map(\.contact), "\(vector.about)")
            #expect(try LogList(parsing: Array(list.text.utf8)) == list)
        }
        for vector in files.compactMap(\.bad_log_lists).joined() {
            #expect(throws: LogList.Fault(line: vector.line), "\(vector.why)") {
                try LogList(parsing: Array(vector.list.utf8))
            }
        }
    }

    // MARK: The rules of a witness

    @Test func requestsGetTheAnswersOfTheSpecification() throws {
        for file in files {
            guard let requests = file.witness_requests, let log = file.keys?.log else { continue }
            let key = try #require(VerifierKey(parsing: log.vkey))
            for vector in requests {
                let size = try #require(vector.witness_size)
                let last = size == 0 ? nil : Checkpoint(origin: key.name, size: size, root: root(size))
                let verdict = verdict(vector, key) { _ in last }
                #expect(verdict.status == vector.status, "\(vector.about)")
                if case .conflict(let size) = verdict { #expect(vector.response == "\(size)\n", "\(vector.about)") }
            }
        }
    }

    @Test func aConversationGetsItsAnswersInOrder() throws {
        for conversation in files.compactMap(\.witness_conversation) {
            let key = try #require(VerifierKey(parsing: conversation.key))
            var last: Checkpoint?
            for vector in conversation.requests {
                let verdict = verdict(vector, key) { _ in last }
                #expect(verdict.status == vector.status, "\(vector.about)")
                switch verdict {
                case .cosign(let checkpoint): last = checkpoint
                case .conflict(let size): #expect(vector.response == "\(size)\n", "\(vector.about)")
                default: break
                }
            }
            #expect(last?.size == 9)
        }
    }

    @Test func aRequestIsWrittenAsItIsRead() throws {
        for vector in files.compactMap(\.witness_requests).joined() where vector.status == 200 {
            let request = try #require(AddCheckpointRequest(parsing: Array(vector.body.utf8)))
            #expect(request.encoded == Array(vector.body.utf8))
        }
    }

    private func verdict(
        _ vector: WitnessVectors.Request, _ key: VerifierKey, last: (String) -> Checkpoint?
    ) -> WitnessVerdict {
        guard let request = AddCheckpointRequest(parsing: Array(vector.body.utf8)) else { return .malformed }
        return WitnessVerdict(request, key: { $0 == key.name ? key : nil }, last: last)
    }

    private func root(_ size: UInt64) -> Bytes32 {
        var tree = GrowingTree()
        for index in 0..<size { tree.append(MerkleHash.leaf(Array("entry-\(index)".utf8))) }
        return tree.root
    }
}

extension WitnessVerdict {
    fileprivate var status: Int {
        switch self {
        case .cosign: 200
        case .malformed: 400
        case .untrusted: 403
        case .unknownOrigin: 404
        case .conflict: 409
        case .inconsistent: 422
        }
    }
}
