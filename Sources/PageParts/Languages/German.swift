/// What the interface says in German.
extension WrittenLanguage {
    static let german = WrittenLanguage(
        name: "Deutsch", thousands: ".", groupedFrom: 1000,
        months: [
            "Januar", "Februar", "März", "April", "Mai", "Juni",
            "Juli", "August", "September", "Oktober", "November", "Dezember",
        ],
        day: { "\($0). \($1) \($2)" }, minute: { "\($0) um \($1):\($2)" },
        phrase: germanText)

    private static func germanText(_ phrase: Phrase) -> String {
        switch phrase {
        case .petitions: "Petitionen"
        case .noPetitions: "Hier gibt es noch keine Petition."
        case .skip: "Zum Inhalt"
        case .languages: "Sprachen"
        case .startedBy: "Gestartet von"
        case .startedOn: "Gestartet am"
        case .addressedTo: "Gerichtet an"
        case .website: "Website der Organisatoren"
        case .signatures: "Unterschriften"
        case .one: "Unterschrift"
        case .withdrawn: "zurückgezogen"
        case .ofGoal: "Nächstes Ziel: %"
        case .goalRule: "Ist ein Ziel erreicht, ist das nächste abwechselnd fünf- oder zweimal so groß."
        case .notOpen: "Öffnet am %"
        case .open: "Offen bis %"
        case .closed: "Geschlossen seit %"
        case .waitsForWitnesses:
            "Unterschriften warten seit % auf ihre Zeugen: Was jetzt kommt, wird abgelehnt und kann später noch einmal gesendet werden."
        case .asOf: "Gezählt bis"
        case .reload: "Für eine neuere Zahl die Seite neu laden."
        case .announcement: "Jetzt % Unterschriften"
        case .statement: "Worum es geht"
        case .growth: "Unterschriften im Lauf der Zeit"
        case .growthText: "Von % bis %: % Unterschriften."
        case .growthNone:
            "Die Kurve beginnt eine Stunde nach der ersten Unterschrift. Feiner als eine Stunde ist sie nicht, "
                + "damit sie niemanden verrät."
        case .perRoll: "Nach Liste"
        case .label: "Liste"
        case .support: "Jetzt unterschreiben"
        case .supportText:
            "Eingetragene Mitglieder unterschreiben auf ihrem eigenen Rechner, mit Roundrobin. Niemand erfährt, "
                + "wer es war, auch nicht, wer diese Seite betreibt."
        case .supportCommand: "Unterschreiben:"
        case .withdrawCommand: "Zurückziehen:"
        case .supportNotNow: "Zurzeit kann niemand unterschreiben."
        case .programs: "Die Veranstalter bieten Roundrobin hier an:"
        case .programsHashes: "Prüfsummen (SHA-256) der Dateien"
        case .programsTrust:
            "Vergleichen Sie die Prüfsumme dessen, was Sie bekommen (sha256sum DATEI). Wer diese Seite "
                + "ändert, kann auch diese Zahlen ändern: Vergleichen Sie sie mit dem Plakat, einer E-Mail "
                + "oder mit Bekannten."
        case .frontText:
            "Dieser Server führt Verzeichnisse von Leuten, die Petitionen unterschreiben dürfen. Er "
                + "hält fest, wer eingeladen wurde und wer sich eingetragen hat, aber nicht, wer "
                + "unterschreibt."
        case .rolls: "Verzeichnisse"
        case .noRolls: "Hier gibt es noch kein Verzeichnis."
        case .supportNone:
            "Keine Einladung? Nur Mitglieder der Liste können unterschreiben. Die Organisatoren wissen mehr."
        case .copy: "Kopieren"
        case .copied: "Kopiert"
        case .countedHow: "Wie gezählt wird"
        case .countedText:
            "Jede Unterschrift beweist, dass irgendein Mitglied der Liste sie geleistet hat, ohne zu sagen "
                + "welches, und trägt eine Marke, an der eine zweite desselben Mitglieds auffällt. Alle sind "
                + "veröffentlicht. Wer der Zahl nicht glaubt, zählt nach:"
        case .verifyCommand: "Nachprüfen:"
        case .checkReceipt: "Wurde ich gezählt?"
        case .reservations:
            "Was das nicht beweist: wann eine Unterschrift kam, und dass in der Liste nur Menschen stehen, die es gibt."
        case .identity: "Kennung der Petition:"
        case .fingerprint: "Kurzer Fingerabdruck:"
        case .fingerprintText: "Auf dem Plakat steht derselbe. Er ist die erste Hälfte der Kennung."
        case .share: "Weitersagen"
        case .shareText: "Auf Papier oder mit einem Link. Nichts davon verrät jemandem, dass Sie hier waren."
        case .poster: "Plakat zum Drucken"
        case .badge: "Plakette für eine Website"
        case .mail: "Per E-Mail"
        case .qr: "QR-Code"
        case .data: "Zahlen"
        case .feed: "Feed (Atom)"
        case .posterSign: "Mitglieder unterschreiben, ohne genannt zu werden."
        case .posterCheck: "Prüfen, dass die Seite diesen Fingerabdruck zeigt:"
        case .noCookies:
            "Diese Seite setzt kein Cookie, lädt nichts von anderswo und merkt sich niemanden, der sie besucht."
        case .replaces: "Sie ersetzt die Petition"
        case .checkTitle: "Wurde ich gezählt?"
        case .checkText:
            "Geben Sie dieser Seite Ihre Quittung und Ihre Unterschrift. Sie prüft, dass die Unterschrift im "
                + "signierten Protokoll dieser Petition steht."
        case .checkNothing:
            "Die Prüfung läuft in Ihrem Browser und sendet nichts. Wer diese Seite betreibt, sieht aber beim "
                + "Öffnen Ihre Adresse: Tor verwenden oder den Befehl unten. Die Dateien beweisen, dass Sie "
                + "unterschrieben haben: danach löschen."
        case .checkReceiptFile: "Quittung (.tlog-proof)"
        case .checkRecordFile: "Unterschrift (Datei)"
        case .checkWhere: "petition-signer kann beides in Dateien schreiben und auch ohne Browser prüfen:"
        case .checkScript: "Ohne JavaScript hilft dieser Befehl:"
        case .checkWorking: "Wird geprüft …"
        case .checkGood:
            "Bewiesen: Diese Unterschrift ist Eintrag %1 eines Protokolls mit %2 Einträgen, das der Zähler "
                + "signiert hat. Sie zählt, wenn sie nicht zurückgezogen wurde."
        case .checkBad:
            "Nicht bewiesen: Die Quittung gehört nicht zu dieser Unterschrift. Dateien vergleichen; stimmen sie, "
                + "aufheben und weitersagen."
        case .checkMalformed: "Das ist keine Quittung: Die Datei ist beschädigt oder eine andere."
        case .checkUnreadable: "Der Browser kann eine der beiden Dateien nicht lesen. Bitte beide neu auswählen."
        case .checkOrigin: "Die Quittung ist aus dem Protokoll einer anderen Petition."
        case .checkSignature: "Die Quittung ist nicht vom Zähler dieser Petition signiert."
        case .checkCosigned: "Zeugen haben sie im Protokoll gesehen: %."
        case .checkWitness: "Eine Zeile der Quittung ist nicht, was der Zeuge signiert hat."
        case .checkUnwitnessed:
            "Keiner der Zeugen der Petition hat sie im Protokoll gesehen: Bitte mit petition-signer noch einmal senden."
        case .checkUnsupported:
            "Dieser Browser kann Ed25519 nicht prüfen, oder die Seite ist nicht über https geladen. Bitte den "
                + "Befehl oben verwenden."
        case .missing: "Unter dieser Adresse gibt es nichts"
        case .unavailable: "Das lässt sich gerade nicht anzeigen: Bitte die Seite gleich noch einmal laden"
        case .noCookiesHere:
            "Diese Seite setzt kein Cookie und lädt nichts von anderswo. Dass eine Einladung benutzt wurde, wird "
                + "vermerkt; welches Mitglied daraus wurde, nicht."
        case .keeper: "Geführt von %."
        case .enrolText:
            "Das ist eine Liste von Menschen, die unterschreiben dürfen. Mit Ihrer Einladung können Sie sich "
                + "einmal eintragen und dann Petitionen unterschreiben, ohne genannt zu werden."
        case .enrolCommand: "Auf einem Computer mit Roundrobin diesen Befehl kopieren und ausführen:"
        case .enrolCode:
            "Der Teil nach dem # ist Ihr persönlicher Code; wo CODE steht, setzen Sie den aus Ihrem Brief ein. Was auf "
                + "ein # folgt, schickt Ihr Browser uns nicht. Durch das Öffnen dieser Seite ist nichts verbraucht."
        case .enrolField: "Code aus Ihrem Brief:"
        case .enrolWhere: "Woher Sie das Programm petition-signer bekommen, sagen Ihnen die, die Sie eingeladen haben."
        case .admittedByList: "In dieses Verzeichnis kommt, wer von seinem Betreiber eingeladen wird."
        case .admittedByMail:
            "In dieses Verzeichnis kommt man per E-Mail: ein Platz für jedes Postfach, wem auch immer es gehört."
        case .admittedByMailAt: "In dieses Verzeichnis kommt man per E-Mail: ein Platz für jedes Postfach bei %."
        case .tallyByList: "Mitglieder"
        case .tallyByMail: "per E-Mail"
        case .severalMailboxes: "eine Person kann mehrere Postfächer haben"
        case .askTitle: "Um eine Einladung bitten"
        case .askText:
            "Geben Sie Ihre E-Mail-Adresse an: Dorthin kommt eine Nachricht mit Ihrem eigenen Link, wenn "
                + "dieses Postfach noch einen Platz hat. Für jedes Postfach gibt es einen Platz. Ihre Adresse "
                + "wird gelöscht, sobald die Nachricht zugestellt ist. Wer dieses Verzeichnis führt, erfährt, "
                + "dass jemand mit dieser Adresse gefragt hat."
        case .askField: "E-Mail-Adresse:"
        case .askButton: "Einladung schicken"
        case .askWorking: "Ihr Browser rechnet etwas, das Maschinen fernhält …"
        case .askHave: "Mit einer Einladung"
        case .askedTitle: "Sehen Sie in Ihr Postfach"
        case .askedText:
            "Wenn dieses Postfach eine Einladung bekommen darf, geht eine Nachricht damit an die "
                + "Adresse, die Sie angegeben haben: höchstens drei in 30 Tagen, die zweite nach zehn Minuten, "
                + "die dritte nach einem Tag. Niemand kann hier sehen, ob eine Adresse bekannt ist."
        case .askedSoon: "Sie sollte in wenigen Minuten kommen."
        case .askedHours: "Gerade fragen so viele, dass es etwa % dauert."
        case .askedLimits:
            "Ein Postfach bekommt höchstens drei Nachrichten in 30 Tagen: die zweite frühestens zehn "
                + "Minuten nach der ersten, die dritte einen Tag nach der zweiten. Sehen Sie auch bei den "
                + "unerwünschten Nachrichten nach."
        case .askedBack: "Zurück zum Verzeichnis"
        case .askExpired:
            "Das Formular wurde zu schnell abgeschickt, war mehr als eine Stunde offen oder kam von "
                + "einer anderen Seite. Schicken Sie es noch einmal ab."
        case .askNoAddress: "An diese Adresse kann keine Nachricht geschickt werden. Suchen Sie einen Fehler darin."
        case .askDomain: "Dieses Verzeichnis ist nur für Postfächer bei %."
        case .askWork:
            "Gerade fragen viele. Schicken Sie das Formular noch einmal ab: Mit JavaScript rechnet Ihr "
                + "Browser etwas, das Maschinen fernhält. Ohne versuchen Sie es später."
        case .askFull:
            "So viele warten auf eine Einladung, dass jetzt keine weiteren angenommen werden. Versuchen "
                + "Sie es morgen."
        case .askPaused: "Gerade kann niemand um eine Einladung bitten. Versuchen Sie es morgen."
        case .askClosed: "Niemand kann mehr um eine Einladung in dieses Verzeichnis bitten."
        case .roundWaiting: "In dieser Runde haben sich % eingetragen und warten."
        case .roundPace: "Bei diesem Tempo geben die Mitglieder ihre Schlüssel in etwa % ab."
        case .roundFrom: "Die Mitglieder geben ihre Schlüssel frühestens am % ab."
        case .roundMissing: "Es braucht noch %, bevor die Mitglieder ihre Schlüssel abgeben können."
        case .roundJoining: "Die Mitglieder geben ihre Schlüssel mindestens bis % ab."
        case .hours: "% Stunden"
        case .days: "% Tagen"
        case .stopTitle: "Keine Nachrichten mehr?"
        case .stopText:
            "Es geht um Nachrichten an Sie mit Einladungen in ein Verzeichnis. Eine Einladung, die Sie haben, bleibt gültig."
        case .stopButton: "Keine Nachrichten mehr an mich"
        case .stopDone: "Sie bekommen keine Nachrichten mehr."
        case .stopUndo: "Doch wieder Nachrichten an mich"
        case .stopUndone: "Sie bekommen wieder Nachrichten."
        case .enrolDevice:
            "Dieser QR-Code öffnet die Seite auf einem anderen Gerät. Dort geben Sie den Code aus Ihrem Brief ein: Im "
                + "QR-Code ist er nicht."
        case .rollID: "Kennung der Liste:"
        case .back: "Zurück zur Petition"
        }
    }
}
