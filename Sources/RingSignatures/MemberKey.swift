import Bytes
import Ristretto255

/// A member's public key in one roll: `M = xB`. Nobody knows which member it belongs to.
public struct MemberKey: Hashable, Comparable, Sendable {
    /// The key as an element of the group.
    public let element: GroupElement

    /// A key that was computed, or whose encoding was checked.
    public init(_ element: GroupElement) { self.element = element }

    /// Decodes 32 untrusted bytes, which must be an element other than the identity. Throws the rule that they break.
    public init(decoding encoding: Bytes32) throws(DecodingError) {
        element = try GroupElement(decoding: encoding)
    }

    /// The 32 bytes.
    public var encoding: Bytes32 { element.encoding }

    /// The order of keys in a ring: that of their encodings.
    public static func < (left: MemberKey, right: MemberKey) -> Bool { left.element < right.element }
}
