import ArgumentParser
import Bytes
import CommandSupport
import Documents
import Foundation
import InsecureTestKeys
import Petitions
import SignerWallet
import Sodium
import Witnessing
import WalletFiles

/// Puts load on an aggregator: with signatures made in advance, and with junk of all kinds.
///
/// **INSECURE: it signs with publicly known secrets. For tests and measurements only.**
@main
enum Main {
    static func main() async {
        await Load.runProgram()
    }
}

struct Load: Program {
    static let programName = "roundrobin-load"
    static let configuration = CommandConfiguration(
        commandName: programName,
        abstract: "Measure an aggregator with signatures made ahead of time.",
        discussion: """
            Tools/load runs all of this, with an aggregator of its own:

              roundrobin-load prepare load --records 10000 --aggregator http://127.0.0.1:8100=KEY
              roundrobin-load roll load &
              petition-aggregator add load/petition
              roundrobin-load run load --rate 500 --junk-rate 1000 --junk wrong
            """,
        subcommands: [Prepare.self, ServeRoll.self, Run.self, Prefill.self])

    static func userError(for error: any Error) -> UserError? { nil }
}

struct Prepare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a roll, a petition over it, and the records of its members.")
    @Argument(help: "The folder to make.") var folder: String
    @Option(help: "How many records.") var records = 10_000
    @Option(help: "Members of a ring.") var ringSize = 1024
    @Option(help: "How many rings (default: as many as the records need).") var rings: Int?
    @Option(help: "The port of this machine on which the roll will be served.") var rollPort = 8101
    @Option(help: "url=key, as petition-aggregator prints it.") var aggregator: String
    @Option(help: "A file with the policy of the petition.") var witnesses: String?
    @Option(help: "Also make this wallet, of one more member; its passphrase is \"insecure\".") var wallet: String?

    func validate() throws {
        guard (1...99_999_999).contains(records), (16...4096).contains(ringSize), (1...100_000).contains(rings ?? 1)
        else {
            throw ValidationError("there are 1 to 99999999 records, in 1 to 100000 rings of 16 to 4096")
        }
        guard (1...65_535).contains(rollPort) else { throw ValidationError("--roll-port takes 1 to 65535") }
    }

    func run() throws {
        let parts = aggregator.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let url = ServiceURL(parts[0]),
            let key = Base64.decode32(parts[1]).map({ Ed25519PublicKey($0) }),
            let coordinator = ServiceURL("http://127.0.0.1:\(rollPort)")
        else { throw UserError(.usage, "\(aggregator) is not url=key") }
        let count = rings ?? max(1, (records + ringSize - 1) / ringSize)
        guard records <= count * ringSize else { throw UserError(.usage, "the rings have too few members") }
        let roll = try InsecureTestRoll(
            coordinator: coordinator, rings: count, ringSize: ringSize,
            guest: wallet.map { path in
                { descriptor in
                    try Wallet.create(at: path, passphrase: SecretBytes(copying: Array("insecure".utf8)))
                        .supposeMembership(of: descriptor)
                }
            })
        try LogWriter.write(roll.descriptor.note, to: "\(folder)/roll")
        let enrolment = try roll.writeEnrolment(to: "\(folder)/enrolment")
        let members = try roll.writeMembers(to: "\(folder)/members", enrolment: enrolment)
        let policy = try witnesses.map {
            try WitnessPolicy(parsing: NamedFile.read($0, limit: WitnessPolicy.maximumBytes))
        }
        let petition = try roll.petition(
            members: members, aggregator: .init(url: url, key: key), witnesses: policy)
        try roll.writeAnnouncements(of: petition, to: "\(folder)/announcements")
        try LogWriter.write(petition.note, to: "\(folder)/petition")
        try writeRecords(InsecureBulkSigner(roll, petition: petition))
        // For witnesses, who have to be told whom to follow.
        print("\(coordinator.text)=\(Base64.encode(petition.key.bytes.array))")
    }

    private func writeRecords(_ signer: InsecureBulkSigner) throws {
        let path = "\(folder)/records"
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw UserError(.undecided, "\(path) cannot be written") }
        let bar = ProgressBar()
        for start in stride(from: 0, to: records, by: 1024) {
            let range = start..<min(start + 1024, records)
            for record in signer.sign(range) { try file.write(contentsOf: Data(record)) }
            bar.update("records signed", done: UInt64(range.upperBound), of: UInt64(records))
        }
        bar.finish()
    }
}

/// The files that ``Prepare`` made.
struct Prepared {
    let petition: PetitionManifest
    let records: [[UInt8]]

    init(folder: String) throws {
        func read(_ path: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(path)")))
        }
        petition = try PetitionManifest(parsing: try read("petition"))
        let all = try read("records")
        let roll = try RollDescriptor(parsing: try read("roll"))
        // All rings are full, so that all records have the same length: 166 + 160 m bytes.
        var digits = 2
        while 1 << (2 * digits) < roll.terms.ringCapacity { digits += 1 }
        let size = 166 + 160 * digits
        records = stride(from: 0, to: all.count - all.count % size, by: size).map { Array(all[$0..<$0 + size]) }
    }
}
