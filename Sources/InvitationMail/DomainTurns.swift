/// Whose request is answered next: domains in turn, each within its rate. A state machine without clock and database.
///
/// Whoever asks for ten thousand mailboxes of one domain takes that domain's share. Whoever invents ten thousand
/// domains takes the share of domains that had no mail in this hour, and what nobody else needs.
struct DomainTurns {
    /// What a part of the mails of an hour is kept for, as long as somebody there waits.
    enum Group: CaseIterable {
        /// Domains that a roll lists.
        case listed
        /// Domains with a rate of their own, where many people have mailboxes.
        case large
        /// Other domains that had a mail in this hour.
        case known
        /// Other domains that had none: most are small, and anybody can invent them.
        case new
    }

    /// The requests of one domain.
    struct Domain {
        /// The numbers of the requests, the oldest first.
        var requests: [Int64]
        /// How many mails it had in this hour.
        var sent: Int
        /// The number of the last one among all mails; 0 for none.
        var last: Int64
        /// How many it may have in an hour; nil for any number.
        let rate: Int?
        /// Whether a roll lists it, and whether it has a rate of its own.
        let isListed: Bool, isLarge: Bool

        var group: Group { isListed ? .listed : isLarge ? .large : sent > 0 ? .known : .new }
        /// How many of its requests may be answered.
        fileprivate var open: Int { min(requests.count, rate.map { max(0, $0 - sent) } ?? .max) }
    }

    private var domains: [Domain]
    private var budget: Int
    private var newest: Int64
    /// How many mails of this hour each group may still have before all others had theirs.
    private var reserved: [Group: Int]

    /// Requests by domain, of which at most `budget` may be answered with a mail now, of `perHour` in this hour.
    /// `others` are how many mails each domain had that waits for none.
    init(_ domains: [Domain], budget: Int, perHour: Int, others: [Int] = []) {
        self.domains = domains
        self.budget = budget
        newest = domains.map(\.last).max() ?? 0
        var used: [Group: Int] = [:]
        for domain in domains {
            switch domain.group {
            case .listed, .large: used[domain.group, default: 0] += domain.sent
            case .known, .new: Self.count(domain.sent, &used)
            }
        }
        for sent in others { Self.count(sent, &used) }
        let share = perHour / Group.allCases.count
        reserved = Dictionary(uniqueKeysWithValues: Group.allCases.map { ($0, max(0, share - used[$0, default: 0])) })
    }

    /// The first mail of a domain was one to a new one.
    private static func count(_ sent: Int, _ used: inout [Group: Int]) {
        used[.new, default: 0] += min(1, sent)
        used[.known, default: 0] += max(0, sent - 1)
    }

    /// The next request, and the place of its domain: of the domain that had no mail for the longest time, and among
    /// those the oldest, as long as what is kept for other groups is left. Nil if none may be answered now.
    mutating func next() -> (request: Int64, domain: Int)? {
        guard budget > 0 else { return nil }
        var open: [Group: Int] = [:]
        for domain in domains { open[domain.group] = min(budget, (open[domain.group] ?? 0) + min(budget, domain.open)) }
        let needed = open.map { ($0.key, min($0.value, reserved[$0.key, default: 0])) }
        var best: (last: Int64, request: Int64, domain: Int)?
        for (index, domain) in domains.enumerated() {
            guard let first = domain.requests.first, domain.open > 0 else { continue }
            let kept = needed.filter { $0.0 != domain.group }.map(\.1).reduce(0, +)
            guard budget > kept || reserved[domain.group, default: 0] > 0 else { continue }
            if best.map({ (domain.last, first) < ($0.last, $0.request) }) ?? true { best = (domain.last, first, index) }
        }
        guard let best else { return nil }
        domains[best.domain].requests.removeFirst()
        return (best.request, best.domain)
    }

    /// Takes note that a mail was written for a request of this domain.
    mutating func wrote(domain: Int) {
        budget -= 1
        newest += 1
        let group = domains[domain].group
        reserved[group] = max(0, reserved[group, default: 0] - 1)
        domains[domain].sent += 1
        domains[domain].last = newest
    }
}
