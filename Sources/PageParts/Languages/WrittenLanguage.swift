/// A language as the interface writes it: its phrases, numbers and dates. Each language has its own file.
struct WrittenLanguage: Sendable {
    /// The language's own name for itself.
    let name: String
    /// What separates groups of three digits.
    let thousands: String
    /// The smallest number whose digits are divided into groups.
    let groupedFrom: UInt64
    /// The names of the months in a date, January first.
    let months: [String]
    /// A date, from day, month and year.
    let day: @Sendable (Int64, String, Int64) -> String
    /// A date and a time, from the date, the hour (0 to 23) and two digits of the minute.
    let minute: @Sendable (String, Int64, String) -> String
    /// The text of a phrase.
    let phrase: @Sendable (Phrase) -> String

    init(
        name: String, thousands: String, groupedFrom: UInt64, months: [String],
        day: @escaping @Sendable (Int64, String, Int64) -> String,
        minute: @escaping @Sendable (String, Int64, String) -> String,
        phrase: @escaping @Sendable (Phrase) -> String
    ) {
        self.name = name
        self.thousands = thousands
        self.groupedFrom = groupedFrom
        self.months = months
        self.day = day
        self.minute = minute
        self.phrase = phrase
    }

    /// A number with its digits in groups of three.
    func number(_ number: UInt64) -> String {
        let digits = String(number)
        guard number >= groupedFrom else { return digits }
        var groups: [Substring] = []
        var rest = digits[...]
        while !rest.isEmpty {
            groups.append(rest.suffix(3))
            rest = rest.dropLast(3)
        }
        return groups.reversed().joined(separator: thousands)
    }
}
