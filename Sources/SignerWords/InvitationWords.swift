import Bytes
import Documents

extension SignerWords {
    /// Why a text is no invitation, as a sentence without its full stop.
    public func message(_ fault: PastedInvitation.Fault) -> String {
        switch fault {
        case .tooLong: self(.invitationTooLong)
        case .address: self(.invitationNoLink)
        case .onlyCode: self(.invitationOnlyCode)
        case .notALink(let host): self(.invitationOtherLink, host)
        case .namesAnID: self(.invitationNamesID)
        case .twoLinks: self(.invitationTwoLinks)
        case .twoCodes: self(.invitationTwoCodes)
        case .code(.length(let count)): self(.codeLength, "\(count)")
        case .code(.symbol(let scalar)): self(.codeSymbol, String(scalar))
        case .code(.check): self(.codeMistyped)
        }
    }

    /// What to do about it.
    public func advice(_ fault: PastedInvitation.Fault) -> String {
        switch fault {
        case .tooLong, .address, .code(.check): self(.copyWholeAdvice)
        case .onlyCode: self(.invitationOnlyCodeAdvice)
        case .notALink: self(.invitationOtherLinkAdvice)
        case .namesAnID: self(.invitationNamesIDAdvice)
        case .twoLinks, .twoCodes: self(.inYourLetterAdvice)
        case .code(.length(let count)): self(count < 27 ? .codeShortAdvice : .codeLongAdvice)
        case .code(.symbol): self(.codeSymbolAdvice)
        }
    }
}
