import Documents
import Messages
import Petitions
import SignerWallet
import SignerWords
import TransparencyLog

/// How a petition is shown to the person who may sign it.
enum PetitionText {
    static func all(_ petition: PetitionManifest) -> String {
        let text = petition.text
        var lines = [
            text.title, "", text.statement, "",
            "Started by    \(text.startedBy)",
            "Addressed to  \(text.addressedTo)",
        ]
        if let website = text.website { lines.append("Website       \(website)") }
        lines += [
            "Open          \(text.opens) to \(text.closes)",
            "First goal    \(text.goal)",
        ]
        for roll in petition.rolls { lines.append("Roll          \(roll.label ?? roll.url.bare)") }
        return (lines + ["Id            \(petition.id.hex)"]).joined(separator: "\n")
    }

    /// The list as JSON, without ids: each address ends in its own.
    static func json(_ petitions: [PetitionListing]) -> String {
        JSONValue.array(
            petitions.map { petition in
                .object([
                    ("title", .string(petition.title)), ("opens", .string(petition.opens.description)),
                    ("closes", .string(petition.closes.description)), ("url", .string(petition.url.text)),
                ])
            }
        ).text(isPretty: false)
    }

    static func json(_ signatures: [Wallet.SignatureSummary]) -> String {
        JSONValue.array(
            signatures.map { signature in
                let counted = signature.receipt.map { [("entry", JSONValue.integer($0.inclusion.index))] } ?? []
                let fields: [(name: String, value: JSONValue)] = [
                    ("petition", .string(signature.manifest.id.hex)),
                    ("title", .string(signature.manifest.text.title)),
                    ("withdrawn", .boolean(signature.withdrawal?.receipt != nil)),
                ]
                return .object(fields + counted.map { (name: $0.0, value: $0.1) })
            }
        ).text(isPretty: false)
    }

    static func beforeSigning(_ signable: SignablePetition, isProxied: Bool, floor: Int) -> String {
        let address =
            isProxied
            ? "Your network address is hidden behind the proxy."
            : "The aggregator and the rolls' coordinators can see your network address and the moment: use --proxy to hide it."
        let (text, tables) = SignerWords.program.beforeSigning(signable, floor: floor)
        return ([all(signable.manifest), ""] + text + tables.flatMap { RollSizeText.lines($0) } + [address, ""])
            .joined(separator: "\n")
    }
}
