import Bytes
import Documents
import Foundation
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// A coordinator that signs whatever it likes, and shows it to everyone.
final class LyingCoordinator {
    enum Log: CaseIterable {
        case members, enrolment, announcements
    }

    static let junk: [UInt8] = [0x09]

    let tamperingProxy: TamperingProxy
    let roll: RollDescriptor
    /// The entries of its logs from when it was honest.
    let honest: [Log: [[UInt8]]]
    private let seed: [UInt8]
    /// The honest server, if there is one.
    private let behind: Server?
    private var key: Ed25519SecretKey { Ed25519SecretKey(seed: SecretBytes(copying: seed)) }

    /// The deployment's coordinator, from now on behind a ``TamperingProxy`` that has its key.
    init(of deployment: Deployment) async throws {
        let descriptor = try await deployment.roll()
        var logs: [Log: [[UInt8]]] = [:]
        for log in Log.allCases { logs[log] = try await Self.entries(log.key(of: descriptor)) }
        roll = descriptor
        honest = logs
        seed = [UInt8](try Data(contentsOf: deployment.folder.appending(path: "coordinator/note.key")))
        deployment.coordinator?.kill()
        let port = try freePort()
        behind = try Server(
            "petition-coordinator", ["--commit-joins-every", "0", "--listen", "127.0.0.1:\(port)"],
            in: deployment.folder)
        tamperingProxy = try TamperingProxy(publicURL: deployment.coordinatorURL, backend: "http://127.0.0.1:\(port)")
    }

    /// A coordinator of another organisation that exists only as lies: one roll, whose logs obey every rule.
    init(enrolmentKey: GroupElement, members: [MemberKey]) throws {
        let url = try #require(ServiceURL("http://localhost:\(try freePort())"))
        let slug = try #require(RollSlug("others"))
        let ownSeed = [UInt8](repeating: 9, count: 32)
        let descriptor = try RollDescriptor.make(
            name: "Others", link: RollLink(coordinator: url, slug: slug), enrolmentKey: enrolmentKey,
            terms: RollTerms(ringCapacity: 16, minimumRing: 4, joiningSeconds: 0),
            key: Ed25519SecretKey(seed: SecretBytes(copying: ownSeed)))
        let codes = members.indices.map { SHA256.hash([UInt8($0)]) }
        let enrolment =
            codes.map { EnrolmentEntry.invited(codeHash: $0).bytes }
            + codes.map { EnrolmentEntry.issued(codeHash: $0).bytes }
            + [EnrolmentEntry.joiningOpens(round: 0, opened: 0).bytes]
        let tree = Self.tree(enrolment)
        let seal = RollEntry.seal(enrolmentSize: tree.size, enrolmentRoot: tree.root)
        honest = [
            .members: members.sorted().map { RollEntry.member($0).bytes } + [seal.bytes], .enrolment: enrolment,
            .announcements: [Announcement.roll(descriptor).bytes],
        ]
        (roll, seed, behind) = (descriptor, ownSeed, nil)
        tamperingProxy = try TamperingProxy(publicURL: url.text, backend: "http://localhost:1")
        tamperingProxy.lie(at: roll.link.url.path, roll.note)
        tamperingProxy.lie(at: roll.url.path, roll.note)
        for log in Log.allCases { show(log, honest[log] ?? []) }
    }

    private static func entries(_ log: VerifierKey) async throws -> [[UInt8]] {
        let url = "http://\(log.name)"
        let checkpoint = try Checkpoint(verifying: [UInt8](try await HTTP.get(url + "/checkpoint").body), key: log)
        var entries: [[UInt8]] = []
        for tile in TileRow(count: checkpoint.size) {
            let path = TileID.bundlePath(index: tile.index, width: tile.width)
            entries += try #require(EntryBundle.decode([UInt8](try await HTTP.get("\(url)/\(path)").body)))
        }
        return entries
    }

    private static func tree(_ entries: [[UInt8]]) -> GrowingTree {
        entries.reduce(into: GrowingTree()) { $0.append(MerkleHash.leaf($1)) }
    }

    /// Shows a log with other entries, properly signed.
    func show(_ log: Log, _ entries: [[UInt8]]) {
        let name = log.key(of: roll).name
        tamperingProxy.lie(log: String(name.drop { $0 != "/" }), origin: name, entries: entries, key: key)
    }

    /// Shows every log with a meaningless entry at its end.
    func showJunk() {
        for log in Log.allCases { show(log, (honest[log] ?? []) + [Self.junk]) }
    }

    /// A reference to the whole honest members log, or to `entries` instead.
    func reference(to entries: [[UInt8]]? = nil, laterRings: Bool = false) -> PetitionManifest.RollReference {
        let tree = Self.tree(entries ?? honest[.members] ?? [])
        return .init(
            id: roll.id, coordinator: roll.coordinator, label: nil, size: tree.size, root: tree.root,
            laterRings: laterRings)
    }

    /// A petition of this coordinator, made by hand.
    func petition(
        over rolls: [PetitionManifest.RollReference], aggregator: PetitionManifest.Aggregator
    ) throws -> PetitionManifest {
        try PetitionManifest.make(
            url: roll.coordinator,
            text: .init(
                title: "Act", statement: "Please act.\n", startedBy: "Town", addressedTo: "The council", website: nil,
                language: "en", opens: try #require(UTCTime("2020-01-01T00:00:00Z")),
                closes: try #require(UTCTime("2099-01-01T00:00:00Z")), goal: 10, replaces: nil),
            rolls: rolls, aggregators: [aggregator], key: key)
    }

    /// The verifier's remark about a log with junk at its end.
    func remark(_ log: Log) -> String {
        "\(log.key(of: roll).name) \(honest[log]?.count ?? 0) entry-malformed"
    }
}

extension LyingCoordinator.Log {
    fileprivate func key(of roll: RollDescriptor) -> VerifierKey {
        switch self {
        case .members: roll.membersKey
        case .enrolment: roll.enrolmentLogKey
        case .announcements: Announcement.logKey(coordinator: roll.coordinator, key: roll.key)
        }
    }
}
