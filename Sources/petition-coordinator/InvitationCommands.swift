import ArgumentParser
import CommandSupport
import CoordinatorService
import Documents
import DurableFiles
import Foundation
import InvitationMail
import MailDelivery
import Messages
import PageParts
import Petitions
import ServerCommands

struct Invite: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Invite people, by mail or with a file of letters.",
        discussion: """
            PEOPLE is a table whose first line names the columns: CSV from a spreadsheet, with commas, semicolons or tabs. It \
            is shown before anything is done. With --send, each person gets a mail: see mail setup. Otherwise LETTERS is \
            written with the same columns and two more, code and link: send each person theirs, then delete the file.

              petition-coordinator invite --send members-2027 people.csv
              petition-coordinator invite members-2027 people.csv letters.csv
            """)
    @OptionGroup var at: FolderOption
    @Flag(help: "Send each person a mail.") var send = false
    @Flag(help: "Show the list and one mail, and do nothing.") var dryRun = false
    @OptionGroup var text: LetterOptions
    @Option(
        help: ArgumentHelp(
            "The column by which people and void name somebody. Default: all columns.", valueName: "column"))
    var label: String?
    @Option(
        help: ArgumentHelp(
            "The column with the addresses, in which nobody may be twice. Default: one whose name has \"mail\".",
            valueName: "column"))
    var address: String?
    @Flag(help: "Invite people also if they are in the list twice or were invited before.") var again = false
    @Flag(help: "Do not ask: you have checked the list.") var yes = false
    @Argument(help: "The roll.") var slug: String
    @Argument(help: "CSV file of the people.") var people: String
    @Argument(help: "A new CSV file to write; not with --send.") var letters: String?

    func validate() throws {
        guard send != (letters != nil) || dryRun && !send else {
            throw ValidationError("give a file for the letters, or --send")
        }
        if !send, text.language != nil || text.template != nil {
            throw ValidationError("--language and --template go with --send")
        }
    }

    func run() throws {
        let coordinator = try at.open()
        let roll = try coordinator.roll(named: slug)
        if let letters { try NamedFile.checkNew(letters, hint: "codes are never overwritten: name a new file") }
        let list = try PeopleListText.reading(people) { bytes throws(PeopleList.Fault) in
            try PeopleList(bytes, address: address, label: label, admitsRepeats: again)
        }
        Terminal.show(PeopleListText.preview(list, file: people))
        if send { return try sendMails(coordinator, roll, list) }
        guard !dryRun, let letters else { return print("Nothing was done.") }
        try writeLetters(coordinator, roll, list, to: letters)
    }

    private func sendMails(_ coordinator: Coordinator, _ roll: RollDescriptor, _ list: PeopleList) throws {
        let addresses = try PeopleListText.reading(people) { _ throws(PeopleList.Fault) in
            try list.mailAddresses(admitsRepeats: again)
        }
        guard let settings = try coordinator.outbox().settings() else { throw MailText.notSetUp }
        let letter = try text.letter() ?? LetterTemplate(language: .english)
        Terminal.show("From \(shown(settings.from.text)), by \(MailText.route(settings.route)).")
        let example = try MailText.example(of: letter, to: addresses[0], settings, roll, coordinator)
        if dryRun {
            print(example)
            return print("Nothing was done. The code above is an example.")
        }
        if let reason = try coordinator.outbox().standing().pause {
            Terminal.show("Sending is paused: \(shown(reason, limit: 400)). The mails will wait for mail resume.")
        }
        let count = counted(list.people.count, "person", "people")
        try Terminal.ask(
            "Invite \(count) to \"\(roll.name)\" by mail?", isAgreed: yes,
            hint: "see one mail with --dry-run, then add --yes")
        try coordinator.inviteByMail(
            roll: slug, list.people, addresses: addresses, letter: letter, isAgain: again)
        print("Invited \(count). Their codes are in the mails and nowhere else.")
        try MailSending(coordinator, roll: slug).run()
    }

    private func writeLetters(
        _ coordinator: Coordinator, _ roll: RollDescriptor, _ list: PeopleList, to letters: String
    ) throws {
        let count = counted(list.people.count, "person", "people")
        try Terminal.ask(
            "Invite \(count) to \"\(roll.name)\"?", isAgreed: yes,
            hint: "check what is shown above, then add --yes")
        try ServerCommand.delivering(letters, mode: 0o600) { deliver in
            try coordinator.invite(roll: slug, list.people, isAgain: again) { links in
                try deliver(Array(list.letters(links).utf8))
            }
        }
        NamedFile.tell("Invited \(count). The codes are in \(letters) and nowhere else.", about: letters)
    }
}

