import Bytes
import Dispatch
import Foundation
import KnownSecrets
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Synchronization
import TransparencyLog
import VOPRF
import Verification

/// **INSECURE. For tests and measurements only.** Writes the offline copy of a petition with as many records as are asked for,
/// all of them by members whose secrets this program knows.
@main
struct TestLog {
    private static let usage = """
        usage: roundrobin-testlog FOLDER --records N [--rings N] [--ring-size N] [--bad N]

        Writes the offline copy of a petition with N records to a new folder, with keys that everybody knows. With --bad,
        so many of the records, spread over the log, do not verify. Without --rings there are as many as the records need.

        """

    private let folder: String
    private let records: Int
    private let rings: Int
    private let ringSize: Int
    private let bad: Int
    private var noteKey: Ed25519SecretKey {
        Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
    }
    private let url: ServiceURL
    private let aggregatorURL: ServiceURL

    static func main() throws {
        guard let generator = TestLog(Array(CommandLine.arguments.dropFirst())) else {
            FileHandle.standardError.write(Data(usage.utf8))
            exit(2)
        }
        print(try generator.run())
    }

    private init?(_ arguments: [String]) {
        guard let folder = arguments.first, !folder.hasPrefix("-"), arguments.count % 2 == 1,
            let url = ServiceURL("https://coordinator.example.org"),
            let aggregator = ServiceURL("https://count.example.net")
        else { return nil }
        var numbers: [String: Int] = [:]
        for place in stride(from: 1, to: arguments.count, by: 2) {
            guard ["--records", "--rings", "--ring-size", "--bad"].contains(arguments[place]),
                let number = Int(arguments[place + 1]), number >= 0
            else { return nil }
            numbers[arguments[place]] = number
        }
        guard let records = numbers["--records"] else { return nil }
        self.folder = folder
        self.url = url
        self.records = records
        aggregatorURL = aggregator
        bad = numbers["--bad"] ?? 0
        ringSize = numbers["--ring-size"] ?? 1024
        guard (16...4096).contains(ringSize) else { return nil }
        rings = numbers["--rings"] ?? max(1, (records + ringSize - 1) / ringSize)
        guard rings > 0, records <= rings * ringSize, bad <= records else { return nil }
    }

    private func run() throws -> String {
        let server = VOPRFServer(seed: SecretBytes(copying: [UInt8](repeating: 2, count: 32)), info: [])
        let roll = try RollDescriptor.make(
            name: "Test roll: all secrets are known", url: try url(url, "rolls", "test"),
            enrolmentKey: server.publicKey,
            ringCapacity: ringSize, minimumRing: min(16, ringSize / 2), key: noteKey)
        try write(roll.note, to: OfflineCopy.descriptor(roll.id))
        let enrolment = try writeEnrolment(roll, server)
        let known = (0..<rings).map { makeRing(UInt32($0), of: roll) }
        let members = try writeMembers(roll, known.map(\.ring), enrolment)
        let petition = try PetitionManifest.make(
            url: url, text: Self.text,
            rolls: [
                .init(id: roll.id, url: roll.url, label: nil, size: members.size, root: members.root, laterRings: false)
            ],
            aggregators: [.init(url: aggregatorURL, key: noteKey.publicKey)], key: noteKey)
        try write(petition.note, to: OfflineCopy.petition)
        let log = try writeRecords(petition, known)
        let counted = Tally.Count(signatures: UInt64(records - bad), withdrawn: 0)
        let tally = PublishedTally(
            petition, tally: Tally(perRoll: [counted]), labels: [roll.name], treeSize: log.size, rootHash: log.root)
        try write(Array(tally.json().utf8), to: OfflineCopy.tally(0))
        return petition.id.hex
    }

    private static var text: PetitionManifest.Text {
        get throws {
            guard let opens = UTCTime("2026-01-01T00:00:00Z"), let closes = UTCTime("2036-01-01T00:00:00Z") else {
                throw Failure.text
            }
            return PetitionManifest.Text(
                title: "A test log", statement: "Made by a tool that knows every secret. Nobody signed this.",
                startedBy: "roundrobin-testlog", addressedTo: "nobody", website: nil, language: "en", opens: opens,
                closes: closes, goal: 1000, replaces: nil)
        }
    }

    private enum Failure: Error { case text }

    private func url(_ base: ServiceURL, _ segments: String...) throws -> ServiceURL {
        guard let url = ServiceURL(([base.text] + segments).joined(separator: "/")) else { throw Failure.text }
        return url
    }

