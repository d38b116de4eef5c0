import Platform

/// A lock that only one process can hold at a time. The system releases it when the process ends, however it ends.
public struct FileLock: ~Copyable {
    /// Why the lock could not be taken.
    public enum Failure: Error, Equatable, Sendable {
        /// Another process holds it.
        case held(path: String)
        /// The lock file cannot be opened.
        case unavailable(path: String)
    }

    private let descriptor: Int32

    /// Locks the file at `path`, which is created if necessary. Fails at once if the lock is held.
    public init(path: String) throws(Failure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unavailable(path: path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .held(path: path)
        }
        self.descriptor = descriptor
    }

    /// Lets others have the lock until ``take()``.
    public borrowing func release() {
        flock(descriptor, LOCK_UN)
    }

    /// Takes the lock again after ``release()``. False if another process holds it.
    public borrowing func take() -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// Takes a second lock of the same file, which is independent of the first and of ``release()``. False if another
    /// process has it. The system releases it with the first.
    public borrowing func takeSecond() -> Bool {
        var range = flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        range.l_len = 1
        return fcntl(descriptor, F_SETLK, &range) == 0
    }

    deinit {
        close(descriptor)
    }
}
