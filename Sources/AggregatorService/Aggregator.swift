import Bytes
import Documents
import Foundation
import LogStorage
import LogWitnessing
import Messages
import Petitions
import Platform
import Ristretto255
import Sodium
import Storage
import TransparencyLog
import Witnessing

/// Why the aggregator cannot do what its operator asked.
public enum AggregatorError: Error, Equatable, Sendable {
    /// The folder already holds an aggregator.
    case alreadyInitialised(folder: String)
    /// The folder does not hold an aggregator.
    case notInitialised(folder: String)
    /// The petition does not name this aggregator's url and key.
    case notNamed(url: String)
    /// The policy of a roll names a key of a server of the petition as a witness.
    case ownKeyAsWitness(name: String)
    /// Nobody said where this witness of the petition's policy is.
    case witnessUnknown(WitnessKey, url: String?)
    /// There is no petition with this id here, or no petition at all.
    case noSuchPetition
    /// There are several petitions, with these ids, and none is named.
    case severalPetitions([PetitionID])
    /// The folder has the note key, but no database.
    case databaseLost(path: String)
}

/// An aggregator in its folder: its database, its note key, and its record of what it published.
public final class Aggregator: Sendable {
    package let database: any Storage
    package let noteKey: Ed25519SecretKey
    let clock: WallClock
    package let memory: PublishedCheckpoints
    private let known = Mutex<[String: CollectedPetition]>([:])
    /// The folder.
    let folder: String
    /// `A`.
    public let url: ServiceURL

    private static func noteKeyPath(_ folder: String) -> String { folder + "/note.key" }

    /// Creates an aggregator in `folder`: its note key, and its database there or elsewhere.
    public static func initialise(
        folder: String, url: ServiceURL, database location: DatabaseLocation = .file, clock: WallClock = .system
    ) throws -> Aggregator {
        guard try !kept.isMade(in: folder) else { throw AggregatorError.alreadyInitialised(folder: folder) }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try kept.make(in: folder, at: location) { database in
            try database.write { db in
                guard try String.fetchOne(db, sql: "SELECT url FROM aggregator") == nil else {
                    throw StorageError.occupied(place: location.text)
                }
                let key = Ed25519SecretKey(seed: try KeyFile.create(at: noteKeyPath(folder))).publicKey
                try db.execute(
                    sql: "INSERT INTO aggregator (id, url, key) VALUES (1, ?, ?)",
                    arguments: [url.text, Data(key.bytes.array)])
            }
        }
        return try Aggregator(folder: folder, clock: clock)
    }

    /// Opens the aggregator in `folder`.
    public init(folder: String, clock: WallClock = .system) throws {
        guard try Self.kept.isMade(in: folder) else {
            if FileManager.default.fileExists(atPath: Self.noteKeyPath(folder)) {
                throw AggregatorError.databaseLost(path: try Self.kept.place(in: folder))
            }
            throw AggregatorError.notInitialised(folder: folder)
        }
        let database = try Self.kept.open(in: folder)
        let row = try database.read { try Row.fetchOne($0, sql: "SELECT url, key FROM aggregator WHERE id = 1") }
        guard let row, let url = ServiceURL(row["url"] as String) else {
            throw AggregatorError.notInitialised(folder: folder)
        }
        self.url = url
        self.folder = folder
        self.database = database
        self.clock = clock
        noteKey = try KeyFile.key(at: Self.noteKeyPath(folder), of: row["key"])
        memory = PublishedCheckpoints(folder: folder + "/published")
    }

    /// Moves the database of the aggregator in `folder`, on which no server runs, to another place. The copy continues
    /// what was published, or the original stays in use. Throws a ``StorageError``.
    public static func move(folder: String, to location: DatabaseLocation) throws {
        let key = Ed25519SecretKey(seed: try KeyFile.read(at: noteKeyPath(folder))).publicKey
        let memory = PublishedCheckpoints(folder: folder + "/published")
        try kept.move(in: folder, to: location, of: Base64.encode(key.bytes.array)) { database in
            let owner = try database.read { try Data.fetchOne($0, sql: "SELECT key FROM aggregator") }
            guard owner.map({ [UInt8]($0) }) == key.bytes.array else { throw StorageError.otherKey }
            try memory.check(key: key, in: database)
            for log in try database.read({ try StoredLog.all($0) }) {
                let (head, root) = try database.read { db in
                    let head = try log.head(db).checkpoint
                    return (head, try log.root(db, ofFirst: head.size))
                }
                guard head.root == root else {
                    throw StorageError.movedWrong("the tiles of \(log.origin) do not give its root")
                }
            }
        }
    }

