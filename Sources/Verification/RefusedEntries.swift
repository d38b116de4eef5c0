import Petitions

/// The entries of one log that break a rule: the first ones one by one, and how many there are of each rule. A hostile
/// log has as many as it likes, and they cost it next to nothing.
package struct RefusedEntries: Sendable {
    /// Entries that are named at most.
    package static let namedLimit = 1000

    /// Those with the lowest indices, and a few more until they are cut, in no particular order.
    private var kept: [(index: UInt64, rule: Rule)] = []
    /// All of them.
    private var counts: [Rule: UInt64] = [:]

    package init() {}

    /// Adds an entry, in any order.
    package mutating func append(_ index: UInt64, _ rule: Rule) {
        counts[rule, default: 0] += 1
        keep(index, rule)
    }

    /// Adds those of another part of the log, or of another check.
    package mutating func merge(_ other: RefusedEntries) {
        counts.merge(other.counts, uniquingKeysWith: +)
        for (index, rule) in other.kept { keep(index, rule) }
    }

    private mutating func keep(_ index: UInt64, _ rule: Rule) {
        kept.append((index, rule))
        if kept.count == 2 * Self.namedLimit { kept = named }
    }

    /// The entries with the lowest indices, in the order of the log.
    package var named: [(index: UInt64, rule: Rule)] {
        Array(kept.sorted { $0.index < $1.index }.prefix(Self.namedLimit))
    }

    /// How many there are besides, of each rule, in the order of the rules' names.
    package var omitted: [(rule: Rule, count: UInt64)] {
        var rest = counts
        for (_, rule) in named { rest[rule, default: 0] -= 1 }
        return rest.filter { $0.value > 0 }.map { ($0.key, $0.value) }.sorted { $0.rule.rawValue < $1.rule.rawValue }
    }
}
