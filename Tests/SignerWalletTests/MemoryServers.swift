import Bytes
import Documents
import LogReading
import Messages
import Petitions
import Platform
import RingSignatures
import Ristretto255
import SignerWallet
import Sodium
import Testing
import TransparencyLog
import VOPRF

/// A coordinator and an aggregator in memory, with the clock of the test. They answer the requests of a signer's steps,
/// and record them.
final class MemoryServers: @unchecked Sendable {
    /// A request, and the number of its connection.
    struct Visit: Equatable {
        let connection: Int
        let request: OutgoingRequest
    }

    /// A completely published log.
    struct Log {
        let key: VerifierKey
        var entries: [[UInt8]] = []

        var tree: GrowingTree { entries.reduce(into: GrowingTree()) { $0.append(MerkleHash.leaf($1)) } }
    }

    static let start: Int64 = 1_790_000_000
    private static let coordinator = "https://coordinator.example.org"
    private static let aggregator = "https://count.example.net"
    private static var noteKey: Ed25519SecretKey {
        Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
    }

    private let voprf = VOPRFServer(seed: SecretBytes(copying: [UInt8](repeating: 2, count: 32)), info: [])
    let roll: RollDescriptor
    private(set) var petition: PetitionManifest?
    /// All requests, in order.
    private(set) var visits: [Visit] = []
    /// The numbers of the closed connections.
    private(set) var closed: [Int] = []
    /// Seconds since 1970.
    var time = MemoryServers.start
    /// How long the signer has waited, in seconds.
    private(set) var waited: Int64 = 0
    var announcements: Log
    var members: Log
    var enrolment: Log
    private(set) var records: Log?
    /// Submitted keys that are in no ring yet.
    private(set) var pending: [MemberKey] = []
    /// False answers by suffix of the url; each is given once.
    var lies: [String: HTTPAnswer] = [:]
    /// How long each answer takes, in seconds.
    var slowness: Int64 = 0
    /// If true, joins are neither accepted nor answered.
    var losesJoins = false

