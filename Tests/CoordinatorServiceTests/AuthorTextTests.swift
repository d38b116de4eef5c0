import CoordinatorService
import Documents
import PageParts
import Petitions
import Testing

/// What an organiser wrote, before it is signed.
@Suite struct AuthorTextTests {
    private static let now = UTCTime(seconds: 1_800_000_000)

    private func text(
        title: String = "Act", statement: String = "We ask for water on every watch, and for bread.",
        opens: Int64 = 0, closes: Int64 = 86_400, replaces: PetitionID? = nil
    ) -> PetitionManifest.Text {
        PetitionManifest.Text(
            title: title, statement: statement, startedBy: "X", addressedTo: "Y", website: nil, language: "en",
            opens: UTCTime(seconds: Self.now.seconds + opens), closes: UTCTime(seconds: Self.now.seconds + closes),
            goal: 10, replaces: replaces)
    }

    private func fault(_ text: PetitionManifest.Text) -> AuthorText.Fault? {
        do { _ = try AuthorText(text, now: Self.now, known: []) } catch { return error }
        return nil
    }

    @Test func whatEditorsWriteIsTaken() throws {
        let written = text(title: " Act\t", statement: "\r\n \r\nOne\r\ntwo\rthree\n\tcode\na\tb  \n\n \n")
        let author = try AuthorText(written, now: Self.now, known: [])
        #expect(author.text.title == "Act")
        #expect(author.text.statement == "One\ntwo\nthree\n    code\na   b  ")
    }

    @Test func whatCannotBeMeantIsNamedWithItsPlace() {
        #expect(fault(text(title: " \t")) == .blank(field: "title"))
        #expect(fault(text(statement: "\n \n")) == .blank(field: "statement"))
        #expect(fault(text(title: "a\nb")) == .severalLines(field: "title"))
        #expect(
            fault(text(statement: "a\r\nbc\u{202E}")) == .character(field: "statement", "\u{202E}", line: 2, column: 3))
        #expect(fault(text(statement: "\ta\u{0}")) == .character(field: "statement", "\0", line: 1, column: 6))
        #expect(
            fault(text(title: String(repeating: "é", count: 101))) == .tooLong(field: "title", bytes: 202, limit: 200))
        let early = UTCTime(seconds: Self.now.seconds - 1)
        #expect(fault(text(opens: -10, closes: -1)) == .closedAlready(early))
        #expect(
            fault(text(opens: 10, closes: 10))
                == .closesBeforeOpening(
                    opens: UTCTime(seconds: Self.now.seconds + 10), closes: UTCTime(seconds: Self.now.seconds + 10)))
    }

    @Test func whatMayNotBeMeantIsAskedAbout() throws {
        let id = try #require(PetitionID(hex: String(repeating: "0", count: 64)))
        let odd = text(
            statement: "See <b>this</b>.\n\n<div>x</div>\n\n![A](a.png) [here](page.html) [there](https://x.example)",
            opens: -3600, closes: 3 * 366 * 86_400, replaces: id)
        let doubts = try AuthorText(odd, now: Self.now, known: []).doubts
        #expect(
            doubts == [
                .dropped(.html(line: 1)), .dropped(.html(line: 1)), .dropped(.html(line: 3)), .dropped(.image(line: 5)),
                .dropped(.link(line: 5, to: "page.html")), .opensInThePast(odd.opens), .openForLong(until: odd.closes),
                .unknownReplaced(id),
            ])
        #expect(try AuthorText(odd, now: Self.now, known: [id]).doubts.count == doubts.count - 1)
        #expect(try AuthorText(text(statement: "Act."), now: Self.now, known: []).doubts == [.short(bytes: 4)])
        #expect(try AuthorText(text(), now: Self.now, known: []).doubts.isEmpty)
    }
}
