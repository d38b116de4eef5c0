import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import TransparencyLog
import Witnessing

/// A petition after every check of `Protocol/counting.md`, with the ring that this wallet can sign in.
public struct SignablePetition: Sendable {
    /// The petition's manifest.
    public let manifest: PetitionManifest
    /// The index of the roll in the manifest.
    public let roll: UInt8
    /// The size of the roll.
    public let ownSize: RollSize
    /// The other rolls of the coordinator.
    public let others: OtherRolls
    /// True if the roll is so large that it was not read in full: the record then comes at another time than what was
    /// read.
    public let isOfLargeRoll: Bool
    /// The ring.
    public let ring: Ring
    /// The key that signs the roll's logs.
    let ownKey: Ed25519PublicKey
    /// What the person must be asked about.
    public let risks: [SignerRisk]
    /// The aggregator that the record goes to.
    public let aggregator: Int
    /// How many entries the petition has there, by the signed checkpoint.
    public let entries: UInt64
    /// How many of the first entries are signatures by different members of the signer's roll, with checked proofs; nil
    /// in a large roll, whose rings are not known.
    public let checkedSignatures: Int?
    /// The witnesses of the petition that saw its announcement, by the names of their keys; nil if it has none.
    public let witnesses: [String]?
    /// The policy of the signer's roll; nil if it has none.
    public let rollPolicy: WitnessPolicy?
}

/// The result of handing a record over.
public enum Submission: Equatable, Sendable {
    /// The record is in the log.
    case counted(index: UInt64)
    /// The tag was counted before, by another record of this member.
    case countedBefore(index: UInt64)
    /// The record is in the log, but no quorum of the petition's witnesses saw it there before the petition closed: it
    /// does not count. `seen` is when they did.
    case late(index: UInt64, seen: UTCTime)
}

extension Submission {
    /// What a receipt says; `isOwn` is false if it is for another record with the same tag.
    fileprivate init(_ receipt: PetitionReceipt, isOwn: Bool = true) {
        let index = receipt.proof.inclusion.index
        self =
            if receipt.isLate, let seen = receipt.quorumTime {
                .late(index: index, seen: UTCTime(seconds: Int64(clamping: seen)))
            } else {
                isOwn ? .counted(index: index) : .countedBefore(index: index)
            }
    }
}

extension Wallet {
    /// Reads a petition without using a wallet.
    public static func show(_ url: ServiceURL, network: SignerNetwork) async throws(SignerError) -> PetitionManifest {
        try await network.fresh { connection async throws(SignerError) in
            try await CheckedFetch.petition(url, connection: connection)
        }
    }

    /// Runs every check before a signature, and finds this wallet's ring. What is read, and in which order, is the same
    /// for every member of the roll, and only the check of being in the ring depends on the signer's own key: a check
    /// that only some members fail would reveal who the others are.
    /// With `roll`, it is signed as a member of that one, and otherwise of the petition's first one that this wallet is
    /// enrolled in.
    public func prepare(
        _ url: ServiceURL, as roll: RollID? = nil, network: SignerNetwork, ringFloor: Int, clock: SignerClock,
        progress: WorkProgress = .untold
    ) async throws(SignerError) -> SignablePetition {
        try begin(.petition(at: url), network: network, clock: clock)
        defer { end(.petition(at: url), clock: clock) }
        let (petition, witnessed) = try await network.fresh { connection async throws(SignerError) in
            let petition = try await CheckedFetch.petition(url, connection: connection)
            try Self.checkOpen(petition, now: clock.now)
            let head = try await CheckedFetch.witnessedAnnouncement(
                of: petition, at: url, connection: connection, now: clock.now)
            return (petition, head.map { [$0] } ?? [])
        }
        let (index, roll) = try ownRoll(in: petition, only: roll)
        let sight = try await SigningSight.look(
            at: roll, referredBy: petition.rolls[index], witnessed: witnessed, wallet: self, network: network,
            clock: clock, progress: progress)
        try await checkAnnounced(
            petition, witnessed: witnessed, own: roll, sight.announced, network: network, clock: clock)
        let (ring, electorate) = try ownRing(in: sight, petition: petition, roll: index)
        guard ring.members.count >= ringFloor else {
            throw .ringTooSmall(members: ring.members.count, floor: ringFloor)
        }
        let others = try await OtherRolls.read(than: roll, announced: sight.announced, network: network, clock: clock)
        let risks = try await risks(of: petition, own: roll, network: network)
        let aggregator = petition.aggregators.indices.first { petition.logURL(aggregator: $0) == url } ?? 0
        let company = try await network.fresh { connection async throws(SignerError) in
            try await FirstSignatures.read(
                petition, aggregator: aggregator, electorate: electorate, connection: connection, clock: clock)
        }
        return SignablePetition(
            manifest: petition, roll: UInt8(index), ownSize: sight.size, others: others,
            isOfLargeRoll: sight.isOutline, ring: ring, ownKey: roll.key, risks: risks, aggregator: aggregator,
            entries: company.entries,
            checkedSignatures: company.signatures,
            witnesses: petition.witnesses == nil ? nil : witnessed.flatMap { $0.witnesses }, rollPolicy: roll.witnesses)
    }

