import ArgumentParser
import Bytes
import CommandSupport
import Documents
import ServerCommands
import Sodium
import TransparencyLog
import WitnessService
import Witnessing

struct Trust: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow logs: all of a server, a single one, or those of a list. Also while the server runs.",
        discussion: """
            All logs below a server's address that its key signs. Coordinators and aggregators print their key with \
            status:

              petition-witness trust 7UyeO8wzpIbQ5jBqfvQh6xu9KGtvEYbV4Yt9d0BOd0s= https://union.example

            One log, by its vkey; or the logs of a list (C2SP tlog-list), which a running server reads again every \
            quarter of an hour if it is an address:

              petition-witness trust union.example/announcements+59bb73b2+AQOhB7/z…
              petition-witness trust --list https://union.example/log-list

            Logs are only ever added, and never change their key.
            """)
    @OptionGroup var at: FolderOption
    @Option(help: ArgumentHelp("A list of logs: an address or a file.", valueName: "url-or-file")) var list: String?
    @Option(help: ArgumentHelp("The most logs below an address.", valueName: "number")) var logs = 10_000
    @Option(
        help: ArgumentHelp(
            "The most new checkpoints a minute, over all logs of this rule. Default: 6000, or 120 for one log.",
            valueName: "number"))
    var perMinute: Int?
    @Argument(help: "A public key in base64, or the vkey of one log.") var key: String?
    @Argument(help: "The address below which the key's logs are.") var prefix: String?

    private static let minutesPerDay: Int64 = 1440

    func validate() throws {
        guard (list == nil) != (key == nil) else {
            throw ValidationError("name a key and an address, a vkey, or --list")
        }
        guard (1...1_000_000).contains(logs) else { throw ValidationError("--logs takes 1 to 1000000") }
        if let perMinute, !(1...1_000_000).contains(perMinute) {
            throw ValidationError("--per-minute takes 1 to 1000000")
        }
    }

    func run() throws {
        let witness = try at.open()
        if let list { return try follow(list, witness) }
        guard let key else { return }
        if let prefix {
            let url = try AddressText.server(prefix)
            guard let bytes = Base64.decode32(key) else {
                throw UserError(
                    .usage, "\(shown(key)) is not a public key", hint: "it has 44 characters: see status of the server")
            }
            try witness.trust(
                Ed25519PublicKey(bytes), below: url, mostOrigins: logs, perDay: perDay(6000))
            return print("Follows all logs below \(url.bare) that this key signs.")
        }
        guard let log = VerifierKey(parsing: key) else {
            throw UserError(
                .usage, "\(shown(key)) is not the vkey of a log",
                hint: "for a key in base64, name the address below which its logs are, too")
        }
        try witness.trust(log, perDay: perDay(120))
        print("Follows \(log.name).")
    }

    private func perDay(_ standard: Int) -> Int64 { Int64(perMinute ?? standard) * Self.minutesPerDay }

    private func follow(_ list: String, _ witness: Witness) throws {
        if list.hasPrefix("https://") || list.hasPrefix("http://") {
            guard let url = ServiceURL(list) else {
                throw UserError(
                    .usage, "\(shown(list)) is not an address", hint: "write it like https://union.example/log-list")
            }
            try witness.follow(list: url.text)
            return print("A running server reads \(url) now and then, and follows its logs.")
        }
        let entries = try LogList(parsing: NamedFile.read(list, limit: LogList.maximumBytes))
        let others = try witness.trust(entries, from: list)
        print("Follows \(counted(entries.entries.count - others.count, "log", "logs")) of \(list).")
        guard others.isEmpty else {
            throw UserError(
                .refused,
                "not followed, as their key or name is another: \(shown(others.joined(separator: ", "), limit: 500))",
                hint: "ask the operator of the list: logs do not change keys")
        }
    }
}
