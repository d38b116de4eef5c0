import Bytes
import Foundation
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import VOPRF

/// Costs of the protocol's operations on one core, as ratios ("units") to one libsodium Ed25519 verification of 100 bytes
/// that is measured in the same run. Medians, wire bytes to verdict.
@main
struct Bench {
    private static let ringSize = 1024

    let unit: Double
    let petition = PetitionBase(petition: SHA256.hash(Array("bench petition".utf8)))
    let roll = RollID(SHA256.hash(Array("bench roll".utf8)))
    let members: [GroupElement]
    let ring: Ring

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.isEmpty || arguments.elementsEqual(["--json"]) else {
            FileHandle.standardError.write(Data("usage: Tools/bench [--json]\n".utf8))
            exit(2)
        }
        let bench = try Bench()
        let results = try bench.measure()
        arguments.isEmpty ? bench.printTable(results) : bench.printJSON(results)
    }

    private init() throws {
        unit = try Self.ed25519Verification()
        var members: [GroupElement] = []
        for index in 0..<Self.ringSize { members.append(try Self.memberKey(index, roll: roll).key) }
        self.members = members.sorted()
        ring = Ring(roll: roll.bytes, number: 0, members: self.members)
    }

    private static func memberKey(_ index: Int, roll: RollID) throws -> MemberKey {
        var seed = SHA256.hash(Array("bench seed \(index)".utf8)).array
        guard let key = MemberKey(seed: SecretBytes(moving: &seed), roll: roll) else { throw BenchError.zeroKey }
        return key
    }

    private enum BenchError: Error { case zeroKey, refused }

    struct Result {
        let name: String
        let text: String
        let units: Double
    }

    private func measure() throws -> [Result] {
        var results: [Result] = []
        func add(_ name: String, _ text: String, _ seconds: Double) {
            results.append(Result(name: name, text: text, units: seconds / unit))
        }
        let record = try Self.memberKey(0, roll: roll).secret.sign(petition, ring: ring, roll: 0)
        add(
            "sign", "sign, ring of 1,024",
            try median(5) {
                _ = try Self.memberKey(0, roll: roll).secret.sign(petition, ring: ring, roll: 0)
            })
        for count in [1, 64, 1024] {
            let wire = [[UInt8]](repeating: record.bytes, count: count)
            let seconds = try median(count == 1024 ? 1 : 3) { try verify(wire) }
            add(
                count == 1 ? "verifySingle" : "verifyBatch\(count)OneRing",
                count == 1 ? "verify a single record" : "verify one of a batch of \(count.formatted()), one ring",
                seconds / Double(count))
        }
        try addEnrolment(add)
        return results
    }

    private func verify(_ wire: [[UInt8]]) throws {
        let batch = try wire.map { (try SignatureRecord(parsing: $0, digits: ring.digits), ring) }
        for verdict in RingVerifier(petition: petition).verify(batch) { _ = try verdict.get() }
    }

    private func addEnrolment(_ add: (String, String, Double) -> Void) throws {
        let server = VOPRFServer(seed: SecretBytes(randomCount: 32), info: [])
        let member = try Self.memberKey(1, roll: roll)
        let input = MemberKey.tokenInput(roll: roll, member: member.key)
        guard let blind = member.blind(codeHash: roll.bytes) else { throw BenchError.zeroKey }
        let blinded = try VOPRFClient.blind(input, with: blind)
        var times: [Double] = []
        for _ in 0..<21 { times.append(time { _ = server.blindEvaluate(blinded) }) }
        add("enrolIssue", "issue (coordinator)", times.sorted()[10])
        let (evaluated, proof) = server.blindEvaluate(blinded)
        times = []
        for _ in 0..<21 {
            let start = ContinuousClock.now
            _ = try VOPRFClient.unblind(evaluated, of: blinded, blind: blind, proof: proof, publicKey: server.publicKey)
            times.append(Self.seconds(since: start))
        }
        add("enrolUnblind", "check and unblind (signer)", times.sorted()[10])
        let token = try VOPRFClient.unblind(
            evaluated, of: blinded, blind: blind, proof: proof, publicKey: server.publicKey)
        times = []
        for _ in 0..<21 {
            let start = ContinuousClock.now
            guard server.isValid(token: token, for: input) else { throw BenchError.refused }
            times.append(Self.seconds(since: start))
        }
        add("join", "check a join (coordinator)", times.sorted()[10])
    }

    private static func ed25519Verification() throws -> Double {
        let key = Ed25519SecretKey(seed: SecretBytes(randomCount: Ed25519SecretKey.seedCount))
        let message = SystemRandomness.bytes(100)
        let signature = key.sign(message)
        let publicKey = key.publicKey
        return try median(2001) {
            guard publicKey.isValidSignature(signature, for: message) else { throw BenchError.refused }
        }
    }

    private func printTable(_ results: [Result]) {
        let microseconds = unit * 1_000_000
        print("One Ed25519 verification by libsodium: \(Self.rounded(microseconds, 1)) microseconds = 1 unit")
        print("A record in a ring of 1,024: \(SignatureRecord.count(digits: ring.digits)) bytes\n")
        for result in results {
            let value = Self.rounded(result.units, result.units < 100 ? 1 : 0)
            print(result.text.padding(toLength: 44, withPad: " ", startingAt: 0) + value + " units")
        }
    }

    private func printJSON(_ results: [Result]) {
        let units = results.map { "\"\($0.name)\":\(Self.rounded($0.units, 2))" }.joined(separator: ",")
        print(
            "{\"engine\":\"libsodium\",\"ed25519VerifyMicroseconds\":\(Self.rounded(unit * 1_000_000, 2)),"
                + "\"recordBytes\":\(SignatureRecord.count(digits: ring.digits)),\"units\":{\(units)}}")
    }

    private static func rounded(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let elapsed = ContinuousClock.now - start
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    }
}

private func time(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    let elapsed = ContinuousClock.now - start
    return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
}

private func median(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
    var times: [Double] = []
    for _ in 0..<count { times.append(try time(body)) }
    return times.sorted()[count / 2]
}
