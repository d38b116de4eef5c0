import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF
import Witnessing

/// Runs the vectors of `Protocol/vectors` inside this module, so that what is shown to be right is the file that people
/// have. `bytes` is a file of vectors; returns four bytes of length, little-endian, and a JSON object with how many
/// were accepted and refused as they should be, and which were not. The caller has the memory.
@_cdecl("check_vectors")
public func checkVectors(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UnsafeMutablePointer<UInt8> {
    var check = VectorCheck()
    check.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    let report = Array(check.report.utf8)
    let target = UnsafeMutablePointer<UInt8>.allocate(capacity: report.count + 4)
    for (index, byte) in (withUnsafeBytes(of: UInt32(report.count).littleEndian) { Array($0) } + report).enumerated() {
        target[index] = byte
    }
    return target
}

/// Signs in a ring of `count` random members, and checks the record; returns 1 if it is valid. For measurements.
@_cdecl("sign_in_ring")
public func signInRing(_ count: Int) -> Int32 {
    guard let own = MemberIdentity(seed: SecretBytes(randomCount: MemberIdentity.seedCount), roll: RollID(Bytes32()))
    else { return 0 }
    let others = (1..<max(2, count)).map { index in
        MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64(index + 1))))
    }
    let ring = Ring(roll: Bytes32(), number: 0, members: [own.key] + others)
    let base = PetitionBase(petition: Bytes32())
    guard let record = try? own.secret.sign(base, ring: ring, roll: 0) else { return 0 }
    guard let parsed = try? SignatureRecord(parsing: record.bytes, digits: ring.digits),
        (try? RingVerifier(petition: base).verify(parsed, in: ring)) != nil
    else { return 0 }
    return 1
}

private struct VectorCheck {
    private var accepted = 0
    private var refused = 0
    private var wrong: [String] = []

    var report: String {
        JSONValue.object([
            ("accepted", .integer(UInt64(accepted))), ("refused", .integer(UInt64(refused))),
            ("wrong", .array(wrong.map { .string($0) })),
        ]).text(isPretty: false)
    }

    /// Takes note of one vector.
    private mutating func note(_ name: String, isValid: Bool, wasAccepted: Bool) {
        if isValid != wasAccepted { return wrong.append(name) }
        if isValid { accepted += 1 } else { refused += 1 }
    }

    private mutating func same(_ name: String, _ left: [UInt8], _ right: [UInt8]?) {
        note(name, isValid: true, wasAccepted: left == right)
    }

    mutating func run(_ bytes: [UInt8]) {
        guard var file = try? JSONFields(parsing: bytes) else { return wrong.append("not a file of vectors") }
        group(&file)
        hashing(&file)
        enrolment(&file)
        rings(&file)
        codes(&file)
        logs(&file)
    }

    private func each(_ file: inout JSONFields, _ name: String) -> [Vector] {
        guard case .array(let values)? = file.optional(name) else { return [] }
        return values.map { Vector($0) }
    }

    private mutating func group(_ file: inout JSONFields) {
        for vector in each(&file, "points") {
            let isPoint = vector.bytes32("encoding").flatMap { try? GroupElement(decodingAllowingIdentity: $0) } != nil
            note("points", isValid: vector.isValid, wasAccepted: isPoint)
        }
        for vector in each(&file, "scalars") {
            let isScalar = vector.bytes32("encoding").flatMap { try? Scalar(decoding: $0) } != nil
            note("scalars", isValid: vector.isValid, wasAccepted: isScalar)
        }
        for (index, multiple) in each(&file, "multiplesOfB").enumerated() {
            let product = GroupElement.base.multiplied(by: Scalar(UInt64(index)))
            same("multiplesOfB", product.encoding.array, multiple.ownBytes)
        }
    }

    private mutating func hashing(_ file: inout JSONFields) {
        for vector in each(&file, "hashToGroup") {
            let element = HashToGroup.element(vector.bytes("msg"), dst: Array(vector.text("dst").utf8))
            same("hashToGroup", element.encoding.array, vector.bytes("output"))
        }
        for vector in each(&file, "hashToScalar") {
            let scalar = HashToGroup.scalar(vector.bytes("msg"), dst: Array(vector.text("dst").utf8))
            same("hashToScalar", scalar.bytes.array, vector.bytes("output"))
        }
    }

    private mutating func enrolment(_ file: inout JSONFields) {
        guard let value = file.optional("enrolment") else { return }
        let vector = Vector(value)
        guard let roll = vector.bytes32("rollId").map({ RollID($0) }),
            let key = vector.bytes32("enrolmentKey").flatMap({ try? GroupElement(decoding: $0) })
        else { return wrong.append("enrolment") }
        for member in vector.list("members") {
            var seed = member.bytes("seed")
            guard let code = InvitationCode(member.bytes("code")),
                let identity = MemberIdentity(seed: SecretBytes(moving: &seed), roll: roll),
                let blind = identity.blind(codeHash: code.hash),
                let evaluated = member.bytes32("evaluated").flatMap({ try? GroupElement(decoding: $0) }),
                let proof = try? DLEQProof(decoding: member.bytes("proof"))
            else {
                wrong.append("enrolment")
                continue
            }
            same("enrolment: member key", identity.key.encoding.array, member.bytes("memberKey"))
            let input = MemberIdentity.tokenInput(roll: roll, member: identity.key)
            guard let blinded = try? VOPRFClient.blind(input, with: blind) else {
                wrong.append("enrolment: blind")
                continue
            }
            same("enrolment: blinded", blinded.element.encoding.array, member.bytes("blinded"))
            let token = try? VOPRFClient.unblind(
                EvaluatedElement(evaluated), of: blinded, blind: blind, proof: proof, publicKey: key)
            same("enrolment: token", token?.encoding.array ?? [], member.bytes("token"))
            let other = try? VOPRFClient.unblind(
                EvaluatedElement(evaluated), of: blinded, blind: blind, proof: proof, publicKey: .base)
            note("enrolment: another key", isValid: false, wasAccepted: other != nil)
        }
    }

