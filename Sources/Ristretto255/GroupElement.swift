import Bytes
import CSodium
import Sodium

/// Why 32 bytes from outside were refused as a point or scalar.
public enum DecodingError: Error, Equatable, Sendable {
    /// Not the canonical encoding of a point: bit 255 is set, the integer is odd or at least p = 2^255-19, or there is
    /// no such group element.
    case nonCanonicalPoint
    /// The identity, which is accepted nowhere that a point is read.
    case identityPoint
    /// A scalar that is not below the group's order.
    case nonCanonicalScalar
}

/// An element of ristretto255 (RFC 9496), held as its canonical 32-byte encoding.
///
/// A value exists only if it passed ``init(decoding:)`` or is the result of a group operation, so its bytes always
/// decode. Operations are libsodium's, in constant time.
public struct GroupElement: Hashable, Sendable {
    /// The canonical encoding.
    public let encoding: Bytes32

    /// The identity element, 32 zero bytes: an intermediate result, never accepted from outside.
    public static let identity = GroupElement(trusted: Bytes32())

    /// The base point `B` of RFC 9496.
    public static let base: GroupElement = {
        var one = [UInt8](repeating: 0, count: 32)
        one[0] = 1
        SodiumLibrary.ready
        return GroupElement(trusted: Bytes32 { _ = crypto_scalarmult_ristretto255_base($0, one) })
    }()

    /// Wraps an encoding that a group operation has just produced.
    package init(trusted encoding: Bytes32) {
        self.encoding = encoding
    }

    /// Reads a point from outside.
    ///
    /// Our own test for canonical encodings precedes libsodium's: version 1.0.18 ignores bit 255, and an encoding with
    /// that bit set would be a second name for the same point, so that one member could be counted twice.
    public init(decoding encoding: Bytes32) throws(DecodingError) {
        let element = try GroupElement(decodingAllowingIdentity: encoding)
        guard !element.isIdentity else { throw .identityPoint }
        self = element
    }

    /// Reads a canonical encoding, including that of the identity. Directly only for tests of the encoding itself.
    package init(decodingAllowingIdentity encoding: Bytes32) throws(DecodingError) {
        SodiumLibrary.ready
        guard Self.isCanonical(encoding),
            encoding.withPointer({ crypto_core_ristretto255_is_valid_point($0) }) == 1
        else { throw .nonCanonicalPoint }
        self.encoding = encoding
    }

    /// True for the identity element.
    public var isIdentity: Bool { encoding.isZero }

    /// Below p = 2^255-19 as a little-endian integer, and even.
    private static func isCanonical(_ encoding: Bytes32) -> Bool {
        encoding.withUnsafeBytes { bytes in
            guard bytes[0] & 1 == 0, bytes[31] <= 0x7F else { return false }
            let allOnesAbove = bytes[31] == 0x7F && bytes[1..<31].allSatisfy { $0 == 0xFF }
            return !(allOnesAbove && bytes[0] >= 0xED)
        }
    }

    /// The sum of two elements.
    public static func + (left: GroupElement, right: GroupElement) -> GroupElement {
        combine(left, right, crypto_core_ristretto255_add)
    }

    /// The difference of two elements.
    public static func - (left: GroupElement, right: GroupElement) -> GroupElement {
        combine(left, right, crypto_core_ristretto255_sub)
    }

    private typealias BinaryOperation = (
        UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>
    ) -> Int32

    private static func combine(
        _ left: GroupElement, _ right: GroupElement, _ operation: BinaryOperation
    ) -> GroupElement {
        GroupElement(
            trusted: Bytes32 { result in
                left.encoding.withPointer { l in
                    right.encoding.withPointer { r in SodiumLibrary.require(operation(result, l, r)) }
                }
            })
    }

    /// `scalar` times this element.
    public func multiplied(by scalar: Scalar) -> GroupElement {
        scalar.bytes.withPointer { multiplied(byScalarAt: $0) }
    }

    /// `scalar` times this element, where the scalar is secret and the result is public.
    public func multiplied(by scalar: borrowing SecretScalar) -> GroupElement {
        scalar.withPointer { multiplied(byScalarAt: $0) }
    }

    /// libsodium returns -1 when the product is the identity. The output is correct all the same, and a branch here
    /// would reveal that a secret scalar is zero, so the return value is ignored. `self` always decodes.
    private func multiplied(byScalarAt scalar: UnsafePointer<UInt8>) -> GroupElement {
        GroupElement(
            trusted: Bytes32 { result in
                encoding.withPointer { _ = crypto_scalarmult_ristretto255(result, scalar, $0) }
            })
    }
}

extension GroupElement: Comparable {
    /// The order of encodings as unsigned bytes, which is the order of the members in a ring.
    public static func < (left: GroupElement, right: GroupElement) -> Bool {
        left.encoding < right.encoding
    }
}
