import Bytes
import Documents
import LogReading
import LogStorage
import PetitionCopies
import Petitions
import Storage
import TransparencyLog
import Witnessing

/// Why a petition is not accepted.
public enum PetitionRefusal: Error, Equatable, Sendable {
    /// Something that the petition depends on cannot be read.
    case unreadable(location: String, reason: String)
    /// A log is shorter than a reference to it says.
    case logTooShort(log: String, size: UInt64, needed: UInt64)
    /// A log is proven wrong, or does not continue what is kept of it.
    case logWrong(log: String, LogReadError)
    /// The document at a roll's address is not the roll that the petition names.
    case descriptorWrong(roll: String, reason: String)
    /// The petition is not in the announcements log of its coordinator.
    case petitionNotAnnounced(log: String)
    /// The witnesses of the petition have not cosigned its announcement, or what is shown as proof of that is none; in
    /// words.
    case announcementNotWitnessed(address: String, reason: String)
    /// The announcements log is not the one that the witnesses cosigned.
    case announcementsOtherThanWitnessed(log: String, size: UInt64)
    /// A roll is not in the announcements log of the petition's coordinator: its link was never announced, or was
    /// announced for another roll.
    case rollNotAnnounced(roll: String, log: String, other: RollID?)
    /// A members log does not have the root that the petition refers to.
    case rootMismatch(log: String, size: UInt64)
    /// A log that the petition refers to breaks a rule.
    case rollAtFault(log: String, LogFault)
    /// Two rolls of the petition share something that they must not share.
    case rollsShare(Rule, roll: String, other: String)
}

extension Aggregator {
    /// How many times a petition is read in all if another program stores more of the same logs in the meantime.
    private static let takingAttempts = 3

    /// Accepts a petition that names this aggregator, and starts its log. First, everything that the petition depends
    /// on is read from `origin` and judged: its rolls, and the announcements log of its coordinator. Either all of that
    /// is stored with the petition, or nothing changes. Adding the petition again changes nothing and reads nothing.
    /// `progress` is called with a log, how many of its entries were read, and how many there are. Throws an
    /// ``AggregatorError`` or a ``PetitionRefusal``.
    public func add(
        _ petition: PetitionManifest, from origin: any PetitionOrigin,
        progress: WorkProgress = .untold
    ) async throws {
        guard petition.aggregators.contains(where: { $0.url == url && $0.key == publicKey }) else {
            throw AggregatorError.notNamed(url: url.text)
        }
        try checkWitnesses(of: petition)
        for attempt in 1... {
            if let known = try self.petition(petition.id.hex) { return try remember(known) }
            do { try await take(petition, from: origin, progress) } catch StorageError.busy
                where attempt < Self.takingAttempts
            {}
        }
    }

    /// Records the log of a petition from its beginning, once it is wherever it must be.
    private func remember(_ petition: CollectedPetition) throws {
        let head = try database.read { try petition.log.head($0) }
        try memory.remember(head, key: publicKey, in: database)
    }

    /// The address of every witness of the policy must be known here: a policy comes from strangers.
    private func checkWitnesses(of petition: PetitionManifest) throws {
        guard let policy = petition.witnesses else { return }
        for (key, named, url) in try witnesses(of: policy) where url == nil {
            throw AggregatorError.witnessUnknown(key, url: named)
        }
    }

    private func take(
        _ petition: PetitionManifest, from origin: any PetitionOrigin,
        _ progress: WorkProgress
    ) async throws {
        var grounds = PetitionGrounds(
            petition: petition, origin: origin, database: database, now: clock.now, progress: progress)
        // Even after they are kept, the rows are still in the temporary table.
        defer { grounds.discard() }
        try await grounds.read()
        try grounds.judge()
        try database.write { db in
            guard try CollectedPetition(db, id: petition.id.hex) == nil else { return }
            try grounds.keep(db)
            try start(db, petition, announcement: grounds.proof?.proof.encoded)
        }
    }
}

/// What a petition depends on: what is already kept, and what its coordinators publish now.
private struct PetitionGrounds {
    let petition: PetitionManifest
    let origin: any PetitionOrigin
    let database: any Storage
    let now: UTCTime
    let progress: WorkProgress
    /// In the manifest's order.
    private var rolls: [RollReplay] = []
    private var announced = AnnouncementLedger()
    /// The proof of the announcement, with the quorum of the petition's witnesses; nil if it has none.
    private(set) var proof: WitnessedProof?
    private var drafts: [FollowedDraft] = []

