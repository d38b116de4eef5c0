/// What the interface says in Spanish.
extension WrittenLanguage {
    static let spanish = WrittenLanguage(
        name: "Español", thousands: ".", groupedFrom: 10_000,
        months: [
            "enero", "febrero", "marzo", "abril", "mayo", "junio",
            "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
        ],
        day: { "\($0) de \($1) de \($2)" }, minute: { "\($0), \($1):\($2)" },
        phrase: spanishText)

    private static func spanishText(_ phrase: Phrase) -> String {
        switch phrase {
        case .petitions: "Peticiones"
        case .noPetitions: "Aquí no hay todavía ninguna petición."
        case .skip: "Ir al contenido"
        case .languages: "Idiomas"
        case .startedBy: "Iniciada por"
        case .startedOn: "Iniciada el"
        case .addressedTo: "Dirigida a"
        case .website: "Web de los organizadores"
        case .signatures: "firmas"
        case .one: "firma"
        case .withdrawn: "retiradas"
        case .ofGoal: "Próximo objetivo: %"
        case .goalRule: "Cuando se alcanza un objetivo, el siguiente es cinco o dos veces mayor, por turnos."
        case .notOpen: "Abre el %"
        case .open: "Abierta hasta el %"
        case .closed: "Cerrada desde el %"
        case .waitsForWitnesses:
            "Las firmas esperan a sus testigos desde el %: lo que se envía ahora se rechaza, y puede enviarse de nuevo más tarde."
        case .asOf: "Contado hasta"
        case .reload: "Vuelva a cargar la página para un recuento más reciente."
        case .announcement: "% firmas ahora"
        case .statement: "Qué pide"
        case .growth: "Firmas a lo largo del tiempo"
        case .growthText: "Del % al %: % firmas."
        case .growthNone:
            "El gráfico empieza una hora después de la primera firma. No es más fino que una hora, para no "
                + "delatar a nadie."
        case .perRoll: "Por lista"
        case .label: "Lista"
        case .support: "Firmar ahora"
        case .supportText:
            "Los miembros inscritos firman en su propio ordenador, con Roundrobin. Nadie sabe quién firmó, ni "
                + "siquiera quien mantiene esta página."
        case .supportCommand: "Para firmar:"
        case .withdrawCommand: "Para retirar:"
        case .supportNotNow: "Nadie puede firmar ahora."
        case .programs: "Los organizadores ofrecen Roundrobin aquí:"
        case .programsHashes: "Huellas (SHA-256) de sus archivos"
        case .programsTrust:
            "Compare la huella de lo que reciba (sha256sum ARCHIVO). Quien cambie esta página también "
                + "puede cambiar estas huellas: compárelas con el cartel, un correo o alguien que conozca."
        case .frontText:
            "Este servidor guarda listas de personas que pueden firmar peticiones. Registra quién fue "
                + "invitado y quién se inscribió, pero no quién firma."
        case .rolls: "Listas"
        case .noRolls: "Aquí no hay todavía ninguna lista."
        case .supportNone: "¿Sin invitación? Solo los miembros de la lista pueden firmar. Pregunte a los organizadores."
        case .copy: "Copiar"
        case .copied: "Copiado"
        case .countedHow: "Cómo se cuenta"
        case .countedText:
            "Cada firma prueba que la hizo algún miembro de la lista, sin decir cuál, y lleva una marca que "
                + "delata una segunda del mismo miembro. Todas se publican. Quien dude del número puede volver a "
                + "contar:"
        case .verifyCommand: "Para verificar:"
        case .checkReceipt: "¿Me han contado?"
        case .reservations:
            "Lo que esto no prueba: cuándo llegó una firma, ni que la lista contenga solo personas que existen."
        case .identity: "Identificador de la petición:"
        case .fingerprint: "Huella corta:"
        case .fingerprintText: "El cartel lleva la misma. Es la primera mitad del identificador."
        case .share: "Compartir"
        case .shareText: "En papel o con un enlace. Nada de esto dice a nadie que usted estuvo aquí."
        case .poster: "Cartel para imprimir"
        case .badge: "Insignia para una web"
        case .mail: "Por correo"
        case .qr: "Código QR"
        case .data: "Cifras"
        case .feed: "Canal (Atom)"
        case .posterSign: "Los miembros firman sin ser nombrados."
        case .posterCheck: "Compruebe que la página muestra esta huella:"
        case .noCookies:
            "Esta página no usa cookies, no carga nada de otro sitio y no guarda registro de sus visitantes."
        case .replaces: "Sustituye a la petición"
        case .checkTitle: "¿Me han contado?"
        case .checkText:
            "Dé a esta página su recibo y su firma. Comprueba que la firma consta en el registro firmado de esta "
                + "petición."
        case .checkNothing:
            "La comprobación se hace en su navegador y no envía nada. Pero quien sirve esta página ve su "
                + "dirección cuando la abre: use Tor, o la orden de abajo. Los archivos prueban que firmó: bórrelos "
                + "después."
        case .checkReceiptFile: "Recibo (.tlog-proof)"
        case .checkRecordFile: "Firma (archivo)"
        case .checkWhere: "petition-signer puede escribir ambos en archivos, y comprobarlos sin navegador:"
        case .checkScript: "Sin JavaScript, use esta orden:"
        case .checkWorking: "Comprobando …"
        case .checkGood:
            "Probado: esta firma es la entrada %1 de un registro de %2 entradas, firmado por el agregador. "
                + "Cuenta, salvo que se haya retirado."
        case .checkBad:
            "No probado: el recibo no corresponde a esta firma. Compare los archivos; si son correctos, "
                + "guárdelos y avise."
        case .checkMalformed: "No es un recibo: el archivo está dañado o es otro."
        case .checkUnreadable: "El navegador no puede leer uno de los dos archivos. Elija los dos de nuevo."
        case .checkOrigin: "El recibo es del registro de otra petición."
        case .checkSignature: "El recibo no está firmado por el agregador de esta petición."
        case .checkCosigned: "Unos testigos la vieron en el registro: %."
        case .checkWitness: "Una línea del recibo no es lo que el testigo firmó."
        case .checkUnwitnessed:
            "Ningún testigo de la petición la vio en el registro: envíela otra vez con petition-signer."
        case .checkUnsupported:
            "Este navegador no puede comprobar firmas Ed25519, o la página no está en https. Use la orden de arriba."
        case .missing: "No hay nada en esta dirección"
        case .unavailable: "Ahora no se puede mostrar: vuelva a cargar la página en un momento"
        case .noCookiesHere:
            "Esta página no usa cookies y no carga nada de otro sitio. Se anota que una invitación se usó; no en "
                + "qué miembro se convirtió."
        case .keeper: "Mantenida por %."
        case .enrolText:
            "Esta es una lista de personas que pueden firmar. Con su invitación puede inscribirse una vez y "
                + "luego firmar peticiones sin ser nombrado."
        case .enrolCommand: "En un ordenador con Roundrobin, copie esta orden y ejecútela:"
        case .enrolCode:
            "La parte que sigue al # es su código personal; donde dice CODE, ponga el de su carta. Su navegador no nos "
                + "envía lo que sigue a un #. Abrir esta página no ha gastado nada."
        case .enrolField: "Código de su carta:"
        case .enrolWhere: "Quienes le invitaron le dicen dónde obtener el programa petition-signer."
        case .admittedByList: "Para estar en esta lista hay que ser invitado por su responsable."
        case .admittedByMail:
            "Se entra en este censo por correo electrónico: un lugar por cada buzón, sea de quien sea."
        case .admittedByMailAt: "Se entra en esta lista por correo electrónico: un lugar por cada buzón de %."
        case .tallyByList: "miembros"
        case .tallyByMail: "por correo electrónico"
        case .severalMailboxes: "una persona puede tener varios buzones"
        case .askTitle: "Pedir una invitación"
        case .askText:
            "Dé su dirección de correo electrónico: le llega un mensaje con su propio enlace, si a este "
                + "buzón le queda un lugar. Hay un lugar por cada buzón. Su dirección se borra en cuanto el "
                + "mensaje se entrega. Quien lleva esta lista sabe que alguien pidió con esta dirección."
        case .askField: "Dirección de correo electrónico:"
        case .askButton: "Envíenme la invitación"
        case .askWorking: "Su navegador hace un cálculo que aleja a las máquinas …"
        case .askHave: "Con una invitación"
        case .askedTitle: "Mire en su buzón"
        case .askedText:
            "Si este buzón puede tener una invitación, se envía un mensaje con ella a la dirección que "
                + "dio: como mucho tres en 30 días, el segundo tras diez minutos, el tercero tras un día. Nadie "
                + "puede ver aquí si una dirección se conoce."
        case .askedSoon: "Debería llegar en unos minutos."
        case .askedHours: "Piden tantos en este momento que tarda más o menos %."
        case .askedLimits:
            "Un buzón recibe como mucho tres mensajes en 30 días: el segundo no antes de diez minutos "
                + "después del primero, el tercero un día después del segundo. Mire también en el correo no "
                + "deseado."
        case .askedBack: "Volver a la lista"
        case .askExpired:
            "El formulario se envió demasiado rápido, estuvo abierto más de una hora o venía de otra "
                + "página. Envíelo otra vez."
        case .askNoAddress: "No se puede enviar correo a esta dirección. Busque un error en ella."
        case .askDomain: "Esta lista es solo para buzones de %."
        case .askWork:
            "Piden muchos en este momento. Envíe el formulario otra vez: con JavaScript su navegador "
                + "hace un cálculo que aleja a las máquinas. Sin él, inténtelo más tarde."
        case .askFull: "Esperan tantos una invitación que ahora no se admiten más. Inténtelo mañana."
        case .askPaused: "Nadie puede pedir una invitación en este momento. Inténtelo mañana."
        case .askClosed: "Ya nadie puede pedir una invitación a esta lista."
        case .roundWaiting: "En esta ronda se inscribieron % y esperan."
        case .roundPace: "A este ritmo, los miembros entregan sus claves en más o menos %."
        case .roundFrom: "Los miembros entregan sus claves no antes del %."
        case .roundMissing: "Hacen falta % más para que los miembros puedan entregar sus claves."
        case .roundJoining: "Los miembros entregan sus claves al menos hasta el %."
        case .hours: "% horas"
        case .days: "% días"
        case .stopTitle: "¿No recibir más mensajes?"
        case .stopText:
            "Se trata de los mensajes que le invitan a un registro. Una invitación que ya tiene sigue siendo válida."
        case .stopButton: "No enviarme más mensajes"
        case .stopDone: "Ya no recibirá mensajes."
        case .stopUndo: "Enviarme mensajes de nuevo"
        case .stopUndone: "Recibirá mensajes de nuevo."
        case .enrolDevice:
            "Este código QR abre la página en otro dispositivo, donde escribe el código de su carta: el código QR no "
                + "lo contiene."
        case .rollID: "Identificador de la lista:"
        case .back: "Volver a la petición"
        }
    }
}
