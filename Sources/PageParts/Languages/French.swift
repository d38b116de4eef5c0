/// What the interface says in French.
extension WrittenLanguage {
    static let french = WrittenLanguage(
        name: "Français", thousands: "\u{202F}", groupedFrom: 1000,
        months: [
            "janvier", "février", "mars", "avril", "mai", "juin",
            "juillet", "août", "septembre", "octobre", "novembre", "décembre",
        ],
        day: { "\($0) \($1) \($2)" }, minute: { "\($0) à \($1):\($2)" },
        phrase: frenchText)

    private static func frenchText(_ phrase: Phrase) -> String {
        switch phrase {
        case .petitions: "Pétitions"
        case .noPetitions: "Il n’y a pas encore de pétition ici."
        case .skip: "Aller au contenu"
        case .languages: "Langues"
        case .startedBy: "Lancée par"
        case .startedOn: "Lancée le"
        case .addressedTo: "Adressée à"
        case .website: "Le site des organisateurs"
        case .signatures: "signatures"
        case .one: "signature"
        case .withdrawn: "retirées"
        case .ofGoal: "Prochain objectif : %"
        case .goalRule: "Quand un objectif est atteint, le suivant est cinq ou deux fois plus grand, tour à tour."
        case .notOpen: "Ouvre le %"
        case .open: "Ouverte jusqu’au %"
        case .closed: "Close depuis le %"
        case .waitsForWitnesses:
            "Les signatures attendent leurs témoins depuis le % : ce qui est envoyé maintenant est refusé, et peut être renvoyé plus tard."
        case .asOf: "Décompte arrêté au"
        case .reload: "Rechargez la page pour un décompte plus récent."
        case .announcement: "% signatures maintenant"
        case .statement: "Ce qu’elle demande"
        case .growth: "Signatures au fil du temps"
        case .growthText: "Du % au % : % signatures."
        case .growthNone:
            "Le graphique commence une heure après la première signature. Il n’est pas plus fin qu’une heure, "
                + "pour ne trahir personne."
        case .perRoll: "Par liste"
        case .label: "Liste"
        case .support: "Signer maintenant"
        case .supportText:
            "Les membres inscrits signent sur leur propre ordinateur, avec Roundrobin. Personne n’apprend qui a "
                + "signé, pas même qui tient cette page."
        case .supportCommand: "Pour signer :"
        case .withdrawCommand: "Pour retirer :"
        case .supportNotNow: "Personne ne peut signer en ce moment."
        case .programs: "Les organisateurs proposent Roundrobin ici :"
        case .programsHashes: "Empreintes (SHA-256) de ses fichiers"
        case .programsTrust:
            "Comparez l’empreinte de ce que vous recevez (sha256sum FICHIER). Qui change cette page "
                + "peut aussi changer ces empreintes : comparez-les avec l’affiche, un courriel ou quelqu’un "
                + "que vous connaissez."
        case .frontText:
            "Ce serveur tient des listes de personnes qui peuvent signer des pétitions. Il enregistre "
                + "qui a été invité et qui s’est inscrit, mais pas qui signe."
        case .rolls: "Listes"
        case .noRolls: "Il n’y a pas encore de liste ici."
        case .supportNone:
            "Pas d’invitation ? Seuls les membres de la liste peuvent signer. Adressez-vous aux organisateurs."
        case .copy: "Copier"
        case .copied: "Copié"
        case .countedHow: "Comment on compte"
        case .countedText:
            "Chaque signature prouve qu’un membre de la liste l’a faite, sans dire lequel, et porte une marque "
                + "qui trahit une seconde signature du même membre. Toutes sont publiées. Qui doute du nombre peut "
                + "recompter :"
        case .verifyCommand: "Pour vérifier :"
        case .checkReceipt: "Ai-je été compté ?"
        case .reservations:
            "Ce que cela ne prouve pas : quand une signature est arrivée, ni que la liste ne contient que des "
                + "personnes réelles."
        case .identity: "Identifiant de la pétition :"
        case .fingerprint: "Empreinte courte :"
        case .fingerprintText: "L’affiche porte la même. C’est la première moitié de l’identifiant."
        case .share: "Partager"
        case .shareText: "Sur papier ou par un lien. Rien de cela ne dit à personne que vous étiez ici."
        case .poster: "Affiche à imprimer"
        case .badge: "Badge pour un site"
        case .mail: "Par courriel"
        case .qr: "Code QR"
        case .data: "Chiffres"
        case .feed: "Flux (Atom)"
        case .posterSign: "Les membres signent sans être nommés."
        case .posterCheck: "Vérifiez que la page montre cette empreinte :"
        case .noCookies:
            "Cette page ne pose aucun cookie, ne charge rien d’ailleurs et ne garde aucune trace de ses visiteurs."
        case .replaces: "Elle remplace la pétition"
        case .checkTitle: "Ai-je été compté ?"
        case .checkText:
            "Donnez à cette page votre reçu et votre signature. Elle vérifie que la signature figure dans le "
                + "journal signé de cette pétition."
        case .checkNothing:
            "La vérification se fait dans votre navigateur et n’envoie rien. Mais qui sert cette page voit votre "
                + "adresse quand vous l’ouvrez : utilisez Tor, ou la commande ci-dessous. Les fichiers prouvent que "
                + "vous avez signé : effacez-les ensuite."
        case .checkReceiptFile: "Reçu (.tlog-proof)"
        case .checkRecordFile: "Signature (fichier)"
        case .checkWhere: "petition-signer peut écrire les deux dans des fichiers, et les vérifier sans navigateur :"
        case .checkScript: "Sans JavaScript, utilisez cette commande :"
        case .checkWorking: "Vérification …"
        case .checkGood:
            "Prouvé : cette signature est l’entrée %1 d’un journal de %2 entrées, que l’agrégateur a signé. Elle "
                + "compte, sauf si elle a été retirée."
        case .checkBad:
            "Non prouvé : le reçu n’est pas celui de cette signature. Comparez les fichiers ; s’ils sont bons, "
                + "gardez-les et parlez-en."
        case .checkMalformed: "Ce n’est pas un reçu : le fichier est abîmé, ou c’en est un autre."
        case .checkUnreadable: "Le navigateur ne peut pas lire l’un des deux fichiers. Choisissez-les à nouveau."
        case .checkOrigin: "Le reçu est du journal d’une autre pétition."
        case .checkSignature: "Le reçu n’est pas signé par l’agrégateur de cette pétition."
        case .checkCosigned: "Des témoins l’ont vue dans le journal : %."
        case .checkWitness: "Une ligne du reçu n’est pas ce que le témoin a signé."
        case .checkUnwitnessed:
            "Aucun témoin de la pétition ne l’a vue dans le journal : renvoyez-la avec petition-signer."
        case .checkUnsupported:
            "Ce navigateur ne sait pas vérifier les signatures Ed25519, ou la page n’est pas en https. Utilisez "
                + "la commande ci-dessus."
        case .missing: "Il n’y a rien à cette adresse"
        case .unavailable: "Affichage impossible pour le moment : rechargez la page dans un instant"
        case .noCookiesHere:
            "Cette page ne pose aucun cookie et ne charge rien d’ailleurs. Qu’une invitation a servi est noté ; "
                + "quel membre elle est devenue ne l’est pas."
        case .keeper: "Tenue par %."
        case .enrolText:
            "Voici une liste de personnes qui peuvent signer. Avec votre invitation, vous pouvez vous y inscrire "
                + "une fois, puis signer des pétitions sans être nommé."
        case .enrolCommand: "Sur un ordinateur avec Roundrobin, copiez cette commande et lancez-la :"
        case .enrolCode:
            "La partie après le # est votre code personnel ; à la place de CODE, mettez celui de votre lettre. Votre "
                + "navigateur ne nous envoie pas ce qui suit un #. Ouvrir cette page n’a rien consommé."
        case .enrolField: "Code de votre lettre :"
        case .enrolWhere: "Ceux qui vous ont invité vous disent où obtenir le programme petition-signer."
        case .admittedByList: "Pour être sur cette liste, il faut y être invité par son responsable."
        case .admittedByMail:
            "On entre dans ce registre par courriel : une place par boîte aux lettres, quelle qu’elle soit."
        case .admittedByMailAt: "On entre dans cette liste par courriel : une place par boîte aux lettres chez %."
        case .tallyByList: "membres"
        case .tallyByMail: "par courriel"
        case .severalMailboxes: "une personne peut avoir plusieurs boîtes aux lettres"
        case .askTitle: "Demander une invitation"
        case .askText:
            "Donnez votre adresse électronique : un message avec votre propre lien y arrive, si cette "
                + "boîte aux lettres a encore une place. Il y a une place par boîte aux lettres. Votre adresse "
                + "est effacée dès que le message est remis. Qui tient cette liste apprend que quelqu’un a "
                + "demandé avec cette adresse."
        case .askField: "Adresse électronique :"
        case .askButton: "Envoyez-moi l’invitation"
        case .askWorking: "Votre navigateur fait un calcul qui écarte les machines …"
        case .askHave: "Avec une invitation"
        case .askedTitle: "Regardez dans votre boîte aux lettres"
        case .askedText:
            "Si cette boîte aux lettres peut avoir une invitation, un message avec elle est envoyé à "
                + "l’adresse que vous avez donnée : au plus trois en 30 jours, le deuxième après dix minutes, "
                + "le troisième après un jour. Personne ne voit ici si une adresse est connue."
        case .askedSoon: "Il devrait arriver en quelques minutes."
        case .askedHours: "Tant de gens demandent en ce moment que cela prend environ %."
        case .askedLimits:
            "Une boîte aux lettres reçoit au plus trois messages en 30 jours : le deuxième au plus tôt "
                + "dix minutes après le premier, le troisième un jour après le deuxième. Regardez aussi dans "
                + "les indésirables."
        case .askedBack: "Retour à la liste"
        case .askExpired:
            "Le formulaire a été envoyé trop vite, est resté ouvert plus d’une heure ou venait d’une "
                + "autre page. Envoyez-le encore une fois."
        case .askNoAddress: "On ne peut pas envoyer de message à cette adresse. Cherchez-y une faute."
        case .askDomain: "Cette liste n’admet que les boîtes aux lettres chez %."
        case .askWork:
            "Beaucoup demandent en ce moment. Envoyez le formulaire encore une fois : avec JavaScript, "
                + "votre navigateur fait un calcul qui écarte les machines. Sans, essayez plus tard."
        case .askFull: "Tant de gens attendent une invitation qu’on n’en prend plus maintenant. Essayez demain."
        case .askPaused: "Personne ne peut demander d’invitation en ce moment. Essayez demain."
        case .askClosed: "Personne ne peut plus demander d’invitation à cette liste."
        case .roundWaiting: "Dans ce tour, % se sont inscrits et attendent."
        case .roundPace: "À ce rythme, les membres remettent leurs clés dans environ %."
        case .roundFrom: "Les membres remettent leurs clés au plus tôt le %."
        case .roundMissing: "Il en faut encore % avant que les membres puissent remettre leurs clés."
        case .roundJoining: "Les membres remettent leurs clés au moins jusqu’au %."
        case .hours: "% heures"
        case .days: "% jours"
        case .stopTitle: "Ne plus recevoir de messages ?"
        case .stopText:
            "Il s’agit des messages qui vous invitent à une liste. Une invitation que vous avez reste valable."
        case .stopButton: "Ne plus m’envoyer de messages"
        case .stopDone: "Vous ne recevrez plus de messages."
        case .stopUndo: "M’envoyer quand même des messages"
        case .stopUndone: "Vous recevrez de nouveau des messages."
        case .enrolDevice:
            "Ce code QR ouvre la page sur un autre appareil, où vous tapez le code de votre lettre : le code QR ne le "
                + "contient pas."
        case .rollID: "Identifiant de la liste :"
        case .back: "Retour à la pétition"
        }
    }
}
