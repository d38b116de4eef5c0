import CommandSupport
import CoordinatorService
import DurableFiles

/// What is said about a list of people: what was understood before anybody is invited, and why a list is refused.
enum PeopleListText {
    private static let shownRows = 3
    private static let saving = "save it in the spreadsheet as \"CSV UTF-8\", and give that file"

    /// Reads a file and makes something of its bytes; the error names the file.
    static func reading<T>(_ path: String, _ body: ([UInt8]) throws(PeopleList.Fault) -> T) throws -> T {
        let bytes = try NamedFile.read(path, limit: PeopleList.maximumCount)
        do { return try body(bytes) } catch {
            let words = userError(for: error)
            throw UserError(words.exitStatus, "\(path): \(words.message)", hint: words.hint)
        }
    }

    /// The columns, the first rows and the number of people.
    static func preview(_ list: PeopleList, file: String) -> String {
        let separator =
            switch list.separator {
            case ",": "commas"
            case ";": "semicolons"
            case "\t": "tabs"
            default: "\"\(list.separator)\""
            }
        var lines = ["\(file): \(list.people.count) in \(list.encoding.rawValue), separated by \(separator)."]
        if list.encoding == .windows1252 {
            lines.append("The file is not UTF-8: see whether the names below are right, or save it as \"CSV UTF-8\".")
        }
        for (index, column) in list.columns.enumerated() {
            let values = examples(list).map { shown($0.cells[index]) }.joined(separator: " | ")
            lines.append("  \(shown(column)): \(values)\(list.people.count > shownRows ? " | …" : "")")
        }
        lines.append(
            list.addressColumn.map { "Nobody may be twice in \"\(shown(list.columns[$0]))\"." }
                ?? "No column has addresses: only equal rows are noticed as one person twice.")
        let without = list.addressColumn == nil ? [] : list.people.filter { $0.address == nil }
        if !without.isEmpty {
            let places = without.prefix(10).map { "\($0.line)" }.joined(separator: ", ")
            lines.append(
                "CHECK  \(without.count) without an address, who would get a code too: line \(places)"
                    + (without.count > 10 ? ", …" : ""))
        }
        return lines.joined(separator: "\n")
    }

    /// The rows to show. Where the encoding was guessed, those come first that tell whether the guess was right.
    private static func examples(_ list: PeopleList) -> ArraySlice<PeopleList.Person> {
        guard list.encoding == .windows1252 else { return list.people.prefix(shownRows) }
        let telling = list.people.filter { !$0.label.utf8.allSatisfy { $0 < 0x80 } }
        return telling.prefix(shownRows)
    }

    /// What is wrong with a list, without its name.
    static func userError(for fault: PeopleList.Fault) -> UserError {
        switch fault {
        case .spreadsheet: UserError(.refused, "this is a spreadsheet, not a CSV file", hint: saving)
        case .notText: UserError(.refused, "this is not a text", hint: saving)
        case .undecodable(let line, let byte):
            UserError(
                .refused, "line \(line) has the byte \(byte), which is neither UTF-8 nor Windows-1252", hint: saving)
        case .quoteNotClosed(let line, let column):
            UserError(
                .refused, "line \(line), column \(column): a quotation mark opens and never closes",
                hint: "close it at the end of the cell; a quotation mark inside a quoted cell is written twice")
        case .strayQuote(let line, let column):
            UserError(
                .refused, "line \(line), column \(column): a quotation mark stands where none can be",
                hint: "quote the whole cell, and write quotation marks inside it twice")
        case .separatorUnclear:
            UserError(
                .refused, "line 1 could be separated in more than one way",
                hint: "add a line before it that says which: sep=; or sep=,")
        case .empty, .nobody:
            UserError(
                .refused, "nobody is in it", hint: "the first line names the columns, such as name,email; people follow"
            )
        case .unnamedColumn(let column):
            UserError(
                .refused, "line 1: column \(column) has no name",
                hint: "the first line names the columns; remove columns that are empty")
        case .repeatedColumn(let name):
            UserError(.refused, "line 1: two columns are named \(shown(name))", hint: "rename one of them")
        case .noHeader(let column, let value):
            UserError(
                .refused, "line 1, column \(column): \(shown(value)) is not the name of a column",
                hint: "the first line names the columns, such as name,email: add one before the people")
        case .ownColumn(let name):
            UserError(
                .refused, "line 1: there is a column \(shown(name)), as in the letters of an earlier invitation",
                hint: "invite adds code and link itself: give the list of people without them")
        case .noSuchColumn(let name, let columns):
            UserError(
                .refused, "there is no column \(shown(name))",
                hint: "its columns are \(columns.map { shown($0) }.joined(separator: ", "))")
        case .width(let line, let cells, let columns):
            UserError(
                .refused, "line \(line) has \(cells) cells, and there are \(columns) columns",
                hint: "put quotation marks around a cell that contains a separator")
        case .emptyRow(let line):
            UserError(.refused, "line \(line) is empty", hint: "remove it, if nobody is missing there")
        case .badCode(let line):
            UserError(.refused, "line \(line) has no code in the column code", hint: "give the file that invite wrote")
        case .noAddressColumn:
            UserError(
                .refused, "no column has the addresses to send to",
                hint: "name it with --address, such as --address email")
        case .noAddress(let line):
            UserError(
                .refused, "line \(line) has no address to send to",
                hint: "invite people without an address in a list of their own, by letters")
        case .badAddress(let line, let value, let fault):
            UserError(
                .refused, "line \(line): no mail can be sent to \(shown(value)): \(MailText.words(fault))",
                hint: "correct it in the list, and run the same command again")
        case .noLabel(let line):
            UserError(.refused, "line \(line) is empty in the column of --label", hint: "everybody needs a label")
        case .repeated(let line, let before, let value):
            UserError(
                .refused, "line \(line): \(shown(value)) is in line \(before) too",
                hint: "two codes are two votes: remove one of the lines, or say --again if they are two people")
        }
    }
}
