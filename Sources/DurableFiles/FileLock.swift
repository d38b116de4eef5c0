import Platform

/// The right to use something alone: one process at a time. The system gives it up when the process ends, however it
/// ends.
public struct FileLock: ~Copyable {
    /// Why the lock is not ours.
    public enum Failure: Error, Equatable, Sendable {
        /// Another process has it.
        case held(path: String)
        /// The lock file cannot be opened.
        case unavailable(path: String)
    }

    private let descriptor: Int32

    /// Takes the lock on the file at `path`, which is made if need be, or fails at once.
    public init(path: String) throws(Failure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unavailable(path: path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .held(path: path)
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }
}
