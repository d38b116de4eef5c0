import Bytes
import Ristretto255

/// `J = xU`: the same in all records of one member under one petition, and in those of nobody else.
public struct Tag: Hashable, Comparable, Sendable {
    /// The tag as an element of the group.
    public let element: GroupElement

    /// A tag that was computed, or whose encoding was checked.
    public init(_ element: GroupElement) { self.element = element }

    /// Decodes 32 untrusted bytes, which must be an element other than the identity. Throws the rule that they break.
    public init(decoding encoding: Bytes32) throws(DecodingError) {
        element = try GroupElement(decoding: encoding)
    }

    /// The 32 bytes.
    public var encoding: Bytes32 { element.encoding }

    /// The order of tags: that of their encodings.
    public static func < (left: Tag, right: Tag) -> Bool { left.element < right.element }
}
