import Platform

/// Files that are written atomically and durably.
public enum DurableFile {
    /// Why a file was not written.
    public struct Failure: Error, Equatable, Sendable {
        /// The file.
        public let path: String
        /// The system's error message.
        public let reason: String

        /// A file, and what the system says.
        public init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }
    }

    /// Why a file was not read.
    public enum ReadFailure: Error, Equatable, Sendable {
        /// There is no file of this name.
        case missing(path: String)
        /// It is a folder.
        case isFolder(path: String)
        /// This user may not read it.
        case notPermitted(path: String)
        /// It has more than so many bytes.
        case tooLarge(path: String, limit: Int)
        /// Another error of the system, in its words.
        case system(path: String, reason: String)

        init(_ path: String, errno code: Int32) {
            self =
                switch code {
                case ENOENT, ENOTDIR: .missing(path: path)
                case EISDIR: .isFolder(path: path)
                case EACCES, EPERM: .notPermitted(path: path)
                default: .system(path: path, reason: String(cString: strerror(code)))
                }
        }
    }

    /// The bytes of a file, of which it never keeps more than `limit`.
    public static func read(_ path: String, limit: Int) throws(ReadFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ReadFailure(path, errno: errno) }
        defer { close(descriptor) }
        return try read(descriptor, named: path, limit: limit)
    }

    /// The bytes up to the end of an open file, which messages call `path`.
    public static func read(
        _ descriptor: Int32, named path: String, limit: Int
    ) throws(ReadFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Platform.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw ReadFailure(path, errno: errno) }
            guard bytes.count + count <= limit else { throw .tooLarge(path: path, limit: limit) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// The first bytes of an open file, at most `limit`; what follows is left alone. Of one that fails, what came
    /// before.
    public static func beginning(of descriptor: Int32, limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < limit {
            let count = Platform.read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// Throws the error that ``write(_:to:mode:)`` would throw, as far as it can be known in advance.
    public static func checkWritable(_ path: String) throws(Failure) {
        var status = stat()
        guard stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
            throw Failure(path: path, reason: "it is a folder")
        }
        let (descriptor, temporary) = try temporary(beside: target(of: path), mode: 0o600)
        close(descriptor)
        unlink(temporary)
    }

    /// Writes `bytes` to a new file, durably. Whatever is at `path` already is never replaced: then it throws.
    public static func create(_ bytes: [UInt8], at path: String, mode: UInt32 = 0o644) throws(Failure) {
        let (descriptor, temporary) = try temporary(beside: path, mode: mode)
        defer {
            close(descriptor)
            unlink(temporary)
        }
        try write(bytes, to: descriptor, named: path)
        guard fsync(descriptor) == 0, link(temporary, path) == 0, syncFolder(of: path) else { throw failure(path) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, named path: String) throws(Failure) {
        var offset = 0
        while offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes { Platform.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { throw failure(path) }
            offset += written
        }
    }

    /// Writes `bytes` to a temporary file beside `path`, makes them durable, and renames the file to `path`. If `path`
    /// is a symbolic link, the file that it names is written, and the link stays.
    ///
    /// With `modified`, the file shows that time, in seconds since 1970, as that of its last change and access, and so
    /// does its folder if it is for its owner alone.
    public static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32 = 0o644, modified: Int64? = nil
    ) throws(Failure) {
        let target = target(of: path)
        let (descriptor, temporary) = try temporary(beside: target, mode: mode)
        do { try write(bytes, to: descriptor, named: path) } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        let times = modified.map { timespec(tv_sec: Int($0), tv_nsec: 0) }
        if let times { futimens(descriptor, [times, times]) }
        guard fsync(descriptor) == 0, close(descriptor) == 0, rename(temporary, target) == 0, syncFolder(of: target)
        else {
            let error = failure(path)
            unlink(temporary)
            throw error
        }
        if let times { setTimes(ofFolderOf: target, times) }
    }

    private static func setTimes(ofFolderOf path: String, _ times: timespec) {
        var status = stat()
        let folder = folder(of: path)
        // Another folder has other files, whose times are none of ours.
        guard stat(folder, &status) == 0, status.st_mode & 0o077 == 0 else { return }
        utimensat(AT_FDCWD, folder, [times, times], 0)
    }

    /// A new file that nobody else could have put there: its name cannot be foretold, and no link is followed.
    private static func temporary(
        beside path: String, mode: UInt32
    ) throws(Failure) -> (descriptor: Int32, path: String) {
        let name = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).new"
        let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(path) }
        return (descriptor, name)
    }

    /// What `path` names, through symbolic links, also where the last of them names nothing yet.
    public static func target(of path: String) -> String {
        var path = path
        // As many as the system follows.
        for _ in 0..<40 {
            var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = buffer.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map { readlink(path, $0, bytes.count) } ?? 0
            }
            guard count > 0 else { return path }
            let link = String(decoding: buffer[..<count], as: UTF8.self)
            path = link.utf8.first == UInt8(ascii: "/") ? link : "\(folder(of: path))/\(link)"
        }
        return path
    }

    private static func failure(_ path: String) -> Failure {
        Failure(path: path, reason: String(cString: strerror(errno)))
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.utf8.startIndex ? "/" : String(decoding: path.utf8[..<slash], as: UTF8.self)
    }

    /// Makes the names in the folder of `path` durable. False if that fails.
    public static func syncFolder(of path: String) -> Bool {
        let descriptor = open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }
}
