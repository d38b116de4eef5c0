import Bytes
import TransparencyLog

/// The logs of an operator, for witnesses to follow (C2SP tlog-list).
public struct LogList: Equatable, Sendable {
    /// The most logs that a list may have.
    public static let maximumCount = 65_536
    /// The largest size of a list in bytes: 32 MiB.
    public static let maximumBytes = 32 << 20
    /// What our servers announce: a checkpoint a second.
    public static let mostPerDay: UInt32 = 86_400
    private static let header = "logs/v0"

    /// A log.
    public struct Entry: Equatable, Sendable {
        /// Its key.
        public let key: VerifierKey
        /// Its origin, which is the key's name unless the list says otherwise.
        public let origin: String
        /// The most checkpoints that it submits a day, 1 to 2^31 - 1.
        public let perDay: UInt32
        /// How people reach its operator.
        public let contact: String

        /// A log whose origin is its key's name.
        public init(key: VerifierKey, perDay: UInt32, contact: String) {
            self.init(key: key, origin: key.name, perDay: perDay, contact: contact)
        }

        init(key: VerifierKey, origin: String, perDay: UInt32, contact: String) {
            self.key = key
            self.origin = origin
            self.perDay = perDay
            self.contact = contact
        }
    }

    /// Why a text is no list: the line, counted from 1, that breaks a rule.
    public struct Fault: Error, Equatable, Sendable {
        /// The line; the last one where something is missing.
        public let line: Int

        /// A complaint about a line.
        public init(line: Int) { self.line = line }
    }

    /// The logs, in the order of the list.
    public let entries: [Entry]

    /// A list of these logs.
    public init(_ entries: [Entry]) { self.entries = entries }

    /// Reads a list.
    public init(parsing bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Self.maximumBytes, let text = String(validating: bytes, as: UTF8.self) else {
            throw Fault(line: 1)
        }
        var reader = LineReader(text)
        guard reader.next() == Self.header else { throw reader.fault }
        var entries: [Entry] = []
        var origins: Set<String> = []
        while let line = reader.next() {
            let entry = try Self.entry(line, &reader)
            guard origins.insert(entry.origin).inserted, entries.count < Self.maximumCount else { throw reader.fault }
            entries.append(entry)
        }
        self.entries = entries
    }

    private static func entry(_ first: String, _ reader: inout LineReader) throws(Fault) -> Entry {
        guard let key = value("vkey", first).flatMap({ VerifierKey(parsing: $0) }) else { throw reader.fault }
        var line = reader.next()
        var origin = key.name
        if let named = line.flatMap({ value("origin", $0) }) {
            origin = named
            line = reader.next()
        }
        guard let rate = line.flatMap({ value("qpd", $0) }).flatMap({ Checkpoint.decimal($0) }),
            (1..<1 << 31).contains(rate)
        else { throw reader.fault }
        guard let contact = reader.next().flatMap({ value("contact", $0) }) else { throw reader.fault }
        return Entry(key: key, origin: origin, perDay: UInt32(rate), contact: contact)
    }

    /// What follows the keyword and white space.
    private static func value(_ keyword: String, _ line: String) -> String? {
        let scalars = line.unicodeScalars
        guard scalars.starts(with: keyword.unicodeScalars) else { return nil }
        let rest = scalars.dropFirst(keyword.unicodeScalars.count)
        guard let next = rest.first, LineReader.isSpace(next) else { return nil }
        return String(rest.drop(while: LineReader.isSpace))
    }

    /// The text of the list.
    public var text: String {
        let logs = entries.map { entry in
            let origin = entry.origin == entry.key.name ? "" : "origin \(entry.origin)\n"
            return "\nvkey \(entry.key.vkey)\n\(origin)qpd \(entry.perDay)\ncontact \(entry.contact)\n"
        }
        return Self.header + "\n" + logs.joined()
    }
}

/// The lines that say something: trimmed, not empty, no comments.
private struct LineReader {
    private var lines: ArraySlice<Substring.UnicodeScalarView>
    private var number = 0

    init(_ text: String) {
        // By scalars: CR LF is one Character.
        let all = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { Substring($0).unicodeScalars }
        // What follows the last newline is no line.
        lines = all.last?.isEmpty == true ? all.dropLast() : all[...]
    }

    /// A complaint about the line that was read last.
    var fault: LogList.Fault { LogList.Fault(line: max(1, number)) }

    mutating func next() -> String? {
        while let line = lines.popFirst() {
            number += 1
            let end = line.lastIndex { !Self.isSpace($0) }.map { line.index(after: $0) } ?? line.startIndex
            let trimmed = line[..<end].drop(while: Self.isSpace)
            if let first = trimmed.first, first != "#" { return String(String.UnicodeScalarView(trimmed)) }
        }
        return nil
    }

    static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }
}
