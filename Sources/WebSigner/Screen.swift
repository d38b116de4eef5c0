import Documents
import SignerWords

/// What is shown to the person at one time, and asked. The script makes elements of it and adds nothing.
struct Screen {
    /// What a button is for.
    enum Weight: String { case main, plain, grave }

    private let title: String
    private var parts: [JSONValue] = []

    init(_ title: String) { self.title = title }

    private mutating func add(_ kind: String, _ fields: [(name: String, value: JSONValue)]) {
        parts.append(.object([("kind", .string(kind))] + fields))
    }

    mutating func heading(_ text: String) { add("heading", [("text", .string(text))]) }
    mutating func text(_ text: String) { add("text", [("text", .string(text))]) }
    /// Something that the person must not overlook.
    mutating func warning(_ text: String) { add("warning", [("text", .string(text))]) }
    /// What went wrong, and what to do about it.
    mutating func error(_ message: String, advice: String?) {
        add("error", [("text", .string(message)), ("advice", .string(advice ?? ""))])
    }
    /// A text of somebody else, in its language (BCP 47), with its line breaks.
    mutating func quote(_ text: String, language: String) {
        add("quote", [("text", .string(text)), ("language", .string(language))])
    }
    /// Names and what they stand for.
    mutating func facts(_ facts: [(String, String)]) {
        add("facts", [("rows", .array(facts.map { .array([.string($0.0), .string($0.1)]) }))])
    }
    /// A folded list of remarks.
    mutating func details(_ summary: String, _ lines: [String]) {
        add("details", [("text", .string(summary)), ("lines", .array(lines.map { .string($0) }))])
    }
    mutating func table(_ table: RollTable) {
        let rows = table.lines.map { line in
            JSONValue.array([
                .string("\(line.entries)"), .string(line.detail.map { "\(line.name), \($0)" } ?? line.name),
            ])
        }
        if let heading = table.heading { add("table", [("text", .string(heading)), ("rows", .array(rows))]) }
        for remark in table.remarks { text(remark) }
    }
    /// A field to type into; its value is in the answer under `name`.
    mutating func field(_ name: String, _ label: String, help: String = "", value: String = "", rows: UInt64 = 1) {
        add(
            "field",
            [
                ("name", .string(name)), ("label", .string(label)), ("help", .string(help)), ("value", .string(value)),
                ("rows", .integer(rows)),
            ])
    }
    /// A whole number to type.
    mutating func number(_ name: String, _ label: String, value: Int) {
        add("number", [("name", .string(name)), ("label", .string(label)), ("value", .integer(UInt64(value)))])
    }
    /// A passphrase; what is typed is in the answer's content, a line for each such field.
    mutating func secret(_ label: String, isNew: Bool) {
        add("secret", [("label", .string(label)), ("isNew", .boolean(isNew))])
    }
    /// A file to choose; its bytes are the answer's content.
    mutating func file(_ label: String) { add("file", [("label", .string(label))]) }
    /// One of several; its name is in the answer under `name`.
    mutating func choice(_ name: String, _ label: String, _ options: [(name: String, label: String)]) {
        let options = options.map { option in
            JSONValue.object([("name", .string(option.name)), ("label", .string(option.label))])
        }
        add("choice", [("name", .string(name)), ("label", .string(label)), ("options", .array(options))])
    }
    /// Something to tick; the answer has `yes` under `name` if it is.
    mutating func tick(_ name: String, _ label: String, isOn: Bool = false) {
        add("tick", [("name", .string(name)), ("label", .string(label)), ("isOn", .boolean(isOn))])
    }
    /// A button; its name is the answer's `button`.
    mutating func button(_ name: String, _ label: String, _ weight: Weight = .plain) {
        add("button", [("name", .string(name)), ("label", .string(label)), ("weight", .string(weight.rawValue))])
    }
    /// A button that prints the page.
    mutating func print(_ label: String) { add("print", [("label", .string(label))]) }

    /// As the script reads it.
    var fields: [(name: String, value: JSONValue)] { [("title", .string(title)), ("parts", .array(parts))] }
}
