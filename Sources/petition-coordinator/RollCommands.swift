import ArgumentParser
import CommandSupport
import CoordinatorService
import Documents
import InvitationMail

struct RollCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roll", abstract: "Make rolls, and forget their people.", subcommands: [Create.self, Forget.self])

    struct Forget: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete every label, address and mail of a roll from this folder, for ever.",
            discussion: """
                For when the roll is done: nobody can be invited to it afterwards, and nobody can see who was. Members, \
                petitions and signatures stay as they are. What you copied elsewhere (letters, lists, backups) is yours \
                to delete.

                  petition-coordinator roll forget members-2027
                """)
        @OptionGroup var at: FolderOption
        @Flag(help: "Do not ask.") var yes = false
        @Argument(help: "The roll.") var slug: String

        func run() throws {
            let coordinator = try at.open()
            let roll = try coordinator.roll(named: slug)
            let kept = try coordinator.kept(roll: slug)
            if kept.isForgotten, kept.isNothing {
                // Once more, in case that it was interrupted.
                try coordinator.forget(roll: slug)
                return print("\(slug) was forgotten before.")
            }
            Terminal.show("Kept of \"\(roll.name)\": \(StatusText.words(kept)).")
            if kept.unused > 0, roll.admission.isOpen {
                Terminal.show(
                    "CHECK  \(counted(kept.unused, "invitation is", "invitations are")) unused: their links end with "
                        + "this, and nobody can be sent another.")
            } else if kept.unused > 0 {
                Terminal.show(
                    "CHECK  \(counted(kept.unused, "code is", "codes are")) unused: nobody can be reminded any more, "
                        + "and whoever has one can still enrol. void --unused ends that.")
            }
            try Terminal.ask(
                "Delete all of it for ever? Nobody else can be invited to this roll then.", isAgreed: yes,
                hint: "add --yes")
            try coordinator.forget(roll: slug)
            print(
                "Forgot the people of \(slug). Delete also your lists, letters and backups, and what mail servers keep."
            )
            if let count = try coordinator.existingOutbox()?.objectionCount(), count > 0 {
                print(
                    "That \(counted(count, "person wants", "people want")) no more mail is still known, by keyed hashes "
                        + "alone.")
            }
        }
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a roll, and announce it.")
        @OptionGroup var at: FolderOption
        @Option(help: "Shown to people.") var name: String
        @Option(help: "The most members of one ring, 16 to 4096.") var ringCapacity = 1024
        @Option(help: "The fewest members of one ring.") var minimumRing = 64
        @Option(help: "How long joining takes at least: 30m, 24h, 7d. Members join at random moments in it.")
        var joiningTime = WaitingTime(.seconds(86_400))
        @Option(help: ArgumentHelp("A policy of witnesses, which must cosign: see policy check.", valueName: "file"))
        var witnesses: String?
        @Flag(help: "Open: whoever asks with a mailbox gets an invitation. One mailbox is one signature.")
        var byEmail = false
        @Option(
            name: .customLong("domain"),
            help: ArgumentHelp("With --by-email: only mailboxes of this domain; repeat it.", valueName: "union.example")
        )
        var domains: [String] = []
        @Argument(help: "The last part of the roll's link: lower-case letters, digits, . _ -") var slug: String

        private func admission() throws -> RollAdmission {
            guard byEmail || domains.isEmpty else {
                throw UserError(.usage, "--domain is for rolls by e-mail", hint: "add --by-email")
            }
            return byEmail ? .email(domains: try domains.map(AdmissionText.domain)) : .list
        }

        func run() throws {
            let admission = try admission()
            let terms = RollTerms(
                ringCapacity: ringCapacity, minimumRing: minimumRing, joiningSeconds: joiningTime.seconds)
            let policy = try witnesses.map(PolicyFile.readForDocument)
            let roll = try at.open().createRoll(
                slug: slug, name: name, terms: terms, admission: admission, witnesses: policy)
            print("Made the roll \(roll.link.url), id \(roll.id.hex).")
            print("People are admitted \(roll.admission.words).")
            if roll.admission.isOpen {
                print("Rounds go on by themselves: \(StatusText.words(.standard)). See rounds set.")
            }
            if policy != nil {
                print("Its logs are shown once its witnesses have cosigned them: give them your key from status.")
            }
            if terms.joiningSeconds < 3600 {
                print("Joining takes less than an hour: members are warned that somebody may watch who joins when.")
            }
        }
    }
}
