import Petitions

/// Applies the rule of tags once every tag's entries stand together, and counts.
struct TagSettlement {
    /// What is known of one log before its tags are judged.
    struct Log {
        /// Entries whose proofs turned out not to hold: they have no effect.
        let excluded: Set<UInt64>
        /// Entries that the published tally counts.
        let snapshotSize: UInt64
        /// Entries whose tags break the rule.
        var refusals: [(index: UInt64, rule: Rule)] = []
        /// Withdrawals that cannot be judged, since a signature with the same tag cannot.
        var unjudged: UInt64 = 0
        /// Counts the first `snapshotSize` entries of this log alone.
        var snapshot: TallyCounter

        init(excluded: Set<UInt64>, snapshotSize: UInt64, rolls: Int) {
            self.excluded = excluded
            self.snapshotSize = snapshotSize
            snapshot = TallyCounter(rolls: rolls)
        }
    }

    /// By index in the manifest; nil for a log that could not be read, whose entries do not count.
    private(set) var logs: [Log?]
    private var counter: TallyCounter

    /// The tally over all logs.
    var tally: Tally { counter.tally }

    init(logs: [Log?], rolls: Int) {
        self.logs = logs
        counter = TallyCounter(rolls: rolls)
    }

    /// Judges and counts every tag.
    mutating func settle(_ ledger: inout TagLedger) throws(TagStorageError) {
        try ledger.forEachTag { settleTag($0) }
        for place in logs.indices { logs[place]?.refusals.sort { $0.index < $1.index } }
    }

    private mutating func settleTag(_ entries: ArraySlice<TagEntry>) {
        var states: [TagState] = []
        var rest = entries
        while let first = rest.first {
            let sameLog = rest.prefix { $0.log == first.log }
            if let state = logs[first.log]?.settle(sameLog) { states.append(state) }
            rest = rest[sameLog.endIndex...]
        }
        counter.add(states)
    }
}

extension TagSettlement.Log {
    /// The state of one tag in this log, from its entries in the order of the log.
    fileprivate mutating func settle(_ entries: ArraySlice<TagEntry>) -> TagState? {
        var state: TagState?
        var counted: TagState?
        var isUnjudged = false
        for entry in entries where !excluded.contains(entry.index) {
            switch entry.act {
            case .unjudged: isUnjudged = true
            case .verified(.withdraw) where isUnjudged: unjudged += 1
            case .verified(let act):
                do throws(AdmittedRecord.Refusal) {
                    state = try TagState(admitting: act, known: state, at: entry.index)
                } catch {
                    refusals.append((entry.index, error.rule))
                }
            }
            if entry.index < snapshotSize { counted = state }
        }
        if let counted { snapshot.add([counted]) }
        return state
    }
}
