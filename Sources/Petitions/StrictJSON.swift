import Bytes

/// Why a document or a JSON body is refused, in words for whoever wrote it.
public enum DocumentError: Error, Equatable, Sendable {
    /// Not JSON as `Protocol/documents.md` allows it.
    case malformed(String)
    /// A field that must be there is not.
    case missing(field: String)
    /// A field that no such document has.
    case unknown(field: String)
    /// A field whose value breaks a rule.
    case invalid(field: String, reason: String)
    /// The note around the document is not good.
    case note(String)
}

/// A JSON value of the kinds that documents use: no null, no fractions, no negative numbers.
public indirect enum JSONValue: Equatable, Sendable {
    case object([(name: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    case integer(UInt64)
    case boolean(Bool)

    /// The largest integer: 2^53-1, which every JSON reader holds exactly.
    public static let maximumInteger: UInt64 = 1 << 53 - 1

    /// Equal values with their fields in the same order.
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

/// A strict reader of JSON: UTF-8 without BOM, no field twice, no null, integers plain decimal, limited depth.
struct JSONParser {
    private static let maximumDepth = 8
    private let bytes: [UInt8]
    private var position = 0

    /// Reads one value that fills all of `bytes`, white space aside.
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
            // Other characters could be taken for a field's name by canonical equivalence, or steer a terminal.
            guard name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw parser.error("a field name that no document has")
            }
            guard names.insert(name).inserted else { throw parser.error("the field \"\(name)\" stands twice") }
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

    /// What stands between an opening bracket and `end`, separated by commas.
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
        // UInt32 would take a sign, too.
        guard digits.allSatisfy(\.isHexDigit), let unit = UInt32(digits, radix: 16) else {
            throw error("not four hexadecimal digits")
        }
        position += 4
        return unit
    }
}

/// The fields of one JSON object, taken out by name. What is left at the end is unknown, and refused.
public struct JSONFields {
    private var fields: [String: JSONValue]

    /// Reads an object from the bytes of a body or document.
    public init(parsing bytes: [UInt8]) throws(DocumentError) {
        try self.init(JSONParser.parse(bytes))
    }

    init(_ value: JSONValue) throws(DocumentError) {
        guard case .object(let members) = value else { throw .malformed("not an object") }
        fields = Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
    }

    /// The objects of a JSON array.
    public static func list(parsing bytes: [UInt8]) throws(DocumentError) -> [JSONFields] {
        guard case .array(let values) = try JSONParser.parse(bytes) else { throw .malformed("not a list") }
        var objects: [JSONFields] = []
        for value in values { objects.append(try JSONFields(value)) }
        return objects
    }

    /// The value of a field that may be absent.
    mutating func optional(_ name: String) -> JSONValue? {
        fields.removeValue(forKey: name)
    }

    mutating func required(_ name: String) throws(DocumentError) -> JSONValue {
        guard let value = optional(name) else { throw .missing(field: name) }
        return value
    }

    /// A string that obeys the rules of documents: not empty, at most `limit` bytes, no character that hides or
    /// reorders text. Line feeds only where `isMultiline`.
    public mutating func string(_ name: String, limit: Int, isMultiline: Bool = false) throws(DocumentError) -> String {
        try Self.string(required(name), name, limit: limit, isMultiline: isMultiline)
    }

    /// The same for a field that may be absent.
    public mutating func optionalString(
        _ name: String, limit: Int, isMultiline: Bool = false
    ) throws(DocumentError) -> String? {
        guard let value = optional(name) else { return nil }
        return try Self.string(value, name, limit: limit, isMultiline: isMultiline)
    }

    private static func string(
        _ value: JSONValue, _ name: String, limit: Int, isMultiline: Bool
    ) throws(DocumentError) -> String {
        guard case .string(let text) = value else { throw .invalid(field: name, reason: "is not a string") }
        guard !text.isEmpty else { throw .invalid(field: name, reason: "is empty") }
        guard text.utf8.count <= limit else { throw .invalid(field: name, reason: "has more than \(limit) bytes") }
        if let scalar = text.unicodeScalars.first(where: { isRefused($0) && !(isMultiline && $0 == "\n") }) {
            throw .invalid(
                field: name, reason: "holds the character U+\(String(scalar.value, radix: 16, uppercase: true))")
        }
        return text
    }

    /// Control characters and those that change the direction of text.
    private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// An integer within `range`.
    public mutating func integer(_ name: String, in range: ClosedRange<UInt64>) throws(DocumentError) -> UInt64 {
        guard case .integer(let value) = try required(name), range.contains(value) else {
            throw .invalid(
                field: name, reason: "is not an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func boolean(_ name: String) throws(DocumentError) -> Bool {
        guard case .boolean(let value) = try required(name) else {
            throw .invalid(field: name, reason: "is neither true nor false")
        }
        return value
    }

    /// An array of objects with `count` elements.
    package mutating func objects(_ name: String, count: ClosedRange<Int>) throws(DocumentError) -> [JSONFields] {
        guard case .array(let values) = try required(name), count.contains(values.count) else {
            throw .invalid(
                field: name, reason: "is not a list of \(count.lowerBound) to \(count.upperBound) objects")
        }
        var objects: [JSONFields] = []
        for value in values { objects.append(try JSONFields(value)) }
        return objects
    }

    /// A list of integers.
    package mutating func integers(_ name: String, in range: ClosedRange<UInt64>) throws(DocumentError) -> [UInt64] {
        guard case .array(let values) = try required(name) else {
            throw .invalid(field: name, reason: "is not a list of integers")
        }
        var integers: [UInt64] = []
        for value in values {
            guard case .integer(let integer) = value, range.contains(integer) else {
                throw .invalid(field: name, reason: "is not a list of integers")
            }
            integers.append(integer)
        }
        return integers
    }

    /// Exactly `count` bytes in standard base64.
    public mutating func bytes(_ name: String, count: Int) throws(DocumentError) -> [UInt8] {
        guard case .string(let text) = try required(name), let bytes = Base64.decode(text), bytes.count == count else {
            throw .invalid(field: name, reason: "is not the base64 of \(count) bytes")
        }
        return bytes
    }

    /// 32 bytes in standard base64.
    public mutating func bytes32(_ name: String) throws(DocumentError) -> Bytes32 {
        guard let value = Bytes32(try bytes(name, count: Bytes32.count)) else { throw .missing(field: name) }
        return value
    }

    package mutating func id(_ name: String) throws(DocumentError) -> Bytes32 {
        guard case .string(let text) = try required(name), let value = Hex.decode(text).flatMap({ Bytes32($0) }) else {
            throw .invalid(field: name, reason: "is not an id of 64 lower-case hexadecimal digits")
        }
        return value
    }

    /// A url as documents allow it.
    public mutating func url(_ name: String) throws(DocumentError) -> ServiceURL {
        let text = try string(name, limit: DocumentLimits.url)
        guard let url = ServiceURL(text) else {
            throw .invalid(field: name, reason: "is not a url as documents allow it")
        }
        return url
    }

    /// A time as documents write it.
    public mutating func time(_ name: String) throws(DocumentError) -> UTCTime {
        guard case .string(let text) = try required(name), let time = UTCTime(text) else {
            throw .invalid(field: name, reason: "is not a time such as 2026-01-31T12:00:00Z")
        }
        return time
    }

    package mutating func constant(_ name: String, _ expected: String) throws(DocumentError) {
        guard try required(name) == .string(expected) else { throw .invalid(field: name, reason: "is not \(expected)") }
    }

    /// Refuses whatever was not taken out.
    public func finish() throws(DocumentError) {
        if let name = fields.keys.sorted().first { throw .unknown(field: name) }
    }
}

extension JSONValue {
    /// The value as text: indented for people in documents, or without any white space.
    public func text(isPretty: Bool) -> String {
        isPretty ? pretty(indent: "") : compact
    }

    private var compact: String {
        switch self {
        case .object(let fields):
            "{" + fields.map { Self.quoted($0.name) + ":" + $0.value.compact }.joined(separator: ",") + "}"
        case .array(let values): "[" + values.map(\.compact).joined(separator: ",") + "]"
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
