import TransparencyLog

/// Which witnesses there are, and which of them must have cosigned (C2SP tlog-policy).
public struct WitnessPolicy: Hashable, Sendable {
    /// The most logs, witnesses or groups that a policy may have, each.
    public static let maximumCount = 32
    /// The largest size of a policy in bytes: that of 32 witnesses with the longest keys, and names.
    public static let maximumBytes = 128 * 1024

    /// A log that the policy accepts.
    public struct Log: Hashable, Sendable {
        /// Its key, whose name is the origin.
        public let key: VerifierKey
        /// Where it is, as written.
        public let url: String?
    }

    /// A witness.
    public struct Witness: Hashable, Sendable {
        /// What groups call it: any bytes but white space.
        public let name: [UInt8]
        /// Its key.
        public let key: WitnessKey
        /// Its submission prefix, as written.
        public let url: String?
    }

    /// A member of a group, or the quorum: by its place in ``witnesses`` or among the groups.
    enum Member: Hashable, Sendable {
        case witness(Int)
        case group(Int)
    }

    /// Members of which at least `threshold` must have cosigned. They are defined on earlier lines.
    struct Group: Hashable, Sendable {
        let threshold: Int
        let members: [Member]
    }

    /// The text.
    public let text: [UInt8]
    /// The logs.
    public let logs: [Log]
    /// The witnesses.
    public let witnesses: [Witness]
    let groups: [Group]
    /// Nil for `none`.
    let quorum: Member?

    /// Reads a policy.
    public init(parsing text: [UInt8]) throws(WitnessPolicyError) {
        let parsed = try PolicyParser.parse(text)
        self.text = text
        (logs, witnesses, groups, quorum) = (parsed.logs, parsed.witnesses, parsed.groups, parsed.quorum)
    }

    /// A policy that asks all witnesses of these policies, and needs none of them.
    public init(unionOf policies: [WitnessPolicy]) {
        var witnesses: [Witness] = []
        for witness in policies.flatMap({ $0.witnesses }) where !witnesses.contains(where: { $0.key == witness.key }) {
            witnesses.append(witness)
        }
        (text, logs, self.witnesses, groups, quorum) = ([], [], witnesses, [], nil)
    }

    /// The keys of all witnesses.
    public var keys: [WitnessKey] { witnesses.map { $0.key } }

    /// The value of the quorum, computed from a value for each witness. `combine` gets a group's threshold and the
    /// values of its members. Nil if the quorum is `none`.
    func evaluate<Value>(_ value: (Witness) -> Value, _ combine: (Int, [Value]) -> Value) -> Value? {
        let leaves = witnesses.map(value)
        var results: [Value] = []
        func result(_ member: Member) -> Value {
            switch member {
            case .witness(let index): leaves[index]
            case .group(let index): results[index]
            }
        }
        // A group's members come before it, so that no recursion is needed.
        for group in groups { results.append(combine(group.threshold, group.members.map(result))) }
        return quorum.map(result)
    }

    /// True if the witnesses for which `hasCosigned` holds are a quorum.
    public func isMet(by hasCosigned: (WitnessKey) -> Bool) -> Bool {
        evaluate({ hasCosigned($0.key) }, { threshold, members in members.count { $0 } >= threshold }) ?? true
    }

    /// True if a quorum exists among the witnesses whose cosignatures can be checked here.
    public var canBeChecked: Bool { isMet { $0.ed25519 != nil } }

    /// The first of `values` up to which, in their order, the witnesses are a quorum: the time at which a quorum had
    /// cosigned, or, from the largest down, the size that a quorum has reached. Nil if all of them are none.
    public func firstQuorum<Value: Comparable>(
        _ values: [WitnessKey: Value], by areInOrder: (Value, Value) -> Bool
    ) -> Value? {
        values.values.sorted(by: areInOrder).first { limit in
            isMet { key in values[key].map { !areInOrder(limit, $0) } ?? false }
        }
    }

    /// The time, in seconds since 1970, at which a quorum had cosigned, by these lines; nil if they are no quorum.
    public func quorumTime(_ cosignatures: [Cosignature]) -> UInt64? {
        var times: [WitnessKey: UInt64] = [:]
        for line in cosignatures { times[line.key] = min(line.time, times[line.key] ?? .max) }
        return firstQuorum(times, by: <)
    }

    /// The latest time, in seconds since 1970, at or after which a quorum cosigned, by these lines; nil if they are no
    /// quorum.
    public func newestQuorumTime(_ cosignatures: [Cosignature]) -> UInt64? {
        var times: [WitnessKey: UInt64] = [:]
        for line in cosignatures { times[line.key] = max(line.time, times[line.key] ?? 0) }
        return firstQuorum(times, by: >)
    }
}

/// How many witnesses must fail together before a policy fails. Smaller numbers are worse.
public struct WitnessPolicyStrength: Equatable, Sendable {
    /// So many colluding witnesses make split views: two quorums have at least so many in common.
    public let shared: Int
    /// So many colluding witnesses make late records timely: the size of the smallest quorum.
    public let smallestQuorum: Int
    /// So many witnesses stop everything by being away. Nil if nothing can, because no cosignature is needed.
    public let blocking: Int?
}

extension WitnessPolicy {
    /// How much the policy withstands.
    public var strength: WitnessPolicyStrength {
        WitnessPolicyStrength(
            shared: sum { threshold, members in 2 * threshold - members } ?? 0,
            smallestQuorum: sum { threshold, _ in threshold } ?? 0,
            blocking: sum { threshold, members in members - threshold + 1 })
    }

    /// A witness counts 1, and a group the sum of its smallest members: as many as `count` says.
    private func sum(ofSmallest count: (_ threshold: Int, _ members: Int) -> Int) -> Int? {
        evaluate({ _ in 1 }) { threshold, members in
            members.sorted().prefix(max(0, count(threshold, members.count))).reduce(0, +)
        }
    }
}
