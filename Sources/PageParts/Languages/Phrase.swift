/// Everything that the interface says. The file of each language has all phrases; each `%` in them is a placeholder.
package enum Phrase: String, CaseIterable {
    case petitions, noPetitions, skip, languages, startedBy, startedOn, addressedTo, website, signatures, one,
        withdrawn, ofGoal,
        goalRule
    case notOpen, open, closed, waitsForWitnesses, asOf, reload, announcement, statement, growth, growthText,
        growthNone, perRoll, label
    case support, supportText, supportCommand, supportNone, supportNotNow, programs, programsHashes, programsTrust,
        programsBrowser, frontText, rolls, noRolls, withdrawCommand, copy, copied
    case countedHow, countedText, verifyCommand, checkReceipt, reservations, identity, fingerprint, fingerprintText
    case share, shareText, poster, badge, mail, qr, data, feed, posterSign, posterCheck, posterBrowser,
        noCookies, replaces
    case checkTitle, checkText, checkNothing, checkReceiptFile, checkRecordFile, checkScript, checkWorking, checkGood,
        checkBad
    case checkMalformed, checkUnreadable, checkOrigin, checkSignature, checkUnsupported, back, checkWhere
    case checkCosigned, checkWitness, checkUnwitnessed
    case missing, unavailable, keeper, noCookiesHere, enrolText, enrolCommand, enrolCode, enrolField, enrolWhere,
        enrolDevice, rollID
    case admittedByList, admittedByMail, admittedByMailAt, tallyByList, tallyByMail, severalMailboxes
    case askTitle, askText, askField, askButton, askWorking, askHave, askedTitle, askedText, askedSoon, askedHours,
        askedLimits, askedBack
    case askExpired, askNoAddress, askDomain, askWork, askFull, askPaused, askClosed
    case roundWaiting, roundPace, roundFrom, roundMissing, roundJoining, hours, days
    case stopTitle, stopText, stopButton, stopDone, stopUndo, stopUndone
}
