import Bytes
import CommandSupport
import CoordinatorService
import Documents
import Foundation
import InvitationMail
import LogWitnessing
import MailDelivery
import Messages
import PageParts
import PetitionPages
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF
import Verification
import Witnessing

/// Feeds every parser bytes from libFuzzer. No parser may trap on any input, and what it accepts must encode to the
/// same bytes if there is only one encoding. `Tools/test --fuzz` builds and runs this.
@main
enum Fuzz {
    /// The parsers, by their names on the command line.
    private static let targets: [String: @Sendable ([UInt8]) -> Void] = [
        "record": record, "withdrawal": withdrawal, "note": note, "checkpoint": checkpoint, "tile": tile,
        "tlog-proof": proof, "petition": petition, "roll": roll, "log-entry": logEntry, "tally": tally,
        "history": history, "evidence": evidence, "statement": statement,
        "http-body": body, "url": url, "verified": verified, "replay": replay, "people": people, "address": address,
        "mail": mail, "sums": sums, "policy": policy, "log-list": logList, "add-checkpoint": addCheckpoint,
        "cosignatures": cosignatures,
    ]
    nonisolated(unsafe) private static var target: ([UInt8]) -> Void = { _ in }
    private static var key: Ed25519SecretKey {
        Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
    }
    /// Has the length of a signature, which is enough for parsers that check the signature last.
    private static let signature = Array("\n— example.org \(Base64.encode([UInt8](repeating: 7, count: 68)))\n".utf8)

    static func main() {
        var arguments = CommandLine.arguments
        if arguments.count == 2, arguments[1] == "--targets" {
            return print(targets.keys.sorted().joined(separator: "\n"))
        }
        if arguments.count == 4, arguments[1] == "--seeds" { return writeSeeds(from: arguments[2], to: arguments[3]) }
        guard arguments.count > 1, let chosen = targets[arguments[1]] else {
            print("usage: roundrobin-fuzz --targets | --seeds VECTORS FOLDER | TARGET [OPTIONS OF LIBFUZZER]")
            exit(2)
        }
        target = chosen
        arguments.remove(at: 1)
        var count = Int32(arguments.count)
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        pointers.withUnsafeMutableBufferPointer { buffer in
            var base = buffer.baseAddress
            withUnsafeMutablePointer(to: &base) { argv in
                _ = runDriver(&count, argv) { bytes, count in
                    Fuzz.target(bytes.map { Array(UnsafeBufferPointer(start: $0, count: count)) } ?? [])
                    return 0
                }
            }
        }
    }

    /// Writes every string of the vector files to a file; if it is hexadecimal, also its bytes.
    private static func writeSeeds(from vectors: String, to folder: String) {
        var seeds: Set<[UInt8]> = []
        func walk(_ value: Any) {
            switch value {
            case let object as [String: Any]: object.values.forEach(walk)
            case let array as [Any]: array.forEach(walk)
            case let text as String:
                seeds.insert(Array(text.utf8))
                if let bytes = Hex.decode(text) { seeds.insert(bytes) }
            default: break
            }
        }
        for file in (try? FileManager.default.contentsOfDirectory(atPath: vectors)) ?? [] where file.hasSuffix(".json")
        {
            guard let data = FileManager.default.contents(atPath: "\(vectors)/\(file)"),
                let object = try? JSONSerialization.jsonObject(with: data)
            else { continue }
            walk(object)
        }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (number, seed) in seeds.enumerated() { try? Data(seed).write(to: URL(filePath: "\(folder)/\(number)")) }
    }

    private static func same(_ one: [UInt8], _ other: [UInt8]) {
        precondition(one == other, "what was read is written otherwise")
    }

    // MARK: Records

    private static func record(_ bytes: [UInt8]) {
        for digits in 1...6 {
            guard let record = try? SignatureRecord(parsing: bytes, digits: digits) else { continue }
            same(record.bytes, bytes)
            same(record.tag.encoding.array, Array(bytes[6..<38]))
        }
        if let outline = try? RecordOutline(parsing: bytes) { _ = outline.tag(in: bytes) }
    }