    /// Checks that the petition and all of its rolls are in the announcements log of its coordinator, each roll as the
    /// first under its link.
    private func checkAnnounced(
        _ petition: PetitionManifest, witnessed: [WitnessedHead], own descriptor: RollDescriptor,
        _ announced: AnnouncementLedger, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) {
        var announced = announced
        if petition.url != descriptor.coordinator || petition.key != descriptor.key {
            announced = try await network.fresh { connection async throws(SignerError) in
                try await CheckedFetch.announcements(
                    coordinator: petition.url, key: petition.key, witnessed: witnessed, wallet: self,
                    connection: connection,
                    clock: clock)
            }
        }
        let log = Announcement.logKey(coordinator: petition.url, key: petition.key).name
        guard announced.isAnnounced(petition.id) else {
            throw .notAnnounced(what: .petition, log: log)
        }
        for roll in petition.rolls where !announced.rolls.contains(roll.id) {
            throw .notAnnounced(what: .rollAt(roll.url.bare), log: log)
        }
        guard announced.isAnnounced(descriptor) else {
            throw .announcedOtherwise(link: descriptor.link.url.text, log: log)
        }
    }

    private func risks(
        of petition: PetitionManifest, own: RollDescriptor, network: SignerNetwork
    ) async throws(SignerError) -> [SignerRisk] {
        var risks = oddities(of: [own.key, petition.key])
        // A key that was being sent from here, and is in the ring, has arrived.
        let joining = try enrolment(in: own.id)?.joining
        if joining == nil || joining == .found { risks.append(.restoredWallet) }
        if !(try await isSigned(petition, own: own, network: network)) { risks.append(.foreignKey) }
        if petition.witnesses != nil, own.witnesses == nil { risks.append(.unwitnessedRoll) }
        return risks
    }

    private static func checkOpen(_ petition: PetitionManifest, now: UTCTime) throws(SignerError) {
        switch petition.status(at: now) {
        case .notOpen: throw .petitionNotOpen(opens: petition.text.opens)
        case .closed: throw .petitionClosed(closes: petition.text.closes)
        case .open: break
        }
    }

    private func ownRoll(in petition: PetitionManifest, only: RollID?) throws(SignerError) -> (Int, RollDescriptor) {
        for (index, reference) in petition.rolls.enumerated() where only == nil || reference.id == only {
            if let enrolment = try enrolment(in: reference.id), enrolment.token != nil {
                let roll = try rolls(enrolment.descriptor)
                guard roll.coordinator == reference.coordinator else {
                    throw .documentMismatch(location: reference.url.text)
                }
                return (index, roll)
            }
        }
        throw .notInRolls
    }

    /// The ring of this wallet's key, and all rings, if they are known.
    private func ownRing(
        in sight: SigningSight, petition: PetitionManifest, roll index: Int
    ) throws(SignerError) -> (Ring, Electorate?) {
        let reference = petition.rolls[index]
        switch sight {
        case .full(let sight):
            let ring = try ownRing(in: sight.replay, referredBy: reference)
            var rings = [[SealedRing]?](repeating: nil, count: petition.rolls.count)
            rings[index] = sight.replay.rings(under: reference)
            return (ring, Electorate(petition, rings: rings))
        case .outline(let outline):
            return (try ownRing(in: outline, referredBy: reference), nil)
        }
    }

