import Foundation

/// A language of the interface. What a petition says stays in its own.
public enum Language: String, CaseIterable, Sendable {
    case english = "en"
    case french = "fr"
    case german = "de"
    case spanish = "es"

    /// Its name in itself.
    package var name: String {
        switch self {
        case .english: "English"
        case .french: "Français"
        case .german: "Deutsch"
        case .spanish: "Español"
        }
    }

    /// The language of an `Accept-Language` header (RFC 9110 section 12.5.4) that is liked best of those that the
    /// interface has; nil when none of them is acceptable.
    public init?(accepting header: String) {
        var best: (language: Language, weight: Double)?
        for range in header.split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            let quality = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }
            let weight = quality.map { Self.weight($0.dropFirst(2)) } ?? 1
            // Of those that are liked alike the first is meant.
            if let language = parts.first.flatMap({ Self(tag: $0) }), weight > best?.weight ?? 0 {
                best = (language, weight)
            }
        }
        guard let best else { return nil }
        self = best.language
    }

    /// What is not between 0 and 1 is no weight, and nothing is liked by it.
    private static func weight(_ text: Substring) -> Double {
        guard let weight = Double(text), (0...1).contains(weight) else { return 0 }
        return weight
    }

    /// The language that `tag` (BCP 47) is of, if the interface has it.
    public init?(tag: some StringProtocol) {
        self.init(rawValue: tag.prefix { $0 != "-" }.lowercased())
    }

    /// Which way texts in the language `tag` (BCP 47) run: `ltr` or `rtl`.
    package static func direction(of tag: String) -> String {
        Locale.Language(identifier: tag).characterDirection == .rightToLeft ? "rtl" : "ltr"
    }

    private var locale: Locale { Locale(identifier: rawValue) }

    /// A count as the language writes it.
    package func number(_ count: UInt64) -> String {
        Int64(clamping: count).formatted(.number.locale(locale))
    }

    /// A day as the language writes it, in UTC.
    package func day(_ seconds: Int64) -> String {
        var style = Date.FormatStyle(date: .long, time: .omitted, locale: locale)
        style.timeZone = .gmt
        return Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(style)
    }

    /// Day and minute, in UTC.
    package func minute(_ seconds: Int64) -> String {
        var style = Date.FormatStyle(date: .long, time: .shortened, locale: locale)
        style.timeZone = .gmt
        return Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(style) + " UTC"
    }

    /// What the interface says in this language under `key`, with its place filled.
    package func phrase(_ key: Phrase, _ values: String...) -> String {
        var text = key.texts[Self.allCases.firstIndex(of: self) ?? 0]
        for value in values {
            guard let index = text.range(of: "%") else { break }
            text.replaceSubrange(index, with: value)
        }
        return text
    }
}

