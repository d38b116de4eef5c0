import LogStorage
import LogWitnessing
import Storage

extension Aggregator {
    /// The database of an aggregator.
    static var kept: ServerDatabase {
        let tables = Migration("aggregator") { db in
            try db.execute(
                script: """
                    CREATE TABLE aggregator (
                        id INTEGER PRIMARY KEY, url TEXT NOT NULL, key BLOB NOT NULL
                    ) STRICT;
                    CREATE TABLE petition (
                        number INTEGER PRIMARY KEY,
                        id TEXT NOT NULL UNIQUE,
                        note BLOB NOT NULL,
                        -- Under a policy: the proof of the announcement, with the quorum.
                        announcement BLOB,
                        -- Under a policy: the tally at the size that is shown, and the newest checkpoint that a
                        -- quorum cosigned before the petition closed.
                        shownTally TEXT,
                        closingNote BLOB
                    ) STRICT;
                    CREATE TABLE tag (
                        petition INTEGER NOT NULL REFERENCES petition(number),
                        tag BLOB NOT NULL,
                        signedAt INTEGER NOT NULL,
                        roll INTEGER NOT NULL,
                        withdrawnAt INTEGER,
                        PRIMARY KEY (petition, tag)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE count (
                        petition INTEGER NOT NULL REFERENCES petition(number),
                        roll INTEGER NOT NULL,
                        signatures INTEGER NOT NULL DEFAULT 0,
                        withdrawn INTEGER NOT NULL DEFAULT 0,
                        PRIMARY KEY (petition, roll)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE growth (
                        petition INTEGER NOT NULL REFERENCES petition(number),
                        until INTEGER NOT NULL,
                        treeSize INTEGER NOT NULL,
                        signatures INTEGER NOT NULL,
                        PRIMARY KEY (petition, until)
                    ) STRICT, WITHOUT ROWID;
                    """)
            try FollowedLog.createTables(db)
        }
        return ServerDatabase("aggregator", [StoredLog.tables, WitnessAddresses.tables, tables])
    }
}
