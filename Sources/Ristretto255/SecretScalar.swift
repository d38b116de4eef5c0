import Bytes
import CSodium
import Sodium

/// A secret scalar modulo the group's order, in memory that is wiped.
///
/// Noncopyable and without conformances: it cannot be printed, compared or encoded, and no variable-time code accepts
/// it. All arithmetic is libsodium's, in constant time.
public struct SecretScalar: ~Copyable, Sendable {
    private var storage: SecretBytes

    /// Zero, to be filled by an operation of this type.
    private init() {
        storage = SecretBytes(count: Bytes32.count)
    }

    /// 64 secret bytes, little-endian, reduced modulo the order. Traps on any other length.
    public init(reducing wide: borrowing SecretBytes) {
        precondition(wide.count == 64, "a wide scalar has 64 bytes")
        self.init()
        storage.withUnsafeMutableBytes { result in
            wide.withUnsafeBytes { source in
                crypto_core_ristretto255_scalar_reduce(result.bytePointer, source.bytePointer)
            }
        }
    }

    /// Reads 32 secret bytes of our own making; nil unless they are below the order.
    public init?(decoding bytes: borrowing SecretBytes) {
        guard bytes.count == Bytes32.count else { return nil }
        SodiumLibrary.ready
        // Adding zero reduces modulo the order, which changes the encoding if the bytes were not canonical.
        let zero = SecretBytes(count: Bytes32.count)
        var reduced = SecretBytes(count: Bytes32.count)
        reduced.withUnsafeMutableBytes { result in
            zero.withUnsafeBytes { zeroBytes in
                bytes.withUnsafeBytes { source in
                    crypto_core_ristretto255_scalar_add(result.bytePointer, source.bytePointer, zeroBytes.bytePointer)
                }
            }
        }
        guard reduced.isEqual(to: bytes) else { return nil }
        storage = reduced
    }

    /// A copy of a public scalar, for use where a secret one is needed.
    public init(_ scalar: Scalar) {
        self.init()
        storage.withUnsafeMutableBytes { result in
            scalar.bytes.withUnsafeBytes { result.copyMemory(from: $0) }
        }
    }

    /// `first` if `mask` is 0xFF, `second` if it is 0, chosen without a branch.
    public init(_ first: Scalar, or second: Scalar, mask: UInt8) {
        self.init()
        storage.withUnsafeMutableBytes { result in
            first.bytes.withUnsafeBytes { f in
                second.bytes.withUnsafeBytes { s in
                    for byte in 0..<Bytes32.count { result[byte] = (f[byte] & mask) | (s[byte] & ~mask) }
                }
            }
        }
    }

    /// Passes the 32 bytes to `body`. Only for libsodium's constant-time functions and for hashing into another secret.
    package borrowing func withPointer<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
        storage.withUnsafeBytes { body($0.bytePointer) }
    }

    /// A copy of the 32 secret bytes, for encrypted storage.
    public borrowing func secretBytes() -> SecretBytes {
        storage.duplicate()
    }

    /// A copy of the value, in memory of its own.
    public borrowing func duplicate() -> SecretScalar {
        self + SecretScalar(Scalar.zero)
    }

    /// True for zero. The result is public: derivations refuse zero.
    public borrowing func isZero() -> Bool {
        storage.withUnsafeBytes { sodium_is_zero($0.bytePointer, Bytes32.count) == 1 }
    }

    /// The value as a public scalar. Only for the responses of a proof, which are uniformly random to everyone else.
    public borrowing func published() -> Scalar {
        let bytes = storage.withUnsafeBytes { Bytes32($0, at: 0) }
        guard let scalar = try? Scalar(decoding: bytes) else { preconditionFailure("a secret scalar is reduced") }
        return scalar
    }

    /// The sum modulo the order.
    public static func + (left: borrowing SecretScalar, right: borrowing SecretScalar) -> SecretScalar {
        combine(left, right, crypto_core_ristretto255_scalar_add)
    }

    /// The difference modulo the order.
    public static func - (left: borrowing SecretScalar, right: borrowing SecretScalar) -> SecretScalar {
        combine(left, right, crypto_core_ristretto255_scalar_sub)
    }

    /// The product modulo the order.
    public static func * (left: borrowing SecretScalar, right: borrowing SecretScalar) -> SecretScalar {
        combine(left, right, crypto_core_ristretto255_scalar_mul)
    }

    /// The inverse modulo the order. Traps on zero, which every derivation refuses.
    public borrowing func inverted() -> SecretScalar {
        var result = SecretScalar()
        let answer = result.storage.withUnsafeMutableBytes { bytes in
            withPointer { crypto_core_ristretto255_scalar_invert(bytes.bytePointer, $0) }
        }
        precondition(answer == 0, "zero has no inverse")
        return result
    }

    private static func combine(
        _ left: borrowing SecretScalar, _ right: borrowing SecretScalar,
        _ operation: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
    ) -> SecretScalar {
        var result = SecretScalar()
        result.storage.withUnsafeMutableBytes { bytes in
            left.withPointer { l in
                right.withPointer { r in operation(bytes.bytePointer, l, r) }
            }
        }
        return result
    }
}

/// A fixed row of secret scalars.
public struct SecretScalars: ~Copyable, @unchecked Sendable {
    /// How many there are.
    public let count: Int
    // Sendable: the row has one owner and is never written after initialisation.
    private let elements: UnsafeMutablePointer<SecretScalar>

    /// Makes `count` scalars by calling `make` with 0, 1, and so on.
    public init(count: Int, _ make: (Int) -> SecretScalar) {
        self.count = count
        elements = .allocate(capacity: count)
        for index in 0..<count { (elements + index).initialize(to: make(index)) }
    }

    deinit {
        elements.deinitialize(count: count)
        elements.deallocate()
    }

    /// The scalar at `index`. Traps if `index` is outside the row.
    public subscript(index: Int) -> SecretScalar {
        _read {
            precondition((0..<count).contains(index), "index outside the row")
            yield elements[index]
        }
    }
}