    /// Checks that the database continues everything that was published. Throws a ``StorageError``.
    public func check() throws {
        try memory.check(key: publicKey, in: database)
    }

    /// The key that signs the logs of this aggregator.
    public var publicKey: Ed25519PublicKey { noteKey.publicKey }

    /// Starts the count of a petition, whose rolls and announcements are stored in the same transaction.
    func start(_ db: Transaction, _ petition: PetitionManifest, announcement: [UInt8]?) throws {
        let number = try Int64.fetchOne(
            db, sql: "INSERT INTO petition (id, note, announcement) VALUES (?, ?, ?) RETURNING number",
            arguments: [petition.id.hex, Data(petition.note), announcement.map { Data($0) }])
        for roll in petition.rolls.indices {
            try db.execute(sql: "INSERT INTO count (petition, roll) VALUES (?, ?)", arguments: [number, roll])
        }
        _ = try StoredLog.create(db, origin: try origin(of: petition), key: noteKey, now: clock.now.seconds)
    }

    private func origin(of petition: PetitionManifest) throws -> String {
        guard let index = petition.aggregators.firstIndex(where: { $0.url == url }) else {
            throw AggregatorError.notNamed(url: url.text)
        }
        return petition.logKey(aggregator: index).name
    }

    /// Every petition that is collected here, oldest first.
    public func petitions() throws -> [CollectedPetition] {
        try database.read { try String.fetchAll($0, sql: "SELECT id FROM petition ORDER BY number") }.compactMap {
            try petition($0)
        }
    }

    /// Under a policy, how many entries of a petition are shown, which witnesses cosigned them, and which did not; nil
    /// without a policy.
    public func cosigners(
        of id: PetitionID
    ) throws -> (size: UInt64, cosigned: [WitnessKey], missing: [WitnessKey])? {
        try database.read { db in
            guard let petition = try CollectedPetition(db, id: id.hex), let policy = petition.manifest.witnesses else {
                return nil
            }
            let head = try petition.log.shown(db, by: policy.keys)
            let cosigned = head?.newest.map(\.key) ?? []
            return (head?.head.checkpoint.size ?? 0, cosigned, policy.keys.filter { !cosigned.contains($0) })
        }
    }

    /// Where this aggregator publishes a petition.
    func address(of petition: CollectedPetition) -> ServiceURL {
        guard let address = url.appending("petitions", petition.manifest.id.hex) else {
            preconditionFailure("a checked url and an id make a url")
        }
        return address
    }

    /// The petition with this id (64 hexadecimal digits), nil when it is not collected here. Another program may have
    /// added it while this one runs; once added it does not change.
    func petition(_ id: String) throws -> CollectedPetition? {
        if let petition = known.withLock({ $0[id] }) { return petition }
        guard PetitionID(hex: id) != nil, let petition = try database.read({ try CollectedPetition($0, id: id) }) else {
            return nil
        }
        known.withLock { $0[id] = petition }
        return petition
    }
}

extension Aggregator {
    /// The tally of every petition, oldest first.
    public func status() throws -> [PublishedTally] {
        let petitions = try petitions()
        return try database.read { db in try petitions.map { try $0.tally(db).published } }
    }

    /// The key of a petition's log, in the form that the operator of a witness asks for.
    public func vkey(of id: PetitionID) throws -> String {
        guard let petition = try petition(id.hex) else { throw AggregatorError.noSuchPetition }
        return logKey(of: petition).vkey
    }

    /// The key of a petition's log.
    func logKey(of petition: CollectedPetition) -> VerifierKey {
        VerifierKey(name: petition.log.origin, publicKey: publicKey)
    }

    /// Remembers where a witness takes submissions.
    public func setWitness(_ key: WitnessKey, at url: ServiceURL) throws {
        try database.write { try WitnessAddresses.set($0, key, to: url) }
    }

    /// The witnesses of a policy that can be checked here, and where each is, as far as it is known.
    public func witnesses(of policy: WitnessPolicy) throws -> [(key: WitnessKey, named: String?, url: ServiceURL?)] {
        try database.read { db in
            try policy.witnesses.filter { $0.key.ed25519 != nil }.map { witness in
                (witness.key, witness.url, try WitnessAddresses.url(db, witness.key))
            }
        }
    }
}
