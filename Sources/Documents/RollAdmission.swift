/// A mail domain in its ASCII form, such as `union.example` or `xn--bcher-kva.example`: two or more labels of
/// lower-case letters, digits and inner hyphens, at most 63 bytes each and 253 in all, the last one not of digits only
/// (RFC 5890).
public struct MailDomain: Hashable, Sendable, CustomStringConvertible {
    /// The domain.
    public let text: String

    /// Reads a domain; nil for anything else, also for one that is not in lower case or not in ASCII.
    public init?(_ text: some StringProtocol) {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1, text.utf8.count <= 253, labels.allSatisfy({ Self.isLabel($0.utf8) }),
            labels.last?.utf8.allSatisfy({ Self.digits.contains($0) }) == false
        else { return nil }
        self.text = String(text)
    }

    /// The domain as is.
    public var description: String { text }

    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    private static let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    private static let hyphen = UInt8(ascii: "-")

    private static func isLabel(_ label: some Collection<UInt8>) -> Bool {
        (1...63).contains(label.count)
            && label.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == hyphen }
            && label.first != hyphen && !label.reversed().starts(with: [hyphen])
    }
}

/// How people are admitted to a roll, by the word of its coordinator. It is part of the roll's descriptor.
public enum RollAdmission: Hashable, Sendable {
    /// The coordinator has a list of the eligible people, and invites each of them.
    case list
    /// Whoever reads the mail of a mailbox gets one invitation for it; with `domains`, only for mailboxes of these. A
    /// subdomain is another domain.
    case email(domains: [MailDomain])

    /// The kinds of admission, as `by` names them. What is counted together has one kind.
    public enum Kind: String, CaseIterable, Sendable {
        /// By the coordinator's list.
        case list
        /// By a mailbox.
        case email
    }

    /// The most domains that a descriptor may list.
    public static let mostDomains = 64

    /// Which kind it is.
    public var kind: Kind {
        switch self {
        case .list: .list
        case .email: .email
        }
    }

    /// True for a roll whose log has a code only when it is used: an invitation that somebody asks for is not logged.
    public var isOpen: Bool { kind == .email }

    /// Reads the object `admission` of a descriptor, with nothing else in it.
    init(_ fields: inout JSONFields) throws(DocumentError) {
        let way = try fields.string("by", limit: DocumentLimits.line)
        switch Kind(rawValue: way) {
        case .list: self = .list
        case .email: self = .email(domains: try Self.domains(&fields))
        case nil: throw .invalid(field: "admission", reason: "is by a way that this version does not know: \(way)")
        }
        try fields.finish()
    }

    private static func domains(_ fields: inout JSONFields) throws(DocumentError) -> [MailDomain] {
        let texts = try fields.optionalStrings("domains", count: 1...mostDomains, limit: DocumentLimits.line)
        var domains: [MailDomain] = []
        for text in texts ?? [] {
            guard let domain = MailDomain(text) else {
                throw .invalid(field: "domains", reason: "has what is no mail domain in lower-case ASCII: \(text)")
            }
            guard !domains.contains(domain) else {
                throw .invalid(field: "domains", reason: "has \(text) twice")
            }
            domains.append(domain)
        }
        return domains
    }

    /// The object `admission` of a descriptor.
    public var json: JSONValue {
        var fields: [(name: String, value: JSONValue)] = [("by", .string(kind.rawValue))]
        if case .email(let domains) = self, !domains.isEmpty {
            fields.append(("domains", .array(domains.map { .string($0.text) })))
        }
        return .object(fields)
    }

    /// In words, as the end of a sentence about a roll: "by a list that its coordinator keeps".
    public var words: String {
        switch self {
        case .list: "by its coordinator's list"
        case .email(let domains) where domains.isEmpty: "by e-mail: one place for each mailbox, whosever it is"
        case .email(let domains):
            "by e-mail: one place for each mailbox at " + domains.map { $0.text }.joined(separator: ", ")
        }
    }
}

extension RollAdmission.Kind {
    /// Its name in a tally, in English.
    public var name: String {
        switch self {
        case .list: "members"
        case .email: "by e-mail"
        }
    }

    /// What a count is worth whose people were admitted in this way.
    public var caution: String? {
        switch self {
        case .list: nil
        case .email: "one person may have several mailboxes"
        }
    }
}
