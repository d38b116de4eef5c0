import Bytes
import Foundation
import GRDB
import LogStorage
import Petitions
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF

/// What the coordinator's keeper does with rolls.
extension Coordinator {
    /// Makes a roll: its enrolment key, descriptor and logs, and announces it.
    public func createRoll(
        slug: String, name: String, ringCapacity: Int, minimumRing: Int
    ) throws -> RollDescriptor {
        guard let rollURL = url.appending("rolls", slug) else { throw CoordinatorError.badSlug(slug) }
        guard try database.read({ try RollStore($0, slug: slug) }) == nil else {
            throw CoordinatorError.rollExists(slug: slug)
        }
        // A trial first: a document that breaks a rule must not leave a key file behind.
        _ = try descriptor(name, rollURL, GroupElement.base, ringCapacity, minimumRing)
        let seed = try KeyFile.create(at: Self.enrolmentKeyPath(folder, slug: slug))
        let server = VOPRFServer(seed: seed, info: Self.enrolmentKeyInfo)
        let descriptor = try descriptor(name, rollURL, server.publicKey, ringCapacity, minimumRing)
        try write { db in
            let now = UTCTime.now.seconds
            try db.execute(
                sql: "INSERT INTO roll (slug, note) VALUES (?, ?)", arguments: [slug, Data(descriptor.note)])
            _ = try StoredLog.create(db, origin: descriptor.membersKey.name, key: noteKey, now: now)
            _ = try StoredLog.create(db, origin: descriptor.enrolmentLogKey.name, key: noteKey, now: now)
            _ = try announcements(db).append(db, [Announcement.roll(descriptor.id).bytes], key: noteKey, now: now)
        }
        return descriptor
    }

    private func descriptor(
        _ name: String, _ url: ServiceURL, _ enrolmentKey: GroupElement, _ ringCapacity: Int, _ minimumRing: Int
    ) throws -> RollDescriptor {
        do {
            return try RollDescriptor.make(
                name: name, url: url, enrolmentKey: enrolmentKey, ringCapacity: ringCapacity,
                minimumRing: minimumRing, key: noteKey)
        } catch {
            throw CoordinatorError.document(error)
        }
    }

    /// Runs `body` on a roll inside one transaction.
    func change<T>(_ slug: String, _ body: (Database, inout RollStore) throws -> T) throws -> T {
        try write { db in
            guard var roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            return try body(db, &roll)
        }
    }

    /// Invites one person for each label. The codes exist only in the links given to `deliver`, which must make them
    /// durable: it runs before the invitations are committed, and if it fails nobody was invited.
    public func invite(
        roll slug: String, labels: [String], deliver: ([InvitationLink]) throws -> Void
    ) throws {
        try change(slug) { db, roll in
            let links = labels.map { _ in InvitationLink(roll: roll.descriptor.url, code: .random()) }
            let hashes = links.map(\.code.hash)
            // In the order of the hashes, not of the list of people: a list in alphabetical order would otherwise tell
            // everybody whose code was used.
            try roll.append(
                db, hashes.sorted().map { .invited(codeHash: $0) },
                labels: Dictionary(zip(hashes, labels), uniquingKeysWith: { first, _ in first }), key: noteKey)
            try deliver(links)
        }
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
            try roll.append(db, [.voided(codeHash: hash)], key: noteKey)
        }
    }

    /// Opens joining: from now on members join, and no code is issued. Answers the round.
    public func openJoining(roll slug: String) throws -> UInt32 {
        try change(slug) { db, roll in
            guard !roll.state.isJoining else { throw CoordinatorError.wrongPhase(isJoining: true) }
            let need = UInt64(roll.descriptor.minimumRing)
            guard roll.state.issuedInRound >= need else {
                throw CoordinatorError.tooFew(have: roll.state.issuedInRound, need: need)
            }
            let round = roll.state.round
            try roll.append(db, [.joiningOpens(round: round)], key: noteKey)
            return round
        }
    }

    /// Opens issuing for the next round. Answers the round.
    public func openIssuing(roll slug: String) throws -> UInt32 {
        try change(slug) { db, roll in
            guard roll.state.isJoining else { throw CoordinatorError.wrongPhase(isJoining: false) }
            let round = roll.state.round + 1
            try roll.append(db, [.issuingOpens(round: round)], key: noteKey)
            return round
        }
    }

    /// Seals the waiting members into rings. Members, seals and the end of their waiting are one transaction, so that
    /// every published checkpoint of the roll log ends on a seal. Answers the sizes of the new rings.
    public func seal(roll slug: String) throws -> [Int] {
        try change(slug) { db, roll in
            guard roll.state.isJoining else { throw CoordinatorError.wrongPhase(isJoining: false) }
            let pending = try roll.pending(db)
            let need = roll.descriptor.minimumRing
            guard pending.count >= need else {
                throw CoordinatorError.tooFew(have: UInt64(pending.count), need: UInt64(need))
            }
            let enrolment = try roll.enrolment.head(db).checkpoint
            let rings = RollLedger.rings(cutting: pending, ringCapacity: roll.descriptor.ringCapacity)
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
            let total = try UInt64.fetchOne(
                db, sql: "SELECT COUNT(*) FROM member WHERE roll = ? AND ring IS NOT NULL", arguments: [roll.id])
            try roll.state.checkSeal(membersSoFar: total ?? 0)
            _ = try roll.members.append(db, entries.map(\.bytes), key: noteKey, now: UTCTime.now.seconds)
            return rings.map(\.count)
        }
    }

    /// How a roll stands.
    public struct RollStatus: Sendable {
        /// The roll.
        public let descriptor: RollDescriptor
        /// Phase, round and counts.
        public let enrolment: EnrolmentState
        /// Members that wait for a ring.
        public let pending: Int
        /// Sealed rings.
        public let rings: Int
        /// Members in sealed rings.
        public let members: Int
    }

    /// How every roll stands, in the order of their making.
    public func rollStatus() throws -> [RollStatus] {
        try database.read { db in
            try String.fetchAll(db, sql: "SELECT slug FROM roll ORDER BY id").compactMap { slug in
                guard let roll = try RollStore(db, slug: slug) else { return nil }
                let sealed = try Int.fetchOne(
                    db, sql: "SELECT COUNT(*) FROM member WHERE roll = ? AND ring IS NOT NULL", arguments: [roll.id])
                return RollStatus(
                    descriptor: roll.descriptor, enrolment: roll.state, pending: try roll.pending(db).count,
                    rings: Int(try roll.ringCount(db)), members: sealed ?? 0)
            }
        }
    }
}
