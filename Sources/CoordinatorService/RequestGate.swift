import Bytes
import Documents
import Messages
import Petitions
import Platform
import ServiceHTTP
import Sodium

/// What stands before a request for an invitation: forms of our own pages, filled in by somebody, and work while many
/// ask. It keeps nothing of those who ask.
final class RequestGate: Sendable {
    /// How long a form must be open before it is sent, and how long it may be, in seconds.
    static let formAge: ClosedRange<Int64> = 2...3600
    /// How many requests in a second cost nothing.
    private static let tolerated = 16
    /// One bit less than the least work that a queue demands.
    private static let firstBitsOfQueue: UInt64 = 13
    private static let label = Array("roundrobin-v1 form".utf8)
    /// How long what is told of a domain stays the same, in seconds: whoever asked for somebody else must not see it
    /// change.
    private static let slotLength: Int64 = 600
    private static let blurLabel = Array("roundrobin-v1 blur".utf8)

    private struct State {
        var demand: ProofOfWorkDemand
        var forecasts: [RollID: Forecast] = [:]
    }

    /// How long mails wait, as it was at the beginning of a slot of ``slotLength``.
    private struct Forecast {
        let slot: Int64
        let hours: [String: UInt64]
        let all: UInt64
    }

    private let state: Mutex<State>
    /// Forms are good for one run of the server.
    private let key = SecretBytes(randomCount: 32)

    init() {
        state = Mutex(
            State(
                demand: ProofOfWorkDemand(now: .now, interval: .seconds(2), tolerated: Self.tolerated) {
                    SystemRandomness.bytes(ProofOfWorkChallenge.seedCount)
                }))
    }

    // MARK: Forms

    /// What a form of this moment carries.
    func form(at now: UTCTime) -> String {
        tag(now.seconds).withUnsafeBytes { "\(now.seconds).\(Hex.encode(Array($0)))" }
    }

    /// Whether a form was ours, and was open for some seconds, and not for too long.
    func isGood(form: String, at now: UTCTime) -> Bool {
        let parts = form.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let opened = Int64(parts[0]), let shown = Hex.decode(String(parts[1])),
            tag(opened).isEqual(to: SecretBytes(copying: shown))
        else { return false }
        return Self.formAge.contains(now.seconds.subtractingReportingOverflow(opened).partialValue)
    }

    private func tag(_ seconds: Int64) -> SecretBytes {
        var message = Self.label
        message.appendInteger(UInt64(bitPattern: seconds))
        return HMACSHA512.authenticate(message, key: key)
            .withUnsafeBytes { SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0.prefix(16))) }
    }

    // MARK: Work

    /// How much work a request takes at least while the queue is full to so many eighths: each further one doubles it.
    /// Whoever stays just below the rate that is tolerated could fill the queue for nothing.
    static func bits(load: Int) -> UInt64 { load <= 0 ? 0 : firstBitsOfQueue + UInt64(load) }

    /// What of a domain's requests may be told at this time: those before the returned time, and a part of an eighth on
    /// top, in 256 parts, which nobody knows. Otherwise the work would tell whether one person more has asked.
    func blur(domain: String, at now: UTCTime) -> (asOf: UTCTime, parts: UInt8) {
        let slot = now.seconds / Self.slotLength
        var message = Self.blurLabel
        message.appendInteger(UInt64(bitPattern: slot))
        message += domain.utf8
        let parts = HMACSHA512.authenticate(message, key: key).withUnsafeBytes { $0[0] }
        return (UTCTime(seconds: slot * Self.slotLength), parts)
    }

    /// The work that a request must come with now, at this load; nil when none is demanded.
    func demand(load: Int) -> ProofOfWorkChallenge? {
        state.withLock { state in
            state.demand.step(now: .now)
            return state.demand.challenge(atLeast: Self.bits(load: load))
        }
    }

    /// Lets a request in, unless it lacks the work that is demanded. Each one counts: the more come, and the more wait,
    /// the more work the next one takes.
    func admits(_ address: String, roll: RollID, work: String?, load: Int) -> Bool {
        let least = Self.bits(load: load)
        let demand = state.withLock { state in
            state.demand.step(now: .now)
            return state.demand
        }
        let challenges = [false, true].compactMap { demand.challenge(lastSeed: $0, atLeast: least) }
        if !challenges.isEmpty {
            let isPaid = challenges.contains { challenge in
                work.map { challenge.isMet(by: $0, for: Array(address.utf8), roll: roll) } ?? false
            }
            guard isPaid else { return false }
        }
        state.withLock { $0.demand.found(wrong: [demand.bits], now: .now) }
        return true
    }

    // MARK: Waiting

    /// About how many hours a mail to `domain` waits; 0 for less than one. `waiting` counts requests by domain, and
    /// `rate` is how many of one domain are answered in an hour for this roll, of `perHour` in all.
    func hours(
        domain: String, roll: RollID, now: UTCTime, perHour: Int, waiting: () throws -> [String: Int],
        rate: (String) throws -> Int?
    ) rethrows -> UInt64 {
        let slot = now.seconds / Self.slotLength
        if let known = state.withLock({ $0.forecasts[roll] }), known.slot == slot {
            return max(known.all, known.hours[domain] ?? 0)
        }
        let counts = try waiting()
        var hours: [String: UInt64] = [:]
        for (domain, count) in counts {
            guard let rate = try rate(domain) else { continue }
            hours[domain] = UInt64(count / max(1, rate))
        }
        let all = UInt64(counts.values.reduce(0, +) / max(1, perHour))
        state.withLock { [hours] in $0.forecasts[roll] = Forecast(slot: slot, hours: hours, all: all) }
        return max(all, hours[domain] ?? 0)
    }
}
