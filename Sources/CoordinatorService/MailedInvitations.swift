import Bytes
import Documents
import Foundation
import InvitationMail
import LogStorage
import MailDelivery
import PageParts
import Petitions
import Platform
import Storage

/// Invitations by mail.
extension Coordinator {
    /// The mails of this coordinator. Made with the first use, and kept open.
    public func outbox() throws -> Outbox {
        try openOutbox.withLock { open in
            if let open { return open }
            let outbox = try Outbox(folder: folder, clock: clock)
            open = outbox
            return outbox
        }
    }

    /// The mails, if there ever were any.
    public func existingOutbox() throws -> Outbox? {
        FileManager.default.fileExists(atPath: folder + "/outbox.sqlite") ? try outbox() : nil
    }

    /// The address at which the recipient of a mail stops further ones.
    func stopAddress(_ token: MailToken) -> ServiceURL {
        guard let address = ServiceURL("\(url.text)/stop/\(token.text)") else {
            preconditionFailure("a path of digits is refused")
        }
        return address
    }

    /// Invites people by mail. The mails are held, durably, before the invitations are committed, and released
    /// afterwards; a crash between the two is made up for by ``settleMail()``. `addresses` are those of `people`.
    public func inviteByMail(
        roll slug: String, _ people: [PeopleList.Person], addresses: [MailAddress], letter: LetterTemplate,
        isAgain: Bool = false
    ) throws {
        let outbox = try outbox()
        let objecting = try outbox.objecting(addresses)
        let lines = zip(people, addresses).filter { objecting.contains($1) }.map(\.0.line)
        guard lines.isEmpty else { throw CoordinatorError.wantNoMail(lines: lines) }
        try change(slug) { db, roll in
            try roll.checkInvitesByList()
            if !isAgain { try checkNew(people, db, roll) }
            let codes = try outbox.hold(roll: slug, addresses, letter: letter)
            try invite(db, &roll, Array(zip(codes, people.map(\.label))))
        }
        try settleMail()
    }

    /// Releases held mails whose codes are in the log, and drops those whose invitations were never committed. Waits
    /// until nobody is inviting.
    public func settleMail() throws {
        guard let outbox = try existingOutbox(), try outbox.hasHeld() else { return }
        try database.write { db in
            // Of an older database, mails would be dropped whose codes are in the log.
            try check(db)
            // A code that is on one machine only may be lost with it, and its mail would be sent all the same.
            if database.mayWait { try database.confirm() }
            var rolls: [String: Int64] = [:]
            _ = try outbox.settle { slug, hash in
                guard let roll = try rolls[slug] ?? RollStore(db, slug: slug)?.id else { return false }
                rolls[slug] = roll
                return try Bool.fetchOne(
                    db, sql: "SELECT 1 FROM code WHERE roll = ? AND hash = ?", arguments: [roll, Data(hash.array)])
                    ?? false
            }
        }
    }

    // MARK: - Sending again

    /// Who gets a mail once more.
    public enum ResendChoice: Equatable, Sendable {
        /// The person with this label; at another address, if one is given.
        case person(label: String, to: MailAddress?)
        /// Everybody whose mail failed.
        case failed
        /// Everybody who has not used a code that was sent so many seconds ago.
        case unused(olderThan: Int64)

        /// Addresses that it names.
        var addresses: [MailAddress] {
            if case .person(_, let address?) = self { [address] } else { [] }
        }
    }

    /// What sending again would do, before it is agreed to.
    public struct ResendPlan: Sendable {
        /// One person.
        struct Item: Sendable {
            let label: String
            let hash: Bytes32
            let address: MailAddress
            /// The mail whose code is sent again; nil if the code is replaced by a new one.
            let mail: Outbox.Mail?
            let letter: LetterTemplate
            /// Whether the address is another than before.
            let isMoved: Bool
        }

