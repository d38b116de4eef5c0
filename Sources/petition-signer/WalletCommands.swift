import ArgumentParser
import CommandSupport
import Documents
import Petitions
import SignerWallet

struct WalletCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet", abstract: "Show what is in your wallet.", subcommands: [Status.self, Drop.self])

    struct Drop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take back what you agreed to with support. What was done stays done.",
            discussion: "  petition-signer wallet drop https://count.example/petitions/0123…cdef")
        @OptionGroup var at: WalletOptions
        @Flag(help: "Do not ask.") var yes = false
        @Argument(help: "The petition's address or id; or the roll's link, for a membership alone.") var what: String

        func run() throws {
            let wallet = try at.open()
            let roll = try? AddressText.roll(what)
            let petition = roll == nil ? try AddressText.petitionID(what) : nil
            let found = try wallet.supportPlans().filter {
                $0.petition?.id == petition && (petition != nil || $0.roll.link == roll)
            }
            guard !found.isEmpty else {
                throw UserError(
                    .refused, "nothing that was agreed to has this address", hint: "see petition-signer wallet status")
            }
            for plan in found { Terminal.show(SupportText.line(plan)) }
            try Terminal.ask("Take this back?", isAgreed: yes, hint: "to go on, add --yes")
            for plan in found { try wallet.drop(plan) }
            print("Taken back. What you signed stays signed: petition-signer withdraw withdraws it.")
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show all rolls and petitions with their state and next step. It reaches no network.",
            discussion: "  petition-signer wallet status")
        @OptionGroup var at: WalletOptions
        @Flag(help: "As one JSON object.") var json = false

        func run() throws {
            let wallet = try at.open()
            let (rolls, signatures, plans) = (
                try wallet.rollSummaries(), try wallet.signatures(), try wallet.supportPlans()
            )
            print(
                json
                    ? Self.json(rolls, signatures, plans)
                    : Self.people(rolls, signatures, plans, options: SupportText.options(at, wallet)))
        }

        private static func people(
            _ rolls: [Wallet.RollSummary], _ signatures: [Wallet.SignatureSummary], _ plans: [SupportPlan],
            options: String
        ) -> String {
            let go = "petition-signer continue\(options)"
            var lines: [String] = []
            for roll in rolls {
                lines.append("Roll \(shown(roll.roll.name))  \(roll.roll.link.url)")
                lines.append("  people admitted \(roll.roll.admission.words)")
                let isPlanned = plans.contains { $0.roll.id == roll.roll.id && !$0.step.isFinal }
                let (state, next) = words(
                    roll.state, link: roll.roll.link, options: options, go: isPlanned ? go : nil)
                lines += ["  \(state)", "  next: \(next)"]
            }
            for signature in signatures {
                lines.append("Petition \(shown(signature.manifest.text.title))  \(signature.manifest.id.hex)")
                lines.append("  \(Receipts.state(of: signature))")
            }
            for plan in plans {
                lines.append("Agreed: \(SupportText.line(plan))")
            }
            if plans.contains(where: { !$0.step.isFinal }) { lines.append("Go on with: \(go)") }
            return lines.isEmpty ? "This wallet has no roll yet." : lines.joined(separator: "\n")
        }

        private static func words(
            _ state: Wallet.RollSummary.State, link: RollLink, options: String, go: String?
        ) -> (state: String, next: String) {
            switch state {
            case .enrolling:
                (
                    "the invitation was sent, and no place came of it yet",
                    go ?? "petition-signer enrol\(options), with the same link"
                )
            case .waiting(let isSent):
                (
                    isSent
                        ? "enrolled; the key was sent, and no answer came" : "enrolled; the key is not handed in yet",
                    go ?? "petition-signer join --wait\(options) \(link.url)"
                )
            case .joined: ("joined", go ?? "sign petitions once the ring is sealed")
            case .inRing(let number): ("in ring \(number)", go ?? "sign petitions")
            }
        }

        private static func json(
            _ rolls: [Wallet.RollSummary], _ signatures: [Wallet.SignatureSummary], _ plans: [SupportPlan]
        ) -> String {
            func state(_ state: Wallet.RollSummary.State) -> String {
                switch state {
                case .enrolling: "enrolling"
                case .waiting: "enrolled"
                case .joined: "joined"
                case .inRing: "in a ring"
                }
            }
            return JSONValue.object([
                (
                    "rolls",
                    .array(
                        rolls.map {
                            .object([
                                ("name", .string($0.roll.name)), ("link", .string($0.roll.link.url.text)),
                                ("admission", $0.roll.admission.json), ("state", .string(state($0.state))),
                            ])
                        })
                ),
                (
                    "petitions",
                    .array(
                        signatures.map {
                            .object([
                                ("id", .string($0.manifest.id.hex)), ("title", .string($0.manifest.text.title)),
                                ("state", .string(Receipts.state(of: $0))),
                            ])
                        })
                ),
                (
                    "agreed",
                    .array(
                        plans.map {
                            .object([
                                ("roll", .string($0.roll.link.url.text)),
                                ("petition", .string($0.petition?.id.hex ?? "")),
                                ("state", .string(SupportText.state($0))),
                            ])
                        })
                ),
            ]).text(isPretty: false)
        }
    }
}
