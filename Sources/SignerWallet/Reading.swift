import Bytes
import Foundation
import LogClient
import Petitions
import Ristretto255
import Sodium
import TransparencyLog
import Verification

/// How a signer reaches the world.
public struct SignerNetwork: Sendable {
    /// Every request goes through it, host names included, if there is one.
    public let proxy: SOCKSProxy?

    /// A network without or with a proxy.
    public init(proxy: SOCKSProxy?) {
        self.proxy = proxy
    }

    /// Runs `body` over connections that nothing else uses.
    func fresh<T: Sendable>(_ body: (HTTPConnection) async throws -> T) async throws -> T {
        do {
            return try await HTTPConnection.with(proxy: proxy, body)
        } catch let error as SourceError {
            throw SignerError(error)
        }
    }
}

extension SignerError {
    init(_ error: SourceError) {
        switch error {
        case .unreachable(let location, let reason): self = .unreachable(location: location, reason: reason)
        case .tooLarge(let location): self = .unreachable(location: location, reason: "it is larger than it can be")
        }
    }
}

/// Reads documents and whole logs; never a part of a log, which would tell the server what this signer is interested in.
enum Reading {
    /// The petition whose url is `url`, with the id that the url's last segment says.
    static func petition(_ url: ServiceURL, connection: HTTPConnection) async throws -> PetitionManifest {
        guard let expected = url.segments.last.flatMap({ PetitionID(hex: $0) }) else {
            throw SignerError.documentInvalid(location: url.text, reason: "the url does not end in a petition's id")
        }
        let source = HTTPSource(connection: connection, base: url.text)
        // An aggregator keeps the note below its page; a coordinator has it at the url itself.
        var note = try await source.read(OfflineCopy.petition, limit: SignedNote.maximumCount)
        if note == nil { note = try await source.read("", limit: SignedNote.maximumCount) }
        guard let note else { throw SignerError.unreachable(location: url.text, reason: "there is no such petition") }
        let petition = try parse(url.text) { () throws(DocumentError) in try PetitionManifest(parsing: note) }
        guard petition.id == expected else { throw SignerError.documentMismatch(location: url.text) }
        guard petition.witnesses == nil else { throw SignerError.witnessesUnsupported }
        return petition
    }

    /// The roll whose url is `url`.
    static func roll(_ url: ServiceURL, connection: HTTPConnection) async throws -> RollDescriptor {
        let source = HTTPSource(connection: connection, base: url.text)
        guard let note = try await source.read("", limit: SignedNote.maximumCount) else {
            throw SignerError.unreachable(location: url.text, reason: "there is no such roll")
        }
        let roll = try parse(url.text) { () throws(DocumentError) in try RollDescriptor(parsing: note) }
        guard roll.url == url else { throw SignerError.documentMismatch(location: url.text) }
        guard roll.witnesses == nil else { throw SignerError.witnessesUnsupported }
        return roll
    }

    private static func parse<T>(_ location: String, _ body: () throws(DocumentError) -> T) throws -> T {
        do { return try body() } catch {
            throw SignerError.documentInvalid(location: location, reason: error.explanation)
        }
    }

    /// Every entry of a log, which must continue what the wallet saw of it before. The wallet remembers the new head.
    static func entries(of log: PublishedLog, wallet: Wallet) async throws -> [[UInt8]] {
        do {
            let checkpoint = try await log.readCheckpoint().checkpoint
            var all: [[UInt8]] = []
            _ = try await log.readEntries(upTo: checkpoint, seen: wallet.seen(log.key)) { _, entries in all += entries }
            wallet.remember(checkpoint, key: log.key)
            // At once: a later check may refuse, and what was seen must still bind the log.
            try wallet.save()
            return all
        } catch LogReadError.source(let error) {
            throw SignerError(error)
        } catch let error as LogReadError {
            throw SignerError.logInvalid(log: log.key.name, error)
        }
    }

    /// Checks that all of `announcements` are in the announcements log of the coordinator at `url`.
    static func checkAnnounced(
        _ announcements: [(Announcement, String)], coordinator url: ServiceURL, key: Ed25519PublicKey,
        wallet: Wallet, connection: HTTPConnection
    ) async throws {
        let log = PublishedLog(
            key: Announcement.logKey(coordinator: url, key: key),
            source: HTTPSource(connection: connection, base: url.text), prefix: "announcements")
        let entries = Set(try await entries(of: log, wallet: wallet))
        for (announcement, what) in announcements where !entries.contains(announcement.bytes) {
            throw SignerError.notAnnounced(what: what, log: log.key.name)
        }
    }

    /// The roll's ledger, rebuilt from every entry of its members log.
    static func ledger(
        of roll: RollDescriptor, reference: PetitionManifest.RollReference, wallet: Wallet, connection: HTTPConnection
    ) async throws -> RollLedger {
        let log = OfflineCopy.membersLog(
            roll, source: HTTPSource(connection: connection, base: roll.url.text), prefix: "members")
        var ledger = RollLedger(roll)
        var tree = GrowingTree()
        var isConsistent = false
        for (index, bytes) in try await entries(of: log, wallet: wallet).enumerated() {
            do throws(Rule) { try ledger.apply(RollEntry(parsing: bytes)) } catch {
                throw SignerError.entryInvalid(log: log.key.name, index: UInt64(index), error)
            }
            tree.append(MerkleHash.leaf(bytes))
            if tree.size == reference.size { isConsistent = tree.root == reference.root && ledger.endsOnSeal }
        }
        guard isConsistent, ledger.endsOnSeal else { throw SignerError.rollMismatch }
        return ledger
    }
}

/// An entry of the list of petitions that coordinators and aggregators serve. Nothing in it is proven: it is a way to find
/// addresses.
public struct PublishedPetition: Sendable {
    private static let limit = 1 << 20
    /// The title.
    public let title: String
    /// The first moment of signing.
    public let opens: UTCTime
    /// The last moment of signing.
    public let closes: UTCTime
    /// The petition's address.
    public let url: ServiceURL

    /// The list that the server at `base` gives.
    public static func list(at base: ServiceURL, network: SignerNetwork) async throws -> [PublishedPetition] {
        let url = base.text + "/petitions"
        let answer = try await network.fresh { try await $0.get(url, limit: limit) }
        guard answer.status == 200 else {
            throw SignerError.unreachable(location: url, reason: "it answered with status \(answer.status)")
        }
        do {
            return try JSONFields.list(parsing: answer.body).map { try PublishedPetition($0) }
        } catch let error as DocumentError {
            throw SignerError.documentInvalid(location: url, reason: error.explanation)
        }
    }

    private init(_ fields: JSONFields) throws(DocumentError) {
        var fields = fields
        title = try fields.string("title", limit: 200)
        opens = try fields.time("opens")
        closes = try fields.time("closes")
        url = try fields.url("url")
    }
}
