import Bytes
import Multiscalar
import Ristretto255

/// Why bytes are not a record. The names of the rules are those of `Protocol/counting.md`.
public enum RecordError: Error, Equatable, Sendable {
    /// Empty, of an unknown type, or not of the exact length.
    case malformed
    /// A point or scalar that does not decode.
    case decoding(DecodingError)
}

/// A linkable ring signature as bytes and as the values in them; nothing is proved yet.
///
/// | offset | bytes | field |
/// | --- | --- | --- |
/// | 0 | 1 | type 0x01 |
/// | 1 | 1 | roll |
/// | 2 | 4 | ring |
/// | 6 | 32 | J, the tag |
/// | 38 | 32 | A |
/// | 70 | 32 | Bc |
/// | 102 | 32 m | X_0 .. X_{m-1} |
/// | 102 + 32 m | 32 m | Y_0 .. Y_{m-1} |
/// | 102 + 64 m | 96 m | f(0,1) f(0,2) f(0,3) f(1,1) .. |
/// | 102 + 160 m | 32 | zA |
/// | 134 + 160 m | 32 | z |
///
/// The total is 166 + 160 m bytes. The head, which the challenge covers, ends where the `f` begin.
public struct SignatureRecord: Sendable {
    /// The record exactly as submitted.
    public let bytes: [UInt8]
    /// The index of the roll in the petition's `rolls`.
    public let roll: UInt8
    /// The number of the ring in that roll.
    public let ring: UInt32
    /// `J`, the tag: one per member and petition.
    public let tag: Tag
    /// `m`.
    let digits: Int
    /// J, A, Bc, X_0 .. X_{m-1}, Y_0 .. Y_{m-1}: in the order of the record, decoded once.
    private let points: [VariableTimePoint]
    /// f(0,1) f(0,2) f(0,3) f(1,1) .., zA, z: in the order of the record.
    private let scalars: [VariableTimeScalar]

    /// `J`, decoded.
    var j: VariableTimePoint { points[0] }
    var a: VariableTimePoint { points[1] }
    var b: VariableTimePoint { points[2] }
    /// `X_0 .. X_{m-1}`.
    var x: ArraySlice<VariableTimePoint> { points[3..<3 + digits] }
    /// `Y_0 .. Y_{m-1}`.
    var y: ArraySlice<VariableTimePoint> { points[(3 + digits)...] }
    /// `f(j,i)` for i = 1..3.
    func f(_ j: Int, _ i: Int) -> VariableTimeScalar { scalars[3 * j + i - 1] }
    var zA: VariableTimeScalar { scalars[3 * digits] }
    var z: VariableTimeScalar { scalars[3 * digits + 1] }

    /// Length in bytes of the largest record, for a ring of 4,096 members.
    public static let maximumCount = RecordOutline.signatureCount(digits: CommitmentGenerators.maximumDigits)

    /// Reads a record for a ring with `digits` digits: exact length first, then the points, then the scalars.
    public init(parsing bytes: [UInt8], digits: Int) throws(RecordError) {
        guard case .signature(let roll, let ring) = try RecordOutline(parsing: bytes),
            bytes.count == RecordOutline.signatureCount(digits: digits)
        else { throw .malformed }
        self.roll = roll
        self.ring = ring
        self.bytes = bytes
        self.digits = digits
        let fields = bytes.withUnsafeBytes { bytes in
            Result { () throws(DecodingError) in try Self.fields(of: bytes, digits: digits) }
        }
        do { (points, scalars) = try fields.get() } catch { throw .decoding(error) }
        tag = Tag(GroupElement(trusted: bytes.withUnsafeBytes { Bytes32($0, at: RecordOutline.headerCount) }))
    }

    private static func fields(
        of bytes: UnsafeRawBufferPointer, digits: Int
    ) throws(DecodingError) -> ([VariableTimePoint], [VariableTimeScalar]) {
        let split = RecordOutline.signatureHeadCount(digits: digits)
        let points = try VariableTimePoint.decode(
            UnsafeRawBufferPointer(rebasing: bytes[RecordOutline.headerCount..<split]))
        var scalars: [VariableTimeScalar] = []
        scalars.reserveCapacity(3 * digits + 2)
        for offset in stride(from: split, to: bytes.count, by: Bytes32.count) {
            scalars.append(try VariableTimeScalar(decoding: bytes, at: offset))
        }
        return (points, scalars)
    }

    /// The part that the challenge covers.
    var head: ArraySlice<UInt8> { bytes[..<RecordOutline.signatureHeadCount(digits: digits)] }

    /// `0x01 || u8 roll || u32 ring || J || A || Bc || X_0.. || Y_0..`, as the prover writes it.
    package static func head(roll: UInt8, ring: UInt32, points: [GroupElement]) -> [UInt8] {
        var head: [UInt8] = [RecordOutline.signatureType, roll]
        head.appendInteger(ring)
        for point in points { head.append(point.encoding) }
        return head
    }
}

/// The challenge `w` of `Protocol/ring-signature.md`. The prover and the verifier both compute it here.
package func signatureChallenge(petition: PetitionBase, ring: Ring, head: ArraySlice<UInt8>) -> Scalar {
    HashToGroup.scalar(petition.petition.array + ring.digest.array + head, dst: Labels.challenge)
}

/// Reads points and scalars one after the other. Throws the rule that one of them breaks.
struct FieldReader {
    private var bytes: ByteReader

    init(_ bytes: ByteReader) {
        self.bytes = bytes
    }

    mutating func point() throws(RecordError) -> GroupElement {
        guard let encoding = bytes.read32() else { throw .malformed }
        do { return try GroupElement(decoding: encoding) } catch { throw .decoding(error) }
    }

    mutating func scalar() throws(RecordError) -> Scalar {
        guard let encoding = bytes.read32() else { throw .malformed }
        do { return try Scalar(decoding: encoding) } catch { throw .decoding(error) }
    }
}

extension SignatureRecord: Hashable {
    /// Two records are equal when their bytes are.
    public static func == (left: SignatureRecord, right: SignatureRecord) -> Bool { left.bytes == right.bytes }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}