        /// Labels of those who get the same code again.
        public var repeated: [String] { items.filter { $0.mail != nil }.map(\.label) }
        /// Labels of those whose code is voided and replaced.
        public var replaced: [String] { items.filter { $0.mail == nil }.map(\.label) }
        /// Labels of those who get nothing, since they want no more mail.
        public var stopped: [String] = []
        var items: [Item] = []
        /// The texts of the mails.
        var letters: Set<LetterTemplate> { Set(items.map(\.letter)) }
        let roll: String
    }

    /// Finds out who would get what. `letter` is for those whose mails are no longer known, or instead of theirs.
    public func planResend(
        roll slug: String, _ choice: ResendChoice, letter: LetterTemplate?
    ) throws -> ResendPlan {
        let outbox = try outbox()
        let unused = try people(roll: slug).filter { $0.code == .invited }
        let objecting = try outbox.objecting(unused.compactMap { $0.mail?.address } + choice.addresses)
        let old = clock.now.seconds
        var plan = ResendPlan(roll: slug)
        for person in unused {
            var to = person.mail?.address
            switch choice {
            case .person(let label, let other):
                guard person.label == label else { continue }
                to = other ?? to
                guard to != nil else { throw CoordinatorError.noAddress(label: label) }
            case .failed: guard person.mail?.state == .failed else { continue }
            case .unused(let age): guard let mail = person.mail, mail.lastSent.seconds <= old - age else { continue }
            }
            guard let to else { continue }
            if objecting.contains(to) {
                plan.stopped.append(person.label)
                continue
            }
            // Another address gets another code: the first may be somebody else's.
            let isSame = try person.mail.map { try $0.address == to && outbox.isRepeatable($0) } ?? false
            let text = try letter ?? person.mail.map { try outbox.letter(of: $0) } ?? LetterTemplate(language: .english)
            plan.items.append(
                .init(
                    label: person.label, hash: person.hash, address: to, mail: isSame ? person.mail : nil, letter: text,
                    isMoved: person.mail?.address.folded != to.folded)
            )
        }
        if case .person(let label, _) = choice {
            let matches = plan.items.count + plan.stopped.count
            guard matches == 1 else { throw CoordinatorError.labelNotUnique(label: label, matches: matches) }
        }
        return plan
    }

    /// Does what was planned. Whoever has enrolled meanwhile keeps what they have.
    public func resend(_ plan: ResendPlan) throws {
        let outbox = try outbox()
        // Before any code is voided.
        for letter in plan.letters { try checkMail(letter, roll: plan.roll) }
        let replaced = plan.items.filter { $0.mail == nil }
        if !replaced.isEmpty {
            try change(plan.roll) { db, roll in
                try roll.checkInvitesByList()
                let unused = try replaced.filter { try roll.code(db, hash: $0.hash)?.state == .invited }
                guard !unused.isEmpty else { return }
                try checkFree(unused.filter(\.isMoved).map(\.address), db, roll)
                try roll.append(
                    db, unused.map(\.hash).sorted().map { .voided(codeHash: $0) }, key: noteKey, now: clock.now)
                var codes: [(InvitationCode, String)] = []
                for (letter, items) in Dictionary(grouping: unused, by: \.letter) {
                    let drawn = try outbox.hold(roll: plan.roll, items.map(\.address), letter: letter)
                    codes += zip(drawn, items.map(\.label))
                }
                try invite(db, &roll, codes)
            }
            try settleMail()
        }
        try outbox.repeatMails(plan.items.compactMap { item in item.mail.map { ($0, item.letter) } })
    }

    /// One mail as it would be sent, with a code that is nobody's. Throws a `MailMessage.Fault` if none can be made of
    /// this text and the names of roll and coordinator.
    public func exampleMail(
        _ letter: LetterTemplate, to address: MailAddress, settings: MailSettings, roll: RollDescriptor
    ) throws -> MailMessage {
        let (token, stop) = (MailToken.random(), stopAddress(.random()))
        let filled = letter.filled(
            link: roll.link, code: .random(), roll: roll.name, coordinator: name, stop: stop,
            browserSigner: settings.browserSigner)
        return try MailMessage(
            from: settings.from, to: address, subject: filled.subject, text: filled.text, date: clock.now,
            id: token.text, language: letter.language.rawValue, unsubscribe: stop)
    }

