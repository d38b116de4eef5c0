import Bytes
import DurableFiles
import Foundation
import LogClient
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import TransparencyLog
import Verification

/// A petition after every check of `Protocol/counting.md`, with the ring that this wallet can sign in.
public struct SignablePetition: Sendable {
    /// What is petitioned.
    public let manifest: PetitionManifest
    /// The index of the roll in the manifest.
    public let roll: UInt8
    /// How large the roll is.
    public let ownSize: RollSize
    /// How large the coordinator's other rolls are.
    public let otherSizes: [RollSize]
    /// The ring.
    public let ring: Ring
    /// What the person must be asked.
    public let risks: [SignerRisk]
    /// The aggregator that the record goes to.
    public let aggregator: Int
    /// How many entries the petition has there, by the signed checkpoint.
    public let entries: UInt64
    /// Signatures by different members of the own roll among the first entries, whose proofs were checked.
    public let checkedSignatures: Int
}

/// What came of handing a record over.
public enum Submission: Equatable, Sendable {
    /// The record is in the log.
    case counted(index: UInt64)
    /// The tag was counted before, by another record of this member.
    case countedBefore(index: UInt64)
}

extension Wallet {
    /// Reads a petition without looking into any wallet.
    public static func show(_ url: ServiceURL, network: SignerNetwork) async throws -> PetitionManifest {
        try await network.fresh { try await Reading.petition(url, connection: $0) }
    }

    /// Runs every check before a signature, and finds this wallet's ring. What is read, and in which order, is the same
    /// for every member of the ring; and no check but that of being in the ring depends on the own key: one that only
    /// some members fail would tell who the others are.
    public func prepare(
        _ url: ServiceURL, network: SignerNetwork, ringFloor: Int, clock: SignerClock = .system
    ) async throws -> SignablePetition {
        let petition = try await network.fresh { try await Reading.petition(url, connection: $0) }
        try Self.checkOpen(petition, now: clock.now)
        let (index, roll) = try ownRoll(in: petition)
        let sight = try await RollSight.look(at: roll, code: nil, wallet: self, network: network, clock: clock)
        try await checkAnnounced(petition, own: sight, network: network, clock: clock)
        let ring = try ownRing(in: sight.replay, petition: petition, roll: index)
        guard ring.members.count >= ringFloor else {
            throw SignerError.ringTooSmall(members: ring.members.count, floor: ringFloor)
        }
        let sizes = try await RollSize.others(than: roll, announced: sight.announced, network: network)
        let risks = try await risks(of: petition, own: roll, network: network)
        let aggregator = petition.aggregators.indices.first { petition.logURL(aggregator: $0) == url } ?? 0
        let company = try await network.fresh { connection in
            try await FirstSignatures.read(
                petition, aggregator: aggregator, roll: index, of: sight.replay, connection: connection)
        }
        return SignablePetition(
            manifest: petition, roll: UInt8(index), ownSize: RollSize(sight.replay), otherSizes: sizes, ring: ring,
            risks: risks, aggregator: aggregator, entries: company.entries, checkedSignatures: company.signatures)
    }

    /// The petition and all of its rolls are in the announcements log of its coordinator, each roll as the first of its
    /// link.
    private func checkAnnounced(
        _ petition: PetitionManifest, own: RollSight, network: SignerNetwork, clock: SignerClock
    ) async throws {
        let descriptor = own.replay.descriptor
        var announced = own.announced
        if petition.url != descriptor.coordinator || petition.key != descriptor.key {
            announced = try await network.fresh {
                try await Reading.announcements(
                    coordinator: petition.url, key: petition.key, wallet: self, connection: $0, clock: clock)
            }
        }
        let log = Announcement.logKey(coordinator: petition.url, key: petition.key).name
        guard announced.isAnnounced(petition.id) else {
            throw SignerError.notAnnounced(what: "the petition", log: log)
        }
        for roll in petition.rolls where !announced.rolls.contains(roll.id) {
            throw SignerError.notAnnounced(what: "the roll \(roll.url.bare)", log: log)
        }
        guard announced.isAnnounced(descriptor) else {
            throw SignerError.announcedOtherwise(link: descriptor.link.url.text, log: log)
        }
    }

