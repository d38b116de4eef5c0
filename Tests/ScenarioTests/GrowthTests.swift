import Documents
import Foundation
import Messages
import Petitions
import Testing

/// The history of a count: as published by the hour, and as recounted by a verifier.
@Suite(.withinTheRun) struct GrowthTests {
    private static let hour = 3600
    /// The offset of a clock that shows half past the current hour: no test takes half an hour, so no hour ends by
    /// itself during one.
    private static var halfPast: Int { hour / 2 - Int(UTCTime.now.seconds) % hour }

    @Test func theHistoryIsPublishedByTheHourAndRecounted() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let halfPast = Self.halfPast
        // Three people signed two hours ago, two one hour ago, and one now.
        for (hours, records) in [(-2, 0..<3), (-1, 3..<5), (0, 5..<6)] {
            let server = try presigned.serve(faults: ["FAULT_CLOCK": "\(halfPast + hours * Self.hour)"])
            if hours == -2 { #expect(try await presigned.get("growth.svg").status == 404) }
            for index in records { #expect(await presigned.send(index) == 201) }
            if hours < 0 { server.stop() } else { try await check(presigned, clock: halfPast) }
        }
    }

    /// The history in memory follows the clock, forwards and backwards, and the log.
    @Test func hoursEndWhileTheServerRuns() async throws {
        let presigned = try PresignedAggregator(records: 8)
        let clock = presigned.scratch.path("clock")
        let halfPast = Self.halfPast
        func set(hours: Int) throws {
            try FileManager.default.createSymbolicLink(
                atPath: clock + ".new", withDestinationPath: String(halfPast + hours * Self.hour))
            try #require(rename(clock + ".new", clock) == 0)
        }
        func expect(_ sizes: [UInt64]) async throws {
            let history = try GrowthHistory(parsing: [UInt8](try await presigned.get("history").body))
            #expect(history.points.map(\.treeSize) == sizes)
            let page = String(decoding: try await presigned.get("").body, as: UTF8.self)
            #expect(page.contains(sizes.last.map { ": \($0) signatures.</desc>" } ?? "one hour after the first"))
        }
        try set(hours: -3)
        let server = try presigned.serve(faults: ["FAULT_CLOCK": clock])
        for index in 0..<3 { #expect(await presigned.send(index) == 201) }
        try await expect([])
        try set(hours: -2)
        try await expect([3])
        // A later checkpoint, in the current hour.
        for index in 3..<5 { #expect(await presigned.send(index) == 201) }
        try await expect([3])
        try set(hours: -1)
        try await expect([3, 5])
        try set(hours: -2)
        try await expect([3])
        #expect(await presigned.send(5) == 201)
        try set(hours: 0)
        try await expect([3, 6])
        server.stop()
    }

    private func check(_ presigned: PresignedAggregator, clock: Int) async throws {
        let history = try GrowthHistory(parsing: [UInt8](try await presigned.get("history").body))
        // The current hour is published only when it is over.
        #expect(history.points.map(\.treeSize) == [3, 5])
        #expect(history.points.map(\.signatures) == [3, 5])
        #expect(history.points.allSatisfy { $0.until % Int64(Self.hour) == 0 && $0.until <= UTCTime.now.seconds })
        let csv = String(decoding: try await presigned.get("history.csv").body, as: UTF8.self)
        #expect(csv.hasPrefix("until,treeSize,signatures\r\n") && csv.split(separator: "\r\n").count == 3)
        #expect(try await presigned.get("growth.svg").status == 200)
        let page = String(decoding: try await presigned.get("").body, as: UTF8.self)
        #expect(page.contains("<desc>From ") && page.contains(": 5 signatures.</desc>"))

        let folder = presigned.scratch.url
        // By the server's clock: by the machine's, an hour may have ended since the test began.
        let exported = try Programs.run(
            "petition-aggregator", ["export", "copy"], in: folder,
            environment: Programs.faults(["FAULT_CLOCK": "\(clock)"]))
        #expect(exported.code == 0)
        let file = folder.appending(path: "copy/aggregators/0/history")
        let good = try String(contentsOf: file, encoding: .utf8)
        func verify() throws -> Run {
            try Programs.run("petition-verifier", ["verify", "--report", "report.html", "copy"], in: folder)
        }
        func report() throws -> String {
            try String(contentsOf: folder.appending(path: "report.html"), encoding: .utf8)
        }
        let valid = try verify()
        #expect(valid.code == 0 && valid.output.contains("ok         counts in the history"), "\(valid.output)")
        #expect(try report().contains("<svg") && report().contains("VALID"))
        for (from, to, code, words) in [
            ("\"signatures\":3", "\"signatures\":2", Int32(1), "published 2 signatures, recounted 3"),
            ("\"treeSize\":3", "\"treeSize\":4", 1, "published 3 signatures, recounted 4"),
            ("\"treeSize\":5", "\"treeSize\":7", 3, "more than the copy holds"),
            ("\"treeSize\":5", "\"treeSize\":2", 1, "not in ascending order"),
            (":00:00Z", ":00:01Z", 1, "not a full hour"), ("{", "[", 1, "history"),
        ] {
            try good.replacing(from, with: to, maxReplacements: 1).write(to: file, atomically: true, encoding: .utf8)
            let run = try verify()
            #expect(run.code == code && run.output.contains(words), "\(to): \(run.output)")
            #expect(try report().contains(words))
        }
        try FileManager.default.removeItem(at: file)
        #expect(try verify().code == 0)
        let nowhere = try Programs.run(
            "petition-verifier", ["verify", "--report", "nowhere/report.html", "copy"], in: folder)
        #expect(nowhere.code == 3 && nowhere.output.isEmpty, "before the work: \(nowhere.output)")
    }
}
