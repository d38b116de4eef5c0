import GRDB
import LogStorage

/// Where requests for invitations wait: nobody is kept out by those who wait elsewhere.
enum RequestRoom: Int {
    /// At domains that the roll lists.
    case listed
    /// At domains with a rate above the usual one.
    case large
    /// At all others.
    case other

    /// In how many parts the load is told.
    static let eighths = 8
}

extension Outbox {
    /// How full it is for one more request of a domain, in eighths, 8 for full. Without a domain, for any that is
    /// neither listed nor large.
    public func requestLoad(domain: String?, isListed: Bool) throws -> Int {
        try database.read { db in
            let room = try isListed ? RequestRoom.listed : domain.map { try self.room(of: $0, db) } ?? .other
            return try load(db, room, domain)
        }
    }

    /// The room for a domain that the roll does not list.
    func room(of domain: String, _ db: Database) throws -> RequestRoom {
        try rate(of: domain, db) > RequestLimits.perDomain ? .large : .other
    }

    func load(_ db: Database, _ room: RequestRoom, _ domain: String?) throws -> Int {
        func eighths(of most: Int, _ condition: String, _ argument: some DatabaseValueConvertible) throws -> Int {
            let sql = "SELECT COUNT(*) FROM request WHERE \(condition)"
            return (try Int.fetchOne(db, sql: sql, arguments: [argument]) ?? 0) * RequestRoom.eighths / most
        }
        let part = try eighths(of: RequestLimits.waiting, "room = ?", room.rawValue)
        guard let domain, room != .listed else { return part }
        // What cannot be answered in two days is not taken.
        let hours = Int(RequestLimits.patience / 3600)
        let most = max(1, min(RequestLimits.waitingOfDomain, try rate(of: domain, db) * hours))
        return max(part, try eighths(of: most, "isListed = 0 AND domain = ?", domain))
    }
}
