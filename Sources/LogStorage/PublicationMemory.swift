import Bytes
import DurableFiles
import Glibc
import Sodium
import TransparencyLog

/// The last checkpoint that was published of each log, remembered outside the database: one file for each log, with the signed
/// note. A database that is older than what was published, or other, is found out by it, and nothing is signed over it.
///
/// A server remembers a checkpoint after its transaction is durable and before it shows it to anybody.
public struct PublicationMemory: Sendable {
    private let folder: String

    /// The memory in `folder`, which is made when something is remembered.
    public init(folder: String) {
        self.folder = folder
    }

    /// Where the checkpoint of a log is remembered.
    public func path(of origin: String) -> String {
        // An origin is a url without scheme: it has no exclamation mark, and neither "." nor ".." between slashes.
        folder + "/" + origin.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "!")
    }

    /// Remembers `note`, a checkpoint of the log with this origin. It is durable when this returns.
    public func remember(_ note: [UInt8], of origin: String) throws(DurableFile.Failure) {
        mkdir(folder, 0o700)
        try DurableFile.write(note, to: path(of: origin), mode: 0o600)
    }

    /// Checks that `log` continues what was published: not shorter, and with the same root at that size. Throws a
    /// ``StorageError``.
    public func check(_ log: StoredLog, key: Ed25519PublicKey, in database: ServerDatabase) throws {
        let path = path(of: log.origin)
        let head = try database.read { try log.head($0) }
        guard access(path, F_OK) == 0 else {
            // A log is remembered from its first checkpoint on, before it has entries.
            guard head.checkpoint.size == 0 else { throw StorageError.memoryLost(path: path) }
            return
        }
        guard let note = DurableFile.read(path, limit: SignedNote.maximumCount),
            let published = try? Checkpoint(
                verifying: note, key: VerifierKey(name: log.origin, publicKey: key))
        else { throw StorageError.memoryDamaged(path: path) }
        guard head.checkpoint.size >= published.size else {
            throw StorageError.rolledBack(
                origin: log.origin, published: published.size, stored: head.checkpoint.size)
        }
        guard try database.read({ try log.root($0, ofFirst: published.size) }) == published.root else {
            throw StorageError.otherThanPublished(origin: log.origin, size: published.size)
        }
    }
}
