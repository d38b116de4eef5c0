import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Witnessing
import Testing
import TransparencyLog

/// Reproducible random numbers (SplitMix64): a failure recurs in the next run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state = state &+ 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must be above 0.
    mutating func index(below bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    mutating func byte() -> UInt8 {
        UInt8(truncatingIfNeeded: next())
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        for _ in 0..<count { result.append(byte()) }
        return result
    }
}

/// A JSON object under construction: names with their values as JSON text, so that every rule can be broken.
struct Draft: Sendable {
    struct Field: Sendable {
        let name: String
        var json: String
    }

    var fields: [Field]

    init(_ fields: [(String, String)]) {
        self.fields = fields.map { Field(name: $0.0, json: $0.1) }
    }

    var names: [String] {
        fields.map { $0.name }
    }

    /// The draft with another value for a field, or with an additional field.
    func with(_ name: String, _ json: String) -> Draft {
        var copy = self
        if let position = fields.firstIndex(where: { $0.name == name }) {
            copy.fields[position].json = json
        } else {
            copy.fields.append(Field(name: name, json: json))
        }
        return copy
    }

    func without(_ name: String) -> Draft {
        var copy = self
        copy.fields.removeAll { $0.name == name }
        return copy
    }

    /// The draft with a duplicate of a field.
    func repeating(_ name: String) -> Draft {
        var copy = self
        copy.fields.append(contentsOf: fields.filter { $0.name == name })
        return copy
    }

    /// The JSON text without whitespace.
    var compact: String {
        let lines = fields.map { "\"\($0.name)\":\($0.json)" }
        return "{" + lines.joined(separator: ",") + "}"
    }

    /// The JSON text with a field on each line and a final newline: the text of a note.
    var text: [UInt8] {
        let lines = fields.map { "  \"\($0.name)\": \($0.json)" }
        let text = "{\n" + lines.joined(separator: ",\n") + "\n}\n"
        return Array(text.utf8)
    }
}

/// `text` in quotation marks, without escaping.
func quoted(_ text: String) -> String {
    "\"" + text + "\""
}

func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
}

/// Shared keys and values: those of the examples in `Protocol/documents.md`.
enum Fixture {
    enum Problem: Error {
        case zeroKey
    }

    /// A policy as a JSON string, and policies that no document may have.
    static let policy = "\"witness b \(otherWitness)\\nquorum b\\n\""
    /// A policy of one witness, with a key (in base64) that is somebody's.
    static func policy(key: String) throws -> String {
        let key = Ed25519PublicKey(try Fixture.bytes32(base64: key))
        return "\"witness a \(WitnessKey(name: "own.example/w", publicKey: key).vkey)\\nquorum a\\n\""
    }
    static let badPolicies = [
        "\"\"", "\"quorum none\\n\"", "\"witness a\\nquorum a\\n\"", "\"quorum a\\n\(witness)\"",
        "\"\(witness)witness b other.example/w+5c94bc9d+\(witnessKey)\\nquorum a\\n\"",
        "\"\(witness)witness b \(otherWitness)\\ngroup g any a b\\nquorum g\\n\"",
        "\"log log.example.org/petition-1+23af9c2b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\\n\(witness)quorum a\\n\"",
    ]
    private static let witnessKey = "BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
    private static let otherWitness = "witness.example.net/w2+72233b47+BCVDuS/xCVURR2rcg2nbbdyTNmWhGXjdoUBO4QZsqVWd"
    private static let witness = "witness a witness.example.org/w1+f3c080b6+\(witnessKey)\\n"

    static let coordinator = "https://coordinator.example.org"
    static let coordinatorName = "coordinator.example.org"
    static let aggregator = "https://count.example.net"
    static let rollSlug = "marlow-2026"
    static let rollLink = Fixture.coordinator + "/rolls/" + Fixture.rollSlug
    static let rollURL = Fixture.coordinator + "/rolls/" + Fixture.rollID
    static let coordinatorKey = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    static let aggregatorKey = "Kay64UG8yvCyLhqU000LxzYeUm0L/hLIl5S8kyKWbdc="
    static let enrolmentKey = "WiPVrX+p3sgM7WIBaByiLgjbqj42oWL0SZDkkLnCpzY="
    static let rollID = "63b783bcac740721813e35e71b178291618d5dda55610c2522842a18387fa8e3"
    static let root = "27d6B5A3Z9yF5eaFfhFpKWSoNbGHMD0jczbg/pMffJY="

    /// The Ed25519 key whose seed is `first`, `first + 1` and so on: the coordinator from 0, the aggregator from 32.
    static func noteKey(_ first: UInt8) -> Ed25519SecretKey {
        var seed: [UInt8] = []
        for offset in 0..<32 { seed.append(first &+ UInt8(offset)) }
        return Ed25519SecretKey(seed: SecretBytes(copying: seed))
    }

    static func url(_ text: String) throws -> ServiceURL {
        try #require(ServiceURL(text))
    }

