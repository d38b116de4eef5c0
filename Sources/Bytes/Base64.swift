import CSodium

/// Standard base64 with padding (RFC 4648 section 4), in which every byte string has exactly one encoding.
public enum Base64 {
    /// The padded text.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: encodedBytes(Array(bytes)), as: UTF8.self)
    }

    /// The padded text as ASCII.
    public static func encodedBytes(_ bytes: [UInt8]) -> [UInt8] {
        // Includes the terminating zero byte of a C string.
        let room = sodium_base64_encoded_len(bytes.count, sodium_base64_VARIANT_ORIGINAL)
        var text = [CChar](repeating: 0, count: room)
        sodium_bin2base64(&text, room, bytes, bytes.count, sodium_base64_VARIANT_ORIGINAL)
        return text.dropLast().map { UInt8(bitPattern: $0) }
    }

    /// The bytes, or nil unless `text` is exactly what ``encode(_:)`` writes for them. Whitespace, missing padding and
    /// non-zero unused bits are refused, so that changing any character either changes the bytes or is refused.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let ascii = text.utf8.map { CChar(bitPattern: $0) }
        var bytes = [UInt8](repeating: 0, count: ascii.count / 4 * 3)
        var count = 0
        guard
            sodium_base642bin(
                &bytes, bytes.count, ascii, ascii.count, nil, &count, nil, sodium_base64_VARIANT_ORIGINAL) == 0
        else { return nil }
        // libsodium 1.0.18 reads every byte above 0x7F as a slash, hence the comparison with the re-encoded bytes.
        let decoded = Array(bytes[..<count])
        return encodedBytes(decoded).elementsEqual(text.utf8) ? decoded : nil
    }

    /// 32 bytes, or nil unless `text` encodes exactly that many.
    public static func decode32(_ text: some StringProtocol) -> Bytes32? {
        decode(text).flatMap { Bytes32($0) }
    }
}
