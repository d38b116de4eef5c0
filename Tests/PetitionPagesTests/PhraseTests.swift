import Foundation
import PageParts
import PetitionPages
import Testing

/// The interface says the same things in each of its languages.
@Suite struct PhraseTests {
    @Test(arguments: Phrase.allCases) func isThereInEveryLanguage(phrase: Phrase) {
        let texts = Language.allCases.map { $0.phrase(phrase) }
        let places = texts.map { $0.count { $0 == "%" } }
        #expect(Set(places).count == 1, "\(texts)")
        #expect(texts.allSatisfy { !$0.isEmpty })
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

    /// Foundation's localisation, which the programs avoid because of its 40 megabytes of data, gives the same text.
    @Test(arguments: Language.allCases) func numbersAndDatesAreThoseOfTheCommonLocaleData(language: Language) {
        let locale = Locale(identifier: language.rawValue)
        for number in [0, 7, 999, 1000, 9999, 10_000, 123_456, 1_234_567, UInt64(Int64.max)] {
            #expect(language.number(number) == Int64(number).formatted(.number.locale(locale)))
        }
        var day = Date.FormatStyle(date: .long, time: .omitted, locale: locale)
        var minute = Date.FormatStyle(date: .long, time: .shortened, locale: locale)
        (day.timeZone, minute.timeZone) = (.gmt, .gmt)
        // Every month and hour, and various minutes.
        for seconds in stride(from: Int64(1_577_836_800), to: 1_900_000_000, by: 1_234_567) {
            let date = Date(timeIntervalSince1970: TimeInterval(seconds))
            #expect(language.day(seconds) == date.formatted(day))
            #expect(language.minute(seconds) == date.formatted(minute) + " UTC")
        }
    }

    @Test func languagesRunAsTheirScriptsDo() {
        let tags = [
            "ar", "he", "fa", "ur", "yi", "ps", "sd", "ug", "ckb", "dv", "ks", "syr", "nqo", "ff-Adlm",
            "pa-Arab", "pa-Arab-PK", "ar-Latn", "he-Latn", "ar-EG", "pa-PK", "uz-AF", "pa-IN", "en-x-arab", "he-x-latn",
            "en", "de", "de-1901", "zh-Hant", "sr-Latn",
        ]
        for tag in tags {
            let isRightToLeft = Locale.Language(identifier: tag).characterDirection == .rightToLeft
            #expect(Language.direction(of: tag) == (isRightToLeft ? "rtl" : "ltr"), "\(tag)")
        }
        // Foundation does not know this pair of language and script.
        #expect(Language.direction(of: "az-Arab") == "rtl")
    }
}