    private mutating func rings(_ file: inout JSONFields) {
        for vector in each(&file, "ringSignatures") {
            let keys = vector.list("keys").compactMap { key in
                Bytes32(key.ownBytes).flatMap { try? MemberKey(decoding: $0) }
            }
            guard let roll = vector.bytes32("rollId"), let petition = vector.bytes32("petitionId"),
                let number = vector.integer("ring"), let place = vector.integer("roll")
            else {
                wrong.append("ringSignatures")
                continue
            }
            let ring = Ring(roll: roll, number: UInt32(clamping: number), members: keys)
            same("ringDigest", ring.digest.array, vector.bytes("ringDigest"))
            let verifier = RingVerifier(petition: PetitionBase(petition: petition))
            for record in vector.list("records") {
                let bytes = record.bytes("record")
                let outline = RecordOutline.signature(roll: UInt8(clamping: place), ring: ring.number)
                var isAccepted = false
                if let found = try? RecordOutline(parsing: bytes), found == outline,
                    let parsed = try? SignatureRecord(parsing: bytes, digits: ring.digits)
                {
                    isAccepted = (try? verifier.verify(parsed, in: ring)) != nil
                }
                note(record.text("reason"), isValid: record.isValid, wasAccepted: isAccepted)
            }
        }
        for vector in each(&file, "withdrawals") {
            let petition = vector.bytes32("petitionId").map { PetitionBase(petition: $0) }
            let record = try? WithdrawalRecord(parsing: vector.bytes("record"))
            var isAccepted = false
            if let petition, let record { isAccepted = (try? record.verify(petition: petition)) != nil }
            note("withdrawals", isValid: vector.isValid, wasAccepted: isAccepted)
        }
    }

    private mutating func codes(_ file: inout JSONFields) {
        guard let value = file.optional("invitationCodes") else { return }
        let vector = Vector(value)
        for code in vector.list("valid") + vector.list("alsoValid") {
            same("invitationCodes", InvitationCode(text: code.text("text"))?.bytes ?? [], code.bytes("code"))
        }
        // One of those listed is a code by the normative rule: `Protocol/vectors/README.md`.
        for code in vector.list("invalid") where code.ownText != "40000000000000000000000000=" {
            note("invitationCodes", isValid: false, wasAccepted: InvitationCode(text: code.ownText) != nil)
        }
    }

    private mutating func logs(_ file: inout JSONFields) {
        guard let keys = file.optional("keys") else { return }
        guard let key = VerifierKey(parsing: Vector(keys).object("log").text("vkey")) else {
            return wrong.append("keys")
        }
        if let value = file.optional("checkpoints") {
            for (name, isValid) in [("signed", true), ("cosigned", true), ("invalid", false)] {
                for vector in Vector(value).list(name) {
                    let note = Array(vector.text("checkpoint").utf8)
                    let isAccepted = (try? Checkpoint(verifying: note, key: key)) != nil
                    self.note("checkpoints", isValid: isValid, wasAccepted: isAccepted)
                }
            }
        }
        for (name, isValid) in [("inclusion", true), ("bad_inclusion", false)] {
            for vector in each(&file, name) {
                note(name, isValid: isValid, wasAccepted: Self.includes(vector))
            }
        }
        for vector in each(&file, "bad_bundles") {
            note("bad_bundles", isValid: false, wasAccepted: EntryBundle.decode(vector.bytes("bundle_hex")) != nil)
        }
        for (name, isValid) in [("policies", true), ("bad_policies", false)] {
            for vector in each(&file, name) {
                let policy = try? WitnessPolicy(parsing: Array(vector.text("policy").utf8))
                note(name, isValid: isValid, wasAccepted: policy != nil)
            }
        }
    }

    private static func includes(_ vector: Vector) -> Bool {
        guard let index = vector.integer("index"), let size = vector.integer("size"),
            let leaf = vector.bytes32("leaf_hash"), let root = vector.bytes32("root")
        else { return false }
        let hashes = vector.list("proof").compactMap { Bytes32($0.ownBytes) }
        guard hashes.count == vector.list("proof").count else { return false }
        let proof = InclusionProof(index: index, hashes: hashes)
        return (try? proof.verify(leaf: leaf, size: size, root: root)) != nil
    }
}

/// A vector, whose fields are looked up by name.
private struct Vector {
    private let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    private func field(_ name: String) -> JSONValue? {
        guard case .object(let fields) = value else { return nil }
        return fields.first { $0.name == name }?.value
    }

    var ownText: String { if case .string(let text) = value { text } else { "" } }
    var ownBytes: [UInt8] { Hex.decode(ownText) ?? [] }
    var isValid: Bool { field("valid") == .boolean(true) }

    func text(_ name: String) -> String { field(name).map { Vector($0).ownText } ?? "" }
    func bytes(_ name: String) -> [UInt8] { Hex.decode(text(name)) ?? [] }
    func bytes32(_ name: String) -> Bytes32? { Bytes32(bytes(name)) }
    func object(_ name: String) -> Vector { Vector(field(name) ?? .object([])) }

    func integer(_ name: String) -> UInt64? {
        guard case .integer(let number)? = field(name) else { return nil }
        return number
    }

    func list(_ name: String) -> [Vector] {
        guard case .array(let values)? = field(name) else { return [] }
        return values.map { Vector($0) }
    }
}
