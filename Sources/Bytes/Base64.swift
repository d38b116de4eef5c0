import FoundationEssentials

/// Standard base64 with padding (RFC 4648 section 4) where every byte string has exactly one spelling.
public enum Base64 {
    /// The padded text.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString()
    }

    /// The padded text as ASCII.
    public static func encodedBytes(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](Data(bytes).base64EncodedData())
    }

    /// The bytes, or nil unless `text` is exactly what ``encode(_:)`` writes for them. This refuses white space,
    /// missing padding and non-zero unused bits, so that changing a character always changes or breaks the bytes.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        guard let data = Data(base64Encoded: String(text)), data.base64EncodedString() == text else { return nil }
        return [UInt8](data)
    }

    /// 32 bytes, or nil unless `text` encodes exactly that many.
    public static func decode32(_ text: some StringProtocol) -> Bytes32? {
        decode(text).flatMap { Bytes32($0) }
    }
}
