/// Whose request is answered next: domains in turn, each within its rate. A state machine without clock and database.
///
/// Whoever asks for ten thousand mailboxes of one domain takes that domain's share, and nothing of the others'.
struct DomainTurns {
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
    }

    private var domains: [Domain]
    private var budget: Int
    private var newest: Int64

    /// Requests by domain, of which at most `budget` may be answered with a mail now.
    init(_ domains: [Domain], budget: Int) {
        self.domains = domains
        self.budget = budget
        newest = domains.map(\.last).max() ?? 0
    }

    /// The next request, and the place of its domain: of the domain that had no mail for the longest time, and among
    /// those the oldest. Nil if none may be answered now.
    mutating func next() -> (request: Int64, domain: Int)? {
        guard budget > 0 else { return nil }
        var best: (last: Int64, request: Int64, domain: Int)?
        for (index, domain) in domains.enumerated() {
            guard let first = domain.requests.first, domain.rate.map({ domain.sent < $0 }) ?? true else { continue }
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
        domains[domain].sent += 1
        domains[domain].last = newest
    }
}
