import Bytes
import Documents
import InsecureTestKeys
import Multiscalar
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import VOPRF

/// The measured operations, on keys and records made for this purpose.
struct Measurements {
    private static let ringSize = 1024

    /// The unit, measured again for each work.
    let clock = UnitClock()
    private let petition = PetitionBase(petition: SHA256.hash(Array("bench petition".utf8)))
    private let roll = RollID(SHA256.hash(Array("bench roll".utf8)))
    private let signer: InsecureSigner
    private let ring: InsecureSigner.KnownRing
    /// The 2,048 keys from which all rings are made; each is the previous one plus `B`.
    private let pool: [(key: MemberKey, secret: Scalar)]

    /// A line of the results.
    struct Cost {
        let name: String
        let text: String
        let units: PairedRatio
        /// The project's limit for this engine, in units.
        let bound: Double?
    }

    enum Failure: Error { case zeroKey, refused }

    init() throws {
        var pool: [(key: MemberKey, secret: Scalar)] = []
        var (secret, key) = (Scalar(1), GroupElement.base)
        for _ in 0..<2 * Self.ringSize {
            pool.append((MemberKey(key), secret))
            secret = secret + .one
            key = key + .base
        }
        self.pool = pool
        signer = InsecureSigner(petition: petition, digits: 5)
        ring = Self.ring(0, of: pool, roll, signer)
    }

    /// The ring with this number: `ringSize` keys of the pool, beginning at a different index for each ring.
    private static func ring(
        _ number: Int, of pool: [(key: MemberKey, secret: Scalar)], _ roll: RollID, _ signer: InsecureSigner
    ) -> InsecureSigner.KnownRing {
        let members = (0..<ringSize).map { pool[(number + $0) % pool.count] }.sorted { $0.key < $1.key }
        let ring = Ring(roll: roll.bytes, number: UInt32(number), members: members.map(\.key))
        return signer.know(ring, secrets: members.map(\.secret))
    }

    /// The length of a record in bytes.
    var recordBytes: Int { RecordOutline.signatureCount(digits: ring.ring.digits) }

    private var isPortable: Bool {
        if case .portable = Engine.current { true } else { false }
    }

    /// All results in the table.
    func all() throws -> [Cost] {
        var results: [Cost] = []
        func add(
            _ name: String, _ text: String, _ units: PairedRatio, _ portable: Double? = nil, _ lanes: Double? = nil
        ) {
            results.append(Cost(name: name, text: text, units: units, bound: isPortable ? portable : lanes))
        }
        add("sign", "sign, ring of 1,024", try sign(), 2500, 2500)
        let one = records(Self.ringSize)
        add("verifyBatch1024OneRing", "one record of a batch of 1,024, one ring", try perRecord(one), 2.8, 1.0)
        add(
            "verifyBatch64OneRing", "one record of a batch of 64, one ring", try perRecord(Array(one.prefix(64))), 5, 2)
        add("verifySingle", "a single record", try perRecord(Array(one.prefix(1))), 120, 40)
        let many = (0..<Self.ringSize).map { number in
            let known = Self.ring(number, of: pool, roll, signer)
            return (signer.sign(known, position: number, roll: 0), known.ring)
        }
        add(
            "verifyBatch1024ManyRings", "a record in a batch of 1,024 over 1,024 different rings", try perRecord(many),
            80, 25)
        try addEnrolment { add($0, $1, $2) }
        let page = try PageMeasurement()
        // One millisecond, for every engine.
        let bound = 0.001 / (try clock.seconds())
        page.render()
        add(
            "page", "make a petition's page (for each checkpoint; statement and chart are kept)",
            try clock.measure { page.render() }, bound, bound)
        return results
    }

    /// So many records of one ring; each position signs as often as is needed.
    private func records(_ count: Int) -> [([UInt8], Ring)] {
        (0..<count).map { (signer.sign(ring, position: $0 % Self.ringSize, roll: 0), ring.ring) }
    }

    /// What one record costs in a batch of 1,024 over one ring.
    func batchOfOneRing() throws -> PairedRatio { try perRecord(records(Self.ringSize)) }

    private func perRecord(_ wire: [([UInt8], Ring)]) throws -> PairedRatio {
        // The first run decodes the rings, once, since a verifier keeps them too.
        try verify(wire)
        return try clock.measure { try verify(wire) }.divided(by: wire.count)
    }

    /// The stages of verifying one record, each in units, in a batch of so many over one ring.
    func shares(of count: Int) throws -> [(stage: String, units: PairedRatio)] {
        let wire = records(count)
        try verify(wire)
        let stages = VerificationStages(petition: petition)
        var batch: [(SignatureRecord, Ring)] = []
        var claims = stages.claims(of: [])
        var equations = stages.equations(of: claims)
        let ratios = try clock.measure(parts: [
            { batch = try parse(wire) },
            { claims = stages.claims(of: batch) },
            { equations = stages.equations(of: claims) },
            { guard stages.hold(equations) else { throw Failure.refused } },
        ])
        return zip(["decoding", "hashing", "scalar products", "sum"], ratios).map { ($0, $1.divided(by: count)) }
    }

    private func parse(_ wire: [([UInt8], Ring)]) throws -> [(SignatureRecord, Ring)] {
        try wire.map { (try SignatureRecord(parsing: $0, digits: $1.digits), $1) }
    }

    /// Parses and verifies: from wire bytes to a verdict on each record.
    private func verify(_ wire: [([UInt8], Ring)]) throws {
        for verdict in RingVerifier(petition: petition).verify(try parse(wire)) { _ = try verdict.get() }
    }

    /// What signing costs as a signer does it, in constant time.
    private func sign() throws -> PairedRatio {
        let member = try memberKey(0)
        var members = ring.ring.members.dropLast() + [member.key]
        members.sort()
        let ring = Ring(roll: roll.bytes, number: 0, members: Array(members))
        return try clock.measure { _ = try memberKey(0).secret.sign(petition, ring: ring, roll: 0) }
    }

    private func memberKey(_ index: Int) throws -> MemberIdentity {
        var seed = SHA256.hash(Array("bench seed \(index)".utf8)).array
        guard let key = MemberIdentity(seed: SecretBytes(moving: &seed), roll: roll) else { throw Failure.zeroKey }
        return key
    }

    private func addEnrolment(_ add: (String, String, PairedRatio) -> Void) throws {
        let server = VOPRFServer(seed: SecretBytes(randomCount: 32), info: [])
        let member = try memberKey(1)
        let input = MemberIdentity.tokenInput(roll: roll, member: member.key)
        guard let blind = member.blind(codeHash: roll.bytes) else { throw Failure.zeroKey }
        let blinded = try VOPRFClient.blind(input, with: blind)
        add("enrolIssue", "issue (coordinator)", try clock.measure { _ = server.blindEvaluate(blinded) })
        let (evaluated, proof) = server.blindEvaluate(blinded)
        func unblind() throws -> EnrolmentToken {
            try VOPRFClient.unblind(evaluated, of: blinded, blind: blind, proof: proof, publicKey: server.publicKey)
        }
        add(
            "enrolUnblind", "check the answer's proof and unblind (signer)", try clock.measure { _ = try unblind() })
        let token = try unblind()
        add(
            "join", "check a join (coordinator)",
            try clock.measure { guard server.isValid(token: token, for: input) else { throw Failure.refused } })
    }
}
