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

    /// Writes a log, verifies it in three ways, prints the cost of each, and removes the log.
    func run(_ measurements: Measurements) throws {
        let batch = try measurements.batchOfOneRing()
        let folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-bench-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (copy, part, state) = ("\(folder)/copy", "\(folder)/part", "\(folder)/state")
        _ = try measure(
            "roundrobin-testlog", [copy, "--records", "\(records)"] + (rings.map { ["--rings", "\($0)"] } ?? []))
        let cores = Double(ProcessInfo.processInfo.activeProcessorCount)
        print(
            "\(records) records, \(Int(cores)) cores; one record of a batch of 1,024: \(units(batch, measurements)) units\n"
        )
        print("seconds  CPU s    peak MB  units of CPU a record  of batch figure / cores")
        for (text, arguments) in [
            ("the records: rolls' members, every proof, hashes", ["--range", "0..\(records)", "--part", part, copy]),
            ("everything: also enrolment, announcements and the count", ["--state", state, copy]),
            ("everything again, but for the proofs in the state", ["--state", state, copy]),
        ] {
            let usage = try measure("petition-verifier", ["verify", "--json"] + arguments)
            let ratio = usage.seconds * cores / (Double(records) * batch)
            let columns = [
                (Bench.rounded(usage.seconds, 2), 9), (Bench.rounded(usage.cpuSeconds, 2), 9),
                (Bench.rounded(Double(usage.memory) / 1e6, 0), 9),
                (units(usage.cpuSeconds / Double(records), measurements), 23), (Bench.rounded(ratio, 2), 7),
            ]
            print(columns.map { $0.0.padding(toLength: $0.1, withPad: " ", startingAt: 0) }.joined() + text)
        }
    }

    private func units(_ seconds: Double, _ measurements: Measurements) -> String {
        Bench.rounded(seconds / measurements.unit, 2)
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
