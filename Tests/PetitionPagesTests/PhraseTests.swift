import PageParts
import PetitionPages
import Testing

/// The interface says the same things in each of its languages.
@Suite struct PhraseTests {
    @Test(arguments: Phrase.allCases) func isThereInEveryLanguage(phrase: Phrase) {
        #expect(phrase.texts.count == Language.allCases.count)
        let indices = phrase.texts.map { $0.count { $0 == "%" } }
        #expect(Set(indices).count == 1, "\(phrase.texts)")
        #expect(phrase.texts.allSatisfy { !$0.isEmpty })
    }

    @Test(arguments: [
        ("en", Language.english), ("fr-CA", .french), ("DE", .german), ("es", .spanish), ("pt", nil), ("", nil),
        ("enx", nil),
    ])
    func aTagNamesALanguage(tag: String, language: Language?) {
        #expect(Language(tag: tag) == language)
    }

    @Test(arguments: [
        ("de-CH, fr;q=0.9", Language.german), ("pt-BR,pt;q=0.9, es;q=0.5", .spanish), ("*", nil), ("", nil),
        (",;,en", .english), ("fr;q=0, de", .german), ("en;q=0", nil), ("en; q=0.5, es ;Q=0.8", .spanish),
        ("fr;q=much, de;q=0.1", .german), ("de, en;q=inf", .german), ("de, en;q=7", .german), ("en;q=nan", nil),
        ("en;q=-1", nil),
    ])
    func aBrowserSaysWhichLanguagesItsReaderHas(header: String, language: Language?) {
        #expect(Language(accepting: header) == language)
    }

    @Test func numbersAndDaysAreWrittenAsPeopleDo() {
        #expect(Language.english.number(1_234_567) == "1,234,567")
        #expect(Language.german.number(1_234_567) == "1.234.567")
        #expect(Language.french.number(1_234_567).filter { $0.isNumber } == "1234567")
        #expect(Language.german.day(1_800_000_000) == "15. Januar 2027")
        #expect(Language.english.phrase(.ofGoal, "5") == "Next goal: 5")
    }
}
