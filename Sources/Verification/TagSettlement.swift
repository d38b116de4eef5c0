import Petitions
import TagStorage

/// A ring of a petition.
package struct RingPlace: Hashable, Comparable, Sendable {
    /// The roll's index in the manifest.
    package let roll: UInt8
    /// The ring's number in that roll.
    package let ring: UInt32

    package init(roll: UInt8, ring: UInt32) {
        self.roll = roll
        self.ring = ring
    }

    package static func < (left: RingPlace, right: RingPlace) -> Bool {
        (left.roll, left.ring) < (right.roll, right.ring)
    }
}

/// Applies the admission rule for tags once the entries of every tag are grouped, and counts.
package struct TagSettlement {
    /// What is known of one log before its tags are judged.
    package struct Log {
        /// Entries whose proofs do not hold: they have no effect.
        let excluded: Set<UInt64>
        /// Entries that the published tally counts.
        let snapshotSize: UInt64
        /// Entries whose tags break the rule.
        package var refused = RefusedEntries()
        /// How many entries cannot be judged: their roll, or that of a signature with the same tag, could not be read.
        package var unjudged: UInt64 = 0
        /// Counts the first `snapshotSize` entries of this log alone.
        package var snapshot: TallyCounter
        /// Counts at each size of the published history.
        package var growth: GrowthCounter

        /// A log of which nothing was counted yet. `historySizes` are in ascending order.
        package init(excluded: Set<UInt64>, snapshotSize: UInt64, historySizes: [UInt64] = [], rolls: Int) {
            self.excluded = excluded
            self.snapshotSize = snapshotSize
            snapshot = TallyCounter(rolls: rolls)
            growth = GrowthCounter(sizes: historySizes)
        }
    }

    /// By index in the manifest; nil for a log that could not be read, whose entries do not count.
    package private(set) var logs: [Log?]
    /// How many tags signed from each ring, including withdrawn ones, over all logs. A member has one tag: where proofs
    /// hold, a ring never has more tags than members.
    package private(set) var ringTags: [RingPlace: UInt64] = [:]
    private var counter: TallyCounter

    /// The tally over all logs.
    package var tally: Tally { counter.tally }

    package init(logs: [Log?], rolls: Int) {
        self.logs = logs
        counter = TallyCounter(rolls: rolls)
    }

    /// Judges and counts every tag.
    package mutating func settle(_ ledger: inout TagLedger) throws(TagStorageError) {
        try ledger.forEachTag { settleTag($0) }
    }

    private mutating func settleTag(_ entries: ArraySlice<TagEntry>) {
        var states: [TagState] = []
        // Only one, unless somebody signs from another ring in another log.
        var rings: [RingPlace] = []
        var rest = entries
        while let first = rest.first {
            let sameLog = rest.prefix { $0.log == first.log }
            if let state = logs[first.log]?.settle(sameLog) {
                states.append(state)
                if let ring = Self.ring(of: state, in: sameLog), !rings.contains(ring) { rings.append(ring) }
            }
            rest = rest[sameLog.endIndex...]
        }
        counter.add(states)
        for ring in rings { ringTags[ring, default: 0] += 1 }
    }

    private static func ring(of state: TagState, in entries: ArraySlice<TagEntry>) -> RingPlace? {
        entries.first { $0.index == state.signedAt }?.ring.map { RingPlace(roll: state.roll, ring: $0) }
    }

    /// Rings from which more tags signed than they have members. `members` is nil for a ring that is not known.
    package func exceeded(
        members: (RingPlace) -> Int?
    ) -> [(position: RingPlace, members: Int, tags: UInt64)] {
        ringTags.sorted { $0.key < $1.key }.compactMap { position, tags in
            guard let count = members(position), tags > UInt64(count) else { return nil }
            return (position, count, tags)
        }
    }
}

extension TagSettlement.Log {
    /// The state of one tag in this log, from its entries in the order of the log.
    fileprivate mutating func settle(_ entries: ArraySlice<TagEntry>) -> TagState? {
        var known = PossibleStates()
        var counted: TagState?
        for entry in entries where !excluded.contains(entry.index) {
            switch known.apply(entry) {
            case .admitted: break
            case .refused(let rule): refused.append(entry.index, rule)
            case .open: unjudged += 1
            }
            if entry.index < snapshotSize { counted = known.state }
        }
        if let counted { snapshot.add([counted]) }
        if let state = known.state { growth.add(state) }
        return known.state
    }
}

/// Counts the signatures of one log at several of its sizes.
package struct GrowthCounter {
    private let sizes: [UInt64]
    /// The increase at each size over the size before it.
    private var changes: [Int64]

    /// A counter at `sizes`, which are in ascending order.
    package init(sizes: [UInt64]) {
        self.sizes = sizes
        changes = [Int64](repeating: 0, count: sizes.count)
    }

    /// Counts a tag from the index at which it signed until it is withdrawn.
    package mutating func add(_ state: TagState) {
        change(from: state.signedAt, by: 1)
        if let withdrawnAt = state.withdrawnAt { change(from: withdrawnAt, by: -1) }
    }

    private mutating func change(from index: UInt64, by difference: Int64) {
        var range = sizes.startIndex..<sizes.endIndex
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = sizes[middle] > index ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        if range.lowerBound < changes.endIndex { changes[range.lowerBound] += difference }
    }

    /// Signatures at each size.
    package var counts: [UInt64] {
        var count: Int64 = 0
        return changes.map { change in
            count += change
            return UInt64(max(0, count))
        }
    }
}

/// Every state that a tag may be in: more than one when a signature could not be judged because its roll could not be
/// read.
private struct PossibleStates {
    enum Verdict {
        case admitted
        case refused(Rule)
        /// The verdict depends on what could not be judged.
        case open
    }

    private var states: [TagState?] = [nil]

    /// The state. When several are possible, nothing about them is published.
    var state: TagState? { states[0] }

    mutating func apply(_ entry: TagEntry) -> Verdict {
        let (act, mayBeInvalid): (RecordAct, Bool) =
            switch entry.act {
            case .verified(let act): (act, false)
            // Which roll it names does not matter: it is not counted.
            case .unjudged: (.sign(roll: 0), true)
            }
        var next: [TagState?] = mayBeInvalid ? states : []
        var refusal: Rule?
        var isAdmitted = false
        for state in states {
            do throws(AdmittedRecord.Refusal) {
                next.append(try TagState(admitting: act, known: state, at: entry.index))
                isAdmitted = true
            } catch {
                next.append(state)
                refusal = refusal ?? error.rule
            }
        }
        // Only signed or not, and withdrawn or not, make a difference: there are three states at most.
        states = next.reduce(into: []) { kept, state in
            if !kept.contains(where: { Self.areAlike($0, state) }) { kept.append(state) }
        }
        if let refusal, !isAdmitted { return .refused(refusal) }
        return refusal != nil || mayBeInvalid ? .open : .admitted
    }

    private static func areAlike(_ one: TagState?, _ other: TagState?) -> Bool {
        (one == nil) == (other == nil) && (one?.withdrawnAt == nil) == (other?.withdrawnAt == nil)
    }
}
