import Documents
import Messages
import Petitions
import RingSignatures
import SignerWallet
import TransparencyLog
import Witnessing

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
        return """
            \(all(signable.manifest))

            You would sign as one of \(signable.ring.members.count) members of ring \(signable.ring.number) of \
            "\(signable.ownSize.name)". People were admitted to it \(signable.ownSize.admission.words).
            Everybody will see that somebody of this ring signed, and the ring's number; nobody can tell who.
            If nearly everybody in the ring signs, or the others say that they did not, that protects you less.
            \((witnesses(signable) + [company(signable, floor: floor)] + sizes(signable)).joined(separator: "\n"))
            \(address)

            """
    }

    /// Who vouches that everybody is shown the same. Where petition and roll differ, the weaker counts.
    private static func witnesses(_ signable: SignablePetition) -> [String] {
        guard let names = signable.witnesses, let policy = signable.manifest.witnesses else {
            return [
                "The petition has no witnesses: only who compares with others notices if you are shown another one."
            ]
        }
        guard let rollPolicy = signable.rollPolicy else {
            return [
                "Witnesses saw the petition: \(names.joined(separator: ", ")).",
                "Your roll has none: whoever keeps it could show you another roll than others.",
            ]
        }
        let shared = min(policy.strength.shared, rollPolicy.strength.shared)
        return [
            "Witnesses saw that others are shown the same: \(names.joined(separator: ", ")).",
            shared == 1
                ? "One of them could deceive you together with the servers."
                : "\(shared) of them would have to deceive you together with the servers.",
        ]
    }

    /// How many signed before, and how much of that was checked.
    private static func company(_ signable: SignablePetition, floor: Int) -> String {
        guard signable.entries > 0 else {
            return "Nobody has signed yet, as far as can be seen. If you did not expect to be the first, this\n"
                + "petition may have been shown to few: compare its id with others."
        }
        let count =
            "The petition's log has \(signable.entries) entries; "
            + (signable.checkedSignatures.map { "the proofs of the first \($0) signatures of your roll were checked." }
                ?? "in a roll this large, their proofs are left to verifiers.")
        guard signable.checkedSignatures.map(UInt64.init) ?? signable.entries < UInt64(clamping: floor) else {
            return count
        }
        return count
            + "\nFew have signed yet, as far as can be seen: this petition may have been shown to few. Compare its id\n"
            + "with others."
    }

    private static func sizes(_ signable: SignablePetition) -> [String] {
        var lines = RollSizeText.signing(signable.ownSize, signable.others)
        let rolls = signable.manifest.rolls
        if rolls.count > 1 {
            lines.append("The petition's rolls, by the entries that it admits:")
            let known = [signable.ownSize] + signable.others.sizes
            for (index, roll) in rolls.enumerated() {
                let own = index == Int(signable.roll)
                let admission = known.first { $0.id == roll.id }?.admission.words ?? "in a way that was not looked at"
                lines.append("  \(roll.size)  \(roll.label ?? roll.url.bare)\(own ? "  (yours)" : "")")
                lines.append("     admitted \(admission)")
            }
            let ownSize = rolls[Int(signable.roll)].size
            if rolls.enumerated().allSatisfy({ $0.offset == Int(signable.roll) || $0.element.size > ownSize }) {
                lines.append("Yours is the smallest: everybody sees that a signature comes from it.")
            }
        }
        return lines
    }
}