    private var announcements: VerifierKey { Announcement.logKey(coordinator: petition.url, key: petition.key) }

    init(
        petition: PetitionManifest, origin: any PetitionOrigin, database: any Storage, now: UTCTime,
        progress: WorkProgress
    ) {
        self.petition = petition
        self.now = now
        self.origin = origin
        self.database = database
        self.progress = progress
    }

    func keep(_ db: Transaction) throws {
        for roll in rolls { try roll.descriptor.follow(db) }
        for draft in drafts { try draft.keep(db) }
    }

    func discard() {
        for draft in drafts { draft.discard(in: database) }
    }

    // MARK: Reading

    /// Reads rolls first and announcements last, so that the latter can include all rolls.
    mutating func read() async throws {
        proof = try await readProof()
        for index in petition.rolls.indices { rolls.append(try await readRoll(index)) }
        try await readAnnouncements()
    }

    private func readProof() async throws -> WitnessedProof? {
        guard let policy = petition.witnesses else { return nil }
        let address = Announcement.proofAddress(of: petition)
        func refusal(_ reason: String) -> PetitionRefusal {
            .announcementNotWitnessed(address: address, reason: reason)
        }
        let bytes: [UInt8]?
        do { bytes = try await origin.announcement(of: petition) } catch let error as SourceError {
            throw PetitionRefusal(error)
        }
        guard let bytes else { throw refusal("there is none") }
        do throws(WitnessedProofError) {
            return try Announcement.witnessedProof(
                bytes, of: petition, under: policy, now: UInt64(clamping: now.seconds))
        } catch {
            throw refusal(error.explanation)
        }
    }

    private mutating func readRoll(_ index: Int) async throws -> RollReplay {
        let reference = petition.rolls[index]
        let source = origin.roll(index, of: petition)
        var roll = RollReplay(try await descriptor(reference, source), rootsAt: [reference.size])
        let demand = QuorumDemand(roll.descriptor.witnesses, now: UInt64(clamping: now.seconds))
        let members = OfflineCopy.membersLog(roll.descriptor, source: source, prefix: "members", demand: demand)
        try await roll.catchUpMembers(with: database)
        try await readOn(members, roll.tree, source) { roll.appendMembers(RollEntry.parse($0), leaves: $1) }
        let enrolment = OfflineCopy.enrolmentLog(roll.descriptor, source: source, prefix: "enrolment", demand: demand)
        try await roll.catchUpEnrolment(with: database)
        try await readOn(enrolment, roll.enrolment?.tree ?? GrowingTree(), source) {
            roll.appendEnrolment($0, leaves: $1)
        }
        return roll
    }

    private func descriptor(
        _ reference: PetitionManifest.RollReference, _ source: any ResourceSource
    ) async throws -> RollDescriptor {
        if let kept = try database.read({ try RollDescriptor.followed($0, reference.id) }) { return kept }
        let note: [UInt8]?
        do { note = try await source.read("", limit: SignedNote.maximumCount) } catch { throw PetitionRefusal(error) }
        guard let note else {
            throw PetitionRefusal.unreadable(location: reference.url.text, reason: "there is no roll")
        }
        let descriptor: RollDescriptor
        do { descriptor = try RollDescriptor(parsing: note) } catch {
            throw PetitionRefusal.descriptorWrong(roll: reference.url.text, reason: error.explanation)
        }
        guard descriptor.id == reference.id, descriptor.coordinator == reference.coordinator else {
            throw PetitionRefusal.descriptorWrong(roll: reference.url.text, reason: "it is another roll")
        }
        // The descriptor excludes its own coordinator, and knows no aggregators.
        let servers = [petition.key] + petition.aggregators.map(\.key)
        if let own = descriptor.witnesses?.keys.first(where: { key in servers.contains { $0 == key.ed25519 } }) {
            throw AggregatorError.ownKeyAsWitness(name: own.name)
        }
        return descriptor
    }

    private mutating func readAnnouncements() async throws {
        let source = origin.coordinator(of: petition)
        let log = OfflineCopy.announcementsLog(
            coordinator: petition.url, key: petition.key, source: source, prefix: OfflineCopy.announcements)
        var tree = GrowingTree()
        var ledger = AnnouncementLedger(rootsAt: proof.map { [$0.head.checkpoint.size] } ?? [])
        try await FollowedLog(key: log.key).forEachBatch(from: 0, in: database) { entries in
            for entry in entries {
                tree.append(MerkleHash.leaf(entry))
                ledger.append(entry)
            }
        }
        try await readOn(log, tree, source) { entries, _ in
            for entry in entries { ledger.append(entry) }
        }
        announced = ledger
    }