    private func risks(
        of petition: PetitionManifest, own: RollDescriptor, network: SignerNetwork
    ) async throws -> [SignerRisk] {
        var risks: [SignerRisk] = []
        let enrolment = try enrolment(in: own.id)
        if enrolment?.isJoined != true || enrolment?.opening == nil { risks.append(.restoredWallet) }
        if !(try await isSigned(petition, own: own, network: network)) { risks.append(.foreignKey) }
        return risks
    }

    private static func checkOpen(_ petition: PetitionManifest, now: UTCTime) throws {
        switch petition.status(at: now) {
        case .notOpen: throw SignerError.petitionNotOpen(opens: petition.text.opens)
        case .closed: throw SignerError.petitionClosed(closes: petition.text.closes)
        case .open: break
        }
    }

    private func ownRoll(in petition: PetitionManifest) throws -> (Int, RollDescriptor) {
        for (index, reference) in petition.rolls.enumerated() {
            if let enrolment = try enrolment(in: reference.id), enrolment.token != nil {
                let roll = try RollDescriptor(parsing: [UInt8](enrolment.descriptor))
                guard roll.coordinator == reference.coordinator else {
                    throw SignerError.documentMismatch(location: reference.url.text)
                }
                return (index, roll)
            }
        }
        throw SignerError.notInRolls
    }

    private func ownRing(in replay: RollReplay, petition: PetitionManifest, roll index: Int) throws -> Ring {
        let reference = petition.rolls[index]
        guard replay.isReferred(by: reference),
            replay.ledger.rings.contains(where: {
                $0.sealIndex + 1 == reference.size
            })
        else { throw SignerError.rollMismatch }
        // Faults behind what the petition fixes are the coordinator's shame, and stop nobody.
        let log = replay.descriptor.enrolmentLogKey.name
        guard let enrolment = replay.enrolment else { throw SignerError.rollMismatch }
        let referred = replay.ledger.rings.filter { $0.sealIndex < reference.size }
        guard enrolment.goodSeals >= referred.count else {
            if let fault = enrolment.fault { throw SignerError.entryInvalid(log: log, index: fault.index, fault.rule) }
            throw SignerError.entryInvalid(
                log: replay.descriptor.membersKey.name, index: referred[enrolment.goodSeals].sealIndex,
                enrolment.sealFault?.rule ?? .rootMismatch)
        }
        let member = publicKey(in: reference.id)
        let admitted = replay.rings(under: reference)
        guard let sealed = admitted.first(where: { $0.ring.members.contains(member) }),
            sealed.sealIndex < reference.size || reference.laterRings
        else { throw SignerError.ringNotSealed }
        return sealed.ring
    }

    /// Whether the manifest's key is that of one of its rolls. The other rolls are only read when the own one has
    /// another.
    private func isSigned(
        _ petition: PetitionManifest, own: RollDescriptor, network: SignerNetwork
    ) async throws -> Bool {
        if own.key == petition.key { return true }
        for reference in petition.rolls where reference.id != own.id {
            // One that cannot be read is not this one: its coordinator must not keep others from signing.
            let roll = try? await network.fresh {
                try await Reading.roll(reference.id, coordinator: reference.coordinator, connection: $0)
            }
            if let roll, roll.key == petition.key { return true }
        }
        return false
    }

