// What signers are told, in German. Each `%` is replaced by a value, in this order.
extension SignerPhrase {
    static func german(_ key: Self) -> String {
        switch key {
        case .walletMissing: "in % ist keine Wallet"
        case .walletMissingAdvice: "öffnen Sie Ihre Wallet, oder legen Sie eine neue an"
        case .walletExists: "unter % ist schon eine Datei"
        case .walletExistsAdvice: "nennen Sie eine neue"
        case .walletLocked: "schon von einem anderen petition-signer benutzt: %"
        case .walletLockedAdvice: "warten Sie, bis dieser fertig ist"
        case .proxyMissing:
            "Sie haben mit dieser Wallet etwas über einen Proxy begonnen, und nichts davon geht ohne einen weiter"
        case .proxyMissingAdvice: "machen Sie dort weiter, wo Sie begonnen haben, oder mit dem Tor-Browser"
        case .joinsAlready: "ein anderer petition-signer tritt mit dieser Wallet bei oder wartet darauf"
        case .joinsAlreadyAdvice:
            "lassen Sie ihn laufen: Ein Schlüssel, der zweimal gesendet wird, zeigt zweimal, dass Sie da sind"
        case .walletUnwritable: "% kann nicht geschrieben oder gesperrt werden"
        case .walletUnwritableAdvice: "prüfen Sie die Rechte des Ordners und den Datenträger"
        case .walletUnreadable: "% kann nicht gelesen werden: %"
        case .walletNotWritten: "% kann nicht geschrieben werden: %"
        case .walletNotWrittenAdvice: "prüfen Sie den Ordner und den Datenträger"
        case .wrongPassphrase: "die Passphrase ist falsch, oder die Wallet ist beschädigt"
        case .wrongPassphraseAdvice:
            "versuchen Sie es noch einmal; wenn Sie sich der Passphrase sicher sind, stellen Sie eine exportierte "
                + "Wallet wieder her"
        case .walletMalformed: "das ist keine Wallet"
        case .restoreAdvice: "stellen Sie eine exportierte Wallet wieder her"
        case .notEnoughMemory: "es ist zu wenig Arbeitsspeicher frei, um die Wallet zu öffnen"
        case .notEnoughMemoryAdvice: "dafür braucht es 256 MiB"
        case .interrupted: "das Programm wurde aufgefordert abzubrechen"
        case .interruptedAdvice: "beginnen Sie noch einmal: Was getan wurde, ist in Ihrer Wallet"
        case .storedDocument: "ein gespeichertes Dokument kann nicht gelesen werden: %"
        case .unreachable: "% kann nicht gelesen werden: %"
        case .tryLaterAdvice: "versuchen Sie es später noch einmal"
        case .documentInvalid: "% ist nicht gültig: %"
        case .documentMismatch: "% ist nicht das Dokument, das seine Adresse nennt"
        case .documentMismatchAdvice: "unterschreiben Sie nicht: Vergleichen Sie die Kennung mit Ihren Organisatoren"
        case .logInvalid: "das Protokoll %: %"
        case .tellAdvice: "machen Sie nicht weiter: Sagen Sie es Ihren Organisatoren"
        case .logShorter:
            "das Protokoll % ist keine Fortsetzung der % Einträge, die Sie am % gesehen haben: Es wird jetzt mit nur "
                + "% gezeigt, in einem alten Stand oder gekürzt"
        case .logShorterAdvice:
            "machen Sie nicht weiter: Versuchen Sie es später noch einmal, und sagen Sie es Ihren Organisatoren, wenn "
                + "es so bleibt. Vielleicht wird Ihnen etwas gezeigt, was andere nicht sehen"
        case .logRewritten:
            "das Protokoll % ist keine Fortsetzung der % Einträge, die Sie am % gesehen haben, mit der Wurzel %: Es "
                + "wird jetzt mit % gezeigt, und die ersten % davon sind andere. Jemand hat es umgeschrieben oder "
                + "zeigt Ihnen ein anderes Protokoll als anderen"
        case .logRewrittenAdvice: "vergleichen Sie mit anderen Mitgliedern, bevor Sie es noch einmal versuchen. "
        case .logRewrittenEvidenceAdvice:
            "Die Beweise zeigen, was signiert wurde, damit andere es prüfen können; der Server, der Ihnen das gezeigt "
                + "hat, kann Sie daran vielleicht wiedererkennen"
        case .logRewrittenUnreadAdvice:
            "Das wurde gesehen, ohne die Einträge zu lesen: Suchen Sie Ihren Ring; dabei werden sie gelesen, und der "
                + "Beweis wird aufbewahrt"
        case .rollChanged:
            "% antwortete mit dem Verzeichnis %, als Sie sich eintrugen, und antwortet jetzt mit dem Verzeichnis %: "
                + "Eines davon kann für Sie allein gemacht sein"
        case .compareRollAdvice:
            "vergleichen Sie die Kennung des Verzeichnisses mit anderen Mitgliedern, bevor Sie es noch einmal "
                + "versuchen"
        case .oddityNotKept: "% Das konnte nicht festgehalten werden"
        case .oddityNotKeptAdvice:
            "vergleichen Sie mit anderen Mitgliedern, bevor Sie es noch einmal versuchen, und schaffen Sie Platz auf "
                + "dem Datenträger: Die Wallet wird nicht nachfragen"
        case .announcedOtherwise:
            "ein anderes Verzeichnis als Ihres wurde zuerst als % bekannt gemacht, im Protokoll der Bekanntmachungen "
                + "%"
        case .announcedOtherwiseAdvice:
            "Ihres kann für Sie allein gemacht sein: Machen Sie nicht weiter, und vergleichen Sie die Kennung des "
                + "Verzeichnisses mit anderen Mitgliedern"
        case .entryInvalid: "Eintrag % des Protokolls % verstößt gegen die Regel %"
        case .notAnnounced: "% steht nicht im Protokoll der Bekanntmachungen %"
        case .notAnnouncedAdvice:
            "das kann nur für Ihre Augen gemacht sein: Machen Sie nicht weiter, und sagen Sie es Ihren Organisatoren"
        case .notWitnessed: "die Zeugen bürgen nicht für %: %"
        case .notWitnessedAdvice:
            "machen Sie nicht weiter: Vielleicht wird Ihnen etwas gezeigt, was anderen nicht gezeigt wird, oder die "
                + "Uhr dieses Computers geht falsch. Stellen Sie die Uhr, versuchen Sie es später noch einmal, und "
                + "sagen Sie es Ihren Organisatoren, wenn es so bleibt"
        case .rollMismatch: "das Verzeichnis, das Ihnen gezeigt wird, ist nicht das, das die Petition nennt"
        case .rollMismatchAdvice:
            "unterschreiben Sie nicht: Vergleichen Sie die Kennung der Petition mit Ihren Organisatoren"
        case .alreadyEnrolled: "diese Wallet ist schon in „%“ eingetragen"
        case .alreadyEnrolledAdvice: "eine andere Person an diesem Computer braucht eine eigene Wallet"
        case .notEnrolled: "diese Wallet ist in keinem Verzeichnis eingetragen"
        case .notEnrolledAdvice: "benutzen Sie zuerst Ihre Einladung"
        case .nothingToJoin: "Sie sind jedem Verzeichnis beigetreten, in das Sie eingetragen sind"
        case .issueProofInvalid:
            "die Antwort des Koordinators wurde nicht mit seinem veröffentlichten Schlüssel gemacht"
        case .issueProofInvalidAdvice:
            "der Koordinator könnte Sie so kennzeichnen: Machen Sie nicht weiter, und sagen Sie es Ihren "
                + "Organisatoren"
        case .issueNotLogged: "Ihre Eintragung steht nicht im Protokoll des Koordinators"
        case .issueNotLoggedAdvice: "treten Sie nicht bei: Sie wären allein. Sagen Sie es Ihren Organisatoren"
        case .joiningNotOpen: "der Beitritt ist noch nicht offen; in dieser Runde haben sich bisher % eingetragen"
        case .joiningNotOpenAdvice:
            "versuchen Sie es noch einmal, wenn Ihre Organisatoren sagen, dass der Beitritt offen ist"
        case .joiningClosed:
            "der Beitritt war offen und ist es nicht mehr, und Ihr Schlüssel ist nicht im Verzeichnis"
        case .joiningClosedAdvice: "fragen Sie Ihre Organisatoren, ob es noch eine Runde geben wird"
        case .joiningOpensAhead:
            "das Protokoll sagt, dass der Beitritt am % öffnet, und die Uhr dieses Computers zeigt %"
        case .joiningOpensAheadAdvice:
            "stellen Sie die Uhr; wenn sie richtig geht, sagen Sie es Ihren Organisatoren: Vielleicht hat Ihnen "
                + "jemand ein Protokoll nur für Sie gezeigt"
        case .severalToJoin: "diese Wallet wartet darauf, mehreren Verzeichnissen beizutreten: %"
        case .severalToJoinAdvice:
            "treten Sie jetzt einem davon bei, mit seinem Link, und den anderen zu anderen Zeiten: Schlüssel, die "
                + "zusammen kommen, gehören einer einzigen Person"
        case .notEnrolledUnder: "diese Wallet ist nicht unter % eingetragen"
        case .waitsForNoneAdvice: "die Wallet wartet auf kein Verzeichnis"
        case .waitsToJoinAdvice: "die Wallet wartet auf den Beitritt zu %"
        case .enrolledUnderAdvice: "die Wallet ist unter % eingetragen"
        case .notAgreed: "abgebrochen: %"
        case .joinUnanswered:
            "der Koordinator hat nicht geantwortet, als Ihr Schlüssel gesendet wurde, viermal; jedes Mal zeigt, dass "
                + "dieser Computer an ist"
        case .joinUnansweredAdvice: "fragen Sie Ihre Organisatoren, dann treten Sie noch einmal bei"
        case .roundTooSmall: "in Ihrer Runde haben sich nur % eingetragen, weniger als die %, die Sie verlangen"
        case .roundTooSmallAdvice: "ein Beitritt ließe sich auf wenige Menschen zurückführen"
        case .severalRolls: "diese Wallet ist in mehreren Verzeichnissen eingetragen: %"
        case .severalRollsAdvice: "nennen Sie eines davon"
        case .ringNotSealedYet: "Ihr Schlüssel ist noch in keinem Ring"
        case .ringNotSealedYetAdvice:
            "die Organisatoren versiegeln Ringe, nachdem Menschen beigetreten sind: Versuchen Sie es noch einmal, "
                + "wenn die Organisatoren sagen, dass es getan ist"
        case .ringNotKnown:
            "Ihr Verzeichnis hat vielleicht mehr als 65.536 Mitglieder, und diese Wallet hat es nicht vollständig "
                + "gelesen, seit seine Ringe versiegelt wurden"
        case .ringNotKnownAdvice: "tun Sie das einmal, einige Zeit bevor Sie unterschreiben: Suchen Sie Ihren Ring"
        case .ringOutgrown:
            "in Ihrem Verzeichnis wurde mehr versiegelt, seit diese Wallet es vollständig gelesen hat, und die "
                + "Petition oder Ihr Ring braucht das"
        case .ringOutgrownAdvice:
            "lesen Sie das Verzeichnis noch einmal, einige Zeit bevor Sie unterschreiben: Suchen Sie Ihren Ring"
        case .notInRolls: "diese Wallet ist in keinem der Verzeichnisse der Petition eingetragen"
        case .ringNotSealed: "Ihr Schlüssel ist in keinem Ring, den diese Petition zulässt"
        case .ringNotSealedAdvice:
            "die Organisatoren versiegeln Ringe, nachdem Menschen beigetreten sind; eine Petition, die vorher gemacht "
                + "wurde, lässt Ihren vielleicht nicht zu"
        case .ringTooSmall: "Ihr Ring hat nur % Mitglieder, weniger als die %, die Sie verlangen"
        case .ringTooSmallAdvice: "Sie würden sich unter wenigen verbergen"
        case .petitionNotOpen: "die Petition öffnet am %, und die Uhr dieses Computers zeigt %"
        case .petitionNotOpenAdvice:
            "stellen Sie die Uhr, wenn sie falsch geht; sonst unterschreiben Sie, wenn es so weit ist"
        case .petitionClosed: "die Petition wurde am % geschlossen, und die Uhr dieses Computers zeigt %"
        case .petitionClosedAdvice:
            "stellen Sie die Uhr, wenn sie falsch geht; sonst kann niemand mehr unterschreiben"
        case .evidenceIncomplete:
            "% wurde mit anderen Einträgen gezeigt als zuvor, was diese Wallet noch nicht beweisen kann: Gelesen hat "
                + "sie die Einträge nicht"
        case .evidenceIncompleteAdvice:
            "suchen Sie Ihren Ring: Dabei werden die Einträge des Verzeichnisses gelesen, und der Beweis wird "
                + "aufbewahrt, sobald das Protokoll so lang ist wie das, was gezeigt wurde"
        case .noEvidence: "diese Wallet hat keinen Widerspruch gesehen: Es gibt nichts zu schreiben"
        case .nothingSigned: "diese Wallet hat keine gezählte Unterschrift unter dieser Petition"
        case .alreadyWithdrawn: "die Unterschrift wurde schon zurückgezogen"
        case .declined: "es wurde nichts unterschrieben oder gesendet"
        case .receiptInvalid: "die Quittung ist nicht gültig: %"
        case .receiptKeptAdvice:
            "was Sie unterschrieben haben, ist aufbewahrt: Tun Sie dasselbe noch einmal, und sagen Sie es den "
                + "Organisatoren, wenn es so bleibt"
        case .receiptNotWitnessed: "die Zeugen der Petition bürgen nicht für die Quittung: %"
        case .receiptForNothing: "die Quittung beweist nichts, was diese Wallet unterschrieben hat"
        case .receiptForNothingAdvice:
            "sehen Sie nach, ob sie zu einer anderen Wallet oder zu einer anderen Unterschrift gehört"
        case .receiptForAnother: "die Quittung ist für den Eintrag einer anderen Person"
        case .receiptForAnotherAdvice: "sagen Sie es den Organisatoren"
        case .proofRefused: "ALARM: Der Zähler sagt, dass Ihre Unterschrift die Prüfung nicht besteht"
        case .proofRefusedAdvice:
            "vielleicht wurde Ihnen ein Verzeichnis gezeigt, das für Sie allein gemacht ist. Unterschreiben Sie nicht "
                + "noch einmal; behalten Sie die Wallet, und vergleichen Sie die Kennung der Petition und das "
                + "Verzeichnis mit anderen Mitgliedern"
        case .serverBusy: "der Server sagt: %"
        case .serverBusyAdvice: "tun Sie dasselbe noch einmal: Es wird dasselbe gesendet, und das zählt einmal"
        case .serverRefused: "der Server hat abgelehnt (%): %"
        case .noKnownRule: "nach keiner Regel, die hier bekannt ist"
        case .shortWindow:
            "In diesem Verzeichnis dauert der Beitritt nur % Sekunden, weniger als eine Stunde. Wer weiß, wann Sie an "
                + "Ihrem Computer sitzen, kann erraten, welcher Schlüssel Ihrer ist."
        case .lateNotice:
            "Der Beitritt wurde am % geöffnet, und diese Wallet hat es zum ersten Mal am % gesehen, als die halbe "
                + "Zeit oder mehr vorbei war. Wenn es Ihnen später gesagt wurde als anderen, sind Sie vielleicht die "
                + "einzige Person, die jetzt beitritt. Fragen Sie andere, wann es ihnen gesagt wurde."
        case .laterRound:
            "Sie haben sich in Runde % eingetragen, und jetzt ist der Beitritt für Runde % offen. Wenige aus Ihrer "
                + "Runde werden mit Ihnen beitreten: Fragen Sie Ihre Organisatoren, wie viele den Beitritt versäumt "
                + "haben."
        case .windowOver:
            "Die Beitrittszeit endete am %, und jetzt ist es %: Die anderen sind beigetreten. Wer Sie davon "
                + "abgehalten hat, rechtzeitig beizutreten, wird wissen, dass dieser Schlüssel Ihrer ist, und ebenso "
                + "alle, die Sie spät kommen sehen."
        case .lateLog:
            "Das Protokoll sagt, dass der Beitritt am % geöffnet wurde, aber am % wurde Ihnen das Protokoll ohne das "
                + "gezeigt. Vielleicht hat jemand es Ihnen vorenthalten, um zu sehen, wer spät beitritt. Fragen Sie "
                + "andere, ob sie es gesehen haben."
        case .restoredWallet:
            "Diese Wallet weiß nicht mehr, wie ihr Schlüssel in das Verzeichnis kam: Sie wurde aus einem Export "
                + "wiederhergestellt, oder der Beitritt geschah anderswo. Was seit damals von dem Verzeichnis gesehen "
                + "wurde, ist hier nicht bekannt und kann nicht verglichen werden."
        case .foreignKey:
            "Diese Petition ist mit einem Schlüssel signiert, den keines ihrer Verzeichnisse hat: Jemand anderes hat "
                + "sie gemacht."
        case .unwitnessedRoll:
            "Die Petition hat Zeugen, und Ihr Verzeichnis hat keine. Wer das Verzeichnis führt, könnte Ihnen ein "
                + "anderes Verzeichnis zeigen als anderen, um Sie daran wiederzuerkennen: Vergleichen Sie die Kennung "
                + "des Verzeichnisses mit anderen Mitgliedern."
        case .seenContradiction:
            "Am % wurde dieser Wallet etwas gezeigt, was dem widerspricht, was sie zuvor gesehen hatte. % Der Server, "
                + "der es gezeigt hat, kann Sie vielleicht daran wiedererkennen, dass Sie jetzt weitermachen. "
                + "Vergleichen Sie zuerst mit anderen Mitgliedern, was Sie sehen."
        case .seenOlderLog:
            "Am %: % Aber vielleicht hat jemand zuvor nur Ihnen etwas Neueres gezeigt, um Sie daran wiederzuerkennen, "
                + "dass Sie anhalten und weitermachen. Fragen Sie andere, ob ihre Programme auch angehalten haben."
        case .shortWindowBriefly: "der Beitritt dauert nur % Sekunden"
        case .lateNoticeBriefly: "die Öffnung des Beitritts wurde spät gesehen"
        case .laterRoundBriefly: "die Runde, in der Sie sich eingetragen haben, ist vorbei"
        case .windowOverBriefly: "die Beitrittszeit ist vorbei"
        case .lateLogBriefly: "das Protokoll wurde ohne die Öffnung des Beitritts gezeigt"
        case .restoredWalletBriefly: "diese Wallet erinnert sich nicht an ihren Beitritt"
        case .foreignKeyBriefly: "die Petition ist mit einem Schlüssel signiert, den keines ihrer Verzeichnisse hat"
        case .unwitnessedRollBriefly: "die Petition hat Zeugen, und Ihr Verzeichnis hat keine"
        case .seenContradictionBriefly: "was zuvor gezeigt wurde, widerspricht dem, was diese Wallet gesehen hat"
        case .seenOlderLogBriefly: "ein Protokoll wurde mit weniger Einträgen gezeigt als zuvor"
        case .rollsByEnrolment:
            "Dieser Koordinator hat % Verzeichnisse, nach den Einträgen ihrer Eintragungsprotokolle:"
        case .rollsByMembers:
            "Der Koordinator Ihres Verzeichnisses hat % Verzeichnisse, nach den Einträgen ihrer Mitgliederprotokolle:"
        case .yours: "(Ihres)"
        case .invented: "Ein Koordinator kann Einträge erfinden: Es zählt, dass andere denselben Link haben."
        case .sizesUnknown:
            "Von % weiteren, die der Koordinator bekannt gemacht hat, ist die Größe nicht bekannt: Diese haben nicht "
                + "geantwortet, sind zu viele, um sie anzusehen, oder werden von anderen Organisationen geführt; oder "
                + "sie sind verborgen."
        case .largerRoll:
            "Ein anderes ist mindestens doppelt so groß wie Ihres. Ein Verzeichnis kann für wenige gemacht sein, um "
                + "sie zu unterscheiden: Fragen Sie, ob andere denselben Link haben."
        case .smallestRoll:
            "Ihres ist das kleinste. Ein Verzeichnis kann für wenige gemacht sein, um sie zu unterscheiden: Fragen "
                + "Sie, ob andere denselben Link haben."
        case .ringToSignIn:
            "Sie würden als eines von % Mitgliedern des Rings % von „%“ unterschreiben. In dieses Verzeichnis kam man "
                + "%."
        case .visible:
            "Alle werden sehen, dass jemand aus diesem Ring unterschrieben hat, und die Nummer des Rings; niemand "
                + "kann sagen, wer."
        case .visibleLess:
            "Wenn fast alle im Ring unterschreiben oder die anderen sagen, dass sie es nicht getan haben, schützt Sie "
                + "das weniger."
        case .noWitnesses:
            "Die Petition hat keine Zeugen: Nur wer mit anderen vergleicht, merkt es, wenn Ihnen eine andere gezeigt "
                + "wird."
        case .witnessesOfPetition: "Zeugen haben die Petition gesehen: %."
        case .noWitnessesOfRoll:
            "Ihr Verzeichnis hat keine: Wer es führt, könnte Ihnen ein anderes Verzeichnis zeigen als anderen."
        case .witnesses: "Zeugen haben gesehen, dass anderen dasselbe gezeigt wird: %."
        case .oneDeceives: "Einer von ihnen könnte Sie zusammen mit den Servern täuschen."
        case .severalDeceive: "Um Sie zu täuschen, müssten sich % von ihnen mit den Servern zusammentun."
        case .nobodySigned:
            "Soweit zu sehen ist, hat noch niemand unterschrieben. Wenn Sie nicht erwartet haben, den Anfang zu "
                + "machen, wurde diese Petition vielleicht nur wenigen gezeigt: Vergleichen Sie ihre Kennung mit "
                + "anderen."
        case .entries:
            "Das Protokoll der Petition hat % Einträge; die Beweise der ersten % Unterschriften Ihres Verzeichnisses "
                + "wurden geprüft."
        case .entriesOfLargeRoll:
            "Das Protokoll der Petition hat % Einträge; in einem so großen Verzeichnis bleiben ihre Beweise denen "
                + "überlassen, die nachprüfen."
        case .fewSigned:
            "Soweit zu sehen ist, haben erst wenige unterschrieben: Diese Petition wurde vielleicht nur wenigen "
                + "gezeigt. Vergleichen Sie ihre Kennung mit anderen."
        case .petitionRolls: "Die Verzeichnisse der Petition, nach den Einträgen, die sie zulässt:"
        case .admitted: "aufgenommen %"
        case .admissionUnknown: "auf eine Weise, die nicht angesehen wurde"
        case .yoursSmallest: "Ihres ist das kleinste: Alle sehen, dass eine Unterschrift daraus kommt."
        case .byList: "nach der Liste des Koordinators"
        case .byMail: "per E-Mail: ein Platz für jedes Postfach, wem auch immer es gehört"
        case .byMailAt: "per E-Mail: ein Platz für jedes Postfach bei %"
        case .startTitle: "Petitionen unterschreiben, ohne genannt zu werden"
        case .startText:
            "Diese Seite ist ein Programm. Es läuft in diesem Browser, sendet, was Sie ihm sagen, an die Server Ihrer "
                + "Petition und an niemanden sonst, und behält nichts, außer wenn Sie es sagen."
        case .trustTitle: "Wem Sie dabei vertrauen"
        case .trustMaker:
            "Denen, die diese Datei gemacht haben: Vergleichen Sie ihre Prüfsumme (SHA-256) mit der, die "
                + "veröffentlicht ist, bevor Sie die Datei öffnen. Wer Ihnen sowohl die Datei als auch ihre Prüfsumme "
                + "gibt, kann Ihnen ein anderes Programm geben."
        case .trustBrowser:
            "Diesem Browser, seinen Erweiterungen und diesem Computer: Alle drei können sehen, was Sie eingeben und "
                + "unterschreiben."
        case .trustTime:
            "Für kompilierten Code in einem Browser ist nicht zugesagt, dass er immer gleich lange braucht, was auch "
                + "immer das Geheimnis ist; für die Befehlszeile ist es das."
        case .trustNetwork:
            "Die Server sehen Ihre Netzwerkadresse, außer wenn Sie den Tor-Browser verwenden, und können sehen, dass "
                + "Anfragen von ein und derselben Seite kommen: Schließen Sie den Browser zwischen Anmelden, "
                + "Beitreten und Unterschreiben."
        case .samePage:
            "Sie haben sich gerade in dieser Seite angemeldet oder sind beigetreten. Server können das an der "
                + "Verbindung erkennen: Speichern Sie Ihre Wallet, schließen Sie den Browser, und machen Sie in einem "
                + "neuen weiter."
        case .openWallet: "Wallet öffnen"
        case .openWalletText: "Eine Wallet-Datei dieser Seite oder von petition-signer; beide verwenden die gleichen."
        case .walletFile: "Wallet-Datei"
        case .newWallet: "Neue Wallet anlegen"
        case .newWalletText:
            "Eine Wallet enthält das Geheimnis, mit dem Sie unterschreiben. Sie ist mit einer Passphrase "
                + "verschlüsselt, die niemand zurücksetzen kann."
        case .keptWallet: "Die Wallet öffnen, die dieser Browser aufbewahrt"
        case .passphrase: "Passphrase"
        case .passphraseAgain: "Noch einmal dieselbe"
        case .passphrasesDiffer: "die beiden Passphrasen sind verschieden"
        case .passphraseEmpty: "die Passphrase ist leer"
        case .goOn: "Weiter"
        case .back: "Zurück"
        case .stop: "Abbrechen"
        case .despite: "Trotzdem weiter"
        case .opening: "Die Wallet wird geöffnet: Das dauert einige Sekunden."
        case .saveTitle: "Ihre Wallet speichern"
        case .saveText:
            "Speichern Sie die Wallet als Datei, bevor Sie weitermachen. Wer die Datei oder die Passphrase nicht hat, "
                + "kann nicht an Ihrer Stelle unterschreiben; eine verlorene Wallet kann nicht ersetzt werden."
        case .saveButton: "Wallet als Datei speichern"
        case .unsaved: "Ihre Wallet hat sich geändert, seit Sie sie gespeichert haben."
        case .keep: "In diesem Browser aufbewahren, verschlüsselt"
        case .keepText:
            "Wer diesen Browser benutzt, kann sehen, dass es eine Wallet gibt und wann sie benutzt wurde; nicht, was "
                + "darin ist. Private Fenster und der Tor-Browser vergessen sie, wenn sie geschlossen werden: "
                + "Speichern Sie sie auch als Datei."
        case .forget: "Aus diesem Browser entfernen"
        case .forgotten: "Dieser Browser bewahrt keine Wallet mehr auf."
        case .kept: "Dieser Browser bewahrt Ihre Wallet auf, verschlüsselt."
        case .keepFailed: "dieser Browser kann sie nicht aufbewahren: %"
        case .homeTitle: "Ihre Wallet"
        case .lastUsed:
            "Sie wurde zuletzt am % benutzt. Wenn Sie sich an mehr erinnern, als sie zeigt, ist das eine alte Kopie "
                + "davon."
        case .noRolls: "Diese Wallet hat noch kein Verzeichnis."
        case .paste: "Ihre Einladung oder die Adresse einer Petition"
        case .pasteHelp: "Fügen Sie den Link oder den ganzen Text der E-Mail ein."
        case .code: "Code"
        case .codeHelp: "Aus Ihrem Brief, wenn der Link ihn nicht enthält: 27 Buchstaben und Ziffern."
        case .close: "Wallet schließen"
        case .stateEnrolling:
            "die Einladung wurde gesendet, und noch wurde kein Platz daraus: Benutzen Sie sie noch einmal"
        case .stateWaiting: "eingetragen; der Schlüssel ist noch nicht abgegeben"
        case .stateSent: "eingetragen; der Schlüssel wurde gesendet, und es kam keine Antwort"
        case .stateJoined: "beigetreten; Sie können unterschreiben, sobald der Ring versiegelt ist"
        case .stateInRing: "in Ring %"
        case .stateCounted: "gezählt als Eintrag %"
        case .stateLate: "Eintrag %, zu spät, um zu zählen"
        case .stateWithdrawn: "zurückgezogen"
        case .stateUnsent: "unterschrieben, noch nicht gezählt"
        case .join: "Beitreten"
        case .findRing: "Ihren Ring suchen"
        case .sendAgain: "Noch einmal senden"
        case .receipt: "Quittung"
        case .withdraw: "Zurückziehen"
        case .invitationTitle: "Ihre Einladung"
        case .invitationFor: "Sie ist für %, bei %."
        case .rewritten:
            "Der Link, den Sie eingefügt haben, ist einer von einem Mailfilter und zeigt eine andere Adresse. Sind "
                + "Ihre Organisatoren unter % zu finden?"
        case .rollName: "Verzeichnis"
        case .rollLink: "Link"
        case .rollID: "Kennung"
        case .rollAdmission: "Aufgenommen wird man"
        case .rollRings: "Ringe"
        case .rollRingsText: "von mindestens % Mitgliedern, höchstens %"
        case .rollJoining: "Der Beitritt dauert"
        case .rollWitnesses: "Zeugen"
        case .none: "keine"
        case .enrolText:
            "Der Koordinator sieht, dass Sie sich eintragen, aber nicht, welches Mitglied Sie sein werden. "
                + "Vergleichen Sie den Link mit anderen Mitgliedern: Alle haben denselben."
        case .enrol: "Einladung benutzen"
        case .enrolled: "Sie sind in „%“ eingetragen."
        case .enrolledNext:
            "Kommen Sie wieder, wenn der Beitritt öffnet, öffnen Sie Ihre Wallet, und treten Sie bei: Ihr Schlüssel "
                + "wird dann zu einem zufälligen Zeitpunkt abgegeben."
        case .calendar: "Kalendereintrag speichern"
        case .joinTitle: "„%“ beitreten"
        case .joinText:
            "Ihr Schlüssel wird zu einem zufälligen Zeitpunkt in der zweiten Hälfte der Beitrittszeit gesendet, damit "
                + "der Zeitpunkt Sie nicht verrät. Lassen Sie diese Seite inzwischen offen und den Computer wach; am "
                + "besten in einem anderen Netzwerk als dem, von dem aus Sie sich eingetragen haben, oder mit dem "
                + "Tor-Browser."
        case .joinAddress:
            "Der Koordinator sieht Ihre Netzwerkadresse: Wenn Sie sich auch von dieser aus eingetragen haben, brechen "
                + "Sie ab, und verwenden Sie den Tor-Browser."
        case .fewestInRound: "Ablehnen, wenn sich in Ihrer Runde weniger als diese Zahl eingetragen haben"
        case .waitingToOpen: "Es wird gewartet, bis der Beitritt in „%“ öffnet. Lassen Sie diese Seite offen."
        case .roundSize: "In Ihrer Runde haben sich % eingetragen, von insgesamt % Eingeladenen."
        case .roundHides:
            "Sie verbergen sich unter denen, die es wirklich gibt: Wenn das weit von dem entfernt ist, was Sie "
                + "wissen, fragen Sie Ihre Organisatoren."
        case .joinAt: "Der Beitritt geschieht am %, zu einem zufälligen Zeitpunkt. Lassen Sie diese Seite offen."
        case .tryingAgain: "%; später wird es noch einmal versucht."
        case .joined:
            "Sie sind „%“ beigetreten. Sie können unterschreiben, sobald die Organisatoren den Ring versiegelt haben."
        case .inTheRoll: "Ihr Schlüssel ist schon in „%“: Es wurde nichts gesendet. Sie können unterschreiben."
        case .oneOfRing: "Sie sind eines von % Mitgliedern des Rings % von „%“."
        case .behindRing:
            "Was hinter Ihrem Ring hinzugefügt wurde, ist falsch: %. Eine Petition, die das enthält, wird abgelehnt."
        case .ringKnown:
            "Ihre Wallet kennt den Ring jetzt. Unterschreiben Sie, wann Sie wollen, aber nicht gerade jetzt."
        case .ringNotNeeded:
            "Ein Verzeichnis dieser Größe braucht das nicht: Es wird vollständig gelesen, wenn Sie unterschreiben."
        case .petitionTitle: "Petition"
        case .startedBy: "Gestartet von"
        case .addressedTo: "Gerichtet an"
        case .website: "Website"
        case .isOpen: "Offen"
        case .fromTo: "% bis %"
        case .firstGoal: "Erstes Ziel"
        case .id: "Kennung"
        case .fewestInRing: "Ablehnen, wenn Ihr Ring weniger Mitglieder hat als diese Zahl"
        case .lookAtRing: "Ring ansehen"
        case .reading: "Verzeichnis und Petition werden gelesen"
        case .signTitle: "Diese Petition unterschreiben?"
        case .addressHidden: "Ihre Netzwerkadresse wird vom Tor-Browser verborgen."
        case .addressSeen:
            "Der Zähler und die Koordinatoren der Verzeichnisse können Ihre Netzwerkadresse und den Zeitpunkt sehen: "
                + "Der Tor-Browser verbirgt die Adresse."
        case .when: "Wann gesendet wird"
        case .now: "Jetzt"
        case .withinMinutes: "Zu einem zufälligen Zeitpunkt innerhalb von % Min."
        case .withinHours: "Zu einem zufälligen Zeitpunkt innerhalb von % Std."
        case .sign: "Unterschreiben"
        case .sendingAt:
            "Gesendet wird am %, zu einem zufälligen Zeitpunkt. Lassen Sie diese Seite offen; wird sie geschlossen, "
                + "senden Sie später noch einmal."
        case .closesSoon: "Die Petition schließt bald: Es wird jetzt gesendet."
        case .counted: "Unterschrieben und gezählt, als Eintrag %. Die Quittung ist in Ihrer Wallet."
        case .countedBefore:
            "Sie haben diese Petition schon früher unterschrieben: Das wurde einmal gezählt, als Eintrag %, und die "
                + "Quittung dafür ist in Ihrer Wallet."
        case .late:
            "Ihre Unterschrift kam zu spät: Es ist Eintrag %, den die Zeugen der Petition zum ersten Mal am % gesehen "
                + "haben, nachdem die Petition geschlossen war; sie zählt nicht. Die Quittung, die das sagt, ist in "
                + "Ihrer Wallet."
        case .receiptTitle: "Quittung"
        case .receiptGood: "Die Quittung für % ist gut: Eintrag % in einem Baum von % mit der Wurzel %."
        case .receiptSeen: "Gesehen von % am %."
        case .receiptNone: "Es gibt noch keine Quittung für %."
        case .theSignature: "die Unterschrift"
        case .theWithdrawal: "das Zurückziehen"
        case .saveReceipt: "Unterschrift und Quittung als Dateien speichern"
        case .print: "Drucken"
        case .whoHasReceipt: "Wer diese Dateien oder diese Seite hat, weiß, was Sie unterschrieben haben."
        case .withdrawTitle: "Ihre Unterschrift für immer zurückziehen?"
        case .withdrawText:
            "Sie wird zurückgezogen, ohne dass Sie genannt werden, und kann nicht noch einmal geleistet werden."
        case .withdrawn: "Zurückgezogen, als Eintrag %. Die Quittung ist in Ihrer Wallet."
        case .withdrawnLate:
            "Ihr Zurückziehen kam zu spät: Es ist Eintrag %, den die Zeugen der Petition zum ersten Mal am % gesehen "
                + "haben, nachdem die Petition geschlossen war; Ihre Unterschrift bleibt. Die Quittung, die das sagt, "
                + "ist in Ihrer Wallet."
        case .evidence: "Beweise speichern"
        case .evidenceText:
            "Die Beweise zeigen, was signiert wurde. Der Server, der es gezeigt hat, kann Sie daran vielleicht "
                + "wiedererkennen: Geben Sie die Beweise auf einem Weg weiter, der Sie nicht nennt."
        case .errorTitle: "Es geht nicht weiter"
        case .otherTab: "diese Wallet ist in einem anderen Tab oder Fenster dieses Browsers offen"
        case .otherTabAdvice:
            "machen Sie dort weiter, oder schließen Sie es: Zwei, die mit einer Wallet weitermachen, zeigen zweimal, "
                + "dass Sie da sind"
        case .invitationTooLong: "das ist zu lang für eine Einladung"
        case .invitationNoLink: "das ist kein Einladungslink"
        case .invitationOnlyCode: "das ist ein Code, und der Link fehlt"
        case .invitationOnlyCodeAdvice: "fügen Sie den Link aus Ihrem Brief hinzu"
        case .invitationOtherLink:
            "das ist ein Link zu % und kein Einladungslink, in dem vor dem # /rolls/ und ein Name stehen"
        case .invitationOtherLinkAdvice:
            "wenn ein Mailfilter den Link dort eingesetzt hat, öffnen Sie ihn in einem Browser, und kopieren Sie die "
                + "Adresse der Seite, die kommt, oder geben Sie den Link und den Code getrennt an, wie sie in Ihrem "
                + "Brief stehen"
        case .invitationNamesID:
            "dieser Link nennt ein Verzeichnis mit seiner Kennung, nicht mit dem Namen, den alle verwenden"
        case .invitationNamesIDAdvice:
            "er kann für Sie allein gemacht sein: Bitten Sie Ihre Organisatoren um den Link, den alle Mitglieder "
                + "haben"
        case .invitationTwoLinks: "das sind Links zu zwei verschiedenen Verzeichnissen"
        case .invitationTwoCodes: "das sind zwei verschiedene Codes"
        case .inYourLetterAdvice: "geben Sie den an, der in Ihrem Brief steht"
        case .copyWholeAdvice:
            "kopieren Sie den ganzen Link, mit den 27 Zeichen nach dem #, oder tippen Sie ihn noch einmal"
        case .codeLength: "der Code dieser Einladung hat % Zeichen statt 27"
        case .codeShortAdvice:
            "sein Ende oder ein Teil fehlt: Kopieren Sie den ganzen Link, oder nehmen Sie den Code aus Ihrem Brief"
        case .codeLongAdvice:
            "es folgt etwas, was nicht dazugehört: Kopieren Sie den Link bis zum 27. Zeichen des Codes"
        case .codeSymbol: "der Code dieser Einladung hat ein Zeichen, das kein Code hat: %"
        case .codeSymbolAdvice:
            "es gibt darin nur Ziffern und Buchstaben außer U: Kopieren Sie den Link noch einmal, oder nehmen Sie den "
                + "Code aus Ihrem Brief"
        case .codeMistyped: "der Code dieses Einladungslinks wurde falsch getippt"
        case .codeMissing: "dieser Link hat keinen Code: Manche Mailprogramme lassen weg, was auf das # folgt"
        case .fetchFailed:
            "es kam keine Antwort: Der Server ist nicht da, die Adresse ist falsch, oder er lässt eine Seite wie "
                + "diese seine Antworten nicht lesen"
        case .fetchOffline: "dieser Computer ist mit keinem Netzwerk verbunden"
        case .fetchLate: "es kam nicht rechtzeitig eine Antwort"
        case .fetchPage:
            "stattdessen kam eine Webseite: Dieses Netzwerk will vielleicht, dass Sie sich anmelden, oder etwas auf "
                + "dem Weg hat geantwortet"
        case .torBrowser: "Das ist der Tor-Browser: Server sehen meine Netzwerkadresse nicht"
        case .keptName: "die Wallet in diesem Browser"
        case .minutes: "% Minuten"
        case .hours: "% Stunden"
        case .days: "% Tage"
        case .closeAnyway: "Ohne Speichern schließen"
        case .keptOther:
            "dieser Browser bewahrt eine andere Wallet auf, oder eine andere Kopie dieser: Öffnen Sie jene, oder "
                + "entfernen Sie sie zuerst"
        case .fetchOnion:
            "ein Onion-Dienst ist nur über Tor zu erreichen: Öffnen Sie diese Datei im Tor-Browser, und sagen Sie das "
                + "am Anfang"
        case .notANumber: "das ist keine ganze Zahl, nur mit Ziffern geschrieben"
        case .fingerprint:
            "Ein Browser sagt den Servern seine Version, sein System, und dass er einer ist; wenn wenige Ihrer Runde "
                + "den gleichen verwenden, können sie erkennen, dass Sie es sind. Der Tor-Browser sieht bei allen "
                + "gleich aus."
        case .sending: "Wird gesendet"
        case .readingAt: "Gelesen wird am %, zu einem zufälligen Zeitpunkt. Lassen Sie diese Seite offen."
        }
    }
}
