/// Why a resource could be neither read nor found to be absent.
public enum SourceError: Error, Equatable, Sendable {
    /// The source did not answer, or answered with something other than the resource. `reason` is for people.
    case unreachable(location: String, reason: String)
    /// A server answered with this status, which says neither that the resource is there nor that it is not.
    case answered(location: String, status: Int)
    /// The resource is larger than it may be.
    case tooLarge(location: String)

    /// The full name of the resource.
    public var location: String {
        switch self {
        case .unreachable(let location, _), .answered(let location, _), .tooLarge(let location): location
        }
    }

    /// What is wrong, for people; it follows the location.
    public var reason: String {
        switch self {
        case .unreachable(_, let reason): reason
        case .answered(_, let status): "it answered with status \(status)"
        case .tooLarge: "it is larger than it can be"
        }
    }
}

/// A source of published resources: a web server or a folder. Everything it returns is untrusted until checked.
public protocol ResourceSource: AnyObject, Sendable {
    /// The bytes at `path` (relative, segments separated by `/`); nil if there is no such resource. Never reads more
    /// than `limit` bytes.
    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]?

    /// Says that these paths are read next, and what was said before only as far as it is among them. Where there are
    /// no threads, as in a browser, the source may ask for them already.
    func expect(_ paths: [String], limit: Int)

    /// The full name of `path` in this source, for messages.
    func location(of path: String) -> String
}

extension ResourceSource {
    /// Does nothing: others read ahead by asking several times at once.
    public func expect(_ paths: [String], limit: Int) {}
}
