import Documents
import Petitions
import SignerWallet

/// Explanations of what is odd, and what it may mean.
enum RiskText {
    static func explanation(of risk: SignerRisk) -> String {
        switch risk {
        case .shortWindow(let seconds):
            """
            Joining takes only \(seconds) seconds in this roll, less than an hour. Anyone who knows when you sit at your \
            computer can guess which key is yours.
            """
        case .lateNotice(let opened, let seen):
            """
            Joining opened at \(opened), and this wallet first saw it at \(seen), when half of the time or more was \
            over. If you were told later than others, you may be the only one who joins now. Ask others when they were \
            told.
            """
        case .laterRound(let own, let open):
            """
            You enrolled in round \(own), and joining is open for round \(open) now. Few of your round will join with \
            you: ask your organisers how many missed it.
            """
        case .windowOver(let end, let now):
            """
            The time of joining ended at \(end), and it is \(now): the others have joined. The one who kept you from \
            joining in time will know that this key is yours, and so will anyone who sees you come late.
            """
        case .lateLog(let opened, let seen):
            """
            The log says that joining opened at \(opened), but at \(seen) you were shown the log without that. \
            Somebody may have kept it from you, to see who joins late. Ask others whether they saw it.
            """
        case .restoredWallet:
            """
            This wallet does not remember how its key came into the roll: it was restored from an export, or the join \
            was made elsewhere. What was seen of the roll since then is not known here, and cannot be compared.
            """
        case .foreignKey: "This petition is signed by a key that none of its rolls has: somebody else made it."
        case .unwitnessedRoll:
            """
            The petition has witnesses, and your roll has none. Whoever keeps the roll could show you another roll \
            than others, to recognise you by it: compare the roll's id with other members.
            """
        case .seenContradiction(let what, let at):
            """
            On \(at) this wallet was shown what contradicts what it had seen before. \(what) The server that showed it may \
            recognise you by your going on now. Compare what you see with other members first; petition-signer \
            evidence FILE writes what was signed, where one key signed both.
            """
        case .seenOlderLog(let what, let at):
            """
            On \(at): \(what) But somebody may have shown you alone something newer before, to recognise you by your \
            stopping and going on. Ask others whether their programs stopped too.
            """
        }
    }

    /// A short description for an error.
    static func short(_ risk: SignerRisk) -> String {
        switch risk {
        case .shortWindow(let seconds): "joining takes only \(seconds) seconds"
        case .lateNotice: "the opening of joining was seen late"
        case .laterRound: "the round that you enrolled in is over"
        case .windowOver: "the time of joining is over"
        case .lateLog: "the log was shown without the opening of joining"
        case .restoredWallet: "this wallet does not remember its joining"
        case .seenOlderLog: "a log was shown with fewer entries than before"
        case .foreignKey: "the petition is signed by a key that none of its rolls has"
        case .unwitnessedRoll: "the petition has witnesses, and your roll has none"
        case .seenContradiction: "what was shown before contradicts what this wallet saw"
        }
    }
}

/// How large rolls are, for a person who may be in one that was made for few.
enum RollSizeText {
    /// The text before an invitation is used.
    static func enrolling(_ own: RollSize, _ others: OtherRolls) -> [String] {
        lines(
            "This coordinator has \(others.sizes.count + 1) rolls, by the entries of their enrolment logs:", own,
            others,
            { $0.enrolment }
        ) { "\($0.name)  \($0.link.url)" }
    }

    /// The text before a signature.
    static func signing(_ own: RollSize, _ others: OtherRolls) -> [String] {
        lines(
            "The coordinator of your roll has \(others.sizes.count + 1) rolls, by the entries of their members logs:",
            own, others, { $0.members }, \.name)
    }

    private static func lines(
        _ heading: String, _ own: RollSize, _ others: OtherRolls, _ entries: (RollSize) -> UInt64,
        _ name: (RollSize) -> String
    ) -> [String] {
        var lines: [String] = []
        if !others.sizes.isEmpty {
            lines.append(heading)
            for size in [own] + others.sizes {
                lines.append("  \(entries(size))  \(name(size))\(size == own ? "  (yours)" : "")")
            }
            lines.append("A coordinator can invent entries: what counts is that others have the same link.")
        }
        if others.unknown > 0 {
            lines.append(
                "Of \(others.unknown) more that it announced the size is not known: they did not answer, are too many to look\n"
                    + "at, or are kept by other organisations; or they are hidden.")
        }
        return lines + warning(entries(own), others.sizes.map(entries))
    }

    /// The warning when the person's own roll may have been made for few.
    private static func warning(_ own: UInt64, _ others: [UInt64]) -> [String] {
        let isHalf = others.contains { $0 > own && $0 / 2 >= own }
        let isSmallest = !others.isEmpty && others.allSatisfy { $0 > own }
        guard isHalf || isSmallest else { return [] }
        return [
            (isHalf ? "Another is at least twice as large as yours." : "Yours is the smallest.")
                + " A roll can be made for few, to tell them apart: ask\nwhether others have the same link."
        ]
    }
}
