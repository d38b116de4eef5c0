import Bytes
import Documents
import DurableFiles
import Foundation
import LogStorage
import MailDelivery
import Platform
import Sodium

/// What names one mail to those who see it on the way: 16 random bytes that tell nothing. Bounces and requests to stop
/// come back with it.
public struct MailToken: Hashable, Sendable {
    /// The length in bytes.
    public static let count = 16
    /// The bytes.
    let bytes: [UInt8]

    /// A token that no other mail has.
    public static func random() -> MailToken { MailToken(unchecked: SystemRandomness.bytes(count)) }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Takes 16 bytes; nil for any other length.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.count else { return nil }
        self.bytes = bytes
    }

    /// Reads 32 hexadecimal digits of any case.
    public init?(text: some StringProtocol) {
        guard text.utf8.count == 2 * Self.count, let bytes = Hex.decode(text.lowercased()) else { return nil }
        self.init(bytes)
    }

    /// 32 hexadecimal digits.
    public var text: String { Hex.encode(bytes) }
}

/// The keys from which the codes of mails are derived: one random file for each day, in a folder of its own.
///
/// So the database of mails has no codes, and neither a copy of it nor a backup can enrol anybody. A key is deleted
/// when it is a week old and no mail waits that needs it; then a code can only be replaced.
struct MailKeys: Sendable {
    /// For how many days a code can be sent again.
    static let days: Int64 = 7
    private static let codeLabel = Array("roundrobin-v1 mailed invitation".utf8)
    private static let objectionLabel = Array("roundrobin-v1 objection".utf8)
    private static let limitLabel = Array("roundrobin-v1 mail limit".utf8)
    private static let messageLabel = Array("roundrobin-v1 message id".utf8)
    private let folder: String

    init(folder: String) { self.folder = folder }

    /// The number of the day since 1970, in UTC.
    static func day(of time: UTCTime) -> Int64 {
        time.seconds >= 0 ? time.seconds / 86_400 : (time.seconds - 86_399) / 86_400
    }

    private func path(_ day: Int64) -> String {
        "\(folder)/\(UTCTime(seconds: day * 86_400).description.prefix(10)).key"
    }

    /// The key of a day; nil if it was deleted, or what is there is no key. Throws if it cannot be read just now.
    func key(_ day: Int64) throws(KeyFile.Failure) -> SecretBytes? { try Self.read(path(day)) }

    /// The key of today, which is made if there is none.
    func keyOrNew(_ day: Int64) throws(KeyFile.Failure) -> SecretBytes {
        let path = path(day)
        if let key = try Self.read(path) { return key }
        mkdir(folder, 0o700)
        // What is no key is of no use: its mails have lost their codes.
        unlink(path)
        return try KeyFile.create(at: path)
    }

    private static func read(_ path: String) throws(KeyFile.Failure) -> SecretBytes? {
        do throws(KeyFile.Failure) { return try KeyFile.read(at: path) } catch {
            switch error {
            case .missing, .malformed: return nil
            case .exists, .unwritable, .unreadable: throw error
            }
        }
    }

    /// The code of a mail: the same each time, and random to everybody without the key.
    static func code(_ token: MailToken, key: borrowing SecretBytes) -> InvitationCode {
        InvitationCode.drawn { half(HMACSHA512.authenticate(codeLabel + token.bytes + [$0], key: key)) }
    }

    /// The Message-ID of a mail that was written at this time: the same on each try.
    static func messageID(_ token: MailToken, written: UTCTime, key: borrowing SecretBytes) -> String {
        var message = messageLabel + token.bytes
        message.appendInteger(UInt64(bitPattern: written.seconds))
        return Hex.encode(half(HMACSHA512.authenticate(message, key: key)))
    }

    /// A keyed hash of a mailbox, 32 bytes.
    static func objection(_ address: MailAddress, key: borrowing SecretBytes) -> Data {
        mark(objectionLabel + [MailAddress.mailboxRule] + Array(address.mailbox.utf8), key: key)
    }

    private static func mark(_ message: [UInt8], key: borrowing SecretBytes) -> Data {
        HMACSHA512.authenticate(message, key: key).withUnsafeBytes { Data($0.prefix(32)) }
    }

    // MARK: Limits

    /// For how long one key of limits is used, in seconds; it is kept for as long again, since limits reach back.
    private static let limitPeriod: Int64 = 30 * 86_400

    private func limitPath(_ period: Int64) -> String { "\(folder)/limits-\(period).key" }

    /// What mailboxes or domains are remembered by in limits: each under the key of this month, which is made if there
    /// is none, and, if there is one, under that of the last.
    func limitMarks(of names: [String], now: UTCTime) throws(KeyFile.Failure) -> [[Data]] {
        let period = Self.limitPeriod(of: now)
        let messages = names.map { Self.limitLabel + Array($0.utf8) }
        var marks: [[Data]]
        if let key = try Self.read(limitPath(period)) {
            marks = messages.map { [Self.mark($0, key: key)] }
        } else {
            mkdir(folder, 0o700)
            unlink(limitPath(period))
            let key = try KeyFile.create(at: limitPath(period))
            marks = messages.map { [Self.mark($0, key: key)] }
        }
        guard let last = try Self.read(limitPath(period - 1)) else { return marks }
        for index in marks.indices { marks[index].append(Self.mark(messages[index], key: last)) }
        return marks
    }

    private static func limitPeriod(of now: UTCTime) -> Int64 {
        (now.seconds - (now.seconds < 0 ? limitPeriod - 1 : 0)) / limitPeriod
    }

    /// Deletes the keys of limits that reach back no more.
    func deleteOldLimits(now: UTCTime) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let period = Self.limitPeriod(of: now)
        for name in names where name.hasPrefix("limits-") && name.hasSuffix(".key") {
            guard let number = Int64(name.dropFirst("limits-".count).dropLast(".key".count)),
                !(period - 1...period + 1).contains(number)
            else { continue }
            KeyFile.erase(at: limitPath(number))
        }
    }

    private static func half(_ secret: borrowing SecretBytes) -> [UInt8] {
        secret.withUnsafeBytes { Array($0.prefix(16)) }
    }

    /// The days of the keys that are there.
    func present() -> [Int64] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name in
            guard name.hasSuffix(".key"), let time = UTCTime("\(name.dropLast(4))T00:00:00Z") else { return nil }
            return Self.day(of: time)
        }.sorted()
    }

    /// Finishes what a crash interrupted.
    func finishErasing() { KeyFile.finishErasing(in: folder) }

    /// The days of keys of more than a week ago.
    func old(now: UTCTime) -> [Int64] { present().filter { $0 < Self.day(of: now) - Self.days } }

    /// Deletes the keys of more than a week ago, but not of days in `needed`.
    func deleteOld(now: UTCTime, needed: Set<Int64>) {
        for day in old(now: now) where !needed.contains(day) { KeyFile.erase(at: path(day)) }
    }

    /// Deletes the keys of days that are not in `needed`.
    func deleteAll(but needed: Set<Int64>) {
        for day in present() where !needed.contains(day) { KeyFile.erase(at: path(day)) }
    }
}
