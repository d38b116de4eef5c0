import Bytes
import Documents
import Foundation
import LogStorage
import LogWitnessing
import Petitions
import Sodium
import Storage
import TransparencyLog
import Witnessing

/// The operator's actions on petitions.
extension Coordinator {
    /// The current state of a roll to which a new petition refers.
    public struct PetitionRoll: Sendable {
        /// The roll, with both of its logs.
        public let roll: RollReplay
        /// The label shown instead of the roll's name.
        public let label: String?
        /// Whether rings sealed later are admitted too.
        public let laterRings: Bool

        /// A roll for ``Coordinator/draftPetition(text:rolls:aggregators:)``.
        public init(roll: RollReplay, label: String?, laterRings: Bool) {
            self.roll = roll
            self.label = label
            self.laterRings = laterRings
        }

        fileprivate var reference: PetitionManifest.RollReference {
            .init(
                id: roll.descriptor.id, coordinator: roll.descriptor.coordinator, label: label, size: roll.tree.size,
                root: roll.tree.root, laterRings: laterRings)
        }

        /// A petition fixes all existing rings, so none of them may break a rule.
        fileprivate func check() throws {
            let descriptor = roll.descriptor
            if let fault = roll.faultAtEnd {
                throw CoordinatorError.rollAtFault(log: descriptor.membersKey.name, fault)
            }
            guard roll.tree.size > 0 || laterRings else {
                throw CoordinatorError.nothingSealed(roll: descriptor.link.slug.text)
            }
            if let fault = roll.enrolment?.faultAtEnd {
                throw CoordinatorError.rollAtFault(log: descriptor.enrolmentLogKey.name, fault)
            }
            guard let enrolment = roll.enrolment, enrolment.goodSeals == roll.ledger.rings.count else {
                let ring = roll.ledger.rings[roll.enrolment?.goodSeals ?? 0]
                let rule = roll.enrolment?.sealFault?.rule ?? .rootMismatch
                throw CoordinatorError.rollAtFault(
                    log: descriptor.membersKey.name, LogFault(index: ring.sealIndex, rule: rule))
            }
        }
    }

