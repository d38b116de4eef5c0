import Bytes
import Documents
import Testing

/// Invitations as they come out of mail programs, and as people copy them.
@Suite struct PastedInvitationTests {
    private static let link = "https://union.example/rolls/members-2027"
    private static let code = "3AYCE96ME5ZY708N72MWEWYZTJB"
    private static let grouped = "3AYCE-96ME5-ZY708-N72MW-EWYZT-JB"
    private static let encoded = "https%3A%2F%2Funion.example%2Frolls%2Fmembers-2027"
    private static let outlook = "https://nam02.safelinks.protection.outlook.com"

    private func check(_ pasted: String, code typed: String = "", _ location: SourceLocation = #_sourceLocation) throws
    {
        let read = try PastedInvitation(pasted, code: typed)
        #expect(read.roll.url.text == Self.link, "\(pasted)", sourceLocation: location)
        #expect(read.code?.symbols == Self.code, "\(pasted)", sourceLocation: location)
    }

    @Test(
        arguments: [
            "\(link)#\(code)", "\(link)#\(grouped)", "\(link)#\(code.lowercased())", "<\(link)#\(code)>",
            "\(link)#\(code).", "(\(link)#\(code)),", "\"\(link)#\(code)\"", "“\(link)#\(code)”",
            " \(link)#\(code)\r\n",
            "https://union.example/rolls/mem\r\n bers-2027#3AYCE96ME5Z\nY708N72MWEWYZTJB", "\(link)/#\(code)",
            "\(link)#3AYCE\u{AD}96ME5ZY708\u{200B}N72MWEWYZTJB",
            // What a mail program makes of the #.
            "\(link)%23\(code)", "\(link)%2523\(code)", "\(link)%252523\(code)",
            // What counts clicks.
            "\(link)?utm_source=mail#\(code)", "\(link)#\(code)?utm_source=mail&x=1", "\(link)#\(code)&fbclid=x",
        ])
    func everyFormOfALinkIsRead(_ pasted: String) throws { try check(pasted) }

    @Test(
        arguments: [
            "\(outlook)/?url=\(encoded)%23\(code)&data=05%7Cada%40union.example%7Cx%3D&sdata=a%2Bb%3D&reserved=0",
            "\(outlook)/?url=\(encoded)&data=05%7C02%7Cx&reserved=0#\(code)",
            "\(outlook)/?url=\(encoded)%2523\(code)&amp;data=x&amp;reserved=0",
            "<https://EUR01.safelinks.protection.outlook.com/ap/t-59584e83/?url=\(encoded)%23\(code)&data=x>",
            "https://urldefense.proofpoint.com/v1/url?u=\(encoded)%23\(code)&k=x%3D%3D%0A&r=y",
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__union.example_rolls_members-2D2027-23\(code)&d=D&c=x",
            "https://urldefense.com/v3/__\(link)*\(code)__;Iw!!AbC-d!xyz_$",
            "https://urldefense.com/v3/__https:/union.example/rolls/members-2027*\(code)__;Iw!!AbC!xyz$.",
            "https://urldefense.us/v3/__https://union.example/rolls/members*2027*\(code)__;LSM!!A!x$",
            "https://urldefense.com/v3/__\(link)*\(code)__%3BIw!!AbC!xyz$",
            "https://urldefense.com/v3/__\(link)__;!!AbC!xyz$#\(code)",
            "https://safelinks.protection.apps.mil:443/?Url=\(encoded)%23\(code)&data=x",
            "\(outlook)/?url=https%253A%252F%252Funion.example%252Frolls%252Fmembers-2027%2523\(code)&data=x",
            // One filter after the other.
            "\(outlook)/?url=https%3A%2F%2Furldefense.com%2Fv3%2F__https%3A%2F%2Funion.example%2Frolls%2Fmembers-2027*"
                + "\(code)__%3BIw!!AbC!xyz%24&data=x&reserved=0",
        ])
    func linksOfMailFiltersAreRead(_ pasted: String) throws { try check(pasted) }

    /// Several characters in a row that version 3 of URL Defense replaces.
    @Test func aRunOfReplacedCharactersIsRead() throws {
        // `**A` stands for two, `**B` for three.
        try check("https://urldefense.com/v3/__https**Bunion.example/rolls/members-2027*\(Self.code)__;Oi8vIw!!A!x$")
        // More than there are.
        #expect(throws: PastedInvitation.Fault.self) {
            _ = try PastedInvitation("https://urldefense.com/v3/__\(Self.link)**B\(Self.code)__;Iw!!A!x$")
        }
    }

