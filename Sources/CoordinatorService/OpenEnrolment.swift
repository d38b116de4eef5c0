import Bytes
import Documents
import Foundation
import InvitationMail
import LogStorage
import MailDelivery
import Messages
import PageParts
import PetitionPages
import Petitions
import Sodium
import Storage

/// Whether invitations to an open roll can be asked for.
public enum Asking: Int, Sendable {
    /// Nobody can ask any more, for ever once the roll is forgotten.
    case closed = 0
    /// Anybody can ask.
    case open = 1
    /// Nobody can ask for now.
    case paused = 2
}

/// Open rolls: whoever asks with a mailbox gets an invitation.
extension Coordinator {
    /// The key of an open roll. If its file is lost, nobody knows any more who has a place, so no other is made.
    func openKey(_ slug: String) throws(KeyFile.Failure) -> OpenRollKey {
        OpenRollKey(try KeyFile.read(at: Self.openKeyPath(folder, slug: slug)))
    }

    /// Checks whether mailboxes of this domain may ask for an invitation now. Throws the rule that refuses all of them.
    /// Returns whether the roll lists the domain.
    @discardableResult
    func checkMayAsk(roll slug: String, domain: String) throws -> Bool {
        let roll = try database.read { try RollStore($0, slug: slug) }
        guard let roll, case .email(let domains) = roll.descriptor.admission, let asking = roll.asking,
            asking != .closed, !roll.isForgotten
        else { throw Rule.enrolmentClosed }
        let isListed = domains.contains { $0.text == domain }
        guard domains.isEmpty || isListed else { throw Rule.domainNotAdmitted }
        guard asking == .open, try canAsk(slug) else { throw Rule.enrolmentPaused }
        return isListed
    }

    /// Takes the request of a mailbox for an invitation, which ``answerRequests(perHour:)`` answers by mail. What it
    /// does and returns is the same whether the mailbox is known or not. Throws the rule that refuses every mailbox of
    /// this roll or domain.
    public func ask(roll slug: String, _ address: MailAddress, language: Language) throws {
        let isListed = try checkMayAsk(roll: slug, domain: address.domain)
        let blur = UInt8(SystemRandomness.integer(below: 256))
        let isTaken = try outbox().ask(
            roll: slug, address, isListed: isListed, language: language, blur: blur)
        guard isTaken else { throw Rule.busy }
    }

    /// Whether requests to a roll can be answered: mail can be sent and is not paused, and the roll's key is there.
    func canAsk(_ slug: String) throws -> Bool {
        guard let outbox = try existingOutbox(), try outbox.settings() != nil else { return false }
        return try outbox.standing().pause == nil && hasOpenKey(slug)
    }

    /// Whether the key of an open roll is there.
    func hasOpenKey(_ slug: String) -> Bool {
        FileManager.default.fileExists(atPath: Self.openKeyPath(folder, slug: slug))
    }

    /// How far the round of a roll is, as its page tells it.
    func progress(_ roll: RollStore) throws -> RoundProgress {
        let status = try round(roll: roll.slug)
        let window = Int64(roll.descriptor.terms.joiningSeconds)
        let prolonged = status.next?.notBefore.map(\.seconds) ?? 0
        return RoundProgress(
            issued: status.issued,
            joiningUntil: status.opened.map { UTCTime(seconds: max($0.seconds + window, prolonged)) },
            next: status.next, secondsAtThisPace: try database.read { try roll.secondsAtThisPace($0, now: clock.now) })
    }

    /// Writes mails for requests, as many as may go out now. Returns how many.
    @discardableResult
    public func answerRequests(perHour: Int) throws -> Int {
        guard let outbox = try existingOutbox() else { return 0 }
        return try outbox.answerRequests(perHour: perHour, key: { try? openKey($0) }) { slug, mark in
            try database.read { db in
                guard let roll = try RollStore(db, slug: slug) else { return true }
                return try roll.isUsed(db, mailbox: mark)
            }
        }
    }

