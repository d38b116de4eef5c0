extension MailAddress {
    /// The mailbox that an address leads to, by rule 1: one person's spellings of one address are one mailbox.
    ///
    /// The name is taken in lower case and ends before the first `+` (RFC 5233, as most providers have it), unless
    /// nothing is left. The domains of one provider with one set of names are one: `gmail.com` and `googlemail.com`,
    /// where dots in the name mean nothing; `proton.me`, `protonmail.com` and `pm.me`; `icloud.com`, `me.com` and
    /// `mac.com`. The rule never asks a server, so two mailboxes of a provider with other customs may count as one.
    ///
    /// Hashes of mailboxes are stored: whoever changes the rule gives it another number.
    ///
    /// Names that only the provider knows to be one, such as aliases that its user made, are several mailboxes here.
    public var mailbox: String { named(Self.aliases[domain] ?? domain) }

    /// The mailbox by what the address says alone: not every user of a provider has a name in each of its domains, so
    /// what somebody asks for under one of them must not be counted under another.
    public var ownName: String { named(domain == "googlemail.com" ? "gmail.com" : domain) }

    private func named(_ known: String) -> String {
        let lower = localPart.lowercased()
        var name = lower.prefix { $0 != "+" }
        if name.isEmpty { name = lower[...] }
        return known == "gmail.com" ? "\(name.filter { $0 != "." })@\(known)" : "\(name)@\(known)"
    }

    /// The address that mail to this mailbox goes to: without what follows the `+`, which somebody else may have typed.
    public var withoutDetail: MailAddress {
        let name = localPart.prefix { $0 != "+" }
        return name.isEmpty ? self : MailAddress(localPart: String(name), domain: domain)
    }

    /// The number of the rule of ``mailbox``.
    public static let mailboxRule: UInt8 = 1

    /// Domains with which one mailbox has several names.
    private static let aliases = [
        "googlemail.com": "gmail.com", "protonmail.com": "proton.me", "pm.me": "proton.me", "me.com": "icloud.com",
        "mac.com": "icloud.com",
    ]
}
