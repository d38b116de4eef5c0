import AsyncHTTPClient
import Documents
import Foundation
import NIOCore
import NIOHTTP1
import Petitions
import Platform
import Testing
import TransparencyLog

/// An aggregator with a roll whose members have all signed: their records only have to be sent.
///
/// Sendable: mutable state is accessed only under a lock.
final class PresignedAggregator: @unchecked Sendable {
    let scratch: Scratch
    let petition: PetitionManifest
    let records: [[UInt8]]
    private let roll: Server
    private let metricsPort: Int
    private let state: Mutex<State>

    private struct State {
        var next: [Int]
        /// All receipts ever given, by record.
        var receipts: [Int: [[UInt8]]] = [:]
    }

    /// The separate file system for the aggregator's folder, if any.
    private var mount: Mount?

    /// Uses rings of 64, so that signing and verifying are fast. With `megabytes`, the aggregator has its own file
    /// system of that size. With `policy`, a file, the petition has that one, and is not added yet: see ``add(_:)``.
    /// With `wallet`, that file becomes the wallet of one more member.
    init(
        records count: Int, rings: Int? = nil, wallet: String? = nil, megabytes: Int? = nil, policy: String? = nil,
        in given: Scratch? = nil
    ) throws {
        let scratch = try given ?? Scratch()
        self.scratch = scratch
        mount = try megabytes.map { try Mount(at: scratch.path("aggregator"), megabytes: $0) }
        let (port, rollPort) = (try freePort(), try freePort())
        let folder = "load"
        metricsPort = try freePort()
        func expect(_ program: String, _ arguments: String...) throws -> String {
            let run = try Programs.run(program, arguments, in: scratch.url)
            try #require(run.code == 0, "\(program) \(arguments): \(run.errors)\(run.output)")
            return run.output
        }
        _ = try expect("petition-aggregator", "init", "--url", "http://127.0.0.1:\(port)", "aggregator")
        let made = try expect("petition-aggregator", "status")
        let option = try #require(made.split(separator: "--aggregator ").last).split(separator: "\n")[0]
        let prepare = ["prepare", folder, "--records", "\(count)", "--ring-size", "64", "--roll-port", "\(rollPort)"]
        var options = ["--aggregator", String(option)]
        for (name, value) in [("--witnesses", policy), ("--rings", rings.map { "\($0)" }), ("--wallet", wallet)] {
            if let value { options += [name, value] }
        }
        let prepared = try Programs.run("roundrobin-load", prepare + options, in: scratch.url)
        try #require(prepared.code == 0, "\(prepared.errors)")
        roll = try Server(
            "roundrobin-load", command: ["roll", folder, "--port", "\(rollPort)"], in: scratch.url)
        if policy == nil { _ = try expect("petition-aggregator", "add", "\(folder)/petition") }
        petition = try PetitionManifest(
            parsing: [UInt8](Data(contentsOf: scratch.url.appending(path: "\(folder)/petition"))))
        let all = [UInt8](try Data(contentsOf: scratch.url.appending(path: "\(folder)/records")))
        let size = 166 + 160 * 3
        records = stride(from: 0, to: all.count, by: size).map { Array(all[$0..<$0 + size]) }
        state = Mutex(State(next: Array(records.indices.reversed())))
    }

    /// Tells the aggregator where witnesses are (vkey and url), and adds the petition.
    func add(_ witnesses: [(String, String)]) throws {
        for arguments in witnesses.map({ ["witness", "add", $0, $1] }) + [["add", "load/petition"]] {
            let run = try Programs.run("petition-aggregator", arguments, in: scratch.url)
            try #require(run.code == 0, "\(arguments): \(run.errors)\(run.output)")
        }
    }

    /// Starts the aggregator, with the given faults in its environment.
    func serve(
        publishEvery: String = "0", options: [String] = [], faults: [String: String] = [:]
    ) throws -> Server {
        try Server(
            "petition-aggregator",
            command: ["serve", "--publish-every", publishEvery, "--metrics-listen", "127.0.0.1:\(metricsPort)"]
                + options,
            environment: Programs.faults(faults), in: scratch.url)
    }

    func resize(megabytes: Int) throws { try mount?.resize(megabytes: megabytes) }

