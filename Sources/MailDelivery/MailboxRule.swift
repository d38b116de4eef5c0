extension MailAddress {
    /// The mailbox that an address leads to, by rule 1: one person's spellings of one address are one mailbox.
    ///
    /// The name is taken in lower case and ends before the first `+` (RFC 5233, as most providers have it), unless
    /// nothing is left. At `gmail.com` and `googlemail.com`, which are one domain, dots in the name mean nothing. The
    /// rule never asks a server, so two mailboxes of a provider with other customs may count as one.
    ///
    /// Hashes of mailboxes are stored: whoever changes the rule gives it another number.
    public var mailbox: String {
        let lower = localPart.lowercased()
        var name = lower.prefix { $0 != "+" }
        if name.isEmpty { name = lower[...] }
        guard Self.undotted.contains(domain) else { return "\(name)@\(domain)" }
        let undotted = name.filter { $0 != "." }
        return "\(undotted)@gmail.com"
    }

    /// The number of the rule of ``mailbox``.
    public static let mailboxRule: UInt8 = 1

    private static let undotted: Set<String> = ["gmail.com", "googlemail.com"]
}
