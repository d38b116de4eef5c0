import CommandSupport
import Documents
import Messages
import Petitions
import SignerWallet

/// What is said about a plan.
enum SupportText {
    /// Checks what can be known before anything is done: a petition that could never be signed is refused now.
    static func check(_ petition: PetitionManifest, _ roll: RollDescriptor) throws {
        guard let reference = petition.rolls.first(where: { $0.id == roll.id }) else {
            throw UserError(
                .refused, "the petition is not for members of \"\(shown(roll.name))\"",
                hint: "ask your organisers which invitation goes with it")
        }
        guard reference.laterRings else {
            throw UserError(
                .refused, "the petition does not admit people who join \"\(shown(roll.name))\" from now on",
                hint: "without the petition, support makes you a member for later ones")
        }
        guard petition.status(at: .now) != .closed else {
            throw UserError(.refused, "the petition is closed since \(petition.text.closes)")
        }
    }

    /// What is agreed to.
    static func before(_ petition: PetitionManifest?, _ roll: RollDescriptor, floor: Int, isProxied: Bool) -> String {
        let steps = [
            "enrols you in \"\(roll.name)\", to which people are admitted \(roll.admission.words);",
            "waits until enough others have, and hands in a key that has nothing to do with your name;",
            petition == nil
                ? "waits until the key is in a ring with at least \(floor) members."
                : "waits until the key is in a ring with at least \(floor) members, and signs as one of them.",
        ]
        let address =
            isProxied
            ? "All of it goes through the proxy."
            : "The servers can see your network address at each step: use --proxy to hide it."
        let visible =
            petition == nil
            ? "The coordinator learns that you enrol."
            : "The coordinator learns that you enrol, and if it is for this petition alone, that you will sign it.\n"
                + "Everybody will see that somebody of your ring signed; nobody can tell who."
        return (petition.map { [PetitionText.all($0), ""] } ?? []).joined(separator: "\n") + """

            This program
            \(steps.map { "  - \($0)" }.joined(separator: "\n"))
            It takes days. \(visible)
            \(address)

            """
    }

    /// What is known after enrolling about when joining opens.
    static func outlook(_ roll: RollDescriptor, _ round: RoundStatus?, now: UTCTime) -> String {
        guard let round else { return "Waiting until joining opens." }
        if round.opened != nil { return "Waiting for the next round." }
        let count = "\(round.issued) enrolled in this round, as far as is published"
        guard let next = round.next else { return "\(count). Waiting until joining opens." }
        let missing = next.missing > 0 ? ", and \(next.missing) more are needed" : ""
        guard let time = next.notBefore else { return "\(count)\(missing). Waiting until joining opens." }
        guard time > now else { return "\(count)\(missing). Waiting until joining opens." }
        return "\(count)\(missing). Joining opens at \(time) at the latest if enough have come, by their word."
    }

    /// What is known after joining about when the ring is sealed.
    static func sealOutlook(_ roll: RollDescriptor) -> String {
        let time = WaitingTime(.seconds(roll.terms.joiningSeconds))
        return "Joining lasts \(time) from its opening, and the ring is sealed after that; waiting for it."
    }

    /// What a plan waits for; `isDrawn` if for a moment that was drawn for its next step.
    static func waiting(for plan: SupportPlan, isDrawn: Bool) -> String {
        switch plan.step {
        case .join where isDrawn: "waiting for a random moment to join \(plan.roll.link.slug.text)"
        case .enrol: "waiting to enrol in \(plan.roll.link.slug.text)"
        case .join: "waiting until joining opens in \(plan.roll.link.slug.text)"
        case .findRing, .sign: "waiting until the ring is sealed in \(plan.roll.link.slug.text)"
        case .send: "waiting to send the signature"
        case .done, .ended: ""
        }
    }

    /// The options for a command that a person is asked to type, so that it finds the wallet, and goes through a proxy
    /// if the wallet does.
    static func options(_ at: WalletOptions, _ wallet: Wallet) -> String {
        at.hint + (wallet.needsProxy ? " --proxy socks5://127.0.0.1:9050" : "")
    }

    /// How everything goes on, as it is typed.
    static func goOn(_ at: WalletOptions, _ wallet: Wallet) -> String {
        "petition-signer continue" + options(at, wallet)
    }

    /// How a plan is taken back, as it is typed.
    static func drop(_ plan: SupportPlan, _ at: WalletOptions) -> String {
        "petition-signer wallet drop\(at.hint) \(plan.petition?.id.hex ?? plan.roll.link.url.text)"
    }

    /// What a plan is called.
    static func name(_ plan: SupportPlan) -> String { shown(plan.petition?.text.title ?? plan.roll.link.slug.text) }

    /// One line about a plan.
    static func line(_ plan: SupportPlan) -> String { "\(name(plan)): \(state(plan))." }

    /// How far a plan is, in words.
    static func state(_ plan: SupportPlan) -> String {
        if let stopped = plan.stopped { return "stopped, since \(stopped)" }
        return switch plan.step {
        case .enrol: "next, the invitation is used"
        case .join: "enrolled; next, the key is handed in when joining opens"
        case .findRing: "joined; next, the ring is looked for when it is sealed"
        case .sign: "joined; next, it is signed when the ring is sealed"
        case .send: "signed; next, the signature is sent"
        case .done: "done"
        case .ended(let reason): "ended, since \(reason)"
        }
    }
}

/// A line that says what is waited for, and for how long until the next look: on a terminal it is kept new, elsewhere
/// it is written once.
final class WaitingLine: Sendable {
    let what: String
    private let isTerminal = Terminal.showsProgress

    init(_ what: String) {
        self.what = what
        if !isTerminal { FileStream.error.write("\(what)\n") }
    }

    func show(secondsLeft: Int64) {
        guard isTerminal, secondsLeft >= 0 else { return }
        FileStream.error.write("\r\u{1B}[K\(what); next look in \(WaitingTime(.seconds(secondsLeft)))")
    }

    func finish() {
        if isTerminal { FileStream.error.write("\r\u{1B}[K") }
    }
}
