import Documents
import LogReading
import SignerWallet
import TransparencyLog
import Witnessing

// The words for what a signer's error or risk says more precisely. Each case that reaches a signer has a phrase in
// every language, also in English, where it is the same as `explanation` of the lower module: that is for programs
// which speak English alone. What is said by a system, a network or a server stays as it is, and so do the details of a
// document that breaks a rule, of which there are too many.
extension SignerWords {
    func name(_ subject: SignerSubject) -> String {
        switch subject {
        case .log(let origin): self(.theLog, origin)
        case .petition: self(.thePetition)
        case .roll: self(.theRoll)
        case .rollAt(let address): self(.theRollAt, address)
        case .petitionAnnouncement: self(.petitionAnnouncement)
        case .rollAnnouncement: self(.rollAnnouncement)
        }
    }

    /// A sentence, with its full stop.
    func sentence(_ oddity: SignerOddity) -> String {
        switch oddity.kind {
        case .fewerEntries: self(.fewerEntries, oddity.name)
        case .otherEntries: self(.otherEntries, oddity.name)
        case .twoRolls: self(.twoRolls, oddity.name)
        case .twoRollsOfTwoKeys: self(.twoRollsOfTwoKeys, oddity.name)
        }
    }

    func reason(_ reason: UnreachableReason) -> String {
        switch reason {
        case .told(let words): words
        case .status(let status): self(.answeredStatus, "\(status)")
        case .tooLarge: self(.answeredTooMuch)
        case .missing(let path): self(.pathMissing, path)
        case .tooManyEntries(let size, let limit): self(.tooManyEntries, "\(size)", "\(limit)")
        case .noPetition: self(.noSuchPetition)
        case .noRoll: self(.noSuchRoll)
        case .notToRequest: self(.notToRequest)
        case .notToJoin: self(.notToJoin)
        case .moreWork: self(.demandsMoreWork)
        }
    }

    func reason(_ detail: RefusalDetail) -> String {
        switch detail {
        case .told(let words): words
        case .cannotAnswer(let status): self(.cannotAnswer, "\(status)")
        case .noReason(let status): self(.noReason, "\(status)")
        case .everMoreWork: self(.everMoreWork)
        }
    }

    func reason(_ fault: DocumentFault) -> String {
        switch fault {
        case .document(let error): reason(error)
        case .noPetitionID: self(.noPetitionID)
        case .answer: self(.answerUnreadable)
        }
    }

    func reason(_ error: DocumentError) -> String {
        switch error {
        case .malformed(let detail): self(.documentMalformed, detail)
        case .missing(let field): self(.fieldMissing, field)
        case .unknown(let field): self(.fieldUnknown, field)
        case .invalid(let field, let detail): self(.fieldInvalid, field, detail)
        case .note where error == .notSigned: self(.notSigned)
        case .note where error == .badSignature: self(.badSignature)
        case .note(let detail): detail
        }
    }

    /// What follows the name of the log.
    func reason(_ error: LogReadError) -> String {
        switch error {
        case .checkpointInvalid: self(.logUnsigned)
        case .bundleMalformed(_, let first): self(.logCut, "\(first)")
        case .entryMismatch(let index): self(.logEntryOther, "\(index)")
        case .notAnExtension(let size): self(.logNoExtension, "\(size)")
        case .tileMismatch, .rootMismatch: self(.logRootOther)
        // Of these a signer makes other errors.
        case .source, .missing, .tooManyEntries, .witnesses: error.explanation
        }
    }

    func reason(_ error: CosigningError) -> String {
        switch error {
        case .checkpoint(.note(.signatureInvalid)): self(.lineForged)
        case .checkpoint: self(.checkpointForged)
        case .noQuorum(let names) where names.isEmpty: self(.cosignedByNone)
        case .noQuorum(let names): self(.cosignedByFew, names.joined(separator: ", "))
        case .ahead: self(.cosignedAhead)
        case .uncheckable: self(.cosignedUnknowably)
        case .stale: self(.cosignedLongAgo)
        }
    }

    func reason(_ error: WitnessedProofError) -> String {
        switch error {
        case .proof(.malformed): self(.noProof)
        case .proof(.checkpoint): self(.proofOfOther)
        case .proof(.proof): self(.proofOfNothing)
        case .witnesses(let error): reason(error)
        }
    }

    /// What is wrong with a receipt.
    func reason(_ error: LogProofError) -> String {
        switch error {
        case .malformed: self(.receiptMalformed)
        case .checkpoint(.note): self(.receiptUnsigned)
        case .checkpoint(.unexpectedOrigin): self(.receiptOfOther)
        case .checkpoint(.malformed): self(.receiptStateMalformed)
        case .proof: self(.receiptUnconnected)
        }
    }
}
