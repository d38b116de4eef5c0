import Bytes
import CommandSupport
import CoordinatorService
import Documents
import InvitationMail
import MailDelivery
import PageParts
import Petitions

/// What is said about mail.
enum MailText {
    static let notSetUp = UserError(
        .refused, "it is not known how mail is sent",
        hint:
            "say it with: petition-coordinator mail setup --from ADDRESS --server smtps://HOST --user USER --password-file FILE"
    )

    /// Reads an address; the error names the option that it was given to.
    static func address(_ text: String, option: String?) throws -> MailAddress {
        do { return try MailAddress(text) } catch {
            throw UserError(.usage, "\(option.map { "\($0): " } ?? "")\(shown(text)): \(words(error))")
        }
    }

    static func mailbox(_ text: String) throws -> Mailbox {
        do { return try Mailbox(text) } catch {
            switch error {
            case .address(let fault):
                throw UserError(
                    .usage, "--from \(shown(text)): \(words(fault))",
                    hint: "write it like invite@union.example or \"Harbour Union <invite@union.example>\"")
            case .name: throw UserError(.usage, "--from: the name has a line break, or more than 100 characters")
            }
        }
    }

    /// What is wrong with an address.
    static func words(_ fault: MailAddress.Fault) -> String {
        switch fault {
        case .incomplete: "this is no address: it has nothing before or behind an @"
        case .severalAts: "this has several @: one address for each person"
        case .controlCharacter: "this has a line break or another character that no address has"
        case .symbol(let scalar):
            "an address has no \(shown(String(scalar)).isEmpty || scalar == " " ? "space" : shown(String(scalar))) before the @"
        case .notASCII: "before the @ only ASCII is taken: many servers take nothing else"
        case .dots: "before the @ no dot is at an end, and no two are together"
        case .literal: "a machine in brackets is no domain"
        case .domain(let domain): "\(shown(domain)) is no domain"
        case .tooLong: "an address has at most 254 characters, 64 of them before the @"
        }
    }

    static func route(_ route: MailSettings.Route) -> String {
        switch route {
        case .program(let path): "the program \(shown(path))"
        case .server(let server, let user, _, _):
            "\(server)" + (user.map { " as \(shown($0))" } ?? "")
                + (server.encryption == .none ? ", without encryption, on this machine" : ", encrypted")
        }
    }

    /// What to do about a halt.
    static func advice(_ halt: Halt) -> String? {
        switch halt {
        case .certificate: "use the name that is in the server's certificate, or trust its issuer with --ca-file"
        case .noEncryption: "use smtps:// if the server has it; if it should offer STARTTLS, somebody may be in between"
        case .authentication: "check --user and the password in its file"
        case .sender: "see whether this user may send as the address of --from"
        case .program: "run it by hand: PROGRAM -i -f FROM -- YOU <message"
        case .settings: "put the file back, or run mail setup again"
        case .refusals: "read what the server says: mail of this sender may be taken for spam"
        }
    }

    static func userError(for fault: LetterTemplate.Fault, file: String) -> UserError {
        let hint = "begin with the built-in text: petition-coordinator mail template >invitation.txt"
        return switch fault {
        case .notText: UserError(.refused, "\(file) is not UTF-8 text of at most 32 KiB", hint: hint)
        case .noSubject: UserError(.refused, "\(file) does not begin with \"Subject: …\" and an empty line", hint: hint)
        case .missing(let name):
            UserError(.refused, "\(file) has no {{\(name.rawValue)}}: nobody could enrol with such a mail", hint: hint)
        case .linkNotAlone(let line):
            UserError(
                .refused,
                "\(file), line \(line): an address must be alone in its line, or mail programs cut it wrongly",
                hint: "put {{link}}, {{page}} and {{stop}} on lines of their own, without spaces")
        case .inSubject(let name):
            UserError(
                .refused, "\(file): {{\(name.rawValue)}} must not be in the subject, which others see", hint: hint)
        case .placeholder(let line, let name):
            UserError(
                .refused, "\(file), line \(line): there is no {{\(shown(name))}}",
                hint: "there are {{link}}, {{code}}, {{roll}}, {{coordinator}}, {{page}}, {{stop}} and {{browser}}")
        case .line(let line):
            UserError(
                .refused, "\(file), line \(line) has a control character, or is too long",
                hint: "at most 998 bytes are in a line, and 900 in the subject")
        }
    }

