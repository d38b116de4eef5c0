import Platform

/// A folder for files that only its owner may see.
public enum SecretFolder {
    /// Why a folder is not used.
    public enum Failure: Error, Equatable, Sendable {
        /// It belongs to somebody else, who can read and replace what is in it.
        case foreign(path: String)
        /// Others may enter it, and it has files already, which may be meant for them.
        case shared(path: String)
        /// It cannot be made or changed, for this reason of the system.
        case unusable(path: String, reason: String)
    }

    /// What had to be done.
    public enum Preparation: Equatable, Sendable {
        /// It was made, with the folders above it.
        case made
        /// It was there, for its owner alone.
        case found
        /// It was there and open to others; now it is for its owner alone.
        case closed
    }

    /// Makes the folder with mode 0700, or sees that it is its owner's and closes it to others. One that has files is
    /// closed only if `isOurs`.
    public static func prepare(_ path: String, isOurs: Bool) throws(Failure) -> Preparation {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw unusable(path) }
            try make(path)
            return .made
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .unusable(path: path, reason: String(cString: strerror(ENOTDIR)))
        }
        guard status.st_uid == geteuid() else { throw .foreign(path: path) }
        guard status.st_mode & 0o077 != 0 else { return .found }
        guard isOurs || isEmpty(path) else { throw .shared(path: path) }
        guard chmod(path, 0o700) == 0 else { throw unusable(path) }
        return .closed
    }

    private static func isEmpty(_ path: String) -> Bool {
        guard let folder = opendir(path) else { return false }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Itself and the one above.
        return count <= 2
    }

    private static func make(_ path: String) throws(Failure) {
        var end = path.utf8.startIndex
        while end < path.utf8.endIndex {
            let rest = path.utf8[path.utf8.index(after: end)...]
            end = rest.firstIndex(of: UInt8(ascii: "/")) ?? path.utf8.endIndex
            let folder = String(decoding: path.utf8[..<end], as: UTF8.self)
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw unusable(path) }
        }
    }

    private static func unusable(_ path: String) -> Failure {
        .unusable(path: path, reason: String(cString: strerror(errno)))
    }
}
