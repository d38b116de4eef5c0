import AggregatorService
import ServiceHTTP
import Messages

/// Holds a state machine so that `#expect` can call it: the macro does not accept mutating functions of values.
final class Held<Machine> {
    var machine: Machine
    init(_ machine: Machine) { self.machine = machine }
}

extension Held<CommitSchedule> {
    func step(now: ContinuousClock.Instant, _ event: CommitSchedule.Event) -> [CommitSchedule.Action] {
        machine.step(now: now, event)
    }
}

extension Held<ProofOfWorkDemand> {
    var bits: UInt64 { machine.bits }
    func challenge(lastSeed: Bool = false) -> ProofOfWorkChallenge? { machine.challenge(lastSeed: lastSeed) }
    func step(now: ContinuousClock.Instant) { machine.step(now: now) }
    func found(wrong paidBits: [UInt64], now: ContinuousClock.Instant) { machine.found(wrong: paidBits, now: now) }
}

extension Held<ReadingQueue<String>> {
    func want(_ subject: String, waiter: Int?, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        machine.want(subject, waiter: waiter, now: now)
    }
    func hasRoom(for subject: String) -> Bool { machine.hasRoom(for: subject) }
    func forget(_ waiter: Int, of subject: String) { machine.forget(waiter, of: subject) }
    func begin(_ subject: String, now: ContinuousClock.Instant) -> [Int] { machine.begin(subject, now: now) }
    func end(_ subject: String, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        machine.end(subject, now: now)
    }
}