/// Everything that the interface says, in the order of ``Language``: English, French, German, Spanish. `%` is filled
/// in.
package enum Phrase: String, CaseIterable {
    case petitions, noPetitions, skip, languages, startedBy, startedOn, addressedTo, website, signatures, one,
        withdrawn, ofGoal,
        goalRule
    case notOpen, open, closed, asOf, reload, announcement, statement, growth, growthText, growthNone, perRoll, label
    case support, supportText, supportCommand, supportNone, withdrawCommand, copy, copied
    case countedHow, countedText, verifyCommand, checkReceipt, reservations, identity, fingerprint, fingerprintText
    case share, shareText, poster, badge, mail, qr, data, feed, posterSign, posterCheck, noCookies, replaces
    case checkTitle, checkText, checkNothing, checkReceiptFile, checkRecordFile, checkScript, checkWorking, checkGood,
        checkBad
    case checkMalformed, checkUnreadable, checkOrigin, checkSignature, checkUnsupported, back, checkWhere
    case missing, unavailable, keeper, noCookiesHere, enrolText, enrolCommand, enrolCode, rollID

    package var texts: [String] {
        switch self {
        case .petitions: ["Petitions", "Pétitions", "Petitionen", "Peticiones"]
        case .noPetitions:
            [
                "There is no petition here yet.", "Il n’y a pas encore de pétition ici.",
                "Hier gibt es noch keine Petition.", "Aquí no hay todavía ninguna petición.",
            ]
        case .skip: ["Skip to the content", "Aller au contenu", "Zum Inhalt", "Ir al contenido"]
        case .languages: ["Languages", "Langues", "Sprachen", "Idiomas"]
        case .startedBy: ["Started by", "Lancée par", "Gestartet von", "Iniciada por"]
        case .startedOn: ["Started on", "Lancée le", "Gestartet am", "Iniciada el"]
        case .addressedTo: ["Addressed to", "Adressée à", "Gerichtet an", "Dirigida a"]
        case .website:
            [
                "The organisers’ website", "Le site des organisateurs", "Website der Organisatoren",
                "Web de los organizadores",
            ]
        case .signatures: ["signatures", "signatures", "Unterschriften", "firmas"]
        case .one: ["signature", "signature", "Unterschrift", "firma"]
        case .withdrawn: ["withdrawn", "retirées", "zurückgezogen", "retiradas"]
        case .ofGoal: ["Next goal: %", "Prochain objectif : %", "Nächstes Ziel: %", "Próximo objetivo: %"]
        case .goalRule:
            [
                "When a goal is reached, the next is five or two times as large, in turn.",
                "Quand un objectif est atteint, le suivant est cinq ou deux fois plus grand, tour à tour.",
                "Ist ein Ziel erreicht, ist das nächste abwechselnd fünf- oder zweimal so groß.",
                "Cuando se alcanza un objetivo, el siguiente es cinco o dos veces mayor, por turnos.",
            ]
        case .notOpen: ["Opens on %", "Ouvre le %", "Öffnet am %", "Abre el %"]
        case .open: ["Open until %", "Ouverte jusqu’au %", "Offen bis %", "Abierta hasta el %"]
        case .closed: ["Closed since %", "Close depuis le %", "Geschlossen seit %", "Cerrada desde el %"]
        case .asOf: ["Counted up to", "Décompte arrêté au", "Gezählt bis", "Contado hasta"]
        case .reload:
            [
                "Load the page again for a newer count.", "Rechargez la page pour un décompte plus récent.",
                "Für eine neuere Zahl die Seite neu laden.", "Vuelva a cargar la página para un recuento más reciente.",
            ]
        case .announcement: ["% signatures now", "% signatures maintenant", "Jetzt % Unterschriften", "% firmas ahora"]
        case .statement: ["What it asks for", "Ce qu’elle demande", "Worum es geht", "Qué pide"]
        case .growth:
            [
                "Signatures over time", "Signatures au fil du temps", "Unterschriften im Lauf der Zeit",
                "Firmas a lo largo del tiempo",
            ]
        case .growthText:
            [
                "From % to %: % signatures.", "Du % au % : % signatures.", "Von % bis %: % Unterschriften.",
                "Del % al %: % firmas.",
            ]
        case .growthNone:
            [
                "The chart begins one hour after the first signature. It is not finer than an hour, so that it tells on nobody.",
                "Le graphique commence une heure après la première signature. Il n’est pas plus fin qu’une heure, pour ne trahir personne.",
                "Die Kurve beginnt eine Stunde nach der ersten Unterschrift. Feiner als eine Stunde ist sie nicht, damit sie niemanden verrät.",
                "El gráfico empieza una hora después de la primera firma. No es más fino que una hora, para no delatar a nadie.",
            ]
        case .perRoll: ["By roll", "Par liste", "Nach Liste", "Por lista"]
        case .label: ["Roll", "Liste", "Liste", "Lista"]
        case .support: ["Sign now", "Signer maintenant", "Jetzt unterschreiben", "Firmar ahora"]
        case .supportText:
            [
                "Members of the roll who have enrolled sign on their own computer, with Roundrobin. Nobody learns who signed, the keeper of this page included.",
                "Les membres inscrits signent sur leur propre ordinateur, avec Roundrobin. Personne n’apprend qui a signé, pas même qui tient cette page.",
                "Eingetragene Mitglieder unterschreiben auf ihrem eigenen Rechner, mit Roundrobin. Niemand erfährt, wer es war, auch nicht, wer diese Seite betreibt.",
                "Los miembros inscritos firman en su propio ordenador, con Roundrobin. Nadie sabe quién firmó, ni siquiera quien mantiene esta página.",
            ]
        case .supportCommand: ["To sign:", "Pour signer :", "Unterschreiben:", "Para firmar:"]
        case .withdrawCommand: ["To withdraw:", "Pour retirer :", "Zurückziehen:", "Para retirar:"]
        case .supportNone:
            [
                "No invitation? Only members of the roll can sign. Ask the organisers.",
                "Pas d’invitation ? Seuls les membres de la liste peuvent signer. Adressez-vous aux organisateurs.",
                "Keine Einladung? Nur Mitglieder der Liste können unterschreiben. Die Organisatoren wissen mehr.",
                "¿Sin invitación? Solo los miembros de la lista pueden firmar. Pregunte a los organizadores.",
            ]
        case .copy: ["Copy", "Copier", "Kopieren", "Copiar"]
        case .copied: ["Copied", "Copié", "Kopiert", "Copiado"]
        case .countedHow: ["How it is counted", "Comment on compte", "Wie gezählt wird", "Cómo se cuenta"]
        case .countedText:
            [
                "Each signature proves that some member of the roll made it, without saying which, and carries a mark by which a second one of the same member is found. All signatures are published. Whoever doubts the number can count again:",
                "Chaque signature prouve qu’un membre de la liste l’a faite, sans dire lequel, et porte une marque qui trahit une seconde signature du même membre. Toutes sont publiées. Qui doute du nombre peut recompter :",
                "Jede Unterschrift beweist, dass irgendein Mitglied der Liste sie geleistet hat, ohne zu sagen welches, und trägt eine Marke, an der eine zweite desselben Mitglieds auffällt. Alle sind veröffentlicht. Wer der Zahl nicht glaubt, zählt nach:",
                "Cada firma prueba que la hizo algún miembro de la lista, sin decir cuál, y lleva una marca que delata una segunda del mismo miembro. Todas se publican. Quien dude del número puede volver a contar:",
            ]
        case .verifyCommand: ["To verify:", "Pour vérifier :", "Nachprüfen:", "Para verificar:"]
        case .checkReceipt: ["Was I counted?", "Ai-je été compté ?", "Wurde ich gezählt?", "¿Me han contado?"]
        case .reservations:
            [
                "What this does not prove: when a signature came in, and that the roll’s keeper enrolled only people who exist.",
                "Ce que cela ne prouve pas : quand une signature est arrivée, ni que la liste ne contient que des personnes réelles.",
                "Was das nicht beweist: wann eine Unterschrift kam, und dass in der Liste nur Menschen stehen, die es gibt.",
                "Lo que esto no prueba: cuándo llegó una firma, ni que la lista contenga solo personas que existen.",
            ]
        case .identity:
            ["Petition id:", "Identifiant de la pétition :", "Kennung der Petition:", "Identificador de la petición:"]
        case .fingerprint: ["Short fingerprint:", "Empreinte courte :", "Kurzer Fingerabdruck:", "Huella corta:"]
        case .fingerprintText:
            [
                "The poster carries the same. It is the first half of the id.",
                "L’affiche porte la même. C’est la première moitié de l’identifiant.",
                "Auf dem Plakat steht derselbe. Er ist die erste Hälfte der Kennung.",
                "El cartel lleva la misma. Es la primera mitad del identificador.",
            ]
        case .share: ["Share", "Partager", "Weitersagen", "Compartir"]
        case .shareText:
            [
                "On paper, or by a link. None of these tells anybody that you were here.",
                "Sur papier ou par un lien. Rien de cela ne dit à personne que vous étiez ici.",
                "Auf Papier oder mit einem Link. Nichts davon verrät jemandem, dass Sie hier waren.",
                "En papel o con un enlace. Nada de esto dice a nadie que usted estuvo aquí.",
            ]
        case .poster: ["Poster to print", "Affiche à imprimer", "Plakat zum Drucken", "Cartel para imprimir"]
        case .badge:
            ["Badge for a website", "Badge pour un site", "Plakette für eine Website", "Insignia para una web"]
        case .mail: ["By e-mail", "Par courriel", "Per E-Mail", "Por correo"]
        case .qr: ["QR code", "Code QR", "QR-Code", "Código QR"]
        case .data: ["Figures", "Chiffres", "Zahlen", "Cifras"]
        case .feed: ["Feed (Atom)", "Flux (Atom)", "Feed (Atom)", "Canal (Atom)"]
        case .posterSign:
            [
                "Members sign without being named.", "Les membres signent sans être nommés.",
                "Mitglieder unterschreiben, ohne genannt zu werden.", "Los miembros firman sin ser nombrados.",
            ]
        case .posterCheck:
            [
                "Check that the page shows this fingerprint:", "Vérifiez que la page montre cette empreinte :",
                "Prüfen, dass die Seite diesen Fingerabdruck zeigt:", "Compruebe que la página muestra esta huella:",
            ]
        case .noCookies:
            [
                "This page sets no cookie, loads nothing from anywhere else, and keeps no record of its visitors.",
                "Cette page ne pose aucun cookie, ne charge rien d’ailleurs et ne garde aucune trace de ses visiteurs.",
                "Diese Seite setzt kein Cookie, lädt nichts von anderswo und merkt sich niemanden, der sie besucht.",
                "Esta página no usa cookies, no carga nada de otro sitio y no guarda registro de sus visitantes.",
            ]
        case .replaces:
            [
                "It replaces the petition", "Elle remplace la pétition", "Sie ersetzt die Petition",
                "Sustituye a la petición",
            ]
        case .checkTitle: ["Was I counted?", "Ai-je été compté ?", "Wurde ich gezählt?", "¿Me han contado?"]
        case .checkText:
            [
                "Give this page your receipt and your record. It checks that the record stands in the signed log of this petition.",
                "Donnez à cette page votre reçu et votre signature. Elle vérifie que la signature figure dans le journal signé de cette pétition.",
                "Geben Sie dieser Seite Ihre Quittung und Ihre Unterschrift. Sie prüft, dass die Unterschrift im signierten Protokoll dieser Petition steht.",
                "Dé a esta página su recibo y su firma. Comprueba que la firma consta en el registro firmado de esta petición.",
            ]
        case .checkNothing:
            [
                "The check runs in your browser and sends nothing. But whoever serves this page sees your address when you open it: use Tor, or the command below. The files prove that you signed: delete them afterwards.",
                "La vérification se fait dans votre navigateur et n’envoie rien. Mais qui sert cette page voit votre adresse quand vous l’ouvrez : utilisez Tor, ou la commande ci-dessous. Les fichiers prouvent que vous avez signé : effacez-les ensuite.",
                "Die Prüfung läuft in Ihrem Browser und sendet nichts. Wer diese Seite betreibt, sieht aber beim Öffnen Ihre Adresse: Tor verwenden oder den Befehl unten. Die Dateien beweisen, dass Sie unterschrieben haben: danach löschen.",
                "La comprobación se hace en su navegador y no envía nada. Pero quien sirve esta página ve su dirección cuando la abre: use Tor, o la orden de abajo. Los archivos prueban que firmó: bórrelos después.",
            ]
        case .checkReceiptFile:
            ["Receipt (.tlog-proof)", "Reçu (.tlog-proof)", "Quittung (.tlog-proof)", "Recibo (.tlog-proof)"]
        case .checkRecordFile: ["Record", "Signature (fichier)", "Unterschrift (Datei)", "Firma (archivo)"]
        case .checkWhere:
            [
                "petition-signer can write both to files, and can check them without a browser:",
                "petition-signer peut écrire les deux dans des fichiers, et les vérifier sans navigateur :",
                "petition-signer kann beides in Dateien schreiben und auch ohne Browser prüfen:",
                "petition-signer puede escribir ambos en archivos, y comprobarlos sin navegador:",
            ]
        case .checkScript:
            [
                "Without JavaScript use this command:", "Sans JavaScript, utilisez cette commande :",
                "Ohne JavaScript hilft dieser Befehl:", "Sin JavaScript, use esta orden:",
            ]
        case .checkWorking: ["Checking …", "Vérification …", "Wird geprüft …", "Comprobando …"]
        case .checkGood:
            [
                "Proven: this record is entry %1 of a log of %2 entries, which the aggregator signed. It counts unless it was withdrawn.",
                "Prouvé : cette signature est l’entrée %1 d’un journal de %2 entrées, que l’agrégateur a signé. Elle compte, sauf si elle a été retirée.",
                "Bewiesen: Diese Unterschrift ist Eintrag %1 eines Protokolls mit %2 Einträgen, das der Zähler signiert hat. Sie zählt, wenn sie nicht zurückgezogen wurde.",
                "Probado: esta firma es la entrada %1 de un registro de %2 entradas, firmado por el agregador. Cuenta, salvo que se haya retirado.",
            ]
        case .checkBad:
            [
                "Not proven: the receipt is not for this record. Compare the files; if they are right, keep them and tell others.",
                "Non prouvé : le reçu n’est pas celui de cette signature. Comparez les fichiers ; s’ils sont bons, gardez-les et parlez-en.",
                "Nicht bewiesen: Die Quittung gehört nicht zu dieser Unterschrift. Dateien vergleichen; stimmen sie, aufheben und weitersagen.",
                "No probado: el recibo no corresponde a esta firma. Compare los archivos; si son correctos, guárdelos y avise.",
            ]
        case .checkMalformed:
            [
                "The receipt is not one: its file is damaged, or is another file.",
                "Ce n’est pas un reçu : le fichier est abîmé, ou c’en est un autre.",
                "Das ist keine Quittung: Die Datei ist beschädigt oder eine andere.",
                "No es un recibo: el archivo está dañado o es otro.",
            ]
        case .checkUnreadable:
            [
                "The browser cannot read one of the two files. Choose both again.",
                "Le navigateur ne peut pas lire l’un des deux fichiers. Choisissez-les à nouveau.",
                "Der Browser kann eine der beiden Dateien nicht lesen. Bitte beide neu auswählen.",
                "El navegador no puede leer uno de los dos archivos. Elija los dos de nuevo.",
            ]
        case .checkOrigin:
            [
                "The receipt is of another petition’s log.", "Le reçu est du journal d’une autre pétition.",
                "Die Quittung ist aus dem Protokoll einer anderen Petition.",
                "El recibo es del registro de otra petición.",
            ]
        case .checkSignature:
            [
                "The receipt is not signed by this petition’s aggregator.",
                "Le reçu n’est pas signé par l’agrégateur de cette pétition.",
                "Die Quittung ist nicht vom Zähler dieser Petition signiert.",
                "El recibo no está firmado por el agregador de esta petición.",
            ]
        case .checkUnsupported:
            [
                "This browser cannot check Ed25519 signatures, or the page is not loaded over https. Use the command above.",
                "Ce navigateur ne sait pas vérifier les signatures Ed25519, ou la page n’est pas en https. Utilisez la commande ci-dessus.",
                "Dieser Browser kann Ed25519 nicht prüfen, oder die Seite ist nicht über https geladen. Bitte den Befehl oben verwenden.",
                "Este navegador no puede comprobar firmas Ed25519, o la página no está en https. Use la orden de arriba.",
            ]
        case .missing:
            [
                "There is nothing at this address", "Il n’y a rien à cette adresse",
                "Unter dieser Adresse gibt es nichts",
                "No hay nada en esta dirección",
            ]
        case .unavailable:
            [
                "This cannot be shown now: load the page again in a moment",
                "Affichage impossible pour le moment : rechargez la page dans un instant",
                "Das lässt sich gerade nicht anzeigen: Bitte die Seite gleich noch einmal laden",
                "Ahora no se puede mostrar: vuelva a cargar la página en un momento",
            ]
        case .noCookiesHere:
            [
                "This page sets no cookie and loads nothing from anywhere else. That an invitation was used is recorded; which member it became is not.",
                "Cette page ne pose aucun cookie et ne charge rien d’ailleurs. Qu’une invitation a servi est noté ; quel membre elle est devenue ne l’est pas.",
                "Diese Seite setzt kein Cookie und lädt nichts von anderswo. Dass eine Einladung benutzt wurde, wird vermerkt; welches Mitglied daraus wurde, nicht.",
                "Esta página no usa cookies y no carga nada de otro sitio. Se anota que una invitación se usó; no en qué miembro se convirtió.",
            ]
        case .keeper: ["Kept by %.", "Tenue par %.", "Geführt von %.", "Mantenida por %."]
        case .enrolText:
            [
                "This is a roll of people who may sign. With your invitation you can enrol in it once, and then sign petitions without being named.",
                "Voici une liste de personnes qui peuvent signer. Avec votre invitation, vous pouvez vous y inscrire une fois, puis signer des pétitions sans être nommé.",
                "Das ist eine Liste von Menschen, die unterschreiben dürfen. Mit Ihrer Einladung können Sie sich einmal eintragen und dann Petitionen unterschreiben, ohne genannt zu werden.",
                "Esta es una lista de personas que pueden firmar. Con su invitación puede inscribirse una vez y luego firmar peticiones sin ser nombrado.",
            ]
        case .enrolCommand:
            [
                "On a computer with Roundrobin, copy the whole address of this page, with what follows the #, and run:",
                "Sur un ordinateur avec Roundrobin, copiez toute l’adresse de cette page, avec ce qui suit le #, et lancez :",
                "Auf einem Computer mit Roundrobin die ganze Adresse dieser Seite kopieren, mit dem, was auf das # folgt, und eingeben:",
                "En un ordenador con Roundrobin, copie toda la dirección de esta página, con lo que sigue al #, y ejecute:",
            ]
        case .enrolCode:
            [
                "The part after the # is your personal code. Your browser does not send it to us.",
                "La partie après le # est votre code personnel. Votre navigateur ne nous l’envoie pas.",
                "Der Teil nach dem # ist Ihr persönlicher Code. Ihr Browser schickt ihn uns nicht.",
                "La parte que sigue al # es su código personal. Su navegador no nos lo envía.",
            ]
        case .rollID: ["Roll id:", "Identifiant de la liste :", "Kennung der Liste:", "Identificador de la lista:"]
        case .back: ["Back to the petition", "Retour à la pétition", "Zurück zur Petition", "Volver a la petición"]
        }
    }
}
