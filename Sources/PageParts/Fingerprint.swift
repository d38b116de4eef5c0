import Documents
import Petitions

extension PetitionID {
    /// The first 16 hexadecimal digits of the id, by which a short url names a petition among those of one aggregator.
    public var shortForm: String { String(hex.prefix(16)) }

    /// Number of hexadecimal digits of a fingerprint: 128 bits of the id. With fewer, an organiser could make two
    /// petitions with the same fingerprint by trying 2^(bits / 2) of them.
    private static let fingerprintDigits = 32

    /// The beginning of the id in groups of four digits, for people to compare.
    public var fingerprint: String {
        Fingerprint.groups(of: hex.prefix(Self.fingerprintDigits))
    }
}

/// Digits that people compare.
public enum Fingerprint {
    /// Hexadecimal digits, a multiple of four of them, in groups of four.
    public static func groups(of hex: some StringProtocol) -> String {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<$0 + 4]) }.joined(separator: " ")
    }
}
