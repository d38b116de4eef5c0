import Documents
import Foundation
import Platform
import Storage

/// Watches whether the clock of this machine can be believed, by another that nobody sets. A phase is logged for ever
/// with the time that the clock shows: one that was ahead for a minute must not open joining days early.
package struct ClockWatch: Equatable, Sendable {
    /// How far the two clocks may come apart between two looks, in seconds.
    package static let tolerance: Int64 = 60
    /// How long the clock must have been steady before phases follow each other by themselves, in seconds. A clock that
    /// was wrong when the machine started is set in this time.
    package static let calm = 600

    /// The last look at both clocks, in seconds.
    private(set) var wall: Int64
    private(set) var steady: Int64
    /// Since when the first clock was not set, by the second one.
    private(set) var since: Int64

    /// Begins to watch. `steady` are seconds since some moment, by a clock that nobody sets.
    package init(wall: UTCTime, steady: Int64) { self.init(wall: wall.seconds, steady: steady, since: steady) }

    fileprivate init(wall: Int64, steady: Int64, since: Int64) {
        (self.wall, self.steady, self.since) = (wall, steady, since)
    }

    /// Looks at both clocks. Returns by how many seconds the first was set since the last look, 0 if it was not.
    package mutating func look(wall: UTCTime, steady: Int64) -> Int64 {
        let jump = wall.seconds - self.wall - (steady - self.steady)
        (self.wall, self.steady) = (wall.seconds, steady)
        guard abs(jump) > Self.tolerance else { return 0 }
        since = steady
        return jump
    }

    /// For how many seconds the clock was steady.
    package var steadySeconds: Int { Int(clamping: steady - since) }

    /// Seconds since this machine was started, sleep included.
    static var sinceStart: Int64 {
        var time = timespec()
        return clock_gettime(CLOCK_BOOTTIME, &time) == 0 ? Int64(time.tv_sec) : 0
    }
}

extension Coordinator {
    /// Looks at the clock for a command that runs now and then, which remembers the last look in the database. Returns
    /// for how many seconds it was steady, as far as these looks show; 0 for the first since the machine was started.
    public func watchClock() throws -> Int {
        let start = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let (now, steady) = (clock.now, ClockWatch.sinceStart)
        return try database.write { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT wall, steady, since FROM clockWatch WHERE start = ?", arguments: [start])
            var watch =
                row.map { ClockWatch(wall: $0["wall"], steady: $0["steady"], since: $0["since"]) }
                ?? ClockWatch(wall: now, steady: steady)
            _ = watch.look(wall: now, steady: steady)
            try db.execute(sql: "DELETE FROM clockWatch")
            try db.execute(
                sql: "INSERT INTO clockWatch (start, wall, steady, since) VALUES (?, ?, ?, ?)",
                arguments: [start, watch.wall, watch.steady, watch.since])
            return watch.steadySeconds
        }
    }
}
