import Bytes
import DurableFiles
import Documents
import Foundation
import Platform
import Sodium
import Storage
import TransparencyLog

/// What a witness cosigned last of each log, recorded outside a database that is on another machine: one file for each
/// log. A standby that was behind when it took the primary's place has forgotten some of it, and a witness that does
/// not know what it cosigned can be made to cosign another branch.
struct CosignedMemory: Sendable {
    private static let limit = 1 << 16
    private let folder: String

    /// The records in `folder`, which is made with the first one.
    init(folder: String) { self.folder = folder }

    private func path(of origin: String) -> String {
        "\(folder)/\(Hex.encode(SHA256.hash(Array(origin.utf8)).array))"
    }

    /// Checks that the database knows at least what was recorded of a log: `last` asks it afterwards. Throws a
    /// ``StorageError`` if it does not.
    func check(_ origin: String, last: () throws -> Checkpoint?) throws {
        if let recorded = try recorded(origin) { try Self.check(recorded, isIn: last()) }
    }

    /// The origins of all logs that something was recorded of.
    func origins() throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            let path = "\(folder)/\(name)"
            guard let checkpoint = try? Checkpoint(parsing: DurableFile.read(path, limit: Self.limit)) else {
                throw StorageError.memoryDamaged(path: path)
            }
            return checkpoint.origin
        }
    }

    /// Checks that what the database knows last of a log is this checkpoint, or a later one.
    static func check(_ checkpoint: Checkpoint, isIn last: Checkpoint?) throws {
        let origin = checkpoint.origin
        guard let last, last.size >= checkpoint.size else {
            throw StorageError.rolledBack(origin: origin, published: checkpoint.size, stored: last?.size ?? 0)
        }
        guard last.size > checkpoint.size || last.root == checkpoint.root else {
            throw StorageError.otherThanPublished(origin: origin, size: checkpoint.size)
        }
    }

    /// Records a checkpoint before the line over it is given out, durably.
    func record(_ checkpoint: Checkpoint) throws {
        guard try recorded(checkpoint.origin) != checkpoint else { return }
        mkdir(folder, 0o700)
        let path = path(of: checkpoint.origin)
        do { try DurableFile.write(checkpoint.text, to: path, mode: 0o600) } catch {
            throw StorageError.notRemembered("\(error.path) cannot be written: \(error.reason)")
        }
    }

    private func recorded(_ origin: String) throws -> Checkpoint? {
        let path = path(of: origin)
        let text: [UInt8]
        do { text = try DurableFile.read(path, limit: Self.limit) } catch {
            if case .missing = error { return nil }
            throw error
        }
        guard let checkpoint = try? Checkpoint(parsing: text), checkpoint.origin == origin else {
            throw StorageError.memoryDamaged(path: path)
        }
        return checkpoint
    }
}
