import Documents
import MailDelivery
import Messages

/// The people to invite, from a file that a spreadsheet or a membership system wrote. A list that cannot be right is
/// refused as a whole, so that no code is made for a row that was read wrongly.
public struct PeopleList: Equatable, Sendable {
    /// The largest list in bytes.
    public static let maximumCount = 64 << 20

    /// How the file's bytes were read as text.
    public enum Encoding: String, Sendable {
        case utf8 = "UTF-8"
        case utf16 = "UTF-16"
        /// Any bytes that are not UTF-8: whether the names are right, only a person can see.
        case windows1252 = "Windows-1252"
    }

    /// A person: one row of the list.
    public struct Person: Equatable, Sendable {
        /// The number of the line in the file, from 1.
        public let line: Int
        /// The cells.
        public let cells: [String]
        /// Where the person is reached, as written; nil if the list has no column for it or the cell is empty.
        public let address: String?

        /// What the coordinator stores for this person: the cells joined, or one of them.
        public let label: String
    }

    /// Why a list is refused.
    public enum Fault: Error, Equatable, Sendable {
        /// The file of a spreadsheet program, not a text.
        case spreadsheet
        /// Binary data, or UTF-16 without a byte order mark.
        case notText
        /// This byte, in this line, is in no encoding that is known here.
        case undecodable(line: Int, byte: UInt8)
        /// A quoted cell does not end.
        case quoteNotClosed(line: Int, column: Int)
        /// A quotation mark where none can be.
        case strayQuote(line: Int, column: Int)
        /// The first line could be separated by either.
        case separatorUnclear
        /// Not even column names.
        case empty
        /// Column names and nobody.
        case nobody
        /// A column without a name.
        case unnamedColumn(Int)
        /// Two columns of one name.
        case repeatedColumn(String)
        /// The first line has what belongs to a person, so the names of the columns are missing.
        case noHeader(column: Int, value: String)
        /// A column that `invite` adds itself: the file is of an earlier invitation.
        case ownColumn(String)
        /// There is no column of this name.
        case noSuchColumn(String, columns: [String])
        /// A row has more or fewer cells than there are columns.
        case width(line: Int, cells: Int, columns: Int)
        /// An empty row, with others after it.
        case emptyRow(line: Int)
        /// This line of a table of letters has no code in its column.
        case badCode(line: Int)
        /// This value is in both lines.
        case repeated(line: Int, before: Int, value: String)
        /// There is no column with addresses, and mails are to be sent.
        case noAddressColumn
        /// The person in this line has no address, and mails are to be sent.
        case noAddress(line: Int)
        /// No mail can be sent to what is in the place of an address.
        case badAddress(line: Int, value: String, MailAddress.Fault)
        /// The person in this line has an empty label.
        case noLabel(line: Int)
    }

    /// How the bytes were read.
    public let encoding: Encoding
    /// What separates the cells.
    public let separator: Unicode.Scalar
    /// The names of the columns.
    public let columns: [String]
    /// The index of the column with the addresses; nil if there is none.
    public let addressColumn: Int?
    /// The people, in the order of the file.
    public let people: [Person]

    private static let separators: [UInt8] = [0x2C, 0x3B, 0x09]
    private static let addedColumns = ["code", "link"]

    /// Reads a list. `address` names the column with the addresses; if nil, it is recognised. `label` names the column
    /// that tells who somebody is; if nil, all do. `admitsRepeats` lets a person be in it twice.
    public init(
        _ bytes: [UInt8], address: String? = nil, label: String? = nil, admitsRepeats: Bool = false
    ) throws(Fault) {
        let decoded = try DecodedText(bytes)
        encoding = decoded.encoding
        let (rows, separator) = try Self.rows(decoded.utf8)
        self.separator = Unicode.Scalar(separator)
        guard let header = rows.first else { throw .empty }
        columns = header.cells.map(trimmed)
        try Self.check(columns)
        let people = try Self.withoutEmptyEnd(rows.dropFirst())
        guard !people.isEmpty else { throw .nobody }
        if let odd = people.first(where: { $0.cells.count != header.cells.count }) {
            throw .width(line: odd.line, cells: odd.cells.count, columns: header.cells.count)
        }
        let column = try Self.addressColumn(address, columns: columns, people)
        let names = columns
        let labels = try label.map { name throws(Fault) in try Self.column(name, columns: names) }
        addressColumn = column
        self.people = people.map { row in
            let address = column.map { trimmed(row.cells[$0]) } ?? ""
            return Person(
                line: row.line, cells: row.cells, address: address.isEmpty ? nil : address,
                label: labels.map { trimmed(row.cells[$0]) } ?? row.cells.joined(separator: ", "))
        }
        if let nobody = self.people.first(where: { $0.label.isEmpty }) { throw .noLabel(line: nobody.line) }
        if !admitsRepeats {
            try checkRepeats()
            if labels != nil { try checkLabels() }
        }
    }

