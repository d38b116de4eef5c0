import Bytes
import Foundation
import LogClient
import Petitions
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF
import Verification

/// Enrolment, `Protocol/enrolment.md`: issue (the coordinator knows who), then join (it does not).
extension Wallet {
    private static let answerLimit = 16 * 1024

    /// How many were issued in a round, against all invited: the crowd that a join hides in.
    public struct RoundSize: Equatable, Sendable {
        /// Issued in the signer's round.
        public let issued: UInt64
        /// Invited in all.
        public let invited: UInt64
    }

    /// Uses an invitation. A lost answer can be asked for again with the same link: the request is the same.
    public func enrol(_ link: InvitationLink, network: SignerNetwork) async throws -> RollDescriptor {
        try await network.fresh { connection in
            let roll = try await Reading.roll(link.roll, connection: connection)
            try await Reading.checkAnnounced(
                [(.roll(roll.id), "the roll")], coordinator: roll.coordinator, key: roll.key, wallet: self,
                connection: connection)
            if try self.enrolment(in: roll.id)?.token != nil { throw SignerError.alreadyEnrolled(roll: roll.name) }
            try await self.issue(link.code, roll: roll, connection: connection)
            return roll
        }
    }

    private func issue(_ code: InvitationCode, roll: RollDescriptor, connection: HTTPConnection) async throws {
        let blinded = try blind(code, roll: roll)
        // Stored before it is sent: whatever happens to the answer, the same question can be asked again.
        set(
            .init(descriptor: Data(roll.note), codeHash: Data(code.hash.array), code: Data(code.bytes)), for: roll.id)
        try save()
        let body = JSONValue.object([
            ("code", .string(Base64.encode(code.bytes))),
            ("blinded", .string(Base64.encode(blinded.element.encoding.array))),
        ])
        let answer = try await connection.post(
            roll.url.text + "/issue", body: Array(body.text(isPretty: false).utf8), contentType: "application/json",
            limit: Self.answerLimit)
        guard answer.status == 200 else { throw Self.refusal(answer) }
        let (evaluated, proof) = try Self.evaluation(answer.body, url: roll.url)
        let entry = IssuedEntry(codeHash: code.hash, blinded: blinded, evaluated: evaluated, proof: proof)
        let token = try unblind(entry, roll: roll)
        set(
            .init(
                descriptor: Data(roll.note), codeHash: Data(code.hash.array),
                issued: Data(EnrolmentEntry.issued(entry).bytes), token: Data(token.encoding.array)), for: roll.id)
        try save()
    }

    private func blind(_ code: InvitationCode, roll: RollDescriptor) throws -> BlindedElement {
        let member = memberKey(for: roll.id)
        return try VOPRFClient.blind(
            MemberKey.tokenInput(roll: roll.id, member: member.key), with: Self.blind(member, codeHash: code.hash))
    }

    private func unblind(_ entry: IssuedEntry, roll: RollDescriptor) throws -> GroupElement {
        do {
            return try VOPRFClient.unblind(
                entry.evaluated, of: entry.blinded,
                blind: Self.blind(memberKey(for: roll.id), codeHash: entry.codeHash), proof: entry.proof,
                publicKey: roll.enrolmentKey)
        } catch {
            throw SignerError.issueProofInvalid
        }
    }

    private static func blind(_ member: borrowing MemberKey, codeHash: Bytes32) -> SecretScalar {
        guard let blind = member.blind(codeHash: codeHash) else { preconditionFailure("the blind is zero") }
        return blind
    }

    private static func evaluation(
        _ body: [UInt8], url: ServiceURL
    ) throws -> (EvaluatedElement, DLEQProof) {
        do {
            var fields = try JSONFields(parsing: body)
            let evaluated = try GroupElement(decoding: try fields.bytes32("evaluated"))
            let proof = try DLEQProof(decoding: try fields.bytes("proof", count: DLEQProof.count))
            return (EvaluatedElement(evaluated), proof)
        } catch {
            throw SignerError.documentInvalid(location: url.text + "/issue", reason: "the answer cannot be read")
        }
    }

    /// Checks that joining is safe for every enrolment that has not joined, then joins each at a random moment within
    /// `delay`, over a connection of its own. `announce` is told about each round before the wait.
    public func join(
        network: SignerNetwork, delay: Duration, floor: UInt64,
        announce: (RollDescriptor, RoundSize, Duration) -> Void
    ) async throws -> [RollDescriptor] {
        var joined: [RollDescriptor] = []
        var firstError: (any Error)?
        for roll in try rollsToJoin() {
            let size: RoundSize
            do { size = try await roundSize(roll, floor: floor, network: network) } catch {
                // One roll that is not ready does not keep the others waiting.
                firstError = firstError ?? error
                continue
            }
            let wait = Self.randomDuration(within: delay)
            announce(roll, size, wait)
            try await Task.sleep(nanoseconds: UInt64(wait.components.seconds) * 1_000_000_000)
            try await sendJoin(joinBody(roll.id), roll: roll.url, network: network)
            try markJoined(roll.id)
            joined.append(roll)
        }
        if joined.isEmpty, let firstError { throw firstError }
        return joined
    }

