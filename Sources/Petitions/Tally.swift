import Documents

/// What is counted together: the rolls of a petition with one label, as far as their people were admitted in one way.
public struct TallyGroup: Hashable, Sendable {
    /// The label, or the name of a roll without one, as shown to people.
    public let label: String
    /// How the people were admitted.
    public let admission: RollAdmission.Kind

    /// A group.
    public init(label: String, admission: RollAdmission.Kind) {
        self.label = label
        self.admission = admission
    }

    /// The group of a roll that a petition refers to.
    public init(_ reference: PetitionManifest.RollReference, _ roll: RollDescriptor) {
        self.init(label: reference.label ?? roll.name, admission: roll.admission.kind)
    }

    /// True if both are of one group: labels are compared by their bytes.
    public static func == (one: Self, other: Self) -> Bool {
        one.admission == other.admission && one.label.utf8.elementsEqual(other.label.utf8)
    }
}

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

    /// Counts of groups, given that of each roll: equal ones are added up, in the order in which they first appear.
    public func perGroup(_ groups: [TallyGroup]) -> [(group: TallyGroup, count: Count)] {
        var result: [(group: TallyGroup, count: Count)] = []
        for (group, count) in zip(groups, perRoll) {
            if let index = result.firstIndex(where: { $0.group == group }) {
                result[index].count.add(count)
            } else {
                result.append((group, count))
            }
        }
        return result
    }

    /// What a total is made of, by how the people were admitted, in the order in which that first appears. Empty if all
    /// were admitted in a way that needs no caution.
    public static func perAdmission(
        _ counts: [(group: TallyGroup, count: Count)]
    ) -> [(admission: RollAdmission.Kind, count: Count)] {
        var result: [(admission: RollAdmission.Kind, count: Count)] = []
        for (group, count) in counts {
            if let index = result.firstIndex(where: { $0.admission == group.admission }) {
                result[index].count.add(count)
            } else {
                result.append((group.admission, count))
            }
        }
        return result.contains { $0.admission.caution != nil } ? result : []
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
