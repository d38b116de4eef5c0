import Bytes
import DurableFiles
import Foundation
import Platform
import Sodium
import Storage
import TransparencyLog

/// The last published checkpoint of each log, recorded outside the database: one file per log, with the signed note. It
/// reveals a database that is older than what was published, or a different one, before anything is signed over it.
///
/// A server records a checkpoint after its transaction is durable and before publishing it.
public struct PublishedCheckpoints: Sendable {
    private let folder: String
    private let verified = Verified()

    /// Notes whose signatures were verified, by their files.
    private final class Verified: Sendable {
        let notes = Mutex<[String: (note: [UInt8], checkpoint: Checkpoint)]>([:])
    }

    /// The records in `folder`, which is created with the first one.
    public init(folder: String) {
        self.folder = folder
    }

    /// The file that records the checkpoint of a log.
    public func path(of origin: String) -> String {
        // An origin is a url without the scheme: it contains no exclamation mark, and no "." or ".." segments.
        folder + "/" + origin.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "!")
    }

    /// Records `head` of a log in `database`, unless it or a later one is already recorded: two programs may commit to
    /// one database. First it makes sure that the log there has both what was recorded and this head, and that it is
    /// wherever it must: a database's server may have been replaced meanwhile by one that has less. The record is
    /// durable when this returns. Throws a ``StorageError`` if it cannot be written, or is not confirmed.
    public func remember(_ head: StoredLog.Head, key: Ed25519PublicKey, in database: any Storage) throws {
        // Without the lock of others, since standbys may take their time.
        let known = try last(of: head.checkpoint.origin, key: key)
        guard known != head.checkpoint else { return }
        try database.readConfirmed { db in
            guard let log = try StoredLog.find(db, origin: head.checkpoint.origin) else {
                throw StorageError.rolledBack(
                    origin: head.checkpoint.origin, published: head.checkpoint.size, stored: 0)
            }
            for checkpoint in [known, head.checkpoint].compactMap({ $0 }) { try log.check(db, has: checkpoint) }
        }
        mkdir(folder, 0o700)
        let lock = open("\(folder)/\(Self.lock)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
            throw StorageError.notRemembered("\(folder) cannot be written")
        }
        defer { close(lock) }
        let path = path(of: head.checkpoint.origin)
        if let last = try last(of: head.checkpoint.origin, key: key), last.size >= head.checkpoint.size {
            guard last.size > head.checkpoint.size || last.root == head.checkpoint.root else {
                throw StorageError.otherThanPublished(origin: last.origin, size: last.size)
            }
            return
        }
        do { try DurableFile.write(head.note, to: path, mode: 0o600) } catch {
            throw StorageError.notRemembered("\(error.path) cannot be written: \(error.reason)")
        }
    }

    /// The last published checkpoint of a log; nil if there is none.
    private func last(of origin: String, key: Ed25519PublicKey) throws -> Checkpoint? {
        let path = path(of: origin)
        let note: [UInt8]
        do { note = try DurableFile.read(path, limit: SignedNote.maximumCount) } catch {
            switch error {
            case .missing: return nil
            case .tooLarge, .isFolder: throw StorageError.memoryDamaged(path: path)
            case .notPermitted: throw StorageError.memoryUnreadable(path: path, reason: "permission denied")
            case .system(_, let reason): throw StorageError.memoryUnreadable(path: path, reason: reason)
            }
        }
        if let known = verified.notes.withLock({ $0[path] }), known.note == note { return known.checkpoint }
        guard let checkpoint = try? Checkpoint(verifying: note, key: VerifierKey(name: origin, publicKey: key)) else {
            throw StorageError.memoryDamaged(path: path)
        }
        verified.notes.withLock { $0[path] = (note, checkpoint) }
        return checkpoint
    }

    /// How many entries of a log were published. Throws a ``StorageError``.
    public func size(of origin: String, key: Ed25519PublicKey) throws -> UInt64 {
        try last(of: origin, key: key)?.size ?? 0
    }

    /// The origins of all logs that were published.
    private func origins() throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        // Others are the lock, what was being written when a program was killed, and what is none of ours.
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            $0.contains("!") && !$0.hasSuffix(".new")
        }.map { $0.replacing("!", with: "/") }
    }

    private static let lock = "lock"

    /// Checks that a database has every log that was published, and continues it. Throws a ``StorageError``.
    public func check(key: Ed25519PublicKey, in database: any Storage) throws {
        // The order matters: a log may be made, and recorded, in between.
        let published = try origins().compactMap { try last(of: $0, key: key) }
        let logs = try database.read { try StoredLog.all($0) }
        for checkpoint in published where !logs.contains(where: { $0.origin == checkpoint.origin }) {
            throw StorageError.rolledBack(origin: checkpoint.origin, published: checkpoint.size, stored: 0)
        }
        for log in logs { try check(log, key: key, in: database) }
    }

    /// Checks the same of all logs in a transaction, before anything is signed in it.
    public func check(_ db: Transaction, key: Ed25519PublicKey) throws {
        for log in try StoredLog.all(db) {
            if let published = try last(of: log.origin, key: key) { try log.check(db, has: published) }
        }
    }

    /// Checks that `log` extends what was published: it is not shorter, and has the same root at that size. Throws a
    /// ``StorageError``.
    public func check(_ log: StoredLog, key: Ed25519PublicKey, in database: any Storage) throws {
        // The order matters: a server may commit and record a checkpoint in between.
        let last = try last(of: log.origin, key: key)
        let size = try database.read { try log.head($0).checkpoint.size }
        guard let published = try last ?? self.last(of: log.origin, key: key) else {
            // A log has a record from its first checkpoint on, before it has entries.
            guard size == 0 else { throw StorageError.memoryLost(path: path(of: log.origin)) }
            return
        }
        try database.read { try log.check($0, has: published) }
    }
}
