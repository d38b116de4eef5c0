import Bytes
import Multiscalar
import Platform
import Ristretto255
import Sodium

/// The members among whom one signature hides: the keys of one sealed ring, in ascending order.
///
/// `Protocol/ring-signature.md`, "Ring". Made from keys that were already checked by the rules of the roll.
public struct Ring: Sendable {
    /// The largest ring any roll may have.
    public static let maximumSize = 4096
    /// `n`, the base of the digits.
    static let radix = 4

    /// The ring's number in its roll, from 0.
    public let number: UInt32
    /// `M_0 .. M_{c-1}`.
    public let members: [MemberKey]
    /// `m`: the least number of base-4 digits, at least 1, that is enough to number every member.
    public let digits: Int
    /// What a signature commits to instead of the keys themselves.
    public let digest: Bytes32
    private let decoded = DecodedMembers()

    /// The ring with `number` of the roll `roll` (an id). Traps unless it has 1 to 4,096 members.
    public init(roll: Bytes32, number: UInt32, members: [MemberKey]) {
        precondition((1...Self.maximumSize).contains(members.count), "a ring has 1 to 4,096 members")
        self.number = number
        self.members = members
        digits = Self.digits(forSize: members.count)
        var input = Labels.ring
        input.append(roll)
        input.appendInteger(number)
        input.appendInteger(UInt32(members.count))
        for member in members { input.append(member.encoding) }
        digest = SHA256.hash(input)
    }

    /// The least `m >= 1` with `4^m >= size`.
    static func digits(forSize size: Int) -> Int {
        var m = 1
        var reach = radix
        while reach < size {
            m += 1
            reach *= radix
        }
        return m
    }

    /// Decodes the members before the verifier's first batch, and keeps them with the ring: some ms for 1,024 members.
    public func prepare() { _ = decodedMembers(keeps: true) }

    /// The members in the form that the verifier adds up, 96 bytes each. With `keeps`, they stay decoded with the ring.
    func decodedMembers(keeps: Bool) -> [VariableTimePoint] { decoded.points(of: members, keeps: keeps) }

    /// `N = 4^m`, the size that the ring is padded to with its last member.
    var paddedSize: Int { 1 << (2 * digits) }
}

/// The decoded members of one ring, shared by all copies of it.
private final class DecodedMembers: Sendable {
    private let cell = Mutex<[VariableTimePoint]?>(nil)

    func points(of members: [MemberKey], keeps: Bool) -> [VariableTimePoint] {
        cell.withLock { kept in
            if let kept { return kept }
            var encodings: [UInt8] = []
            encodings.reserveCapacity(members.count * Bytes32.count)
            for member in members { encodings.append(member.encoding) }
            guard let points = encodings.withUnsafeBytes({ try? VariableTimePoint.decode($0) }) else {
                preconditionFailure("members are elements, none of them the identity")
            }
            if keeps { kept = points }
            return points
        }
    }
}

/// One petition's base point `U`, under which every member has exactly one tag.
public struct PetitionBase: Hashable, Sendable {
    /// The petition's id.
    public let petition: Bytes32
    /// `U = H2G("roundrobin-v1 petition base", petitionId)`.
    public let element: GroupElement

    /// Derives the base of the petition with this id.
    public init(petition: Bytes32) {
        self.petition = petition
        element = HashToGroup.element(petition.array, dst: Labels.petitionBase)
    }
}

/// The generators `G(h,j,i)` of the vector commitment, for `h` 0 or 1, `j` below 6 and `i` below 4.
package enum CommitmentGenerators {
    /// The largest number of digits: rings have at most 4^6 members.
    static let maximumDigits = 6

    private static let table: [GroupElement] = (0..<count).map { index in
        let h = index / (maximumDigits * Ring.radix)
        let j = index / Ring.radix % maximumDigits
        let message = [UInt8(h), UInt8(j), UInt8(index % Ring.radix)]
        return HashToGroup.element(message, dst: Labels.commitmentGenerator)
    }

    /// The number of generators: 48.
    static let count = 2 * maximumDigits * Ring.radix

    /// The index of `G(h,j,i)` in ``points``.
    static func position(_ h: Int, _ j: Int, _ i: Int) -> Int {
        (h * maximumDigits + j) * Ring.radix + i
    }

    /// `G(h,j,i)`.
    package static func element(_ h: Int, _ j: Int, _ i: Int) -> GroupElement {
        table[position(h, j, i)]
    }

    /// All generators, in the form that the verifier adds up.
    static let points = table.map(VariableTimePoint.init)
}
