import Bytes
import Documents
import Ristretto255

/// An entry of a roll's enrolment log. The log only counts: the coordinator's response to a code is checked by the
/// client that sent the code.
///
/// | bytes | layout |
/// | ---: | --- |
/// | 33 | `0x01 || codeHash` invited |
/// | 33 | `0x02 || codeHash` issued |
/// | 33 | `0x03 || codeHash` voided |
/// | 13 | `0x04 || u32 round || u64 opened` joining opens, in seconds since 1970 |
/// | 5 | `0x05 || u32 round` issuing opens |
public enum EnrolmentEntry: Hashable, Sendable {
    case invited(codeHash: Bytes32)
    case issued(codeHash: Bytes32)
    case voided(codeHash: Bytes32)
    case joiningOpens(round: UInt32, opened: UInt64)
    case issuingOpens(round: UInt32)

    /// The longest entry in bytes: 33.
    public static let maximumCount = 1 + Bytes32.count

    /// The code that the entry names, nil for the opening of a phase.
    public var codeHash: Bytes32? {
        switch self {
        case .invited(let codeHash), .issued(let codeHash), .voided(let codeHash): codeHash
        case .joiningOpens, .issuingOpens: nil
        }
    }

    /// The entry's bytes.
    public var bytes: [UInt8] {
        switch self {
        case .invited(let codeHash): return [0x01] + codeHash.array
        case .issued(let codeHash): return [0x02] + codeHash.array
        case .voided(let codeHash): return [0x03] + codeHash.array
        case .joiningOpens(let round, let opened):
            var bytes: [UInt8] = [0x04]
            bytes.appendInteger(round)
            bytes.appendInteger(opened)
            return bytes
        case .issuingOpens(let round):
            var bytes: [UInt8] = [0x05]
            bytes.appendInteger(round)
            return bytes
        }
    }

    /// Reads an entry. Throws `entry-malformed` on a wrong type or length.
    public init(parsing bytes: [UInt8]) throws(Rule) {
        guard !bytes.isEmpty else { throw .entryMalformed }
        var reader = ByteReader(bytes, from: 1)
        let entry: EnrolmentEntry?
        switch bytes.first {
        case 0x01: entry = reader.read32().map { .invited(codeHash: $0) }
        case 0x02: entry = reader.read32().map { .issued(codeHash: $0) }
        case 0x03: entry = reader.read32().map { .voided(codeHash: $0) }
        case 0x04:
            guard let round = reader.readInteger(UInt32.self), let opened = reader.readInteger(UInt64.self) else {
                throw .entryMalformed
            }
            entry = .joiningOpens(round: round, opened: opened)
        case 0x05: entry = reader.readInteger(UInt32.self).map { .issuingOpens(round: $0) }
        default: entry = nil
        }
        guard let entry, reader.isAtEnd else { throw .entryMalformed }
        self = entry
    }
}

/// The state of an invitation code.
public enum CodeState: UInt8, Sendable {
    case invited = 1
    case issued = 2
    case voided = 3
}

/// What a roll's descriptor demands of its enrolment log.
public struct EnrolmentRules: Equatable, Sendable {
    /// How many codes must be issued in a round before joining may open.
    public let minimumRing: Int
    /// True in an open roll: a code is invited only when it is issued, in the next entry, and never voided.
    public let isOpen: Bool

    /// The rules of a roll with these terms.
    public init(minimumRing: Int, isOpen: Bool = false) {
        self.minimumRing = minimumRing
        self.isOpen = isOpen
    }

    /// The rules of a published roll.
    public init(_ descriptor: RollDescriptor) {
        self.init(minimumRing: descriptor.terms.minimumRing, isOpen: descriptor.admission.isOpen)
    }
}

