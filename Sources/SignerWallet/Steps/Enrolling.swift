import Bytes
import Documents
import LogReading
import Messages
import PetitionCopies
import Petitions
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF

/// The issue step of enrolment, `Protocol/enrolment.md`. The coordinator knows who asks.
extension Wallet {
    static let answerLimit = 16 * 1024

    /// Uses an invitation. A lost answer can be requested again with the same link: the request is the same. Before the
    /// code is sent, `announce` is called with the size of this roll and those of the coordinator's other rolls; it may
    /// throw, so that the code is not sent. With `expected`, another roll is refused.
    public func enrol(
        _ link: InvitationLink, expecting expected: RollDescriptor? = nil, network: SignerNetwork,
        clock: SignerClock, announce: (RollSize, OtherRolls) throws(SignerError) -> Void = { _, _ in }
    ) async throws(SignerError) -> RollDescriptor {
        try begin(.roll(link.roll), network: network, clock: clock)
        defer { end(.roll(link.roll), clock: clock) }
        let (roll, announced) = try await network.fresh { connection async throws(SignerError) in
            let roll = try await CheckedFetch.roll(link.roll, connection: connection)
            if let expected, expected.id != roll.id {
                throw .rollChanged(
                    link: link.roll.url.text, enrolled: expected.id.hex, shown: roll.id.hex, isProof: false)
            }
            let head = try await CheckedFetch.witnessedAnnouncement(of: roll, connection: connection, now: clock.now)
            let announced = try await CheckedFetch.announcements(
                coordinator: roll.coordinator, key: roll.key, witnessed: head.map { [$0] } ?? [], wallet: self,
                connection: connection, clock: clock)
            try CheckedFetch.check(announced, announces: roll)
            return (roll, announced)
        }
        if let known = try enrolment(in: roll.id), known.token != nil {
            guard known.issueIndex == nil, Bytes32(known.codeHash) == link.code.hash else {
                throw .alreadyEnrolled(roll: roll.name)
            }
            // The answer came, but the log could not be read at that time: what is seen now is better than nothing.
            try await network.fresh { connection async throws(SignerError) in
                try await self.rememberIssue(roll, connection: connection, clock: clock)
            }
            return roll
        }
        let others = try await OtherRolls.read(than: roll, announced: announced, network: network, clock: clock)
        try await network.fresh { connection async throws(SignerError) in
            // Before the code is sent, which can be used once.
            let demand = clock.demand(roll.witnesses)
            let own = try await RollSize.read(roll, demand: demand, connection: connection)
            try announce(own, others)
            try await self.issue(link.code, roll: roll, connection: connection, clock: clock)
            try await self.rememberIssue(roll, connection: connection, clock: clock)
        }
        return roll
    }

    private func issue(
        _ code: InvitationCode, roll: RollDescriptor, connection: any RequestConnection, clock: SignerClock
    ) async throws(SignerError) {
        let blinded = blind(code, roll: roll)
        // Stored before it is sent: whatever happens to the answer, the same request can be sent again.
        set(
            .init(descriptor: roll.note, codeHash: code.hash.array, code: code.bytes), for: roll.id)
        try save()
        let url = roll.url.text + "/issue"
        let request = Array(IssueRequest(code: code, blinded: blinded).json.utf8)
        let answer = try await connection.ask(
            OutgoingRequest(url, content: .init(request, type: "application/json"), limit: Self.answerLimit))
        guard answer.status == 200 else { throw Self.refusal(answer) }
        let token = try unblind(Self.issue(answer, from: url), blinded, code, roll)
        set(
            .init(
                descriptor: roll.note, codeHash: code.hash.array, token: token.encoding.array,
                issuedAt: clock.now.seconds),
            for: roll.id)
        try save()
    }

    private static func issue(_ answer: HTTPAnswer, from url: String) throws(SignerError) -> IssueAnswer {
        do { return try IssueAnswer(parsing: answer.body) } catch {
            throw .documentInvalid(location: url, reason: .answer)
        }
    }

    /// Checks that the entry of the code is in the log now. What the coordinator shows here, while it knows who looks,
    /// binds it later, when it does not know.
    private func rememberIssue(
        _ roll: RollDescriptor, connection: any RequestConnection, clock: SignerClock
    ) async throws(SignerError) {
        let (_, sight) = try await RollSight.readEnrolment(
            RollReplay(roll), wallet: self, connection: connection, clock: clock)
        // An open roll shows it with its next step, in ten minutes or when joining opens.
        guard sight.issueIndex != nil || roll.admission.isOpen else { throw .issueNotLogged }
    }

    private func blind(_ code: InvitationCode, roll: RollDescriptor) -> BlindedElement {
        let member = memberIdentity(for: roll.id)
        let input = MemberIdentity.tokenInput(roll: roll.id, member: member.key)
        do { return try VOPRFClient.blind(input, with: Self.blind(member, codeHash: code.hash)) } catch {
            preconditionFailure("nobody knows an input that hashes to the identity")
        }
    }

    private func unblind(
        _ answer: IssueAnswer, _ blinded: BlindedElement, _ code: InvitationCode, _ roll: RollDescriptor
    ) throws(SignerError) -> EnrolmentToken {
        do {
            return try VOPRFClient.unblind(
                answer.evaluated, of: blinded, blind: Self.blind(memberIdentity(for: roll.id), codeHash: code.hash),
                proof: answer.proof, publicKey: roll.enrolmentKey)
        } catch {
            throw .issueProofInvalid
        }
    }

    private static func blind(_ member: borrowing MemberIdentity, codeHash: Bytes32) -> SecretScalar {
        guard let blind = member.blind(codeHash: codeHash) else { preconditionFailure("the blind is zero") }
        return blind
    }

    // MARK: The wallet's enrolments

    func enrolment(in roll: RollID) throws(SignerError) -> WalletContents.Enrolment? {
        for enrolment in contents.enrolments
        where try rolls(enrolment.descriptor).id == roll { return enrolment }
        return nil
    }

    /// Changes what is stored about an enrolment, and saves.
    ///
    /// Not inlined, like other functions here that are called by asynchronous ones: the compiler (Swift 6.3.1) fails on
    /// two throwing calls that it merges inside those.
    @inline(never)
    func change(_ roll: RollID, _ body: (inout WalletContents.Enrolment) -> Void) throws(SignerError) {
        guard var changed = try enrolment(in: roll) else { throw .notEnrolled }
        body(&changed)
        set(changed, for: roll)
        try save()
    }

    func set(_ enrolment: WalletContents.Enrolment, for roll: RollID) {
        contents.enrolments.removeAll { (try? rolls($0.descriptor).id) == roll }
        contents.enrolments.append(enrolment)
    }

    /// The error for a server's refusal.
    static func refusal(_ answer: HTTPAnswer) -> SignerError {
        guard let problem = try? ProblemDocument(parsing: answer.body) else {
            if answer.status >= 500 || [408, 425, 429].contains(answer.status) {
                return .refused(rule: "busy", detail: .cannotAnswer(status: answer.status))
            }
            return .refused(rule: "status-\(answer.status)", detail: .noReason(status: answer.status))
        }
        return .refused(rule: problem.rule, detail: .told(problem.detail))
    }
}
