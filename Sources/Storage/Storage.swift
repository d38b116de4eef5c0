/// A step that brings the tables of a database up to date. Each is done once, in the order in which they are given.
public struct Migration: Sendable {
    let name: String
    let body: @Sendable (Transaction) throws -> Void

    /// A step with a name that no other has.
    public init(_ name: String, _ body: @escaping @Sendable (Transaction) throws -> Void) {
        (self.name, self.body) = (name, body)
    }
}

/// The standbys of a server of a database.
public struct StandbyCount: Equatable, Sendable {
    /// How many receive what is committed at the moment.
    public let present: Int
    /// How many must have what is published.
    public let needed: Int

    /// Two numbers.
    public init(present: Int, needed: Int) { (self.present, self.needed) = (present, needed) }
}

/// A database of a server. The logic above it is the same for every engine.
///
/// Durability: everything that one call of ``write(_:)`` changes becomes durable together, by the time it returns and
/// not before. If it throws, nothing was kept, and the caller must not answer as if it were.
public protocol Storage: Sendable {
    /// True if a question may wait for another machine, so that no thread that serves others may ask it.
    var mayWait: Bool { get }
    /// Reads one consistent state.
    func read<T>(_ body: (Transaction) throws -> T) throws -> T
    /// Reads data that never changes once written.
    func readOutsideTransaction<T>(_ body: (Transaction) throws -> T) throws -> T
    /// Changes the state in one transaction. When `body` throws, nothing is kept.
    @discardableResult
    func write<T>(_ body: (Transaction) throws -> T) throws -> T
    /// The same, and when this returns it is on as many machines as it must be, whatever the database's own operator
    /// asks for. Throws ``StorageError/unconfirmed(_:)`` if it is changed, and that is not known.
    func writeConfirmed<T>(_ body: (Transaction) throws -> T) throws -> T
    /// Changes the state in one transaction that survives a crash of the program, but perhaps not of the machine: for
    /// what may be done again.
    func writeRepeatable(_ body: (Transaction) throws -> Void) throws
    /// Reads one consistent state, and makes sure that it is on as many machines as it must be, before anybody is told
    /// of it. Throws ``StorageError/unconfirmed(_:)`` if it is not.
    func readConfirmed<T>(_ body: (Transaction) throws -> T) throws -> T
    /// How many standbys have, or soon have, what is committed. Nil where there are none by design: in a file.
    func standbyCount() throws -> StandbyCount?
    /// Makes this the one server that works on the database, so that any other stops. Returns false if another is at
    /// work. To be called before anything is read that is published.
    func takeOver() throws -> Bool
    /// Makes sure that this still is that server. Throws ``StorageError/deposed`` if not, and any other
    /// ``StorageError`` if that cannot be told at the moment.
    func stayInOffice() throws
    /// Makes sure that what was deleted is nowhere in the files. Throws ``StorageError/busy`` if somebody reads all the
    /// time.
    func compact() throws
    /// Makes sure that the files do not reveal the order of the last changes. While somebody reads, it does nothing.
    func forgetOrder() throws
    /// Writes a copy of the whole current state to a new file, durably and atomically, while others read and write.
    func backUp(to path: String) throws
    /// What the engine itself finds wrong; empty if all is sound.
    func integrityProblems() throws -> [String]
    /// Ends the use of the database.
    func close() throws
}

extension Storage {
    /// Makes sure that everything that is committed is on as many machines as it must be. Throws
    /// ``StorageError/unconfirmed(_:)`` if it is not.
    public func confirm() throws { try readConfirmed { _ in } }
}
