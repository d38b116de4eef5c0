import Bytes
import Documents
import RingSignatures
import Ristretto255
import TransparencyLog

/// The first entry of a log that breaks a rule. Nothing that follows it is judged.
public struct LogFault: Error, Equatable, Sendable {
    /// The entry's index.
    public let index: UInt64
    /// The rule that it breaks.
    public let rule: Rule

    /// A fault at an entry.
    public init(index: UInt64, rule: Rule) {
        self.index = index
        self.rule = rule
    }
}

/// How far enrolment had come when a ring was sealed.
public struct EnrolmentAtSeal: Equatable, Sendable {
    /// How many codes were invited and not voided.
    public let enrollable: UInt64
    /// The round.
    public let round: UInt32
    /// The index of the entry that opened joining in it.
    public let openedAt: UInt64
    /// True if as many had joined as were issued a token, counting every ring that was sealed with this one.
    public let hasEverybody: Bool
}

/// Reads an enrolment log entry by entry, and judges the seals of the roll against it.
public struct EnrolmentLedger: Sendable {
    /// Phase, round and counts after the last entry before a fault.
    public private(set) var state = EnrolmentState()
    /// The first entry that breaks a rule.
    public private(set) var fault: LogFault?
    /// The first seal that breaks a rule: the number of its ring, and the rule.
    public private(set) var sealFault: (ring: Int, rule: Rule)?
    /// The number of rings whose seals are good and come before every fault.
    public var goodSeals: Int { sealsThatHold.count }
    /// The enrolment at each good seal.
    public private(set) var sealsThatHold: [EnrolmentAtSeal] = []
    /// The index of the last opening of joining.
    private var openedAt: UInt64 = 0
    /// For each round that is over, the index of the entry that ended its joining.
    public private(set) var joiningEnds: [UInt32: UInt64] = [:]
    /// True once a seal was judged not to be good: no later one is good either.
    public private(set) var isStopped = false
    private let rules: EnrolmentRules
    private let rings: [SealedRing]
    /// The log's tree, for a reader that continues where this ledger ends.
    public private(set) var tree = GrowingTree()
    /// Nil after ``releaseCodes()``.
    private var codes: CodeStates? = CodeStates()

    /// A ledger of an empty log, for the rings that the roll log seals.
    public init(_ descriptor: RollDescriptor, rings: [SealedRing]) {
        rules = EnrolmentRules(descriptor)
        self.rings = rings
        judgeSeals()
    }

    /// Entries read so far.
    public var size: UInt64 { tree.size }

    /// The fault of a log that was read to its end: a broken rule, or a code of an open roll that was not issued.
    public var faultAtEnd: LogFault? {
        fault ?? state.awaited.map { _ in LogFault(index: tree.size, rule: .spareCode) }
    }

    /// True when there are seals that name more entries than were read, and nothing is known against them. Seals after
    /// a fault are not good, however much of the log is missing.
    public var isSealBeyond: Bool { !isStopped && fault == nil && goodSeals < rings.count }

    /// How many codes were invited and not voided when the ring with this number was sealed; for nil, when the last
    /// ring whose seal is good was sealed.
    public func enrollable(atRing ring: Int?) -> UInt64? {
        let position = ring ?? goodSeals - 1
        return sealsThatHold.indices.contains(position) ? sealsThatHold[position].enrollable : nil
    }

    /// Reads the next entries with their leaf hashes.
    public mutating func append(_ entries: [[UInt8]], leaves: LeafHashes) {
        let (first, end) = (size, size + UInt64(leaves.count))
        // Where no seal is judged on the way, the tree needs no root.
        guard isStopped || goodSeals == rings.count || rings[goodSeals].enrolmentSize >= end else {
            for (offset, bytes) in entries.enumerated() {
                apply(bytes, at: first + UInt64(offset))
                tree.append(leaves[offset])
                judgeSeals()
            }
            return
        }
        for (offset, bytes) in entries.enumerated() { apply(bytes, at: first + UInt64(offset)) }
        tree.append(leaves)
        judgeSeals()
    }

    /// Gives back the memory of the codes, 45 bytes for each, once every seal is judged: what follows only makes the
    /// tree grow. A new seal needs the log from its beginning.
    mutating func releaseCodes() {
        // A code that is not issued yet is judged by the next entry.
        if state.awaited == nil, isStopped || goodSeals == rings.count { codes = nil }
    }