    /// The record for a petition: made once, stored, and the same ever after.
    public func record(for petition: SignablePetition) throws -> [UInt8] {
        if let known = signature(under: petition.manifest.id) {
            if known.receipt == nil { try change(petition.manifest.id) { $0.aggregator = petition.aggregator } }
            return [UInt8](known.record)
        }
        let member = memberKey(for: petition.manifest.rolls[Int(petition.roll)].id)
        let base = PetitionBase(petition: petition.manifest.id.bytes)
        let record = try member.secret.sign(base, ring: petition.ring, roll: petition.roll)
        contents.signatures.append(
            .init(
                petition: Data(petition.manifest.note), aggregator: petition.aggregator, record: Data(record.bytes)))
        try save()
        return record.bytes
    }

    /// Sends the stored record of the petition at `url` again, to which every check was made before. Nil when there is
    /// none, or when the aggregator answers with another entry, which only a full check can judge.
    public func submitAgain(_ url: ServiceURL, network: SignerNetwork) async throws -> Submission? {
        guard let id = url.segments.last.flatMap({ PetitionID(hex: $0) }), let parcel = try storedParcel(id, at: url)
        else {
            return nil
        }
        do {
            let handed = try await hand(over: parcel, network: network)
            try change(id) { $0.aggregator = parcel.aggregator }
            try keep(handed, under: id)
            return .counted(index: handed.receipt.inclusion.index)
        } catch SignerError.receiptForAnother {
            return nil
        }
    }

    private func storedParcel(_ id: PetitionID, at url: ServiceURL) throws -> Parcel? {
        guard let signature = signature(under: id) else { return nil }
        guard signature.withdrawalReceipt == nil else { throw SignerError.alreadyWithdrawn }
        let petition = try PetitionManifest(parsing: [UInt8](signature.petition))
        // As long as nobody has counted it, it may go to another aggregator than the one that refused.
        let named = petition.aggregators.indices.first { petition.logURL(aggregator: $0) == url }
        let aggregator = signature.receipt == nil ? named ?? signature.aggregator : signature.aggregator
        return Parcel(petition: petition, aggregator: aggregator, record: [UInt8](signature.record)) { _ in false }
    }

    private func keep(_ handed: (receipt: LogProof, entry: [UInt8]), under id: PetitionID) throws {
        try change(id) { signature in
            signature.receipt = Data(handed.receipt.encoded)
            signature.receiptRecord = Data(handed.entry)
        }
    }

    /// Sends the stored record and keeps the receipt, after checking it.
    public func submit(_ petition: SignablePetition, network: SignerNetwork) async throws -> Submission {
        let id = petition.manifest.id
        let parcel = try signatureParcel(petition)
        let handed = try await hand(over: parcel, network: network)
        try keep(handed, under: id)
        let index = handed.receipt.inclusion.index
        return handed.entry == parcel.record ? .counted(index: index) : .countedBefore(index: index)
    }

    /// Withdraws this wallet's signature, and keeps the receipt after checking it.
    public func withdraw(_ id: PetitionID, network: SignerNetwork) async throws -> Submission {
        let handed = try await hand(over: try withdrawalParcel(id), network: network)
        try change(id) { signature in
            signature.withdrawal = Data(handed.entry)
            signature.withdrawalReceipt = Data(handed.receipt.encoded)
        }
        return .counted(index: handed.receipt.inclusion.index)
    }

    /// A record on its way, apart from the wallet.
    private struct Parcel {
        let petition: PetitionManifest
        let aggregator: Int
        let record: [UInt8]
        let entryCheck: Handover.EntryCheck
    }

    private func hand(
        over parcel: Parcel, network: SignerNetwork
    ) async throws -> (receipt: LogProof, entry: [UInt8]) {
        try await network.fresh { connection in
            try await Handover(petition: parcel.petition, aggregator: parcel.aggregator, connection: connection)
                .submit(parcel.record, entryCheck: parcel.entryCheck)
        }
    }

