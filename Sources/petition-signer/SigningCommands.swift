import ArgumentParser
import Bytes
import CommandSupport
import Documents
import DurableFiles
import FoundationEssentials
import LogClient
import Messages
import Petitions
import RingSignatures
import SignerWallet
import TransparencyLog

struct PetitionList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "petitions", abstract: "List the petitions of a coordinator or aggregator.")
    @OptionGroup var net: NetworkOptions
    @Flag(help: "As one JSON array.") var json = false
    @Argument(help: "Its base url.") var url: String

    func run() async throws {
        let base = try AddressText.server(url)
        let petitions = try await net.network().petitions(at: base)
        if json { return print(PetitionText.json(petitions)) }
        for petition in petitions {
            print("\(petition.title)\n  \(petition.opens) to \(petition.closes)\n  \(petition.url)")
        }
    }
}

struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a petition, checked against its address.")
    @OptionGroup var net: NetworkOptions
    @Flag(help: "Print the signed document itself: its text is JSON.") var json = false
    @Argument(help: "The petition's address.") var petition: String

    func run() async throws {
        let manifest = try await Wallet.show(try AddressText.petition(petition).url, network: try net.network())
        if json { return print(manifest.document, terminator: "") }
        print(PetitionText.all(manifest))
    }
}

struct Sign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign a petition, after you are asked.",
        discussion: """
            Signing again sends the same record again. With --out nothing is sent: hand the file over by other means, or \
            with petition-signer submit from another place. With --within the record is sent at a random moment, apart from \
            the reading; in a roll of more than 65,536 members that is so without it, within 10m.

              petition-signer sign --within 6h --proxy socks5://127.0.0.1:9050 https://count.example/petitions/0123…cdef
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @OptionGroup var risks: RiskOptions
    @Option(help: "Refuse if your ring has fewer members than this.") var minimumRing = 16
    @Option(help: "Write the signed record to this new file instead of sending it.") var out: String?
    @Option(help: "Send it at a random moment within this time: 90s, 30m, 1h30m.") var within: WaitingTime?
    @Flag(help: "Do not ask: you have read the petition.") var yes = false
    @Argument(help: "The petition's address.") var petition: String

    /// In a large roll, the record does not come right after the reading, even if nobody asked for a wait.
    private static let shortestWait = WaitingTime(.seconds(600))

    func validate() throws {
        if out != nil, within != nil { throw ValidationError("--out and --within do not go together") }
    }

    func run() async throws {
        let url = try AddressText.petition(petition).url
        let network = try net.network()
        if let out { try NamedFile.checkNew(out) }
        let wallet = try at.open()
        if out == nil, let unsent = try wallet.unsentRecord(under: AddressText.petitionID(petition)),
            let within = within ?? (unsent.isOfLargeRoll ? Self.shortestWait : nil)
        {
            // It may have been read for only now: a program that was ended while it waited is started again.
            try await wallet.waitAnnounced(within, for: unsent.petition, action: "sign")
        }
        if out == nil, let again = try await wallet.submitAgain(url, network: network, clock: .system) {
            print(try Self.words(for: again))
            return
        }
        let bar = ProgressBar()
        defer { bar.finish() }
        let signable = try await wallet.prepare(
            url, network: network, ringFloor: minimumRing, clock: .system, progress: bar.progress)
        bar.finish()
        Terminal.show(PetitionText.beforeSigning(signable, isProxied: network.isProxied, floor: minimumRing))
        for risk in signable.risks { try risks.ask(risk) }
        try Terminal.ask("Sign this petition?", isAgreed: yes, hint: "read the petition, then add --yes")
        let record = try wallet.record(for: signable)
        if let out {
            try NamedFile.write(record, to: out, mode: 0o600)
            Terminal.show(
                "Wrote the signed record to \(out). Hand it over with: petition-signer submit \(out.shellQuoted) \(url)"
            )
            return
        }
        if let within = within ?? (signable.isOfLargeRoll ? Self.shortestWait : nil) {
            try await wallet.waitAnnounced(within, for: signable.manifest, action: "sign")
        }
        print(try Self.words(for: try await wallet.submit(signable, network: network, clock: .system)))
    }

    static func words(for submission: Submission) throws -> String {
        switch submission {
        case .late(let index, let seen):
            throw UserError(
                .refused,
                "your signature came too late: it is entry \(index), which the petition's witnesses first saw at "
                    + "\(seen), after the petition had closed; it does not count",
                hint: "the receipt that says so is in your wallet")
        case .counted(let index): "Signed and counted, as entry \(index). The receipt is in your wallet."
        case .countedBefore(let index):
            "You signed this petition before: it was counted once, as entry \(index), and that receipt is in your wallet."
        }
    }
}

struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hand over a record that sign --out wrote. It needs no wallet and can be done by anybody.")
    @OptionGroup var net: NetworkOptions
    @Argument(help: "The record.") var file: String
    @Argument(help: "The petition's address.") var petition: String

    func run() async throws {
        let url = try AddressText.petition(petition).url
        let record = try NamedFile.read(file, limit: SubmittedRecord.maximumCount)
        guard let tag = RecordTag.of(record) else {
            throw UserError(
                .refused, "\(file) is not a signed record", hint: "give the file that petition-signer sign --out wrote")
        }
        let proof = file + ".tlog-proof"
        let receipt = try await Handover.submit(record, tag: tag, url: url, network: try net.network(), clock: .system)
        try DurableFile.write(receipt.proof.encoded, to: proof, mode: 0o600)
        let index = receipt.proof.inclusion.index
        guard !receipt.isLate else {
            throw UserError(
                .refused, "the record came too late: it is entry \(index), and does not count",
                hint: "the receipt in \(proof) says when the petition's witnesses first saw it")
        }
        print(
            "Counted as entry \(index). The receipt is in \(proof): whoever signed puts it into the wallet "
                + "with petition-signer receipt import.")
    }
}

struct Withdraw: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Withdraw your signature, still without being named. It cannot be given again.")
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @Option(help: "Send it at a random moment within this time: 90s, 30m, 1h30m.") var within: WaitingTime?
    @Flag(help: "Do not ask.") var yes = false
    @Argument(help: "The petition's address or id.") var petition: String

    func run() async throws {
        let id = try AddressText.petitionID(petition)
        let network = try net.network()
        let wallet = try at.open()
        let signature = try wallet.signature(under: id)
        let title = signature.manifest.text.title
        Terminal.show("\(title)\n  \(id.hex)\n  \(Receipts.state(of: signature))")
        try Terminal.ask(
            "Withdraw your signature under \"\(title)\" for ever?", isAgreed: yes,
            hint: "it cannot be given again; to go on, add --yes")
        if let within { try await wallet.waitAnnounced(within, for: signature.manifest, action: "withdraw") }
        switch try await wallet.withdraw(id, network: network, clock: .system) {
        case .counted(let index), .countedBefore(let index):
            print("Withdrawn, as entry \(index). The receipt is in your wallet.")
        case .late(let index, let seen):
            throw UserError(
                .refused,
                "your withdrawal came too late: it is entry \(index), which the petition's witnesses first saw at \(seen), "
                    + "after the petition had closed; your signature stays",
                hint: "the receipt that says so is in your wallet")
        }
    }
}

struct Receipts: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List what you signed, and write receipts to files.")
    @OptionGroup var at: WalletOptions
    @Option(help: "Also write each record and its receipt into this folder.") var save: String?
    @Flag(help: "As one JSON array.") var json = false
    @Argument(help: "The address or id of one petition; all if left out.") var petition: String?

    func validate() throws {
        if json, save != nil { throw ValidationError("--json and --save do not go together") }
    }

    func run() throws {
        let signatures = try at.open().signatures(of: petition)
        var saved = 0
        if json { return print(PetitionText.json(signatures)) }
        if signatures.isEmpty { return print("This wallet has signed nothing yet.") }
        if let save { try FolderText.prepare(save) }
        for signature in signatures {
            let id = signature.manifest.id.hex
            print("\(signature.manifest.text.title)\n  \(id)\n  \(Self.state(of: signature))")
            guard let save, let receipt = signature.receipt, let entry = signature.entry else { continue }
            // The names of the files also reveal what was signed.
            saved += 1
            try DurableFile.write(entry, to: "\(save)/\(id).record", mode: 0o600)
            try DurableFile.write(receipt.encoded, to: "\(save)/\(id).tlog-proof", mode: 0o600)
        }
        guard let save else { return }
        print(
            saved == 0
                ? "Nothing is counted yet: no file was written."
                : "Anyone who has the files in \(save) knows what you signed: remove them when you no longer need them."
        )
    }
}

extension Receipts {
    /// What became of a signature.
    static func state(of signature: Wallet.SignatureSummary) -> String {
        if signature.withdrawal?.receipt != nil { return "withdrawn" }
        if signature.isLate, let receipt = signature.receipt {
            return "entry \(receipt.inclusion.index), too late to count"
        }
        return signature.receipt.map { "counted as entry \($0.inclusion.index)" } ?? "signed, not counted yet"
    }
}

extension Wallet {

    /// Waits for a random moment, and says so; not beyond the end of a petition. If the program was ended while
    /// waiting, a new moment is drawn.
    func waitAnnounced(
        _ within: WaitingTime, for petition: PetitionManifest, action: String
    ) async throws {
        guard let moment = Self.announcedMoment(within, for: petition, action: action) else { return }
        try await wait(until: moment, clock: .system)
    }

    /// Draws such a moment, and says so; nil for now.
    static func announcedMoment(
        _ within: WaitingTime, for petition: PetitionManifest, action: String, avoiding moments: [UTCTime] = [],
        by distance: Int64 = 0
    ) -> UTCTime? {
        let now = UTCTime.now.seconds
        let left = petition.text.closes.seconds - SupportPlan.beforeClosing - now
        guard left > 0 else {
            Terminal.show("The petition closes soon: sending now.")
            return nil
        }
        let moment = SignerClock.system.moment(
            from: now, to: now + min(Int64(within.seconds), left), avoiding: moments, by: distance)
        Terminal.show("Sending at \(moment), a random moment. Leave this running; if it is ended, \(action) again.")
        return moment
    }

    /// The signature under a petition. Throws ``SignerError/nothingSigned`` when there is none.
    fileprivate func signature(under id: PetitionID) throws -> SignatureSummary {
        guard let found = try signatures().first(where: { $0.manifest.id == id }) else {
            throw SignerError.nothingSigned
        }
        return found
    }

    /// All signatures, or those for the petition with this address or id. Throws ``SignerError/nothingSigned`` when
    /// there are none.
    fileprivate func signatures(of petition: String?) throws -> [SignatureSummary] {
        guard let petition else { return try signatures() }
        let id = try AddressText.petitionID(petition)
        let found = try signatures().filter { $0.manifest.id == id }
        guard !found.isEmpty else { throw SignerError.nothingSigned }
        return found
    }
}

struct ReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt", abstract: "Check receipts, or put one into the wallet.",
        subcommands: [Check.self, Import.self])

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a receipt into the wallet that petition-signer submit wrote elsewhere.",
            discussion: "  petition-signer receipt import harbour.record.tlog-proof")
        @OptionGroup var at: WalletOptions
        @Argument(help: "The receipt.") var file: String

        func run() throws {
            let receipt = try NamedFile.read(file, limit: SignedNote.maximumCount)
            let (petition, index) = try at.open().importReceipt(receipt, clock: .system)
            print("\(petition.text.title): counted as entry \(index). The receipt is in your wallet.")
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check your receipts without any network.",
            discussion: """
                A receipt proves that the aggregator promised to count your record. With --copy it is also checked that an \
                offline copy of the petition (from petition-verifier fetch) still keeps the promise.
                """)
        @OptionGroup var at: WalletOptions
        @Option(help: "Folder of an offline copy to check against.") var copy: String?
        @Argument(help: "The address or id of one petition; all if left out.") var petition: String?

        func run() async throws {
            let signatures = try at.open().signatures(of: petition)
            guard !signatures.isEmpty else { throw SignerError.nothingSigned }
            var (lacking, late) = (0, 0)
            for signature in signatures {
                let check = ReceiptCheck(petition: signature.manifest, aggregator: signature.aggregator, clock: .system)
                var pairs: [(String, [UInt8]?, LogProof?)] = [("signature", signature.entry, signature.receipt)]
                if let withdrawal = signature.withdrawal {
                    pairs.append(("withdrawal", withdrawal.record, withdrawal.receipt))
                }
                for (name, entry, receipt) in pairs {
                    guard let entry, let receipt else {
                        print("\(signature.manifest.text.title): no receipt for the \(name) yet")
                        lacking += 1
                        continue
                    }
                    let checked = try check.check(receipt, entry: entry)
                    var head = checked.checkpoint
                    if let copy { head = try await check.check(checked, copy: FolderSource(folder: copy)) }
                    print(
                        "\(signature.manifest.text.title): the receipt for the \(name) is good, entry "
                            + "\(receipt.inclusion.index) in a tree of \(head.size) with root \(Base64.encode(head.root.array))"
                    )
                    if let seen = checked.seen {
                        print(
                            "  seen \(checked.isLate ? "too late to count, " : "")by \(seen.at), by "
                                + "\(seen.witnesses.joined(separator: ", "))")
                    }
                    late += checked.isLate ? 1 : 0
                }
            }
            guard late == 0 else {
                throw UserError(
                    .refused, "\(late) of these came after the petition had closed, by its witnesses, and do not count",
                    hint: "keep the receipts: they say when the aggregator showed your record to the witnesses")
            }
            guard lacking == 0 else {
                throw UserError(
                    .undecided, "for \(lacking) of these there is no receipt to check",
                    hint:
                        "sign or withdraw again, which sends the same; or receipt import FILE, if somebody submitted it"
                )
            }
        }
    }
}
