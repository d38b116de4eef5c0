import Documents

/// A language of the interface. A petition's own text stays in its language.
public enum Language: String, CaseIterable, Sendable {
    case english = "en"
    case french = "fr"
    case german = "de"
    case spanish = "es"

    private var written: WrittenLanguage {
        switch self {
        case .english: .english
        case .french: .french
        case .german: .german
        case .spanish: .spanish
        }
    }

    /// The language's own name for itself.
    package var name: String { written.name }

    /// The language of `tag` (BCP 47), if the interface has it.
    public init?(tag: some StringProtocol) {
        self.init(rawValue: tag.prefix { $0 != "-" }.lowercased())
    }

    /// A count as the language writes it.
    package func number(_ count: UInt64) -> String { written.number(count) }

    /// A day as the language writes it, in UTC.
    package func day(_ seconds: Int64) -> String {
        let date = UTCTime(seconds: seconds).date
        return written.day(date.day, written.months[Int(date.month) - 1], date.year)
    }

    /// Day and minute, in UTC.
    package func minute(_ seconds: Int64) -> String {
        let date = UTCTime(seconds: seconds).date
        let minute = (date.minute < 10 ? "0" : "") + String(date.minute)
        return written.minute(day(seconds), date.hour, minute) + " UTC"
    }

    /// A text with `values` in place of each `%`, in this order.
    package static func fill(_ template: String, _ values: [String]) -> String {
        var parts = template.split(separator: "%", omittingEmptySubsequences: false).map { String($0) }[...]
        var text = parts.popFirst() ?? ""
        var values = values[...]
        while let part = parts.popFirst() { text += (values.popFirst() ?? "%") + part }
        return text
    }
}
