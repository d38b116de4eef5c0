import ArgumentParser
import CommandSupport
import Documents
import SignerWallet

struct Support: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Enrol, join, wait and sign, all in one command.",
        discussion: """
            It takes days, in which the computer may be switched off: petition-signer continue goes on. Nothing is signed \
            that you did not see.

              petition-signer support --proxy socks5://127.0.0.1:9050 \\
                'https://union.example/rolls/everybody-2027#3AYCE96ME5ZY708N72MWEWYZTJB' \\
                https://count.example/petitions/0123…cdef
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @OptionGroup var risks: RiskOptions
    @OptionGroup var pace: SupportPace
    @Option(help: "Refuse rings with fewer members.") var minimumRing = 16
    @Option(help: "Refuse rounds in which fewer enrolled.") var minimumRound: UInt64 = 16
    @Flag(help: "Do not ask: you have read everything.") var yes = false
    @Flag(help: "Let the system go on by itself after a restart (a systemd user timer).") var installTimer = false
    @Option(
        help: ArgumentHelp("For the timer: a file with the passphrase; without it, the keyring.", valueName: "file"))
    var passphraseFile: String?
    @Argument(help: "The link from your invitation.") var link: String
    @Argument(help: "The petition's address; without it, you only become a member.") var petition: String?

    /// Within an hour after the ring is found.
    private static let standardWithin = 3600

    func validate() throws {
        guard installTimer || passphraseFile == nil else {
            throw ValidationError("--passphrase-file goes with --install-timer")
        }
    }

    func run() async throws {
        let url = try petition.map { try AddressText.petition($0).url }
        let invitation = try InvitationText.invitation(link, code: "", command: "support")
        let network = try net.network()
        // What is read first shows the network address, too, and is a step like any other.
        let known = try at.openIfThere()
        let wasProxied = known?.needsProxy ?? network.isProxied
        try known?.checkProxy(isProxied: network.isProxied)
        try known?.noteVisit(for: .roll(invitation.roll), clock: .system)
        let roll = try await Wallet.show(invitation.roll, network: network)
        var manifest: PetitionManifest?
        if let url { manifest = try await Wallet.show(url, network: network) }
        try known?.noteVisit(for: .roll(invitation.roll), clock: .system)
        if let manifest { try SupportText.check(manifest, roll) }
        Terminal.show(SupportText.before(manifest, roll, floor: minimumRing, isProxied: network.isProxied))
        if installTimer {
            try SupportTimer.check(passphraseFile: passphraseFile, net: net)
            Terminal.show(SupportTimer.cost(passphraseFile: passphraseFile))
        }
        try Terminal.ask(
            manifest == nil ? "Become a member of this roll?" : "Support this petition?", isAgreed: yes,
            hint: "read what is shown above, then add --yes")
        let wallet = try known ?? at.openOrCreate()
        try wallet.agree(
            SupportAgreement(
                invitation: invitation, roll: roll, petition: manifest, address: url, ringFloor: minimumRing,
                roundFloor: minimumRound, within: pace.within?.seconds ?? Self.standardWithin,
                needsProxy: network.isProxied))
        if installTimer {
            try SupportTimer.install(
                wallet: at.path, passphraseFile: passphraseFile, net: net, risks: risks)
        }
        try await SupportRun(at: at, wallet: wallet, network: network, risks: risks, pace: pace)
            .run(isNews: network.isProxied != wasProxied)
    }
}

struct Continue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "continue", abstract: "Go on with what you agreed to with support.",
        discussion: """
            It can be stopped and started again at any time, also from cron; started twice, the second ends at once.

              petition-signer continue --passphrase-fd 3 3<passphrase-file
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @OptionGroup var risks: RiskOptions
    @OptionGroup var pace: SupportPace

    func run() async throws {
        guard let wallet = try at.openIfThere() else {
            throw UserError(
                .refused, "there is no wallet in \(at.path)", hint: "begin with: petition-signer support LINK PETITION")
        }
        try await SupportRun(at: at, wallet: wallet, network: try net.network(), risks: risks, pace: pace).run()
    }
}

/// How long things wait.
struct SupportPace: ParsableArguments {
    @Option(help: "Sign at a random moment within this time after the ring is found: 90s, 30m, 6h. Default: 1h.")
    var within: WaitingTime?
}
