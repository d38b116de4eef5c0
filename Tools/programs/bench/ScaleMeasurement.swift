import Documents
import Foundation
import TransparencyLog

/// Measures how time and memory grow with the size of a petition: logs of 10^4, 10^5 … records by as many members.
///
/// The verifier reads logs whose every proof is right. The aggregator holds as many records without proofs, which cost
/// the same to keep, to check on the disk and to hand out, and a roll of as many members. A signer of that roll reads
/// it once in full, and then signs the petition when it has a bundle of signatures.
struct ScaleMeasurement {
    /// The exponent of the largest log.
    let largest: Int

    private static let ringSize = 1024
    private static let works = [
        "verify everything", "aggregator: start", "aggregator: fsck", "aggregator: export", "signer: ring",
        "signer: sign",
    ]
    private typealias Usage = (seconds: Double, memory: Int, read: Int?)

    /// A row of the table.
    private struct Row {
        let work: String
        /// What was used at each size.
        var usages: [Usage] = []
    }

    /// What was measured at one size.
    private struct Measured {
        let usages: [Usage]
        /// Bytes of a copy, and of the aggregator's folder.
        let copy: Int
        let kept: Int
    }

    func run() throws {
        let sizes = (4...largest).map { Int(pow(10, Double($0))) }
        let measured = try sizes.map(measure)
        let rows = Self.works.enumerated().map { position, work in
            Row(work: work, usages: measured.map { $0.usages[position] })
        }
        print(table(rows, sizes))
        print(readings(rows, sizes))
        print(sizing(measured, sizes))
    }

    private func measure(_ size: Int) throws -> Measured {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-scale-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func say(_ what: String) { FileHandle.standardError.write(Data("\(size) records: \(what)\n".utf8)) }
        say("made")
        try MeasuredProgram.run("roundrobin-testlog", ["copy", "--records", "\(size)"], in: folder)
        say("verified")
        let verified = try MeasuredProgram.run("petition-verifier", ["verify", "--json", "copy"], in: folder)
        let copy = try Self.bytes(in: "\(folder)/copy")
        try FileManager.default.removeItem(atPath: "\(folder)/copy")
        say("kept by an aggregator")
        let usages = [(verified.seconds, verified.memory, nil)] + (try measureAggregator(size, in: folder))
        return Measured(usages: usages, copy: copy, kept: try Self.bytes(in: "\(folder)/aggregator"))
    }

    /// The sizes of all files in a folder together.
    private static func bytes(in folder: String) throws -> Int {
        let files = FileManager.default
        return try files.subpathsOfDirectory(atPath: folder).reduce(0) { sum, path in
            let attributes = try files.attributesOfItem(atPath: "\(folder)/\(path)")
            let isFile = attributes[.type] as? FileAttributeType == .typeRegular
            return sum + (isFile ? attributes[.size] as? Int ?? 0 : 0)
        }
    }

