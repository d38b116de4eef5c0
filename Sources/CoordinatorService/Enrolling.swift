import Bytes
import Documents
import Foundation
import GRDB
import LogStorage
import Messages
import Petitions
import Platform
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF

/// The enrolment keys of the rolls, read once each.
///
/// A key is only ever used inside ``VOPRFServer``; this type hands out no copy.
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

/// What was issued for a code. It is kept, so that the same question gets the same answer.
package struct IssuedEvaluation: Equatable, Sendable {
    /// What the signer sent.
    package let blinded: BlindedElement
    /// What the coordinator makes of it with the roll's enrolment key.
    let evaluated: EvaluatedElement
    /// That it used that key.
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

    /// Reads ``stored``; nil on anything else.
    init?(stored bytes: [UInt8]) {
        var reader = ByteReader(bytes, from: 0)
        guard let blinded = reader.read32().flatMap({ try? GroupElement(decoding: $0) }),
            let evaluated = reader.read32().flatMap({ try? GroupElement(decoding: $0) }),
            let proof = reader.read(DLEQProof.count).flatMap({ try? DLEQProof(decoding: $0) }), reader.isAtEnd
        else { return nil }
        self.init(blinded: BlindedElement(blinded), evaluated: EvaluatedElement(evaluated), proof: proof)
    }
}

/// What signers ask of the coordinator. Each broken rule is thrown as a ``Rule``.
extension Coordinator {
    /// Checks that ``issue(roll:code:blinded:)`` may be asked this now, and changes nothing: wrong codes, which
    /// anybody can send, do not stand in the way of whoever does change something.
    func checkIssue(roll slug: String, code: InvitationCode, blinded: BlindedElement) throws {
        try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            _ = try answer(db, roll, code: code, blinded: blinded)
        }
    }

    /// What was answered to this question before, nil if it is new.
    private func answer(
        _ db: Database, _ roll: RollStore, code: InvitationCode, blinded: BlindedElement
    ) throws -> IssuedEvaluation? {
        let known = try roll.code(db, hash: code.hash)
        if let answer = known?.answer, answer.blinded == blinded { return answer }
        try roll.state.checkIssue(code: known?.state)
        return nil
    }

    /// Answers a code with an evaluation. It is recorded and logged before it is answered; the same question gets the
    /// same answer again in any phase.
    package func issue(
        roll slug: String, code: InvitationCode, blinded: BlindedElement
    ) throws -> IssuedEvaluation {
        try change(slug) { db, roll in
            // The rules are asked before the key is used: a wrong code costs no evaluation.
            if let known = try answer(db, roll, code: code, blinded: blinded) { return known }
            return try keys.with(slug) { server in
                let (evaluated, proof) = server.blindEvaluate(blinded)
                let answer = IssuedEvaluation(blinded: blinded, evaluated: evaluated, proof: proof)
                try roll.append(db, [.issued(codeHash: code.hash)], key: noteKey, now: clock.now)
                try roll.keep(db, answer, hash: code.hash)
                return answer
            }
        }
    }

    /// Checks that this coordinator issued the token for the key.
    func checkToken(roll slug: String, member: GroupElement, token: GroupElement) throws {
        guard let descriptor = try database.read({ try RollStore($0, slug: slug) })?.descriptor else {
            throw CoordinatorError.noSuchRoll(slug: slug)
        }
        let input = MemberIdentity.tokenInput(roll: descriptor.id, member: member)
        guard try keys.with(slug, { $0.isValid(token: token, for: input) }) else { throw Rule.tokenInvalid }
    }

    /// What is known of a member's key, nil if it is new and may join now.
    func knownJoin(roll slug: String, member: GroupElement) throws -> JoinAnswer? {
        try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            return try knownJoin(db, roll, member)
        }
    }

    private func knownJoin(_ db: Database, _ roll: RollStore, _ member: GroupElement) throws -> JoinAnswer? {
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

    /// Takes members' keys, whose tokens were checked, in one transaction and in the order of the keys; who asks is not
    /// known and not looked at. Answers one by one. Afterwards the write-ahead log is empty: neither it nor the
    /// database tells more of the order than which keys came together.
    package func join(_ joins: [(roll: String, member: GroupElement)]) throws -> [Result<JoinAnswer, Rule>] {
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
        try database.truncateWriteAheadLog()
        return answers
    }

    /// Where a roll's round stands, for pages and people: signers go by the log.
    func round(roll slug: String) throws -> EnrolmentState {
        guard let roll = try database.read({ try RollStore($0, slug: slug) }) else {
            throw CoordinatorError.noSuchRoll(slug: slug)
        }
        return roll.state
    }
}
