import Bytes
import Documents
import Foundation
import LogStorage
import Messages
import Petitions
import Platform
import RingSignatures
import Ristretto255
import Sodium
import Storage
import TransparencyLog
import VOPRF

/// The enrolment keys of the rolls, each read once.
///
/// A key is used only inside ``VOPRFServer``; this type hands out no copies.
final class EnrolmentKeys: Sendable {
    private let servers = Mutex<[String: KeyHolder]>([:])
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
        let holder = try servers.withLock { servers in
            if let known = servers[slug] { return known }
            let seed = try KeyFile.read(at: Coordinator.enrolmentKeyPath(folder, slug: slug))
            let holder = KeyHolder(seed: seed)
            servers[slug] = holder
            return holder
        }
        return try body(holder.server)
    }
}

/// What was issued for a code. It is stored, so that the same request gets the same answer again.
package struct IssuedEvaluation: Equatable, Sendable {
    /// The blinded element that the signer sent.
    package let blinded: BlindedElement
    /// Its evaluation with the roll's enrolment key.
    let evaluated: EvaluatedElement
    /// The proof that this key was used.
    let proof: DLEQProof

    /// `blinded || evaluated || proof`, 128 bytes.
    var stored: [UInt8] {
        blinded.element.encoding.array + evaluated.element.encoding.array + proof.encoding
    }

    init(blinded: BlindedElement, evaluated: EvaluatedElement, proof: DLEQProof) {
        self.blinded = blinded
        self.evaluated = evaluated
        self.proof = proof
    }

    /// Reads the form of ``stored``; nil for anything else.
    init?(stored bytes: [UInt8]) {
        var reader = ByteReader(bytes, from: 0)
        guard let blinded = reader.read32().flatMap({ try? GroupElement(decoding: $0) }),
            let evaluated = reader.read32().flatMap({ try? GroupElement(decoding: $0) }),
            let proof = reader.read(DLEQProof.count).flatMap({ try? DLEQProof(decoding: $0) }), reader.isAtEnd
        else { return nil }
        self.init(blinded: BlindedElement(blinded), evaluated: EvaluatedElement(evaluated), proof: proof)
    }
}

/// The requests of signers to the coordinator. Each broken rule is thrown as a ``Rule``.
extension Coordinator {
    /// Checks, without changing anything, that ``issue(roll:code:blinded:)`` would accept this request now. Wrong
    /// codes, which anyone can send, then do not delay requests that change something.
    func checkIssue(roll slug: String, code: InvitationCode, blinded: BlindedElement) throws {
        try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            _ = try answer(db, roll, code: code, blinded: blinded)
        }
    }

    /// The previous answer to the same request; nil if it is new.
    private func answer(
        _ db: Transaction, _ roll: RollStore, code: InvitationCode, blinded: BlindedElement
    ) throws -> IssuedEvaluation? {
        let known = try roll.code(db, hash: code.hash)
        if let answer = known?.answer, answer.blinded == blinded { return answer }
        // A code that somebody asked for is in the log only when it is used.
        let isAsked = try known == nil && askedBy(db, roll, code.hash) != nil
        try roll.state.checkIssue(code: isAsked ? .invited : known?.state)
        return nil
    }

    /// Issues an evaluation for a code, and stores and logs it before answering. The same request gets the same answer
    /// again in any phase.
    package func issue(
        roll slug: String, code: InvitationCode, blinded: BlindedElement
    ) throws -> IssuedEvaluation {
        let issued: IssuedEvaluation = try change(slug) { db, roll in
            // The rules are checked before the key is used: a wrong code costs no evaluation.
            if let known = try answer(db, roll, code: code, blinded: blinded) { return known }
            return try keys.with(slug) { server in
                let (evaluated, proof) = server.blindEvaluate(blinded)
                let answer = IssuedEvaluation(blinded: blinded, evaluated: evaluated, proof: proof)
                if let mailbox = try askedBy(db, roll, code.hash) {
                    try use(db, &roll, code.hash, of: mailbox)
                } else {
                    try roll.append(db, [.issued(codeHash: code.hash)], key: noteKey, now: clock.now)
                }
                try roll.keep(db, answer, hash: code.hash)
                return answer
            }
        }
        try forgetUsedCode(roll: slug, code.hash)
        return issued
    }

    /// Checks that this coordinator issued the token for the key.
    func checkToken(roll slug: String, member: MemberKey, token: EnrolmentToken) throws {
        guard let descriptor = try database.read({ try RollStore($0, slug: slug) })?.descriptor else {
            throw CoordinatorError.noSuchRoll(slug: slug)
        }
        let input = MemberIdentity.tokenInput(roll: descriptor.id, member: member)
        guard try keys.with(slug, { $0.isValid(token: token, for: input) }) else { throw Rule.tokenInvalid }
    }

    /// The answer for a member's key that is already known, wherever it must be; nil if it is new and may join now.
    func knownJoin(roll slug: String, member: MemberKey) throws -> JoinAnswer? {
        let answer = { (db: Transaction) throws -> JoinAnswer? in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            return try self.knownJoin(db, roll, member)
        }
        // Standbys are asked only about what is told.
        return try database.read(answer) == nil ? nil : database.readConfirmed(answer)
    }

    private func knownJoin(_ db: Transaction, _ roll: RollStore, _ member: MemberKey) throws -> JoinAnswer? {
        let row = try Row.fetchOne(
            db, sql: "SELECT ring FROM member WHERE roll = ? AND key = ?",
            arguments: [roll.id, Data(member.encoding.array)])
        if let row {
            let ring = row["ring"] as UInt32?
            return ring.map { .sealed(ring: $0) } ?? .pending
        }
        guard roll.state.isJoining else { throw Rule.joiningClosed }
        return nil
    }

    /// Adds members' keys, whose tokens have been checked, in one transaction and in the order of the keys, without
    /// knowing who asks. Returns one answer for each. Afterwards the write-ahead log is empty: neither it nor the
    /// database reveals more of the order than which keys came together.
    package func join(_ joins: [(roll: String, member: MemberKey)]) throws -> [Result<JoinAnswer, Rule>] {
        var answers = [Result<JoinAnswer, Rule>](repeating: .failure(.joiningClosed), count: joins.count)
        let order = joins.indices.sorted { joins[$0].member < joins[$1].member }
        try write { db in
            for index in order {
                let (slug, member) = joins[index]
                guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
                do {
                    if let known = try knownJoin(db, roll, member) {
                        answers[index] = .success(known)
                        continue
                    }
                } catch let rule as Rule {
                    answers[index] = .failure(rule)
                    continue
                }
                try db.execute(
                    sql: "INSERT INTO member (roll, key) VALUES (?, ?)",
                    arguments: [roll.id, Data(member.encoding.array)])
                answers[index] = .success(.pending)
            }
        }
        try database.forgetOrder()
        return answers
    }

    /// The status of a roll's round, for pages and people; signers rely only on the log.
    func round(roll slug: String) throws -> RoundStatus {
        try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            let outlook = try roll.schedule(db).map { schedule in
                schedule.outlook(of: try roll.scheduledRound(db, issued: try roll.publishedIssued(db)))
            }
            return RoundStatus(
                roll.state, issued: try roll.publishedIssued(db),
                next: outlook.map { outlook in
                    // Not to the second: it would tell when the first person of the round enrolled.
                    let step = RollStore.stepLength
                    return .init(
                        notBefore: outlook.notBefore.map { UTCTime(seconds: ($0 + step - 1) / step * step) },
                        missing: UInt64(outlook.missing))
                })
        }
    }
}
