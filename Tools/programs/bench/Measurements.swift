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

    /// One Ed25519 verification by libsodium, in seconds.
    let unit: Double
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
        let units: Double
        /// The project's limit for this engine, in units.
        let bound: Double?
    }

    enum Failure: Error { case zeroKey, refused }

    init() throws {
        unit = try Self.ed25519Verification()
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
        func add(_ name: String, _ text: String, _ seconds: Double, _ portable: Double? = nil, _ lanes: Double? = nil) {
            results.append(
                Cost(name: name, text: text, units: seconds / unit, bound: isPortable ? portable : lanes))
        }
        add("sign", "sign, ring of 1,024", try sign(), 2500, 2500)
        let one = (0..<Self.ringSize).map { (signer.sign(ring, position: $0, roll: 0), ring.ring) }
        try verify(Array(one.prefix(1)))
        add("verifyBatch1024OneRing", "one record of a batch of 1,024, one ring", try perRecord(one, 9), 2.8, 1.0)
        add(
            "verifyBatch64OneRing", "one record of a batch of 64, one ring", try perRecord(Array(one.prefix(64)), 21),
            5, 2)
        add("verifySingle", "a single record", try perRecord(Array(one.prefix(1)), 21), 120, 40)
        let many = (0..<Self.ringSize).map { number in
            let known = Self.ring(number, of: pool, roll, signer)
            return (signer.sign(known, position: number, roll: 0), known.ring)
        }
        // The first run decodes the rings, once, since a verifier keeps them too.
        try verify(many)
        add(
            "verifyBatch1024ManyRings", "a record in a batch of 1,024 over 1,024 different rings",
            try perRecord(many, 3),
            80, 25)
        try addEnrolment { add($0, $1, $2) }
        let page = try PageMeasurement()
        // One millisecond, for every engine.
        let bound = 0.001 / unit
        add(
            "page", "make a petition's page (for each checkpoint; statement and chart are kept)",
            median(21) { page.render() }, bound, bound)
        return results
    }

    /// The time for one record of a batch of 1,024 over one ring, in seconds.
    func batchOfOneRing() throws -> Double {
        let one = (0..<Self.ringSize).map { (signer.sign(ring, position: $0, roll: 0), ring.ring) }
        try verify(Array(one.prefix(1)))
        return try perRecord(one, 9)
    }

    private func perRecord(_ wire: [([UInt8], Ring)], _ times: Int) throws -> Double {
        try median(times) { try verify(wire) } / Double(wire.count)
    }

    /// Parses and verifies: from wire bytes to a verdict on each record.
    private func verify(_ wire: [([UInt8], Ring)]) throws {
        let batch = try wire.map { (try SignatureRecord(parsing: $0, digits: $1.digits), $1) }
        for verdict in RingVerifier(petition: petition).verify(batch) { _ = try verdict.get() }
    }

    /// The time to sign as a signer does, in constant time.
    private func sign() throws -> Double {
        let member = try memberKey(0)
        var members = ring.ring.members.dropLast() + [member.key]
        members.sort()
        let ring = Ring(roll: roll.bytes, number: 0, members: Array(members))
        return try median(5) { _ = try memberKey(0).secret.sign(petition, ring: ring, roll: 0) }
    }

    private func memberKey(_ index: Int) throws -> MemberIdentity {
        var seed = SHA256.hash(Array("bench seed \(index)".utf8)).array
        guard let key = MemberIdentity(seed: SecretBytes(moving: &seed), roll: roll) else { throw Failure.zeroKey }
        return key
    }

    private func addEnrolment(_ add: (String, String, Double) -> Void) throws {
        let server = VOPRFServer(seed: SecretBytes(randomCount: 32), info: [])
        let member = try memberKey(1)
        let input = MemberIdentity.tokenInput(roll: roll, member: member.key)
        guard let blind = member.blind(codeHash: roll.bytes) else { throw Failure.zeroKey }
        let blinded = try VOPRFClient.blind(input, with: blind)
        var times: [Double] = []
        for _ in 0..<21 { times.append(time { _ = server.blindEvaluate(blinded) }) }
        add("enrolIssue", "issue (coordinator)", times.sorted()[10])
        let (evaluated, proof) = server.blindEvaluate(blinded)
        times = []
        for _ in 0..<21 {
            let start = ContinuousClock.now
            _ = try VOPRFClient.unblind(evaluated, of: blinded, blind: blind, proof: proof, publicKey: server.publicKey)
            times.append(seconds(since: start))
        }
        add("enrolUnblind", "check the answer's proof and unblind (signer)", times.sorted()[10])
        let token = try VOPRFClient.unblind(
            evaluated, of: blinded, blind: blind, proof: proof, publicKey: server.publicKey)
        times = []
        for _ in 0..<21 {
            let start = ContinuousClock.now
            guard server.isValid(token: token, for: input) else { throw Failure.refused }
            times.append(seconds(since: start))
        }
        add("join", "check a join (coordinator)", times.sorted()[10])
    }

    private static func ed25519Verification() throws -> Double {
        let key = Ed25519SecretKey(seed: SecretBytes(randomCount: Ed25519SecretKey.seedCount))
        let message = SystemRandomness.bytes(100)
        let signature = key.sign(message)
        let publicKey = key.publicKey
        return try median(2001) {
            guard publicKey.isValidSignature(signature, for: message) else { throw Failure.refused }
        }
    }
}

private func seconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
}

private func time(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return seconds(since: start)
}

private func median(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
    var times: [Double] = []
    for _ in 0..<count { times.append(try time(body)) }
    return times.sorted()[count / 2]
}
