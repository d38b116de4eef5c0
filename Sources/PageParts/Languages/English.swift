/// What the interface says in English.
extension WrittenLanguage {
    static let english = WrittenLanguage(
        name: "English", thousands: ",", groupedFrom: 1000,
        months: [
            "January", "February", "March", "April", "May", "June",
            "July", "August", "September", "October", "November", "December",
        ],
        day: { "\($1) \($0), \($2)" },
        minute: { "\($0) at \($1 % 12 == 0 ? 12 : $1 % 12):\($2)\u{202F}\($1 < 12 ? "AM" : "PM")" },
        phrase: englishText)

    private static func englishText(_ phrase: Phrase) -> String {
        switch phrase {
        case .petitions: "Petitions"
        case .noPetitions: "There is no petition here yet."
        case .skip: "Skip to the content"
        case .languages: "Languages"
        case .startedBy: "Started by"
        case .startedOn: "Started on"
        case .addressedTo: "Addressed to"
        case .website: "The organisers’ website"
        case .signatures: "signatures"
        case .one: "signature"
        case .withdrawn: "withdrawn"
        case .ofGoal: "Next goal: %"
        case .goalRule: "When a goal is reached, the next is five or two times as large, in turn."
        case .notOpen: "Opens on %"
        case .open: "Open until %"
        case .closed: "Closed since %"
        case .waitsForWitnesses:
            "Signatures wait for their witnesses since %: what is sent now is refused, and can be sent again later."
        case .asOf: "Counted up to"
        case .reload: "Load the page again for a newer count."
        case .announcement: "% signatures now"
        case .statement: "What it asks for"
        case .growth: "Signatures over time"
        case .growthText: "From % to %: % signatures."
        case .growthNone:
            "The chart begins one hour after the first signature. It is not finer than an hour, so that it tells "
                + "on nobody."
        case .perRoll: "By roll"
        case .label: "Roll"
        case .support: "Sign now"
        case .supportText:
            "Members of the roll who have enrolled sign on their own computer, with Roundrobin. Nobody learns "
                + "who signed, the keeper of this page included."
        case .supportCommand: "To sign:"
        case .withdrawCommand: "To withdraw:"
        case .supportNotNow: "Nobody can sign now."
        case .programs: "The organisers offer Roundrobin here:"
        case .programsHashes: "Hashes (SHA-256) of its files"
        case .programsTrust:
            "Compare the hash of what you get (sha256sum FILE). Whoever changes this page can change "
                + "these, too: compare them with the poster, a mail, or somebody you know."
        case .frontText:
            "This server keeps rolls of people who may sign petitions. It records who was invited and "
                + "who enrolled, but not who signs."
        case .rolls: "Rolls"
        case .noRolls: "There is no roll here yet."
        case .supportNone: "No invitation? Only members of the roll can sign. Ask the organisers."
        case .copy: "Copy"
        case .copied: "Copied"
        case .countedHow: "How it is counted"
        case .countedText:
            "Each signature proves that some member of the roll made it, without saying which, and carries a "
                + "mark by which a second one of the same member is found. All signatures are published. Anyone "
                + "who doubts the number can count again:"
        case .verifyCommand: "To verify:"
        case .checkReceipt: "Was I counted?"
        case .reservations:
            "What this does not prove: when a signature came in, and that the roll’s keeper enrolled only people "
                + "who exist."
        case .identity: "Petition id:"
        case .fingerprint: "Short fingerprint:"
        case .fingerprintText: "The poster carries the same. It is the first half of the id."
        case .share: "Share"
        case .shareText: "On paper, or by a link. None of these tells anybody that you were here."
        case .poster: "Poster to print"
        case .badge: "Badge for a website"
        case .mail: "By e-mail"
        case .qr: "QR code"
        case .data: "Figures"
        case .feed: "Feed (Atom)"
        case .posterSign: "Members sign without being named."
        case .posterCheck: "Check that the page shows this fingerprint:"
        case .noCookies:
            "This page sets no cookie, loads nothing from anywhere else, and keeps no record of its visitors."
        case .replaces: "It replaces the petition"
        case .checkTitle: "Was I counted?"
        case .checkText:
            "Give this page your receipt and your record. It checks that the record is in the signed log of "
                + "this petition."
        case .checkNothing:
            "The check runs in your browser and sends nothing. But the server of this page sees your address "
                + "when you open it: use Tor, or the command below. The files prove that you signed: delete them "
                + "afterwards."
        case .checkReceiptFile: "Receipt (.tlog-proof)"
        case .checkRecordFile: "Record"
        case .checkWhere: "petition-signer can write both to files, and can check them without a browser:"
        case .checkScript: "Without JavaScript use this command:"
        case .checkWorking: "Checking …"
        case .checkGood:
            "Proven: this record is entry %1 of a log of %2 entries, which the aggregator signed. It counts "
                + "unless it was withdrawn."
        case .checkBad:
            "Not proven: the receipt is not for this record. Compare the files; if they are right, keep them and "
                + "tell others."
        case .checkMalformed: "The receipt is not one: its file is damaged, or is another file."
        case .checkUnreadable: "The browser cannot read one of the two files. Choose both again."
        case .checkOrigin: "The receipt is of another petition’s log."
        case .checkSignature: "The receipt is not signed by this petition’s aggregator."
        case .checkCosigned: "Witnesses saw it in the log: %."
        case .checkWitness: "A witness’s line in the receipt is not what that witness signed."
        case .checkUnwitnessed:
            "None of the petition’s witnesses has seen it in the log: send the record again with petition-signer."
        case .checkUnsupported:
            "This browser cannot check Ed25519 signatures, or the page is not loaded over https. Use the command above."
        case .missing: "There is nothing at this address"
        case .unavailable: "This cannot be shown now: load the page again in a moment"
        case .noCookiesHere:
            "This page sets no cookie and loads nothing from anywhere else. That an invitation was used is "
                + "recorded; which member it became is not."
        case .keeper: "Kept by %."
        case .enrolText:
            "This is a roll of people who may sign. With your invitation you can enrol in it once, and then sign "
                + "petitions without being named."
        case .enrolCommand: "On a computer with Roundrobin, copy this command, and run it:"
        case .enrolCode:
            "The part after the # is your personal code; where you read CODE, put the one from your letter. Your "
                + "browser does not send what follows a # to us. Opening this page has used nothing up."
        case .enrolField: "Code from your letter:"
        case .enrolWhere: "Your organisers tell you where to get the program petition-signer."
        case .admittedByList: "People get onto this roll by the list that its keeper has."
        case .admittedByMail: "People get onto this roll by e-mail: one place for each mailbox, whosever it is."
        case .admittedByMailAt: "People get onto this roll by e-mail: one place for each mailbox at %."
        case .tallyByList: "members"
        case .tallyByMail: "by e-mail"
        case .severalMailboxes: "one person may have several mailboxes"
        case .askTitle: "Ask for an invitation"
        case .askText:
            "Give your e-mail address: a mail with your own link comes to it, if this mailbox has a "
                + "place left. There is one place for each mailbox. Your address is deleted as soon as the "
                + "mail is delivered. Who keeps this roll learns that somebody with this address asked."
        case .askField: "E-mail address:"
        case .askButton: "Send me the invitation"
        case .askWorking: "Your browser does some work that keeps machines away …"
        case .askHave: "With an invitation"
        case .askedTitle: "Look into your mailbox"
        case .askedText:
            "If this mailbox may have an invitation, a mail with it is sent to the address that you "
                + "gave: at most three in 30 days, the second after ten minutes, the third after a day. Nobody can "
                + "see here whether an address is known."
        case .askedSoon: "It should come within a few minutes."
        case .askedHours: "So many ask at the moment that it takes about %."
        case .askedLimits:
            "A mailbox gets at most three mails in 30 days: the second at the earliest ten minutes after "
                + "the first, the third a day after the second. Look into the folder for spam as well."
        case .askedBack: "Back to the roll"
        case .askExpired:
            "The form was sent too fast, was open for more than an hour, or came from another page. Send "
                + "it once more."
        case .askNoAddress: "Mail cannot be sent to this address. Look for a mistake in it."
        case .askDomain: "This roll is for mailboxes at % only."
        case .askWork:
            "Many ask at the moment. Send the form once more: with JavaScript your browser does some "
                + "work that keeps machines away. Without it, try again later."
        case .askFull: "So many wait for an invitation that no more can be taken now. Try again tomorrow."
        case .askPaused: "Nobody can ask for an invitation just now. Try again tomorrow."
        case .askClosed: "Nobody can ask for an invitation to this roll any more."
        case .roundWaiting: "In this round, % enrolled and wait."
        case .roundPace: "At this pace, members hand in their keys in about %."
        case .roundFrom: "Members hand in their keys at the earliest on %."
        case .roundMissing: "It takes % more before members can hand in their keys."
        case .roundJoining: "Members hand in their keys at least until %."
        case .hours: "% hours"
        case .days: "% days"
        case .stopTitle: "No more mail?"
        case .stopText:
            "This is about mails to you with invitations to a roll. An invitation that you have stays good."
        case .stopButton: "Send me no more mail"
        case .stopDone: "You get no more mail."
        case .stopUndo: "Send me mail after all"
        case .stopUndone: "You get mail again."
        case .enrolDevice:
            "This QR code opens the page on another device, where you type the code from your letter: the QR code "
                + "does not have it."
        case .rollID: "Roll id:"
        case .back: "Back to the petition"
        }
    }
}
