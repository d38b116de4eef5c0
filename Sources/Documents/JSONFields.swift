import Bytes

/// The fields of a JSON object, removed by name as they are read. Those that are left are unknown, and ``finish()``
/// refuses them.
public struct JSONFields {
    private var fields: [String: JSONValue]

    /// Parses the bytes of a body or document, which must be an object.
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

    /// The value of an optional field.
    package mutating func optional(_ name: String) -> JSONValue? {
        fields.removeValue(forKey: name)
    }

    mutating func required(_ name: String) throws(DocumentError) -> JSONValue {
        guard let value = optional(name) else { throw .missing(field: name) }
        return value
    }

    /// A string that obeys the rules of documents: not empty, at most `limit` bytes, and without characters that hide
    /// or reorder text. Line feeds are allowed only with `isMultiline`.
    public mutating func string(_ name: String, limit: Int, isMultiline: Bool = false) throws(DocumentError) -> String {
        try Self.string(required(name), name, limit: limit, isMultiline: isMultiline)
    }

    /// The same for an optional field.
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
        guard text.utf8.count <= limit else {
            throw .invalid(field: name, reason: "has \(text.utf8.count) bytes, more than \(limit)")
        }
        if let scalar = text.unicodeScalars.first(where: { isRefused($0) && !(isMultiline && $0 == "\n") }) {
            throw .invalid(
                field: name, reason: "holds the character U+\(String(scalar.value, radix: 16, uppercase: true))")
        }
        return text
    }

    /// Any string, to be checked by other rules.
    package mutating func text(_ name: String) throws(DocumentError) -> String {
        guard case .string(let text) = try required(name) else {
            throw .invalid(field: name, reason: "is not a string")
        }
        return text
    }

    /// The same for an optional field.
    package mutating func optionalText(_ name: String) throws(DocumentError) -> String? {
        fields[name] == nil ? nil : try text(name)
    }

    /// True for control characters, and for characters that change the direction of text.
    package static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
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

    /// An integer within `range`, for an optional field.
    package mutating func optionalInteger(
        _ name: String, in range: ClosedRange<UInt64>
    ) throws(DocumentError) -> UInt64? {
        fields[name] == nil ? nil : try integer(name, in: range)
    }

    /// True or false.
    package mutating func boolean(_ name: String) throws(DocumentError) -> Bool {
        guard case .boolean(let value) = try required(name) else {
            throw .invalid(field: name, reason: "is neither true nor false")
        }
        return value
    }

    /// An object inside this one.
    package mutating func object(_ name: String) throws(DocumentError) -> JSONFields {
        guard case .object(let members) = try required(name) else {
            throw .invalid(field: name, reason: "is not an object")
        }
        return try JSONFields(.object(members))
    }

    /// The same for an optional field.
    package mutating func optionalObject(_ name: String) throws(DocumentError) -> JSONFields? {
        guard let value = optional(name) else { return nil }
        guard case .object = value else { throw .invalid(field: name, reason: "is not an object") }
        return try JSONFields(value)
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

    /// A list of `count` strings, each under the rules of ``string(_:limit:isMultiline:)``, for an optional field.
    mutating func optionalStrings(
        _ name: String, count: ClosedRange<Int>, limit: Int
    ) throws(DocumentError) -> [String]? {
        guard let value = optional(name) else { return nil }
        guard case .array(let values) = value, count.contains(values.count) else {
            throw .invalid(
                field: name, reason: "is not a list of \(count.lowerBound) to \(count.upperBound) strings")
        }
        var strings: [String] = []
        for value in values { strings.append(try Self.string(value, name, limit: limit, isMultiline: false)) }
        return strings
    }

    /// A list of hashes, 32 bytes each in standard base64.
    package mutating func hashes(_ name: String) throws(DocumentError) -> [Bytes32] {
        guard case .array(let values) = try required(name) else {
            throw .invalid(field: name, reason: "is not a list of hashes")
        }
        var hashes: [Bytes32] = []
        for value in values {
            guard case .string(let text) = value, let hash = Base64.decode(text).flatMap({ Bytes32($0) }) else {
                throw .invalid(field: name, reason: "is not a list of hashes")
            }
            hashes.append(hash)
        }
        return hashes
    }

    /// Exactly `count` bytes in standard base64.
    public mutating func bytes(_ name: String, count: Int) throws(DocumentError) -> [UInt8] {
        guard case .string(let text) = try required(name), let bytes = Base64.decode(text), bytes.count == count else {
            throw .invalid(field: name, reason: "is not the base64 of \(count) bytes")
        }
        return bytes
    }

    /// Any number of bytes in standard base64.
    package mutating func bytes(_ name: String) throws(DocumentError) -> [UInt8] {
        guard let bytes = Base64.decode(try text(name)) else { throw .invalid(field: name, reason: "is not base64") }
        return bytes
    }

    /// The same for an optional field.
    package mutating func optionalBytes(_ name: String) throws(DocumentError) -> [UInt8]? {
        fields[name] == nil ? nil : try bytes(name)
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

    /// A url in the form that documents allow.
    public mutating func url(_ name: String) throws(DocumentError) -> ServiceURL {
        let text = try string(name, limit: DocumentLimits.url)
        guard let url = ServiceURL(text) else {
            throw .invalid(field: name, reason: "is not a url as documents allow it")
        }
        return url
    }

    /// A time in the form of documents.
    public mutating func time(_ name: String) throws(DocumentError) -> UTCTime {
        guard case .string(let text) = try required(name), let time = UTCTime(text) else {
            throw .invalid(field: name, reason: "is not a time such as 2026-01-31T12:00:00Z")
        }
        return time
    }

    /// The same for an optional field.
    package mutating func optionalTime(_ name: String) throws(DocumentError) -> UTCTime? {
        guard fields[name] != nil else { return nil }
        return try time(name)
    }

    /// A string that is exactly `expected`.
    package mutating func constant(_ name: String, _ expected: String) throws(DocumentError) {
        guard try required(name) == .string(expected) else { throw .invalid(field: name, reason: "is not \(expected)") }
    }

    /// Refuses fields that were not read.
    public func finish() throws(DocumentError) {
        if let name = fields.keys.sorted().first { throw .unknown(field: name) }
    }
}
