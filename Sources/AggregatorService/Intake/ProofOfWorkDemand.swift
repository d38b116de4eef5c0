import Messages

/// How much work a record must come with: a state machine without a clock.
///
/// While hardly any proof is wrong nothing is asked for. When many are, records must come with work, more and more of
/// it until few wrong ones come; then less again. It knows nobody and remembers no sender.
package struct ProofOfWorkDemand {
    /// Wrong proofs in a second that are put up with.
    package static let tolerated = 4
    /// What is asked for first: a thousand hashes, which a sender does not notice.
    package static let firstBits: UInt64 = 10
    /// When there was no excess of wrong proofs for ``calm`` and this, nothing is asked for any more.
    package static let peace = Duration.seconds(120)
    /// A seed is given out for this long, and taken for as long again.
    package static let seedLife = Duration.seconds(300)

    /// The demand drops by one bit for each time this long without an excess of wrong proofs, down to the first bits.
    /// Longer than a record is on its way to being verified, or the bits would fall before what was sent for them is
    /// known.
    package let calm: Duration
    /// The bits that are asked for now; 0 for nothing.
    package private(set) var bits: UInt64 = 0
    private var seeds: (current: [UInt8], last: [UInt8])
    private var seedSince: ContinuousClock.Instant
    /// Wrong proofs in the second that began at `wrongSince`; and of those the ones that came for as many bits as were
    /// asked for when they were found.
    private var wrong = 0
    private var wrongInFull = 0
    private var wrongSince: ContinuousClock.Instant
    /// When the bits last changed, or had a reason not to fall.
    private var changed: ContinuousClock.Instant
    /// When there was last an excess of wrong proofs.
    private var lastExcess: ContinuousClock.Instant
    private let makeSeed: @Sendable () -> [UInt8]

    /// A demand for nothing yet, before verification that comes every `interval`. `makeSeed` gives random seeds.
    package init(now: ContinuousClock.Instant, interval: Duration, makeSeed: @escaping @Sendable () -> [UInt8]) {
        calm = .seconds(5) + interval * 3
        self.makeSeed = makeSeed
        seeds = (makeSeed(), makeSeed())
        (seedSince, wrongSince, changed, lastExcess) = (now, now, now, now)
    }

    /// What a record must come with now; nil when nothing is asked for. With `lastSeed`, for a sender that was asked a
    /// while ago.
    package func challenge(lastSeed: Bool = false) -> ProofOfWorkChallenge? {
        bits == 0 ? nil : ProofOfWorkChallenge(bits: bits, seed: lastSeed ? seeds.last : seeds.current)
    }

    /// Lets time pass: what every other call begins with.
    package mutating func step(now: ContinuousClock.Instant) {
        if now - seedSince > Self.seedLife {
            seeds = (makeSeed(), seeds.current)
            seedSince = now
        }
        guard bits > 0 else { return }
        guard now - lastExcess <= Self.peace + calm else {
            bits = 0
            return
        }
        let steps = UInt64(max(0, (now - changed) / calm))
        guard steps > 0 else { return }
        bits = max(Self.firstBits, bits - min(steps, bits))
        changed = now
    }

    /// Told of records whose proofs were found wrong, by the bits that each was looked at for.
    package mutating func found(wrong paidBits: [UInt64], now: ContinuousClock.Instant) {
        step(now: now)
        if now - wrongSince > .seconds(1) { (wrong, wrongInFull, wrongSince) = (0, 0, now) }
        wrong += paidBits.count
        wrongInFull += paidBits.count { $0 >= bits }
        guard wrong > Self.tolerated else { return }
        (lastExcess, changed) = (now, now)
        // Records sent under a lower demand say nothing about the current one; they only postpone lowering it.
        guard wrongInFull > Self.tolerated else { return }
        (wrong, wrongInFull) = (0, 0)
        bits = min(max(bits + 1, Self.firstBits), ProofOfWorkChallenge.maximumBits)
    }
}
