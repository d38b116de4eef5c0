/// A language as the interface writes it: its name, numbers and dates. What is said in it is in files of its own.
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

extension WrittenLanguage {
    static let english = WrittenLanguage(
        name: "English", thousands: ",", groupedFrom: 1000,
        months: [
            "January", "February", "March", "April", "May", "June",
            "July", "August", "September", "October", "November", "December",
        ],
        day: { "\($1) \($0), \($2)" },
        minute: { "\($0) at \($1 % 12 == 0 ? 12 : $1 % 12):\($2)\u{202F}\($1 < 12 ? "AM" : "PM")" })

    static let french = WrittenLanguage(
        name: "Français", thousands: "\u{202F}", groupedFrom: 1000,
        months: [
            "janvier", "février", "mars", "avril", "mai", "juin",
            "juillet", "août", "septembre", "octobre", "novembre", "décembre",
        ],
        day: { "\($0) \($1) \($2)" }, minute: { "\($0) à \($1):\($2)" })

    static let german = WrittenLanguage(
        name: "Deutsch", thousands: ".", groupedFrom: 1000,
        months: [
            "Januar", "Februar", "März", "April", "Mai", "Juni",
            "Juli", "August", "September", "Oktober", "November", "Dezember",
        ],
        day: { "\($0). \($1) \($2)" }, minute: { "\($0) um \($1):\($2)" })

    static let spanish = WrittenLanguage(
        name: "Español", thousands: ".", groupedFrom: 10_000,
        months: [
            "enero", "febrero", "marzo", "abril", "mayo", "junio",
            "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
        ],
        day: { "\($0) de \($1) de \($2)" }, minute: { "\($0), \($1):\($2)" })
}
