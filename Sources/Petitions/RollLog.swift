import Bytes
import Documents
import Multiscalar
import RingSignatures
import Ristretto255

/// An entry of a roll's members log: a member, or the seal that closes a ring.
///
/// | bytes | layout |
/// | ---: | --- |
/// | 33 | `0x01 || X` member |
/// | 41 | `0x02 || u64 enrolmentSize || enrolmentRoot` seal |
public enum RollEntry: Hashable, Sendable {
    case member(MemberKey)
    case seal(enrolmentSize: UInt64, enrolmentRoot: Bytes32)

    /// The longest entry in bytes: 41.
    public static let maximumCount = 9 + Bytes32.count

    /// The entry's bytes.
    public var bytes: [UInt8] {
        switch self {
        case .member(let key): return [0x01] + key.encoding.array
        case .seal(let size, let root):
            var bytes: [UInt8] = [0x02]
            bytes.appendInteger(size)
            bytes.append(root)
            return bytes
        }
    }

    /// Reads an entry. Throws `entry-malformed` on a wrong type or length, or the rule that the point breaks.
    public init(parsing bytes: [UInt8]) throws(Rule) {
        // Length first, so that an entry of the wrong length is not refused for a point in it.
        let count = bytes.first == 0x01 ? 1 + Bytes32.count : Self.maximumCount
        guard bytes.count == count else { throw .entryMalformed }
        var reader = ByteReader(bytes, from: 1)
        let entry: RollEntry?
        switch bytes.first {
        case 0x01:
            guard let encoding = reader.read32() else { throw .entryMalformed }
            do { entry = .member(try MemberKey(decoding: encoding)) } catch { throw Rule(error) }
        case 0x02:
            guard let size = reader.readInteger(UInt64.self), let root = reader.read32() else { throw .entryMalformed }
            entry = .seal(enrolmentSize: size, enrolmentRoot: root)
        default: entry = nil
        }
        guard let entry, reader.isAtEnd else { throw .entryMalformed }
        self = entry
    }
}

extension RollEntry {
    /// Reads many entries, each as ``init(parsing:)`` does: the members' points are decoded together, which is faster.
    public static func parse(_ entries: some Collection<[UInt8]>) -> [Result<RollEntry, Rule>] {
        var encodings: [UInt8] = []
        for entry in entries where isMember(entry) { encodings += entry[1...] }
        // If one of them is wrong, reading them one by one shows which, and which rule it breaks.
        let areGood = encodings.withUnsafeBytes { VariableTimePoint.areEncodings($0) }
        return entries.map { entry in
            if areGood, isMember(entry), let encoding = Bytes32(entry[1...]) {
                return .success(.member(MemberKey(GroupElement(trusted: encoding))))
            }
            return Result { () throws(Rule) in try RollEntry(parsing: entry) }
        }
    }

    private static func isMember(_ entry: [UInt8]) -> Bool {
        entry.first == 0x01 && entry.count == 1 + Bytes32.count
    }
}

/// A ring as the roll log seals it.
public struct SealedRing: Sendable {
    /// The ring.
    public let ring: Ring
    /// The index of its seal in the roll log.
    public let sealIndex: UInt64
    /// The number of entries in the enrolment log when it was sealed.
    public let enrolmentSize: UInt64
    /// The root of the enrolment log at that size.
    public let enrolmentRoot: Bytes32
    /// The number of members of the roll up to and including this ring.
    public let membersSoFar: UInt64
}

/// Reads a roll log entry by entry and keeps its rings. The rules of rings are only here.
public struct RollLedger: Sendable {
    /// The rings sealed so far; a ring's number is its index.
    public private(set) var rings: [SealedRing] = []
    /// Entries read so far.
    public private(set) var size: UInt64 = 0
    private let roll: RollID
    private let bounds: ClosedRange<Int>
    private var pending: [MemberKey] = []
    /// Finds members by their number in the roll; nil after ``releaseIndex()``.
    private var index: PositionIndex? = PositionIndex()
    private var memberCount = 0

    /// A ledger for the roll with this id and these bounds on a ring's size.
    public init(roll: RollID, minimumRing: Int, ringCapacity: Int) {
        self.roll = roll
        bounds = minimumRing...ringCapacity
    }

