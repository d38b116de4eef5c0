import LogReading
import Platform
import TransparencyLog

/// Published resources in a folder, such as an offline copy.
public final class FolderSource: ResourceSource {
    private let folder: String

    /// Reads below `folder`.
    public init(folder: String) {
        self.folder = folder
    }

    /// The file's path.
    public func location(of path: String) -> String {
        path.isEmpty ? folder : "\(folder)/\(path)"
    }

    /// The file's bytes; nil if there is no such file.
    public func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        let file = location(of: path)
        // The folder may contain anything: opening a pipe must not wait for a writer.
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw SourceError.unreachable(location: file, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SourceError.unreachable(location: file, reason: "it is not a file")
        }
        guard status.st_size <= limit else { throw SourceError.tooLarge(location: file) }
        return try Self.read(descriptor, count: Int(status.st_size), file)
    }

    private static func read(_ descriptor: Int32, count: Int, _ file: String) throws(SourceError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let read = Platform.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
                if read < 0 { failure = errno }
                guard read > 0 else { return }
                filled += read
            }
        }
        guard failure == 0 else {
            throw SourceError.unreachable(location: file, reason: String(cString: strerror(failure)))
        }
        return bytes
    }
}
