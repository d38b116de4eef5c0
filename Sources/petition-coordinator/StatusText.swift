import Bytes
import CommandSupport
import CoordinatorService
import Documents
import Petitions
import Sodium
import TransparencyLog

/// The coordinator's status, as text for people or as JSON.
enum StatusText {
    static func people(
        _ coordinator: Coordinator, _ rolls: [Coordinator.RollStatus], _ petitions: [PetitionManifest]
    ) -> String {
        var lines = ["\(coordinator.name), \(coordinator.url)"]
        for roll in rolls {
            let state = roll.enrolment
            lines += [
                "",
                "Roll \(roll.descriptor.name)",
                "  link           \(roll.descriptor.link.url)",
                "  address        \(roll.descriptor.url)",
                "  id             \(roll.descriptor.id.hex)",
                "  admission      \(roll.descriptor.admission.words)",
                "  phase          round \(state.round), \(phase(roll))",
                "  asking         \(asking(roll))",
                "  rounds         \(rounds(roll))",
                "  invited        \(state.invited), of them voided \(state.voided)",
                "  issued         \(state.issued), in this round \(state.issuedInRound)",
                "  members        \(roll.members) in \(roll.rings) rings, \(roll.pending) waiting",
                "  people         \(people(roll.kept))",
                "  members log    \(roll.descriptor.membersKey.vkey)",
                "  enrolment log  \(roll.descriptor.enrolmentLogKey.vkey)",
            ]
        }
        for petition in petitions {
            lines += [
                "", "Petition \(petition.text.title)", "  id             \(petition.id.hex)",
                "  open           \(petition.text.opens) to \(petition.text.closes)",
            ]
        }
        let log = Announcement.logKey(coordinator: coordinator.url, key: coordinator.publicKey)
        return
            (lines + [
                "", "Announcements log  \(log.vkey)",
                "Key of all logs    \(Base64.encode(coordinator.publicKey.bytes.array)), for witnesses",
            ]).joined(separator: "\n")
    }

    private static func people(_ kept: Coordinator.Kept) -> String {
        kept.isForgotten && kept.isNothing ? "forgotten" : "\(words(kept)): see roll forget"
    }

    /// What is kept of people, in words.
    static func words(_ kept: Coordinator.Kept) -> String {
        var parts = [
            counted(kept.labels, "label", "labels"),
            counted(kept.mails, "mail with its address", "mails with addresses"),
        ]
        if kept.requests > 0 {
            parts.append(counted(kept.requests, "request with its address", "requests with addresses"))
        }
        if kept.mailboxes > 0 {
            parts.append(counted(kept.mailboxes, "mailbox as a keyed hash", "mailboxes as keyed hashes"))
        }
        return parts.joined(separator: ", ")
    }

    /// When joining opens, in words.
    static func words(_ schedule: RoundSchedule) -> String {
        let (least, most) = (WaitingTime(.seconds(schedule.atLeast)), WaitingTime(.seconds(schedule.atMost)))
        return "joining opens when \(schedule.crowd) have enrolled and \(least) have passed, or after \(most)"
    }

    private static func asking(_ roll: Coordinator.RollStatus) -> String {
        switch roll.asking {
        case nil: "nobody can ask for an invitation"
        case .open: "anybody can ask for an invitation"
        case .paused: "nobody can ask for now: see enrolment open"
        case .closed: "nobody can ask any more"
        }
    }

    private static func rounds(_ roll: Coordinator.RollStatus) -> String {
        guard let (schedule, outlook) = roll.schedule else { return "by hand" }
        let what =
            switch outlook.step {
            case .openJoining: "joining opens"
            case .seal: "a ring is sealed, and issuing opens"
            case .prolong: "joining goes on for longer, since too few wait"
            case .openIssuing: "issuing opens without a new ring, since too few wait"
            }
        let missing = outlook.missing > 0 ? "once \(outlook.missing) more have enrolled, " : ""
        let isEarlier = outlook.step == .openJoining ? ", or earlier if a crowd comes" : ""
        let time =
            outlook.notBefore.map { "not before \(UTCTime(seconds: $0))\(isEarlier)" }
            ?? "and some time after the first"
        let next = "next, \(what), \(missing)\(time)"
        return roll.enrolment.isJoining ? next : words(schedule) + "\n                 " + next
    }

    private static func phase(_ roll: Coordinator.RollStatus) -> String {
        guard roll.enrolment.isJoining else { return "issuing open" }
        let end = Int64(clamping: roll.enrolment.opened) + Int64(roll.descriptor.terms.joiningSeconds)
        let prolonged = roll.schedule?.1.notBefore ?? 0
        return "joining open, at least until \(UTCTime(seconds: max(end, prolonged)))"
    }

    /// When its phases follow each other, and when the next may come; false if its operator does that.
    private static func rounds(of roll: Coordinator.RollStatus) -> JSONValue {
        guard let (schedule, outlook) = roll.schedule else { return .boolean(false) }
        let time = outlook.notBefore.map {
            [(name: "notBefore", value: JSONValue.string(UTCTime(seconds: $0).description))]
        }
        return .object(
            [
                ("crowd", .integer(UInt64(schedule.crowd))), ("atLeast", .integer(UInt64(schedule.atLeast))),
                ("atMost", .integer(UInt64(schedule.atMost))), ("missing", .integer(UInt64(outlook.missing))),
            ] + (time ?? []))
    }

    static func json(
        _ coordinator: Coordinator, _ rolls: [Coordinator.RollStatus], _ petitions: [PetitionManifest]
    ) -> String {
        JSONValue.object([
            ("name", .string(coordinator.name)),
            ("url", .string(coordinator.url.text)),
            (
                "rolls",
                .array(
                    rolls.map { roll in
                        .object([
                            ("link", .string(roll.descriptor.link.url.text)),
                            ("url", .string(roll.descriptor.url.text)),
                            ("id", .string(roll.descriptor.id.hex)),
                            ("admission", roll.descriptor.admission.json),
                            ("round", .integer(UInt64(roll.enrolment.round))),
                            ("phase", .string(roll.enrolment.isJoining ? "joining" : "issuing")),
                            ("asking", .string(roll.asking.map { "\($0)" } ?? "never")),
                            ("rounds", rounds(of: roll)),
                            ("invited", .integer(roll.enrolment.invited)),
                            ("issued", .integer(roll.enrolment.issued)),
                            ("voided", .integer(roll.enrolment.voided)),
                            ("labels", .integer(UInt64(roll.kept.labels))),
                            ("mails", .integer(UInt64(roll.kept.mails))),
                            ("requests", .integer(UInt64(roll.kept.requests))),
                            ("mailboxes", .integer(UInt64(roll.kept.mailboxes))),
                            ("pending", .integer(UInt64(roll.pending))),
                            ("members", .integer(UInt64(roll.members))),
                            ("rings", .integer(UInt64(roll.rings))),
                        ])
                    })
            ),
            (
                "petitions",
                .array(petitions.map { .object([("id", .string($0.id.hex)), ("title", .string($0.text.title))]) })
            ),
        ]).text(isPretty: false)
    }
}
