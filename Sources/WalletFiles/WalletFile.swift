import DurableFiles
import FoundationEssentials
import Platform
import SignerWallet
import Sodium

/// A wallet in a file, which one process uses at a time. What belongs to it lies beside it.
///
/// Every write replaces a file atomically. The times of these files, and of a folder that is for its owner alone, are
/// those of a day's beginning: they do not tell when something was signed.
public final class WalletFile: WalletStore {
    private let path: String
    private let lock: FileLock

    /// Takes the lock of the file at `path`, before anything is read: what another process is about to save must not be
    /// lost.
    init(_ path: String) throws(SignerError) {
        do { lock = try FileLock(path: path + ".lock") } catch {
            switch error {
            case .held: throw .walletLocked(path: path)
            case .unavailable: throw .walletUnwritable(path: path)
            }
        }
        self.path = path
    }

    /// The path of the file.
    public var name: String { path }

    /// A file's bytes; nil if there is none.
    public func read(_ suffix: String, limit: Int) throws(SignerError) -> [UInt8]? {
        try Self.read(path + suffix, limit: limit)
    }

    static func read(_ path: String, limit: Int) throws(SignerError) -> [UInt8]? {
        do { return try DurableFile.read(path, limit: limit) } catch {
            switch error {
            case .missing: return nil
            case .tooLarge: throw .walletMalformed
            case .isFolder: throw .walletIsFolder(path: path)
            case .notPermitted: throw .walletNotPermitted(path: path)
            case .system(_, let reason): throw .walletUnreadable(path: path, reason: reason)
            }
        }
    }

    /// Writes a file for its owner alone.
    public func write(_ bytes: [UInt8], _ suffix: String) throws(SignerError) {
        let today = Environment.secondsSince1970 / 86_400 * 86_400
        do { try DurableFile.write(bytes, to: path + suffix, mode: 0o600, modified: today) } catch {
            throw .walletNotWritten(path: error.path, reason: error.reason)
        }
    }

    /// Gives up the lock.
    public func release() { lock.release() }

    /// Takes the lock again.
    public func take() -> Bool { lock.take() }

    /// Takes a second lock of the same file.
    public func beginsToJoin() -> Bool { lock.takeSecond() }
}

extension Wallet {
    /// Creates a new wallet with a fresh seed at `path`.
    public static func create(at path: String, passphrase: borrowing SecretBytes) throws(SignerError) -> Wallet {
        try create(in: WalletFile(DurableFile.target(of: path)), passphrase: passphrase)
    }

    /// Opens the wallet at `path`.
    public static func open(at path: String, passphrase: borrowing SecretBytes) throws(SignerError) -> Wallet {
        // One wallet has one lock, by whatever link it is named.
        let path = DurableFile.target(of: path)
        guard FileManager.default.fileExists(atPath: path) else { throw .walletMissing(path: path) }
        return try open(in: WalletFile(path), passphrase: passphrase)
    }

    /// Stores an exported wallet at `path`, where there must be no wallet yet. The passphrase is that of the export.
    public static func importing(
        _ file: String, to path: String, passphrase: borrowing SecretBytes
    ) throws(SignerError) -> Wallet {
        let path = DurableFile.target(of: path)
        guard !FileManager.default.fileExists(atPath: path) else { throw .walletExists(path: path) }
        let store = try WalletFile(path)
        guard let bytes = try WalletFile.read(file, limit: maximumCount) else { throw .walletMissing(path: file) }
        return try importing(bytes, into: store, passphrase: passphrase)
    }

    /// Writes a copy under the same passphrase to a new file.
    public func export(to path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else { throw SignerError.walletExists(path: path) }
        if let bytes = exported() { try DurableFile.write(bytes, to: path, mode: 0o600) }
    }
}
