/// Why a resource could be neither read nor said to be absent.
public enum SourceError: Error, Equatable, Sendable {
    /// The place did not answer, or answered something else than the resource. `reason` is for people.
    case unreachable(location: String, reason: String)
    /// More bytes than the resource may have.
    case tooLarge(location: String)
}

/// A place that published resources are read from: a web server or a folder. Everything it gives is hostile until
/// checked.
public protocol ResourceSource: Sendable {
    /// The bytes at `path` (relative, segments separated by `/`), nil when there is no such resource. Never more than
    /// `limit` bytes are taken in. Throws a ``SourceError``.
    func read(_ path: String, limit: Int) async throws -> [UInt8]?

    /// The full name of `path` in this place, for messages.
    func location(of path: String) -> String
}
