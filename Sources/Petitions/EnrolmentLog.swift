import Bytes
import Ristretto255
import VOPRF

/// An answer of the coordinator to a code, as it stands in the enrolment log for everybody to check.
public struct IssuedEntry: Hashable, Sendable {
    /// Which code was used.
    public let codeHash: Bytes32
    /// What the signer sent.
    public let blinded: BlindedElement
    /// What the coordinator answered.
    public let evaluated: EvaluatedElement
    /// That it answered with its published key.
    public let proof: DLEQProof

    /// An entry to be logged.
    public init(codeHash: Bytes32, blinded: BlindedElement, evaluated: EvaluatedElement, proof: DLEQProof) {
        self.codeHash = codeHash
        self.blinded = blinded
        self.evaluated = evaluated
        self.proof = proof
    }

    /// Checks the proof against the roll's enrolment key.
    public func verify(enrolmentKey: GroupElement) throws(Rule) {
        do {
            try VOPRFClient.verify(evaluated, of: blinded, proof: proof, publicKey: enrolmentKey)
        } catch {
            throw .issueProofInvalid
        }
    }
}

/// An entry of a roll's enrolment log.
///
/// | bytes | layout |
/// | ---: | --- |
/// | 33 | `0x01 || codeHash` invited |
/// | 161 | `0x02 || codeHash || blinded || evaluated || proof` issued |
/// | 33 | `0x03 || codeHash` voided |
/// | 5 | `0x04 || u32 round` joining opens |
/// | 5 | `0x05 || u32 round` issuing opens |
public enum EnrolmentEntry: Hashable, Sendable {
    case invited(codeHash: Bytes32)
    case issued(IssuedEntry)
    case voided(codeHash: Bytes32)
    case joiningOpens(round: UInt32)
    case issuingOpens(round: UInt32)

    /// The longest entry in bytes: 161.
    public static let maximumCount = 1 + 3 * Bytes32.count + DLEQProof.count

    /// The code that the entry names, nil for the opening of a phase.
    public var codeHash: Bytes32? {
        switch self {
        case .invited(let codeHash), .voided(let codeHash): codeHash
        case .issued(let entry): entry.codeHash
        case .joiningOpens, .issuingOpens: nil
        }
    }

    /// The entry's bytes.
    public var bytes: [UInt8] {
        switch self {
        case .invited(let codeHash): return [0x01] + codeHash.array
        case .issued(let entry):
            return [0x02] + entry.codeHash.array + entry.blinded.element.encoding.array
                + entry.evaluated.element.encoding.array + entry.proof.encoding
        case .voided(let codeHash): return [0x03] + codeHash.array
        case .joiningOpens(let round): return Self.phase(0x04, round)
        case .issuingOpens(let round): return Self.phase(0x05, round)
        }
    }

    private static func phase(_ type: UInt8, _ round: UInt32) -> [UInt8] {
        var bytes = [type]
        bytes.appendInteger(round)
        return bytes
    }

    /// Reads an entry: `entry-malformed` on a wrong type or length, or the rule of the point or scalar that does not decode.
    public init(parsing bytes: [UInt8]) throws(Rule) {
        guard let type = bytes.first, bytes.count == Self.count(type: type) else { throw .entryMalformed }
        var reader = ByteReader(bytes, from: 1)
        let entry: EnrolmentEntry?
        switch type {
        case 0x01: entry = reader.read32().map { .invited(codeHash: $0) }
        case 0x02: entry = try Self.issued(&reader)
        case 0x03: entry = reader.read32().map { .voided(codeHash: $0) }
        case 0x04: entry = reader.readInteger(UInt32.self).map { .joiningOpens(round: $0) }
        case 0x05: entry = reader.readInteger(UInt32.self).map { .issuingOpens(round: $0) }
        default: entry = nil
        }
        guard let entry, reader.isAtEnd else { throw .entryMalformed }
        self = entry
    }

    /// The exact length of an entry of each type.
    private static func count(type: UInt8) -> Int? {
        switch type {
        case 0x01, 0x03: 1 + Bytes32.count
        case 0x02: maximumCount
        case 0x04, 0x05: 1 + 4
        default: nil
        }
    }