    /// A ledger for a published roll.
    public init(_ descriptor: RollDescriptor) {
        self.init(
            roll: descriptor.id, minimumRing: descriptor.terms.minimumRing,
            ringCapacity: descriptor.terms.ringCapacity)
    }

    /// True when the last entry read is a seal, as in every published roll log, or when none was read.
    public var endsOnSeal: Bool { pending.isEmpty }

    /// Applies the next entry, or throws the rule it breaks. After an error the roll is unusable.
    public mutating func apply(_ entry: RollEntry) throws(Rule) {
        switch entry {
        case .member(let key):
            if let last = pending.last {
                guard last != key else { throw .duplicateMember }
                guard last < key else { throw .membersNotAscending }
            }
            buildIndex()
            guard position(of: key) == nil else { throw .duplicateMember }
            guard pending.count < bounds.upperBound else { throw .ringSize }
            index?.insert(key.encoding, at: memberCount)
            memberCount += 1
            pending.append(key)
        case .seal(let enrolmentSize, let enrolmentRoot):
            guard bounds.contains(pending.count) else { throw .ringSize }
            if let last = rings.last, enrolmentSize < last.enrolmentSize { throw .enrolmentExceeded }
            // A copy has room for exactly these, while an array that grew has room for twice as many.
            let members = Array(pending[...])
            let ring = Ring(roll: roll.bytes, number: UInt32(rings.count), members: members)
            rings.append(
                SealedRing(
                    ring: ring, sealIndex: size, enrolmentSize: enrolmentSize, enrolmentRoot: enrolmentRoot,
                    membersSoFar: UInt64(memberCount)))
            pending.removeAll(keepingCapacity: true)
        }
        size += 1
    }

    /// The ring that `member` is in, if any.
    public func ring(of member: MemberKey) -> SealedRing? {
        guard index != nil else { return rings.first { $0.ring.members.contains(member) } }
        return position(of: member).flatMap { ring(at: $0) }
    }

    /// Gives back the memory with which duplicates are found, when nothing more is expected: 10 to 14 bytes a member.
    public mutating func releaseIndex() { index = nil }

    private mutating func buildIndex() {
        guard index == nil else { return }
        var built = PositionIndex()
        var number = 0
        for members in rings.map({ $0.ring.members }) + [pending] {
            for member in members {
                built.insert(member.encoding, at: number)
                number += 1
            }
        }
        index = built
    }

    private func position(of member: MemberKey) -> Int? {
        index?.position(of: member.encoding) { number in
            guard let sealed = ring(at: number) else {
                return pending[number - Int(rings.last?.membersSoFar ?? 0)] == member
            }
            let members = sealed.ring.members
            return members[number - (Int(sealed.membersSoFar) - members.count)] == member
        }
    }

    /// The ring with the member of this number in the roll; nil for one that waits for its seal.
    private func ring(at number: Int) -> SealedRing? {
        var (low, high) = (0, rings.count)
        while low < high {
            let middle = (low + high) / 2
            if rings[middle].membersSoFar > UInt64(number) { high = middle } else { low = middle + 1 }
        }
        return low < rings.count ? rings[low] : nil
    }

    /// The most members that a roll log of `size` entries can have: each ring has a seal.
    public static func mostMembers(size: UInt64, ringCapacity: Int) -> UInt64 {
        let ring = UInt64(ringCapacity) + 1
        return size - (size / ring + (size % ring == 0 ? 0 : 1))
    }

    /// Cuts pending members into rings: `q = ceil(p / ringCapacity)` of them, the `p mod q` larger ones first, each in
    /// ascending order.
    public static func rings(cutting members: [MemberKey], ringCapacity: Int) -> [[MemberKey]] {
        guard !members.isEmpty else { return [] }
        let sorted = members.sorted()
        let count = (sorted.count + ringCapacity - 1) / ringCapacity
        let (size, larger) = sorted.count.quotientAndRemainder(dividingBy: count)
        var start = 0
        return (0..<count).map { index in
            let end = start + size + (index < larger ? 1 : 0)
            defer { start = end }
            return Array(sorted[start..<end])
        }
    }
}
