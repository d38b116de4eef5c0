import Foundation
import Glibc
import Sodium


/// A file that holds one secret of 32 bytes and nothing else, readable by its owner only (mode 0600).
public enum KeyFile {
    /// Why a key cannot be made or read.
    public enum Failure: Error, Equatable, Sendable {
        /// There is a file already: keys are never overwritten.
        case exists(path: String)
        /// The file cannot be written, or its folder cannot.
        case unwritable(path: String)
        /// There is no such file, or it may not be read.
        case unreadable(path: String)
        /// The file does not have 32 bytes.
        case malformed(path: String)
    }

    private static let count = 32

    /// Makes a new random key in a new file. The bytes are on the disk when this returns.
    public static func create(at path: String) throws(Failure) -> SecretBytes {
        let secret = SecretBytes(randomCount: count)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw errno == EEXIST ? .exists(path: path) : .unwritable(path: path) }
        defer { close(descriptor) }
        let isWritten = secret.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == count
        guard isWritten, fsync(descriptor) == 0, DurableFile.syncFolder(of: path) else {
            unlink(path)
            throw .unwritable(path: path)
        }
        return secret
    }

    /// Reads a key.
    public static func read(at path: String) throws(Failure) -> SecretBytes {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path) }
        defer { close(descriptor) }
        // One byte more than a key, so that a longer file is noticed.
        var buffer = SecretBytes(count: count + 1)
        let found = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard found == count else { throw .malformed(path: path) }
        return buffer.withUnsafeBytes { SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}

/// Files that are written whole or not at all.
public enum DurableFile {
    /// Why a file was not written.
    public struct Failure: Error, Equatable, Sendable {
        /// The file.
        public let path: String
        /// What the system said.
        public let reason: String
    }

    /// Writes `bytes` beside `path`, makes them durable, and puts them in place under `path` in one step.
    public static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(Failure) {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(path) }
        var offset = 0
        while offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else {
                let error = failure(path)
                close(descriptor)
                unlink(temporary)
                throw error
            }
            offset += written
        }
        guard fsync(descriptor) == 0, close(descriptor) == 0, rename(temporary, path) == 0, syncFolder(of: path) else {
            let error = failure(path)
            unlink(temporary)
            throw error
        }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(path: path, reason: String(cString: strerror(errno)))
    }

    /// Makes the names in the folder of `path` durable.
    static func syncFolder(of path: String) -> Bool {
        let folder = (path as NSString).deletingLastPathComponent
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }
}
