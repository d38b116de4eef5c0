import CommandSupport
import DurableFiles
import Foundation
import InvitationMail
import MailDelivery

/// Marks mails by messages that came to the mailbox for bounces.
struct BounceReading {
    /// What one message was.
    enum Outcome: Equatable {
        case failed, delayed, other, unknown, unrelated

        var words: String {
            switch self {
            case .failed: "Marked a mail as returned."
            case .delayed: "A mail is late. Nothing is marked."
            case .other: "An answer or a note, and no bounce. Nothing is marked."
            case .unknown: "A bounce of a mail that is no longer known. Nothing is marked."
            case .unrelated: "No bounce of mails of this coordinator. Nothing is marked."
            }
        }
    }

    private let outbox: Outbox
    private let bounces: MailAddress

    init(_ outbox: Outbox, _ bounces: MailAddress) {
        self.outbox = outbox
        self.bounces = bounces
    }

    func read(_ message: [UInt8]) throws -> Outcome {
        guard let report = BounceReport(message, bounces: bounces) else { return .unrelated }
        switch report.meaning {
        case .failed: return try outbox.mark(bounce: report.token, text: report.text) ? .failed : .unknown
        case .delayed: return .delayed
        case .other: return .other
        }
    }

    /// Reads `new` of a maildir. Bounces go to `cur`, as seen; the rest stays for a person.
    func read(maildir: String) throws -> String {
        let new = maildir + "/new"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: new),
            FileManager.default.fileExists(atPath: maildir + "/cur")
        else {
            throw UserError(
                .refused, "\(maildir) is not a maildir you may read", hint: "it has the folders new, cur and tmp")
        }
        var counts: [Outcome: Int] = [:]
        for name in names.sorted() where !name.hasPrefix(".") {
            let path = "\(new)/\(name)"
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else {
                // A link, or somebody else's: the others are read all the same.
                counts[.unrelated, default: 0] += 1
                continue
            }
            defer { close(descriptor) }
            let outcome = try read(DurableFile.beginning(of: descriptor, limit: BounceReport.readLimit))
            counts[outcome, default: 0] += 1
            if outcome == .failed || outcome == .delayed || outcome == .unknown {
                guard rename(path, "\(maildir)/cur/\(name):2,S") == 0 else {
                    throw UserError(.refused, "\(path) cannot be moved to cur", hint: "check the folder's permissions")
                }
            }
        }
        let marked = counts[.failed] ?? 0
        let left = (counts[.other] ?? 0) + (counts[.unrelated] ?? 0)
        return "\(counted(marked, "mail came", "mails came")) back and "
            + "\(marked == 1 ? "is" : "are") marked."
            + (left > 0 ? " Left for you to read: \(counted(left, "other message", "other messages"))." : "")
    }
}
