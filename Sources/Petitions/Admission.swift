import Bytes
import Documents
import RingSignatures
import Ristretto255

/// The rings whose members may sign a petition. The aggregator and the verifier build it from rolls that they checked.
public struct Electorate: Sendable {
    private let rings: [[SealedRing]?]
    private let references: [PetitionManifest.RollReference]
    private let unended: Set<Int>

    /// The electorate of `petition`, given the sealed rings of each of its rolls, in the manifest's order; nil for a
    /// roll that could not be read. The rolls whose indices are in `unended` may have later rings that were not read.
    public init(_ petition: PetitionManifest, rings: [[SealedRing]?], unended: Set<Int> = []) {
        self.unended = unended
        // Rolls missing from `rings` were not read.
        self.rings = petition.rolls.indices.map { $0 < rings.count ? rings[$0] : nil }
        references = petition.rolls
    }

    /// The ring that a record names. A ring is admitted if its seal is below the manifest's `size`, or if the manifest
    /// admits later rings. Throws `roll-unreachable` for a roll that could not be read, and for a later ring of a roll
    /// that was not read to its end.
    public func ring(roll: UInt8, number: UInt32) throws(Rule) -> Ring {
        guard Int(roll) < rings.count else { throw .ringNotAdmitted }
        guard let known = rings[Int(roll)] else { throw .rollUnreachable }
        let reference = references[Int(roll)]
        // Not as an Int, which has 32 bits in a browser: whoever wrote the record chose the number.
        guard UInt64(number) < UInt64(known.count) else {
            throw unended.contains(Int(roll)) && reference.laterRings ? .rollUnreachable : .ringNotAdmitted
        }
        let sealed = known[Int(number)]
        guard reference.admits(sealAt: sealed.sealIndex) else { throw .ringNotAdmitted }
        return sealed.ring
    }
}

/// A record from outside, whose layout, ring, points and scalars were checked; nothing is proved yet.
public enum SubmittedRecord: Sendable {
    case signature(SignatureRecord, Ring)
    case withdrawal(WithdrawalRecord)

    /// The longest record in bytes.
    public static let maximumCount = SignatureRecord.maximumCount

    /// Reads a record in the order of `Protocol/counting.md`: type, roll, ring, exact length, points, scalars. The
    /// first check that fails names the refusal.
    public init(parsing bytes: [UInt8], electorate: Electorate) throws(Rule) {
        let outline: RecordOutline
        do { outline = try RecordOutline(parsing: bytes) } catch { throw Rule(error) }
        switch outline {
        case .withdrawal:
            do { self = .withdrawal(try WithdrawalRecord(parsing: bytes)) } catch { throw Rule(error) }
        case .signature(let roll, let number):
            let ring = try electorate.ring(roll: roll, number: number)
            do { self = .signature(try SignatureRecord(parsing: bytes, digits: ring.digits), ring) } catch {
                throw Rule(error)
            }
        }
    }

    /// The record exactly as submitted.
    public var bytes: [UInt8] {
        switch self {
        case .signature(let record, _): record.bytes
        case .withdrawal(let record): record.bytes
        }
    }

    /// `J`, under which it counts.
    public var tag: Tag {
        switch self {
        case .signature(let record, _): record.tag
        case .withdrawal(let record): record.tag
        }
    }
}

/// A record whose proof holds.
public enum VerifiedRecord: Sendable {
    case signature(VerifiedSignature)
    case withdrawal(VerifiedWithdrawal)

    /// Verifies records together. The results are in the order of the records.
    public static func verify(
        _ records: [SubmittedRecord], petition: PetitionBase
    ) -> [Result<VerifiedRecord, Rule>] {
        verify(records, petition: petition, invalidLimit: .max).map { $0 ?? .failure(.proofInvalid) }
    }

