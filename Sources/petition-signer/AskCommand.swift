import ArgumentParser
import CommandSupport
import Documents
import SignerWallet

struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask for an invitation to an open roll, by mail.",
        discussion: """
            The answer is the same for every address: nobody can learn here whether a mailbox has a place. Whoever keeps \
            the roll learns the address, and that somebody asked with it.

              petition-signer ask https://union.example/rolls/everybody-2027 ada@mail.example
            """)
    @OptionGroup var net: NetworkOptions
    @Option(help: "The language of the mail: en, fr, de or es.") var language: String?
    @Argument(help: "The roll's link.") var roll: String
    @Argument(help: "Your e-mail address.") var address: String

    func run() async throws {
        let link = try AddressText.roll(roll)
        let (roll, hours) = try await Wallet.ask(
            link, address: address, language: language, network: try net.network())
        print(
            "If this mailbox may have an invitation to \"\(shown(roll.name))\", a mail with it comes to \(shown(address))."
        )
        print(
            hours == 0
                ? "It should come within a few minutes; look into the folder for spam as well."
                : "So many ask at the moment that it takes about \(hours) hours.")
        print("At most three come in 30 days, for whatever roll: ask again after ten minutes, and once after a day.")
        print("Then: petition-signer support 'LINK' PETITION")
    }
}
