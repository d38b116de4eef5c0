import CommandSupport
import CoordinatorService
import Documents
import Foundation
import InvitationMail
import MailDelivery

/// Sends what is due with a bar, or watches the server do it, and says what became of it.
struct MailSending {
    /// How long another process is watched that does nothing.
    private static let patience = Duration.seconds(15)
    private let coordinator: Coordinator
    private let roll: String?

    /// Speaks of the mails of one roll, or of all.
    init(_ coordinator: Coordinator, roll: String? = nil) {
        self.coordinator = coordinator
        self.roll = roll
    }

    func run() throws {
        try coordinator.settleMail()
        let outbox = try coordinator.outbox()
        let before = try outbox.counts(roll: roll)
        let bar = ProgressBar()
        let total = before.waiting
        var done = 0
        func show() {
            done += 1
            bar.update("Sending", done: UInt64(min(done, total)), of: UInt64(total))
        }
        var end = try MailQueue(coordinator).run(progress: show)
        var watched = ContinuousClock.now
        var last = before.waiting
        // Another process sends: it is watched as long as it does something.
        while end == .busy, ContinuousClock.now - watched < Self.patience {
            usleep(200_000)
            let waiting = try outbox.counts(roll: roll).waiting
            if waiting != last { (last, watched) = (waiting, .now) }
            bar.update("Sending", done: UInt64(max(0, total - waiting)), of: UInt64(total))
            end = try MailQueue(coordinator).run()
        }
        bar.finish()
        let after = try outbox.counts(roll: roll)
        print(
            "Accepted \(after.accepted - before.accepted) of \(total)"
                + (after.failed > before.failed ? ", refused \(after.failed - before.failed)" : "")
                + (after.waiting > 0 ? ", waiting \(after.waiting)" : "") + ".")
        try explain(end, after)
        if after.failed > before.failed {
            throw UserError(
                .refused, "\(counted(after.failed - before.failed, "mail was", "mails were")) refused for ever",
                hint: "see whose and why: petition-coordinator people \(roll ?? "ROLL")")
        }
    }

    private func explain(_ end: MailQueue.End, _ counts: Outbox.Counts) throws {
        switch end {
        case .done:
            guard counts.waiting > 0 else { return }
            let next = counts.next.map { " at \($0)" } ?? ""
            print(
                "\(counted(counts.waiting, "mail is", "mails are")) tried again\(next), while petition-coordinator serve runs."
            )
        case .busy: print("The server sends them: see petition-coordinator mail status.")
        case .notSetUp: throw MailText.notSetUp
        case .paused(let reason, let halt):
            throw UserError(
                .undecided, "sending is paused: \(shown(reason, limit: 400))",
                hint: (halt.flatMap(MailText.advice) ?? "see to it") + "; then petition-coordinator mail resume")
        case .unreachable(let reason, let time):
            throw UserError(
                .undecided, "the mail server cannot be reached: \(shown(reason, limit: 300))",
                hint: "nothing is lost: it is tried again from \(time) on, while petition-coordinator serve runs")
        case .stopped: break
        }
    }
}
