import ArgumentParser
import CommandSupport
import CoordinatorService
import Documents
import DurableFiles
import Foundation
import InvitationMail
import LogStorage
import MailDelivery
import PageParts
import Petitions
import ServerCommands

struct MailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Send invitations by mail, and see what became of them.",
        subcommands: [
            Setup.self, Test.self, MailStatus.self, Pause.self, Resume.self, Resend.self, Bounce.self, Template.self,
        ])
}

/// The options that choose the text of mails.
struct LetterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Of the mail: en (the default), fr, de or es.", valueName: "language"))
    var language: String?
    @Option(help: ArgumentHelp("Your own text instead: see mail template.", valueName: "file"))
    var template: String?

    /// The text; nil if neither option is given.
    func letter() throws -> LetterTemplate? {
        let chosen = try language.map { text in
            guard let language = Language(rawValue: text) else {
                throw UserError(.usage, "--language \(shown(text)): there are en, fr, de and es")
            }
            return language
        }
        guard let template else { return chosen.map { LetterTemplate(language: $0) } }
        let bytes = try NamedFile.read(template, limit: LetterTemplate.largest)
        do { return try LetterTemplate(bytes, language: chosen ?? .english) } catch {
            throw MailText.userError(for: error, file: template)
        }
    }
}

extension MailCommand {
    struct Setup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say how mail is sent. Nothing is sent by it.",
            discussion: """
                The password stays in its file, which only you may read. Nothing is ever sent without encryption, unless the \
                server is this machine. With --bounce, mails that come back go to that mailbox, with a token after a +.

                  petition-coordinator mail setup --from "Harbour Workers' Union <invite@union.example>" \
                --server smtps://mail.union.example --user invite --password-file mail.password --bounce back@union.example
                """)
        @OptionGroup var at: FolderOption
        @Option(help: "The sender: an address, or \"Name <address>\".") var from: String
        @Option(help: ArgumentHelp("smtps://host or smtp://host, each with a port if need be.", valueName: "url"))
        var server: String?
        @Option(help: "The user name at the server.") var user: String?
        @Option(help: ArgumentHelp("The file with the password, of mode 0600.", valueName: "file"))
        var passwordFile: String?
        @Option(help: ArgumentHelp("Certificates to trust instead of this machine's.", valueName: "file"))
        var caFile: String?
        @Option(
            help: ArgumentHelp("A program that takes mails as sendmail does, instead of a server.", valueName: "path"))
        var sendmail: String?
        @Option(help: ArgumentHelp("The mailbox for bounces.", valueName: "address")) var bounce: String?
        @Option(
            help: ArgumentHelp(
                "The packages' SHA256SUMS: mails name the hash of roundrobin-signer.html in it.", valueName: "file"))
        var programsSums: String?

        func validate() throws {
            guard (server == nil) != (sendmail == nil) else {
                throw ValidationError("give --server or --sendmail")
            }
            guard (user == nil) == (passwordFile == nil) else {
                throw ValidationError("--user and --password-file go together")
            }
            if sendmail != nil, user != nil || caFile != nil {
                throw ValidationError(
                    "--sendmail has its own settings: --user, --password-file and --ca-file are for --server")
            }
        }

        func run() throws {
            let coordinator = try at.open()
            if let user, user.isEmpty || user.unicodeScalars.contains(where: { $0.value < 0x20 }) {
                throw UserError(.usage, "--user is empty, or has a line break")
            }
            let from = try MailText.mailbox(self.from)
            let bounces = try bounce.map { try MailText.address($0, option: "--bounce") }
            if let bounces, bounces.with(detail: String(repeating: "0", count: 2 * MailToken.count)) == nil {
                throw UserError(
                    .usage, "--bounce: a token of 32 digits does not fit behind the name of this mailbox",
                    hint: "use a shorter name, such as bounce@\(bounces.domain)")
            }
            let browserSigner = try programsSums.map { try ProgramsOptions.browserSigner(in: $0) }
            let settings = MailSettings(
                from: from, bounces: bounces, route: try route(), browserSigner: browserSigner)
            let outbox = try coordinator.outbox()
            try outbox.set(settings)
            print("Mail is sent as \(shown(from.text)), by \(MailText.route(settings.route)).")
            if bounces == nil {
                print("Mails that come back are not noticed: give a mailbox for them with --bounce.")
            }
            if let browserSigner { print("Invitations name the signer for browsers, SHA-256 \(browserSigner).") }
            if try outbox.standing().pause != nil { print("Sending is paused: petition-coordinator mail resume.") }
            print("Now try it: petition-coordinator mail test ADDRESS")
        }

        private func route() throws -> MailSettings.Route {
            if let sendmail {
                guard sendmail.hasPrefix("/"), access(sendmail, X_OK) == 0 else {
                    throw UserError(
                        .refused, "--sendmail \(shown(sendmail)) is not a program",
                        hint: "give its whole path, such as /usr/sbin/sendmail")
                }
                return .program(sendmail)
            }
            guard let server = server.flatMap({ MailServer($0) }) else {
                throw UserError(
                    .usage, "--server \(shown(self.server ?? "")) is not the address of a mail server",
                    hint: "write it like smtps://mail.example.org or smtp://mail.example.org:587")
            }
            let authorities = try caFile.map { path in
                _ = try NamedFile.read(path, limit: 16 << 20)
                return absolute(path)
            }
            guard let user, let passwordFile else {
                return .server(server, user: nil, passwordFile: nil, authorities: authorities)
            }
            try checkSecret(passwordFile)
            do { _ = try MailSettings.credentials(user: user, file: passwordFile) } catch {
                throw UserError(.refused, error.halt.explanation)
            }
            return .server(
                server, user: user, passwordFile: absolute(passwordFile), authorities: authorities)
        }

        private func absolute(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }

        private func checkSecret(_ path: String) throws {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return }
            throw UserError(
                .refused, "others may read the password in \(path)", hint: "chmod 600 \(path.shellQuoted)")
        }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send one mail without an invitation, now, also while sending is paused.",
            discussion: """
                  petition-coordinator mail test you@union.example
                """)
        @OptionGroup var at: FolderOption
        @Argument(help: "Where to: a mailbox of yours.") var address: String

        func run() throws {
            let coordinator = try at.open()
            let to = try MailText.address(address, option: nil)
            guard let settings = try coordinator.outbox().settings() else { throw MailText.notSetUp }
            let message = try MailMessage(
                from: settings.from, to: to, subject: "Mail from \(coordinator.name)",
                text: """
                    This is a test of the mail settings of
                    \(coordinator.url)

                    Invitations come like this mail. See that it is not among the spam, and that
                    its headers say dkim=pass and spf=pass.
                    """, date: UTCTime.now, id: MailToken.random().text, language: "en")
            let delivery: Delivery
            switch settings.transport() {
            case .success(let transport):
                delivery = transport.send(message, from: settings.bounces ?? settings.from.address)
            case .failure(let error): delivery = .halted(error.halt)
            }
            switch delivery {
            case .accepted(let reply): print("Accepted: \(shown(reply.description, limit: 300))")
            case .later(let reply):
                throw UserError(
                    .undecided, "not now: \(shown(reply.description, limit: 300))", hint: "try again in some minutes")
            case .refused(let reply):
                throw UserError(
                    .refused, "refused: \(shown(reply.description, limit: 300))", hint: "check the address")
            case .unknown(let reason), .unreachable(let reason):
                throw UserError(
                    .undecided, "the server cannot be reached: \(shown(reason, limit: 300))",
                    hint: "check --server of mail setup, and whether this machine may connect to it")
            case .halted(let halt):
                throw UserError(.refused, shown(halt.explanation, limit: 400), hint: MailText.advice(halt))
            case .stopped: throw UserError(.undecided, "stopped")
            }
        }
    }

    struct MailStatus: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show how mail is sent, what waits, and why.")
        @OptionGroup var at: FolderOption
        @Flag(help: "As one JSON object.") var json = false

        func run() throws {
            let coordinator = try at.open()
            guard let outbox = try coordinator.existingOutbox() else {
                if json { return print("{\"isSetUp\":false}") }
                throw MailText.notSetUp
            }
            print(try json ? MailText.json(coordinator, outbox) : MailText.status(coordinator, outbox))
        }
    }

    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Send nothing until mail resume.")
        @OptionGroup var at: FolderOption

        func run() throws {
            try at.open().outbox().pause("the operator paused it", isOperators: true)
            print("Paused. What waits is kept; mail resume goes on.")
        }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send again, after a pause of the operator's or an alarm's. Waiting mails are tried at once.")
        @OptionGroup var at: FolderOption

        func run() throws {
            let coordinator = try at.open()
            guard try coordinator.outbox().settings() != nil else { throw MailText.notSetUp }
            try coordinator.outbox().resume()
            try MailSending(coordinator).run()
        }
    }

    struct Resend: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send invitations again to those who have not used theirs.",
            discussion: """
                Within a week the same code is sent. Later, or to another address, the code is voided and a new one is drawn: the \
                first may be in somebody else's mailbox.

                  petition-coordinator mail resend members-2027 "Ada Ahr, ada@exmaple.org" --to ada@example.org
                  petition-coordinator mail resend members-2027 --failed
                  petition-coordinator mail resend members-2027 --unused --older-than 7d
                """)
        @OptionGroup var at: FolderOption
        @OptionGroup var text: LetterOptions
        @Option(help: ArgumentHelp("Send to this address instead.", valueName: "address")) var to: String?
        @Flag(help: "To all whose mail was refused for ever, or not taken in three days.") var failed = false
        @Flag(help: "To all who have not enrolled, and whose mail was written --older-than ago.") var unused = false
        @Option(help: ArgumentHelp("A time such as 7d; goes with --unused.", valueName: "time"))
        var olderThan: WaitingTime?
        @Flag(help: "Do not ask.") var yes = false
        @Argument(help: "The roll.") var slug: String
        @Argument(help: "The label of one person, as people shows it.") var label: String?

        func validate() throws {
            guard [label != nil, failed, unused].count(where: { $0 }) == 1 else {
                throw ValidationError("name one person's label, or give --failed or --unused")
            }
            guard to == nil || label != nil else { throw ValidationError("--to goes with one person's label") }
            guard unused == (olderThan != nil) else { throw ValidationError("--unused and --older-than go together") }
        }

        func run() throws {
            let coordinator = try at.open()
            let roll = try coordinator.roll(named: slug)
            guard try coordinator.outbox().settings() != nil else { throw MailText.notSetUp }
            let address = try to.map { try MailText.address($0, option: "--to") }
            let choice: Coordinator.ResendChoice =
                label.map { .person(label: $0, to: address) }
                ?? (failed ? .failed : .unused(olderThan: Int64(olderThan?.seconds ?? 0)))
            let plan = try coordinator.planResend(roll: slug, choice, letter: try text.letter())
            let (same, new) = (plan.repeated.count, plan.replaced.count)
            if !plan.stopped.isEmpty {
                Terminal.show(
                    "\(counted(plan.stopped.count, "person wants", "people want")) no more mail and get none.")
            }
            guard same + new > 0 else { return print("Nobody is to get a mail.") }
            if same > 0 { Terminal.show("\(counted(same, "person gets", "people get")) the same code again.") }
            if new > 0 {
                Terminal.show(
                    "\(counted(new, "person gets", "people get")) a new code, and the old one is void for ever.")
            }
            try Terminal.ask(
                "Send \(counted(same + new, "mail", "mails")) for \"\(roll.name)\"?", isAgreed: yes, hint: "add --yes")
            try coordinator.resend(plan)
            try MailSending(coordinator, roll: slug).run()
        }
    }

    struct Bounce: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read mails that came back, and mark whom they did not reach.",
            discussion: """
                A bounce can be forged: it marks, and voids nothing. Exit code 1: a message is no bounce of these mails.

                  petition-coordinator mail bounce <message
                  petition-coordinator mail bounce --maildir /home/back/Maildir
                """)
        @OptionGroup var at: FolderOption
        @Option(
            help: ArgumentHelp(
                "Read the new messages of this maildir, and move those that are bounces to its cur.",
                valueName: "folder"))
        var maildir: String?

        func run() throws {
            let coordinator = try at.open()
            let outbox = try coordinator.outbox()
            guard let bounces = try outbox.settings()?.bounces else {
                throw UserError(
                    .refused, "there is no mailbox for bounces", hint: "name it with mail setup --bounce ADDRESS")
            }
            guard let maildir else {
                let outcome = try BounceReading(outbox, bounces).read(
                    DurableFile.beginning(of: STDIN_FILENO, limit: BounceReport.readLimit))
                print(outcome.words)
                guard outcome != .unrelated else { throw ExitCode(ExitStatus.refused.rawValue) }
                return
            }
            print(try BounceReading(outbox, bounces).read(maildir: maildir))
        }
    }

    struct Template: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the text of the mails, to be changed and given to --template.",
            discussion: """
                {{link}}, {{page}} and {{stop}} stand alone in their lines; {{code}}, {{roll}} and {{coordinator}} may be \
                anywhere. The link and the code must be there. A paragraph with {{browser}}, the hash of the signer for \
                browsers, is left out without --programs-sums of mail setup.

                  petition-coordinator mail template --language fr >invitation.txt
                """)
        @Option(help: "en, fr, de or es.") var language = "en"

        func run() throws {
            guard let language = Language(rawValue: language) else {
                throw UserError(.usage, "--language \(shown(self.language)): there are en, fr, de and es")
            }
            print(LetterTemplate(language: language).text, terminator: "")
        }
    }
}
