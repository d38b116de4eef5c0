import Bytes
import Documents
import Languages
import Messages
import Petitions
import RingSignatures
import SignerWallet
import SignerWords
import Witnessing

/// Using an invitation.
extension Session {
    /// Goes on with what was pasted: an invitation, or the address of a petition.
    func go(_ pasted: String, _ wallet: Wallet) throws(SignerError) {
        // Before anything is read: that, too, shows an address.
        try wallet.checkProxy(isProxied: isProxied)
        if let address = try? PastedAddress(pasted).url, let last = address.segments.last, PetitionID(hex: last) != nil
        {
            return try lookAtPetition(address, wallet)
        }
        let read: PastedInvitation
        do { read = try PastedInvitation(pasted) } catch { return tell(error) }
        guard let link = invitation(read) else { return }
        try enrol(link, wallet)
    }

    private func tell(_ fault: PastedInvitation.Fault) {
        _ = ask {
            var screen = Screen(words(.errorTitle))
            screen.error(words.message(fault), advice: words.advice(fault))
            screen.button("on", words(.goOn), .main)
            return screen
        }
    }

    /// Shows where the code would be sent, and asks for it if it is missing; nil if the person stops.
    private func invitation(_ read: PastedInvitation) -> InvitationLink? {
        var problem: PastedInvitation.Fault?
        while true {
            var (button, answer) = ask {
                var screen = Screen(words(.invitationTitle))
                screen.text(words(.invitationFor, read.roll.url.text, read.roll.coordinator.host))
                if read.wasRewritten { screen.warning(words(.rewritten, read.roll.coordinator.host)) }
                if let problem { screen.error(words.message(problem), advice: words.advice(problem)) }
                if read.code == nil {
                    screen.text(words(.codeMissing))
                    screen.field("code", words(.code), help: words(.codeHelp))
                }
                screen.button("on", words(.goOn), .main)
                screen.button("back", words(.back))
                return screen
            }
            guard button == "on" else { return nil }
            if let code = read.code { return InvitationLink(roll: read.roll, code: code) }
            do throws(PastedInvitation.Fault) {
                let typed = try PastedInvitation(read.roll.url.text, code: answer.text("code") ?? "")
                if let code = typed.code { return InvitationLink(roll: read.roll, code: code) }
                problem = .code(.length(0))
            } catch { problem = error }
        }
    }

    private func enrol(_ link: InvitationLink, _ wallet: Wallet) throws(SignerError) {
        showWork(words(.invitationTitle), words(.reading))
        let shown = try Wallet.show(link.roll, network: network)
        let (button, _) = ask {
            var screen = Screen(words(.invitationTitle))
            screen.facts(facts(of: shown))
            screen.text(words(.enrolText))
            addWarnings(to: &screen, .addressSeen)
            screen.button("on", words(.goOn), .main)
            screen.button("back", words(.back))
            return screen
        }
        // Also of whoever goes back: the coordinator saw that somebody looked.
        hasActed = true
        guard button == "on" else { throw .declined }
        showWork(words(.invitationTitle), words(.reading))
        let roll = try wallet.enrol(link, expecting: shown, network: network, clock: clock) {
            own, others throws(SignerError) in
            let (button, _) = self.ask {
                var screen = Screen(self.words(.invitationTitle))
                screen.table(self.words.sizesBeforeEnrolling(own, others))
                screen.button("on", self.words(.enrol), .main)
                screen.button("back", self.words(.back))
                return screen
            }
            guard button == "on" else { throw .declined }
        }
        let round = Wallet.round(of: roll, network: network)
        tellEnrolled(roll, opens: round?.next?.notBefore)
    }

    /// What a person must know of a roll before they use an invitation.
    private func facts(of roll: RollDescriptor) -> [(String, String)] {
        let terms = roll.terms
        return [
            (words(.rollName), roll.name), (words(.rollLink), roll.link.url.text), (words(.rollID), roll.id.hex),
            (words(.rollAdmission), words.admission(roll.admission)),
            (words(.rollRings), words(.rollRingsText, "\(terms.minimumRing)", "\(terms.ringCapacity)")),
            (words(.rollJoining), words.duration(Int64(terms.joiningSeconds))),
            (
                words(.rollWitnesses),
                roll.witnesses.map { $0.witnesses.map { $0.key.name }.joined(separator: ", ") } ?? words(.none)
            ),
        ]
    }

    /// Says what comes next, and gives a calendar file, as far as it is known when joining opens.
    private func tellEnrolled(_ roll: RollDescriptor, opens: UTCTime?) {
        let looks = opens.map { self.looks(until: $0, roll) } ?? []
        while true {
            let (button, _) = ask {
                var screen = Screen(words(.enrolled, roll.name))
                screen.text(words(.enrolledNext))
                if let opens, opens > clock.now {
                    screen.text(words(.opensLatest, words.language.minute(opens.seconds)))
                }
                if !looks.isEmpty { screen.text(words(.lookOften)) }
                screen.button("save", words(.saveButton), .main)
                screen.button("on", words(.goOn))
                if !looks.isEmpty { screen.button("calendar", words(.calendar)) }
                return screen
            }
            switch button {
            case "calendar": Page.save("roundrobin.ics", calendar(looks, roll))
            case "save":
                if let store { save(store) }
                return
            default: return
            }
        }
    }

    /// When to look whether joining has opened, until after it has by the coordinator's word: a random time in each
    /// eighth of what joining lasts. The page then looks within a quarter of that, so that nobody misses the first
    /// half. The eighths are the same for all, and begin at multiples of their length: whoever looks then cannot be
    /// told by when. None if joining is too short for that, or opens too far ahead.
    private func looks(until opens: UTCTime, _ roll: RollDescriptor) -> [UTCTime] {
        let length = Int64(roll.terms.joiningSeconds) / 8
        guard length >= 900 else { return [] }
        let (first, last) = (clock.now.seconds / length + 1, opens.seconds / length + 1)
        guard last >= first, last - first < Self.mostLooks else { return [] }
        // Not by a range, whose distances have 32 bits here.
        return sequence(first: first) { $0 + 1 }.prefix { $0 <= last }
            .map { clock.moment(from: $0 * length, to: ($0 + 1) * length) }
    }

    private static let mostLooks = 100

    /// Entries for a calendar (RFC 5545), which do not name the roll: calendars are often kept by others. Each is as
    /// long as the page waits at most before it looks.
    private func calendar(_ looks: [UTCTime], _ roll: RollDescriptor) -> [UInt8] {
        let events = looks.flatMap { time in
            [
                "BEGIN:VEVENT", "UID:\(time.seconds)@roundrobin.invalid", "DTSTAMP:\(stamp(time))",
                "DTSTART:\(stamp(time))", "DURATION:PT\(Wallet.pause(of: roll).upperBound)S", "SUMMARY:Roundrobin",
                "END:VEVENT",
            ]
        }
        let lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Roundrobin//signer//EN"] + events + ["END:VCALENDAR"]
        return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }

    /// A time as calendars write it: `20270115T080000Z`.
    private func stamp(_ time: UTCTime) -> String { time.description.filter { $0 != "-" && $0 != ":" } }
}
