import Bytes
import CommandSupport
import Documents
import SignerWords

/// What is asked about an invitation, and said of one that cannot be read.
enum InvitationText {
    private static let tries = 3

    /// Reads an invitation, and asks for what is missing. Where the code will be sent is said before that.
    static func invitation(_ pasted: String?, code: String, command: String = "enrol") throws -> InvitationLink {
        guard let pasted = try pasted ?? asked("Link from your invitation: ") else {
            throw UserError(
                .usage, "the link from your invitation is missing", hint: "petition-signer \(command) 'LINK'")
        }
        let read = try read(pasted, code: code)
        Terminal.show("Your invitation is for \(read.roll.url), at \(read.roll.coordinator.host).")
        if read.wasRewritten {
            Terminal.show("The link that you gave is one of a mail filter, and shows another address.")
            if Terminal.canAsk, !Terminal.confirm("Is \(read.roll.coordinator.host) where your organisers are?") {
                throw UserError(.refused, "stopped: nothing was sent", hint: "ask your organisers for their address")
            }
        }
        if let code = read.code { return InvitationLink(roll: read.roll, code: code) }
        return InvitationLink(roll: read.roll, code: try askForCode(read.roll, command))
    }

    private static func asked(_ question: String) throws -> String? {
        guard Terminal.canAsk else { return nil }
        FileStream.error.write(question)
        return Swift.readLine()
    }

    private static func askForCode(_ roll: RollLink, _ command: String) throws -> InvitationCode {
        guard Terminal.canAsk else {
            throw UserError(
                .usage, "this link has no code: some mail programs drop what follows the #",
                hint: command == "enrol"
                    ? "add the code from your letter: petition-signer enrol \(roll.url) CODE"
                    : "add it: petition-signer \(command) '\(roll.url)#CODE'")
        }
        Terminal.show("This link has no code: some mail programs drop what follows the #.")
        for attempt in 1...tries {
            guard let typed = try asked("Code from your letter: "), !typed.isEmpty else { break }
            do {
                // The whole link may be at hand now.
                let read = try typed.contains("://") ? read(typed, code: "") : read(roll.url.text, code: typed)
                guard read.roll == roll else { throw userError(for: .twoLinks) }
                if let code = read.code { return code }
            } catch let error as UserError where attempt < tries {
                Terminal.show("\(error.message).")
            }
        }
        throw UserError(.refused, "no code was given", hint: "it has 27 letters and digits, and is in your letter")
    }

    private static func read(_ pasted: String, code: String) throws -> PastedInvitation {
        do { return try PastedInvitation(pasted, code: code) } catch .address(let fault) {
            // Says what is wrong with the address, without the code.
            _ = try AddressText.pasted(String(pasted.prefix { $0 != "#" }), expected: "an invitation link")
            throw userError(for: .address(fault))
        } catch {
            throw userError(for: error)
        }
    }

    private static func userError(for fault: PastedInvitation.Fault) -> UserError {
        let words = SignerWords.program
        // A shell takes what follows a # for a comment, and some other characters for commands.
        let copy = "copy the whole link in single quotes, with the 27 characters after the #"
        return switch fault {
        // What a stranger chose is shown so that it cannot move the cursor.
        case .notALink(let host):
            UserError(.refused, words.message(.notALink(host: shown(host))), hint: words.advice(fault))
        case .code(.symbol(let scalar)):
            UserError(
                .refused, words(.codeSymbol, shown(String(scalar))), hint: words.advice(fault))
        case .onlyCode:
            UserError(.refused, words.message(fault), hint: "petition-signer enrol 'LINK' CODE")
        case .tooLong, .address:
            UserError(.refused, words.message(fault), hint: copy)
        case .code(.check):
            UserError(.refused, words.message(fault), hint: "\(copy), or type it again")
        case .namesAnID, .twoLinks, .twoCodes, .code(.length):
            UserError(.refused, words.message(fault), hint: words.advice(fault))
        }
    }
}