    /// The descriptor of a roll of this coordinator.
    public func roll(named slug: String) throws -> RollDescriptor {
        try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            return roll.descriptor
        }
    }

    /// The descriptors of all rolls of this coordinator, oldest first.
    func rolls() throws -> [RollDescriptor] {
        try database.read { db in
            try String.fetchAll(db, sql: "SELECT slug FROM roll ORDER BY id").compactMap {
                try RollStore(db, slug: $0)?.descriptor
            }
        }
    }

    /// The current state of a roll of this coordinator, replayed from its logs.
    public func roll(_ slug: String) throws -> RollReplay {
        try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            return try roll.replay(db)
        }
    }

    /// A petition that nobody has seen yet: its rolls are checked, and nothing is stored.
    public struct DraftPetition: Sendable {
        /// The petition as it would be announced.
        public let manifest: PetitionManifest
        /// Its rolls, in its order.
        public let rolls: [RollDescriptor]

        /// What each roll is counted with.
        public var groups: [TallyGroup] { zip(manifest.rolls, rolls).map { TallyGroup($0, $1) } }

        /// One label stands for one way of admission: a count of both would say what neither is worth.
        fileprivate func checkLabels() throws {
            var known: [String: RollAdmission.Kind] = [:]
            for group in groups {
                guard known.updateValue(group.admission, forKey: group.label) ?? group.admission == group.admission
                else { throw CoordinatorError.labelOfTwoAdmissions(group.label) }
            }
        }
    }

    /// Makes a petition, to be looked at before it is announced.
    public func draftPetition(
        text: PetitionManifest.Text, rolls: [PetitionRoll], aggregators: [PetitionManifest.Aggregator],
        witnesses: WitnessPolicy? = nil
    ) throws -> DraftPetition {
        for roll in rolls { try roll.check() }
        let petition: PetitionManifest
        do {
            petition = try PetitionManifest.make(
                url: url, text: text, rolls: rolls.map(\.reference), aggregators: aggregators,
                witnesses: witnesses, key: noteKey)
        } catch {
            throw CoordinatorError.document(error)
        }
        if let shared = SharedBetweenRolls.find(petition, rolls: rolls.map(\.roll)).first {
            func link(_ index: Int) -> String { rolls[index].roll.descriptor.link.url.text }
            throw CoordinatorError.rollsShare(shared.rule, roll: link(shared.roll), other: link(shared.other))
        }
        let draft = DraftPetition(manifest: petition, rolls: rolls.map(\.roll.descriptor))
        try draft.checkLabels()
        return draft
    }

    /// Announces a petition. `deliver` gets it before the announcement is committed; if `deliver` throws, nothing is
    /// announced, since an announcement cannot be withdrawn.
    public func announce(_ draft: DraftPetition, deliver: (PetitionManifest) throws -> Void) throws {
        let petition = draft.manifest
        try write { db in
            let now = clock.now.seconds
            let index = try announce(db, draft.rolls, petition: petition.id, now: now)
            try db.execute(
                sql: "INSERT INTO petition (id, note, announcedAt) VALUES (?, ?, ?)",
                arguments: [petition.id.hex, Data(petition.note), Int64(index)])
            // The organiser wrote the policy, and was shown these addresses.
            if let policy = petition.witnesses { try WitnessAddresses.set(db, ofPolicy: policy) }
            try deliver(petition)
        }
    }

    /// Announces the rolls that are not announced yet, including those of other organisations, and then a petition. A
    /// signer looks for all of them in this log. Returns the index of the last entry.
    @discardableResult
    func announce(_ db: Transaction, _ rolls: [RollDescriptor], petition: PetitionID?, now: Int64) throws -> UInt64 {
        let log = try announcements(db)
        let size = try log.head(db).checkpoint.size
        var announced = AnnouncementLedger()
        for entry in try log.entries(db, 0..<size) { announced.append(entry) }
        var entries: [[UInt8]] = []
        for roll in rolls where !announced.isAnnounced(roll) {
            guard announced.roll(under: roll.link) == nil else {
                throw CoordinatorError.linkTaken(link: roll.link.url.text)
            }
            entries.append(Announcement.roll(roll).bytes)
            announced.append(Announcement.roll(roll).bytes)
        }
        if let petition { entries.append(Announcement.petition(petition).bytes) }
        _ = try log.append(db, entries, key: noteKey, now: now)
        return size + UInt64(entries.count) - 1
    }

    private static let known = ParsedDocuments { note throws(DocumentError) in try PetitionManifest(parsing: note) }

    /// All petitions, oldest first.
    public func petitions() throws -> [PetitionManifest] {
        try database.read { db in
            try Data.fetchAll(db, sql: "SELECT note FROM petition ORDER BY number").map {
                try Self.known([UInt8]($0))
            }
        }
    }

    /// The note of a petition; nil if there is none with this id.
    func petitionNote(_ id: String) throws -> [UInt8]? {
        try database.read { db in
            try Data.fetchOne(db, sql: "SELECT note FROM petition WHERE id = ?", arguments: [id]).map { [UInt8]($0) }
        }
    }

    /// The proof of the announcement of a petition; nil if there is none with this id. Under a policy it has the
    /// petition's quorum, and throws ``Rule/busy`` until there is one.
    func announcementProof(petition id: String) throws -> LogProof? {
        try announcementProof("SELECT note, announcedAt, witnessedNote FROM petition WHERE id = ?", id) {
            try Self.known($0).witnesses
        }
    }

    /// The same for a roll.
    func announcementProof(roll id: RollID) throws -> LogProof? {
        try announcementProof("SELECT note, announcedAt, witnessedNote FROM roll WHERE rollId = ?", id.hex) {
            try RollDescriptor(parsing: $0).witnesses
        }
    }

    private func announcementProof(
        _ query: String, _ id: String, policy: ([UInt8]) throws -> WitnessPolicy?
    ) throws -> LogProof? {
        let found = try database.read { db -> (LogProof, StoredLog.Head)? in
            let row = try Row.fetchOne(db, sql: query, arguments: [id])
            guard let row, let index = UInt64(exactly: row["announcedAt"] as Int64) else { return nil }
            let log = try announcements(db)
            let head = try log.head(db)
            guard try policy([UInt8](row["note"] as Data)) != nil else {
                return (try log.receipts(db, at: [index], in: head)[0], head)
            }
            guard let note = (row["witnessedNote"] as Data?).map({ [UInt8]($0) }) else { throw Rule.busy }
            let key = Announcement.logKey(coordinator: url, key: publicKey)
            let checkpoint = try Checkpoint(verifying: note, key: key)
            let witnessed = StoredLog.Head(checkpoint: checkpoint, note: note, signedAt: head.signedAt)
            return (try log.receipts(db, at: [index], in: witnessed)[0], head)
        }
        if let found { try remember([found.1]) }
        return found?.0
    }

    /// The policies of rolls and petitions whose announcement has no quorum yet, and of petitions that are not closed.
    func announcementPolicies() throws -> [WitnessPolicy] {
        let now = clock.now
        return try database.read { db in
            let petitions = try Row.fetchAll(
                db, sql: "SELECT note, witnessedNote IS NULL AS isOpen FROM petition ORDER BY number")
            let rolls = try Data.fetchAll(db, sql: "SELECT note FROM roll WHERE witnessedNote IS NULL ORDER BY id")
            return try petitions.compactMap { row in
                let petition = try Self.known([UInt8](row["note"] as Data))
                let isWanted = row["isOpen"] as Bool || petition.status(at: now) != .closed
                return isWanted ? petition.witnesses : nil
            } + rolls.compactMap { try RollDescriptor(parsing: [UInt8]($0)).witnesses }
        }
    }

    /// Keeps a cosigned checkpoint of the announcements log for each roll and petition that it is over, that has no
    /// such checkpoint yet, and whose quorum it has.
    func keepWitnessed(_ cosigned: CosignedHead) throws {
        try database.write { db in
            try keepWitnessed(db, cosigned, "petition", number: "number") { try Self.known($0).witnesses }
            try keepWitnessed(db, cosigned, "roll", number: "id") { try RollDescriptor(parsing: $0).witnesses }
        }
    }

    private func keepWitnessed(
        _ db: Transaction, _ cosigned: CosignedHead, _ table: String, number: String,
        policy: ([UInt8]) throws -> WitnessPolicy?
    ) throws {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT \(number) AS number, note FROM \(table) WHERE witnessedNote IS NULL AND announcedAt < ?",
            arguments: [Int64(cosigned.head.checkpoint.size)])
        for row in rows {
            guard let policy = try policy([UInt8](row["note"] as Data)), policy.quorumTime(cosigned.earliest) != nil
            else { continue }
            try db.execute(
                sql: "UPDATE \(table) SET witnessedNote = ? WHERE \(number) = ?",
                arguments: [Data(cosigned.earliestNote(by: policy.keys)), row["number"] as Int64])
        }
    }

    /// Remembers where a witness takes submissions.
    public func setWitness(_ key: WitnessKey, at url: ServiceURL) throws {
        try database.write { try WitnessAddresses.set($0, key, to: url) }
    }

    /// The keys of all logs of this coordinator, for witnesses to follow.
    func logKeys() throws -> [VerifierKey] {
        try database.read { db in
            try StoredLog.all(db).map { VerifierKey(name: $0.origin, publicKey: publicKey) }
        }
    }
}
