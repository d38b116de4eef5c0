/// Why a resource could be neither read nor found to be absent.
public enum SourceError: Error, Equatable, Sendable {
    /// The source did not answer, or answered with something other than the resource. `reason` is for people.
    case unreachable(location: String, reason: String)
    /// The resource is larger than it may be.
    case tooLarge(location: String)
}

/// A source of published resources: a web server or a folder. Everything it returns is untrusted until checked.
public protocol ResourceSource: AnyObject, Sendable {
    /// The bytes at `path` (relative, segments separated by `/`); nil if there is no such resource. Never reads more
    /// than `limit` bytes.
    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]?

    /// The full name of `path` in this source, for messages.
    func location(of path: String) -> String
}
