import Messages

/// Decides how much proof of work a record must come with: a state machine without a clock.
///
/// While hardly any proof is wrong, no work is demanded. When many are wrong, records must come with work: more and
/// more of it until few wrong ones come, then less again. It neither identifies nor remembers senders.
package struct ProofOfWorkDemand {
    /// How many wrong proofs per second are tolerated, unless the owner says otherwise.
    package static let tolerated = 4
    /// The first demand: a thousand hashes, which a sender does not notice.
    package static let firstBits: UInt64 = 10
    /// After ``calm`` plus this long without an excess of wrong proofs, no work is demanded any more.
    package static let peace = Duration.seconds(120)
    /// How long a seed is given out; it is accepted for as long again.
    package static let seedLife = Duration.seconds(300)

    /// The demand drops by one bit for each period of this length without an excess of wrong proofs, down to
    /// ``firstBits``. It is longer than a record takes to be verified, or the demand would drop before the records sent
    /// for it are judged.
    package let calm: Duration
    /// The bits that are demanded now; 0 for no demand.
    package private(set) var bits: UInt64 = 0
    private var seeds: (current: [UInt8], last: [UInt8])
    private var seedSince: ContinuousClock.Instant
    /// The number of wrong proofs in the second that began at `wrongSince`, and of those that came with as many bits as
    /// were demanded when they were found.
    private var wrong = 0
    private var wrongInFull = 0
    private var wrongSince: ContinuousClock.Instant
    /// When the bits last changed, or last had a reason not to drop.
    private var changed: ContinuousClock.Instant
    /// When there was last an excess of wrong proofs.
    private var lastExcess: ContinuousClock.Instant
    private let tolerated: Int
    private let makeSeed: @Sendable () -> [UInt8]

    /// Starts without a demand, before verification that runs every `interval`. `makeSeed` returns random seeds.
    package init(
        now: ContinuousClock.Instant, interval: Duration, tolerated: Int = Self.tolerated,
        makeSeed: @escaping @Sendable () -> [UInt8]
    ) {
        self.tolerated = tolerated
        calm = .seconds(5) + interval * 3
        self.makeSeed = makeSeed
        seeds = (makeSeed(), makeSeed())
        (seedSince, wrongSince, changed, lastExcess) = (now, now, now, now)
    }

    /// The work that a record must come with now; nil when none is demanded. With `lastSeed`, for a sender that got its
    /// challenge a while ago. Its owner may demand more, for another reason.
    package func challenge(lastSeed: Bool = false, atLeast least: UInt64 = 0) -> ProofOfWorkChallenge? {
        let bits = max(bits, least)
        return bits == 0 ? nil : ProofOfWorkChallenge(bits: bits, seed: lastSeed ? seeds.last : seeds.current)
    }

    /// Lets time pass; every other mutating call begins with this.
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

    /// Takes note of records whose proofs were found wrong, given the bits that each was accepted for.
    package mutating func found(wrong paidBits: [UInt64], now: ContinuousClock.Instant) {
        step(now: now)
        if now - wrongSince > .seconds(1) { (wrong, wrongInFull, wrongSince) = (0, 0, now) }
        wrong += paidBits.count
        wrongInFull += paidBits.count { $0 >= bits }
        guard wrong > tolerated else { return }
        (lastExcess, changed) = (now, now)
        // Records sent under a lower demand say nothing about the current one; they only postpone lowering it.
        guard wrongInFull > tolerated else { return }
        (wrong, wrongInFull) = (0, 0)
        bits = min(max(bits + 1, Self.firstBits), ProofOfWorkChallenge.maximumBits)
    }
}
