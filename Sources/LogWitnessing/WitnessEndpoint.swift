import Documents
import Foundation
import LogStorage
import Storage
import Witnessing

/// Where a witness takes submissions, and by which of a policy's keys it signs. One witness may have two keys, of two
/// types.
public struct WitnessEndpoint: Hashable, Sendable {
    /// Its submission prefix, which is its monitoring prefix, too.
    public let url: ServiceURL
    /// Its keys.
    public let keys: [WitnessKey]

    /// What messages and metrics call it.
    public var name: String { keys[0].name }
}

/// The addresses of witnesses, as this server's operator named or confirmed them. A policy comes from strangers: it
/// must not make a server call addresses inside its own network.
public enum WitnessAddresses {
    /// The tables of this module.
    public static var tables: Migration {
        Migration("addresses of witnesses") {
            try $0.execute(script: "CREATE TABLE witnessAddress (witness TEXT PRIMARY KEY, url TEXT NOT NULL) STRICT")
        }
    }

    /// Remembers where a witness is, in place of what was known.
    public static func set(_ db: Transaction, _ key: WitnessKey, to url: ServiceURL) throws {
        try db.execute(
            sql: """
                INSERT INTO witnessAddress (witness, url) VALUES (?, ?)
                ON CONFLICT (witness) DO UPDATE SET url = excluded.url
                """, arguments: [key.vkey, url.text])
    }

    /// Remembers the addresses in a policy that the operator of this server wrote or was shown.
    public static func set(_ db: Transaction, ofPolicy policy: WitnessPolicy) throws {
        for witness in policy.witnesses {
            if let url = witness.url.flatMap({ ServiceURL($0) }) { try set(db, witness.key, to: url) }
        }
    }

    /// The known address of a witness.
    public static func url(_ db: Transaction, _ key: WitnessKey) throws -> ServiceURL? {
        try String.fetchOne(db, sql: "SELECT url FROM witnessAddress WHERE witness = ?", arguments: [key.vkey])
            .flatMap { ServiceURL($0) }
    }

    /// The witnesses of a policy whose address is known.
    public static func endpoints(_ db: Transaction, of policy: WitnessPolicy) throws -> [WitnessEndpoint] {
        var keys: [ServiceURL: [WitnessKey]] = [:]
        var order: [ServiceURL] = []
        for key in policy.keys where key.ed25519 != nil {
            guard let url = try url(db, key) else { continue }
            if keys[url] == nil { order.append(url) }
            keys[url, default: []].append(key)
        }
        return order.map { WitnessEndpoint(url: $0, keys: keys[$0] ?? []) }
    }
}
