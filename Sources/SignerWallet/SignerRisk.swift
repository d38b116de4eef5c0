import Documents
import Petitions

/// What a person is asked about before going on. None of these proves a lie, but each is what a lie would look like.
public enum SignerRisk: Error, Equatable, Sendable {
    /// The joining phase is shorter than an hour, in which few members join at random moments.
    case shortWindow(seconds: Int)
    /// The opening of joining was first seen when more than half of the phase was over.
    case lateNotice(opened: UTCTime, seen: UTCTime)
    /// The phase in which this wallet saw the opening is over, and another one is open.
    case laterRound(own: UInt32, open: UInt32)
    /// The phase is over, but not closed yet: few members join now.
    case windowOver(end: UTCTime, now: UTCTime)
    /// The log was shown without the opening when that was more than a quarter of an hour old.
    case lateLog(opened: UTCTime, seen: UTCTime)
    /// The wallet does not remember that it joined: it was restored from an export, or used elsewhere.
    case restoredWallet
    /// The petition is signed by a key that none of its rolls has.
    case foreignKey
    /// The petition has witnesses, and the signer's roll has none: nobody saw that others are shown the same roll.
    case unwitnessedRoll
    /// Something was shown that contradicts what this wallet had seen before.
    case seenContradiction(what: SignerOddity, at: UTCTime)
    /// A log was shown with fewer entries than before.
    case seenOlderLog(what: SignerOddity, at: UTCTime)

    /// The names by which a person agrees to a risk in advance.
    public enum Name: String, CaseIterable, Sendable {
        case shortWindow = "short-window"
        case lateNotice = "late-notice"
        case laterRound = "later-round"
        case windowOver = "window-over"
        case lateLog = "late-log"
        case restoredWallet = "restored-wallet"
        case foreignKey = "foreign-key"
        case unwitnessedRoll = "unwitnessed-roll"
        case seenContradiction = "seen-contradiction"
        case seenOlderLog = "seen-older-log"
    }

    /// The name of this risk.
    public var name: Name {
        switch self {
        case .shortWindow: .shortWindow
        case .lateNotice: .lateNotice
        case .laterRound: .laterRound
        case .windowOver: .windowOver
        case .lateLog: .lateLog
        case .restoredWallet: .restoredWallet
        case .foreignKey: .foreignKey
        case .unwitnessedRoll: .unwitnessedRoll
        case .seenContradiction: .seenContradiction
        case .seenOlderLog: .seenOlderLog
        }
    }
}