    @Test func linkAndCodeMayComeApart() throws {
        try check(Self.link, code: Self.code)
        try check(Self.link, code: Self.grouped.replacing("-", with: " "))
        try check("\(Self.link)#\(Self.code)", code: Self.code)
        try check("\(Self.link) \(Self.code)")
        try check("\(Self.link)\n\n\(Self.grouped)")
        try check("\(Self.link)\nCode: \(Self.grouped).")
        try check("\(Self.link)\r\nIhr Code:\r\n\(Self.grouped)")
        try check("Votre lien : \(Self.link) et votre code : \(Self.grouped)")
        try check("\(Self.grouped) \(Self.link)")
        try check(Self.link, code: "#\(Self.code)")
        try check(Self.link, code: Self.grouped.replacing("-", with: "–"))
        try check("\(Self.link) \(Self.grouped.lowercased())")
        for link in [Self.link, "\(Self.link)#", "<\(Self.link)>", "\(Self.outlook)/?url=\(Self.encoded)&data=x"] {
            let read = try PastedInvitation(link)
            #expect(read.roll.url.text == Self.link && read.code == nil)
        }
    }

    @Test(
        arguments: [
            ("", .address(.empty)), ("https://union.example/#\(code)", .notALink(host: "union.example")),
            (
                "https://union.example/petitions/\(String(repeating: "0a", count: 32))",
                .notALink(host: "union.example")
            ),
            (code, .onlyCode), (grouped, .onlyCode), (String(repeating: "a ", count: 40_000), .tooLong),
            ("\(link)#\(code) https://union.example/rolls/others#\(code)", .twoLinks),
            ("https://click.example/x?u=\(encoded)%23\(code)", .notALink(host: "click.example")),
            ("https://union.example/rolls/\(String(repeating: "0a", count: 32))#\(code)", .namesAnID),
            ("\(link)#\(code.dropLast())", .code(.length(26))), ("\(link)#\(code)0", .code(.length(28))),
            ("\(link)#\(code.dropLast())A", .code(.check)),
            ("\(link)#\(code.dropFirst().dropLast())é\(code.last!)", .code(.symbol("é"))),
            ("\(link)#U\(code.dropFirst())", .code(.symbol("U"))),
            ("http://union.example/rolls/m#\(code)", .address(.plain)),
            ("\(outlook)/?data=x", .notALink(host: "nam02.safelinks.protection.outlook.com")),
            ("https://urldefense.com/v3/__\(link)", .address(.segment("__https:"))),
        ] as [(String, PastedInvitation.Fault)])
    func whatIsNoInvitationIsRefusedForItsReason(_ pasted: String, _ fault: PastedInvitation.Fault) {
        #expect(throws: fault) { _ = try PastedInvitation(pasted) }
    }

    /// What stands around a link in a mail, in an answer to one, or on a page.
    @Test(
        arguments: [
            "Link: \(link)#\(code)", "Dear Ada,\r\n\r\nuse \(link)#\(code) soon.", "> \(link)#\(code)",
            "[Enrol here](\(link)#\(code))", "{\(link)#\(code)}", "<a href=\"\(link)#\(code)\">here</a>",
            "\(link)#\(code)<\(outlook)/?url=\(encoded)%23\(code)&data=x>", "\(link)#\(code) <\(link)#\(code)>",
            "\(link) <\(link)#\(code)>", "\(link)#\(code)\n\(link)#\(code)", "\(link)#\(code)\nCode: \(grouped)",
            "petition-signer enrol \"\(link)#\(code)\"", "‚\(link)#\(code)‘", "\(link)#\(code)…", "\(link)#\(code)/",
            "\u{2066}\(link)#\(code)\u{2069}",
        ])
    func wordsAroundALinkAreNoPartOfIt(_ pasted: String) throws { try check(pasted) }

