import TransparencyLog

/// Why a text is not a witness policy: a line, counted from 1, and what is wrong with it.
public struct WitnessPolicyError: Error, Equatable, Sendable {
    /// What is wrong.
    public enum Fault: Error, Equatable, Sendable {
        /// The policy is longer than ``WitnessPolicy/maximumBytes``.
        case tooLong
        /// A byte that policies may not contain, such as a carriage return.
        case byte(UInt8)
        /// A line that begins with none of `log`, `witness`, `group` and `quorum`.
        case unknownKeyword
        /// A line with more or fewer items than its kind has.
        case itemCount
        /// A vkey that is malformed, or of a type that such a line does not take.
        case badKey
        /// A public key that an earlier line of this kind has, under whatever name.
        case repeatedKey
        /// A name that is taken, or `none`.
        case nameTaken
        /// A name that no earlier line defines.
        case undefinedName
        /// A name that is already a member of a group.
        case memberTwice
        /// A threshold that is not a number from 1 to the number of members.
        case badThreshold
        /// A second `quorum` line.
        case secondQuorum
        /// No `quorum` line.
        case noQuorum
        /// More than ``WitnessPolicy/maximumCount`` lines of this kind.
        case tooMany

        /// What is wrong with the line, after its number.
        public var explanation: String {
            switch self {
            case .tooLong: "is where the policy has more than \(WitnessPolicy.maximumBytes) bytes"
            case .byte(let byte): "has the byte \(byte), which policies may not contain"
            case .unknownKeyword: "begins with none of log, witness, group and quorum"
            case .itemCount: "has more or fewer items than such a line has"
            case .badKey: "has no vkey of the right type: a log signs with type 1, a witness with type 4 or 6"
            case .repeatedKey: "has a public key that an earlier line has"
            case .nameTaken: "gives a name that is taken"
            case .undefinedName: "names something that no earlier line defines"
            case .memberTwice: "names something that is in a group already"
            case .badThreshold: "has a threshold that is none of all, any and 1 to the number of members"
            case .secondQuorum: "is a second quorum"
            case .noQuorum: "is the last, and no line says what the quorum is"
            case .tooMany: "is one line too many: there may be \(WitnessPolicy.maximumCount) of each kind"
            }
        }
    }

    /// The line; the last one where something is missing.
    public let line: Int
    /// What is wrong with it.
    public let fault: Fault

    /// An error in a line.
    public init(line: Int, fault: Fault) {
        self.line = line
        self.fault = fault
    }
}

/// Reads the lines of a policy, which is a text of bytes: those above 0x7F have no meaning (C2SP tlog-policy,
/// "Character set").
struct PolicyParser {
    private(set) var logs: [WitnessPolicy.Log] = []
    private(set) var witnesses: [WitnessPolicy.Witness] = []
    private(set) var groups: [WitnessPolicy.Group] = []
    private(set) var quorum: WitnessPolicy.Member?
    private var hasQuorum = false
    private var names: [[UInt8]: WitnessPolicy.Member] = [:]
    private var grouped: Set<WitnessPolicy.Member> = []

    private typealias Fault = WitnessPolicyError.Fault
    private static let none = Array("none".utf8)

    static func parse(_ text: [UInt8]) throws(WitnessPolicyError) -> PolicyParser {
        guard text.count <= WitnessPolicy.maximumBytes else { throw WitnessPolicyError(line: 1, fault: .tooLong) }
        var parser = PolicyParser()
        var number = 0
        // What follows the last newline is no line.
        let lines = text.last == 0x0A ? text.dropLast() : text[...]
        for line in lines.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            do throws(Fault) { try parser.read(line) } catch { throw WitnessPolicyError(line: number, fault: error) }
        }
        guard parser.hasQuorum else { throw WitnessPolicyError(line: number, fault: .noQuorum) }
        return parser
    }

    private mutating func read(_ line: ArraySlice<UInt8>) throws(Fault) {
        if let byte = line.first(where: { $0 != 0x09 && !(0x20...0x7E).contains($0) && $0 < 0x80 }) {
            throw .byte(byte)
        }
        let items = line.split { $0 == 0x20 || $0 == 0x09 }.map(Array.init)
        guard let keyword = items.first, keyword.first != UInt8(ascii: "#") else { return }
        switch String(decoding: keyword, as: UTF8.self) {
        case "log": try readLog(items)
        case "witness": try readWitness(items)
        case "group": try readGroup(items)
        case "quorum": try readQuorum(items)
        default: throw .unknownKeyword
        }
    }

    private mutating func readLog(_ items: [[UInt8]]) throws(Fault) {
        guard (2...3).contains(items.count) else { throw .itemCount }
        guard let key = Self.text(items[1]).flatMap({ VerifierKey(parsing: $0) }) else { throw .badKey }
        guard !logs.contains(where: { $0.key.publicKey == key.publicKey }) else { throw .repeatedKey }
        guard logs.count < WitnessPolicy.maximumCount else { throw .tooMany }
        logs.append(WitnessPolicy.Log(key: key, url: Self.url(items, at: 2)))
    }

    private mutating func readWitness(_ items: [[UInt8]]) throws(Fault) {
        guard (3...4).contains(items.count) else { throw .itemCount }
        guard let key = Self.text(items[2]).flatMap({ WitnessKey(parsing: $0) }) else { throw .badKey }
        guard !witnesses.contains(where: { $0.key.publicKey == key.publicKey }) else { throw .repeatedKey }
        guard witnesses.count < WitnessPolicy.maximumCount else { throw .tooMany }
        try define(items[1], as: .witness(witnesses.count))
        witnesses.append(WitnessPolicy.Witness(name: items[1], key: key, url: Self.url(items, at: 3)))
    }

    private mutating func readGroup(_ items: [[UInt8]]) throws(Fault) {
        guard items.count >= 4 else { throw .itemCount }
        var members: [WitnessPolicy.Member] = []
        for name in items[3...] {
            guard let member = names[name] else { throw .undefinedName }
            guard grouped.insert(member).inserted else { throw .memberTwice }
            members.append(member)
        }
        guard let threshold = Self.threshold(items[2], of: members.count) else { throw .badThreshold }
        guard groups.count < WitnessPolicy.maximumCount else { throw .tooMany }
        try define(items[1], as: .group(groups.count))
        groups.append(WitnessPolicy.Group(threshold: threshold, members: members))
    }

    private mutating func readQuorum(_ items: [[UInt8]]) throws(Fault) {
        guard items.count == 2 else { throw .itemCount }
        guard !hasQuorum else { throw .secondQuorum }
        hasQuorum = true
        if items[1] == Self.none { return }
        guard let member = names[items[1]] else { throw .undefinedName }
        quorum = member
    }

    private mutating func define(_ name: [UInt8], as member: WitnessPolicy.Member) throws(Fault) {
        guard name != Self.none, names.updateValue(member, forKey: name) == nil else { throw .nameTaken }
    }

    private static func threshold(_ item: [UInt8], of count: Int) -> Int? {
        switch String(decoding: item, as: UTF8.self) {
        case "all": count
        case "any": 1
        case let text:
            Checkpoint.decimal(text).flatMap { Int(exactly: $0) }.flatMap { (1...count).contains($0) ? $0 : nil }
        }
    }

    private static func text(_ item: [UInt8]) -> String? { String(validating: item, as: UTF8.self) }

    private static func url(_ items: [[UInt8]], at index: Int) -> String? {
        index < items.count ? String(decoding: items[index], as: UTF8.self) : nil
    }
}
