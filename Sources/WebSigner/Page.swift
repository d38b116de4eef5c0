import CWebPage
import Documents
import Sodium

/// The page that this module runs in. Its script fetches, stores, shows and asks what it is told here, and does nothing
/// else; whatever it answers is untrusted until checked.
///
/// A message is a line of JSON, and any bytes after it; so is an answer.
enum Page {
    /// An answer of the page.
    struct Answer {
        /// The fields of the line.
        var fields: JSONFields
        /// The bytes after it.
        var content: [UInt8]

        /// The text of a field; nil if there is none.
        mutating func text(_ name: String) -> String? {
            guard let text = try? fields.optionalText(name) else { return nil }
            return text
        }

        /// The whole number that was typed into a field; nil if it is none.
        mutating func number(_ name: String) -> Int? { text(name).flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }
    }

    /// Tells the page something, and waits for its answer.
    static func ask(
        _ what: String, _ fields: [(name: String, value: JSONValue)] = [], content: [UInt8] = []
    ) -> Answer {
        let line = JSONValue.object([("ask", .string(what))] + fields).text(isPretty: false)
        let message = Array(line.utf8) + [UInt8(ascii: "\n")] + content
        var answer = [UInt8](repeating: 0, count: page_ask(message, message.count))
        page_take(&answer)
        // It may have a passphrase.
        defer { answer.wipe() }
        let end = answer.firstIndex(of: UInt8(ascii: "\n")) ?? answer.count
        guard let fields = try? JSONFields(parsing: Array(answer[..<end])) else {
            // Only a changed script answers so: there is nobody to go on with.
            fatalError("the page's answer is none")
        }
        return Answer(fields: fields, content: Array(answer.dropFirst(end + 1)))
    }

    /// Gives the person a file.
    static func save(_ name: String, _ bytes: [UInt8]) {
        _ = ask("save", [("name", .string(name))], content: bytes)
    }
}
