import Bytes
import Petitions
import Sodium
import Synchronization

/// Stands before verification, which is what a wrong proof costs most: finding one takes some 100 times what a good one does.
///
/// While hardly any proof is wrong it asks for nothing. When many are, records must come with work, more and more of it until
/// few wrong ones come; then less again. It knows nobody and remembers no sender.
final class WorkGate: Sendable {
    /// Wrong proofs in a second that are put up with.
    private static let tolerated = 4
    /// What is asked for first: a thousand hashes, which a sender does not notice.
    private static let firstBits: UInt64 = 10
    /// After this long without too many wrong proofs, one bit less is asked for.
    private static let calm = Duration.seconds(60)
    /// A seed is given out for this long, and taken for as long again.
    private static let seedLife = Duration.seconds(300)
    /// Records that were found wrong are remembered, so that sending one again costs no more than a hash. Then all are
    /// forgotten at once.
    private static let rememberedLimit = 1 << 16

    private struct State {
        var bits: UInt64 = 0
        var seed = SystemRandomness.bytes(WorkDemand.seedCount)
        var lastSeed = SystemRandomness.bytes(WorkDemand.seedCount)
        var seedSince = ContinuousClock.now
        var wrong = 0
        var wrongSince = ContinuousClock.now
        /// When the bits last changed, or many were wrong.
        var changed = ContinuousClock.now
        var known: Set<Bytes32> = []
    }

    private let state = Mutex(State())

    /// What a record must come with now; nil when nothing is asked for.
    var demand: WorkDemand? {
        state.withLock { state in
            Self.update(&state)
            return state.bits == 0 ? nil : WorkDemand(bits: state.bits, seed: state.seed)
        }
    }

    /// True when `record`, sent with the header `work`, may be looked at.
    func admits(_ record: [UInt8], work: String?) -> Bool {
        let (bits, seeds) = state.withLock { state in
            Self.update(&state)
            return (state.bits, [state.seed, state.lastSeed])
        }
        guard bits > 0 else { return true }
        guard let work else { return false }
        return seeds.contains { WorkDemand(bits: bits, seed: $0).isMet(by: work, for: record) }
    }

    /// True when these bytes were found wrong before.
    func isKnownWrong(_ record: [UInt8]) -> Bool {
        // Nobody hashes for nothing while all is well.
        guard state.withLock({ !$0.known.isEmpty }) else { return false }
        let hash = SHA256.hash(record)
        return state.withLock { $0.known.contains(hash) }
    }

    /// Told of records whose proofs were found wrong.
    func found(wrong records: [[UInt8]]) {
        guard !records.isEmpty else { return }
        let hashes = records.map(SHA256.hash)
        state.withLock { state in
            if state.known.count + hashes.count > Self.rememberedLimit { state.known = [] }
            state.known.formUnion(hashes)
            if ContinuousClock.now - state.wrongSince > .seconds(1) { (state.wrong, state.wrongSince) = (0, .now) }
            state.wrong += hashes.count
            guard state.wrong > Self.tolerated else { return }
            state.wrong = 0
            state.bits = min(max(state.bits + 1, Self.firstBits), WorkDemand.maximumBits)
            state.changed = .now
        }
    }

    private static func update(_ state: inout State) {
        let now = ContinuousClock.now
        if now - state.seedSince > Self.seedLife {
            state.lastSeed = state.seed
            state.seed = SystemRandomness.bytes(WorkDemand.seedCount)
            state.seedSince = now
        }
        guard state.bits > 0, now - state.changed > Self.calm else { return }
        state.bits = state.bits > Self.firstBits ? state.bits - 1 : 0
        state.changed = now
    }
}