    private func signatureParcel(_ petition: SignablePetition) throws -> Parcel {
        guard let signature = signature(under: petition.manifest.id) else { throw SignerError.nothingSigned }
        let tag = try tag(under: petition.manifest)
        let verifier = RingVerifier(petition: PetitionBase(petition: petition.manifest.id.bytes))
        let ring = petition.ring
        return Parcel(
            petition: petition.manifest, aggregator: signature.aggregator, record: [UInt8](signature.record)
        ) { entry in
            guard let earlier = try? SignatureRecord(parsing: entry, digits: ring.digits), earlier.tag == tag else {
                return false
            }
            return (try? verifier.verify(earlier, in: ring)) != nil
        }
    }

    /// Makes and stores the withdrawal, unless it was made before.
    private func withdrawalParcel(_ id: PetitionID) throws -> Parcel {
        guard let signature = signature(under: id) else { throw SignerError.nothingSigned }
        let petition = try PetitionManifest(parsing: [UInt8](signature.petition))
        let record = try signature.withdrawal.map { [UInt8]($0) } ?? withdrawal(under: petition).bytes
        try change(id) { $0.withdrawal = Data(record) }
        let tag = try tag(under: petition)
        return Parcel(petition: petition, aggregator: signature.aggregator, record: record) { entry in
            guard let earlier = try? WithdrawalRecord(parsing: entry), earlier.tag == tag else { return false }
            return (try? earlier.verify(petition: PetitionBase(petition: id.bytes))) != nil
        }
    }

    private func withdrawal(under petition: PetitionManifest) throws -> WithdrawalRecord {
        try signingKey(under: petition).secret.withdraw(PetitionBase(petition: petition.id.bytes))
    }

    private func tag(under petition: PetitionManifest) throws -> GroupElement {
        try signingKey(under: petition).secret.tag(for: PetitionBase(petition: petition.id.bytes))
    }

    /// The key that signed the stored record: that of the roll which the record names.
    private func signingKey(under petition: PetitionManifest) throws -> MemberKey {
        guard let record = signature(under: petition.id)?.record,
            let header = try? SignatureHeader(parsing: [UInt8](record)),
            Int(header.roll) < petition.rolls.count
        else { throw SignerError.nothingSigned }
        return memberKey(for: petition.rolls[Int(header.roll)].id)
    }

    private func signature(under id: PetitionID) -> WalletContents.Signature? {
        contents.signatures.first { (try? PetitionManifest(parsing: [UInt8]($0.petition)).id) == id }
    }

    /// Changes what is stored of a signature, and saves.
    private func change(_ id: PetitionID, _ body: (inout WalletContents.Signature) -> Void) throws {
        for index in contents.signatures.indices
        where (try? PetitionManifest(parsing: [UInt8](contents.signatures[index].petition)).id) == id {
            body(&contents.signatures[index])
        }
        try save()
    }
}

/// Hands one record to one aggregator and checks what comes back. Needs no wallet: anybody can hand a record over.
public struct Handover: Sendable {
    private let petition: PetitionManifest
    private let aggregator: Int
    private let connection: HTTPConnection

    /// Whether an entry that was counted before is of the same member and kind as the record, and its proof holds.
    public typealias EntryCheck = @Sendable ([UInt8]) -> Bool

    /// A handover to the aggregator with this index in the manifest.
    public init(petition: PetitionManifest, aggregator: Int, connection: HTTPConnection) {
        self.petition = petition
        self.aggregator = aggregator
        self.connection = connection
    }

