import Bytes
import Documents
import Messages
import Petitions
import Platform
import ServiceHTTP
import Sodium

/// Guards verification, where a wrong proof is most expensive: finding one costs some 100 times as much as a good one.
/// ``ProofOfWorkDemand`` decides how much work is demanded; the gate remembers which bytes were wrong.
final class ProofOfWorkGate: Sendable {
    /// How many wrong records are remembered, so that sending one again costs no more than a hash. Beyond that, all are
    /// forgotten at once.
    private static let rememberedLimit = 1 << 16

    private struct State {
        var demand: ProofOfWorkDemand
        var known: Set<Bytes32> = []
    }

    private let state: Mutex<State>

    /// A gate that demands nothing yet, before verification that runs every `interval`.
    init(interval: Duration) {
        state = Mutex(
            State(
                demand: ProofOfWorkDemand(now: .now, interval: interval) {
                    SystemRandomness.bytes(ProofOfWorkChallenge.seedCount)
                }))
    }

    /// The work that a record must come with now; nil when none is demanded.
    var demand: ProofOfWorkChallenge? {
        state.withLock { state in
            state.demand.step(now: .now)
            return state.demand.challenge()
        }
    }

    /// The bits for which `record`, sent with the header `work`, is accepted: 0 when none are demanded, nil when the
    /// work does not meet the demand.
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
        // Avoids a needless hash while all is well.
        guard state.withLock({ !$0.known.isEmpty }) else { return false }
        let hash = SHA256.hash(petition.bytes.array + record)
        return state.withLock { $0.known.contains(hash) }
    }

    /// Takes note of junk that is not remembered, and of the bits that it was accepted for.
    func found(wrong count: Int, paidBits: UInt64) {
        state.withLock { $0.demand.found(wrong: [UInt64](repeating: paidBits, count: count), now: .now) }
    }

    /// Takes note of records whose proofs were found wrong, and of the bits that each was accepted for.
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
