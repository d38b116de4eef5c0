import Bytes
import Documents
import Foundation
import InvitationMail
import LogStorage
import LogWitnessing
import MailDelivery
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Storage
import TransparencyLog
import VOPRF
import Witnessing

/// The operator's actions on rolls.
extension Coordinator {
    /// Creates a roll, with its enrolment key, descriptor and logs, and announces it. With `witnesses`, nothing of its
    /// logs is shown before a quorum of them has cosigned it.
    public func createRoll(
        slug text: String, name: String, terms: RollTerms, admission: RollAdmission = .list,
        witnesses: WitnessPolicy? = nil
    ) throws -> RollDescriptor {
        guard let slug = RollSlug(text) else { throw CoordinatorError.badSlug(text) }
        guard try database.read({ try RollStore($0, slug: text) }) == nil else {
            throw CoordinatorError.rollExists(slug: text)
        }
        let link = RollLink(coordinator: url, slug: slug)
        // A trial first, so that a document that breaks a rule leaves no key file behind.
        _ = try descriptor(name, link, GroupElement.base, terms, admission, witnesses)
        // An attempt that failed may have left it.
        let seed = try KeyFile.readOrCreate(at: Self.enrolmentKeyPath(folder, slug: text))
        let server = VOPRFServer(seed: seed, info: Self.enrolmentKeyInfo)
        let descriptor = try descriptor(name, link, server.publicKey, terms, admission, witnesses)
        if admission.isOpen { _ = try KeyFile.readOrCreate(at: Self.openKeyPath(folder, slug: text)) }
        try write { db in
            let now = clock.now.seconds
            let index = try announce(db, [descriptor], petition: nil, now: now)
            try db.execute(
                sql: "INSERT INTO roll (rollId, slug, note, announcedAt, asking) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    descriptor.id.hex, text, Data(descriptor.note), Int64(index),
                    admission.isOpen ? Asking.open.rawValue : nil,
                ])
            _ = try StoredLog.create(db, origin: descriptor.membersKey.name, key: noteKey, now: now)
            _ = try StoredLog.create(db, origin: descriptor.enrolmentLogKey.name, key: noteKey, now: now)
            try RollStore(db, slug: text)?.publishStep(db, now: clock.now)
            if admission.isOpen { try setSchedule(db, roll: text, .standard) }
            if let witnesses { try WitnessAddresses.set(db, ofPolicy: witnesses) }
        }
        return descriptor
    }

    private func descriptor(
        _ name: String, _ link: RollLink, _ enrolmentKey: GroupElement, _ terms: RollTerms,
        _ admission: RollAdmission, _ witnesses: WitnessPolicy?
    ) throws -> RollDescriptor {
        do {
            return try RollDescriptor.make(
                name: name, link: link, enrolmentKey: enrolmentKey, terms: terms, admission: admission,
                witnesses: witnesses, key: noteKey)
        } catch {
            throw CoordinatorError.document(error)
        }
    }

    /// Runs `body` on a roll inside one transaction.
    func change<T>(_ slug: String, _ body: (Transaction, inout RollStore) throws -> T) throws -> T {
        try write { db in
            guard var roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            return try body(db, &roll)
        }
    }

    /// Invites people. The codes exist only in the links passed to `deliver`, which must make them durable. It runs
    /// before the invitations are committed; if it throws, nobody is invited. Whoever was invited to this roll before
    /// is refused unless `isAgain`: two codes are two votes.
    public func invite(
        roll slug: String, _ people: [PeopleList.Person], isAgain: Bool = false,
        deliver: ([InvitationLink]) throws -> Void
    ) throws {
        try change(slug) { db, roll in
            try roll.checkInvitesByList()
            if !isAgain { try checkNew(people, db, roll) }
            let links = people.map { _ in InvitationLink(roll: roll.descriptor.link, code: .random()) }
            try invite(db, &roll, Array(zip(links.map(\.code), people.map(\.label))))
            try deliver(links)
        }
    }

    /// Appends the invitations with these codes, each with the label of its person.
    func invite(_ db: Transaction, _ roll: inout RollStore, _ codes: [(InvitationCode, String)]) throws {
        let labels = Dictionary(codes.map { ($0.hash, $1) }, uniquingKeysWith: { first, _ in first })
        // In the order of the hashes, not of the list of people: an alphabetical list would otherwise reveal to
        // everyone whose code was used.
        try roll.append(
            db, labels.keys.sorted().map { .invited(codeHash: $0) }, labels: labels, key: noteKey, now: clock.now)
    }

    /// Checks that nobody has a code already that is not voided, by the same row or at the same address.
    func checkNew(_ people: [PeopleList.Person], _ db: Transaction, _ roll: RollStore) throws {
        let labels = try String.fetchAll(
            db, sql: "SELECT label FROM code WHERE roll = ? AND state != ?",
            arguments: [roll.id, CodeState.voided.rawValue]
        ).map(folded)
        let joiner = ", "
        var invited = Set<String>()
        for label in labels {
            invited.insert(label)
            for cell in label.split(separator: joiner) { invited.insert(folded(String(cell))) }
        }
        for person in people {
            for value in [person.address, person.label].compactMap({ $0 }) where invited.contains(folded(value)) {
                throw CoordinatorError.invitedBefore(line: person.line, value: value)
            }
            // An address that itself has what joins the cells of a label, as almost none has, is looked for in each.
            guard let address = person.address, address.contains(joiner) else { continue }
            let part = "\(joiner)\(folded(address))\(joiner)"
            if labels.contains(where: { "\(joiner)\($0)\(joiner)".contains(part) }) {
                throw CoordinatorError.invitedBefore(line: person.line, value: address)
            }
        }
        try checkFree(people.compactMap { person in person.address.flatMap { try? MailAddress($0) } }, db, roll)
    }

    /// Voids the unused code of the person with this label.
    public func void(roll slug: String, label: String) throws {
        try change(slug) { db, roll in
            let hashes = try Data.fetchAll(
                db, sql: "SELECT hash FROM code WHERE roll = ? AND label = ? AND state = ?",
                arguments: [roll.id, label, CodeState.invited.rawValue])
            guard hashes.count == 1, let hash = Bytes32(hashes[0]) else {
                throw CoordinatorError.labelNotUnique(label: label, matches: hashes.count)
            }
            try roll.append(db, [.voided(codeHash: hash)], key: noteKey, now: clock.now)
        }
    }

    /// What became of codes that were to be voided.
    public struct Voiding: Equatable, Sendable {
        /// The labels of those that are void now.
        public internal(set) var voided: [String] = []
        /// The labels of those that were used before: whoever enrolled stays enrolled.
        public internal(set) var used: [String] = []
        /// How many were void already.
        public internal(set) var already = 0
        /// How many are not of this roll.
        public internal(set) var unknown = 0
    }

    /// Voids all codes of a roll that nobody has used, or those of them in `only`. Returns the labels of their people,
    /// or throws if these are not as many as `expected`: somebody enrolled, or was invited, since they were counted.
    public func voidUnused(roll slug: String, only: Set<Bytes32>? = nil, expected: Int) throws -> [String] {
        try change(slug) { db, roll in
            let unused = try Row.fetchAll(
                db, sql: "SELECT hash, label FROM code WHERE roll = ? AND state = ?",
                arguments: [roll.id, CodeState.invited.rawValue]
            ).map { row in
                guard let hash = Bytes32(row["hash"] as Data) else { throw StorageError.damaged("a code's hash") }
                return (hash: hash, label: row["label"] as String)
            }
            let meant = unused.filter { only?.contains($0.hash) ?? true }
            guard meant.count == expected else { throw CoordinatorError.unusedChanged(from: expected, to: meant.count) }
            guard !meant.isEmpty else { return [] }
            try roll.append(db, meant.map(\.hash).sorted().map { .voided(codeHash: $0) }, key: noteKey, now: clock.now)
            return meant.map(\.label).sorted()
        }
    }

    /// Voids those of `codes` that are unused, in one step.
    public func void(roll slug: String, codes: [InvitationCode]) throws -> Voiding {
        try change(slug) { db, roll in
            var outcome = Voiding()
            var hashes: [Bytes32] = []
            for hash in Set(codes.map(\.hash)) {
                let state = try roll.code(db, hash: hash)?.state
                let label = try roll.label(db, hash: hash)
                switch state {
                case .invited:
                    hashes.append(hash)
                    outcome.voided.append(label)
                case .issued: outcome.used.append(label)
                case .voided: outcome.already += 1
                case nil: outcome.unknown += 1
                }
            }
            outcome.voided.sort()
            outcome.used.sort()
            guard !hashes.isEmpty else { return outcome }
            try roll.append(db, hashes.sorted().map { .voided(codeHash: $0) }, key: noteKey, now: clock.now)
            return outcome
        }
    }

    /// A person who was invited to a roll.
    public struct InvitedPerson: Sendable {
        /// The cells of the person's row, joined.
        public let label: String
        /// What became of the code.
        public let code: CodeState
        /// The hash of the code.
        public let hash: Bytes32
        /// The mail with the code; nil if it was not sent by mail.
        public let mail: Outbox.Mail?
    }

    /// Everybody who was invited to a roll, by label.
    public func people(roll slug: String) throws -> [InvitedPerson] {
        let mails = Dictionary(
            try existingOutbox()?.mails(roll: slug).map { ($0.codeHash, $0) } ?? [],
            uniquingKeysWith: { first, _ in first })
        return try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            return try Row.fetchAll(
                db, sql: "SELECT label, state, hash FROM code WHERE roll = ? ORDER BY label", arguments: [roll.id]
            ).map { row in
                guard let code = CodeState(rawValue: row["state"]), let hash = Bytes32(row["hash"] as Data) else {
                    throw StorageError.damaged("a code")
                }
                return InvitedPerson(label: row["label"], code: code, hash: hash, mail: mails[hash])
            }
        }
    }

    /// Opens joining: from now on members may join, and no codes are issued. Returns the new state of the enrolment.
    public func openJoining(roll slug: String) throws -> EnrolmentState {
        try change(slug) { db, roll in
            try openJoining(db, &roll)
            return roll.state
        }
    }

    func openJoining(_ db: Transaction, _ roll: inout RollStore) throws {
        guard !roll.state.isJoining else { throw CoordinatorError.wrongPhase(isJoining: true) }
        let need = UInt64(roll.descriptor.terms.minimumRing)
        guard roll.state.issuedInRound >= need else {
            throw CoordinatorError.tooFew(have: roll.state.issuedInRound, need: need)
        }
        let opened = UInt64(max(0, clock.now.seconds))
        try roll.append(db, [.joiningOpens(round: roll.state.round, opened: opened)], key: noteKey, now: clock.now)
    }

    /// Opens issuing for the next round. Returns the number of the round.
    public func openIssuing(roll slug: String) throws -> UInt32 {
        try change(slug) { db, roll in try openIssuing(db, &roll) }
    }

    func openIssuing(_ db: Transaction, _ roll: inout RollStore) throws -> UInt32 {
        try checkJoiningMayEnd(db, roll)
        let round = roll.state.round + 1
        try roll.append(db, [.issuingOpens(round: round)], key: noteKey, now: clock.now)
        return round
    }

    /// A joining phase must last the time in the descriptor: a member that is informed late, or is slow, must not be
    /// the only one missing.
    func checkJoiningMayEnd(_ db: Transaction, _ roll: RollStore) throws {
        guard roll.state.isJoining else { throw CoordinatorError.wrongPhase(isJoining: false) }
        let seconds = roll.descriptor.terms.joiningSeconds
        let joined = try roll.sealedCount(db) + UInt64(roll.pendingCount(db))
        guard
            roll.state.mayEndJoining(at: UInt64(max(0, clock.now.seconds)), joiningSeconds: seconds, joined: joined)
        else {
            let until = UTCTime(seconds: Int64(clamping: roll.state.opened) + Int64(seconds))
            throw CoordinatorError.joiningTakesTime(until: until, joined: joined, issued: roll.state.issued)
        }
        guard roll.descriptor.witnesses != nil, seconds > 0, joined < roll.state.issued else { return }
        // The window counts from when witnesses saw it open: for all that others know, it was not open before.
        if let end = try roll.witnessedEnd(db), clock.now.seconds < Int64(clamping: end) {
            throw CoordinatorError.joiningTakesTime(
                until: UTCTime(seconds: Int64(clamping: end)), joined: joined, issued: roll.state.issued)
        }
        guard try roll.isWindowWitnessed(db) else { throw CoordinatorError.windowNotWitnessed }
    }

    /// Seals the waiting members into rings. Member entries, seals and the members' new state are one transaction, so
    /// that every published checkpoint of the roll log ends on a seal. Returns the sizes of the new rings.
    public func seal(roll slug: String) throws -> [Int] {
        try change(slug) { db, roll in try seal(db, &roll) }
    }

    func seal(_ db: Transaction, _ roll: inout RollStore) throws -> [Int] {
        try checkJoiningMayEnd(db, roll)
        let pending = try roll.pending(db)
        let need = roll.descriptor.terms.minimumRing
        guard pending.count >= need else {
            throw CoordinatorError.tooFew(have: UInt64(pending.count), need: UInt64(need))
        }
        let enrolment = try roll.enrolment.head(db).checkpoint
        let rings = RollLedger.rings(cutting: pending, ringCapacity: roll.descriptor.terms.ringCapacity)
        var number = try roll.ringCount(db)
        var entries: [RollEntry] = []
        for ring in rings {
            entries += ring.map { .member($0) }
            entries.append(.seal(enrolmentSize: enrolment.size, enrolmentRoot: enrolment.root))
            for member in ring {
                try db.execute(
                    sql: "UPDATE member SET ring = ? WHERE roll = ? AND key = ?",
                    arguments: [number, roll.id, Data(member.encoding.array)])
            }
            number += 1
        }
        try roll.state.checkSeal(membersSoFar: try roll.sealedCount(db))
        _ = try roll.members.append(db, entries.map(\.bytes), key: noteKey, now: clock.now.seconds)
        try db.execute(sql: "UPDATE roll SET sealedInRound = 1 WHERE id = ?", arguments: [roll.id])
        return rings.map(\.count)
    }

    /// The status of a roll.
    public struct RollStatus: Sendable {
        /// The roll.
        public let descriptor: RollDescriptor
        /// The phase, the round and the counts.
        public let enrolment: EnrolmentState
        /// The number of members waiting for a ring.
        public let pending: Int
        /// The number of sealed rings.
        public let rings: Int
        /// The number of members in sealed rings.
        public let members: Int
        /// What is kept of the people.
        public let kept: Kept
        /// Whether invitations can be asked for; nil in a roll by a list.
        public let asking: Asking?
        /// When its phases follow each other by themselves, and what comes next; nil if its operator does that.
        public let schedule: (RoundSchedule, RoundSchedule.Outlook)?
    }

    /// The status of every roll, in order of creation.
    public func rollStatus() throws -> [RollStatus] {
        let outbox = try existingOutbox()
        return try database.read { db in
            try String.fetchAll(db, sql: "SELECT slug FROM roll ORDER BY id").compactMap { slug in
                guard let roll = try RollStore(db, slug: slug) else { return nil }
                return RollStatus(
                    descriptor: roll.descriptor, enrolment: roll.state, pending: try roll.pendingCount(db),
                    rings: Int(try roll.ringCount(db)), members: Int(try roll.sealedCount(db)),
                    kept: try roll.kept(db, outbox),
                    asking: roll.asking,
                    schedule: try roll.schedule(db).map { ($0, $0.outlook(of: try roll.scheduledRound(db))) })
            }
        }
    }
}
