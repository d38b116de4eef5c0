import CommandSupport
import CoordinatorService
import Documents
import PageParts
import Petitions
import Witnessing

/// What is said about a petition before it is signed.
enum DraftText {
    /// When it opens and closes, in words.
    struct Times {
        let opens: String
        let closes: String
    }

    /// Everything that is signed, for a person to read; with `rolls`, also how the people of each are admitted.
    static func all(_ petition: PetitionManifest, rolls: [RollDescriptor] = [], times: Times? = nil) -> String {
        let text = petition.text
        var lines = [
            text.title, "", text.statement, "",
            "Started by    \(text.startedBy)",
            "Addressed to  \(text.addressedTo)",
        ]
        if let website = text.website { lines.append("Website       \(website)") }
        lines += [
            "Language      \(text.language)",
            "Opens         \(times?.opens ?? text.opens.description)",
            "Closes        \(times?.closes ?? text.closes.description)",
            "First goal    \(text.goal)",
        ]
        if let replaced = text.replaces { lines.append("Replaces      \(replaced.hex)") }
        for (index, roll) in petition.rolls.enumerated() {
            let later = roll.laterRings ? ", and rings that are sealed later" : ""
            lines.append(
                "Roll          \(roll.label ?? roll.url.bare), \(counted(roll.size, "entry", "entries"))\(later)")
            if index < rolls.count { lines.append("              people admitted \(rolls[index].admission.words)") }
        }
        for aggregator in petition.aggregators { lines.append("Counted by    \(aggregator.url)") }
        if let policy = petition.witnesses {
            for witness in policy.witnesses {
                lines.append(
                    "Witness       \(shown(witness.key.name)) at \(shown(witness.url ?? "an address to be named"))")
            }
            lines += PolicyFile.words(policy).map { "              \($0)" }
        }
        return (lines + [""]).joined(separator: "\n")
    }

    /// What may not be meant.
    static func words(for doubt: AuthorText.Doubt) -> String {
        switch doubt {
        case .dropped(.html(let line)): "statement, line \(line): no page shows raw HTML"
        case .dropped(.image(let line)): "statement, line \(line): pages show the image's description, not the image"
        case .dropped(.link(let line, let target)):
            "statement, line \(line): the link to \"\(shown(target))\" leads nowhere, and only its words are shown"
        case .opensInThePast(let time): "it opens at \(time), which is over: signing is possible from now on"
        case .openForLong(let until): "it is open until \(until), for more than two years"
        case .unknownReplaced(let id): "the petition that it replaces, \(id.hex), is not one of this coordinator"
        case .short(let bytes): "the statement has only \(bytes) bytes"
        }
    }

    /// Why a text cannot be signed.
    static func userError(for fault: AuthorText.Fault, statement: String) -> UserError {
        switch fault {
        case .blank("statement"):
            UserError(.refused, "\(statement) is blank", hint: "write what is petitioned into it")
        case .blank(let field): UserError(.refused, "\(name(field)) is blank", hint: "write it in one line")
        case .character("statement", let scalar, let line, let column):
            UserError(
                .refused,
                "\(statement), line \(line), column \(column): the character \(name(scalar)) cannot be signed",
                hint: "remove it: it is invisible, or changes what people read")
        case .character(let field, let scalar, _, let column):
            UserError(
                .refused, "\(name(field)), column \(column): the character \(name(scalar)) cannot be signed",
                hint: "remove it: it is invisible, or changes what people read")
        case .severalLines(let field): UserError(.refused, "\(name(field)) has several lines", hint: "write it in one")
        case .tooLong("statement", let bytes, let limit):
            UserError(
                .refused, "\(statement) has \(bytes) bytes, more than \(limit)",
                hint: "letters beyond ASCII take two or more bytes each")
        case .tooLong(let field, let bytes, let limit):
            UserError(
                .refused, "\(name(field)) has \(bytes) bytes, more than \(limit)",
                hint: "letters beyond ASCII take two or more bytes each")
        case .closedAlready(let time):
            UserError(.refused, "--closes: \(time) is over, so nobody could sign", hint: "name a time to come")
        case .closesBeforeOpening(let opens, let closes):
            UserError(
                .refused, "--closes: \(closes) is not after --opens, \(opens)", hint: "compare the two, and their zones"
            )
        }
    }

    private static func name(_ field: String) -> String { field.contains(" ") ? field : "--\(field)" }

    private static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return scalar.properties.name.map { "\(code) (\($0))" } ?? code
    }
}