    private mutating func apply(_ bytes: [UInt8], at index: UInt64) {
        guard fault == nil, codes != nil else { return }
        do throws(Rule) { try apply(try EnrolmentEntry(parsing: bytes), at: index) } catch {
            fault = LogFault(index: index, rule: error)
        }
    }

    private mutating func apply(_ entry: EnrolmentEntry, at index: UInt64) throws(Rule) {
        let hash = entry.codeHash
        var code = hash.flatMap { codes?[$0] }
        do throws(Rule) {
            try state.apply(entry, code: &code, under: rules)
        } catch {
            // In a log, one rule names every wrong use of a code, and another every entry in the wrong phase.
            switch error {
            case .codeReused, .codeAlreadyUsed, .voidedCode, .unknownCode: throw .codeReused
            case .spareCode: throw .spareCode
            default: throw .phaseViolated
            }
        }
        if let hash { codes?[hash] = code }
        switch entry {
        case .joiningOpens: openedAt = index
        case .issuingOpens(let round): joiningEnds[round - 1] = index
        default: break
        }
    }

    /// Judges the seals that name the log at its current size.
    private mutating func judgeSeals() {
        var members: UInt64?
        while !isStopped, goodSeals < rings.count, rings[goodSeals].enrolmentSize == tree.size {
            do throws(Rule) {
                guard tree.root == rings[goodSeals].enrolmentRoot else { throw .rootMismatch }
                // After a fault, phases and counts are not known: the fault itself is reported.
                guard fault == nil else { return isStopped = true }
                try state.checkSeal(membersSoFar: rings[goodSeals].membersSoFar)
                // What is sealed at one moment names one size.
                let together =
                    members ?? rings[goodSeals...].prefix { $0.enrolmentSize == tree.size }.last?.membersSoFar ?? 0
                members = together
                sealsThatHold.append(
                    EnrolmentAtSeal(
                        enrollable: state.invited - state.voided, round: state.round, openedAt: openedAt,
                        hasEverybody: together >= state.issued))
            } catch {
                sealFault = (goodSeals, error)
                isStopped = true
            }
        }
    }
}

/// A roll as rebuilt from its two logs. Which rings of a roll are admitted is decided only here, for all readers. The
/// members log is read first, then the enrolment log, which every seal names at some size.
public struct RollReplay: Sendable {
    /// Which roll.
    public let descriptor: RollDescriptor
    /// The rings that were sealed before the first fault.
    public private(set) var ledger: RollLedger
    /// The first entry of the members log that breaks a rule.
    public private(set) var membersFault: LogFault?
    /// The enrolment log, once it is read.
    public private(set) var enrolment: EnrolmentLedger?
    /// The members log's tree.
    public var tree: GrowingTree { rooted.tree }
    private var rooted: TreeWithRoots

    /// A replay of empty logs. It keeps the root of the members log at every seal before a fault, and at `sizes`.
    public init(_ descriptor: RollDescriptor, rootsAt sizes: Set<UInt64> = []) {
        self.descriptor = descriptor
        rooted = TreeWithRoots(sizes: sizes)
        ledger = RollLedger(descriptor)
    }

    /// Reads the next entries of the members log. A new ring discards what was read of the enrolment log: the new seal
    /// may name that log at a size that was already passed.
    public mutating func appendMembers(_ entries: [Result<RollEntry, Rule>], leaves: LeafHashes) {
        let known = ledger.rings.count
        var seals: Set<UInt64> = []
        for (index, entry) in zip(rooted.size..., entries) where membersFault == nil {
            do throws(Rule) { try ledger.apply(try entry.get()) } catch {
                membersFault = LogFault(index: index, rule: error)
            }
            if membersFault == nil, ledger.endsOnSeal { seals.insert(index + 1) }
        }
        rooted.append(leaves, keepingRootsAt: seals)
        if ledger.rings.count > known { enrolment = nil }
    }

    /// Gives back memory that only more members would need; they can still be read, at the price of all others.
    public mutating func endMembers() { ledger.releaseIndex() }

    /// The fault of a members log that was read to its end: a broken rule, or members after the last seal.
    public var faultAtEnd: LogFault? {
        membersFault ?? (ledger.endsOnSeal ? nil : LogFault(index: tree.size, rule: .ringSize))
    }

    /// Reads the next entries of the enrolment log, after the whole members log.
    public mutating func appendEnrolment(_ entries: [[UInt8]], leaves: LeafHashes) {
        beginEnrolment()
        enrolment?.append(entries, leaves: leaves)
    }

    /// Gives back memory that is needed only to judge more of the enrolment log, if every seal is judged. What follows
    /// in that log is then not judged, and its counts stay as they are; after a new seal it is read again anyway.
    public mutating func endEnrolment() { enrolment?.releaseCodes() }

