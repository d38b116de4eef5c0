import Foundation

/// Measures how time and memory grow with the size of a petition: logs of 10^4, 10^5 … records by as many members.
///
/// The verifier reads logs whose every proof is right. The aggregator holds as many records without proofs, which cost
/// the same to keep, to check on the disk and to hand out, and a roll of as many members.
struct ScaleMeasurement {
    /// The exponent of the largest log.
    let largest: Int

    private static let ringSize = 1024

    /// A row of the table.
    private struct Row {
        let work: String
        /// What was used at each size.
        var usages: [(seconds: Double, memory: Int)] = []
    }

    func run() throws {
        let sizes = (4...largest).map { Int(pow(10, Double($0))) }
        var rows = [
            Row(work: "verify everything"), Row(work: "aggregator: start"), Row(work: "aggregator: fsck"),
            Row(work: "aggregator: export"),
        ]
        for size in sizes {
            let usages = try measure(size)
            for position in rows.indices { rows[position].usages.append(usages[position]) }
        }
        print(table(rows, sizes))
    }

    private func measure(_ size: Int) throws -> [(seconds: Double, memory: Int)] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-scale-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func say(_ what: String) { FileHandle.standardError.write(Data("\(size) records: \(what)\n".utf8)) }
        say("made")
        try MeasuredProgram.run("roundrobin-testlog", ["copy", "--records", "\(size)"], in: folder)
        say("verified")
        let verified = try MeasuredProgram.run("petition-verifier", ["verify", "--json", "copy"], in: folder)
        try FileManager.default.removeItem(atPath: "\(folder)/copy")
        say("kept by an aggregator")
        return [(verified.seconds, verified.memory)] + (try measureAggregator(size, in: folder))
    }

    private func measureAggregator(_ size: Int, in folder: String) throws -> [(seconds: Double, memory: Int)] {
        let (port, rollPort) = (Int.random(in: 15_000..<22_000), Int.random(in: 22_000..<30_000))
        try MeasuredProgram.run(
            "petition-aggregator", ["init", "--url", "http://127.0.0.1:\(port)", "aggregator"], in: folder)
        let said = try String(contentsOfFile: "\(folder)/petition-aggregator.out", encoding: .utf8)
        let option = said.split(separator: "--aggregator ").last.map(String.init) ?? ""
        let rings = (size + Self.ringSize - 1) / Self.ringSize
        try MeasuredProgram.run(
            "roundrobin-load",
            [
                "prepare", "load", "--records", "1", "--rings", "\(rings)", "--roll-port", "\(rollPort)",
                "--aggregator", option.trimmingCharacters(in: .whitespacesAndNewlines),
            ], in: folder)
        let coordinator = try MeasuredProgram("roundrobin-load", ["roll", "load", "--port", "\(rollPort)"], in: folder)
        _ = try coordinator.ready()
        try MeasuredProgram.run("petition-aggregator", ["add", "--folder", "aggregator", "load/petition"], in: folder)
        try MeasuredProgram.run("roundrobin-load", ["prefill", "load", "--entries", "\(size)"], in: folder)
        let server = try MeasuredProgram("petition-aggregator", ["serve", "--folder", "aggregator"], in: folder)
        let ready = try server.ready()
        try server.idle()
        let served = try server.stop()
        let checked = try MeasuredProgram.run("petition-aggregator", ["fsck", "--folder", "aggregator"], in: folder)
        let exported = try MeasuredProgram.run(
            "petition-aggregator", ["export", "--folder", "aggregator", "exported"], in: folder)
        _ = try coordinator.stop()
        return [
            (ready, served.memory), (checked.seconds, checked.memory), (exported.seconds, exported.memory),
        ]
    }

    private func table(_ rows: [Row], _ sizes: [Int]) -> String {
        var lines = [
            "| work | " + sizes.map { "\($0): s, us a record, MB" }.joined(separator: " | ") + " | bytes a member |",
            "| --- |" + sizes.map { _ in " ---: |" }.joined() + " ---: |",
        ]
        for row in rows {
            let columns = zip(row.usages, sizes).map { usage, size in
                "\(Bench.rounded(usage.seconds, 2)), \(Bench.rounded(usage.seconds / Double(size) * 1e6, 0)), "
                    + Bench.rounded(Double(usage.memory) / 1e6, 0)
            }
            // What memory grows by between the two largest sizes: the rest is a constant.
            var growth = ""
            if let (most, last) = zip(sizes, row.usages).suffix(1).first,
                let (least, first) = zip(sizes, row.usages).dropLast().suffix(1).first
            {
                growth = Bench.rounded(Double(last.memory - first.memory) / Double(most - least), 0)
            }
            lines.append("| \(row.work) | \(columns.joined(separator: " | ")) | \(growth) |")
        }
        return lines.joined(separator: "\n")
    }
}
