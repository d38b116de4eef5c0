import DurableFiles
import Foundation
import LogStorage
import TransparencyLog

/// Checkpoints that a log's own key signed and its entries do not give, each in a file beside the database. A log that
/// has such a file signs nothing more: whoever shows that file can prove that it contradicts itself.
public struct LogEvidence: Sendable {
    private let folder: String

    /// The evidence in a server's folder.
    public init(folder: String) { self.folder = folder + "/evidence" }

    private func path(of origin: String) -> String {
        folder + "/" + origin.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "!")
    }

    /// The file against a log; nil if there is none.
    public func file(against origin: String) -> String? {
        let path = path(of: origin)
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// Keeps a checkpoint as evidence, durably, and returns the file.
    func keep(_ note: [UInt8], against origin: String) throws -> String {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = path(of: origin)
        try DurableFile.write(note, to: path, mode: 0o600)
        return path
    }
}
