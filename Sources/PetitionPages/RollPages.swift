import Bytes
import Documents
import Messages
import PageParts
import Petitions

/// The pages of a coordinator: its rolls, asking for an invitation, and stopping mail.
extension Pages {
    /// What a person sees who wants no more mail: a button before, and another to undo it after. Nil before.
    public func stop(isStopped: Bool?, language: Language) -> String {
        let heading = language.phrase(isStopped == nil ? .stopTitle : isStopped == true ? .stopDone : .stopUndone)
        let page = StopPage(
            frame: frame(heading, language), text: language.phrase(.stopText),
            value: isStopped == true ? "Undo" : "One-Click",
            button: language.phrase(isStopped == true ? .stopUndo : .stopButton))
        return render("stop", page, language)
    }

    /// What a person sees who opens an invitation link of `roll`, which `coordinator` keeps, in a browser. The code
    /// stays after the `#`, unseen by the server; a script puts it into the command. The QR code is of the roll's link
    /// alone: who carries it to another device types the code there.
    /// `request` is the form of an open roll.
    public func enrolment(
        _ roll: RollDescriptor, coordinator: String, round: RoundProgress? = nil, request: RequestForm? = nil,
        language: Language
    ) -> String {
        let page = EnrolmentPage(
            frame: frame(roll.name, language),
            scripts: [file(.invitation), file(.copy)] + (request?.work == nil ? [] : [file(.request)]),
            programs: programs, keeper: language.phrase(.keeper, coordinator),
            admission: Self.words(for: roll.admission, language), round: round.map { words(for: $0, language) },
            request: request.map { part(of: $0, roll, language) }, url: roll.link.url.text, id: roll.id.hex,
            qr: QRCode(roll.link.url.text)?.svg(title: language.phrase(.qr)))
        return render("enrolment", page, language)
    }

    /// What a person sees who asked for an invitation, whatever the address. Mails wait about so many hours.
    public func asked(_ roll: RollDescriptor, hours: UInt64, language: Language) -> String {
        let page = AskedPage(
            frame: frame(language.phrase(.askedTitle), language), text: language.phrase(.askedText),
            waiting: hours == 0
                ? language.phrase(.askedSoon) : language.phrase(.askedHours, duration(Double(hours) * 3600, language)),
            back: roll.link.url.path + "?lang=\(language.rawValue)")
        return render("asked", page, language)
    }

    private func part(of form: RequestForm, _ roll: RollDescriptor, _ language: Language) -> RequestPart {
        var notice = form.notice.map { language.phrase($0.phrase) }
        if form.notice == .domain, case .email(let domains) = roll.admission {
            notice = language.phrase(.askDomain, domains.map(\.text).joined(separator: ", "))
        }
        let refused = form.isClosed ? Phrase.askClosed : form.isOpen ? nil : .askPaused
        return RequestPart(
            action: form.action, token: form.token, address: form.address, notice: refused == nil ? notice : nil,
            refused: refused.map { language.phrase($0) }, bits: form.work.map { String($0.bits) },
            seed: form.work.map { Base64.encode($0.seed) } ?? "")
    }

    /// How far a round is, and about when its next phase comes. None of this is counted anywhere.
    private func words(for round: RoundProgress, _ language: Language) -> String {
        if let until = round.joiningUntil { return language.phrase(.roundJoining, language.minute(until.seconds)) }
        let waiting = language.phrase(.roundWaiting, language.number(round.issued))
        guard let next = round.next else { return waiting }
        if next.missing > 0 {
            return waiting + " " + language.phrase(.roundMissing, language.number(next.missing))
        }
        if let seconds = round.secondsAtThisPace {
            return waiting + " " + language.phrase(.roundPace, duration(seconds, language))
        }
        let time = next.notBefore.map { language.phrase(.roundFrom, language.minute($0.seconds)) }
        return waiting + (time.map { " \($0)" } ?? "")
    }

    /// About how long something takes: hours up to two days, then days.
    private func duration(_ seconds: Double, _ language: Language) -> String {
        let hours = UInt64(max(1, (seconds / 3600).rounded(.up)))
        guard hours > 48 else { return language.phrase(.hours, language.number(hours)) }
        return language.phrase(.days, language.number((hours + 23) / 24))
    }

    private static func words(for admission: RollAdmission, _ language: Language) -> String {
        switch admission {
        case .list: language.phrase(.admittedByList)
        case .email(let domains) where domains.isEmpty: language.phrase(.admittedByMail)
        case .email(let domains):
            language.phrase(.admittedByMailAt, domains.map(\.text).joined(separator: ", "))
        }
    }

    /// What a person sees at the address of a coordinator named `name`: its petitions, at their first aggregator, and
    /// its rolls.
    public func front(
        name: String, petitions: [PetitionManifest], rolls: [RollDescriptor], language: Language
    ) -> String {
        let page = FrontPage(
            frame: frame(name, language), programs: programs,
            petitions: petitions.map { .init(href: $0.logURL(aggregator: 0).text, title: $0.text.title) },
            rolls: rolls.map { .init(href: $0.link.url.text, title: $0.name) })
        return render("front", page, language)
    }
}
