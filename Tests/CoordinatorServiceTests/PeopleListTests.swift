import CoordinatorService
import Documents
import Testing

/// Lists of people as spreadsheets and membership systems write them.
@Suite struct PeopleListTests {
    private typealias Fault = PeopleList.Fault

    private func list(_ text: String, address: String? = nil) throws -> PeopleList {
        try PeopleList(Array(text.utf8), address: address)
    }

    private func fault(_ bytes: [UInt8]) -> PeopleList.Fault? {
        do { _ = try PeopleList(bytes) } catch { return error }
        return nil
    }

    private func fault(_ text: String) -> PeopleList.Fault? { fault(Array(text.utf8)) }

    private static let two = [["Ada", "ada@example.org"], ["Brün", "b@example.org"]]

    @Test(arguments: [
        "name,email\nAda,ada@example.org\nBrün,b@example.org\n",
        "name,email\r\nAda,ada@example.org\r\nBrün,b@example.org",
        "name,email\rAda,ada@example.org\rBrün,b@example.org\r",
        "name;email\nAda;ada@example.org\nBrün;b@example.org\n\n\n",
        "name\temail\nAda\tada@example.org\nBrün\tb@example.org\n \n",
        "sep=;\nname;email\nAda;ada@example.org\nBrün;b@example.org\n",
        "SEP=|\r\nname|email\r\nAda|ada@example.org\r\nBrün|b@example.org\r\n",
        "\u{FEFF}name,email\nAda,ada@example.org\nBrün,b@example.org\n",
        "\"name\",\"email\"\n\"Ada\",\"ada@example.org\"\n\"Brün\",\"b@example.org\"\n,\n",
        "\u{FEFF}sep=,\n\" name \",email\nAda,ada@example.org\nBrün,b@example.org\n",
    ])
    func shapesOfOneTable(_ text: String) throws {
        let list = try list(text)
        #expect(list.columns == ["name", "email"])
        #expect(list.people.map(\.cells) == Self.two)
        #expect(list.people.map(\.address) == ["ada@example.org", "b@example.org"])
        #expect(list.encoding == .utf8)
    }

