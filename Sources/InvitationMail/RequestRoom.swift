import Documents
import LogStorage
import Storage

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
    /// neither listed nor large. Of the domain's own requests those count that came before `time`, and `blur` of 256
    /// parts of an eighth: where few people have mailboxes, one request more must not be seen.
    public func requestLoad(domain: String?, isListed: Bool, asOf time: UTCTime, blur: UInt8) throws -> Int {
        try database.read { db in
            let room = try isListed ? RequestRoom.listed : domain.map { try self.room(of: $0, db) } ?? .other
            return try load(db, room, domain, before: time.seconds, blur: blur)
        }
    }

    /// The room for a domain that the roll does not list.
    func room(of domain: String, _ db: Transaction) throws -> RequestRoom {
        try rate(of: domain, db) > RequestLimits.perDomain ? .large : .other
    }

    func load(
        _ db: Transaction, _ room: RequestRoom, _ domain: String?, before time: Int64 = .max, blur: UInt8
    ) throws -> Int {
        func count(_ condition: String, _ arguments: [(any Storable)?]) throws -> Int {
            try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM request WHERE \(condition)", arguments: arguments) ?? 0
        }
        let part = try count("room = ?", [room.rawValue]) * RequestRoom.eighths / RequestLimits.waiting
        guard let domain, room != .listed else { return part }
        // What cannot be answered in two days is not taken.
        let hours = Int(RequestLimits.patience / 3600)
        let most = max(1, min(RequestLimits.waitingOfDomain, try rate(of: domain, db) * hours))
        let own = try count("isListed = 0 AND domain = ? AND at < ?", [domain, time])
        let parts = Int(UInt8.max) + 1
        return max(part, (own * RequestRoom.eighths * parts + Int(blur) * most) / (most * parts))
    }
}