    /// Sends the record. The receipt's entry is the record, or one that was counted before and passes `entryCheck`:
    /// that entry is then looked for in the whole log, so that nobody learns which one is looked for.
    public func submit(_ record: [UInt8], entryCheck: EntryCheck) async throws -> (receipt: LogProof, entry: [UInt8]) {
        let url = petition.logURL(aggregator: aggregator)
        let answer = try await post(record, to: url.text + "/records")
        guard answer.status == 200 || answer.status == 201 else {
            let refusal = Wallet.refusal(answer)
            if case .refused("proof-invalid", _) = refusal { throw SignerError.proofRefused }
            throw refusal
        }
        let key = petition.logKey(aggregator: aggregator)
        let receipt: LogProof
        do { receipt = try LogProof(parsing: answer.body) } catch { throw SignerError.receiptInvalid(error) }
        guard receipt.extra == nil else { throw SignerError.receiptInvalid(.malformed) }
        do {
            _ = try receipt.verify(leaf: MerkleHash.leaf(record), key: key)
            return (receipt, record)
        } catch .proof where answer.status == 200 {
            return (receipt, try await earlierEntry(of: receipt, entryCheck: entryCheck, key: key))
        } catch {
            throw SignerError.receiptInvalid(error)
        }
    }

    /// Sends the record, and does the work that a server under attack asks for.
    private func post(_ record: [UInt8], to url: String) async throws -> HTTPAnswer {
        var headers: [(name: String, value: String)] = []
        for _ in 0..<Self.workLimit {
            let answer = try await connection.post(
                url, body: record, contentType: "application/octet-stream", headers: headers,
                limit: SignedNote.maximumCount)
            guard answer.status == 429, let demand = WorkDemand(problem: answer.body) else { return answer }
            headers = [(WorkDemand.header, demand.work(for: record, petition: petition.id))]
        }
        throw SignerError.refused(rule: "busy", detail: "the server asks for ever more work")
    }

    /// How often work is done for one record: what is asked for may grow meanwhile, by a bit each time.
    private static let workLimit = 16

    private func earlierEntry(
        of receipt: LogProof, entryCheck: EntryCheck, key: VerifierKey
    ) async throws -> [UInt8] {
        let source = HTTPSource(
            connection: connection, base: petition.logURL(aggregator: aggregator).text)
        let log = OfflineCopy.petitionLog(petition, aggregator: aggregator, source: source, prefix: "")
        var found: [UInt8]?
        do {
            let checkpoint = try await log.readCheckpoint().checkpoint
            _ = try await log.readEntries(upTo: checkpoint) { first, entries in
                let index = receipt.inclusion.index
                if index >= first, index < first + UInt64(entries.count) { found = entries[Int(index - first)] }
            }
        } catch let error as LogReadError {
            throw SignerError(error, log: key.name)
        }
        guard let found else { throw SignerError.receiptForAnother }
        do { _ = try receipt.verify(leaf: MerkleHash.leaf(found), key: key) } catch {
            throw SignerError.receiptInvalid(error)
        }
        guard entryCheck(found) else { throw SignerError.receiptForAnother }
        return found
    }
}

/// Where the tag stands in a record, for whoever has only the record.
public enum RecordTag {
    /// The tag of a record of either type, nil when the bytes are none.
    public static func of(_ record: [UInt8]) -> GroupElement? {
        if let withdrawal = try? WithdrawalRecord(parsing: record) { return withdrawal.tag }
        for digits in 1...6 {
            if let signature = try? SignatureRecord(parsing: record, digits: digits) { return signature.tag }
        }
        return nil
    }
}

/// Hands over a record from a file, and writes the receipt beside it.
public enum HandoverOfFile {
    /// Answers the index of the entry. The receipt is on the disk when this returns.
    public static func run(
        _ record: [UInt8], tag: GroupElement, url: ServiceURL, network: SignerNetwork, proof path: String
    ) async throws -> UInt64 {
        let handed = try await network.fresh { connection in
            let petition = try await Reading.petition(url, connection: connection)
            let aggregator = petition.aggregators.indices.first { petition.logURL(aggregator: $0) == url } ?? 0
            return try await Handover(petition: petition, aggregator: aggregator, connection: connection)
                .submit(record) { $0.first == record.first && RecordTag.of($0) == tag }
        }
        try DurableFile.write(handed.receipt.encoded, to: path, mode: 0o600)
        return handed.receipt.inclusion.index
    }
}