    /// One mail as it would be sent, with a code that is nobody's.
    static func example(
        of letter: LetterTemplate, to address: MailAddress, _ settings: MailSettings, _ roll: RollDescriptor,
        _ coordinator: Coordinator
    ) throws -> String {
        do {
            let message = try coordinator.exampleMail(letter, to: address, settings: settings, roll: roll)
            let head = ["From: \(settings.from.text)", "To: \(message.to)", "Subject: \(message.subject)", ""]
            return (head + message.lines).joined(separator: "\n")
        } catch is MailMessage.Fault {
            throw CoordinatorError.noMailOfThis
        }
    }

    // MARK: - Status

    static func status(_ coordinator: Coordinator, _ outbox: Outbox) throws -> String {
        let standing = try outbox.standing()
        var lines: [String] = []
        if let settings = try outbox.settings() {
            lines.append("Sender    \(shown(settings.from.text))")
            lines.append("Sent by   \(route(settings.route))")
            lines.append(
                "Bounces   \(settings.bounces.map { shown($0.text) } ?? "not noticed: see mail setup --bounce")")
            if let hash = settings.browserSigner { lines.append("Browser   mails say SHA-256 \(hash)") }
        } else {
            lines.append("Mail is not set up.")
        }
        if let pause = standing.pause {
            lines.append("PAUSED    since \(standing.pausedAt): \(shown(pause, limit: 400))")
            lines.append("          Then: petition-coordinator mail resume")
        } else if !standing.reason.isEmpty {
            lines.append(
                "AWAY      \(shown(standing.reason, limit: 300)); tried again at \(outbox.retryTime(standing)?.description ?? "once")"
            )
        }
        for roll in try coordinator.rollStatus() {
            let slug = roll.descriptor.link.slug.text
            let counts = try outbox.counts(roll: slug)
            guard counts.total > 0 else { continue }
            lines += [
                "", "Roll \(shown(roll.descriptor.name))",
                "  waiting    \(counts.waiting + counts.held)\(counts.next.map { ", next at \($0)" } ?? "")",
                "  accepted   \(counts.accepted), of all came back \(counts.bounced)",
                "  failed     \(counts.failed)",
            ]
            if counts.withdrawn > 0 { lines.append("  not sent   \(counts.withdrawn), their codes were used or void") }
            if counts.stopped > 0 { lines.append("  no more    \(counts.stopped) want no further mail") }
        }
        return lines.joined(separator: "\n")
    }

    static func json(_ coordinator: Coordinator, _ outbox: Outbox) throws -> String {
        let (settings, standing) = (try outbox.settings(), try outbox.standing())
        let rolls = try coordinator.rollStatus().map { roll -> JSONValue in
            let slug = roll.descriptor.link.slug.text
            let counts = try outbox.counts(roll: slug)
            return .object([
                ("roll", .string(slug)), ("held", .integer(UInt64(counts.held))),
                ("waiting", .integer(UInt64(counts.waiting))), ("accepted", .integer(UInt64(counts.accepted))),
                ("failed", .integer(UInt64(counts.failed))), ("withdrawn", .integer(UInt64(counts.withdrawn))),
                ("bounced", .integer(UInt64(counts.bounced))), ("stopped", .integer(UInt64(counts.stopped))),
                ("next", .string(counts.next?.description ?? "")),
            ])
        }
        return JSONValue.object([
            ("isSetUp", .boolean(settings != nil)),
            ("from", .string(settings?.from.text ?? "")),
            ("by", .string(settings.map { route($0.route) } ?? "")),
            ("bounces", .string(settings?.bounces?.text ?? "")),
            ("browserSigner", .string(settings?.browserSigner ?? "")),
            ("paused", .string(standing.pause ?? "")),
            ("pausedAt", .string(standing.pause == nil ? "" : standing.pausedAt.description)),
            ("away", .string(standing.reason)),
            ("retryAt", .string(outbox.retryTime(standing)?.description ?? "")),
            ("rolls", .array(rolls)),
        ]).text(isPretty: false)
    }

    /// What became of a person's mail, in few words; empty if there was none.
    static func state(of mail: Outbox.Mail?) -> String {
        guard let mail else { return "" }
        if let bounce = mail.bounce {
            return "bounced" + (bounce.text.isEmpty ? "" : ": \(shown(bounce.text, limit: 240))")
        }
        let stopped = mail.isStopped ? ", wants no more" : ""
        return switch mail.state {
        case .held, .waiting:
            mail.tries == 0 ? "waiting" : "waiting, tried \(mail.tries): \(shown(mail.answer, limit: 240))"
        case .accepted: "sent \(mail.due)\(stopped)"
        case .failed: "failed: \(shown(mail.answer, limit: 240))"
        case .withdrawn: "not sent: \(shown(mail.answer, limit: 240))"
        }
    }
}
