import ArgumentParser
import CommandSupport
import DurableFiles
import Foundation
import LogClient
import Petitions
import SignerWallet
import Sodium

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
        abstract: "Enrol once with an invitation, then sign petitions without being named.",
        discussion: """
            Example, with the link from your invitation and a petition's address:

              petition-signer enrol "https://union.example/rolls/members-2027#3AYCE96ME5ZY708N72MWEWYZTJB"
              petition-signer join --join-within 6h
              petition-signer sign https://count.example/petitions/0123…cdef

            Every command that reaches the network takes --proxy socks5://127.0.0.1:9050 to go through Tor.
            Exit codes: 0 fine, 1 refused or invalid, 2 wrong usage, 3 cannot decide.
            """,
        subcommands: [
            Enrol.self, Join.self, PetitionList.self, Show.self, Sign.self, Submit.self, Receipts.self,
            ReceiptCommand.self, Withdraw.self, Export.self, Import.self,
        ])

    static func complaint(about error: any Error) -> Complaint? {
        switch error {
        case let error as SignerError: SignerComplaint.about(error)
        case let error as DurableFile.Failure:
            Complaint(
                .refused, "\(error.path) cannot be written: \(error.reason)", hint: "check the folder and the disk")
        case let error as CocoaError:
            Complaint(
                .refused, "a file or folder cannot be written: \(error.localizedDescription)",
                hint: "check its permissions and the disk")
        case let error as DocumentError: Complaint(.refused, "a stored document cannot be read: \(error)")
        default: nil
        }
    }
}

/// Where the wallet is and how it is opened.
struct WalletOptions: ParsableArguments {
    @Option(help: "The wallet's file. Default: .roundrobin/wallet in your home folder.") var wallet: String?
    @Option(help: "Read the passphrase from this open file descriptor instead of the terminal.") var passphraseFd:
        Int32?

    var path: String { wallet ?? FileManager.default.homeDirectoryForCurrentUser.path + "/.roundrobin/wallet" }

    func open() throws -> Wallet {
        guard FileManager.default.fileExists(atPath: path) else { throw SignerError.walletMissing(path: path) }
        return try Wallet.open(at: path, passphrase: try passphrase(isNew: false))
    }

    /// Opens the wallet, or makes one.
    func openOrCreate() throws -> Wallet {
        if FileManager.default.fileExists(atPath: path) { return try open() }
        try makeFolder()
        FileStream.error.write("Making a new wallet in \(path).\n")
        return try Wallet.create(at: path, passphrase: try passphrase(isNew: true))
    }

    func makeFolder() throws {
        let folder = URL(filePath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func passphrase(isNew: Bool) throws -> SecretBytes {
        if let passphraseFd {
            guard var line = Terminal.readLine(from: passphraseFd), !line.isEmpty else {
                throw Complaint(.usage, "file descriptor \(passphraseFd) gives no passphrase")
            }
            return SecretBytes(moving: &line)
        }
        guard var line = Terminal.readHidden(isNew ? "New passphrase: " : "Passphrase: ") else {
            throw Complaint(
                .usage, "there is no terminal to ask for the passphrase",
                hint: "give it on a file descriptor: --passphrase-fd 3 3<passphrase-file")
        }
        guard !line.isEmpty else { throw Complaint(.refused, "the passphrase is empty") }
        let secret = SecretBytes(moving: &line)
        if isNew {
            guard var again = Terminal.readHidden("The same again: ") else {
                throw Complaint(.usage, "there is no terminal")
            }
            let repeated = SecretBytes(moving: &again)
            guard secret.isEqual(to: repeated) else { throw Complaint(.refused, "the two passphrases differ") }
        }
        return secret
    }
}

/// How the network is reached.
struct NetworkOptions: ParsableArguments {
    @Option(help: "SOCKS5 proxy for every request, host names included, such as socks5://127.0.0.1:9050.")
    var proxy: String?

    func network() throws -> SignerNetwork {
        SignerNetwork(
            proxy: try proxy.map { text in
                guard let proxy = SOCKSProxy(text) else {
                    throw Complaint(.usage, "\(text) is not a proxy", hint: "write it like socks5://127.0.0.1:9050")
                }
                return proxy
            })
    }
}

struct Enrol: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Use your invitation. The coordinator sees that you enrol, but not which member you will be.")
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @Argument(help: "The link from your invitation, with what follows the #.") var link: String

    func run() async throws {
        guard let link = InvitationLink(link) else {
            throw Complaint(
                .refused, "this is not an invitation link, or its code was mistyped",
                hint: "copy the whole link in quotes, with the 27 characters after the #")
        }
        let network = try net.network()
        let wallet = try at.openOrCreate()
        let roll = try await wallet.enrol(link, network: network)
        print("You are enrolled in \"\(roll.name)\".")
        print("Next, when joining opens: petition-signer join --join-within 6h")
    }
}

struct Join: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hand in your member key, unlinked from your name.",
        discussion: """
            Wait a random time, so that the moment does not give you away; best from another network than you enrolled
            from, or through Tor. Keep the computer awake meanwhile.
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @Option(help: "Join at a random moment within this time: 90s, 30m, 6h.") var joinWithin = "6h"
    @Option(help: "Refuse if fewer than this many enrolled in your round.") var minimumRound: UInt64 = 16

    func run() async throws {
        guard let delay = Self.duration(joinWithin) else {
            throw Complaint(.usage, "\(joinWithin) is not a time", hint: "write it like 90s, 30m or 6h")
        }
        let network = try net.network()
        let wallet = try at.open()
        let joined = try await wallet.join(network: network, delay: delay, floor: minimumRound) { roll, size, wait in
            print("\"\(roll.name)\": \(size.issued) enrolled in your round, of \(size.invited) invited in all.")
            print("You hide among those who really exist: if this is far from what you know, ask your organisers.")
            if network.proxy == nil {
                print("The coordinator sees your network address: if you enrolled from it too, use --proxy now.")
            }
            if wait > .zero { print("Joining in \(wait.components.seconds / 60 + 1) minutes. Leave this running.") }
        }
        for roll in joined {
            print("You joined \"\(roll.name)\". You can sign once the organisers have sealed the ring.")
        }
    }

    static func duration(_ text: String) -> Duration? {
        guard let unit = text.last, let number = Int64(text.dropLast()), (0...604_800).contains(number) else {
            return nil
        }
        switch unit {
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3600)
        default: return nil
        }
    }
}

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write an encrypted copy of the wallet, under the same passphrase.")
    @OptionGroup var at: WalletOptions
    @Argument(help: "A new file.") var file: String

    func run() throws {
        try at.open().export(to: file)
        print("Wrote \(file). Whoever has it and the passphrase can sign as you; a lost wallet cannot be replaced.")
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
