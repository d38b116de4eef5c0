import Documents
import Foundation
import InsecureTestKeys
import Messages
import PetitionCopies
import Petitions
import Sodium
import TransparencyLog

/// **INSECURE. For tests and measurements only.** Writes the offline copy of a petition with as many records as are
/// asked for, all of them by members whose secrets this program knows.
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
        for index in stride(from: 1, to: arguments.count, by: 2) {
            guard ["--records", "--rings", "--ring-size", "--bad"].contains(arguments[index]),
                let number = Int(arguments[index + 1]), number >= 0
            else { return nil }
            numbers[arguments[index]] = number
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
        let roll = try InsecureTestRoll(coordinator: url, rings: rings, ringSize: ringSize)
        let id = roll.descriptor.id
        try write(roll.descriptor.note, to: OfflineCopy.descriptor(id))
        let enrolment = try roll.writeEnrolment(to: "\(folder)/\(OfflineCopy.enrolment(id))")
        let members = try roll.writeMembers(to: "\(folder)/\(OfflineCopy.members(id))", enrolment: enrolment)
        let petition = try roll.petition(
            members: members, aggregator: .init(url: aggregatorURL, key: InsecureTestRoll.noteKey.publicKey))
        try write(petition.note, to: OfflineCopy.petition)
        try roll.writeAnnouncements(of: petition, to: "\(folder)/\(OfflineCopy.announcements)")
        let log = try writeRecords(petition, InsecureBulkSigner(roll, petition: petition))
        let counted = Tally.Count(signatures: UInt64(records - bad), withdrawn: 0)
        let tally = PublishedTally(
            petition, tally: Tally(perRoll: [counted]), labels: [roll.descriptor.name], treeSize: log.size,
            rootHash: log.root)
        try write(Array(tally.json().utf8), to: OfflineCopy.tally(0))
        return petition.id.hex
    }

    private func writeRecords(_ petition: PetitionManifest, _ signer: InsecureBulkSigner) throws -> GrowingTree {
        var log = LogWriter(folder: "\(folder)/\(OfflineCopy.aggregator(0))")
        let block = 1024
        for start in stride(from: 0, to: records, by: block) {
            let range = start..<min(start + block, records)
            for (index, var record) in zip(range, signer.sign(range)) {
                // The last scalar, z, is then another one.
                if isBad(index) { record[record.count - 32] ^= 1 }
                try log.append(record)
            }
            if start / block % 16 == 0 {
                FileHandle.standardError.write(Data("\(start)/\(records) records\n".utf8))
            }
        }
        return try log.finish(petition.logKey(aggregator: 0).name, InsecureTestRoll.noteKey)
    }

    /// `bad` of the records, at even distances.
    private func isBad(_ index: Int) -> Bool {
        (index + 1) * bad / records > index * bad / records
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try LogWriter.write(bytes, to: "\(folder)/\(path)")
    }
}