    /// Starts the enrolment log if that was not done yet: an empty log has no entries to append.
    public mutating func beginEnrolment() {
        if enrolment == nil { enrolment = EnrolmentLedger(descriptor, rings: ledger.rings) }
    }

    /// True when this is the roll that a petition refers to, with the same root at that size.
    public func isReferred(by reference: PetitionManifest.RollReference) -> Bool {
        let hadRoot =
            reference.size == 0
            ? reference.root == MerkleHash.emptyRoot : rooted.had(reference.root, at: reference.size)
        return descriptor.id == reference.id && hadRoot
    }

    /// True when the log ends on a seal at the size that a petition names, or when that size is 0.
    public func endsOnSeal(at reference: PetitionManifest.RollReference) -> Bool {
        reference.size == 0 || ledger.rings.contains { $0.sealIndex + 1 == reference.size }
    }

    /// The rings that a petition may admit: those below its `size`, which its `root` fixes, and later ones whose seals
    /// the enrolment log confirms. A ring's number is its index. With `includingUnread`, also rings whose seals name
    /// more entries than the enrolment log had: nothing is known against them.
    public func rings(
        under reference: PetitionManifest.RollReference, includingUnread: Bool = false
    ) -> [SealedRing] {
        let referred = ledger.rings.prefix { reference.fixes(sealAt: $0.sealIndex) }.count
        var good = enrolment?.goodSeals ?? 0
        if includingUnread, enrolment?.isSealBeyond ?? true { good = ledger.rings.count }
        return Array(ledger.rings.prefix(max(referred, good)))
    }
}

/// Something that two rolls of one petition share but must not share.
public struct SharedBetweenRolls: Equatable, Sendable {
    /// `enrolment-key-reused` or `member-in-two-rolls`.
    public let rule: Rule
    /// The index in the manifest of the roll in which it was found.
    public let roll: Int
    /// The index in the manifest of the other roll.
    public let other: Int
    /// The index of the entry in that roll's members log; nil when the descriptors are at fault.
    public let index: UInt64?
    /// False for a key of a later ring: it has one tag, and counts once.
    public let isBinding: Bool

    /// Things that the rolls of `petition` share, not a complete list: for each rule, every roll that shares something
    /// binding is in a finding, and every roll whose later rings have a key of another roll is in one more. `rolls` are
    /// in the manifest's order, nil for one that could not be read.
    public static func find(_ petition: PetitionManifest, rolls: [RollReplay?]) -> [SharedBetweenRolls] {
        guard petition.rolls.count > 1 else { return [] }
        return enrolmentKeys(rolls) + members(petition, rolls)
    }

    private static func enrolmentKeys(_ rolls: [RollReplay?]) -> [SharedBetweenRolls] {
        var first: [GroupElement: Int] = [:]
        return rolls.enumerated().compactMap { index, roll in
            guard let key = roll?.descriptor.enrolmentKey else { return nil }
            if let other = first[key] {
                return .init(rule: .enrolmentKeyReused, roll: index, other: other, index: nil, isBinding: true)
            }
            first[key] = index
            return nil
        }
    }

    private static func members(_ petition: PetitionManifest, _ rolls: [RollReplay?]) -> [SharedBetweenRolls] {
        var found: [SharedBetweenRolls] = []
        var first: [MemberKey: Int] = [:]
        // What the manifest fixes comes first, so that a later ring cannot shift the blame to a roll that had the key
        // before.
        for isBinding in [true, false] {
            var named: Set<Int> = []
            for (index, roll) in rolls.enumerated() {
                guard let roll, index < petition.rolls.count else { continue }
                let reference = petition.rolls[index]
                for ring in roll.ledger.rings where reference.fixes(sealAt: ring.sealIndex) == isBinding {
                    let start = ring.sealIndex - UInt64(ring.ring.members.count)
                    for (position, member) in ring.ring.members.enumerated() {
                        guard let other = first.updateValue(first[member] ?? index, forKey: member), other != index,
                            !named.contains(index) || isBinding && !named.contains(other)
                        else { continue }
                        named.insert(index)
                        // A later ring is itself to blame; of two that the manifest fixes, nobody knows which.
                        if isBinding { named.insert(other) }
                        found.append(
                            .init(
                                rule: .memberInTwoRolls, roll: index, other: other, index: start + UInt64(position),
                                isBinding: isBinding))
                    }
                }
            }
        }
        return found
    }
}