    private static func withdrawal(_ bytes: [UInt8]) {
        guard let record = try? WithdrawalRecord(parsing: bytes) else { return }
        same(record.bytes, bytes)
        _ = try? record.verify(petition: PetitionBase(petition: SHA256.hash([])))
    }

    private static func logEntry(_ bytes: [UInt8]) {
        if let entry = try? EnrolmentEntry(parsing: bytes) { same(entry.bytes, bytes) }
        if let entry = try? RollEntry(parsing: bytes) { same(entry.bytes, bytes) }
        if let entry = try? Announcement(parsing: bytes) { same(entry.bytes, bytes) }
    }

    // MARK: Whole logs

    /// A roll of small rings, whose logs are made from libFuzzer's input.
    private static let replayed = try? RollDescriptor.make(
        name: "fuzz", link: replayedLink(), enrolmentKey: .base,
        terms: RollTerms(ringCapacity: 16, minimumRing: 2, joiningSeconds: 0), key: key)
    private static let members = (1...64).map { MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64($0)))) }
        .sorted()

    private static func replayedLink() throws(DocumentError) -> RollLink {
        guard let url = ServiceURL("https://example.org"), let slug = RollSlug("fuzz") else {
            throw .missing(field: "url")
        }
        return RollLink(coordinator: url, slug: slug)
    }

    /// Cuts the bytes into entries, each preceded by a byte for its kind and one for a value, and passes them to all
    /// code that reads logs.
    private static func replay(_ bytes: [UInt8]) {
        guard let descriptor = replayed else { return }
        var (roll, enrolment): ([[UInt8]], [[UInt8]]) = ([], [])
        var announcements = AnnouncementLedger()
        var tree = GrowingTree()
        var reader = ByteReader(bytes)
        while let kind = reader.readInteger(UInt8.self), let value = reader.readInteger(UInt8.self) {
            let code = SHA256.hash([value])
            switch kind % 16 {
            case 0...3: roll.append(RollEntry.member(members[Int(value) % members.count]).bytes)
            case 4: roll.append(RollEntry.seal(enrolmentSize: tree.size, enrolmentRoot: tree.root).bytes)
            case 5: roll.append(RollEntry.seal(enrolmentSize: UInt64(value), enrolmentRoot: code).bytes)
            case 6: roll.append(reader.read(Int(value)) ?? [])
            case 7: announcements.append(Announcement.roll(RollID(code), linkHash: descriptor.link.hash).bytes)
            case 8: announcements.append(reader.read(Int(value)) ?? [])
            default:
                enrolment.append(entry(kind % 16, value, code) ?? reader.read(Int(value)) ?? [])
                tree.append(MerkleHash.leaf(enrolment[enrolment.count - 1]))
            }
        }
        _ = announcements.isAnnounced(descriptor)
        replay(descriptor, roll, enrolment)
    }

    private static func entry(_ kind: UInt8, _ value: UInt8, _ code: Bytes32) -> [UInt8]? {
        switch kind {
        case 9: EnrolmentEntry.invited(codeHash: code).bytes
        case 10: EnrolmentEntry.issued(codeHash: code).bytes
        case 11: EnrolmentEntry.voided(codeHash: code).bytes
        case 12: EnrolmentEntry.joiningOpens(round: UInt32(value >> 4), opened: UInt64(value)).bytes
        case 13: EnrolmentEntry.issuingOpens(round: UInt32(value >> 4)).bytes
        default: nil
        }
    }

    private static func replay(_ descriptor: RollDescriptor, _ roll: [[UInt8]], _ enrolment: [[UInt8]]) {
        let size = UInt64(roll.count)
        var replay = RollReplay(descriptor, rootsAt: [size / 2])
        replay.appendMembers(RollEntry.parse(roll), leaves: LeafHashes(of: roll))
        replay.beginEnrolment()
        replay.appendEnrolment(enrolment, leaves: LeafHashes(of: enrolment))
        let reference = PetitionManifest.RollReference(
            id: descriptor.id, coordinator: descriptor.coordinator, label: nil, size: size / 2,
            root: replay.tree.root, laterRings: true)
        _ = replay.isReferred(by: reference)
        let (known, all) = (replay.rings(under: reference), replay.rings(under: reference, includingUnread: true))
        precondition(known.count <= all.count && all.count <= replay.ledger.rings.count, "a ring that is none")
        _ = replay.endsOnSeal(at: reference)
        guard let ledger = replay.enrolment else { preconditionFailure("the enrolment log was begun") }
        precondition(ledger.goodSeals <= replay.ledger.rings.count && ledger.size == enrolment.count)
    }

    // MARK: The log

    private static func note(_ bytes: [UInt8]) {
        for bytes in [bytes, bytes + signature] {
            guard let note = try? SignedNote(parsing: bytes) else { continue }
            _ = try? note.verify(by: VerifierKey(name: "example.org", publicKey: key.publicKey))
        }
        _ = VerifierKey(parsing: String(decoding: bytes, as: UTF8.self))
    }

    private static func checkpoint(_ bytes: [UInt8]) {
        // Signed properly, since a wrong signature is refused before the text is read.
        let name = "example.org/log"
        let note = key.signNote(bytes + [0x0A], name: name)
        guard
            let checkpoint = try? Checkpoint(
                verifying: note, key: VerifierKey(name: name, publicKey: key.publicKey))
        else { return }
        same(checkpoint.text, bytes + [0x0A])
    }

    private static func tile(_ bytes: [UInt8]) {
        if let entries = EntryBundle.decode(bytes) { same(EntryBundle.encode(entries), bytes) }
        if let hashes = HashTile.decode(bytes) { same(HashTile.encode(hashes), bytes) }
        let path = String(decoding: bytes, as: UTF8.self)
        if let request = TileRequest(path: path) { precondition(request.path == path) }
    }

    private static func proof(_ bytes: [UInt8]) {
        guard let proof = try? LogProof(parsing: bytes) else { return }
        same(proof.encoded, bytes)
        let leaf = MerkleHash.leaf(bytes)
        _ = try? proof.verify(leaf: leaf, key: VerifierKey(name: "example.org", publicKey: key.publicKey))
        for size in [0, 1, proof.inclusion.index, proof.inclusion.index &+ 1, .max] {
            try? proof.inclusion.verify(leaf: leaf, size: size, root: leaf)
        }
    }

    // MARK: Witnesses

    private static func policy(_ bytes: [UInt8]) {
        guard let policy = try? WitnessPolicy(parsing: bytes) else { return }
        let strength = policy.strength
        precondition(policy.isMet { _ in true }, "all witnesses together are a quorum")
        precondition(strength.smallestQuorum <= policy.witnesses.count && strength.shared <= strength.smallestQuorum)
        precondition(strength.blocking == nil || !policy.isMet { _ in false }, "somebody is needed")
        for witness in policy.witnesses { precondition(WitnessKey(parsing: witness.key.vkey) == witness.key) }
    }

    private static func logList(_ bytes: [UInt8]) {
        guard let list = try? LogList(parsing: bytes) else { return }
        precondition((try? LogList(parsing: Array(list.text.utf8))) == list, "what is written cannot be read")
    }

    private static func addCheckpoint(_ bytes: [UInt8]) {
        guard let request = AddCheckpointRequest(parsing: bytes) else { return }
        same(request.encoded, bytes)
        let key = VerifierKey(name: "example.org", publicKey: key.publicKey)
        for last in [nil, Checkpoint(origin: key.name, size: 1, root: MerkleHash.emptyRoot)] {
            _ = WitnessVerdict(request, key: { _ in key }, last: { _ in last })
        }
    }

    private static func cosignatures(_ bytes: [UInt8]) {
        let witness = WitnessKey(name: "w.example", publicKey: key.publicKey)
        let checkpoint = Checkpoint(origin: "example.org", size: 5, root: MerkleHash.emptyRoot)
        for line in checkpoint.cosignatures(inLines: bytes, by: [witness]) {
            precondition(checkpoint.cosignatures(inLines: Array(line.line.utf8), by: [witness]) == [line])
            _ = line.counts(at: 0)
        }
        let note = checkpoint.text + [0x0A] + bytes
        if let note = try? SignedNote(parsing: note) { _ = try? note.cosignatures(by: [witness]) }
        for status in [200, 409] {
            _ = WitnessAnswer(status: status, body: bytes, to: checkpoint, keys: [witness])
        }
    }

    // MARK: Documents

    private static func petition(_ bytes: [UInt8]) {
        for bytes in [bytes, bytes + signature] { _ = try? PetitionManifest(parsing: bytes) }
    }

    private static func roll(_ bytes: [UInt8]) {
        for bytes in [bytes, bytes + signature] { _ = try? RollDescriptor(parsing: bytes) }
    }

    private static func tally(_ bytes: [UInt8]) {
        guard let tally = try? PublishedTally(parsing: bytes) else { return }
        let written = Array(tally.json().utf8)
        precondition((try? PublishedTally(parsing: written)) == tally, "what is written cannot be read")
    }

    private static func history(_ bytes: [UInt8]) {
        guard let history = try? GrowthHistory(parsing: bytes) else { return }
        precondition(
            (try? GrowthHistory(parsing: Array(history.json.utf8))) == history, "what is written cannot be read")
    }

    private static func evidence(_ bytes: [UInt8]) {
        guard let evidence = try? Evidence(parsing: bytes) else { return }
        _ = evidence.isContradiction(of: VerifierKey(name: "example.org", publicKey: key.publicKey))
        precondition(
            (try? Evidence(parsing: Array(evidence.json.utf8)))?.json == evidence.json, "what is written cannot be read"
        )
    }

    /// A statement belongs to a signed petition, but may still be any text.
    private static func statement(_ bytes: [UInt8]) {
        let markdown = String(decoding: bytes, as: UTF8.self)
        let html = StatementHTML.render(markdown).lowercased()
        for tag in ["<script", "<img", "<iframe", "<style", "href=\"javascript", "href=\"data"] {
            precondition(!html.contains(tag), "a statement has what it must not have")
        }
        _ = StatementHTML.preview(markdown, limit: 200)
    }

    private static func verified(_ bytes: [UInt8]) {
        guard let entries = try? VerifiedEntries(parsing: bytes) else { return }
        guard entries.ranges.allSatisfy(\.isWritable) else { return }
        precondition((try? VerifiedEntries(parsing: Array(entries.json.utf8))) == entries)
    }

    // MARK: What people type and hand over

    private static func people(_ bytes: [UInt8]) {
        _ = try? PeopleList.codes(inLetters: bytes)
        guard let list = try? PeopleList(bytes, admitsRepeats: true), let roll = try? replayedLink(),
            let code = InvitationCode([UInt8](repeating: 7, count: InvitationCode.count))
        else { return }
        let link = InvitationLink(roll: roll, code: code)
        precondition(!list.people.isEmpty && list.people.allSatisfy { $0.cells.count == list.columns.count })
        // What is handed out has the same cells in the same rows, whatever is in them.
        let letters = list.letters(Array(repeating: link, count: list.people.count))
        guard let codes = try? PeopleList.codes(inLetters: Array(letters.utf8)) else {
            preconditionFailure("letters that invite wrote are refused by void")
        }
        precondition(codes.count == list.people.count && codes.allSatisfy { $0.code.bytes == link.code.bytes })
    }

    /// What an organiser types, a mail server answers, and strangers send to the mailbox for bounces.
    private static func mail(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = try? MailAddress(text) {
            precondition(address.text.utf8.allSatisfy { (0x21..<0x7F).contains($0) }, "an address with other bytes")
            precondition((try? MailAddress(address.text)) == address, "an address with two readings")
        }
        _ = try? Mailbox(text)
        if let server = MailServer(text) {
            precondition(MailServer(server.description) == server, "a server with two readings")
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let reply = SMTPReply(lines: lines) {
            precondition(reply.text.utf8.count <= 400 && reply.text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        }
        guard let bounces = try? MailAddress("b@x.y") else { preconditionFailure("a plain address is refused") }
        let report = BounceReport(Array("b+\(String(repeating: "0", count: 32))@x.y\n".utf8) + bytes, bounces: bounces)
        precondition(report != nil, "a token is not found")
        guard let letter = try? LetterTemplate(bytes, language: .english) else { return }
        guard let address = ServiceURL("https://x.y/rolls/m"), let link = RollLink(address) else { return }
        let invitation = InvitationLink(roll: link, code: .random())
        let filled = letter.filled(invitation: invitation, roll: text, coordinator: "x", stop: address)
        precondition(filled.text.contains(invitation.text), "a mail without its link")
        guard let from = try? Mailbox("a@x.y") else { return }
        let message = try? MailMessage(
            from: from, to: from.address, subject: filled.subject, text: filled.text, date: UTCTime(seconds: 0),
            id: "0",
            language: "en")
        let sent = message.map { String(decoding: $0.bytes(), as: UTF8.self) }
        precondition(sent?.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 998 } ?? true, "a line too long")
    }

    private static func address(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        // What was made of it is taken as it is; but a dot at its end would be that of a sentence.
        if let pasted = try? PastedAddress(text), !pasted.url.text.hasSuffix(".") {
            precondition((try? PastedAddress(pasted.url.text))?.url == pasted.url)
        }
        if let read = try? PastedInvitation(text), let code = read.code {
            let again = try? PastedInvitation(InvitationLink(roll: read.roll, code: code).text)
            precondition(again?.roll == read.roll && again?.code?.bytes == code.bytes && again?.wasRewritten == false)
        }
        if let time = WaitingTime(argument: text) {
            precondition(WaitingTime(argument: time.description) == time)
        }
    }

    private static func sums(_ bytes: [UInt8]) {
        guard let url = ServiceURL("https://example.org") else { return }
        _ = try? ProgramsOffer(url: url, sums: String(decoding: bytes, as: UTF8.self))
    }

    private static func body(_ bytes: [UInt8]) {
        if let request = try? IssueRequest(parsing: bytes) {
            rewritten(request.json) { try IssueRequest(parsing: $0).json }
        }
        if let answer = try? IssueAnswer(parsing: bytes) {
            rewritten(answer.json) { try IssueAnswer(parsing: $0).json }
        }
        if let request = try? JoinRequest(parsing: bytes) {
            rewritten(request.json) { try JoinRequest(parsing: $0).json }
        }
        if let answer = try? JoinAnswer(parsing: bytes) { rewritten(answer.json) { try JoinAnswer(parsing: $0).json } }
        if let status = try? RoundStatus(parsing: bytes) {
            rewritten(status.json) { try RoundStatus(parsing: $0).json }
        }
        if let problem = try? ProblemDocument(parsing: bytes) {
            rewritten(problem.json) { try ProblemDocument(parsing: $0).json }
        }
        if let list = try? PetitionListing.list(parsing: bytes) {
            rewritten(PetitionListing.json(list)) { PetitionListing.json(try PetitionListing.list(parsing: $0)) }
        }
        let work = ProofOfWorkChallenge(bits: 24, seed: [UInt8](repeating: 0, count: ProofOfWorkChallenge.seedCount))
        _ = work.isMet(by: String(decoding: bytes, as: UTF8.self), for: bytes, petition: PetitionID(SHA256.hash([])))
        if bytes.count == DLEQProof.count { _ = try? DLEQProof(decoding: bytes) }
    }

    /// Checks that what was written can be read, and is written the same way again.
    private static func rewritten(_ json: String, _ again: ([UInt8]) throws -> String) {
        precondition((try? again(Array(json.utf8))) == json, "what is written cannot be read")
    }

    private static func url(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let url = ServiceURL(text) { precondition(url.text == text) }
        if let time = UTCTime(text) { precondition(time.description == text) }
        if let url = ServiceURL(text), let link = RollLink(url) { precondition(link.url == url) }
        if let link = try? InvitationLink(parsing: text) {
            precondition((try? InvitationLink(parsing: link.text))?.code.bytes == link.code.bytes)
        }
        _ = InvitationCode(text: text)
        _ = PetitionID(hex: text)
        if let bytes = Base64.decode(text) { precondition(Base64.encode(bytes) == text) }
    }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32
