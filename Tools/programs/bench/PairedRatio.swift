import Foundation
import Sodium

/// What a piece of work costs in units of one Ed25519 verification: the median of ratios that were each measured in a
/// moment of their own.
///
/// Before and after each turn of the work the unit is measured, for some milliseconds. A neighbour that makes the
/// machine slower for a while makes both slower, and their ratio stays.
struct PairedRatio {
    /// The median of the ratios.
    let median: Double
    /// The ratios below which and above which a quarter of them lies.
    let quartiles: (low: Double, high: Double)
    /// How many ratios were measured.
    let pairs: Int

    fileprivate init(_ ratios: [Double]) {
        let sorted = ratios.sorted()
        (median, pairs) = (sorted[sorted.count / 2], sorted.count)
        quartiles = (sorted[sorted.count / 4], sorted[sorted.count - 1 - sorted.count / 4])
    }

    /// The same, when each turn does the work `count` times.
    func divided(by count: Int) -> PairedRatio { PairedRatio(self, divisor: Double(count)) }

    private init(_ ratio: PairedRatio, divisor: Double) {
        median = ratio.median / divisor
        quartiles = (ratio.quartiles.low / divisor, ratio.quartiles.high / divisor)
        pairs = ratio.pairs
    }

    /// The text of the spread: both quartiles, and the number of pairs.
    func spread(_ digits: Int) -> String {
        "\(Bench.rounded(quartiles.low, digits))..\(Bench.rounded(quartiles.high, digits)) of \(pairs)"
    }
}

/// The unit, one Ed25519 verification of 100 bytes by libsodium, and work measured in it.
final class UnitClock {
    private let key = Ed25519SecretKey(seed: SecretBytes(randomCount: Ed25519SecretKey.seedCount))
    private let message = SystemRandomness.bytes(100)
    private let signature: [UInt8]
    private let publicKey: Ed25519PublicKey

    enum Failure: Error { case refused }

    init() {
        signature = key.sign(message)
        publicKey = key.publicKey
    }

    /// How many verifications make a turn: some 2 ms.
    private static let turn = 40
    /// Enough pairs for a median of short work; long work gets fewer.
    private static let mostPairs = 201
    private static let fewestPairs = 11
    /// For how long one work is measured, in seconds, if that gives enough pairs.
    private static let patience = 1.5

    /// The processor time of one verification, in seconds.
    func seconds() throws -> Double {
        try processorTime {
            for _ in 0..<Self.turn {
                guard publicKey.isValidSignature(signature, for: message) else { throw Failure.refused }
            }
        } / Double(Self.turn)
    }

    /// Measures `work` in units.
    func measure(_ work: () throws -> Void) throws -> PairedRatio {
        try withoutActuallyEscaping(work) { try measure(parts: [$0])[0] }
    }

    /// Measures works that follow one another, each in units; all are done once in each turn.
    func measure(parts: [() throws -> Void]) throws -> [PairedRatio] {
        var ratios = [[Double]](repeating: [], count: parts.count)
        var (before, total) = (try seconds(), 0.0)
        while ratios[0].count < Self.fewestPairs || ratios[0].count < Self.mostPairs && total < Self.patience {
            let times = try parts.map { try processorTime($0) }
            let after = try seconds()
            for (part, time) in times.enumerated() { ratios[part].append(2 * time / (before + after)) }
            total += times.reduce(0, +)
            before = after
        }
        return ratios.map(PairedRatio.init)
    }
}

/// The processor time of `body` on this thread, in seconds: that of others does not count.
private func processorTime(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    try body()
    return now() - start
}
