import Bytes

/// Finds values of 32 bytes by their positions, while the values themselves are kept elsewhere: 10 to 14 bytes for
/// each, where a set would need 64 or more.
///
/// A hash table with open addressing. A slot has 32 bits of a keyed hash and a position. Whether the value at a
/// position is the one that is looked for, the caller says; it is asked little more often than once for each value
/// found.
package struct PositionIndex: Sendable {
    /// Slots for so few values are made at first.
    private static let smallest = 64

    /// Zero where empty, else `hash << 32 | position + 1`.
    private var slots: [UInt64] = []
    private var count = 0

    /// An empty index.
    package init() {}

    /// The position of `value`; nil if there is none for which `isAt` is true.
    package func position(of value: Bytes32, isAt: (Int) -> Bool) -> Int? {
        guard !slots.isEmpty else { return nil }
        let hash = Self.hash(value)
        var slot = Self.slot(of: hash, in: slots.count)
        while slots[slot] != 0 {
            let position = Int(slots[slot] & 0xFFFF_FFFF) - 1
            if slots[slot] >> 32 == hash, isAt(position) { return position }
            slot = slot + 1 == slots.count ? 0 : slot + 1
        }
        return nil
    }

    /// Adds the position of a value that is not there yet. Traps for a position of 2^32 - 1 or more: no log has as many
    /// entries.
    package mutating func insert(_ value: Bytes32, at position: Int) {
        if (count + 1) * 6 > slots.count * 5 { grow() }
        precondition(position < UInt32.max, "no log has as many entries")
        Self.put(Self.hash(value) << 32 | UInt64(position + 1), into: &slots)
        count += 1
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: max(Self.smallest, slots.count + slots.count / 3))
        for slot in slots where slot != 0 { Self.put(slot, into: &larger) }
        slots = larger
    }

    private static func put(_ entry: UInt64, into slots: inout [UInt64]) {
        var slot = slot(of: entry >> 32, in: slots.count)
        while slots[slot] != 0 { slot = slot + 1 == slots.count ? 0 : slot + 1 }
        slots[slot] = entry
    }

    /// The hash's share of all slots: no power of two is needed.
    private static func slot(of hash: UInt64, in count: Int) -> Int { Int((hash * UInt64(count)) >> 32) }

    /// 32 bits of a hash with a key that is random in each process, so that nobody can choose values that collide.
    private static func hash(_ value: Bytes32) -> UInt64 { UInt64(UInt32(truncatingIfNeeded: value.hashValue)) }
}

/// The states of invitation codes, by their hashes: some 45 bytes for each.
package struct CodeStates: Sendable {
    /// Hashes are kept in blocks, so that nothing is copied when there are more.
    private static let block = 4096

    private var hashes: [[Bytes32]] = []
    private var states: [CodeState] = []
    private var index = PositionIndex()

    /// No codes.
    package init() {}

    /// The state of the code with this hash; nil for one that was never invited. No state is ever taken away.
    package subscript(hash: Bytes32) -> CodeState? {
        get { position(of: hash).map { states[$0] } }
        set {
            guard let newValue else { return }
            if let known = position(of: hash) {
                states[known] = newValue
                return
            }
            if states.count % Self.block == 0 {
                hashes.append([])
                hashes[hashes.count - 1].reserveCapacity(Self.block)
            }
            index.insert(hash, at: states.count)
            hashes[hashes.count - 1].append(hash)
            states.append(newValue)
        }
    }

    private func position(of hash: Bytes32) -> Int? {
        index.position(of: hash) { hashes[$0 / Self.block][$0 % Self.block] == hash }
    }
}
