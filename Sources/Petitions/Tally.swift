import Documents

/// How many signed, over one log or several: each tag counts once, and a withdrawal in any log counts.
public struct Tally: Equatable, Sendable {
    /// Counts of one group.
    public struct Count: Equatable, Sendable {
        /// Tags signed and not withdrawn.
        public var signatures: UInt64 = 0
        /// Tags signed and withdrawn.
        public var withdrawn: UInt64 = 0

        /// No tag.
        public init() {}

        /// Counts as stored.
        public init(signatures: UInt64, withdrawn: UInt64) {
            self.signatures = signatures
            self.withdrawn = withdrawn
        }

        mutating func add(_ other: Count) {
            signatures += other.signatures
            withdrawn += other.withdrawn
        }
    }

    /// Counts for each roll of the petition, in its order.
    public let perRoll: [Count]

    /// A tally as counted.
    public init(perRoll: [Count]) {
        self.perRoll = perRoll
    }

    /// The sum over all rolls.
    public var total: Count {
        perRoll.reduce(into: Count()) { $0.add($1) }
    }

    /// Counts under display labels: equal labels are added up, in the order in which they first appear.
    public func perLabel(_ labels: [String]) -> [(label: String, count: Count)] {
        var result: [(label: String, count: Count)] = []
        for (label, count) in zip(labels, perRoll) {
            if let index = result.firstIndex(where: { $0.label.utf8.elementsEqual(label.utf8) }) {
                result[index].count.add(count)
            } else {
                result.append((label, count))
            }
        }
        return result
    }

    /// The goal to show: the first of goal times 1, 5, 10, 50, 100 and so on that is not reached yet.
    public static func nextGoal(first goal: UInt64, signatures: UInt64) -> UInt64 {
        var next = goal
        var factor: UInt64 = 5
        while next > 0, next <= signatures {
            let (product, overflow) = next.multipliedReportingOverflow(by: factor)
            guard !overflow, product <= JSONValue.maximumInteger else { return JSONValue.maximumInteger }
            next = product
            factor = 7 - factor
        }
        return next
    }
}

/// Counts tags, each of them once, given its state in every log.
public struct TallyCounter: Sendable {
    private var counts: [Tally.Count]

    /// A counter for a petition with this many rolls.
    public init(rolls: Int) {
        counts = [Tally.Count](repeating: Tally.Count(), count: rolls)
    }

    /// Counts one tag, given its state in each log that has it. A tag found under several rolls counts for the lowest;
    /// a tag withdrawn in any log is withdrawn.
    public mutating func add(_ states: [TagState]) {
        let rolls = states.map { $0.roll }
        guard let roll = rolls.min() else { return }
        if states.contains(where: { $0.withdrawnAt != nil }) {
            counts[Int(roll)].withdrawn += 1
        } else {
            counts[Int(roll)].signatures += 1
        }
    }

    /// The tally of everything counted so far.
    public var tally: Tally { Tally(perRoll: counts) }
}
