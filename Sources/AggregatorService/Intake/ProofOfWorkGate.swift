import Bytes
import Documents
import Messages
import Petitions
import Platform
import Sodium

/// Stands before verification, which is what a wrong proof costs most: finding one takes some 100 times what a good one
/// does. ``ProofOfWorkDemand`` says how much work is asked for; this remembers which bytes were wrong.
final class ProofOfWorkGate: Sendable {
    /// Records that were found wrong are remembered, so that sending one again costs no more than a hash. Then all are
    /// forgotten at once.
    private static let rememberedLimit = 1 << 16

    private struct State {
        var demand: ProofOfWorkDemand
        var known: Set<Bytes32> = []
    }

    private let state: Mutex<State>

    /// A gate that asks for nothing yet, before verification that comes every `interval`.
    init(interval: Duration) {
        state = Mutex(
            State(
                demand: ProofOfWorkDemand(now: .now, interval: interval) {
                    SystemRandomness.bytes(ProofOfWorkChallenge.seedCount)
                }))
    }

    /// What a record must come with now; nil when nothing is asked for.
    var demand: ProofOfWorkChallenge? {
        state.withLock { state in
            state.demand.step(now: .now)
            return state.demand.challenge()
        }
    }

    /// The bits that `record` may be looked at for, sent with the header `work`: 0 when nothing is asked for, nil when
    /// more is.
    func paidBits(of record: [UInt8], of petition: PetitionID, work: String?) -> UInt64? {
        let demand = state.withLock { state in
            state.demand.step(now: .now)
            return state.demand
        }
        guard demand.bits > 0 else { return 0 }
        guard let work else { return nil }
        let isPaid = [demand.challenge(), demand.challenge(lastSeed: true)].contains {
            $0?.isMet(by: work, for: record, petition: petition) ?? false
        }
        return isPaid ? demand.bits : nil
    }

    /// True when these bytes were found wrong for this petition before.
    func isKnownWrong(_ record: [UInt8], of petition: PetitionID) -> Bool {
        // Nobody hashes for nothing while all is well.
        guard state.withLock({ !$0.known.isEmpty }) else { return false }
        let hash = SHA256.hash(petition.bytes.array + record)
        return state.withLock { $0.known.contains(hash) }
    }

    /// Told of records whose proofs were found wrong, and of the bits that each was looked at for.
    func found(wrong records: [(bytes: [UInt8], paidBits: UInt64)], of petition: PetitionID) {
        guard !records.isEmpty else { return }
        let hashes = records.map { SHA256.hash(petition.bytes.array + $0.bytes) }
        state.withLock { state in
            if state.known.count + hashes.count > Self.rememberedLimit { state.known = [] }
            state.known.formUnion(hashes)
            state.demand.found(wrong: records.map(\.paidBits), now: .now)
        }
    }
}
