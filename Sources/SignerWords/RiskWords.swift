import Documents
import Petitions
import SignerWallet

extension SignerWords {
    /// What is odd, and what it may mean.
    public func explanation(_ risk: SignerRisk) -> String {
        switch risk {
        case .shortWindow(let seconds): self(.shortWindow, "\(seconds)")
        case .lateNotice(let opened, let seen): self(.lateNotice, "\(opened)", "\(seen)")
        case .laterRound(let own, let open): self(.laterRound, "\(own)", "\(open)")
        case .windowOver(let end, let now): self(.windowOver, "\(end)", "\(now)")
        case .lateLog(let opened, let seen): self(.lateLog, "\(opened)", "\(seen)")
        case .restoredWallet: self(.restoredWallet)
        case .foreignKey: self(.foreignKey)
        case .unwitnessedRoll: self(.unwitnessedRoll)
        case .seenContradiction(let what, let at): self(.seenContradiction, "\(at)", sentence(what))
        case .seenOlderLog(let what, let at): self(.seenOlderLog, "\(at)", sentence(what))
        }
    }

    /// The same in a few words, for an error.
    public func brief(_ risk: SignerRisk) -> String {
        switch risk {
        case .shortWindow(let seconds): self(.shortWindowBriefly, "\(seconds)")
        case .lateNotice: self(.lateNoticeBriefly)
        case .laterRound: self(.laterRoundBriefly)
        case .windowOver: self(.windowOverBriefly)
        case .lateLog: self(.lateLogBriefly)
        case .restoredWallet: self(.restoredWalletBriefly)
        case .foreignKey: self(.foreignKeyBriefly)
        case .unwitnessedRoll: self(.unwitnessedRollBriefly)
        case .seenContradiction: self(.seenContradictionBriefly)
        case .seenOlderLog: self(.seenOlderLogBriefly)
        }
    }
}
