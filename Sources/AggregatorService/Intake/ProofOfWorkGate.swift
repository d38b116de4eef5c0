import Bytes
import Documents
import Messages
import Petitions
import Platform
import Sodium

/// Stands before verification, which is what a wrong proof costs most: finding one takes some 100 times what a good one
/// does.
///
/// While hardly any proof is wrong it asks for nothing. When many are, records must come with work, more and more of it
/// until few wrong ones come; then less again. It knows nobody and remembers no sender.
final class ProofOfWorkGate: Sendable {
    /// Wrong proofs in a second that are put up with.
    private static let tolerated = 4
    /// What is asked for first: a thousand hashes, which a sender does not notice.
    private static let firstBits: UInt64 = 10
    /// For each time this long since many were wrong, one bit less is asked for, down to the first. Longer than a
    /// record is on its way to being verified, or the bits would fall before what was sent for them is known.
    private let calm: Duration
    /// After this much longer nothing is.
    private static let peace = Duration.seconds(120)
    /// A seed is given out for this long, and taken for as long again.
    private static let seedLife = Duration.seconds(300)
    /// Records that were found wrong are remembered, so that sending one again costs no more than a hash. Then all are
    /// forgotten at once.
    private static let rememberedLimit = 1 << 16

    private struct State {
        var bits: UInt64 = 0
        var seed = SystemRandomness.bytes(ProofOfWorkChallenge.seedCount)
        var lastSeed = SystemRandomness.bytes(ProofOfWorkChallenge.seedCount)
        var seedSince = ContinuousClock.now
        var wrong = 0
        /// Of those, the ones that came for as much as was asked for when they were found.
        var wrongInFull = 0
        var wrongSince = ContinuousClock.now
        /// When the bits last changed, or had a reason not to fall.
        var changed = ContinuousClock.now
        /// When too many were last wrong.
        var lastWrong = ContinuousClock.now
        var known: Set<Bytes32> = []
    }

    private let state = Mutex(State())

    /// A gate that asks for nothing yet, before verification that comes every `interval`.
    init(interval: Duration) { calm = .seconds(5) + interval * 3 }

    /// What a record must come with now; nil when nothing is asked for.
    var demand: ProofOfWorkChallenge? {
        state.withLock { state in
            update(&state)
            return state.bits == 0 ? nil : ProofOfWorkChallenge(bits: state.bits, seed: state.seed)
        }
    }

    /// The bits that `record` may be looked at for, sent with the header `work`: 0 when nothing is asked for, nil when
    /// more is.
    func paidBits(of record: [UInt8], of petition: PetitionID, work: String?) -> UInt64? {
        let (bits, seeds) = state.withLock { state in
            update(&state)
            return (state.bits, [state.seed, state.lastSeed])
        }
        guard bits > 0 else { return 0 }
        guard let work else { return nil }
        let isPaid = seeds.contains {
            ProofOfWorkChallenge(bits: bits, seed: $0).isMet(by: work, for: record, petition: petition)
        }
        return isPaid ? bits : nil
    }

    /// True when these bytes were found wrong for this petition before.
    func isKnownWrong(_ record: [UInt8], of petition: PetitionID) -> Bool {
        // Nobody hashes for nothing while all is well.
        guard state.withLock({ !$0.known.isEmpty }) else { return false }
        let hash = SHA256.hash(petition.bytes.array + record)
        return state.withLock { $0.known.contains(hash) }
    }

    /// Told of records whose proofs were found wrong, and for what paidBits they were looked at.
    func found(wrong records: [(bytes: [UInt8], paidBits: UInt64)], of petition: PetitionID) {
        guard !records.isEmpty else { return }
        let hashes = records.map { SHA256.hash(petition.bytes.array + $0.bytes) }
        state.withLock { state in
            update(&state)
            if state.known.count + hashes.count > Self.rememberedLimit { state.known = [] }
            state.known.formUnion(hashes)
            if ContinuousClock.now - state.wrongSince > .seconds(1) {
                (state.wrong, state.wrongInFull, state.wrongSince) = (0, 0, .now)
            }
            state.wrong += hashes.count
            state.wrongInFull += records.count { $0.paidBits >= state.bits }
            guard state.wrong > Self.tolerated else { return }
            (state.lastWrong, state.changed) = (.now, .now)
            // Those that came for less tell nothing of what is asked for now, but that it must not become less yet.
            guard state.wrongInFull > Self.tolerated else { return }
            (state.wrong, state.wrongInFull) = (0, 0)
            state.bits = min(max(state.bits + 1, Self.firstBits), ProofOfWorkChallenge.maximumBits)
        }
    }

    private func update(_ state: inout State) {
        let now = ContinuousClock.now
        if now - state.seedSince > Self.seedLife {
            state.lastSeed = state.seed
            state.seed = SystemRandomness.bytes(ProofOfWorkChallenge.seedCount)
            state.seedSince = now
        }
        guard state.bits > 0 else { return }
        if now - state.lastWrong > Self.peace + calm { return state.bits = 0 }
        let steps = UInt64((now - state.changed) / calm)
        guard steps > 0 else { return }
        state.bits = max(Self.firstBits, state.bits - min(steps, state.bits))
        state.changed = now
    }
}
