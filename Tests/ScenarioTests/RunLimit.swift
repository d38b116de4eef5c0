import PostgresCluster
import Testing

extension Trait where Self == TimeLimitTrait {
    /// Ends a test that hangs. All tests begin at once, and one that waits goes on only when a thread is free: its time
    /// is that of the others, too, so that a limit shorter than the whole run says nothing about it.
    static var withinTheRun: Self { .timeLimit(.minutes(30)) }
}

extension Trait where Self == ConditionTrait {
    /// For what a test does to the file of a database.
    static var onFiles: Self { .disabled(if: TestEngine.isPostgres, "the database is not a file") }
    /// For what several servers do on one database.
    static var onPostgres: Self { .enabled(if: TestEngine.isPostgres, "the database is a file, which has one server") }
}
