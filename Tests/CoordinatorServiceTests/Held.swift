import CoordinatorService

/// Holds a state machine so that `#expect` can call it: the macro does not accept mutating functions of values.
final class Held<Machine> {
    var machine: Machine
    init(_ machine: Machine) { self.machine = machine }
}

extension Held<JoinSchedule> {
    var due: ContinuousClock.Instant { machine.due }
    func receive() -> JoinSchedule.Reception { machine.receive() }
    func step(now: ContinuousClock.Instant) -> Bool { machine.step(now: now) }
    func stop() { machine.stop() }
    func take() { machine.take() }
}