    private static func issued(_ reader: inout ByteReader) throws(Rule) -> EnrolmentEntry? {
        guard let codeHash = reader.read32(), let blinded = reader.read32(), let evaluated = reader.read32(),
            let proof = reader.read(DLEQProof.count)
        else { return nil }
        do {
            return .issued(
                IssuedEntry(
                    codeHash: codeHash,
                    blinded: BlindedElement(try GroupElement(decoding: blinded)),
                    evaluated: EvaluatedElement(try GroupElement(decoding: evaluated)),
                    proof: try DLEQProof(decoding: proof)))
        } catch {
            throw Rule(error)
        }
    }
}

extension Rule {
    /// The rule that a point or scalar broke.
    public init(_ error: DecodingError) {
        self =
            switch error {
            case .nonCanonicalPoint: .nonCanonicalPoint
            case .identityPoint: .identityPoint
            case .nonCanonicalScalar: .nonCanonicalScalar
            }
    }
}

/// What became of an invitation code.
public enum CodeState: UInt8, Sendable {
    case invited = 1
    case issued = 2
    case voided = 3
}

/// Where a roll's enrolment stands: the phase, the round, and the counts. The one place with the rules of rounds and
/// codes: the coordinator applies each entry before it appends it, and whoever reads the log applies it again.
public struct EnrolmentState: Equatable, Sendable {
    /// The round, from 0.
    public private(set) var round: UInt32 = 0
    /// True in a joining phase, false in an issuing phase.
    public private(set) var isJoining = false
    /// Codes issued since the last joining phase opened.
    public private(set) var issuedInRound: UInt64 = 0
    /// Codes ever invited.
    public private(set) var invited: UInt64 = 0
    /// Codes ever issued.
    public private(set) var issued: UInt64 = 0
    /// Codes ever voided.
    public private(set) var voided: UInt64 = 0

    /// An enrolment without an entry: the issuing phase of round 0.
    public init() {}

    /// Continues from stored numbers.
    public init(
        round: UInt32, isJoining: Bool, issuedInRound: UInt64, invited: UInt64, issued: UInt64, voided: UInt64
    ) {
        self.round = round
        self.isJoining = isJoining
        self.issuedInRound = issuedInRound
        self.invited = invited
        self.issued = issued
        self.voided = voided
    }

    /// Applies one entry, or names the rule it breaks and changes nothing. `code` is the state of the code that the entry
    /// names, nil if it was never invited, and becomes its new state; entries of phases leave it alone.
    public mutating func apply(
        _ entry: EnrolmentEntry, code: inout CodeState?, minimumRing: Int
    ) throws(Rule) {
        switch entry {
        case .invited:
            guard code == nil else { throw .codeReused }
            code = .invited
            invited += 1
        case .issued:
            try checkIssue(code: code)
            code = .issued
            issued += 1
            issuedInRound += 1
        case .voided:
            guard code == .invited else { throw Self.refusal(of: code) }
            code = .voided
            voided += 1
        case .joiningOpens(let round):
            guard !isJoining, round == self.round, issuedInRound >= UInt64(minimumRing) else { throw .phaseViolated }
            isJoining = true
            issuedInRound = 0
        case .issuingOpens(let round):
            guard isJoining, self.round < .max, round == self.round + 1 else { throw .phaseViolated }
            isJoining = false
            self.round = round
        }
    }

    /// Whether a code in this state may be issued now, or the rule that forbids it.
    public func checkIssue(code: CodeState?) throws(Rule) {
        guard code == .invited else { throw Self.refusal(of: code) }
        guard !isJoining else { throw .issuingClosed }
    }

    private static func refusal(of code: CodeState?) -> Rule {
        switch code {
        case nil, .invited: .unknownCode
        case .issued: .codeAlreadyUsed
        case .voided: .voidedCode
        }
    }

    /// What a seal needs of the enrolment log it names: joining is open, and `members so far <= issued <= invited and
    /// not voided`.
    public func checkSeal(membersSoFar: UInt64) throws(Rule) {
        guard isJoining else { throw .phaseViolated }
        guard membersSoFar <= issued, issued <= invited - voided else { throw .enrolmentExceeded }
    }
}
