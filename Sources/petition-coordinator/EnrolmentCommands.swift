import ArgumentParser
import CommandSupport
import CoordinatorService
import Documents
import InvitationMail
import MailDelivery

struct EnrolmentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrolment",
        abstract: "Say who may ask for invitations to open rolls.",
        discussion: """
            Rolls by e-mail are open from the beginning, once mail is set up. Whoever asks gets at most three mails in \
            30 days, and a domain has its share of an hour.

              petition-coordinator enrolment pause everybody-2027
            """, subcommands: [Open.self, Pause.self, Close.self, Rate.self])

    struct Open: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Anybody can ask for an invitation.")
        @OptionGroup var at: FolderOption
        @Argument(help: "The roll.") var slug: String

        func run() throws {
            let coordinator = try at.open()
            try coordinator.setAsking(roll: slug, .open)
            print("Anybody can ask for an invitation to \(slug), \(try coordinator.roll(named: slug).admission.words).")
            if try coordinator.existingOutbox()?.settings() == nil {
                print("Mail is not set up, so nobody gets one: see petition-coordinator mail setup.")
            }
        }
    }

    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Nobody can ask for now. Who asked before gets the mail, and links stay good.")
        @OptionGroup var at: FolderOption
        @Argument(help: "The roll.") var slug: String

        func run() throws {
            try at.open().setAsking(roll: slug, .paused)
            print("Nobody can ask for an invitation to \(slug) for now.")
        }
    }

    struct Close: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Nobody can ask any more. Links stay good until the roll is forgotten.")
        @OptionGroup var at: FolderOption
        @Argument(help: "The roll.") var slug: String

        func run() throws {
            try at.open().setAsking(roll: slug, .closed)
            print("Nobody can ask for an invitation to \(slug) any more.")
            print("Which mailboxes have a place is known until petition-coordinator roll forget \(slug).")
        }
    }

    struct Rate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show or set how many mails in an hour a domain gets.",
            discussion: """
                It concerns domains that the roll does not list: those have no limit of their own. Without a domain, \
                all rates are shown that are not \(Outbox.RequestLimits.perDomain).

                  petition-coordinator enrolment rate posteo.example 150
                """)
        @OptionGroup var at: FolderOption
        @Argument(help: "What follows the @ of addresses.") var domain: String?
        @Argument(help: "How many mails in an hour.") var perHour: Int?

        func validate() throws {
            guard perHour.map({ (0...100_000).contains($0) }) ?? true else {
                throw ValidationError("a rate is 0 to 100000")
            }
        }

        func run() throws {
            let outbox = try at.open().outbox()
            guard let text = domain else {
                for rate in try outbox.domainRates() { print("\(rate.perHour)\t\(rate.domain)") }
                return print("\(Outbox.RequestLimits.perDomain)\tany other")
            }
            let domain = try AdmissionText.domain(text)
            if let perHour { try outbox.setRate(of: domain, perHour: perHour) }
            print("\(try outbox.domainRate(of: domain.text))\t\(domain)")
        }
    }
}

/// How people are admitted, as typed.
enum AdmissionText {
    /// A mail domain, in any script.
    static func domain(_ text: String) throws -> MailDomain {
        guard let domain = (try? MailAddress.asciiDomain(text)).flatMap({ MailDomain($0) }) else {
            throw UserError(
                .usage, "\(shown(text)) is no mail domain",
                hint: "give what follows the @ of the addresses, such as union.example")
        }
        return domain
    }
}