    private func checkMail(_ letter: LetterTemplate, roll slug: String) throws {
        guard let settings = try outbox().settings() else { return }
        do {
            _ = try exampleMail(letter, to: settings.from.address, settings: settings, roll: try roll(named: slug))
        } catch is MailMessage.Fault {
            throw CoordinatorError.noMailOfThis
        }
    }

    /// Checks that nobody has a code that is not voided at one of these addresses.
    func checkFree(_ addresses: [MailAddress], _ db: Transaction, _ roll: RollStore) throws {
        guard !addresses.isEmpty, let outbox = try existingOutbox() else { return }
        var taken = Set<String>()
        for mail in try outbox.mails(roll: roll.slug) {
            guard let state = try roll.code(db, hash: mail.codeHash)?.state, state != .voided else { continue }
            taken.insert(mail.address.folded)
        }
        if let address = addresses.first(where: { taken.contains($0.folded) }) {
            throw CoordinatorError.addressTaken(address: address.text)
        }
    }

    // MARK: - Forgetting

    /// What is kept of the people of a roll.
    public struct Kept: Equatable, Sendable {
        /// How many labels, which name people.
        public let labels: Int
        /// How many mails, with their addresses.
        public let mails: Int
        /// How many people asked for an invitation and wait for it, with their addresses.
        public let requests: Int
        /// How many keyed hashes of mailboxes, in an open roll: of those whose invitation is unused, and of those who
        /// have a place.
        public let mailboxes: Int
        /// How many codes are unused.
        public let unused: Int
        /// Whether the roll was forgotten.
        public let isForgotten: Bool

        /// Whether nothing is kept of anybody.
        public var isNothing: Bool { labels + mails + requests + mailboxes == 0 }
    }

    /// What is kept of the people of a roll.
    public func kept(roll slug: String) throws -> Kept {
        let outbox = try existingOutbox()
        return try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            return try roll.kept(db, outbox)
        }
    }

    /// Deletes every label, address and mail of a roll from this folder, for ever, and keeps anybody from being invited
    /// to it: nobody could tell any more who was invited before.
    public func forget(roll slug: String) throws {
        try change(slug) { db, roll in
            guard roll.asking != .open, roll.asking != .paused else {
                throw CoordinatorError.stillAsking(roll: slug)
            }
            try db.execute(sql: "UPDATE code SET label = '' WHERE roll = ?", arguments: [roll.id])
            try db.execute(sql: "DELETE FROM usedMailbox WHERE roll = ?", arguments: [roll.id])
            try db.execute(sql: "UPDATE roll SET isForgotten = 1 WHERE id = ?", arguments: [roll.id])
        }
        KeyFile.erase(at: Self.openKeyPath(folder, slug: slug))
        KeyFile.finishErasing(at: Self.openKeyPath(folder, slug: slug))
        try existingOutbox()?.forget(roll: slug)
        try database.compact()
    }
}

extension RollStore {
    /// What is kept of the people, here and in the outbox.
    func kept(_ db: Transaction, _ outbox: Outbox?) throws -> Coordinator.Kept {
        func count(_ sql: String) throws -> Int {
            try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(sql)", arguments: [id]) ?? 0
        }
        let asked = try outbox?.askedCounts(roll: slug)
        // The codes of an open roll are logged when they are used, and wait in the outbox before that.
        let unused = Int(clamping: state.invited - state.issued - state.voided) + (asked?.codes ?? 0)
        return Coordinator.Kept(
            labels: try count("code WHERE roll = ? AND label != ''"),
            mails: try outbox?.counts(roll: slug).total ?? 0, requests: asked?.requests ?? 0,
            mailboxes: try count("usedMailbox WHERE roll = ?") + (asked?.codes ?? 0), unused: unused,
            isForgotten: isForgotten)
    }
}
