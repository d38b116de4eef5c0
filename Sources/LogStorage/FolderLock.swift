import Foundation
import Glibc

/// The right to serve from a folder: one process at a time. The system gives it up when the process ends, however it ends.
public struct FolderLock: ~Copyable {
    /// Why the folder is not ours.
    public enum Failure: Error, Equatable, Sendable {
        /// Another server runs on it.
        case held(folder: String)
        /// The lock file cannot be opened.
        case unavailable(folder: String)
    }

    private let descriptor: Int32

    /// Takes the lock of `folder`, or fails at once.
    public init(folder: String) throws(Failure) {
        let descriptor = open(folder + "/serve.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unavailable(folder: folder) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .held(folder: folder)
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }
}
