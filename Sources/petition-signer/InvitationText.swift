import Bytes
import CommandSupport
import Documents

/// What is said about an invitation that cannot be read.
enum InvitationText {
    /// Reads an invitation, and asks for the code if the link has none.
    static func invitation(_ pasted: String, code: String) throws -> InvitationLink {
        let read = try read(pasted, code: code)
        if let code = read.code { return InvitationLink(roll: read.roll, code: code) }
        guard Terminal.canAsk else {
            throw UserError(
                .usage, "this link has no code: some mail programs drop what follows the #",
                hint: "add the code from your letter: petition-signer enrol \(read.roll.url) CODE")
        }
        Terminal.show("This link has no code: some mail programs drop what follows the #.")
        FileStream.error.write("Code from your letter: ")
        let typed = Swift.readLine() ?? ""
        guard let code = try Self.read(pasted, code: typed).code else {
            throw UserError(.refused, "no code was given", hint: "it has 27 letters and digits, and is in your letter")
        }
        return InvitationLink(roll: read.roll, code: code)
    }

    private static func read(_ pasted: String, code: String) throws -> PastedInvitation {
        do { return try PastedInvitation(pasted, code: code) } catch { throw try userError(for: error, pasted) }
    }

    private static func userError(for fault: PastedInvitation.Fault, _ pasted: String) throws -> UserError {
        let copy = "copy the whole link in quotes, with the 27 characters after the #"
        switch fault {
        case .address:
            // Says what is wrong with the address.
            _ = try AddressText.pasted(pasted, expected: "an invitation link")
            return UserError(.refused, "this is not an invitation link", hint: copy)
        case .notALink:
            return UserError(
                .refused, "this is not an invitation link: in those, /rolls/ and a name come before the #", hint: copy)
        case .namesAnID:
            return UserError(
                .refused, "this link names a roll by its id, not by the name that everybody uses",
                hint: "it may be made for you alone: ask your organisers for the link that all members have")
        case .twoCodes:
            return UserError(
                .refused, "the link has one code, and you gave another", hint: "give the one that is in your letter")
        case .code(.length(let count)):
            return UserError(
                .refused, "the code of this invitation has \(count) characters instead of 27",
                hint: count < 27
                    ? "its end or a part is missing: copy the whole link in quotes, or take the code from your letter"
                    : "something follows that is not part of it: copy the link in quotes, up to its 27th character")
        case .code(.symbol(let scalar)):
            return UserError(
                .refused, "the code of this invitation has a character that no code has: \(shown(String(scalar)))",
                hint: "letters and digits are all there are: copy the link again, or take the code from your letter")
        case .code(.check):
            return UserError(
                .refused, "the code of this invitation link was mistyped", hint: "\(copy), or type it again")
        }
    }
}
