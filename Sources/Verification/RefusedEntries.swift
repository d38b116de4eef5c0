import Petitions

/// The entries of one log that break a rule: the first ones one by one, and the number for each rule. A hostile log can
/// have any number of them at almost no cost.
package struct RefusedEntries: Sendable {
    /// How many entries are named at most.
    package static let namedLimit = 1000

    /// Those with the lowest indices, and some more until the list is cut, in no particular order.
    private var kept: [(index: UInt64, rule: Rule)] = []
    /// How many entries break each rule.
    private var counts: [Rule: UInt64] = [:]

    package init() {}

    /// Adds an entry, in any order.
    package mutating func append(_ index: UInt64, _ rule: Rule) {
        counts[rule, default: 0] += 1
        keep(index, rule)
    }

    /// Adds the entries found in another part of the log, or by another check.
    package mutating func merge(_ other: RefusedEntries) {
        counts.merge(other.counts, uniquingKeysWith: +)
        for (index, rule) in other.kept { keep(index, rule) }
    }

    private mutating func keep(_ index: UInt64, _ rule: Rule) {
        kept.append((index, rule))
        if kept.count == 2 * Self.namedLimit { kept = named }
    }

    /// How many entries break a rule.
    package var count: UInt64 { counts.values.reduce(0, +) }

    /// The entries with the lowest indices, in the order of the log.
    package var named: [(index: UInt64, rule: Rule)] {
        Array(kept.sorted { $0.index < $1.index }.prefix(Self.namedLimit))
    }

    /// How many more entries break each rule, in the order of the rules' names.
    package var omitted: [(rule: Rule, count: UInt64)] {
        var rest = counts
        for (_, rule) in named { rest[rule, default: 0] -= 1 }
        return rest.filter { $0.value > 0 }.map { ($0.key, $0.value) }.sorted { $0.rule.rawValue < $1.rule.rawValue }
    }
}
