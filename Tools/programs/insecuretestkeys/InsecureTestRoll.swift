import Bytes
import Documents
import Foundation
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF
import Witnessing

/// **INSECURE. For tests and measurements only.** A roll whose keys and members' secrets are publicly known, and
/// petitions over it.
package struct InsecureTestRoll {
    /// The key that signs all documents and logs.
    package static var noteKey: Ed25519SecretKey {
        Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
    }
    private static let text: (opens: UTCTime?, closes: UTCTime?) = (
        UTCTime("2026-01-01T00:00:00Z"), UTCTime("2036-01-01T00:00:00Z")
    )
    /// When joining opened: 2025-12-31T00:00:00Z.
    private static let joiningOpened: UInt64 = 1_767_139_200

    package let descriptor: RollDescriptor
    /// The rings, each with the secrets of its members in the same order.
    package let rings: [(ring: Ring, secrets: [Scalar])]
    private static var server: VOPRFServer {
        VOPRFServer(seed: SecretBytes(copying: [UInt8](repeating: 2, count: 32)), info: [])
    }
    private let coordinator: ServiceURL
    /// The last ring, if it has a member whose secret is not known.
    private let guestRing: Ring?

    /// Why a roll could not be made.
    package enum Failure: Error {
        case url
        case time
    }

    /// A roll of a coordinator at `url`. The key that `guest` returns, whose secret need not be known, is in one more
    /// ring, the last and smallest.
    package init(
        coordinator url: ServiceURL, rings: Int, ringSize: Int, witnesses: WitnessPolicy? = nil,
        guest: ((RollDescriptor) throws -> MemberKey)? = nil
    ) throws {
        guard let slug = RollSlug("test") else { throw Failure.url }
        let descriptor = try RollDescriptor.make(
            name: "Test roll: all secrets are known", link: RollLink(coordinator: url, slug: slug),
            enrolmentKey: Self.server.publicKey,
            terms: RollTerms(ringCapacity: ringSize, minimumRing: min(16, ringSize / 2)), witnesses: witnesses,
            key: Self.noteKey)
        self.descriptor = descriptor
        coordinator = url
        self.rings = (0..<rings).map { Self.ring(UInt32($0), size: ringSize, of: descriptor) }
        guestRing = try guest.map { guest in
            // Members beyond those of the other rings.
            let first = Scalar(UInt64(rings) * UInt64(ringSize) + 1)
            let others = (0..<UInt64(descriptor.terms.minimumRing - 1)).map {
                MemberKey(GroupElement.base.multiplied(by: first + Scalar($0)))
            }
            return Ring(
                roll: descriptor.id.bytes, number: UInt32(rings), members: (others + [try guest(descriptor)]).sorted())
        }
    }

    private var allRings: [Ring] { rings.map(\.ring) + (guestRing.map { [$0] } ?? []) }

    private static func ring(
        _ number: UInt32, size: Int, of roll: RollDescriptor
    ) -> (ring: Ring, secrets: [Scalar]) {
        // Consecutive secrets: each key is the previous one plus `B`.
        var members: [(key: MemberKey, secret: Scalar)] = []
        var secret = Scalar(UInt64(number) * UInt64(size) + 1)
        var key = GroupElement.base.multiplied(by: secret)
        for _ in 0..<size {
            members.append((MemberKey(key), secret))
            secret = secret + .one
            key = key + .base
        }
        members.sort { $0.key < $1.key }
        return (Ring(roll: roll.id.bytes, number: number, members: members.map(\.key)), members.map(\.secret))
    }

    /// Writes the enrolment of every member below `folder`.
    package func writeEnrolment(to folder: String) throws -> GrowingTree {
        var log = LogWriter(folder: folder)
        let members = allRings.reduce(0) { $0 + $1.members.count }
        let codes = (0..<members).map { SHA256.hash(Array("code \($0)".utf8)) }
        for code in codes { try log.append(EnrolmentEntry.invited(codeHash: code).bytes) }
        for code in codes { try log.append(EnrolmentEntry.issued(codeHash: code).bytes) }
        try log.append(EnrolmentEntry.joiningOpens(round: 0, opened: Self.joiningOpened).bytes)
        return try log.finish(descriptor.enrolmentLogKey.name, Self.noteKey)
    }

    /// Writes the members and seals below `folder`.
    package func writeMembers(to folder: String, enrolment: GrowingTree) throws -> GrowingTree {
        var log = LogWriter(folder: folder)
        for ring in allRings {
            for member in ring.members { try log.append(RollEntry.member(member).bytes) }
            try log.append(RollEntry.seal(enrolmentSize: enrolment.size, enrolmentRoot: enrolment.root).bytes)
        }
        return try log.finish(descriptor.membersKey.name, Self.noteKey)
    }

    /// Writes the coordinator's announcements below `folder`: this roll, and a petition over it.
    package func writeAnnouncements(of petition: PetitionManifest, to folder: String) throws {
        var log = LogWriter(folder: folder)
        try log.append(Announcement.roll(descriptor).bytes)
        try log.append(Announcement.petition(petition.id).bytes)
        let key = Announcement.logKey(coordinator: coordinator, key: Self.noteKey.publicKey)
        _ = try log.finish(key.name, Self.noteKey)
    }

    /// A petition over this roll, which is open unless `closes` is over.
    package func petition(
        members: GrowingTree, aggregator: PetitionManifest.Aggregator, witnesses: WitnessPolicy? = nil,
        statement: String = "Made by a tool that knows every secret. Nobody signed this.", closes: UTCTime? = nil
    ) throws -> PetitionManifest {
        guard let opens = Self.text.opens, let closes = closes ?? Self.text.closes else { throw Failure.time }
        return try PetitionManifest.make(
            url: coordinator,
            text: .init(
                title: "A test log", statement: statement,
                startedBy: "roundrobin-testlog", addressedTo: "nobody", website: nil, language: "en", opens: opens,
                closes: closes, goal: 1000, replaces: nil),
            rolls: [
                .init(
                    id: descriptor.id, coordinator: coordinator, label: nil, size: members.size, root: members.root,
                    laterRings: false)
            ],
            aggregators: [aggregator], witnesses: witnesses, key: Self.noteKey)
    }
}

