/// How many new checkpoints each rule may still have: a bucket for each, which fills with time. In memory only.
struct RateLimits {
    private struct Bucket {
        var tokens: Double
        var filledAt: Int64
    }
    private var buckets: [Int64: Bucket] = [:]
    private var renewals: [Int64: Bucket] = [:]
    private static let secondsPerDay = 86_400.0
    /// A burst of so many minutes' checkpoints is let through, and of at least so many checkpoints.
    private static let (burstMinutes, smallestBurst) = (5.0, 60.0)

    /// Takes one new checkpoint from a rule's allowance; false if it is used up. `now` is in seconds since 1970.
    mutating func take(_ rule: TrustRule, at now: Int64) -> Bool {
        let perSecond = Double(rule.perDay) / Self.secondsPerDay
        return Self.take(
            &buckets[rule.id], perSecond: perSecond,
            most: max(perSecond * 60 * Self.burstMinutes, Self.smallestBurst), at: now)
    }

    /// Takes one fresh time for a checkpoint that was cosigned before: ten a second for each rule.
    mutating func takeRenewal(_ rule: TrustRule, at now: Int64) -> Bool {
        Self.take(&renewals[rule.id], perSecond: 10, most: 100, at: now)
    }

    private static func take(_ known: inout Bucket?, perSecond: Double, most: Double, at now: Int64) -> Bool {
        var bucket = known ?? Bucket(tokens: most, filledAt: now)
        // A clock that is set back fills nothing.
        bucket.tokens = min(most, bucket.tokens + perSecond * Double(max(0, now - bucket.filledAt)))
        bucket.filledAt = now
        defer { known = bucket }
        guard bucket.tokens >= 1 else { return false }
        bucket.tokens -= 1
        return true
    }
}