    private var url: String { petition.logURL(aggregator: 0).text }

    func stopCoordinator() { roll.kill() }

    func metrics() async throws -> String {
        String(decoding: try await HTTP.get("http://127.0.0.1:\(metricsPort)/metrics").body, as: UTF8.self)
    }

    func get(_ path: String) async throws -> HTTP { try await HTTP.get(path.isEmpty ? url : "\(url)/\(path)") }

    /// Sends the record with this number, and returns the status; nil if the server is gone.
    func send(_ index: Int) async -> Int? {
        var request = HTTPClientRequest(url: url + "/records")
        request.method = .POST
        request.body = .bytes(ByteBuffer(bytes: records[index]))
        guard let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(20)),
            let body = try? await response.body.collect(upTo: 1 << 16)
        else { return nil }
        if response.status == .ok || response.status == .created {
            state.withLock { $0.receipts[index, default: []].append(Array(body.readableBytesView)) }
        }
        return Int(response.status.code)
    }

    /// Sends the record with this number, and returns the whole answer.
    func answer(to index: Int) async throws -> HTTP {
        try await HTTP.post(url + "/records", Data(records[index]), type: "application/octet-stream")
    }

    /// All receipts ever given.
    func receipts() throws -> [LogProof] {
        try state.withLock { try $0.receipts.values.joined().map { try LogProof(parsing: $0) } }
    }

    /// The number of records that have a receipt.
    var received: Int { state.withLock { $0.receipts.count } }
    var isDone: Bool { state.withLock { $0.next.isEmpty } }

    /// Sends records, many at a time, until all have a receipt or the task is cancelled. Repeats those that fail.
    func sendAll(parallel: Int = 16) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<parallel { group.addTask { await self.sendOnAndOn() } }
        }
    }

    private func sendOnAndOn() async {
        while !Task.isCancelled, let index = state.withLock({ $0.next.popLast() }) {
            let status = await send(index)
            guard status != 200, status != 201 else { continue }
            state.withLock { $0.next.insert(index, at: 0) }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Checks every receipt ever given, the log, the tally and the database, on a healthy server.
    func checkEverything(expecting count: Int) async throws {
        let key = petition.logKey(aggregator: 0)
        let base = url
        let checkpoint = try Checkpoint(verifying: Array(try await get("checkpoint").body), key: key)
        #expect(checkpoint.size == UInt64(count))
        var roots = [MerkleHash.emptyRoot]
        var tree = GrowingTree()
        var entries: [[UInt8]] = []
        for tile in TileRow(count: checkpoint.size) {
            let path = TileID.bundlePath(index: tile.index, width: tile.width)
            entries += try #require(EntryBundle.decode([UInt8](try await HTTP.get("\(base)/\(path)").body)))
        }
        for entry in entries {
            tree.append(MerkleHash.leaf(entry))
            roots.append(tree.root)
        }
        #expect(tree.root == checkpoint.root)
        #expect(Set(entries).count == entries.count, "no record stands twice")
        for (index, receipts) in state.withLock({ $0.receipts }) {
            for receipt in receipts {
                let proof = try LogProof(parsing: receipt)
                // The checkpoint of every receipt is that of a prefix of this log: no other was ever signed.
                let head = try proof.verify(leaf: MerkleHash.leaf(records[index]), key: key)
                #expect(head.size < UInt64(roots.count) && roots[Int(head.size)] == head.root)
                #expect(entries[Int(proof.inclusion.index)] == records[index])
            }
        }
        let tally = try await get("tally").json
        #expect(tally["signatures"] as? Int == count)
        let fsck = try Programs.run("petition-aggregator", ["fsck"], in: scratch.url)
        #expect(fsck.code == 0, "\(fsck.output)\(fsck.errors)")
    }
}

/// A file system in memory, which only root can mount. It is removed with the value.
final class Mount {
    private let path: String

    init(at path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Self.run("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=700", "tmpfs", path)
    }

    func resize(megabytes: Int) throws { try Self.run("mount", "-o", "remount,size=\(megabytes)m", path) }

    private static func run(_ program: String, _ arguments: String...) throws {
        let process = try Process.run(URL(filePath: "/usr/bin/env"), arguments: [program] + arguments)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    deinit { try? Self.run("umount", "--lazy", path) }
}