/// Writes a log in its published form: bundles, tiles and finally the checkpoint.
package struct LogWriter {
    private let folder: String
    private var tree = GrowingTree()
    private var bundle: [[UInt8]] = []

    /// A log below `folder`.
    package init(folder: String) {
        self.folder = folder
    }

    /// Appends an entry.
    package mutating func append(_ entry: [UInt8]) throws {
        var tiles: [(TileID, [Bytes32])] = []
        tree.append(MerkleHash.leaf(entry)) { tiles.append(($0, $1)) }
        for (tile, hashes) in tiles { try write(HashTile.encode(hashes), tile.path()) }
        bundle.append(entry)
        if bundle.count == TileID.fullWidth { try writeBundle() }
    }

    private mutating func writeBundle() throws {
        let index = (tree.size - 1) / UInt64(TileID.fullWidth)
        try write(EntryBundle.encode(bundle), TileID.bundlePath(index: index, width: bundle.count))
        bundle = []
    }

    /// Writes the last bundle, the partial tiles and the checkpoint.
    package mutating func finish(_ origin: String, _ key: borrowing Ed25519SecretKey) throws -> GrowingTree {
        if !bundle.isEmpty { try writeBundle() }
        for (tile, hashes) in tree.partialTiles {
            try write(HashTile.encode(hashes), tile.path(width: hashes.count))
        }
        try write(Checkpoint(origin: origin, size: tree.size, root: tree.root).signed(by: key), "checkpoint")
        return tree
    }

    private func write(_ bytes: [UInt8], _ path: String) throws {
        try Self.write(bytes, to: "\(folder)/\(path)")
    }

    /// Writes a file, and creates the folders that contain it.
    package static func write(_ bytes: [UInt8], to path: String) throws {
        let file = URL(filePath: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }
}