    private func rollsToJoin() throws -> [RollDescriptor] {
        let waiting = contents.enrolments.filter { $0.token != nil && !$0.isJoined }
        guard !waiting.isEmpty else {
            let isFinished = contents.enrolments.contains { $0.token != nil }
            throw isFinished ? SignerError.nothingToJoin : .notEnrolled
        }
        return try waiting.map { try RollDescriptor(parsing: [UInt8]($0.descriptor)) }
    }

    private func ownEntry(in roll: RollID) throws -> [UInt8] {
        guard let issued = try enrolment(in: roll)?.issued else { throw SignerError.notEnrolled }
        return [UInt8](issued)
    }

    private static func randomDuration(within limit: Duration) -> Duration {
        .seconds(Int64(SystemRandomness.integer(below: UInt32(clamping: limit.components.seconds + 1))))
    }

    private func roundSize(_ roll: RollDescriptor, floor: UInt64, network: SignerNetwork) async throws -> RoundSize {
        let own = try ownEntry(in: roll.id)
        return try await network.fresh { connection in
            try await self.checkRound(of: own, roll: roll, floor: floor, connection: connection)
        }
    }

    /// The signer's own entry, byte for byte, and a later opening of joining are in the enrolment log, whose rules hold; and
    /// enough others were issued in the same round.
    private func checkRound(
        of own: [UInt8], roll: RollDescriptor, floor: UInt64, connection: HTTPConnection
    ) async throws -> RoundSize {
        let log = OfflineCopy.enrolmentLog(
            roll, source: HTTPSource(connection: connection, base: roll.url.text), prefix: "enrolment")
        var state = EnrolmentState()
        var codes: [Bytes32: CodeState] = [:]
        var isIssued = false
        var issuedInRound: UInt64?
        for (index, bytes) in try await Reading.entries(of: log, wallet: self).enumerated() {
            do throws(Rule) {
                let entry = try EnrolmentEntry(parsing: bytes)
                let issuedBefore = state.issuedInRound
                let hash = entry.codeHash
                var code = hash.flatMap { codes[$0] }
                try state.apply(entry, code: &code, minimumRing: roll.minimumRing)
                if let hash { codes[hash] = code }
                if case .joiningOpens = entry, isIssued, issuedInRound == nil { issuedInRound = issuedBefore }
            } catch {
                throw SignerError.entryInvalid(log: log.key.name, index: UInt64(index), error)
            }
            if bytes == own { isIssued = true }
        }
        guard isIssued else { throw SignerError.issueNotLogged }
        // A join that is refused now would be sent again later, and the two could be linked.
        guard let issuedInRound, state.isJoining else { throw SignerError.joiningNotOpen(issued: state.issuedInRound) }
        guard issuedInRound >= floor else { throw SignerError.roundTooSmall(issued: issuedInRound, floor: floor) }
        return RoundSize(issued: issuedInRound, invited: state.invited)
    }

    /// Joins over connections that were not used for anything else.
    private func sendJoin(_ body: [UInt8], roll: ServiceURL, network: SignerNetwork) async throws {
        let url = roll.text + "/join"
        let answer = try await network.fresh { connection in
            try await connection.post(url, body: body, contentType: "application/json", limit: Self.answerLimit)
        }
        guard answer.status == 202 || answer.status == 200 else { throw Self.refusal(answer) }
    }

    private func markJoined(_ roll: RollID) throws {
        guard var done = try enrolment(in: roll) else { throw SignerError.notEnrolled }
        done.isJoined = true
        set(done, for: roll)
        try save()
    }

    private func joinBody(_ roll: RollID) throws -> [UInt8] {
        guard let token = try enrolment(in: roll)?.token else { throw SignerError.notEnrolled }
        let body = JSONValue.object([
            ("member", .string(Base64.encode(publicKey(in: roll).encoding.array))),
            ("token", .string(Base64.encode(token))),
        ])
        return Array(body.text(isPretty: false).utf8)
    }

    // MARK: The wallet's enrolments

    func enrolment(in roll: RollID) throws -> WalletContents.Enrolment? {
        try contents.enrolments.first { try RollDescriptor(parsing: [UInt8]($0.descriptor)).id == roll }
    }

    private func set(_ enrolment: WalletContents.Enrolment, for roll: RollID) {
        contents.enrolments.removeAll { (try? RollDescriptor(parsing: [UInt8]($0.descriptor)).id) == roll }
        contents.enrolments.append(enrolment)
    }

    /// What a server's refusal says.
    static func refusal(_ answer: HTTPAnswer) -> SignerError {
        guard let problem = try? ProblemDocument(parsing: answer.body) else {
            if answer.status >= 500 || answer.status == 429 {
                return .refused(rule: "busy", detail: "the server could not answer (status \(answer.status))")
            }
            return .refused(rule: "status-\(answer.status)", detail: "The server gave no reason.")
        }
        return .refused(rule: problem.rule, detail: problem.detail)
    }
}

/// A refusal as servers write it (RFC 9457).
struct ProblemDocument {
    private static let prefix = "urn:roundrobin:error:"
    let rule: String
    let detail: String

    init(parsing bytes: [UInt8]) throws(DocumentError) {
        var fields = try JSONFields(parsing: bytes)
        let type = try fields.string("type", limit: 200)
        guard type.hasPrefix(Self.prefix) else { throw .invalid(field: "type", reason: "is not one of ours") }
        rule = String(type.dropFirst(Self.prefix.count))
        detail = try fields.string("detail", limit: 1000)
    }
}