/// The state of a roll's enrolment: the phase, the round, and the counts. The rules of rounds and codes are only here:
/// the coordinator applies each entry before it appends it, and a reader of the log applies it again.
public struct EnrolmentState: Equatable, Sendable {
    /// The round, from 0.
    public private(set) var round: UInt32 = 0
    /// True in a joining phase, false in an issuing phase.
    public private(set) var isJoining = false
    /// When the latest joining phase opened, in seconds since 1970, as stated by the coordinator.
    public private(set) var opened: UInt64 = 0
    /// Codes issued in this round.
    public private(set) var issuedInRound: UInt64 = 0
    /// Codes ever invited.
    public private(set) var invited: UInt64 = 0
    /// Codes ever issued.
    public private(set) var issued: UInt64 = 0
    /// Codes ever voided.
    public private(set) var voided: UInt64 = 0
    /// In an open roll, the code that the last entry invited and the next one must issue.
    public private(set) var awaited: Bytes32?

    /// An enrolment without entries: the issuing phase of round 0.
    public init() {}

    /// Restores a stored state.
    public init(
        round: UInt32, isJoining: Bool, opened: UInt64, issuedInRound: UInt64, invited: UInt64, issued: UInt64,
        voided: UInt64
    ) {
        self.round = round
        self.isJoining = isJoining
        self.opened = opened
        self.issuedInRound = issuedInRound
        self.invited = invited
        self.issued = issued
        self.voided = voided
    }

    /// Applies one entry, or throws the rule it breaks and changes nothing. `code` is the state of the code that the
    /// entry names, nil if it was never invited, and is set to its new state, except by entries that open a phase.
    public mutating func apply(
        _ entry: EnrolmentEntry, code: inout CodeState?, under rules: EnrolmentRules
    ) throws(Rule) {
        if rules.isOpen { try checkOpen(entry) }
        switch entry {
        case .invited(let hash):
            guard code == nil else { throw .codeReused }
            code = .invited
            invited += 1
            awaited = rules.isOpen ? hash : nil
        case .issued:
            try checkIssue(code: code)
            code = .issued
            awaited = nil
            issued += 1
            issuedInRound += 1
        case .voided:
            guard code == .invited else { throw Self.refusal(of: code) }
            code = .voided
            voided += 1
        case .joiningOpens(let round, let opened):
            guard !isJoining, round == self.round, issuedInRound >= UInt64(rules.minimumRing) else {
                throw .phaseViolated
            }
            isJoining = true
            self.opened = opened
        case .issuingOpens(let round):
            guard isJoining, self.round < .max, round == self.round + 1 else { throw .phaseViolated }
            isJoining = false
            issuedInRound = 0
            self.round = round
        }
    }

    /// Checks what an open roll demands of the next entry: no code of it is ever to spare.
    private func checkOpen(_ entry: EnrolmentEntry) throws(Rule) {
        switch entry {
        case .issued(let hash): guard awaited == nil || awaited == hash else { throw .spareCode }
        case .voided: throw .spareCode
        case .invited: guard awaited == nil, !isJoining else { throw .spareCode }
        case .joiningOpens, .issuingOpens: guard awaited == nil else { throw .spareCode }
        }
    }

    /// Checks that a code in this state may be issued now. Throws the rule that forbids it.
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

    /// True when the joining phase, which lasts at least `joiningSeconds`, is over at `now` (seconds since 1970), or
    /// when everybody who was issued a token has joined. Until then a coordinator neither seals nor proceeds.
    public func mayEndJoining(at now: UInt64, joiningSeconds: Int, joined: UInt64) -> Bool {
        if joined >= issued { return true }
        let (end, isBeyondTime) = opened.addingReportingOverflow(UInt64(joiningSeconds))
        return !isBeyondTime && now >= end
    }

    /// Checks what a seal requires of the enrolment log that it names: joining is open, and
    /// `members so far <= issued <= invited and not voided`.
    public func checkSeal(membersSoFar: UInt64) throws(Rule) {
        guard isJoining else { throw .phaseViolated }
        guard membersSoFar <= issued, issued <= invited - voided else { throw .enrolmentExceeded }
    }
}