    /// As mail programs save it. Nothing of the headers is taken, and what was cut or quoted for transport is whole.
    @Test func aMailThatWasSavedWholeIsRead() throws {
        let head = "DKIM-Signature: v=1; b=\(Self.code)\r\nSubject: x\r\nMime-Version: 1.0\r\n"
        let link = "\(Self.link)#\(Self.code)"
        for body in ["Hello\r\n\r\n\(link)\r\n", "\(Self.grouped)\r\n\r\n\(Self.link)\r\n"] {
            try check(head + "Content-Transfer-Encoding: 7bit\r\n\r\n" + body)
            try check((head + "\r\n" + body).replacing("\r\n", with: "\n"))
            try check("MIME-Version: 1.0\nX: \(Self.code)\n\n" + body)
        }
        for body in [
            "=C3=84rger\r\n\(Self.link)#=\r\n\(Self.code)\r\n", "\(Self.link)=23\(Self.code)\r\n",
            "https://union.exam=\r\nple/rolls/members-2027=23\(Self.code)=\r\n\r\n=", "\(link)\r\n=zz=+4=4",
        ] {
            try check(head + "content-transfer-encoding: Quoted-Printable\r\n\r\n" + body)
        }
        // What has no headers is not changed, whatever it says.
        try check("Content-Transfer-Encoding: quoted-printable\n\n\(Self.link)#\(Self.code)")
        #expect(throws: PastedInvitation.Fault.self) { _ = try PastedInvitation(head + "\r\n\(Self.code)\r\n") }
    }

    /// Only what a browser takes to a filter's host is unwrapped: the host that a person sees must not be another.
    @Test(
        arguments: [
            "https://union.example#rolls.safelinks.protection.outlook.com?url=",
            "https://union.example#x.urldefense.com/v1/url?u=",
            "https://union.example\\.urldefense.com/v1/url?u=", "https://union.example@urldefense.com/v1/url?u=",
            "https://union.example@nam02.safelinks.protection.outlook.com/?url=", "ftp://urldefense.com/v1/url?u=",
            "https://union.example/urldefense.com/v1/url?u=", "https://safelinks.protection.outlook.com.example/?url=",
            "https://urldefense.com:8443/v1/url?u=", "https://xurldefense.com/v1/url?u=",
        ])
    func noOtherHostIsTakenForAFilter(_ start: String) {
        let pasted = start + "https%3A%2F%2Fevil.example%2Frolls%2Fmembers-2027%23\(Self.code)"
        let read = try? PastedInvitation(pasted)
        #expect(read?.roll.coordinator.host != "evil.example")
    }

    @Test func thatAnotherHostWasShownIsSaid() throws {
        #expect(try PastedInvitation("\(Self.outlook)/?url=\(Self.encoded)%23\(Self.code)").wasRewritten)
        #expect(try !PastedInvitation("\(Self.link)%23\(Self.code)").wasRewritten)
    }

    @Test func twoCodesAreRefused() throws {
        let other = InvitationCode.random()
        #expect(throws: PastedInvitation.Fault.twoCodes) {
            _ = try PastedInvitation("\(Self.link)#\(Self.code)", code: other.text)
        }
    }

    /// Programs that make links of addresses end a link before some characters: no new code has one of these.
    @Test func everyNewCodeEndsInALetterOrDigit() throws {
        for _ in 0..<500 {
            let code = InvitationCode.random()
            let last = try #require(code.symbols.unicodeScalars.last)
            #expect(last.properties.isASCIIHexDigit || ("A"..."Z").contains(last))
            #expect(last != "U" && InvitationCode(text: code.text)?.bytes == code.bytes)
        }
        // Those of earlier letters are still read.
        for number in UInt128(32)..<37 {
            let text = CrockfordBase32.encode(number)
            #expect("*~$=U".contains(text.last ?? " "))
            #expect(try CrockfordBase32.decode(text) == number)
            try #expect(PastedInvitation("\(Self.link)#\(text)").code?.symbols == text)
        }
    }
}
