import Bytes
import DurableFiles
import Foundation
import Platform
import Sodium
import Storage

/// A file that holds one secret of 32 bytes and nothing else, readable only by its owner (mode 0600).
public enum KeyFile {
    /// Why a key could not be created or read.
    public enum Failure: Error, Equatable, Sendable {
        /// The file exists already: keys are never overwritten.
        case exists(path: String)
        /// The file or its folder cannot be written.
        case unwritable(path: String)
        /// There is no such file.
        case missing(path: String)
        /// The file cannot be read.
        case unreadable(path: String)
        /// The file does not have 32 bytes.
        case malformed(path: String)
    }

    private static let count = 32

    /// Creates a new random key in a new file. It is durable when this returns. The file has its name only once it is
    /// whole: half a key would never be replaced.
    public static func create(at path: String) throws(Failure) -> SecretBytes {
        let secret = SecretBytes(randomCount: count)
        let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: path) }
        defer {
            close(descriptor)
            unlink(temporary)
        }
        let isWritten = secret.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == count
        guard isWritten, fsync(descriptor) == 0 else { throw .unwritable(path: path) }
        guard link(temporary, path) == 0 else { throw errno == EEXIST ? .exists(path: path) : .unwritable(path: path) }
        guard DurableFile.syncFolder(of: path) else {
            unlink(path)
            throw .unwritable(path: path)
        }
        return secret
    }

    /// Reads the key that signs for the owner of a database, which has its public key (32 bytes). Throws
    /// ``StorageError/otherKey`` if the two are not of one server.
    public static func key(at path: String, of publicKey: Data) throws -> Ed25519SecretKey {
        let key = Ed25519SecretKey(seed: try read(at: path))
        guard Data(key.publicKey.bytes.array) == publicKey else { throw StorageError.otherKey }
        return key
    }

    /// The key at `path`, or a new one if there is none.
    public static func readOrCreate(at path: String) throws(Failure) -> SecretBytes {
        do { return try read(at: path) } catch {
            guard case .missing = error else { throw error }
            return try create(at: path)
        }
    }

    /// Overwrites a key and removes its file, if there is one. Whether the disk keeps a copy of the old bytes is not
    /// known. First the file loses its name: half erased, it must not be taken for a key. ``finishErasing(in:)`` goes
    /// on after a crash.
    public static func erase(at path: String) {
        let erased = path + erasedSuffix
        guard rename(path, erased) == 0 else { return }
        _ = DurableFile.syncFolder(of: erased)
        overwrite(erased)
    }

    /// Finishes what a crash interrupted for one key.
    public static func finishErasing(at path: String) {
        let erased = path + erasedSuffix
        if FileManager.default.fileExists(atPath: erased) { overwrite(erased) }
    }

    /// Finishes what a crash interrupted in a folder.
    public static func finishErasing(in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasSuffix(erasedSuffix) { overwrite("\(folder)/\(name)") }
    }

    private static let erasedSuffix = ".erased"

    private static func overwrite(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        if descriptor >= 0 {
            let zeros = [UInt8](repeating: 0, count: count)
            if write(descriptor, zeros, zeros.count) == zeros.count { fsync(descriptor) }
            close(descriptor)
        }
        unlink(path)
        _ = DurableFile.syncFolder(of: path)
    }

    /// Reads a key.
    public static func read(at path: String) throws(Failure) -> SecretBytes {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path) }
        defer { close(descriptor) }
        // One byte more than a key, to detect a longer file.
        var buffer = SecretBytes(count: count + 1)
        let found = buffer.withUnsafeMutableBytes { Platform.read(descriptor, $0.baseAddress, $0.count) }
        // A disk that fails for a moment does not make it no key.
        guard found >= 0 else { throw .unreadable(path: path) }
        guard found == count else { throw .malformed(path: path) }
        return buffer.withUnsafeBytes { SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}
