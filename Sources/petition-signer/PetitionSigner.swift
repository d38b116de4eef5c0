import ArgumentParser
import CommandSupport
import Documents
import DurableFiles
import FoundationEssentials
import LogClient
import Petitions
import Platform
import SignerWallet
import Sodium
import WalletFiles

@main
enum Main {
    static func main() async {
        await PetitionSigner.runProgram()
    }
}

struct PetitionSigner: Program {
    static let programName = "petition-signer"
    static let configuration = CommandConfiguration(
        commandName: programName,
        abstract: "Enrol once, then sign petitions without being named.",
        discussion: """
            Example, with the link from your invitation and a petition's address:

              petition-signer enrol 'https://union.example/rolls/members-2027#3AYCE96ME5ZY708N72MWEWYZTJB'
              petition-signer join --wait
              petition-signer sign https://count.example/petitions/0123…cdef

            Every command that reaches the network takes --proxy socks5://127.0.0.1:9050 to go through Tor.
            Exit codes: 0 fine, 1 refused or invalid, 2 wrong usage, 3 cannot decide.
            """,
        version: Release.text(of: programName),
        subcommands: [
            Ask.self, Support.self, Continue.self, Enrol.self, Join.self, RingCommand.self, PetitionList.self,
            Show.self,
            Sign.self, Submit.self,
            Receipts.self,
            ReceiptCommand.self, Withdraw.self, WalletCommand.self, Export.self, Import.self, EvidenceCommand.self,
        ])

    static func userError(for error: any Error) -> UserError? {
        switch error {
        case let error as SignerError: SignerErrorText.about(error)
        case let error as DurableFile.ReadFailure: NamedFile.userError(for: error)
        case let error as SecretFolder.Failure: FolderText.userError(for: error)
        case let error as DurableFile.Failure:
            UserError(
                .refused, "\(error.path) cannot be written: \(error.reason)", hint: "check the folder and the disk")
        case let error as CocoaError:
            UserError(
                .refused, "\(error.filePath ?? "a file or folder") cannot be written: \(error.reason)",
                hint: "check its permissions and the disk")
        default: nil
        }
    }
}

/// Where the wallet is and how it is opened.
struct WalletOptions: ParsableArguments {
    @Option(help: "The wallet's file. Default: .roundrobin/wallet in your home folder.") var wallet: String?
    @Option(help: "Read the passphrase from this open file descriptor instead of the terminal.") var passphraseFd:
        Int32?

    private static let folder = "/.roundrobin"

    /// The home folder as the shell knows it: `$HOME`, or else the one in the system's list of users.
    private var home: String {
        if let home = Environment.variable("HOME"), !home.isEmpty { return home }
        return FileManager.default.homeDirectoryForCurrentUser.path
    }

    var path: String { wallet ?? home + Self.folder + "/wallet" }

    /// The same option for a command that a person is asked to type.
    var hint: String { wallet.map { " --wallet \($0.shellQuoted)" } ?? "" }

    func open() throws -> Wallet {
        guard FileManager.default.fileExists(atPath: path) else { throw SignerError.walletMissing(path: path) }
        return try Wallet.open(at: path, passphrase: try passphrase(isNew: false))
    }

    /// Opens the wallet, if there is one.
    func openIfThere() throws -> Wallet? { FileManager.default.fileExists(atPath: path) ? try open() : nil }

    /// Opens the wallet, or creates one.
    func openOrCreate() throws -> Wallet {
        if let wallet = try openIfThere() { return wallet }
        try makeFolder()
        Terminal.show("Making a new wallet in \(path).")
        return try Wallet.create(at: path, passphrase: try passphrase(isNew: true))
    }

    /// The folder of the default wallet is for secrets. Another is the person's own choice, and may have other files.
    func makeFolder() throws {
        if wallet == nil { return try FolderText.prepare(home + Self.folder, isOurs: true) }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Removes what editors add to a file and nobody types: a byte order mark, and the first half of CR LF.
    private static func removeEditorBytes(_ line: inout [UInt8]) {
        if line.last == 0x0D { line.removeLast() }
        if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    }

    func passphrase(isNew: Bool) throws -> SecretBytes {
        if let passphraseFd {
            guard var line = Terminal.readLine(from: passphraseFd) else {
                throw UserError(
                    .usage, "file descriptor \(passphraseFd) cannot be read",
                    hint: "open a file for it: --passphrase-fd 3 3<passphrase-file")
            }
            Self.removeEditorBytes(&line)
            guard !line.isEmpty else {
                throw UserError(.usage, "the first line of file descriptor \(passphraseFd) is empty")
            }
            return SecretBytes(moving: &line)
        }
        guard var line = Terminal.readHidden(isNew ? "New passphrase: " : "Passphrase: ") else {
            throw UserError(
                .usage, "there is no terminal to ask for the passphrase",
                hint: "give it on a file descriptor: --passphrase-fd 3 3<passphrase-file")
        }
        guard !line.isEmpty else { throw UserError(.refused, "the passphrase is empty") }
        let secret = SecretBytes(moving: &line)
        if isNew {
            guard var again = Terminal.readHidden("The same again: ") else {
                throw UserError(.usage, "there is no terminal")
            }
            let repeated = SecretBytes(moving: &again)
            guard secret.isEqual(to: repeated) else { throw UserError(.refused, "the two passphrases differ") }
        }
        return secret
    }
}

/// How the network is reached.
struct NetworkOptions: ParsableArguments {
    @Option(help: "SOCKS5 proxy for every request, host names included, such as socks5://127.0.0.1:9050.")
    var proxy: String?

