import Documents
import DurableFiles
import InvitationMail
import LogStorage
import MailDelivery
import Petitions
import Storage

/// Sends what the outbox has: one process at a time, one connection for many mails.
public struct MailQueue: Sendable {
    /// How a run ended.
    public enum End: Equatable, Sendable {
        /// Nothing is due any more.
        case done
        /// Another process is sending.
        case busy
        /// There is no way to send: `mail setup` was not run.
        case notSetUp
        /// The queue is paused, for this reason. The second says whether this run paused it.
        case paused(String, isNew: Halt?)
        /// The server is away, and is tried again at this time.
        case unreachable(String, retryAt: UTCTime)
        /// It was told to stop.
        case stopped

        /// Whether an operator need not be told of this end after the other.
        func isLike(_ other: End?) -> Bool {
            switch (self, other) {
            case (.paused(let reason, _), .paused(let before, _)): reason == before
            case (.unreachable, .unreachable): true
            default: self == other
            }
        }
    }

    private static let page = 100
    /// So many refusals in a row, and it is perhaps not the recipients who are wrong.
    private static let suspicious = 20
    /// So many cut connections in a row, and the server is as good as away.
    private static let cuts = 3
    /// So many mails in a row that are to come later, and the server is asked less.
    private static let postponed = 20

    private let coordinator: Coordinator

    /// The queue of `coordinator`.
    public init(_ coordinator: Coordinator) { self.coordinator = coordinator }

    /// Sends what is due until nothing is, or nothing can be sent. `progress` is called after each mail; soon after
    /// `isStopped` says so, it ends.
    public func run(
        progress: () -> Void = {}, isStopped: @escaping () -> Bool = { false }
    ) throws -> End {
        guard let outbox = try coordinator.existingOutbox() else { return .notSetUp }
        do {
            let lock = try FileLock(path: coordinator.folder + "/outbox.lock")
            defer { extendLifetime(lock) }
            return try sendAll(outbox, progress, isStopped)
        } catch let failure as FileLock.Failure {
            guard case .held = failure else { throw failure }
            return .busy
        }
    }

    private func sendAll(
        _ outbox: Outbox, _ progress: () -> Void, _ isStopped: @escaping () -> Bool
    ) throws -> End {
        try outbox.deleteOldKeys()
        var run = Run(coordinator: coordinator, outbox: outbox, isStopped: isStopped)
        while true {
            if let end = try run.obstacle() { return end }
            let mails = try outbox.due(limit: Self.page)
            guard !mails.isEmpty else { return .done }
            for mail in mails {
                if let end = try run.obstacle() { return end }
                let end = try run.send(mail)
                progress()
                if let end { return end }
            }
        }
    }

    /// One run, with the way out that is open.
    private struct Run {
        let coordinator: Coordinator
        let outbox: Outbox
        let isStopped: () -> Bool
        private var settings: MailSettings?
        private var transport: (any MailTransport)?
        private var refusals = 0
        private var cuts = 0
        private var postponed = 0

        init(coordinator: Coordinator, outbox: Outbox, isStopped: @escaping () -> Bool) {
            (self.coordinator, self.outbox, self.isStopped) = (coordinator, outbox, isStopped)
        }

        /// Why nothing may be sent now; nil if it may. Asked before each mail: another process may have changed it.
        mutating func obstacle() throws -> End? {
            if isStopped() { return .stopped }
            let standing = try outbox.standing()
            if let reason = standing.pause { return .paused(reason, isNew: nil) }
            if let time = outbox.retryTime(standing) { return .unreachable(standing.reason, retryAt: time) }
            guard let current = try outbox.settings() else { return .notSetUp }
            guard current != settings else { return nil }
            settings = current
            switch current.transport(isStopped: isStopped) {
            case .success(let opened): transport = opened
            case .failure(let error): return try pause(error.halt)
            }
            return nil
        }

        private func pause(_ halt: Halt) throws -> End {
            try outbox.pause(halt.explanation, isOperators: false)
            return .paused(halt.explanation, isNew: halt)
        }

        private func away(_ reason: String) throws -> End {
            .unreachable(reason, retryAt: try outbox.standing().retryAt)
        }

