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
                "  phase          round \(state.round), \(phase(roll))",
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
        if kept.isForgotten, kept.labels == 0, kept.mails == 0 { return "forgotten" }
        let labels = counted(kept.labels, "label", "labels")
        return "\(labels), \(counted(kept.mails, "mail with its address", "mails with addresses")): see roll forget"
    }

    private static func phase(_ roll: Coordinator.RollStatus) -> String {
        guard roll.enrolment.isJoining else { return "issuing open" }
        let end = Int64(clamping: roll.enrolment.opened) + Int64(roll.descriptor.terms.joiningSeconds)
        return "joining open, at least until \(UTCTime(seconds: end))"
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
                            ("round", .integer(UInt64(roll.enrolment.round))),
                            ("phase", .string(roll.enrolment.isJoining ? "joining" : "issuing")),
                            ("invited", .integer(roll.enrolment.invited)),
                            ("issued", .integer(roll.enrolment.issued)),
                            ("voided", .integer(roll.enrolment.voided)),
                            ("labels", .integer(UInt64(roll.kept.labels))),
                            ("mails", .integer(UInt64(roll.kept.mails))),
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