    /// The same option for a command that a person is asked to type, without a password.
    var hint: String { proxy.map { $0.contains("@") ? " --proxy …" : " --proxy \($0)" } ?? "" }

    func network() throws -> SignerNetwork {
        let parsed = try proxy.map { text in
            guard let proxy = SOCKSProxy(text) else {
                throw UserError(
                    .usage, "this is not the address of a SOCKS5 proxy",
                    hint: "write it like socks5://127.0.0.1:9050")
            }
            return proxy
        }
        let notice = OneNotice(
            "The proxy takes no user names, as Tor does: servers may see all requests come from one place, and link them."
        )
        return SignerNetwork(isProxied: parsed != nil) {
            HTTPConnection(proxy: parsed, lifetime: SignerNetwork.longestVisit) { notice.give() }
        }
    }
}

/// A notice that is printed at most once in a run.
private final class OneNotice: Sendable {
    private let words: String
    private let isGiven = Mutex(false)

    init(_ words: String) {
        self.words = words
    }

    func give() {
        let isFirst = isGiven.withLock { given in
            defer { given = true }
            return !given
        }
        if isFirst { FileStream.error.write("petition-signer: note: \(words)\n") }
    }
}

struct Enrol: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Use your invitation. The coordinator sees that you enrol, but not which member you will be.",
        discussion: """
            Copy the link in single quotes, however your mail program shows it; or give link and code apart, as the \
            letter has them. Without a link, you are asked for it.

              petition-signer enrol 'https://union.example/rolls/members-2027#3AYCE96ME5ZY708N72MWEWYZTJB'
              petition-signer enrol https://union.example/rolls/members-2027 3AYCE-96ME5-ZY708-N72MW-EWYZT-JB
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @Argument(help: "The link from your invitation.") var link: String?
    @Argument(help: "The code, if the link does not have it.") var code: [String] = []

    func run() async throws {
        let invitation = try InvitationText.invitation(link, code: code.joined())
        let network = try net.network()
        let wallet = try at.openOrCreate()
        let roll = try await wallet.enrol(invitation, network: network, clock: .system) { own, others in
            Terminal.show("People are admitted to \"\(own.name)\" \(own.admission.words).")
            for line in RollSizeText.enrolling(own, others) { Terminal.show(line) }
        }
        print("You are enrolled in \"\(roll.name)\".")
        print("Next: petition-signer join --wait\(at.hint)\(net.hint)")
        print("It waits until joining opens, and hands in your key at a random moment. Leave it running.")
    }
}

extension SignerRisk.Name: ExpressibleByArgument {}

/// Risks that a person agrees to in advance.
struct RiskOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Go on without asking in spite of this.", valueName: "risk"))
    var despite: [SignerRisk.Name] = []

    /// Explains the risk, and asks unless it was agreed to.
    func ask(_ risk: SignerRisk) throws(SignerError) {
        FileStream.error.write(RiskText.explanation(of: risk) + "\n")
        if despite.contains(risk.name) { return }
        guard Terminal.canAsk, Terminal.confirm("Go on all the same?") else { throw .notAgreed(risk) }
    }
}

struct Join: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hand in your member key, unlinked from your name.",
        discussion: """
            Your key is sent at a random moment in the second half of the joining time, so that the moment does not give you \
            away; best from another network than you enrolled from, or through Tor. Keep the computer awake meanwhile.

              petition-signer join --wait --proxy socks5://127.0.0.1:9050
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @OptionGroup var risks: RiskOptions
    @Flag(help: "Wait until joining opens.") var wait = false
    @Option(help: "Refuse if fewer than this many enrolled in your round.") var minimumRound: UInt64 = 16
    @Argument(help: "The roll's link, if several wait. Join each at another time.") var roll: String?