    /// The addresses, to which mails are sent. Throws a ``Fault`` if one is missing, is none, or is that of two people:
    /// `admitsRepeats` lets it be.
    public func mailAddresses(admitsRepeats: Bool = false) throws(Fault) -> [MailAddress] {
        guard addressColumn != nil else { throw .noAddressColumn }
        var lines: [String: Int] = [:]
        var addresses: [MailAddress] = []
        for person in people {
            guard let text = person.address else { throw .noAddress(line: person.line) }
            let address: MailAddress
            do { address = try MailAddress(text) } catch {
                throw .badAddress(line: person.line, value: text, error)
            }
            // Two spellings of one domain are one address.
            if let before = lines.updateValue(person.line, forKey: address.folded), !admitsRepeats {
                throw .repeated(line: person.line, before: before, value: text)
            }
            addresses.append(address)
        }
        return addresses
    }

    /// The table that is sent as letters: the same columns and cells, with a code and a link for each person.
    public func letters(_ links: [InvitationLink]) -> String {
        let lines = zip(people, links).map { $0.cells + [$1.code.text, $1.text] }
        return CSVText.table([columns + Self.addedColumns] + lines, lineEnd: "\n")
    }

    /// The codes in a table of letters, with the line of each. Throws a ``Fault`` if it is no such table.
    public static func codes(inLetters bytes: [UInt8]) throws(Fault) -> [(line: Int, code: InvitationCode)] {
        let rows = try rows(DecodedText(bytes).utf8).rows
        let columns = (rows.first?.cells ?? []).map(trimmed)
        guard let column = columns.firstIndex(of: addedColumns[0]) else {
            throw .noSuchColumn(addedColumns[0], columns: columns)
        }
        var codes: [(line: Int, code: InvitationCode)] = []
        for row in try withoutEmptyEnd(rows.dropFirst()) {
            guard row.cells.count == columns.count else {
                throw .width(line: row.line, cells: row.cells.count, columns: columns.count)
            }
            guard let code = InvitationCode(text: row.cells[column]) else { throw .badCode(line: row.line) }
            codes.append((row.line, code))
        }
        return codes
    }

    // MARK: - Reading

    /// The rows, separated as a `sep=` line says, or by what separates the names of the columns.
    private static func rows(_ text: ArraySlice<UInt8>) throws(Fault) -> (rows: [CSVTable.Row], separator: UInt8) {
        let firstLine = text.prefix { $0 != 0x0A && $0 != 0x0D }
        // Written by spreadsheets for each other: sep=;
        if firstLine.count == 5, (separators + [UInt8(ascii: "|")]).contains(firstLine.last ?? 0),
            String(decoding: firstLine.prefix(4), as: UTF8.self).lowercased() == "sep=",
            let named = firstLine.last
        {
            let rows = try parse(text, separator: named)
            return (Array(rows.dropFirst()), named)
        }
        let counts = separators.map { separator in (separator, count(of: separator, in: firstLine)) }
        let most = counts.map(\.1).max() ?? 0
        let candidates = most == 0 ? [separators[0]] : counts.filter { $0.1 == most }.map(\.0)
        guard let separator = candidates.first, candidates.count == 1 else { throw .separatorUnclear }
        return (try parse(text, separator: separator), separator)
    }

    private static func parse(_ text: ArraySlice<UInt8>, separator: UInt8) throws(Fault) -> [CSVTable.Row] {
        do { return try CSVTable.rows(text, separator: separator) } catch {
            switch error {
            case .quoteNotClosed(let line, let column): throw .quoteNotClosed(line: line, column: column)
            case .strayQuote(let line, let column): throw .strayQuote(line: line, column: column)
            }
        }
    }

    /// How often a byte is in a line outside quotation marks.
    private static func count(of byte: UInt8, in line: some Sequence<UInt8>) -> Int {
        var (isQuoted, count) = (false, 0)
        for one in line {
            if one == 0x22 { isQuoted.toggle() } else if one == byte, !isQuoted { count += 1 }
        }
        return count
    }

    private static func withoutEmptyEnd(_ rows: ArraySlice<CSVTable.Row>) throws(Fault) -> [CSVTable.Row] {
        var rows = rows
        while rows.last?.isEmpty == true { rows.removeLast() }
        if let empty = rows.first(where: \.isEmpty) { throw .emptyRow(line: empty.line) }
        return Array(rows)
    }

    // MARK: - Checking