    /// The enrolment of every member. One answer of the coordinator serves all codes: it is valid for each of them.
    private func writeEnrolment(_ roll: RollDescriptor, _ server: borrowing VOPRFServer) throws -> GrowingTree {
        let blinded = BlindedElement(HashToGroup.element(Array("blinded".utf8), dst: Array("test".utf8)))
        let (evaluated, proof) = server.blindEvaluate(blinded)
        var log = LogWriter(folder: folder, prefix: OfflineCopy.enrolment(roll.id))
        let codes = (0..<rings * ringSize).map { SHA256.hash(Array("code \($0)".utf8)) }
        for code in codes { try log.append(EnrolmentEntry.invited(codeHash: code).bytes) }
        for code in codes {
            let entry = IssuedEntry(codeHash: code, blinded: blinded, evaluated: evaluated, proof: proof)
            try log.append(EnrolmentEntry.issued(entry).bytes)
        }
        try log.append(EnrolmentEntry.joiningOpens(round: 0).bytes)
        return try log.finish(roll.enrolmentLogKey.name, noteKey)
    }

    private func makeRing(_ number: UInt32, of roll: RollDescriptor) -> (ring: Ring, secrets: [Scalar]) {
        // Secrets that follow each other: each key is the one before and B.
        var members: [(key: GroupElement, secret: Scalar)] = []
        var secret = Scalar(UInt64(number) * UInt64(ringSize) + 1)
        var key = GroupElement.base.multiplied(by: secret)
        for _ in 0..<ringSize {
            members.append((key, secret))
            secret = secret + .one
            key = key + .base
        }
        members.sort { $0.key < $1.key }
        return (Ring(roll: roll.id.bytes, number: number, members: members.map(\.key)), members.map(\.secret))
    }

    private func writeMembers(
        _ roll: RollDescriptor, _ rings: [Ring], _ enrolment: GrowingTree
    ) throws -> GrowingTree {
        var log = LogWriter(folder: folder, prefix: OfflineCopy.members(roll.id))
        for ring in rings {
            for member in ring.members { try log.append(RollEntry.member(member).bytes) }
            try log.append(RollEntry.seal(enrolmentSize: enrolment.size, enrolmentRoot: enrolment.root).bytes)
        }
        return try log.finish(roll.membersKey.name, noteKey)
    }

    /// Signs in blocks on all cores; the records of all rings are mixed, as they arrive in a real log.
    private func writeRecords(
        _ petition: PetitionManifest, _ rings: [(ring: Ring, secrets: [Scalar])]
    ) throws -> GrowingTree {
        let signer = KnownSecretSigner(
            petition: PetitionBase(petition: petition.id.bytes), digits: rings[0].ring.digits)
        let known = rings.map { signer.know($0.ring, secrets: $0.secrets) }
        var log = LogWriter(folder: folder, prefix: OfflineCopy.aggregator(0))
        let block = 1024
        for start in stride(from: 0, to: records, by: block) {
            let count = min(block, records - start)
            let made = Mutex([[UInt8]](repeating: [], count: count))
            DispatchQueue.concurrentPerform(iterations: count) { offset in
                let index = start + offset
                var record = signer.sign(known[index % known.count], position: index / known.count, roll: 0)
                // The last scalar, z, is then another one.
                if isBad(index) { record[record.count - 32] ^= 1 }
                made.withLock { $0[offset] = record }
            }
            for record in made.withLock({ $0 }) { try log.append(record) }
            if start / block % 16 == 0 {
                FileHandle.standardError.write(Data("\(start)/\(records) records\n".utf8))
            }
        }
        return try log.finish(petition.logKey(aggregator: 0).name, noteKey)
    }

    /// `bad` of the records, at even distances.
    private func isBad(_ index: Int) -> Bool {
        (index + 1) * bad / records > index * bad / records
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try LogWriter.write(bytes, to: "\(folder)/\(path)")
    }
}

/// Writes a log as it is published: bundles, tiles and at last the checkpoint.
struct LogWriter {
    private let folder: String
    private var tree = GrowingTree()
    private var bundle: [[UInt8]] = []

    init(folder: String, prefix: String) {
        self.folder = "\(folder)/\(prefix)"
    }

    mutating func append(_ entry: [UInt8]) throws {
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

    mutating func finish(_ origin: String, _ key: borrowing Ed25519SecretKey) throws -> GrowingTree {
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

    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = URL(filePath: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }
}
