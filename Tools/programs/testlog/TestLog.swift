import ArgumentParser
import Documents
import Foundation
import InsecureTestKeys
import Messages
import PetitionCopies
import Petitions
import Sodium
import TransparencyLog
import Witnessing

/// **INSECURE. For tests and measurements only.** Writes the offline copy of a petition with as many records as
/// requested, all by members whose secrets this program knows.
@main
struct TestLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roundrobin-testlog",
        abstract:
            "Write the offline copy of a petition with many records to a new folder, with keys that everybody knows.",
        discussion: """
            Example: a log of 100,000 records in rings of 1,024, of which 3, spread over the log, do not verify.

              roundrobin-testlog copy --records 100000 --bad 3
            """)

    @Argument(help: "The folder, which is made.") var folder: String
    @Option(help: "Records in the log.") var records = 0
    @Option(help: "Instead: fork the log of the copy in the folder, by its aggregator's key, which is in this file.")
    var fork: String?
    @Option(help: "Rings of the roll. Default: as many as the records need.") var rings: Int?
    @Option(help: "Members of each ring, from 16 to 4096.") var ringSize = 1024
    @Option(help: "Records that do not verify.") var bad = 0
    @Option(help: "A file with the policy of the petition.") var witnesses: String?
    @Option(help: "A file with the policy of the roll.") var rollWitnesses: String?
    @Option(help: "When the petition closes, as 2026-06-01T00:00:00Z.") var closes: String?

    private static let coordinator = "https://coordinator.example.org"
    private static let aggregator = "https://count.example.net"

    private var ringCount: Int { rings ?? max(1, (records + ringSize - 1) / ringSize) }

    func validate() throws {
        guard (16...4096).contains(ringSize) else { throw ValidationError("--ring-size takes 16 to 4096") }
        guard records >= 0, bad >= 0, bad <= records else {
            throw ValidationError("--bad takes at most as many as there are records")
        }
        guard ringCount > 0, records <= ringCount * ringSize else {
            throw ValidationError("there are fewer members than records: one signs once")
        }
    }

    func run() throws {
        if let fork { return try swapLastTwo(key: fork) }
        print(try write())
    }

    /// Swaps the last two records: each still verifies, and only who saw the log before can tell.
    private func swapLastTwo(key file: String) throws {
        let key = Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](try Data(contentsOf: URL(filePath: file)))))
        let (log, path) = ("\(folder)/\(OfflineCopy.aggregator(0))", "\(folder)/\(OfflineCopy.petition)")
        let petition = try PetitionManifest(parsing: [UInt8](try Data(contentsOf: URL(filePath: path))))
        let origin = petition.logKey(aggregator: 0)
        let head = try Checkpoint(
            verifying: [UInt8](try Data(contentsOf: URL(filePath: "\(log)/checkpoint"))), key: origin)
        let count = Int(head.size)
        let bundle = "\(log)/\(TileID.bundlePath(index: 0, width: count))"
        guard (2...TileID.fullWidth).contains(count),
            var records = EntryBundle.decode([UInt8](try Data(contentsOf: URL(filePath: bundle))))
        else { throw ValidationError("a log of 2 to 256 records can be forked") }
        records.swapAt(count - 1, count - 2)
        var writer = LogWriter(folder: log)
        for record in records { try writer.append(record) }
        _ = try writer.finish(origin.name, key)
    }

    private func write() throws -> String {
        guard let url = ServiceURL(Self.coordinator), let aggregatorURL = ServiceURL(Self.aggregator) else {
            preconditionFailure("both are urls")
        }
        let roll = try InsecureTestRoll(
            coordinator: url, rings: ringCount, ringSize: ringSize, witnesses: try policy(rollWitnesses))
        let id = roll.descriptor.id
        try write(roll.descriptor.note, to: OfflineCopy.descriptor(id))
        let enrolment = try roll.writeEnrolment(to: "\(folder)/\(OfflineCopy.enrolment(id))")
        let members = try roll.writeMembers(to: "\(folder)/\(OfflineCopy.members(id))", enrolment: enrolment)
        let petition = try roll.petition(
            members: members, aggregator: .init(url: aggregatorURL, key: InsecureTestRoll.noteKey.publicKey),
            witnesses: try policy(witnesses), closes: closes.flatMap { UTCTime($0) })
        try write(petition.note, to: OfflineCopy.petition)
        try roll.writeAnnouncements(of: petition, to: "\(folder)/\(OfflineCopy.announcements)")
        let log = try writeRecords(petition, InsecureBulkSigner(roll, petition: petition))
        let counted = Tally.Count(signatures: UInt64(records - bad), withdrawn: 0)
        let tally = PublishedTally(
            petition, tally: Tally(perRoll: [counted]),
            groups: [TallyGroup(label: roll.descriptor.name, admission: roll.descriptor.admission.kind)],
            treeSize: log.size, rootHash: log.root)
        try write(Array(tally.json().utf8), to: OfflineCopy.tally(0))
        return petition.id.hex
    }

    private func policy(_ file: String?) throws -> WitnessPolicy? {
        try file.map { try WitnessPolicy(parsing: [UInt8](Data(contentsOf: URL(filePath: $0)))) }
    }

    private func writeRecords(_ petition: PetitionManifest, _ signer: InsecureBulkSigner) throws -> GrowingTree {
        var log = LogWriter(folder: "\(folder)/\(OfflineCopy.aggregator(0))")
        let block = 1024
        for start in stride(from: 0, to: records, by: block) {
            let range = start..<min(start + block, records)
            for (index, var record) in zip(range, signer.sign(range)) {
                // Changes the last scalar, z.
                if isBad(index) { record[record.count - 32] ^= 1 }
                try log.append(record)
            }
            if start / block % 16 == 0 {
                FileHandle.standardError.write(Data("\(start)/\(records) records\n".utf8))
            }
        }
        return try log.finish(petition.logKey(aggregator: 0).name, InsecureTestRoll.noteKey)
    }

    /// True for `bad` of the records, at even distances.
    private func isBad(_ index: Int) -> Bool {
        (index + 1) * bad / records > index * bad / records
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try LogWriter.write(bytes, to: "\(folder)/\(path)")
    }
}
