import Bytes
import CSodium
import Sodium

/// A public scalar: an integer below the group's order `l`, 32 bytes little-endian.
public struct Scalar: Hashable, Sendable {
    /// The canonical encoding.
    public let bytes: Bytes32

    /// 0.
    public static let zero = Scalar(trusted: Bytes32())
    /// 1.
    public static let one = Scalar(1)

    private init(trusted bytes: Bytes32) {
        self.bytes = bytes
    }

    /// A small integer.
    public init(_ value: UInt64) {
        self.init(littleEndian: (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }

    /// Up to 31 bytes, little-endian, which are always below the order. Traps on more.
    public init(littleEndian shortBytes: [UInt8]) {
        precondition(shortBytes.count < 32, "31 bytes at most are below the order")
        bytes = Bytes32 { pointer in
            for (offset, byte) in shortBytes.enumerated() { pointer[offset] = byte }
        }
    }

    /// The order `l` = 2^252 + 27742317777372353535851937790883648493, little-endian.
    private static let order: [UInt8] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ]

    /// Reads a scalar from outside. Refuses it unless it is below the order; zero is canonical.
    public init(decoding bytes: Bytes32) throws(DecodingError) {
        let isBelowOrder = bytes.withUnsafeBytes { raw in
            for index in (0..<32).reversed() where raw[index] != Self.order[index] {
                return raw[index] < Self.order[index]
            }
            return false
        }
        guard isBelowOrder else { throw .nonCanonicalScalar }
        self.bytes = bytes
    }

    /// 64 bytes, little-endian, reduced modulo the order. Traps on any other length.
    public init(reducing wide: [UInt8]) {
        precondition(wide.count == 64, "a wide scalar has 64 bytes")
        SodiumLibrary.ready
        bytes = Bytes32 { crypto_core_ristretto255_scalar_reduce($0, wide) }
    }

    /// The sum modulo the order.
    public static func + (left: Scalar, right: Scalar) -> Scalar {
        combine(left, right, crypto_core_ristretto255_scalar_add)
    }

    /// The difference modulo the order.
    public static func - (left: Scalar, right: Scalar) -> Scalar {
        combine(left, right, crypto_core_ristretto255_scalar_sub)
    }

    /// The product modulo the order.
    public static func * (left: Scalar, right: Scalar) -> Scalar {
        combine(left, right, crypto_core_ristretto255_scalar_mul)
    }

    /// The negative modulo the order.
    public static prefix func - (value: Scalar) -> Scalar {
        Scalar(
            trusted: Bytes32 { result in
                value.bytes.withPointer { crypto_core_ristretto255_scalar_negate(result, $0) }
            })
    }

    private static func combine(
        _ left: Scalar, _ right: Scalar,
        _ operation: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
    ) -> Scalar {
        Scalar(
            trusted: Bytes32 { result in
                left.bytes.withPointer { l in
                    right.bytes.withPointer { r in operation(result, l, r) }
                }
            })
    }
}