    /// Reads the entries of a log that follow those already kept.
    private mutating func readOn(
        _ log: PublishedLog, _ tree: GrowingTree, _ source: any ResourceSource,
        _ body: ([[UInt8]], LeafHashes) -> Void
    ) async throws {
        do {
            let draft = try await FollowedDraft.read(
                log, upTo: try await log.readCheckpoint(), continuing: tree, into: database, progress: progress, body)
            if let draft { drafts.append(draft) }
        } catch let error as LogReadError {
            throw PetitionRefusal(error, log: log.key.name, source)
        }
    }

    // MARK: Judging

    /// Throws the first reason why the petition is not accepted.
    func judge() throws(PetitionRefusal) {
        guard announced.isAnnounced(petition.id) else { throw .petitionNotAnnounced(log: announcements.name) }
        if let seen = proof?.head.checkpoint, !announced.continues(seen) {
            throw .announcementsOtherThanWitnessed(log: announcements.name, size: seen.size)
        }
        for roll in rolls where !announced.isAnnounced(roll.descriptor) {
            throw .rollNotAnnounced(
                roll: roll.descriptor.url.text, log: announcements.name,
                other: announced.roll(under: roll.descriptor.link))
        }
        for (reference, roll) in zip(petition.rolls, rolls) {
            try Self.judgeMembers(roll, under: reference)
            try Self.judgeEnrolment(roll, under: reference)
        }
        // Keys shared by later rings do no harm.
        if let shared = SharedBetweenRolls.find(petition, rolls: rolls).first(where: \.isBinding) {
            func url(_ index: Int) -> String { petition.rolls[index].url.text }
            throw .rollsShare(shared.rule, roll: url(shared.roll), other: url(shared.other))
        }
    }

    private static func judgeMembers(
        _ roll: RollReplay, under reference: PetitionManifest.RollReference
    ) throws(PetitionRefusal) {
        let log = roll.descriptor.membersKey.name
        guard roll.tree.size >= reference.size else {
            throw .logTooShort(log: log, size: roll.tree.size, needed: reference.size)
        }
        guard roll.isReferred(by: reference) else { throw .rootMismatch(log: log, size: reference.size) }
        if let fault = roll.faultAtEnd, fault.index < reference.size { throw .rollAtFault(log: log, fault) }
        guard roll.endsOnSeal(at: reference) else {
            throw .rollAtFault(log: log, LogFault(index: reference.size - 1, rule: .ringSize))
        }
    }

    /// Judges the part of the enrolment log that is named by the seals below the manifest's size.
    private static func judgeEnrolment(
        _ roll: RollReplay, under reference: PetitionManifest.RollReference
    ) throws(PetitionRefusal) {
        let log = roll.descriptor.enrolmentLogKey.name
        let rings = roll.ledger.rings.prefix { reference.fixes(sealAt: $0.sealIndex) }
        let needed = rings.last?.enrolmentSize ?? 0
        guard let enrolment = roll.enrolment, enrolment.size >= needed else {
            throw .logTooShort(log: log, size: roll.enrolment?.size ?? 0, needed: needed)
        }
        if let fault = enrolment.fault, fault.index < needed { throw .rollAtFault(log: log, fault) }
        if let fault = enrolment.sealFault, fault.ring < rings.count {
            throw .rollAtFault(
                log: roll.descriptor.membersKey.name,
                LogFault(index: rings[fault.ring].sealIndex, rule: fault.rule))
        }
    }
}

extension PetitionRefusal {
    fileprivate init(_ error: SourceError) {
        self = .unreadable(location: error.location, reason: error.reason)
    }

    /// The refusal for a log in `source` that could not be read.
    fileprivate init(_ error: LogReadError, log: String, _ source: any ResourceSource) {
        self =
            switch error {
            case .source(let error): .init(error)
            case .missing(let path): .unreadable(location: source.location(of: path), reason: "it is missing")
            case .tooManyEntries(let size, let limit):
                .unreadable(
                    location: log,
                    reason: "it says that it has \(size) entries, and no log of its kind has over \(limit)")
            case .witnesses(let error): .unreadable(location: log, reason: error.explanation)
            default: .logWrong(log: log, error)
            }
    }
}