    static func time(_ text: String) throws -> UTCTime {
        try #require(UTCTime(text))
    }

    static func slug(_ text: String) throws -> RollSlug {
        try #require(RollSlug(text))
    }

    /// The link of a roll at the coordinator of the examples.
    static func link(_ slug: String = Fixture.rollSlug) throws -> RollLink {
        RollLink(coordinator: try url(coordinator), slug: try self.slug(slug))
    }

    static func bytes32(base64 text: String) throws -> Bytes32 {
        try #require(Base64.decode32(text))
    }

    /// The public key of ``noteKey(_:)``.
    static func publicKey(_ first: UInt8) -> Ed25519PublicKey {
        let key = noteKey(first)
        return key.publicKey
    }

    /// The member's key for a roll from a seed of equal bytes.
    static func memberKey(_ seed: UInt8, of roll: RollID) throws -> MemberIdentity {
        let bytes = SecretBytes(copying: [UInt8](repeating: seed, count: 32))
        guard let key = MemberIdentity(seed: bytes, roll: roll) else { throw Problem.zeroKey }
        return key
    }

    /// The text of the example petition, with its dates.
    static func petitionText() throws -> PetitionManifest.Text {
        PetitionManifest.Text(
            title: "Fresh water on every watch",
            statement: "We ask that **every watch** be issued the same ration.\n\n"
                + "The present rule favours the afterguard.",
            startedBy: "The foretop mess",
            addressedTo: "The owners of the Marlow",
            website: "https://marlow.example.org/water",
            language: "en",
            opens: try time("2026-03-01T08:00:00Z"),
            closes: try time("2026-04-30T20:00:00Z"),
            goal: 250,
            replaces: nil)
    }

    static func aggregators() throws -> [PetitionManifest.Aggregator] {
        [PetitionManifest.Aggregator(url: try url(aggregator), key: publicKey(32))]
    }
}

/// The order `l` of the group, little-endian: the smallest 32-byte value that is not a scalar.
let groupOrder: [UInt8] =
    [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
    ] + [UInt8](repeating: 0, count: 15) + [0x10]

/// `count` keys in ascending order, the same in every run.
func somePoints(_ count: Int) -> [MemberKey] {
    var points: [MemberKey] = []
    for factor in 0..<count {
        points.append(MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64(factor) + 1))))
    }
    return points.sorted()
}

extension [UInt8] {
    /// The array with the bytes at `offset` replaced.
    func replacing(at offset: Int, with bytes: [UInt8]) -> [UInt8] {
        var copy = self
        copy.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        return copy
    }

    /// The array with bit 255 of the 32 bytes at `offset` set: a second name of the same point to a careless reader.
    func settingBit255(at offset: Int) -> [UInt8] {
        var copy = self
        copy[offset + 31] |= 0x80
        return copy
    }

    /// The array with one bit of the byte at `offset` flipped.
    func flipped(at offset: Int) -> [UInt8] {
        var copy = self
        copy[offset] ^= 1
        return copy
    }
}

extension DocumentError {
    /// The field whose value broke a rule; nil for other errors.
    var invalidField: String? {
        guard case .invalid(let field, _) = self else { return nil }
        return field
    }

    /// True if the text is not JSON in the form that documents allow.
    var isMalformed: Bool {
        guard case .malformed = self else { return false }
        return true
    }

    /// True if the enclosing note was refused.
    var isNote: Bool {
        guard case .note = self else { return false }
        return true
    }
}

/// Reads JSON by the rules of documents.
enum StrictJSON {
    /// Why an object is refused while it is parsed or `read`; nil if it is accepted.
    static func refusal(_ bytes: [UInt8], _ read: (inout JSONFields) throws -> Void = { _ in }) -> DocumentError? {
        do {
            var fields = try JSONFields(parsing: bytes)
            try read(&fields)
            return nil
        } catch {
            return error as? DocumentError
        }
    }

    static func refusal(_ json: String, _ read: (inout JSONFields) throws -> Void = { _ in }) -> DocumentError? {
        refusal(Array(json.utf8), read)
    }

    static func isMalformed(_ json: String) -> Bool {
        refusal(json)?.isMalformed ?? false
    }

    /// The value of a string field that is written as `literal` in quotation marks; nil if it is refused.
    static func string(_ literal: String, isMultiline: Bool = false, limit: Int = 1000) -> String? {
        guard var fields = try? JSONFields(parsing: Array("{\"a\":\"\(literal)\"}".utf8)) else { return nil }
        return try? fields.string("a", limit: limit, isMultiline: isMultiline)
    }

    /// The code points of the string, since equal strings may have different code points.
    static func scalars(_ literal: String, isMultiline: Bool = false) -> [UInt32]? {
        string(literal, isMultiline: isMultiline).map { text in text.unicodeScalars.map { $0.value } }
    }
}

/// The concatenation of the parts.
func joined(_ parts: [UInt8]...) -> [UInt8] {
    var result: [UInt8] = []
    for part in parts { result += part }
    return result
}