    func run() async throws {
        let link = try roll.map(AddressText.roll)
        let network = try net.network()
        let wallet = try at.open()
        let roll = try wallet.rollToJoin(link)
        if !network.isProxied, roll.coordinator.host.hasSuffix(".onion") {
            // Otherwise the request would be repeated again and again.
            throw UserError(
                .refused, "an onion service is reached through Tor only", hint: "use --proxy socks5://127.0.0.1:9050")
        }
        if !network.isProxied {
            Terminal.show(
                "The coordinator sees your network address: if you enrolled from it too, stop this and use --proxy.")
        }
        if wait { Terminal.show("Waiting for joining to open in \"\(roll.name)\". Leave this running.") }
        let outcome = try await wallet.join(
            roll, waits: wait, network: network, floor: minimumRound, clock: .system, dialogue: dialogue)
        switch outcome {
        case .joined: print("You joined \"\(roll.name)\". You can sign once the organisers have sealed the ring.")
        case .inTheRoll: print("Your key is in \"\(roll.name)\" already: nothing was sent. You can sign.")
        }
    }

    private var dialogue: JoinDialogue {
        let risks = risks
        return JoinDialogue(
            announce: { roll, size, moment in
                Terminal.show(
                    "\"\(roll.name)\": \(size.issued) enrolled in your round, of \(size.invited) invited in all.")
                Terminal.show(
                    "You hide among those who really exist: if this is far from what you know, ask your organisers.")
                if size.invited > Wallet.mostMembersReadInFull {
                    Terminal.show("If more than 65,536 join, one more step comes after the seal: petition-signer ring")
                }
                if moment > .now { Terminal.show("Joining at \(moment), a random moment. Leave this running.") }
            },
            ask: { risk throws(SignerError) in try risks.ask(risk) },
            trouble: { FileStream.error.write("\(SignerErrorText.about($0).message); trying again later\n") })
    }
}

struct RingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring",
        abstract: "Learn which ring you are in. Rolls of more than 65,536 members need this before you sign.",
        discussion: """
            Run it once the rings are sealed. The whole roll is read, up to about 110 MB, at a random moment that \
            tells nobody when you will sign. From then on, signing reads less than 1 MB. Smaller rolls do not need it: \
            sign reads them in full.

              petition-signer ring --within 6h --proxy socks5://127.0.0.1:9050
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @Option(help: "Read at a random moment within this time: 90s, 30m, 1h30m; 0s for now.")
    var within = WaitingTime(.seconds(1800))
    @Argument(help: "The roll's link, if you are enrolled in several.") var roll: String?

    func run() async throws {
        let link = try roll.map(AddressText.roll)
        let network = try net.network()
        let wallet = try at.open()
        let roll = try wallet.enrolledRoll(link)
        if within.seconds > 0 {
            let moment = SignerClock.system.moment(within: within.seconds)
            Terminal.show("Reading at \(moment), a random moment. Leave this running.")
            try await wallet.wait(until: moment, clock: .system)
        }
        let bar = ProgressBar()
        defer { bar.finish() }
        let ring = try await wallet.learnRing(in: roll, network: network, clock: .system, progress: bar.progress)
        bar.finish()
        print("You are one of \(ring.members) members of ring \(ring.number) of \"\(roll.name)\".")
        if let fault = ring.fault {
            Terminal.show(
                "What was added behind your ring is wrong: \(SignerErrorText.about(fault).message). A petition that "
                    + "has it is refused.")
        }
        print(
            ring.isOfLargeRoll
                ? "Your wallet knows it now. Sign when you like, but not just now."
                : "A roll of this size does not need this: sign reads it in full.")
    }
}

struct EvidenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Write the proof of a contradiction, for others.",
        discussion: """
            The server that showed you this may recognise by it that it was you: hand it on by a way that does not name you, or through \
            somebody whom you trust.
            """)
    @OptionGroup var at: WalletOptions
    @Argument(help: "A new file.") var file: String

    func run() throws {
        try NamedFile.checkNew(file)
        let (evidence, unproven) = try at.open().evidence()
        try NamedFile.write(evidence, to: file, mode: 0o600)
        if let what = try? Evidence(parsing: evidence).what { Terminal.show(what) }
        Terminal.show("Wrote \(file). Protocol/log.md says how anybody checks it.")
        for log in unproven {
            Terminal.show("This is not the newest: \(log) was shown otherwise since. \(SignerErrorText.proving).")
        }
        Terminal.show(
            "The coordinator may recognise by it whom it showed this to: hand it on by a way that does not name you.")
    }
}

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write an encrypted copy of the wallet.")
    @OptionGroup var at: WalletOptions
    @Argument(help: "A new file.") var file: String

    func run() throws {
        try at.open().export(to: file)
        print("Wrote \(file). Anyone who has it and the passphrase can sign as you; a lost wallet cannot be replaced.")
    }
}

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Put an exported wallet in place.")
    @OptionGroup var at: WalletOptions
    @Argument(help: "The exported file.") var file: String

    func run() throws {
        try at.makeFolder()
        _ = try Wallet.importing(file, to: at.path, passphrase: try at.passphrase(isNew: false))
        print("The wallet is in \(at.path).")
    }
}