    @Test func otherEncodings() throws {
        let text = "name,email\r\nAda,ada@example.org\r\nBrün,b@example.org\r\n"
        let little: [UInt8] =
            [0xFF, 0xFE] + text.utf16.flatMap { unit -> [UInt8] in [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
        let big: [UInt8] =
            [0xFE, 0xFF] + text.utf16.flatMap { unit -> [UInt8] in [UInt8(unit >> 8), UInt8(unit & 0xFF)] }
        let western = text.unicodeScalars.map { UInt8($0.value) }
        for (bytes, encoding) in [(little, .utf16), (big, .utf16), (western, .windows1252)]
            as [([UInt8], PeopleList.Encoding)]
        {
            let list = try PeopleList(bytes)
            #expect(list.people.map(\.cells) == Self.two && list.encoding == encoding)
        }
        let euro = try PeopleList(Array("name\n".utf8) + [0x80, 0x9F])
        #expect(euro.people[0].cells == ["€Ÿ"])
        #expect(fault(Array("name\nAda\n".utf8) + [0x81]) == .undecodable(line: 3, byte: 0x81))
        #expect(fault(Array(little.dropFirst(2))) == .notText)
        #expect(fault(Array(little.dropLast())) == .notText)
        #expect(fault([0xFF, 0xFE, 0x00, 0xD8]) == .notText)
        #expect(fault([0x50, 0x4B, 0x03, 0x04, 0x00]) == .spreadsheet)
    }

    @Test(
        arguments: [
            ("", Fault.empty), ("\n\n", .unnamedColumn(1)), ("name,email\n", .nobody), ("name,email\n,\n\n", .nobody),
            // Four people that became two.
            (
                "name,email\nAda,a@x.example\n\"Brun,b@x.example\nCleo,c@x.example\n",
                .quoteNotClosed(line: 3, column: 1)
            ),
            ("name,email\nAda,a\"x\n", .strayQuote(line: 2, column: 2)),
            ("name,email\n\"Ada\" Ahr,a@x.example\n", .strayQuote(line: 2, column: 1)),
            ("name,email\n\"two\nlines\",a@x.example\nBrun\n", .width(line: 4, cells: 1, columns: 2)),
            ("name,email\nAda,a@x.example,more\n", .width(line: 2, cells: 3, columns: 2)),
            ("name,email\nAda,a@x.example\n\nBrun,b@x.example\n", .emptyRow(line: 3)),
            ("name,email\nAda,a@x.example\n , \nBrun,b@x.example\n", .emptyRow(line: 3)),
            ("Ada,ada@example.org\nBrun,brun@example.org\n", .noHeader(column: 2, value: "ada@example.org")),
            ("name,4711\nAda,4712\n", .noHeader(column: 2, value: "4711")),
            ("name,,email\nAda,,a@x.example\n", .unnamedColumn(2)), ("name,Name\nAda,Ahr\n", .repeatedColumn("Name")),
            ("name,email,Code,link\nAda,a@x.example,x,y\n", .ownColumn("Code")),
            ("name,e;mail\nAda,a\n", .separatorUnclear),
            (
                "name,email\nAda,a@x.example\nBrun,b@x.example\nAda,a@x.example\n",
                .repeated(line: 4, before: 2, value: "Ada, a@x.example")
            ),
            (
                "name,email\nAda,a@x.example\nA. Ahr, A@X.example \n",
                .repeated(line: 3, before: 2, value: "A@X.example")
            ),
            ("name\nAda\n\u{A0}\u{200B}\nBrun\n", .emptyRow(line: 3)),
            ("name\nZo\u{EB}\nZoe\u{308}\n", .repeated(line: 3, before: 2, value: "Zoe\u{308}")),
            ("email\na@x.example\na@x.example\u{200B}\n", .repeated(line: 3, before: 2, value: "a@x.example\u{200B}")),
            ("name\nAda\nBrun\nada \n", .repeated(line: 4, before: 2, value: "ada ")),
        ] as [(String, PeopleList.Fault)])
    func whatCannotBeRightIsRefused(_ text: String, _ expected: PeopleList.Fault) {
        #expect(fault(text) == expected)
    }

    @Test func addressesAreInOneColumn() throws {
        #expect(try list("name,Work e-mail\nAda,a@x.example\n").addressColumn == 1)
        #expect(try list("name,reach\nAda,a@x.example\nBrun,b@x.example\n").addressColumn == 1)
        #expect(try list("name,reach\nAda,a@x.example\nBrun,pigeon\n").addressColumn == nil)
        #expect(try list("name,reach\nAda,12\nBrun,13\n", address: "Reach").addressColumn == 1)
        #expect(throws: Fault.noSuchColumn("phone", columns: ["name", "reach"])) {
            try list("name,reach\nAda,12\n", address: "phone")
        }
        // Nobody has an address here, and that is no repetition.
        #expect(try list("name,email\nAda,\nBrun,\n").people.map(\.address) == [nil, nil])
    }

    @Test func repeatsAreAdmittedWhenAsked() throws {
        let list = try PeopleList(Array("name\nAda\nAda\n".utf8), admitsRepeats: true)
        #expect(list.people.map(\.line) == [2, 3])
    }

    /// Bytes that Swift counts as one Character, and everything that CSV treats specially.
    private static let pieces = [
        "a", " ", ",", ";", "\t", "\"", "\n", "\r", "\r\n", "\u{301}", "\u{200D}", "👩‍👩‍👧", "\u{FEFF}", "é", "=", "'",
        "x,y",
        "\"\"", "\u{1F}",
    ]

    @Test func everyCellComesBack() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let rows = (0..<3).map { _ in
                (0..<2).map { _ in
                    "x"
                        + (0..<Int.random(in: 0...5, using: &generator)).map { _ in Self.pieces.randomElement()! }
                        .joined()
                }
            }
            let people = rows.map { $0.map(quoted).joined(separator: ",") + "\r\n" }.joined()
            let list = try PeopleList(Array(("name,more\r\n" + people).utf8), admitsRepeats: true)
            #expect(list.people.map { $0.cells.map { Array($0.utf8) } } == rows.map { $0.map { Array($0.utf8) } })
            // What is written as letters is read again as the same cells.
            let link = try RollLink(#require(ServiceURL("https://c.example/rolls/r"))).map { $0 }
            let links = rows.map { _ in InvitationLink(roll: link!, code: .random()) }
            let letters = Array(list.letters(links).utf8)
            let codes = try PeopleList.codes(inLetters: letters)
            #expect(codes.map(\.code.bytes) == links.map(\.code.bytes))
            let withoutOurs = Array(
                String(decoding: letters, as: UTF8.self).replacing("name,more,code,link", with: "name,more,c,l").utf8)
            let again = try PeopleList(withoutOurs, admitsRepeats: true)
            #expect(
                again.people.map { $0.cells.prefix(2).map { Array($0.utf8) } } == rows.map { $0.map { Array($0.utf8) } }
            )
        }
    }

    private func quoted(_ text: String) -> String {
        var scalars = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in text.unicodeScalars {
            if scalar == "\"" { scalars.append(scalar) }
            scalars.append(scalar)
        }
        scalars.append("\"")
        return String(scalars)
    }

    @Test func lettersNameTheirCodes() throws {
        #expect(throws: Fault.noSuchColumn("code", columns: ["name", "email"])) {
            try PeopleList.codes(inLetters: Array("name,email\nAda,a@x.example\n".utf8)).count
        }
        #expect(throws: Fault.badCode(line: 3)) {
            try PeopleList.codes(
                inLetters: Array("name,code,link\nAda,\(InvitationCode.random().text),x\nB,00,y\n".utf8)
            )
            .count
        }
    }
}