    /// Opens or closes the asking for invitations to an open roll, or pauses it.
    public func setAsking(roll slug: String, _ asking: Asking) throws {
        try change(slug) { db, roll in
            guard roll.descriptor.admission.isOpen else { throw CoordinatorError.admitsByList(roll: slug) }
            guard asking == .closed || !roll.isForgotten else { throw CoordinatorError.forgotten(roll: slug) }
            try db.execute(sql: "UPDATE roll SET asking = ? WHERE id = ?", arguments: [asking.rawValue, roll.id])
        }
    }

    /// The mailbox that an unused code of an open roll belongs to, as it is remembered; nil for any other code.
    func askedBy(_ db: Transaction, _ roll: RollStore, _ code: Bytes32) throws -> Bytes32? {
        guard roll.descriptor.admission.isOpen, !roll.isForgotten, try roll.code(db, hash: code) == nil else {
            return nil
        }
        return try existingOutbox()?.mailbox(roll: roll.slug, code: code)
    }

    /// Logs a code of an open roll as invited and issued, in one transaction with the note that its mailbox has a
    /// place.
    func use(_ db: Transaction, _ roll: inout RollStore, _ code: Bytes32, of mailbox: Bytes32) throws {
        guard try !roll.isUsed(db, mailbox: mailbox) else { throw Rule.codeAlreadyUsed }
        try db.execute(
            sql: "INSERT INTO usedMailbox (roll, mark) VALUES (?, ?)", arguments: [roll.id, Data(mailbox.array)])
        try roll.append(
            db, [.invited(codeHash: code), .issued(codeHash: code)], key: noteKey, now: clock.now)
    }

    /// Forgets which mailbox a used code belonged to.
    func forgetUsedCode(roll slug: String, _ code: Bytes32) throws {
        guard let outbox = try existingOutbox(), try outbox.mailbox(roll: slug, code: code) != nil else { return }
        try outbox.forgetCode(roll: slug, code)
        // It had the mailbox and the code in one commit.
        try database.forgetOrder()
    }

    /// Does what a crash between the use of a code and ``forgetUsedCode(roll:_:)`` has left.
    func forgetUsedCodes() throws {
        guard let outbox = try existingOutbox() else { return }
        for roll in try database.read({ try RollStore.open($0) }) {
            for code in try outbox.openCodes(roll: roll.slug) {
                let isUsed = try database.readConfirmed { try roll.code($0, hash: code) != nil }
                if isUsed { try outbox.forgetCode(roll: roll.slug, code) }
            }
        }
    }
}

extension RollStore {
    /// About how long it takes until joining opens if people go on enrolling at the pace of this round, in seconds; nil
    /// without a schedule, or if nobody has enrolled. It is made of what is published.
    func secondsAtThisPace(_ db: Transaction, now: UTCTime) throws -> Double? {
        let issued = try publishedIssued(db)
        guard let schedule = try schedule(db), issued > 0,
            let first = try scheduledRound(db, issued: issued).firstIssued
        else { return nil }
        let age = Double(max(Self.stepLength, now.seconds - first))
        let missing = Double(max(0, max(schedule.crowd, descriptor.terms.minimumRing) - Int(clamping: issued)))
        let crowd = max(Double(schedule.atLeast) - age, missing * age / Double(issued))
        guard issued >= UInt64(descriptor.terms.minimumRing) else { return max(0, crowd) }
        return max(0, min(crowd, Double(schedule.atMost) - age))
    }

    /// The open rolls.
    static func open(_ db: Transaction) throws -> [RollStore] {
        try String.fetchAll(db, sql: "SELECT slug FROM roll WHERE asking IS NOT NULL ORDER BY id").compactMap {
            try RollStore(db, slug: $0)
        }
    }

    /// Whether the invitation of a mailbox was used.
    func isUsed(_ db: Transaction, mailbox: Bytes32) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM usedMailbox WHERE roll = ? AND mark = ?)",
            arguments: [id, Data(mailbox.array)]) ?? false
    }
}
