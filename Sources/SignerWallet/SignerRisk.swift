import Petitions

/// What a person is asked about before going on. None of it is proof of a lie; each is what a lie would look like.
public enum SignerRisk: Error, Equatable, Sendable {
    /// The joining phase takes less than an hour, in which few join at random moments.
    case shortWindow(seconds: Int)
    /// The opening of joining was first seen when half of the phase was over.
    case lateNotice(opened: UTCTime, now: UTCTime)
    /// The log was shown without the opening when that was a quarter of an hour old.
    case lateLog(opened: UTCTime, seen: UTCTime)
    /// The wallet does not remember that it joined: it was restored from an older export, or used elsewhere.
    case restoredWallet
    /// The petition is signed by a key that none of its rolls has.
    case foreignKey
    /// At an earlier time the coordinator showed what contradicts what it had shown before.
    case seenContradiction(what: String, at: UTCTime)

    /// The names by which a person agrees to a risk in advance.
    public static let names = [
        "short-window", "late-notice", "late-log", "restored-wallet", "foreign-key", "seen-contradiction",
    ]

    /// The name of this one.
    public var name: String {
        switch self {
        case .shortWindow: Self.names[0]
        case .lateNotice: Self.names[1]
        case .lateLog: Self.names[2]
        case .restoredWallet: Self.names[3]
        case .foreignKey: Self.names[4]
        case .seenContradiction: Self.names[5]
        }
    }
}