    /// What a petition takes, also of sizes that were not measured: as a straight line through the two largest goes on.
    private func sizing(_ measured: [Measured], _ sizes: [Int]) -> String {
        var lines = [
            "",
            "| signatures | | copy | aggregator's disk | its memory | fsck | export | verify | its memory |",
            "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        guard let last = measured.last, let first = measured.dropLast().last, let most = sizes.last,
            let least = sizes.dropLast().last
        else { return "" }
        for exponent in 6...8 {
            let size = Int(pow(10, Double(exponent)))
            func value(_ read: (Measured) -> Double) -> Double {
                if let position = sizes.firstIndex(of: size) { return read(measured[position]) }
                return read(last) + (read(last) - read(first)) / Double(most - least) * Double(size - most)
            }
            func bytes(_ read: (Measured) -> Int) -> String {
                "\(Bench.rounded(value { Double(read($0)) } / 1e9, 1)) GB"
            }
            func time(_ position: Int) -> String {
                let seconds = value { $0.usages[position].seconds }
                return seconds < 3600
                    ? "\(Bench.rounded(seconds / 60, 1)) min" : "\(Bench.rounded(seconds / 3600, 1)) h"
            }
            let columns = [
                "\(size)", sizes.contains(size) ? "measured" : "calculated", bytes(\.copy), bytes(\.kept),
                bytes { $0.usages[1].memory }, time(2), time(3), time(0), bytes { $0.usages[0].memory },
            ]
            lines.append("| \(columns.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }

    private func measureAggregator(_ size: Int, in folder: String) throws -> [Usage] {
        let (port, rollPort) = (Int.random(in: 15_000..<22_000), Int.random(in: 22_000..<30_000))
        try MeasuredProgram.run(
            "petition-aggregator", ["init", "--url", "http://127.0.0.1:\(port)", "aggregator"], in: folder)
        let said = try String(contentsOfFile: "\(folder)/petition-aggregator.out", encoding: .utf8)
        let option = said.split(separator: "--aggregator ").last.map(String.init) ?? ""
        let rings = (size + Self.ringSize - 1) / Self.ringSize
        try MeasuredProgram.run(
            "roundrobin-load",
            [
                "prepare", "load", "--records", "\(TileID.fullWidth)", "--rings", "\(rings)", "--roll-port",
                "\(rollPort)",
                "--wallet", "wallet", "--aggregator", option.trimmingCharacters(in: .whitespacesAndNewlines),
            ], in: folder)
        let coordinator = try MeasuredProgram("roundrobin-load", ["roll", "load", "--port", "\(rollPort)"], in: folder)
        _ = try coordinator.ready()
        try MeasuredProgram.run("petition-aggregator", ["add", "--folder", "aggregator", "load/petition"], in: folder)
        let signer = try measureSigner(in: folder)
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
            (ready, served.memory, nil), (checked.seconds, checked.memory, nil),
            (exported.seconds, exported.memory, nil),
        ] + signer
    }

    /// What the member with the wallet reads, once a bundle of others has signed. It signs without sending: no reading
    /// depends on that.
    private func measureSigner(in folder: String) throws -> [Usage] {
        // What signs here really signs, and what fills the aggregator later does not: no folder has both.
        try FileManager.default.copyItem(atPath: "\(folder)/aggregator", toPath: "\(folder)/signed")
        let server = try MeasuredProgram("petition-aggregator", ["serve", "--folder", "signed"], in: folder)
        _ = try server.ready()
        try MeasuredProgram.run("roundrobin-load", ["run", "load", "--rate", "500"], in: folder)
        let petition = try PetitionManifest(
            parsing: [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/load/petition"))))
        try Data("insecure\n".utf8).write(to: URL(filePath: "\(folder)/passphrase"))
        let wallet = ["--wallet", "wallet", "--passphrase-fd", "0"]
        let url = petition.logURL(aggregator: 0).text
        let usages = try [["ring", "--within", "0s"], ["sign", "--yes", "--out", "record", url]].map { command in
            let before = try MeasuredProgram.bytesSent()
            let used = try MeasuredProgram.run(
                "petition-signer", [command[0]] + wallet + command.dropFirst(), in: folder, input: "passphrase")
            return (used.seconds, used.memory, try MeasuredProgram.bytesSent() - before) as Usage
        }
        _ = try server.stop()
        return usages
    }

    /// What came over the network.
    private func readings(_ rows: [Row], _ sizes: [Int]) -> String {
        let lines = rows.filter { $0.usages.contains { $0.read != nil } }.map { row in
            "| \(row.work) | "
                + row.usages.map { Bench.rounded(Double($0.read ?? 0) / 1e6, 2) }.joined(separator: " | ")
                + " |"
        }
        return
            ([
                "", "| reads, in MB | " + sizes.map { "\($0)" }.joined(separator: " | ") + " |",
                "| --- |" + sizes.map { _ in " ---: |" }.joined(),
            ] + lines).joined(separator: "\n")
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
                growth = "\((last.memory - first.memory) / (most - least))"
            }
            lines.append("| \(row.work) | \(columns.joined(separator: " | ")) | \(growth) |")
        }
        return lines.joined(separator: "\n")
    }
}
