import Foundation

/// Measures the verification of a whole tally with the real programs, on files.
struct TallyMeasurement {
    let records: Int
    let rings: Int?

    private enum Failure: Error { case cannotStart(String), refused(String) }

    /// The resources that a program used.
    private struct Usage {
        let seconds: Double
        let cpuSeconds: Double
        /// The peak resident memory in bytes.
        let memory: Int
    }

    /// How often each way is run. They take turns, so that a busy neighbour slows all of them.
    private static let rounds = 5

    /// One way to verify the log.
    private struct Way {
        let text: String
        let arguments: [String]
        var runs: [Usage] = []

        func median(_ value: (Usage) -> Double) -> Double { runs.map(value).sorted()[runs.count / 2] }

        /// The median of the ratios of each run to that of `other` in the same round.
        func ratio(to other: Way, _ value: (Usage) -> Double) -> Double {
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
        _ = try measure(
            "roundrobin-testlog", [copy, "--records", "\(records)"] + (rings.map { ["--rings", "\($0)"] } ?? []))
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
                let usage = try measure("petition-verifier", ["verify", "--json"] + ways[position].arguments)
                let unit = (before + (try measurements.clock.seconds())) / 2
                ways[position].runs.append(usage)
                units[position].append(usage.cpuSeconds / Double(records) / unit)
            }
        }
        print(
            "\(records) records, \(ProcessInfo.processInfo.activeProcessorCount) cores; one record of a batch of 1,024: "
                + "\(Bench.rounded(try measurements.batchOfOneRing().median, 2)) units. Medians of \(Self.rounds) rounds:\n"
        )
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

    /// Runs a program from the folder of this one to its end, ignoring its output; throws if it fails.
    private func measure(_ program: String, _ arguments: [String]) throws -> Usage {
        let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: program).path
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let start = ContinuousClock.now
        var process = pid_t()
        guard posix_spawn(&process, path, &actions, nil, &words, environ) == 0 else { throw Failure.cannotStart(path) }
        var status: Int32 = 0
        var usage = rusage()
        wait4(process, &status, 0, &usage)
        guard status == 0 else { throw Failure.refused(program) }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return Usage(
            seconds: (ContinuousClock.now - start) / .seconds(1),
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), memory: usage.ru_maxrss * 1024)
    }
}