    private func ownRing(
        in replay: RollReplay, referredBy reference: PetitionManifest.RollReference
    ) throws(SignerError) -> Ring {
        guard replay.isReferred(by: reference), replay.endsOnSeal(at: reference) else {
            throw .rollMismatch
        }
        // Faults after what the petition fixes discredit the coordinator, but prevent nobody from signing.
        try checkSeals(
            of: replay, upTo: replay.ledger.rings.prefix { reference.fixes(sealAt: $0.sealIndex) }.count)
        let member = publicKey(in: reference.id)
        let admitted = replay.rings(under: reference)
        guard let sealed = admitted.first(where: { $0.ring.members.contains(member) }),
            reference.admits(sealAt: sealed.sealIndex)
        else { throw .ringNotSealed }
        return sealed.ring
    }

    /// Whether the manifest's key is that of one of its rolls. Other rolls are read only if the own roll's key differs.
    private func isSigned(
        _ petition: PetitionManifest, own: RollDescriptor, network: SignerNetwork
    ) async throws(SignerError) -> Bool {
        if own.key == petition.key { return true }
        for reference in petition.rolls where reference.id != own.id {
            // A roll that cannot be read does not match: its coordinator must not keep others from signing.
            let roll = try? await network.fresh { connection async throws(SignerError) in
                try await CheckedFetch.roll(reference.id, coordinator: reference.coordinator, connection: connection)
            }
            if let roll, roll.key == petition.key { return true }
        }
        return false
    }

    /// The record for a petition: made once, stored, and the same from then on.
    public func record(for petition: SignablePetition) throws(SignerError) -> [UInt8] {
        if let known = signature(under: petition.manifest.id) {
            if known.receipt == nil { try change(petition.manifest.id) { $0.aggregator = petition.aggregator } }
            return known.record
        }
        let member = memberIdentity(for: petition.manifest.rolls[Int(petition.roll)].id)
        let base = PetitionBase(petition: petition.manifest.id.bytes)
        let record: SignatureRecord
        do { record = try member.secret.sign(base, ring: petition.ring, roll: petition.roll) } catch {
            preconditionFailure("the key was looked for in the ring before")
        }
        try acceptWhatWasAsked(petition)
        contents.signatures.append(
            .init(
                petition: petition.manifest.note, aggregator: petition.aggregator, record: record.bytes,
                isOfLargeRoll: petition.isOfLargeRoll))
        try save()
        return record.bytes
    }

    /// Takes note that the person was asked before signing: an old state, and a wallet without memory, are asked about
    /// only once. Does not save.
    private func acceptWhatWasAsked(_ petition: SignablePetition) throws(SignerError) {
        forgetOldStates(of: [petition.ownKey, petition.manifest.key])
        guard var enrolment = try enrolment(in: petition.manifest.rolls[Int(petition.roll)].id),
            enrolment.joining == nil || enrolment.joining == .found
        else { return }
        enrolment.joining = .accepted
        set(enrolment, for: petition.manifest.rolls[Int(petition.roll)].id)
    }

    /// Sends the stored record of the petition at `url` again; every check was made before. Nil when there is no
    /// record, or when the aggregator answers with another entry, which only a full check can judge.
    public func submitAgain(
        _ url: ServiceURL, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) -> Submission? {
        guard let id = url.segments.last.flatMap({ PetitionID(hex: $0) }), let parcel = try storedParcel(id, at: url)
        else {
            return nil
        }
        do {
            let handed = try await hand(over: parcel, network: network, clock: clock)
            try change(id) { $0.aggregator = parcel.aggregator }
            try keep(handed, under: id)
            return Submission(handed.receipt)
        } catch SignerError.receiptForAnother {
            return nil
        }
    }

    private func storedParcel(_ id: PetitionID, at url: ServiceURL) throws(SignerError) -> Parcel? {
        guard let signature = signature(under: id) else { return nil }
        guard signature.withdrawalReceipt == nil else { throw .alreadyWithdrawn }
        let petition = try petitions(signature.petition)
        // As long as nobody has counted it, it may go to a different aggregator than the one that refused it.
        let named = petition.aggregators.indices.first { petition.logURL(aggregator: $0) == url }
        let aggregator = signature.receipt == nil ? named ?? signature.aggregator : signature.aggregator
        return Parcel(petition: petition, aggregator: aggregator, record: signature.record) { _ in false }
    }

    private func keep(_ handed: (receipt: PetitionReceipt, entry: [UInt8]), under id: PetitionID) throws(SignerError) {
        try change(id) { signature in
            signature.receipt = handed.receipt.proof.encoded
            signature.receiptRecord = handed.entry
        }
    }

