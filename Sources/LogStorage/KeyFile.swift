import DurableFiles
import Platform
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
        let found = buffer.withUnsafeMutableBytes { Platform.read(descriptor, $0.baseAddress, $0.count) }
        guard found == count else { throw .malformed(path: path) }
        return buffer.withUnsafeBytes { SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}
