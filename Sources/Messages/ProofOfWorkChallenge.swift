import Bytes
import Documents
import Petitions
import Sodium

/// A proof of work that a server under attack demands before it examines a record (`Protocol/http.md`, "Work"). It
/// costs the sender hashes, and identifies nobody.
///
/// A nonce is valid work for a record if
/// `SHA-256("roundrobin-v1 work" || seed || petition id || SHA-256(record) || u64 nonce)` begins with `bits` zero bits.
/// For a request to a roll, the roll's id and the address in the request take their places.
public struct ProofOfWorkChallenge: Equatable, Sendable {
    /// The header in which the work is sent: `<seed in base64> <nonce in decimal>`.
    public static let header = "roundrobin-work"
    /// The most bits that a server may demand: 2^24 hashes, a few seconds.
    public static let maximumBits: UInt64 = 24
    /// The length of a seed in bytes: 16.
    public static let seedCount = 16
    private static let label = Array("roundrobin-v1 work".utf8)

    /// The required number of zero bits; finding a nonce takes 2^bits hashes on average.
    public let bits: UInt64
    /// 16 random bytes, which the server changes periodically, so that work cannot be done ahead of time.
    public let seed: [UInt8]

    /// A challenge. Traps unless the seed has 16 bytes.
    public init(bits: UInt64, seed: [UInt8]) {
        precondition(seed.count == Self.seedCount, "a seed has 16 bytes")
        self.bits = bits
        self.seed = seed
    }

    /// Reads the challenge from the fields of a problem document; nil if it has none, or one that asks for too much.
    init?(_ fields: inout JSONFields) {
        guard let bits = try? fields.integer("workBits", in: 0...Self.maximumBits),
            let seed = try? fields.bytes("workSeed", count: Self.seedCount)
        else { return nil }
        self.init(bits: bits, seed: seed)
    }

    /// The fields that represent it in a problem document.
    var fields: [(name: String, value: JSONValue)] {
        [("workBits", .integer(bits)), ("workSeed", .string(Base64.encode(seed)))]
    }

    /// Does the work for `record` under a petition, and returns the value of the header.
    public func work(for record: [UInt8], petition: PetitionID) -> String { work(record, petition.bytes) }

    /// The same for a request to a roll.
    public func work(for request: [UInt8], roll: RollID) -> String { work(request, roll.bytes) }

    /// True if `header` contains valid work for `record` under a petition, with this seed.
    public func isMet(by header: String, for record: [UInt8], petition: PetitionID) -> Bool {
        isMet(by: header, record, petition.bytes)
    }

    /// The same for a request to a roll.
    public func isMet(by header: String, for request: [UInt8], roll: RollID) -> Bool {
        isMet(by: header, request, roll.bytes)
    }

    private func work(_ bytes: [UInt8], _ id: Bytes32) -> String {
        let start = start(bytes, id)
        var nonce: UInt64 = 0
        while !isWork(nonce, start) { nonce += 1 }
        return "\(Base64.encode(seed)) \(nonce)"
    }

    private func isMet(by header: String, _ bytes: [UInt8], _ id: Bytes32) -> Bool {
        let parts = header.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, Base64.decode(parts[0]) == seed, let nonce = UInt64(parts[1]) else { return false }
        return isWork(nonce, start(bytes, id))
    }

    private func start(_ bytes: [UInt8], _ id: Bytes32) -> SHA256Hasher {
        var hasher = SHA256Hasher()
        hasher.update(Self.label + seed)
        hasher.update(id)
        hasher.update(SHA256.hash(bytes))
        return hasher
    }

    private func isWork(_ nonce: UInt64, _ start: SHA256Hasher) -> Bool {
        var hasher = start
        hasher.update(nonce)
        let beginning = hasher.finish().withUnsafeBytes { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) }
        return beginning.leadingZeroBitCount >= bits
    }
}