    private static func check(_ columns: [String]) throws(Fault) {
        if let unnamed = columns.firstIndex(of: "") { throw .unnamedColumn(unnamed + 1) }
        for (index, name) in columns.enumerated() {
            // A column's name has neither: the line is a person's.
            if name.utf8.contains(UInt8(ascii: "@")) || name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                throw .noHeader(column: index + 1, value: name)
            }
            if addedColumns.contains(name.lowercased()) { throw .ownColumn(name) }
            if columns[..<index].contains(where: { isSame($0, name) }) { throw .repeatedColumn(name) }
        }
    }

    private static func addressColumn(
        _ name: String?, columns: [String], _ rows: [CSVTable.Row]
    ) throws(Fault) -> Int? {
        if let name { return try column(name, columns: columns) }
        let words = ["mail", "courriel", "correo"]
        return columns.firstIndex { column in words.contains { column.lowercased().contains($0) } }
            ?? columns.indices.first { index in rows.allSatisfy { $0.cells[index].utf8.contains(UInt8(ascii: "@")) } }
    }

    private static func column(_ name: String, columns: [String]) throws(Fault) -> Int {
        guard let column = columns.firstIndex(where: { isSame($0, name) }) else {
            throw .noSuchColumn(name, columns: columns)
        }
        return column
    }

    /// One cell that is to tell people apart.
    private func checkLabels() throws(Fault) {
        var lines: [String: Int] = [:]
        for person in people {
            guard let before = lines.updateValue(person.line, forKey: folded(person.label)) else { continue }
            throw .repeated(line: person.line, before: before, value: person.label)
        }
    }

    private func checkRepeats() throws(Fault) {
        // Strings, not their bytes: canonically equivalent ones are one person.
        var rows: [String: Int] = [:]
        var addresses: [String: Int] = [:]
        for person in people {
            let row = person.cells.map(folded).joined(separator: "\u{1F}")
            if let before = rows.updateValue(person.line, forKey: row) {
                throw .repeated(line: person.line, before: before, value: person.cells.joined(separator: ", "))
            }
            guard let address = person.address else { continue }
            if let before = addresses.updateValue(person.line, forKey: folded(address)) {
                throw .repeated(line: person.line, before: before, value: address)
            }
        }
    }
}

/// True for white space, and for what no screen shows.
func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar.properties.generalCategory == .format
}

/// A text without white space around it.
func trimmed(_ text: String) -> String {
    let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
    var scalars = text.unicodeScalars[...]
    while let first = scalars.first, isSpace(first) { scalars.removeFirst() }
    while let last = scalars.last, isSpace(last) { scalars.removeLast() }
    return String(scalars)
}

/// A cell as it is compared: two spellings of one person are one person.
func folded(_ text: String) -> String {
    let visible = text.unicodeScalars.filter { $0.properties.generalCategory != .format }
    return trimmed(String(String.UnicodeScalarView(visible))).lowercased()
}

private func isSame(_ one: String, _ other: String) -> Bool { folded(one) == folded(other) }

/// The bytes of a file as text in UTF-8.
private struct DecodedText {
    /// What Windows-1252 has at 0x80 to 0x9F; 0 where it has nothing.
    private static let windows1252: [UInt16] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]
    let encoding: PeopleList.Encoding
    let utf8: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) throws(PeopleList.Fault) {
        // A zip archive, as .xlsx and .ods are, and the older .xls.
        guard !bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]), !bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) else {
            throw .spreadsheet
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            encoding = .utf16
            utf8 = try Self.utf16(bytes.dropFirst(2), isLittle: bytes[0] == 0xFF)[...]
            return
        }
        guard !bytes.contains(0) else { throw .notText }
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        if String(validating: text, as: UTF8.self) != nil {
            (encoding, utf8) = (.utf8, text)
        } else {
            encoding = .windows1252
            utf8 = try Self.windows1252(text)[...]
        }
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, isLittle: Bool) throws(PeopleList.Fault) -> [UInt8] {
        guard bytes.count % 2 == 0 else { throw .notText }
        let units = stride(from: bytes.startIndex, to: bytes.endIndex, by: 2).map { index in
            let (one, other) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            return isLittle ? one | other << 8 : one << 8 | other
        }
        guard let text = String(validating: units, as: UTF16.self), !text.utf8.contains(0) else { throw .notText }
        return Array(text.utf8)
    }

    private static func windows1252(_ bytes: ArraySlice<UInt8>) throws(PeopleList.Fault) -> [UInt8] {
        var scalars = String.UnicodeScalarView()
        var line = 1
        for byte in bytes {
            let value = (0x80...0x9F).contains(byte) ? windows1252[Int(byte) - 0x80] : UInt16(byte)
            guard value != 0, let scalar = Unicode.Scalar(value) else { throw .undecodable(line: line, byte: byte) }
            if byte == 0x0A { line += 1 }
            scalars.append(scalar)
        }
        return Array(String(scalars).utf8)
    }
}