        mutating func send(_ mail: Outbox.Mail) throws -> End? {
            guard let settings, let transport else { return .notSetUp }
            // As it is now: it may be forgotten, or its recipient may want no more.
            guard let mail = try outbox.mail(mail.token), mail.state == .waiting else { return nil }
            guard try !outbox.isObjecting(mail.address) else {
                try outbox.withdraw(mail, Outbox.unwanted)
                return nil
            }
            guard let (message, code) = try message(mail, settings) else { return nil }
            let sent = transport.send(message, from: settings.returnPath(mail.token))
            let delivery = code.map { sent.without($0.symbols) } ?? sent
            try outbox.record(mail, delivery)
            // Whoever asks for mailboxes that do not exist, or whose servers say later, must not stop the others.
            if mail.kind != .listed, delivery.isAboutTheRecipient { return nil }
            switch delivery {
            case .accepted: (refusals, cuts, postponed) = (0, 0, 0)
            case .later(let reply):
                // 421 closes the connection: perhaps after so many mails, perhaps for this one. Then the next goes on.
                cuts = reply.code == 421 ? cuts + 1 : 0
                postponed += 1
                guard cuts >= MailQueue.cuts || postponed >= MailQueue.postponed else { break }
                try outbox.setUnreachable(reply.description)
                return try away(reply.description)
            case .refused(let reply):
                (refusals, cuts, postponed) = (refusals + 1, 0, 0)
                if refusals >= MailQueue.suspicious { return try pause(.refusals(refusals, reply)) }
            case .unknown(let reason):
                cuts += 1
                guard cuts >= MailQueue.cuts else { break }
                try outbox.setUnreachable(reason)
                return try away(reason)
            case .unreachable(let reason): return try away(reason)
            case .halted(let halt): return try pause(halt)
            case .stopped: return .stopped
            }
            return nil
        }

        /// The mail as it is sent; nil if it is not to be sent any more, which is kept.
        private func message(
            _ mail: Outbox.Mail, _ settings: MailSettings
        ) throws -> (MailMessage, InvitationCode?)? {
            // What follows from it is not taken back.
            let (state, roll) = try coordinator.database.readConfirmed { db in
                let roll = try RollStore(db, slug: mail.roll)
                return (try roll?.code(db, hash: mail.codeHash)?.state, roll?.descriptor)
            }
            // A code that somebody asked for is not in the log before it is used.
            guard let roll, state == (mail.kind == .listed ? .invited : nil) else {
                try outbox.withdraw(mail, state == .issued ? "the code was used before" : "the code was voided before")
                return nil
            }
            do {
                let message = try outbox.message(
                    mail, settings: settings, link: roll.link, roll: roll.name, coordinator: coordinator.name,
                    stop: coordinator.stopAddress(mail.token), openKey: { try coordinator.openKey(mail.roll) })
                if message == nil {
                    try outbox.record(mail, .refused(.own("its code can no longer be made: send it with mail resend")))
                }
                return message
            } catch let fault as MailMessage.Fault {
                try outbox.record(mail, .refused(.own("no mail can be made of it: \(fault)")))
            } catch is KeyFile.Failure {
                // It may come back with a backup: the mail waits, and the others go on.
                let reply = SMTPReply(code: 450, enhanced: nil, text: "the key of its roll cannot be read")
                try outbox.record(mail, .later(reply))
            } catch StorageError.damaged(let what) {
                // One mail that is lost must not keep the others.
                try outbox.record(mail, .refused(.own("no mail can be made of it: \(what)")))
            }
            return nil
        }
    }
}

extension Delivery {
    /// True for an answer to this mail alone.
    fileprivate var isAboutTheRecipient: Bool {
        switch self {
        case .refused: true
        case .later(let reply): reply.code != 421
        case .accepted, .unknown, .unreachable, .halted, .stopped: false
        }
    }
}

extension SMTPReply {
    /// What no server said, in the place of an answer.
    fileprivate static func own(_ text: String) -> SMTPReply { SMTPReply(code: 554, enhanced: nil, text: text) }
}