    /// The same, but stops looking after `invalidLimit` bad signatures: the result is nil for records that were not
    /// decided by then.
    public static func verify(
        _ records: [SubmittedRecord], petition: PetitionBase, invalidLimit: Int
    ) -> [Result<VerifiedRecord, Rule>?] {
        var answers = [Result<VerifiedRecord, Rule>?](repeating: .failure(.proofInvalid), count: records.count)
        var batch: [(position: Int, record: SignatureRecord, ring: Ring)] = []
        for (position, record) in records.enumerated() {
            switch record {
            case .signature(let signature, let ring): batch.append((position, signature, ring))
            case .withdrawal(let withdrawal):
                if let verified = try? withdrawal.verify(petition: petition) {
                    answers[position] = .success(.withdrawal(verified))
                }
            }
        }
        let verdicts = RingVerifier(petition: petition).verify(
            batch.map { ($0.record, $0.ring) }, invalidLimit: invalidLimit)
        for (entry, verdict) in zip(batch, verdicts) {
            switch verdict {
            case .success(let verified): answers[entry.position] = .success(.signature(verified))
            case .failure: break
            case nil: answers[entry.position] = nil
            }
        }
        return answers
    }

    /// The record exactly as submitted.
    public var bytes: [UInt8] {
        switch self {
        case .signature(let verified): verified.record.bytes
        case .withdrawal(let verified): verified.record.bytes
        }
    }

    /// What the record asks for.
    public var act: RecordAct {
        switch self {
        case .signature(let verified): .sign(roll: verified.record.roll)
        case .withdrawal: .withdraw
        }
    }

    /// `J`, under which it counts.
    public var tag: Tag {
        switch self {
        case .signature(let verified): verified.record.tag
        case .withdrawal(let verified): verified.record.tag
        }
    }
}

/// What a record asks of the log that it is sent to.
public enum RecordAct: Equatable, Sendable {
    /// To count its tag, under the roll with this index.
    case sign(roll: UInt8)
    /// Not to count it any more.
    case withdraw
}

/// The state of a tag in one log.
public struct TagState: Equatable, Sendable {
    /// The index of its signature.
    public let signedAt: UInt64
    /// The index of the roll that the signature names.
    public let roll: UInt8
    /// The index of its withdrawal, if any.
    public let withdrawnAt: UInt64?

    /// A state as stored.
    public init(signedAt: UInt64, roll: UInt8, withdrawnAt: UInt64?) {
        self.signedAt = signedAt
        self.roll = roll
        self.withdrawnAt = withdrawnAt
    }
}

extension TagState {
    /// The admission rule for tags (`Protocol/counting.md`, "Admission"), for records whose proofs hold: the state of a
    /// tag once a record that asks for `act` has entered at `index`. Throws why the record does not enter.
    public init(
        admitting act: RecordAct, known: TagState?, at index: UInt64
    ) throws(AdmittedRecord.Refusal) {
        switch (act, known) {
        case (.sign(let roll), nil):
            self.init(signedAt: index, roll: roll, withdrawnAt: nil)
        case (.sign, let known?):
            if known.withdrawnAt == nil { throw .signed(at: known.signedAt) }
            throw .signatureWithdrawn
        case (.withdraw, nil):
            throw .notSigned
        case (.withdraw, let known?):
            if let first = known.withdrawnAt { throw .withdrawn(at: first) }
            self.init(signedAt: known.signedAt, roll: known.roll, withdrawnAt: index)
        }
    }
}

/// A record that may enter a log. Only ``admit(_:tag:at:)`` makes one.
public struct AdmittedRecord: Sendable {
    /// The record.
    public let record: VerifiedRecord
    /// The state of its tag once the record is in the log.
    public let tagState: TagState

    /// Why a verified record does not enter.
    public enum Refusal: Error, Equatable, Sendable {
        /// The tag already signed, at this index: the signer gets the receipt of that entry.
        case signed(at: UInt64)
        /// The tag withdrew: it cannot sign again.
        case signatureWithdrawn
        /// The tag already withdrew, at this index: the signer gets the receipt of that entry.
        case withdrawn(at: UInt64)
        /// There is nothing to withdraw.
        case notSigned

        /// The rule's name.
        public var rule: Rule {
            switch self {
            case .signed: .duplicateTag
            case .signatureWithdrawn, .withdrawn: .alreadyWithdrawn
            case .notSigned: .notSigned
            }
        }
    }

    /// Decides whether `record` enters at `index`, given the state of its tag. The aggregator passes the state after
    /// all earlier commits, the verifier the state after all earlier entries.
    public static func admit(
        _ record: VerifiedRecord, tag: TagState?, at index: UInt64
    ) throws(Refusal) -> AdmittedRecord {
        AdmittedRecord(record: record, tagState: try TagState(admitting: record.act, known: tag, at: index))
    }

    private init(record: VerifiedRecord, tagState: TagState) {
        self.record = record
        self.tagState = tagState
    }
}
