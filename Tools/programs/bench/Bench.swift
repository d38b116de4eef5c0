import Foundation
import Multiscalar
import RingSignatures

/// Costs of the protocol's operations on one core, as ratios ("units") to one libsodium Ed25519 verification of 100
/// bytes that is measured in the same run. Medians, wire bytes to verdict.
@main
struct Bench {
    private static let usage = """
        usage: Tools/bench [--portable] [--json]
               Tools/bench [--portable] --tally RECORDS [--rings N]

        Prints what signing, verifying and enrolling cost, in units of one Ed25519 verification by libsodium. --portable
        forces the engine in plain Swift. --tally measures a whole tally through the programs, on a log that it makes.

        """

    private var isJSON = false
    private var isPortable = false
    private var tally: Int?
    private var rings: Int?

    static func main() throws {
        guard let bench = Bench(Array(CommandLine.arguments.dropFirst())) else {
            FileHandle.standardError.write(Data(usage.utf8))
            exit(2)
        }
        // Before anything asks which engine there is; the programs that are started inherit it.
        if bench.isPortable { setenv("ROUNDROBIN_ENGINE", "portable", 1) }
        try bench.run()
    }

    private init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--json": isJSON = true
            case "--portable": isPortable = true
            case "--tally", "--rings":
                guard let number = rest.popFirst().flatMap({ Int($0) }), number > 0 else { return nil }
                if argument == "--tally" { tally = number } else { rings = number }
            default: return nil
            }
        }
        guard tally == nil ? rings == nil : !isJSON else { return nil }
    }

    private func run() throws {
        let measurements = try Measurements()
        if let tally {
            print(Self.heading(measurements))
            return try TallyMeasurement(records: tally, rings: rings).run(measurements)
        }
        let results = try measurements.all()
        print(isJSON ? Self.json(measurements, results) : Self.table(measurements, results))
    }

    private static func heading(_ measurements: Measurements) -> String {
        """
        Processor: \(Processor.description)
        Engine: \(Engine.current.name)
        One Ed25519 verification by libsodium: \(rounded(measurements.unit * 1e6, 1)) microseconds = 1 unit

        """
    }

    private static func table(_ measurements: Measurements, _ results: [Measurements.Result]) -> String {
        var lines = [
            heading(measurements),
            "A record in a ring of 1,024: \(measurements.recordBytes) bytes. Medians on one core, wire bytes to verdict.",
            "",
            "units    bound",
        ]
        for result in results {
            let bound = result.bound.map { rounded($0, $0 < 10 ? 1 : 0) } ?? ""
            lines.append(
                padded(rounded(result.units, result.units < 100 ? 2 : 0), 9) + padded(bound, 9) + result.text)
        }
        return lines.joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text.padding(toLength: width, withPad: " ", startingAt: 0)
    }

    private static func json(_ measurements: Measurements, _ results: [Measurements.Result]) -> String {
        let units = results.map { "\"\($0.name)\":\(rounded($0.units, 2))" }.joined(separator: ",")
        return "{\"engine\":\"\(Engine.current.name)\","
            + "\"ed25519VerifyMicroseconds\":\(rounded(measurements.unit * 1e6, 2)),"
            + "\"recordBytes\":\(measurements.recordBytes),\"units\":{\(units)}}"
    }

    static func rounded(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}

/// What the processor is and what it can do that matters here.
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