    /// Sends the stored record and keeps the receipt, after checking it.
    public func submit(
        _ petition: SignablePetition, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) -> Submission {
        let id = petition.manifest.id
        let parcel = try signatureParcel(petition)
        let handed = try await hand(over: parcel, network: network, clock: clock)
        try keep(handed, under: id)
        return Submission(handed.receipt, isOwn: handed.entry == parcel.record)
    }

    /// Withdraws this wallet's signature, and keeps the receipt after checking it.
    public func withdraw(
        _ id: PetitionID, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) -> Submission {
        let handed = try await hand(over: try withdrawalParcel(id), network: network, clock: clock)
        try change(id) { signature in
            signature.withdrawal = handed.entry
            signature.withdrawalReceipt = handed.receipt.proof.encoded
        }
        return Submission(handed.receipt)
    }

    /// A record to be sent, independent of the wallet.
    private struct Parcel {
        let petition: PetitionManifest
        let aggregator: Int
        let record: [UInt8]
        let entryCheck: Handover.EntryCheck
    }

    private func hand(
        over parcel: Parcel, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) -> (receipt: PetitionReceipt, entry: [UInt8]) {
        try begin(.petition(parcel.petition.id), network: network, clock: clock)
        defer { end(.petition(parcel.petition.id), clock: clock) }
        return try await network.fresh { connection async throws(SignerError) in
            try await Handover(
                petition: parcel.petition, aggregator: parcel.aggregator, connection: connection, clock: clock
            )
            .submit(parcel.record, entryCheck: parcel.entryCheck)
        }
    }

    private func signatureParcel(_ petition: SignablePetition) throws(SignerError) -> Parcel {
        guard let signature = signature(under: petition.manifest.id) else { throw .nothingSigned }
        let tag = try tag(under: petition.manifest)
        let verifier = RingVerifier(petition: PetitionBase(petition: petition.manifest.id.bytes))
        let ring = petition.ring
        return Parcel(
            petition: petition.manifest, aggregator: signature.aggregator, record: signature.record
        ) { entry in
            guard let earlier = try? SignatureRecord(parsing: entry, digits: ring.digits), earlier.tag == tag else {
                return false
            }
            return (try? verifier.verify(earlier, in: ring)) != nil
        }
    }

    /// The withdrawal to send, which is made and stored unless it was made before.
    private func withdrawalParcel(_ id: PetitionID) throws(SignerError) -> Parcel {
        guard let signature = signature(under: id) else { throw .nothingSigned }
        let petition = try petitions(signature.petition)
        let record =
            if let made = signature.withdrawal { made } else { try withdrawal(under: petition).bytes }
        try change(id) { $0.withdrawal = record }
        let tag = try tag(under: petition)
        return Parcel(petition: petition, aggregator: signature.aggregator, record: record) { entry in
            guard let earlier = try? WithdrawalRecord(parsing: entry), earlier.tag == tag else { return false }
            return (try? earlier.verify(petition: PetitionBase(petition: id.bytes))) != nil
        }
    }

    private func withdrawal(under petition: PetitionManifest) throws(SignerError) -> WithdrawalRecord {
        try signingKey(under: petition).secret.withdraw(PetitionBase(petition: petition.id.bytes))
    }

    private func tag(under petition: PetitionManifest) throws(SignerError) -> Tag {
        try signingKey(under: petition).secret.tag(for: PetitionBase(petition: petition.id.bytes))
    }

    /// The key that signed the stored record: that for the roll that the record names.
    private func signingKey(under petition: PetitionManifest) throws(SignerError) -> MemberIdentity {
        guard let record = signature(under: petition.id)?.record,
            case .signature(let roll, _) = try? RecordOutline(parsing: record),
            Int(roll) < petition.rolls.count
        else { throw .nothingSigned }
        return memberIdentity(for: petition.rolls[Int(roll)].id)
    }

    func signature(under id: PetitionID) -> WalletContents.Signature? {
        contents.signatures.first { (try? petitions($0.petition).id) == id }
    }

    /// Changes what is stored of a signature, and saves.
    private func change(_ id: PetitionID, _ body: (inout WalletContents.Signature) -> Void) throws(SignerError) {
        for index in contents.signatures.indices
        where (try? petitions(contents.signatures[index].petition).id) == id {
            body(&contents.signatures[index])
        }
        try save()
    }
}
