import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF

/// A petition from enrolment to a checked count, in memory: what each party computes, without servers and files.
@main
struct SignAndVerify {
    static func main() throws {
        let coordinator = Coordinator()
        let roll = try coordinator.makeRoll()

        // Eight people enrol. Each sends a blinded request, checks the proof of the answer, and gets a token that
        // nobody can link to the request.
        let members = try (0..<8).map { _ in try Member(enrollingIn: roll, at: coordinator) }
        print("\(members.count) people enrolled in \(roll.name), blinded")

        // What the coordinator logs of it: invitations, their use, and that joining is open.
        let enrolment =
            members.map { EnrolmentEntry.invited(codeHash: $0.codeHash) }
            + members.map { .issued(codeHash: $0.codeHash) } + [.joiningOpens(round: 0, opened: 1_790_000_000)]
        let enrolmentTree = enrolment.reduce(into: GrowingTree()) { $0.append(MerkleHash.leaf($1.bytes)) }

        // Their keys, without names, become a ring: eight entries of a log, and a seal.
        let entries =
            members.map(\.key).sorted().map { RollEntry.member($0) }
            + [.seal(enrolmentSize: enrolmentTree.size, enrolmentRoot: enrolmentTree.root)]
        var (ledger, log) = (RollLedger(roll), GrowingTree())
        for entry in entries {
            try ledger.apply(entry)
            log.append(MerkleHash.leaf(entry.bytes))
        }
        let ring = ledger.rings[0].ring
        let petition = try coordinator.makePetition(over: roll, members: log)
        print("the petition is \(petition.id.hex)")

        // Three sign, one of them twice; one withdraws. A record is bytes: how they travel is nobody's business here.
        let base = PetitionBase(petition: petition.id.bytes)
        var records = try members[0..<3].map { try $0.sign(base, ring) }
        records.append(try members[0].sign(base, ring))
        records.append(members[2].withdraw(base))

        // Anybody checks them, and counts each member once.
        let electorate = Electorate(petition, rings: [ledger.rings])
        let submitted = try records.map { try SubmittedRecord(parsing: $0, electorate: electorate) }
        var (states, index): ([Tag: TagState], UInt64) = ([:], 0)
        for result in VerifiedRecord.verify(submitted, petition: base) {
            let record = try result.get()
            do {
                let admitted = try AdmittedRecord.admit(record, tag: states[record.tag], at: index)
                states[record.tag] = admitted.tagState
                index += 1
            } catch { print("refused: \(error.rule.rawValue)") }
        }
        var counter = TallyCounter(rolls: 1)
        for state in states.values { counter.add([state]) }
        let count = counter.tally.total
        print("\(count.signatures) signatures, \(count.withdrawn) withdrawn")

        // A record that somebody changed holds no longer.
        var changed = records[0]
        changed[changed.count - 1] ^= 1
        let isGood: Bool
        do {
            _ = try VerifiedRecord.verify(
                [try SubmittedRecord(parsing: changed, electorate: electorate)], petition: base)[0].get()
            isGood = true
        } catch { isGood = false }
        print("a changed record \(isGood ? "holds" : "is refused")")
    }
}

/// Who keeps the roll: it knows who enrols, and not which key becomes whose.
struct Coordinator: ~Copyable {
    private let noteKey = Ed25519SecretKey(seed: SecretBytes(randomCount: 32))
    private let server = VOPRFServer(seed: SecretBytes(randomCount: VOPRFServer.seedCount), info: [])

    enum Failure: Error { case text }

    private func url(_ text: String) throws -> ServiceURL {
        guard let url = ServiceURL(text) else { throw Failure.text }
        return url
    }

    func makeRoll() throws -> RollDescriptor {
        guard let slug = RollSlug("members") else { throw Failure.text }
        let link = RollLink(coordinator: try url("https://union.example"), slug: slug)
        return try RollDescriptor.make(
            name: "Members", link: link, enrolmentKey: server.publicKey,
            terms: RollTerms(ringCapacity: 16, minimumRing: 8), key: noteKey)
    }

    func evaluate(_ blinded: BlindedElement) -> (EvaluatedElement, DLEQProof) { server.blindEvaluate(blinded) }

    func makePetition(over roll: RollDescriptor, members: GrowingTree) throws -> PetitionManifest {
        try PetitionManifest.make(
            url: roll.coordinator,
            text: .init(
                title: "Fresh water", statement: "For every watch.", startedBy: "The foretop",
                addressedTo: "The owners", website: nil, language: "en", opens: UTCTime(seconds: 1_790_000_000),
                closes: UTCTime(seconds: 1_800_000_000), goal: 10, replaces: nil),
            rolls: [
                .init(
                    id: roll.id, coordinator: roll.coordinator, label: nil, size: members.size, root: members.root,
                    laterRings: false)
            ],
            aggregators: [.init(url: try url("https://count.example"), key: noteKey.publicKey)], key: noteKey)
    }
}

/// A member: everything comes from one seed.
final class Member {
    private let identity: MemberIdentity
    /// What the coordinator proved that it issued; it goes with the key, without a name.
    let token: EnrolmentToken
    let codeHash: Bytes32
    var key: MemberKey { identity.key }

    enum Failure: Error { case zeroKey }

    init(enrollingIn roll: RollDescriptor, at coordinator: borrowing Coordinator) throws {
        let code = InvitationCode.random()
        guard let identity = MemberIdentity(seed: SecretBytes(randomCount: MemberIdentity.seedCount), roll: roll.id),
            let blind = identity.blind(codeHash: code.hash)
        else { throw Failure.zeroKey }
        let input = MemberIdentity.tokenInput(roll: roll.id, member: identity.key)
        let blinded = try VOPRFClient.blind(input, with: blind)
        let (evaluated, proof) = coordinator.evaluate(blinded)
        token = try VOPRFClient.unblind(
            evaluated, of: blinded, blind: blind, proof: proof, publicKey: roll.enrolmentKey)
        self.identity = identity
        codeHash = code.hash
    }

    func sign(_ petition: PetitionBase, _ ring: Ring) throws -> [UInt8] {
        try identity.secret.sign(petition, ring: ring, roll: 0).bytes
    }

    func withdraw(_ petition: PetitionBase) -> [UInt8] { identity.secret.withdraw(petition).bytes }
}
