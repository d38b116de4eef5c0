import Bytes

/// What is known of a record before any of its points or scalars is decoded: its type, its ring, and where its tag is.
/// The types and lengths of records are defined only here.
///
/// | offset | bytes | signature | withdrawal |
/// | --- | --- | --- | --- |
/// | 0 | 1 | type 0x01 | type 0x02 |
/// | 1 | 1 | roll | J, the tag, from here |
/// | 2 | 4 | ring | |
/// | 6 | 32 | J, the tag | |
/// | … | | 166 + 160 m in all | 97 in all |
public enum RecordOutline: Equatable, Sendable {
    /// A signature by a member of the ring with this number, in the roll with this index in the petition's `rolls`.
    case signature(roll: UInt8, ring: UInt32)
    /// A withdrawal.
    case withdrawal

    static let signatureType: UInt8 = 0x01
    static let withdrawalType: UInt8 = 0x02

    /// Bytes of a signature before its tag: type, roll and ring number.
    static let headerCount = 6
    /// Length in bytes of a withdrawal: type, tag and two scalars.
    public static let withdrawalCount = 1 + 3 * Bytes32.count

    /// Length in bytes of a signature for a ring whose members are numbered by `digits` digits: 166 + 160 m.
    public static func signatureCount(digits: Int) -> Int {
        signatureHeadCount(digits: digits) + (3 * digits + 2) * Bytes32.count
    }

    /// Length in bytes of the part of a signature that its challenge covers: up to its last point.
    static func signatureHeadCount(digits: Int) -> Int {
        headerCount + (3 + 2 * digits) * Bytes32.count
    }

    /// Reads the first bytes of a record. Throws ``RecordError/malformed`` when no record begins with them.
    public init(parsing bytes: [UInt8]) throws(RecordError) {
        var reader = ByteReader(bytes)
        switch reader.readInteger(UInt8.self) {
        case Self.signatureType:
            guard let roll = reader.readInteger(UInt8.self), let ring = reader.readInteger(UInt32.self) else {
                throw .malformed
            }
            self = .signature(roll: roll, ring: ring)
        case Self.withdrawalType: self = .withdrawal
        default: throw .malformed
        }
    }

    /// The range of the tag: 32 bytes.
    package var tagRange: Range<Int> {
        let start =
            switch self {
            case .signature: Self.headerCount
            case .withdrawal: 1
            }
        return start..<start + Bytes32.count
    }

    /// The 32 bytes of the tag in a record with this outline. Checks nothing: the record was verified before. Nil when
    /// the record is too short.
    public func tagEncoding(in bytes: [UInt8]) -> Bytes32? {
        Bytes32(bytes.dropFirst(tagRange.lowerBound).prefix(tagRange.count))
    }

    /// The tag of a record with this outline whose ring is not known, so that the rest of it may be unreadable; nil
    /// when the bytes are not a tag.
    public func tag(in bytes: [UInt8]) -> Tag? {
        tagEncoding(in: bytes).flatMap { try? Tag(decoding: $0) }
    }
}
