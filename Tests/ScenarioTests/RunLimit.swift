import Testing

extension Trait where Self == TimeLimitTrait {
    /// Ends a test that hangs. All tests begin at once, and one that waits goes on only when a thread is free: its time
    /// is that of the others, too, so that a limit shorter than the whole run says nothing about it.
    static var withinTheRun: Self { .timeLimit(.minutes(30)) }
}
