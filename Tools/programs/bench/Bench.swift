import ArgumentParser
import Foundation
import Multiscalar
import RingSignatures

/// Costs of the protocol's operations on one core, in "units": multiples of one libsodium Ed25519 verification of 100
/// bytes, measured in the same moments. All are medians, from wire bytes to verdict.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Tools/bench",
        abstract:
            "Print what signing, verifying and enrolling cost, in units of one Ed25519 verification by libsodium.",
        discussion: """
            Example: the costs on one core, and those of a whole tally through the programs, on a log that it makes.

              Tools/bench
              Tools/bench --shares
              Tools/bench --tally 100000 --rings 100
              Tools/bench --scale
            """)

    @Flag(help: "The engine in plain Swift, also where the processor has faster instructions.") var portable = false
    @Flag(help: "The costs as JSON.") var json = false
    @Flag(help: "Where the time of verifying goes, for larger and larger batches.") var shares = false
    @Option(help: "Measure a whole tally of so many records.") var tally: Int?
    @Option(help: "Rings of that tally.") var rings: Int?

    @Flag(help: "Time and memory of every program that reads all of a petition, for larger and larger ones.")
    var scale = false
    @Option(help: "The largest petition has 10 to this power of records.") var largest = 6

    func validate() throws {
        guard (4...7).contains(largest) else { throw ValidationError("--largest takes 4 to 7") }
        guard [tally != nil, shares, scale].count(where: { $0 }) < 2 else {
            throw ValidationError("--tally, --shares and --scale are different measurements")
        }
        guard (tally ?? 1) > 0, (rings ?? 1) > 0 else { throw ValidationError("there is at least one") }
        guard tally != nil || rings == nil else { throw ValidationError("--rings is for --tally") }
        guard tally == nil && !shares && !scale || !json else {
            throw ValidationError("only the costs are printed as JSON")
        }
    }

    func run() throws {
        // Set before the engine is first chosen; programs started from here inherit it.
        if portable { setenv("ROUNDROBIN_ENGINE", "portable", 1) }
        if scale { return try ScaleMeasurement(largest: largest).run() }
        let measurements = try Measurements()
        if let tally {
            print(try Self.heading(measurements))
            return try TallyMeasurement(records: tally, rings: rings).run(measurements)
        }
        if shares {
            print(try Self.heading(measurements))
            return try Self.printShares(measurements)
        }
        let results = try measurements.all()
        print(json ? try Self.json(measurements, results) : try Self.table(measurements, results))
    }

    private static func heading(_ measurements: Measurements) throws -> String {
        let unit = rounded(try measurements.clock.seconds() * 1e6, 1)
        return """
            Processor: \(Processor.description)
            Engine: \(Engine.current.name)
            One Ed25519 verification by libsodium: \(unit) microseconds = 1 unit
            Each figure is a median of ratios; half of them lie in its spread. The unit is measured for each ratio.

            """
    }

    private static func table(_ measurements: Measurements, _ results: [Measurements.Cost]) throws -> String {
        var lines = [
            try heading(measurements),
            "A record in a ring of 1,024: \(measurements.recordBytes) bytes. Time of one core, wire bytes to verdict.",
            "",
            "units    bound    spread",
        ]
        for result in results {
            let bound = result.bound.map { rounded($0, $0 < 10 ? 1 : 0) } ?? ""
            let digits = result.units.median < 100 ? 2 : 0
            lines.append(
                padded(rounded(result.units.median, digits), 9) + padded(bound, 9)
                    + padded(result.units.spread(digits), 22) + result.text)
        }
        return lines.joined(separator: "\n")
    }

    /// How large the batches are whose time is divided into stages.
    private static let batches = [64, 1024, 4096, 16_384]

    private static func printShares(_ measurements: Measurements) throws {
        print("Units for one record of a batch over one ring of 1,024, by stage:\n")
        print(["records", "decoding", "hashing", "scalar products", "sum", "all"].map { padded($0, 17) }.joined())
        for count in batches {
            let shares = try measurements.shares(of: count)
            let all = shares.reduce(0) { $0 + $1.units.median }
            let columns = shares.map { "\(rounded($0.units.median, 3)) (\(rounded(100 * $0.units.median / all, 0)) %)" }
            print(([String(count)] + columns + [rounded(all, 3)]).map { padded($0, 17) }.joined())
        }
        print("\nOf the largest, a part of the sum is computed with the scalar products: its terms would fill memory.")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text.padding(toLength: width, withPad: " ", startingAt: 0)
    }

    private static func json(_ measurements: Measurements, _ results: [Measurements.Cost]) throws -> String {
        let units = results.map { "\"\($0.name)\":\(rounded($0.units.median, 2))" }.joined(separator: ",")
        let spread = results.map { result in
            let (low, high) = result.units.quartiles
            return "\"\(result.name)\":[\(rounded(low, 2)),\(rounded(high, 2)),\(result.units.pairs)]"
        }.joined(separator: ",")
        return "{\"engine\":\"\(Engine.current.name)\","
            + "\"ed25519VerifyMicroseconds\":\(rounded(try measurements.clock.seconds() * 1e6, 2)),"
            + "\"recordBytes\":\(measurements.recordBytes),\"units\":{\(units)},\"spread\":{\(spread)}}"
    }

    static func rounded(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}

/// The processor's name and its relevant features.
private enum Processor {
    private static let features = ["avx2", "bmi2", "adx", "sha_ni", "avx512f", "avx512dq", "avx512vl", "avx512ifma"]

    static var description: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        func field(_ name: String) -> String? {
            text.split(separator: "\n").first { $0.hasPrefix(name) }?.split(separator: ":").last.map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
        let flags = Set((field("flags") ?? field("Features") ?? "").split(separator: " ").map(String.init))
        let found = features.filter(flags.contains)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return "\(field("model name") ?? "unknown"), \(cores) cores, "
            + (found.isEmpty ? "none of its features used" : found.joined(separator: " "))
    }
}