struct People: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List who was invited, reached by mail, and enrolled.",
        discussion: """
            Nothing here says who has joined or signed: that is not known.

              petition-coordinator people --unused --csv members-2027 >reminders.csv
            """)
    @OptionGroup var at: FolderOption
    @Flag(help: "Only those who have not enrolled and still can.") var unused = false
    @Flag(help: "Only those whose codes are void.") var voided = false
    @Flag(help: "Only those whose mail came back.") var bounced = false
    @Flag(help: "As one JSON array.") var json = false
    @Flag(help: "As CSV, with the columns state, mail, address and label.") var csv = false
    @Argument(help: "The roll.") var slug: String

    func validate() throws {
        if unused, voided { throw ValidationError("--unused and --voided are different people") }
        if json, csv { throw ValidationError("--json and --csv do not go together") }
    }

    func run() throws {
        let people = try at.open().people(roll: slug).filter { person in
            (!unused || person.code == .invited) && (!voided || person.code == .voided)
                && (!bounced || person.mail?.bounce != nil)
        }
        if json {
            let list = people.map { person in
                JSONValue.object([
                    ("label", .string(person.label)), ("state", .string(word(for: person))),
                    ("mail", .string(MailText.state(of: person.mail))),
                    ("address", .string(person.mail?.address.text ?? "")),
                ])
            }
            return print(JSONValue.array(list).text(isPretty: false))
        }
        if csv {
            let rows = people.map { person in
                [
                    word(for: person), MailText.state(of: person.mail), person.mail?.address.text ?? "", person.label,
                ]
            }
            return print(CSVText.table([["state", "mail", "address", "label"]] + rows, lineEnd: "\n"), terminator: "")
        }
        for person in people {
            let mail = MailText.state(of: person.mail)
            print(
                "\(word(for: person).padding(toLength: 9, withPad: " ", startingAt: 0))\(shown(person.label, limit: 300))"
                    + (mail.isEmpty ? "" : "  (\(mail))"))
        }
        guard people.isEmpty else { return }
        print(
            bounced
                ? "No mail came back."
                : unused
                    ? "Nobody has an unused code." : voided ? "No code is void." : "Nobody was invited to \(slug) yet.")
    }

    private func word(for person: Coordinator.InvitedPerson) -> String {
        switch person.code {
        case .invited: "invited"
        case .issued: "enrolled"
        case .voided: "voided"
        }
    }
}

struct VoidCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "void", abstract: "Void unused codes, for ever.",
        discussion: """
            Of one person, by the label that `people` shows or by the code; all of a file of letters; all that nobody used; or \
            those of them whose mail came back.

              petition-coordinator void members-2027 "Ada Ahr, ada@example.org"
              petition-coordinator void members-2027 --letters letters.csv
              petition-coordinator void members-2027 --unused
              petition-coordinator void members-2027 --bounced
            """)
    @OptionGroup var at: FolderOption
    @Option(help: ArgumentHelp("Void all codes in this file, as invite wrote it.", valueName: "file"))
    var letters: String?
    @Flag(help: "Void all codes of the roll that nobody has used.") var unused = false
    @Flag(help: "Void all unused codes whose mail came back.") var bounced = false
    @Flag(help: "Do not ask.") var yes = false
    @Argument(help: "The roll.") var slug: String
    @Argument(help: "The person's label, or the code.") var person: String?

    func validate() throws {
        guard [person != nil, letters != nil, unused, bounced].count(where: { $0 }) == 1 else {
            throw ValidationError(
                "name a person's label or code, or a file with --letters, or give --unused or --bounced")
        }
    }

    /// Asks with the number of codes, and voids exactly so many.
    private func voidUnused(_ coordinator: Coordinator, _ roll: RollDescriptor) throws {
        let people = try coordinator.people(roll: slug).filter { person in
            person.code == .invited && (!bounced || person.mail?.bounce != nil)
        }
        guard !people.isEmpty else {
            return print(
                "No \(bounced ? "unused code of \(slug) was in a mail that came back" : "code of \(slug) is unused").")
        }
        let which = bounced ? " whose mail came back" : ""
        try Terminal.ask(
            "Void the \(counted(people.count, "unused code", "unused codes"))\(which) of \"\(roll.name)\" for ever? Whoever "
                + "has one cannot enrol any more.", isAgreed: yes,
            hint: "see who they are with people --\(bounced ? "bounced" : "unused"), then add --yes")
        let only = bounced ? Set(people.map(\.hash)) : nil
        for label in try coordinator.voidUnused(roll: slug, only: only, expected: people.count) {
            print("Voided the code of \(shown(label, limit: 300)).")
        }
    }

    func run() throws {
        let coordinator = try at.open()
        let roll = try coordinator.roll(named: slug)
        if unused || bounced { return try voidUnused(coordinator, roll) }
        var codes: [InvitationCode] = []
        if let letters {
            codes = try PeopleListText.reading(letters) { bytes throws(PeopleList.Fault) in
                try PeopleList.codes(inLetters: bytes).map(\.code)
            }
            try Terminal.ask(
                "Void \(counted(codes.count, "code", "codes")) of \(letters) in \"\(roll.name)\" for ever?",
                isAgreed: yes,
                hint: "add --yes")
        } else if let person {
            guard let code = InvitationCode(text: person) else {
                try coordinator.void(roll: slug, label: person)
                return print("Voided the code of \(shown(person, limit: 300)).")
            }
            codes = [code]
        }
        let outcome = try coordinator.void(roll: slug, codes: codes)
        for label in outcome.voided { print("Voided the code of \(shown(label, limit: 300)).") }
        for label in outcome.used { print("Not voided, used before: \(shown(label, limit: 300)).") }
        if outcome.already > 0 { print("Void before: \(outcome.already).") }
        guard outcome.unknown == 0 else {
            throw UserError(
                .refused, "\(outcome.unknown) of the codes were never made for \(slug)",
                hint: "see whether they are of another roll: petition-coordinator status")
        }
        guard outcome.used.isEmpty || letters != nil else {
            throw UserError(.refused, "the code was used before", hint: "who has enrolled stays enrolled")
        }
    }
}
