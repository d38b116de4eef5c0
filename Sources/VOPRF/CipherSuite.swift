import Bytes
import Ristretto255
import Sodium

/// The ciphersuite ristretto255-SHA512 of RFC 9497 in mode VOPRF (0x01), with all its labels.
enum CipherSuite {
    /// `contextString`, RFC 9497 section 3.1.
    private static let context = Array("OPRFV1-".utf8) + [0x01] + Array("-ristretto255-SHA512".utf8)

    private static func tag(_ prefix: String) -> [UInt8] { Array(prefix.utf8) + context }

    static let hashToGroup = tag("HashToGroup-")
    static let hashToScalar = tag("HashToScalar-")
    static let seed = tag("Seed-")
    static let deriveKeyPair = tag("DeriveKeyPair")
    static let composite = Array("Composite".utf8)
    static let challenge = Array("Challenge".utf8)

    /// `HashToGroup`, section 4.1.
    static func element(_ input: [UInt8]) -> GroupElement {
        HashToGroup.element(input, dst: hashToGroup)
    }

    /// `HashToScalar`, section 4.1.
    static func scalar(_ input: [UInt8]) -> Scalar {
        HashToGroup.scalar(input, dst: hashToScalar)
    }
}

extension [UInt8] {
    /// Appends a two-byte length and `bytes`, as in every transcript of RFC 9497.
    package mutating func appendPrefixed(_ bytes: [UInt8]) {
        appendInteger(UInt16(bytes.count))
        self += bytes
    }

    /// Appends a two-byte length and an element's encoding.
    package mutating func appendPrefixed(_ element: GroupElement) {
        appendInteger(UInt16(Bytes32.count))
        append(element.encoding)
    }
}
