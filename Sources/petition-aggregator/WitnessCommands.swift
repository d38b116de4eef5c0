import AggregatorService
import ArgumentParser
import CommandSupport
import Documents
import ServerCommands
import Witnessing

struct WitnessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "witness", abstract: "Say where witnesses are.", subcommands: [Add.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remember the address of a witness; a running server uses it from its next start on.",
            discussion: """
                A petition's policy names keys, and only the operator decides which addresses this server calls.

                  petition-aggregator witness add paper.example/witness+f3c080b6+BCms… https://witness.paper.example
                """)
        @OptionGroup var at: FolderOption
        @OptionGroup var witness: WitnessArguments

        func run() throws {
            let (key, url) = try witness.parsed()
            try at.open().setWitness(key, at: url)
            print("The witness \(key.name) is asked at \(url).")
        }
    }

    /// Shows the addresses that a petition's policy names and that are not known yet, and asks whether to use them.
    static func confirmAddresses(of petition: PetitionManifest, in aggregator: Aggregator, isAgreed: Bool) throws {
        guard let policy = petition.witnesses else { return }
        let strength = policy.strength
        let new = try aggregator.witnesses(of: policy).compactMap { witness in
            witness.url == nil ? witness.named.flatMap { ServiceURL($0) }.map { (witness.key, $0) } : nil
        }
        Terminal.show(
            """
            This petition is counted under witnesses: \(strength.smallestQuorum) of \
            \(policy.witnesses.count) must cosign, and \(strength.blocking ?? 0) that are away stop it.
            """)
        guard !new.isEmpty else { return }
        Terminal.show("The petition says that they are at these addresses, which this server would call:")
        for (key, url) in new { Terminal.show("  \(shown(key.name)) at \(url)") }
        try Terminal.ask("Call these addresses?", isAgreed: isAgreed, hint: "check them, then add --yes")
        for (key, url) in new { try aggregator.setWitness(key, at: url) }
    }
}
