import Bytes
import Documents
import Foundation
import Petitions
import Sodium
import TransparencyLog
import Witnessing

/// A log that a test grows as it likes, with forks: its entry `i` is a text with the name of its branch.
struct MadeLog: Sendable {
    let origin: String
    let seed: UInt8

    /// The key that signs.
    var secretSeed: [UInt8] { [UInt8](repeating: seed, count: Ed25519SecretKey.seedCount) }
    var key: VerifierKey {
        let secret = Ed25519SecretKey(seed: SecretBytes(copying: secretSeed))
        return VerifierKey(name: origin, publicKey: secret.publicKey)
    }

    /// The tree of `size` entries, of which those from `fork` on are of another branch.
    func checkpoint(_ size: UInt64, fork: UInt64 = .max) -> Checkpoint {
        Checkpoint(origin: origin, size: size, root: prover(size, fork).root)
    }

    func note(_ size: UInt64, fork: UInt64 = .max) -> [UInt8] {
        let secret = Ed25519SecretKey(seed: SecretBytes(copying: secretSeed))
        return checkpoint(size, fork: fork).signed(by: secret)
    }

    /// What is sent to a witness that has `old` entries of the same branch.
    func request(_ size: UInt64, from old: UInt64, fork: UInt64 = .max) throws -> Data {
        let (_, prover) = prover(size, fork)
        let proof = try prover.consistency(from: old)
        return Data(AddCheckpointRequest(oldSize: old, proof: proof, note: note(size, fork: fork)).encoded)
    }

    private func prover(_ size: UInt64, _ fork: UInt64) -> (root: Bytes32, prover: MerkleProver) {
        var tree = GrowingTree()
        var tiles: [TileID: [Bytes32]] = [:]
        for index in 0..<size {
            let branch = index < fork ? "entry" : "other"
            tree.append(MerkleHash.leaf(Array("\(branch)-\(index)".utf8))) { tiles[$0] = $1 }
        }
        for (tile, hashes) in tree.partialTiles { tiles[tile] = hashes }
        return (tree.root, MerkleProver(size: size) { tiles[$0] })
    }
}

/// A `petition-witness` that runs on this machine.
///
/// Sendable: only the test itself starts and stops it.
final class TestWitness: @unchecked Sendable {
    let scratch: Scratch
    let url: String
    let key: WitnessKey
    /// The line for a policy.
    let policyLine: String
    private(set) var server: Server?

    init(_ name: String, in scratch: Scratch, path: String = "") throws {
        self.scratch = scratch
        url = "http://localhost:\(try freePort())\(path)"
        let made = try Programs.run(
            "petition-witness", ["init", "--name", "\(name).example/w", "--url", url, name], in: scratch.url)
        let line = made.output.split(separator: "\n").first { $0.hasPrefix("witness ") }.map(String.init) ?? ""
        policyLine = line
        guard made.code == 0, let vkey = line.split(separator: " ").dropFirst(2).first,
            let key = WitnessKey(parsing: vkey)
        else { throw Server.Problem.didNotStart(made.errors + made.output) }
        self.key = key
        folder = name
    }
    private let folder: String

    func run(_ arguments: String...) throws -> Run {
        try Programs.run("petition-witness", arguments + ["--folder", folder], in: scratch.url)
    }

    /// Follows the logs of a petition's coordinator and aggregators.
    func trust(_ petition: PetitionManifest) throws {
        let servers = [(petition.key, petition.url)] + petition.aggregators.map { ($0.key, $0.url) }
        for (key, url) in servers {
            let trusted = try run("trust", Base64.encode(key.bytes.array), url.text)
            guard trusted.code == 0 else { throw Server.Problem.didNotStart(trusted.errors) }
        }
    }

    func start(_ options: [String] = [], faults: [String: String] = [:]) throws {
        server = try Server(
            "petition-witness", command: ["serve", "--folder", folder] + options,
            environment: Programs.faults(faults), in: scratch.url)
    }

    func kill() { server?.kill() }
    func stop() { server?.stop() }

    /// Submits a body.
    func add(_ body: Data) async throws -> HTTP {
        // The client goes on trying to reach a server that was killed: not for a minute.
        try await HTTP.send(
            "POST", "\(url)/add-checkpoint", body: body, headers: ["content-type": "text/plain"], seconds: 10)
    }

    /// What it shows of a log at its monitoring address.
    func shown(_ origin: String) async throws -> HTTP {
        try await HTTP.get("\(url)/\(SHA256.hash(Array(origin.utf8)).hex)/checkpoint")
    }
}
