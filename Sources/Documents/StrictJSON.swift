import Bytes

/// Why a document or a JSON body was refused, in words for its author.
public enum DocumentError: Error, Equatable, Sendable {
    /// Not JSON in the form that `Protocol/documents.md` allows.
    case malformed(String)
    /// A required field is missing.
    case missing(field: String)
    /// A field is unknown in this kind of document.
    case unknown(field: String)
    /// The value of a field breaks a rule.
    case invalid(field: String, reason: String)
    /// The note that contains the document was refused.
    case note(String)
}

extension DocumentError {
    /// What is given as a document is no signed note.
    public static var notSigned: DocumentError { .note("it is not a signed note") }
    /// The signature of the note is not by the key that is in the document.
    public static var badSignature: DocumentError {
        .note("the signature by the document's own key does not verify")
    }

    /// What is wrong, for people.
    public var explanation: String {
        switch self {
        case .malformed(let reason): "the text is not JSON as documents allow it: \(reason)"
        case .missing(let field): "the field \(field) is missing"
        case .unknown(let field): "the field \(field) is not one of such a document"
        case .invalid(let field, let reason): "the field \(field) \(reason)"
        case .note(let reason): reason
        }
    }
}

/// A JSON value of a kind that documents use: no null, no fractions, no negative numbers.
public indirect enum JSONValue: Equatable, Sendable {
    case object([(name: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    case integer(UInt64)
    case boolean(Bool)

    /// The largest integer: 2^53-1, which every JSON reader represents exactly.
    public static let maximumInteger: UInt64 = 1 << 53 - 1

    /// True for equal values with their fields in the same order.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.object(let l), .object(let r)): l.count == r.count && zip(l, r).allSatisfy { $0 == $1 }
        case (.array(let l), .array(let r)): l == r
        case (.string(let l), .string(let r)): l == r
        case (.integer(let l), .integer(let r)): l == r
        case (.boolean(let l), .boolean(let r)): l == r
        default: false
        }
    }
}

/// A strict JSON parser: UTF-8 without a BOM, no duplicate fields, no null, plain decimal integers, limited depth.
struct JSONParser {
    private static let maximumDepth = 8
    private let bytes: [UInt8]
    private var position = 0

    /// Parses a single value, which must be all of `bytes` except for whitespace.
    static func parse(_ bytes: [UInt8]) throws(DocumentError) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .malformed("not UTF-8") }
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("something follows the document") }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func error(_ reason: String) -> DocumentError {
        .malformed("\(reason) at byte \(position)")
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(DocumentError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw error("nested too deeply") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case .some(0x30...0x39): return .integer(try integer())
        default:
            for (word, value) in [("true", true), ("false", false)] where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return .boolean(value)
            }
            throw error("no value that is allowed here")
        }
    }

    private mutating func object(depth: Int) throws(DocumentError) -> JSONValue {
        var fields: [(name: String, value: JSONValue)] = []
        var names: Set<String> = []
        try list("}") { (parser: inout JSONParser) throws(DocumentError) in
            let name = try parser.string()
            // Other characters could match a field's name by canonical equivalence, or control a terminal.
            guard name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw parser.error("a field name that no document has")
            }
            guard names.insert(name).inserted else { throw parser.error("the field \"\(name)\" occurs twice") }
            parser.skipSpace()
            guard parser.take(":") else { throw parser.error("no colon") }
            fields.append((name, try parser.value(depth: depth + 1)))
        }
        return .object(fields)
    }

    private mutating func array(depth: Int) throws(DocumentError) -> JSONValue {
        var values: [JSONValue] = []
        try list("]") { (parser: inout JSONParser) throws(DocumentError) in
            values.append(try parser.value(depth: depth + 1))
        }
        return .array(values)
    }

    /// Parses the elements between an opening bracket and `end`, separated by commas.
    private mutating func list(
        _ end: Unicode.Scalar, _ element: (inout JSONParser) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        position += 1
        skipSpace()
        if take(end) { return }
        while true {
            skipSpace()
            try element(&self)
            skipSpace()
            if take(end) { return }
            guard take(",") else { throw error("no comma") }
        }
    }

    private mutating func integer() throws(DocumentError) -> UInt64 {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        let digits = bytes[start..<position]
        guard digits.count == 1 || digits.first != 0x30,
            let value = UInt64(String(decoding: digits, as: UTF8.self)), value <= JSONValue.maximumInteger
        else { throw error("not a plain integer below 2^53") }
        if let byte = next, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte) {
            throw error("not a plain integer")
        }
        return value
    }

    private mutating func string() throws(DocumentError) -> String {
        guard take("\"") else { throw error("no string") }
        var scalars = String.UnicodeScalarView()
        var literal: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                scalars.append(contentsOf: String(decoding: literal, as: UTF8.self).unicodeScalars)
                return String(scalars)
            case UInt8(ascii: "\\"):
                scalars.append(contentsOf: String(decoding: literal, as: UTF8.self).unicodeScalars)
                literal = []
                scalars.append(try escape())
            case 0..<0x20:
                throw error("a control character")
            default:
                literal.append(byte)
            }
        }
        throw error("a string without end")
    }

    private mutating func escape() throws(DocumentError) -> Unicode.Scalar {
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "\"": "\"", "\\": "\\", "/": "/", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t",
        ]
        guard let byte = next else { throw error("a string without end") }
        position += 1
        if let scalar = simple[Unicode.Scalar(byte)] { return scalar }
        guard byte == UInt8(ascii: "u") else { throw error("an unknown escape") }
        let first = try hexUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), take("\\"), take("u") else { throw error("a lone surrogate") }
        let second = try hexUnit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("a lone surrogate") }
        return scalar
    }

    private mutating func hexUnit() throws(DocumentError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw error("a string without end") }
        let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        // UInt32 alone would also accept a sign.
        guard digits.allSatisfy({ $0.isHexDigit }), let unit = UInt32(digits, radix: 16) else {
            throw error("not four hexadecimal digits")
        }
        position += 4
        return unit
    }
}

extension JSONValue {
    /// The value as text: indented for people, as in documents, or without any whitespace.
    public func text(isPretty: Bool) -> String {
        isPretty ? pretty(indent: "") : compact
    }

    private var compact: String {
        switch self {
        case .object(let fields):
            "{" + fields.map { Self.quoted($0.name) + ":" + $0.value.compact }.joined(separator: ",") + "}"
        case .array(let values): "[" + values.map { $0.compact }.joined(separator: ",") + "]"
        case .string(let text): Self.quoted(text)
        case .integer(let value): String(value)
        case .boolean(let value): value ? "true" : "false"
        }
    }

    private func pretty(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .object(let fields) where !fields.isEmpty:
            let lines = fields.map { inner + Self.quoted($0.name) + ": " + $0.value.pretty(indent: inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n" + indent + "}"
        case .array(let values) where !values.isEmpty:
            return "[\n" + values.map { inner + $0.pretty(indent: inner) }.joined(separator: ",\n") + "\n" + indent
                + "]"
        default:
            return compact
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
