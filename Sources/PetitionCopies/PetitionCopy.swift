import Documents
import LogReading
import Petitions
import TransparencyLog

/// Why a copy is not complete.
public enum CopyError: Error, Sendable {
    /// A part could not be read.
    case source(SourceError)
    /// A required part is missing.
    case missing(location: String)
    /// The petition or a roll is not a valid document.
    case document(location: String, DocumentError)
    /// A log is not what it should be.
    case log(location: String, LogReadError)
    /// An announcements log does not have the petition and its rolls: it may be older.
    case notAnnounced(log: String)

    /// The error for a log in `source` that could not be read.
    init(_ error: LogReadError, of log: PublishedLog, in source: any ResourceSource) {
        self =
            switch error {
            case .source(let error): .source(error)
            case .missing(let path): .missing(location: source.location(of: path))
            default: .log(location: log.key.name, error)
            }
    }

    /// True when something is proven wrong, false when it merely could not be read.
    public var isProof: Bool {
        switch self {
        case .source, .missing, .notAnnounced: false
        // Whatever answers at an address may say anything: nobody signed that.
        case .document: false
        case .log(_, let error): error.isProof
        }
    }

    /// What is wrong, for people.
    public var explanation: String {
        switch self {
        case .source(.tooLarge(let location)): "\(location) is larger than it can be"
        case .source(let error): "\(error.location) cannot be read: \(error.reason)"
        case .missing(let location): "\(location) is missing"
        case .document(let location, let error): "\(location): \(error.explanation)"
        case .log(let location, let error): "the log \(location) \(error.explanation)"
        case .notAnnounced(let log): "the log \(log) does not have the petition and its rolls as it is shown"
        }
    }
}

/// What a copy holds.
public struct PetitionCopy: Sendable {
    /// What was copied.
    public let petition: PetitionManifest
    /// Why it is not complete: parts for which no source was good. For such a part, the copy has what was published.
    public internal(set) var problems: [CopyError] = []
    /// Parts that were not good where they are published.
    public internal(set) var replacements: [Replacement] = []
    /// Logs for which two contradictory heads were shown.
    public internal(set) var contradictions: [Contradiction] = []

    /// A log for which two contradictory heads were signed.
    public struct Contradiction: Equatable, Sendable {
        /// The log's origin.
        public let log: String
        /// Whether the copy has the evidence; it has none for a log of more than 2^18 entries.
        public let hasEvidence: Bool
    }

    /// A part that was taken from an aggregator that keeps it.
    public struct Replacement: Sendable {
        /// The name of the part, in words.
        public let part: String
        /// Why it was not taken from where it is published.
        public let reason: CopyError
        /// The petition's address at the aggregator.
        public let keeper: ServiceURL
    }

    init(_ petition: PetitionManifest) {
        self.petition = petition
    }
}
