import Bytes
import Documents
import LogReading
import Petitions
import RingSignatures
import Ristretto255
import TransparencyLog

/// The ring that a wallet's key is in.
public struct FoundRing: Equatable, Sendable {
    /// Its number in the roll, from 0.
    public let number: UInt32
    /// How many members it has.
    public let members: Int
    /// True if the roll has so many members that signing needs this reading before it.
    public let isOfLargeRoll: Bool
    /// What is wrong in the roll behind the ring. A petition that fixes it is refused.
    public let fault: SignerError?
}

/// Reading a large roll in full, once after the seal, `Protocol/enrolment.md`.
extension Wallet {
    /// The roll under `link`, or the only one that this wallet is enrolled in.
    public func enrolledRoll(_ link: RollLink?) throws(SignerError) -> RollDescriptor {
        let rolls = try contents.enrolments.filter { $0.token != nil }.map { enrolment throws(SignerError) in
            try self.rolls(enrolment.descriptor)
        }
        guard !rolls.isEmpty else { throw .notEnrolled }
        guard let link else {
            guard rolls.count == 1 else { throw .severalRolls(links: rolls.map { $0.link.url.text }) }
            return rolls[0]
        }
        guard let roll = rolls.first(where: { $0.link == link }) else {
            throw .notEnrolledUnder(link: link.url.text, links: rolls.map { $0.link.url.text })
        }
        return roll
    }

    /// Reads a roll in full and finds the ring of this wallet's key in it. The ring of a large roll is stored, so that
    /// what is read before a signature is little, and the same for every member of the roll.
    public func learnRing(
        in roll: RollDescriptor, network: SignerNetwork, clock: SignerClock, progress: WorkProgress = .untold
    ) async throws(SignerError) -> FoundRing {
        try begin(.roll(roll.link), network: network, clock: clock)
        defer { end(.roll(roll.link), clock: clock) }
        let sight = try await RollSight.look(
            at: roll, wallet: self, network: network, clock: clock, progress: progress)
        let replay = sight.replay
        guard let sealed = replay.ledger.ring(of: publicKey(in: roll.id)) else {
            if let fault = replay.faultAtEnd {
                throw .entryInvalid(log: roll.membersKey.name, index: fault.index, fault.rule)
            }
            throw .ringNotSealedYet
        }
        try checkSeals(of: replay, upTo: Int(sealed.ring.number) + 1)
        return FoundRing(
            number: sealed.ring.number, members: sealed.ring.members.count,
            isOfLargeRoll: isLarge(roll, membersLog: replay.tree.size), fault: Self.fault(of: replay)?.error)
    }

    /// Makes this wallet one that has enrolled in a roll and has joined it, for measurements of rolls that no
    /// coordinator keeps. Returns the key that must be in the roll.
    package func supposeMembership(of roll: RollDescriptor) throws(SignerError) -> MemberKey {
        set(
            .init(
                descriptor: roll.note, codeHash: Bytes32().array, token: Bytes32().array,
                joining: .sent), for: roll.id)
        try save()
        return publicKey(in: roll.id)
    }

    /// Checks that the enrolment log confirms the seals of the first `count` rings.
    func checkSeals(of replay: RollReplay, upTo count: Int) throws(SignerError) {
        guard let enrolment = replay.enrolment else { throw .rollMismatch }
        guard enrolment.goodSeals < count else { return }
        // Not a fault of the roll: an enrolment log that is shown in an old state.
        guard let fault = Self.fault(of: replay) else {
            throw .entryInvalid(
                log: replay.descriptor.membersKey.name, index: replay.ledger.rings[enrolment.goodSeals].sealIndex,
                .enrolmentExceeded)
        }
        throw fault.error
    }
}
