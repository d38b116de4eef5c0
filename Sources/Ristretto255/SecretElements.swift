import Bytes
import CSodium
import Sodium

/// A row of points that must stay secret while a proof is made, in a single allocation that is wiped.
///
/// Operations take indices in the row and are libsodium's, in constant time. Which indices are touched never depends on
/// a secret. The return values of libsodium's functions are ignored on purpose: since every input decodes, they only
/// say whether a result is the identity, and branching on that would reveal the signer's position.
public struct SecretElements: ~Copyable, Sendable {
    /// How many points there are.
    public let count: Int
    private var storage: SecretBytes

    /// `count` identities.
    public init(count: Int) {
        self.count = count
        storage = SecretBytes(count: count * Bytes32.count)
    }

    /// The public points `elements`.
    public init(_ elements: [GroupElement]) {
        self.init(count: elements.count)
        for (index, element) in elements.enumerated() { set(index, to: element) }
    }

    /// Writes a public point to `index`.
    public mutating func set(_ index: Int, to element: GroupElement) {
        let target = position(index)
        element.encoding.withPointer { target.update(from: $0, count: Bytes32.count) }
    }

    /// `self[target] += other[index]`.
    public mutating func add(_ other: borrowing SecretElements, at index: Int, to target: Int) {
        let result = position(target)
        other.storage.withUnsafeBytes { source in
            SodiumLibrary.require(
                crypto_core_ristretto255_add(result, result, source.bytePointer + index * Bytes32.count))
        }
    }

    /// `self[target] = other[left] - other[right]`.
    public mutating func subtract(
        _ other: borrowing SecretElements, _ left: Int, _ right: Int, into target: Int
    ) {
        let result = position(target)
        other.storage.withUnsafeBytes { source in
            SodiumLibrary.require(
                crypto_core_ristretto255_sub(
                    result, source.bytePointer + left * Bytes32.count, source.bytePointer + right * Bytes32.count))
        }
    }

    /// `self[target] += self[source]`.
    public mutating func add(_ source: Int, to target: Int) {
        let result = position(target)
        SodiumLibrary.require(crypto_core_ristretto255_add(result, result, position(source)))
    }

    /// `self[target] = scalar * B`.
    public mutating func setBaseMultiple(_ target: Int, by scalar: borrowing SecretScalar) {
        let point = position(target)
        scalar.withPointer { _ = crypto_scalarmult_ristretto255_base(point, $0) }
    }

    /// `self[target] = scalar * other[index]`.
    public mutating func set(
        _ target: Int, to other: borrowing SecretElements, at index: Int, times scalar: borrowing SecretScalar
    ) {
        let point = position(target)
        other.storage.withUnsafeBytes { source in
            scalar.withPointer {
                _ = crypto_scalarmult_ristretto255(point, $0, source.bytePointer + index * Bytes32.count)
            }
        }
    }

    /// `self[target] = scalar * self[target]`.
    public mutating func multiply(_ target: Int, by scalar: borrowing SecretScalar) {
        let point = position(target)
        scalar.withPointer { _ = crypto_scalarmult_ristretto255(point, $0, point) }
    }

    /// `self[target] = other[first + stride * i]` for the single `i` below `masks.count` whose mask is 0xFF; all other
    /// masks are 0. Reads every candidate.
    public mutating func select(
        from other: borrowing SecretElements, first: Int, stride: Int, masks: UnsafeRawBufferPointer, into target: Int
    ) {
        let result = position(target)
        other.storage.withUnsafeBytes { source in
            for byte in 0..<Bytes32.count {
                var selected: UInt8 = 0
                for (candidate, mask) in masks.enumerated() {
                    selected |= source[(first + stride * candidate) * Bytes32.count + byte] & mask
                }
                result[byte] = selected
            }
        }
    }

    /// The point at `index`, which is about to be published.
    public borrowing func published(_ index: Int) -> GroupElement {
        GroupElement(trusted: storage.withUnsafeBytes { Bytes32($0, at: index * Bytes32.count) })
    }

    /// The 32 bytes at `index`. Traps if `index` is outside the row.
    private mutating func position(_ index: Int) -> UnsafeMutablePointer<UInt8> {
        precondition((0..<count).contains(index), "index outside the row")
        return storage.withUnsafeMutableBytes { $0.bytePointer + index * Bytes32.count }
    }
}
