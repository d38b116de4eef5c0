import Foundation

/// Measures the verification of a whole tally with the real programs, on files.
struct TallyMeasurement {
    let records: Int
    let rings: Int?

    /// How often each way is run. They take turns, so that a busy neighbour slows all of them.
    private static let rounds = 5

    /// One way to verify the log.
    private struct Way {
        let text: String
        let arguments: [String]
        var runs: [MeasuredProgram.Usage] = []

        func median(_ value: (MeasuredProgram.Usage) -> Double) -> Double { runs.map(value).sorted()[runs.count / 2] }

        /// The median of the ratios of each run to that of `other` in the same round.
        func ratio(to other: Way, _ value: (MeasuredProgram.Usage) -> Double) -> Double {
            zip(runs, other.runs).map { value($0) / value($1) }.sorted()[runs.count / 2]
        }
    }

    /// Writes a log, verifies it in several ways, prints the cost of each, and removes the log.
    func run(_ measurements: Measurements) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-bench-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (copy, part, state) = ("\(folder)/copy", "\(folder)/part", "\(folder)/state")
        _ = try MeasuredProgram.run(
            "roundrobin-testlog", [copy, "--records", "\(records)"] + (rings.map { ["--rings", "\($0)"] } ?? []),
            in: folder)
        var ways = [
            Way(
                text: "the records alone: rolls' members, every proof, hashes",
                arguments: ["--range", "0..\(records)", "--part", part, copy]),
            Way(
                text: "everything: also enrolment, announcements and the count", arguments: ["--state", state, copy]),
            Way(text: "everything again, but for the proofs in the state", arguments: ["--state", state, copy]),
            Way(text: "a part of one record: all is hashed", arguments: ["--range", "0..1", "--part", part, copy]),
        ]
        var units: [[Double]] = Array(repeating: [], count: ways.count)
        for _ in 0..<Self.rounds {
            for file in [part, state] { try? FileManager.default.removeItem(atPath: file) }
            for position in ways.indices {
                if position == ways.count - 1 { try FileManager.default.removeItem(atPath: part) }
                let before = try measurements.clock.seconds()
                let words = ["verify", "--json"] + ways[position].arguments
                let usage = try MeasuredProgram.run("petition-verifier", words, in: folder)
                let unit = (before + (try measurements.clock.seconds())) / 2
                ways[position].runs.append(usage)
                units[position].append(usage.cpuSeconds / Double(records) / unit)
            }
        }
        let batch = Bench.rounded(try measurements.batchOfOneRing().median, 2)
        print("\(records) records, \(ProcessInfo.processInfo.activeProcessorCount) cores.")
        print("One record of a batch of 1,024: \(batch) units. Medians of \(Self.rounds) rounds:\n")
        print("seconds  CPU s    peak MB  units of CPU a record  of the first: time, CPU")
        for (way, units) in zip(ways, units) {
            let columns = [
                (Bench.rounded(way.median { $0.seconds }, 2), 9), (Bench.rounded(way.median { $0.cpuSeconds }, 2), 9),
                (Bench.rounded(way.median { Double($0.memory) / 1e6 }, 0), 9),
                (Bench.rounded(units.sorted()[units.count / 2], 2), 23),
                (Bench.rounded(way.ratio(to: ways[0]) { $0.seconds }, 2), 6),
                (Bench.rounded(way.ratio(to: ways[0]) { $0.cpuSeconds }, 2), 8),
            ]
            print(columns.map { $0.0.padding(toLength: $0.1, withPad: " ", startingAt: 0) }.joined() + way.text)
        }
    }
}
