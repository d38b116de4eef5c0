import Bytes
import Foundation
import GRDB
import LogStorage
import Petitions
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF

/// The enrolment keys of the rolls, read once each.
///
/// A key is only ever used inside ``VOPRFServer``; this type hands out no copy.
final class EnrolmentKeys: @unchecked Sendable {
    // Sendable: the dictionary is only touched under the lock.
    private let lock = NSLock()
    private var servers: [String: KeyHolder] = [:]
    private let folder: String

    private final class KeyHolder: Sendable {
        let server: VOPRFServer
        init(seed: borrowing SecretBytes) {
            server = VOPRFServer(seed: seed, info: Coordinator.enrolmentKeyInfo)
        }
    }

    init(folder: String) {
        self.folder = folder
    }

    func with<T>(_ slug: String, _ body: (borrowing VOPRFServer) throws -> T) throws -> T {
        let holder = try lock.withLock {
            if let known = servers[slug] { return known }
            let seed = try KeyFile.read(at: Coordinator.enrolmentKeyPath(folder, slug: slug))
            let holder = KeyHolder(seed: seed)
            servers[slug] = holder
            return holder
        }
        return try body(holder.server)
    }
}

/// What signers ask of the coordinator. Each broken rule is thrown as a ``Rule``.
extension Coordinator {
    /// The answer to a join.
    enum JoinAnswer: Equatable {
        case pending
        case sealed(ring: UInt32)
    }

    /// Checks that ``issue(roll:code:blinded:keys:)`` may be asked this now, and changes nothing: wrong codes, which anybody can
    /// send, do not stand in the way of whoever does change something.
    func checkIssue(roll slug: String, code: InvitationCode, blinded: BlindedElement) throws {
        try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            _ = try answer(db, roll, code: code, blinded: blinded)
        }
    }

    /// What was answered to this question before, nil if it is new.
    private func answer(
        _ db: Database, _ roll: RollStore, code: InvitationCode, blinded: BlindedElement
    ) throws -> IssuedEntry? {
        let known = try roll.code(db, hash: code.hash)
        if let issued = known?.issued, issued.blinded == blinded { return issued }
        try roll.state.checkIssue(code: known?.state)
        return nil
    }

    /// Answers a code with an evaluation. It is recorded and logged before it is answered; the same question gets the same
    /// answer again in any phase.
    func issue(roll slug: String, code: InvitationCode, blinded: BlindedElement, keys: EnrolmentKeys) throws
        -> IssuedEntry
    {
        try change(slug) { db, roll in
            // The rules are asked before the key is used: a wrong code costs no evaluation.
            if let known = try answer(db, roll, code: code, blinded: blinded) { return known }
            return try keys.with(slug) { server in
                let (evaluated, proof) = server.blindEvaluate(blinded)
                let entry = IssuedEntry(codeHash: code.hash, blinded: blinded, evaluated: evaluated, proof: proof)
                try roll.append(db, [.issued(entry)], key: noteKey)
                return entry
            }
        }
    }

    /// Checks that this coordinator issued the token for the key.
    func checkToken(roll slug: String, member: GroupElement, token: GroupElement, keys: EnrolmentKeys) throws {
        guard let descriptor = try database.read({ try RollStore($0, slug: slug) })?.descriptor else {
            throw CoordinatorError.noSuchRoll(slug: slug)
        }
        let input = MemberKey.tokenInput(roll: descriptor.id, member: member)
        guard try keys.with(slug, { $0.isValid(token: token, for: input) }) else { throw Rule.tokenInvalid }
    }

    /// Takes a member's key, whose token was checked; who asks is not known and not looked at.
    func join(roll slug: String, member: GroupElement) throws -> JoinAnswer {
        try change(slug) { db, roll in
            let row = try Row.fetchOne(
                db, sql: "SELECT ring FROM member WHERE roll = ? AND key = ?",
                arguments: [roll.id, Data(member.encoding.array)])
            if let row {
                let ring = row["ring"] as UInt32?
                return ring.map { .sealed(ring: $0) } ?? .pending
            }
            guard roll.state.isJoining else { throw Rule.joiningClosed }
            try db.execute(
                sql: "INSERT INTO member (roll, key) VALUES (?, ?)",
                arguments: [roll.id, Data(member.encoding.array)])
            return .pending
        }
    }
}