    init(
        joiningSeconds: Int = 86_400, admission: RollAdmission = .list, name: String = "The watch",
        slug: String = "watch"
    ) throws {
        let url = try #require(ServiceURL(Self.coordinator))
        let link = RollLink(coordinator: url, slug: try #require(RollSlug(slug)))
        roll = try RollDescriptor.make(
            name: name, link: link, enrolmentKey: voprf.publicKey,
            terms: RollTerms(ringCapacity: 16, minimumRing: 2, joiningSeconds: joiningSeconds), admission: admission,
            key: Self.noteKey)
        announcements = Log(key: Announcement.logKey(coordinator: url, key: roll.key))
        members = Log(key: roll.membersKey)
        enrolment = Log(key: roll.enrolmentLogKey)
        announcements.entries.append(Announcement.roll(roll).bytes)
    }

    // MARK: What a signer is given

    var network: SignerNetwork {
        SignerNetwork(isProxied: false) { [self] in
            connections += 1
            return Connection(servers: self, number: connections)
        }
    }

    private var connections = 0
    /// The tiles of a large log are requested at once.
    private let oneByOne = Mutex(())

    private final class Connection: RequestConnection {
        private let servers: MemoryServers
        private let number: Int

        init(servers: MemoryServers, number: Int) { (self.servers, self.number) = (servers, number) }

        func send(_ request: OutgoingRequest) async throws(SourceError) -> HTTPAnswer {
            servers.oneByOne.withLock { _ in
                servers.time += servers.slowness
                return servers.take(request, number)
            }
        }
        func close() async { servers.closed.append(number) }
    }

    /// A clock that advances when the signer waits; random numbers are always the largest.
    var clock: SignerClock {
        SignerClock(
            read: { [self] in UTCTime(seconds: time) },
            sleep: { [self] duration in
                time += duration.components.seconds
                waited += duration.components.seconds
            },
            chance: { $0 - 1 }, elapsed: { [self] in .seconds(time) })
    }

    /// The same with the smallest random numbers.
    var early: SignerClock {
        SignerClock(
            read: { [self] in UTCTime(seconds: time) }, sleep: { [self] in time += $0.components.seconds },
            chance: { _ in 0 }, elapsed: { [self] in .seconds(time) })
    }

    // MARK: What a coordinator does

    func invite() -> InvitationLink {
        let code = InvitationCode.random()
        // An open roll logs a code when it is used.
        if !roll.admission.isOpen { enrolment.entries.append(EnrolmentEntry.invited(codeHash: code.hash).bytes) }
        return InvitationLink(roll: roll.link, code: code)
    }

    /// Entries of an open roll that nobody is shown yet.
    private(set) var unpublished: [[UInt8]] = []

    /// Publishes what has come since the last step of an open roll.
    func publishStep() {
        enrolment.entries += unpublished
        unpublished = []
    }

    func openJoining(round: UInt32 = 0) {
        enrolment.entries.append(EnrolmentEntry.joiningOpens(round: round, opened: UInt64(time)).bytes)
    }

    /// Opens the next round.
    func openIssuing(round: UInt32) {
        enrolment.entries.append(EnrolmentEntry.issuingOpens(round: round).bytes)
    }

    /// Enrols people who have no wallet here, and submits their keys.
    func enrolCrowd(_ count: Int) {
        for _ in 0..<count {
            let code = InvitationCode.random().hash
            enrolment.entries += [
                EnrolmentEntry.invited(codeHash: code).bytes, EnrolmentEntry.issued(codeHash: code).bytes,
            ]
            pending.append(MemberKey(GroupElement.base.multiplied(by: Scalar(reducing: SystemRandomness.bytes(64)))))
        }
    }

    /// Seals the submitted keys into rings. The seals name a root of the enrolment log, or that of another.
    func seal(root: Bytes32? = nil) {
        let tree = enrolment.tree
        for ring in RollLedger.rings(cutting: pending, ringCapacity: roll.terms.ringCapacity) {
            members.entries += ring.map { RollEntry.member($0).bytes }
            members.entries.append(
                RollEntry.seal(enrolmentSize: tree.size, enrolmentRoot: root ?? tree.root).bytes)
        }
        pending = []
    }

    /// Makes the petition before the last one that which is served.
    func unpublishPetition() {
        petition = earlier.popLast()
        records = petition.map { Log(key: $0.logKey(aggregator: 0)) }
    }
    private var earlier: [PetitionManifest] = []

    /// Publishes a petition over the current roll, or over what it refers to by another size and root. Returns its
    /// address, as given to signers.
    func publishPetition(size: UInt64? = nil, root: Bytes32? = nil) throws -> ServiceURL {
        if let petition { earlier.append(petition) }
        let tree = members.tree
        let key = Self.noteKey
        let petition = try PetitionManifest.make(
            url: roll.coordinator,
            text: .init(
                title: "Fresh water", statement: "For every watch.", startedBy: "The foretop",
                addressedTo: "The owners",
                website: nil, language: "en", opens: UTCTime(seconds: time), closes: UTCTime(seconds: time + 86_400),
                goal: 10, replaces: nil),
            rolls: [
                .init(
                    id: roll.id, coordinator: roll.coordinator, label: nil, size: size ?? tree.size,
                    root: root ?? tree.root,
                    laterRings: false)
            ],
            aggregators: [.init(url: try #require(ServiceURL(Self.aggregator)), key: key.publicKey)], key: key)
        announcements.entries.append(Announcement.petition(petition.id).bytes)
        records = Log(key: petition.logKey(aggregator: 0))
        self.petition = petition
        return petition.logURL(aggregator: 0)
    }

    /// Adds a record to the log of the petition, whatever it is.
    func count(_ record: [UInt8]) { records?.entries.append(record) }

    // MARK: Answers

    private func take(_ request: OutgoingRequest, _ connection: Int) -> HTTPAnswer {
        visits.append(Visit(connection: connection, request: request))
        if let end = lies.keys.first(where: { request.url.hasSuffix($0) }), let lie = lies.removeValue(forKey: end) {
            return lie
        }
        return answer(request) ?? HTTPAnswer(status: 404, body: [])
    }

    private func answer(_ request: OutgoingRequest) -> HTTPAnswer? {
        func path(_ base: String) -> String? {
            guard request.url.hasPrefix(base) else { return nil }
            let rest = request.url.dropFirst(base.count)
            return rest.isEmpty ? "" : rest.first == "/" ? String(rest.dropFirst()) : nil
        }
        if let petition, let records, let path = path(petition.logURL(aggregator: 0).text) {
            switch path {
            case "petition": return .init(status: 200, body: petition.note)
            case "records": return request.content.flatMap { count($0.bytes, in: petition) }
            default: return resource(path, of: records)
            }
        }
        if request.url == roll.link.url.text { return .init(status: 200, body: roll.note) }
        if let path = path(roll.url.text) {
            switch path {
            case "": return .init(status: 200, body: roll.note)
            case "issue": return request.content.flatMap { issue($0.bytes) }
            case "join": return request.content.flatMap { join($0.bytes) }
            default:
                return resource(path, "members/", of: members) ?? resource(path, "enrolment/", of: enrolment)
            }
        }
        return path(Self.coordinator).flatMap { resource($0, "announcements/", of: announcements) }
    }

    private func resource(_ path: String, _ prefix: String = "", of log: Log) -> HTTPAnswer? {
        guard path.hasPrefix(prefix) else { return nil }
        let path = String(path.dropFirst(prefix.count))
        let tree = log.tree
        if path == "checkpoint" {
            let head = Checkpoint(origin: log.key.name, size: tree.size, root: tree.root)
            return .init(status: 200, body: head.signed(by: Self.noteKey))
        }
        guard let request = TileRequest(path: path), request.isWithin(tree.size) else { return nil }
        switch request {
        case .entries(let index, let width):
            let first = Int(index) * TileID.fullWidth
            return .init(status: 200, body: EntryBundle.encode(log.entries[first..<first + width]))
        case .hashes(let tile, let width):
            var tiles: [TileID: [Bytes32]] = [:]
            var growing = GrowingTree()
            for entry in log.entries { growing.append(MerkleHash.leaf(entry)) { tiles[$0] = $1 } }
            for (tile, hashes) in growing.partialTiles { tiles[tile] = hashes }
            return tiles[tile].map { .init(status: 200, body: HashTile.encode($0.prefix(width))) }
        }
    }

    private func issue(_ body: [UInt8]) -> HTTPAnswer? {
        guard let request = try? IssueRequest(parsing: body) else { return nil }
        let (evaluated, proof) = voprf.blindEvaluate(request.blinded)
        let entry = EnrolmentEntry.issued(codeHash: request.code.hash).bytes
        if roll.admission.isOpen {
            unpublished += [EnrolmentEntry.invited(codeHash: request.code.hash).bytes, entry]
        } else if !enrolment.entries.contains(entry) {
            enrolment.entries.append(entry)
        }
        return .init(status: 200, body: Array(IssueAnswer(evaluated: evaluated, proof: proof).json.utf8))
    }

    private func join(_ body: [UInt8]) -> HTTPAnswer? {
        guard let request = try? JoinRequest(parsing: body) else { return nil }
        let input = MemberIdentity.tokenInput(roll: roll.id, member: request.member)
        guard voprf.isValid(token: request.token, for: input) else { return .init(status: 422, body: []) }
        if losesJoins { return .init(status: 502, body: []) }
        if !pending.contains(request.member) { pending.append(request.member) }
        return .init(status: 202, body: Array(JoinAnswer.pending.json.utf8))
    }

    private func count(_ record: [UInt8], in petition: PetitionManifest) -> HTTPAnswer? {
        guard var log = records else { return nil }
        let isNew = !log.entries.contains(record)
        if isNew { log.entries.append(record) }
        records = log
        guard let index = log.entries.firstIndex(of: record) else { return nil }
        let leaves = log.entries.map(MerkleHash.leaf)
        let tree = log.tree
        let prover = MerkleProver(size: tree.size) { $0 == TileID(level: 0, index: 0) ? leaves : nil }
        guard let proof = try? prover.inclusion(of: UInt64(index)) else { return nil }
        let head = Checkpoint(origin: log.key.name, size: tree.size, root: tree.root).signed(by: Self.noteKey)
        return .init(status: isNew ? 201 : 200, body: LogProof(inclusion: proof, checkpoint: head).encoded)
    }
}
