import ArgumentParser
import CommandSupport
import CoordinatorService
import Documents
import DurableFiles
import Foundation
import Messages
import Petitions
import ServerCommands

struct Invite: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Invite people: each gets a code and a link, which are written to a file and kept nowhere else.",
        discussion: """
            PEOPLE is a table whose first line names the columns: CSV from a spreadsheet, with commas, semicolons or tabs. It \
            is shown before anything is done. LETTERS is written with the same columns and two more, code and link. Send each \
            person theirs, then delete the file.

              petition-coordinator invite --folder coordinator members-2027 people.csv letters.csv
            """)
    @OptionGroup var at: FolderOption
    @Option(
        help: ArgumentHelp(
            "The column with the addresses, in which nobody may be twice. Default: one whose name has \"mail\".",
            valueName: "column"))
    var address: String?
    @Flag(help: "Invite people also if they are in the list twice or were invited before.") var again = false
    @Flag(help: "Do not ask: you have checked the list.") var yes = false
    @Argument(help: "The roll.") var slug: String
    @Argument(help: "CSV file of the people.") var people: String
    @Argument(help: "CSV file to write, which must not exist.") var letters: String

    func run() throws {
        let coordinator = try at.open()
        let roll = try coordinator.roll(named: slug)
        try NamedFile.checkNew(letters, hint: "codes are never overwritten: name a new file")
        let list = try PeopleListText.reading(people) { bytes throws(PeopleList.Fault) in
            try PeopleList(bytes, address: address, admitsRepeats: again)
        }
        Terminal.show(PeopleListText.preview(list, file: people))
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
        abstract: "List who was invited to a roll, and who has enrolled.",
        discussion: """
            Nothing here says who has joined or signed: that is not known.

              petition-coordinator people --unused --csv members-2027 >reminders.csv
            """)
    @OptionGroup var at: FolderOption
    @Flag(help: "Only those who have not enrolled and still can.") var unused = false
    @Flag(help: "Only those whose codes are void.") var voided = false
    @Flag(help: "As one JSON array.") var json = false
    @Flag(help: "As CSV, with the columns state and label.") var csv = false
    @Argument(help: "The roll.") var slug: String

    func validate() throws {
        if unused, voided { throw ValidationError("--unused and --voided are different people") }
        if json, csv { throw ValidationError("--json and --csv do not go together") }
    }

    func run() throws {
        let people = try at.open().people(roll: slug).filter { person in
            unused ? person.code == .invited : voided ? person.code == .voided : true
        }
        if json {
            let list = people.map { person in
                JSONValue.object([("label", .string(person.label)), ("state", .string(word(for: person)))])
            }
            return print(JSONValue.array(list).text(isPretty: false))
        }
        if csv {
            let rows = people.map { [word(for: $0), $0.label] }
            return print(CSVText.table([["state", "label"]] + rows, lineEnd: "\n"), terminator: "")
        }
        for person in people {
            print(
                "\(word(for: person).padding(toLength: 9, withPad: " ", startingAt: 0))\(shown(person.label, limit: 300))"
            )
        }
        guard people.isEmpty else { return }
        print(
            unused ? "Nobody has an unused code." : voided ? "No code is void." : "Nobody was invited to \(slug) yet.")
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
        commandName: "void", abstract: "Void unused codes, for ever. Who has enrolled stays enrolled.",
        discussion: """
            Of one person, by the label that `people` shows or by the code; all of a file of letters; or all that \
            nobody used.

              petition-coordinator void members-2027 "Ada Ahr, ada@example.org"
              petition-coordinator void members-2027 --letters letters.csv
              petition-coordinator void members-2027 --unused
            """)
    @OptionGroup var at: FolderOption
    @Option(help: ArgumentHelp("Void all codes in this file, as invite wrote it.", valueName: "file"))
    var letters: String?
    @Flag(help: "Void all codes of the roll that nobody has used.") var unused = false
    @Flag(help: "Do not ask.") var yes = false
    @Argument(help: "The roll.") var slug: String
    @Argument(help: "The person's label, or the code.") var person: String?

    func validate() throws {
        guard [person != nil, letters != nil, unused].count(where: { $0 }) == 1 else {
            throw ValidationError("name a person's label or code, or a file with --letters, or give --unused")
        }
    }

    /// Asks with the number of codes, and voids exactly so many.
    private func voidUnused(_ coordinator: Coordinator, _ roll: RollDescriptor) throws {
        let count = try coordinator.people(roll: slug).count { $0.code == .invited }
        guard count > 0 else { return print("No code of \(slug) is unused.") }
        try Terminal.ask(
            "Void the \(counted(count, "unused code", "unused codes")) of \"\(roll.name)\" for ever? Whoever has one "
                + "cannot enrol any more.", isAgreed: yes, hint: "see who they are with people --unused, then add --yes"
        )
        for label in try coordinator.voidUnused(roll: slug, expected: count) {
            print("Voided the code of \(shown(label, limit: 300)).")
        }
    }

    func run() throws {
        let coordinator = try at.open()
        let roll = try coordinator.roll(named: slug)
        if unused { return try voidUnused(coordinator, roll) }
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
