import Bytes
import EmulatedLanes
import Multiscalar
import Platform
import RingSignatures
import Ristretto255
import Sodium
import Testing

/// A batch accepts exactly what single verification accepts, whatever is wrong in it and wherever it is.
@Suite struct BatchTests {
    private static let petition = PetitionBase(petition: SHA256.hash(Array("batch tests".utf8)))
    private static let roll = SHA256.hash(Array("batch roll".utf8))
    private static let engines: [Engine] = [
        .portable,
        .lanes(
            LaneFunctions(
                decode: emulated_decode, windowSums: emulated_window_sums, outerProducts: emulated_outer_products)),
    ]

    /// Rings of several sizes, each with the signatures of some of its members.
    private struct Signed {
        let ring: Ring
        let records: [SignatureRecord]
    }

    private static let all: [Signed] = [2, 4, 5, 17, 65].enumerated().map { number, size in
        let secrets = (0..<size).map { MemberSeed(number: number, member: $0) }
        let sorted = secrets.sorted { $0.key < $1.key }
        let ring = Ring(roll: roll, number: UInt32(number), members: sorted.map(\.key))
        let signers = [0, 1, size / 2, size - 1]
        return Signed(ring: ring, records: signers.compactMap { sorted[$0].sign(petition, ring) })
    }

    private struct MemberSeed {
        let seed: [UInt8]
        let key: MemberKey

        init(number: Int, member: Int) {
            seed = SHA512.hash(Array("\(number) \(member)".utf8))
            key = Self.secret(seed).key
        }

        private static func secret(_ seed: [UInt8]) -> MemberSecret {
            MemberSecret(x: SecretScalar(Scalar(reducing: seed)), seed: SecretBytes(copying: seed))
        }

        func sign(_ petition: PetitionBase, _ ring: Ring) -> SignatureRecord? {
            try? Self.secret(seed).sign(petition, ring: ring, roll: 0)
        }
    }

    private var batch: [(SignatureRecord, Ring)] {
        Self.all.flatMap { signed in signed.records.map { ($0, signed.ring) } }
    }

    /// The record with one scalar of its responses increased by one: well-formed, but not a valid proof.
    private func spoiled(_ record: SignatureRecord, _ ring: Ring, response: Int) throws -> SignatureRecord {
        let scalars = 3 * ring.digits + 2
        let offset = record.bytes.count - 32 * (scalars - response % scalars)
        var bytes = record.bytes
        let old = try Scalar(decoding: #require(Bytes32(bytes[offset..<offset + 32])))
        bytes.replaceSubrange(offset..<offset + 32, with: (old + .one).bytes.array)
        return try SignatureRecord(parsing: bytes, digits: ring.digits)
    }

    /// The record with two of its points swapped.
    private func swapped(_ record: SignatureRecord, _ ring: Ring) throws -> SignatureRecord {
        var bytes = record.bytes
        let (x, y) = (6 + 32 * 3, 6 + 32 * (3 + ring.digits))
        let (first, second) = (Array(bytes[x..<x + 32]), Array(bytes[y..<y + 32]))
        bytes.replaceSubrange(x..<x + 32, with: second)
        bytes.replaceSubrange(y..<y + 32, with: first)
        return try SignatureRecord(parsing: bytes, digits: ring.digits)
    }

    private func accepted(_ batch: [(SignatureRecord, Ring)], _ engine: Engine) -> [Bool] {
        RingVerifier(petition: Self.petition, engine: engine).verify(batch).map { (try? $0.get()) != nil }
    }

    @Test(arguments: BatchTests.engines.indices)
    func oneBadRecordIsFoundAtEachPlace(engine: Int) throws {
        let engine = Self.engines[engine]
        #expect(accepted(batch, engine).allSatisfy { $0 })
        for position in batch.indices {
            var batch = batch
            batch[position].0 = try spoiled(batch[position].0, batch[position].1, response: position)
            #expect(accepted(batch, engine) == batch.indices.map { $0 != position })
            #expect(accepted([batch[position]], engine) == [false])
            batch[position].0 = try swapped(self.batch[position].0, batch[position].1)
            #expect(accepted(batch, engine) == batch.indices.map { $0 != position })
        }
    }

    @Test func everyPatternOfBadRecordsIsFound() throws {
        let good = Array(batch.prefix(6))
        let bad = try good.enumerated().map { (try spoiled($1.0, $1.1, response: $0), $1.1) }
        for pattern in 0..<64 {
            let mixed = good.indices.map { pattern >> $0 & 1 == 1 ? bad[$0] : good[$0] }
            #expect(accepted(mixed, .portable) == good.indices.map { pattern >> $0 & 1 == 0 })
        }
    }

    /// With a limit, all decisions are right, the rest is left undecided, and at most one bad record more than the
    /// limit is found.
    @Test func noMoreBadRecordsAreLookedForThanTheLimitSays() throws {
        let good = Array(batch.prefix(6))
        let bad = try good.enumerated().map { (try spoiled($1.0, $1.1, response: $0), $1.1) }
        for pattern in 0..<64 {
            let mixed = good.indices.map { pattern >> $0 & 1 == 1 ? bad[$0] : good[$0] }
            for limit in 0...3 {
                let answers = RingVerifier(petition: Self.petition).verify(mixed, invalidLimit: limit)
                for (position, answer) in answers.enumerated() {
                    guard let answer else { continue }
                    #expect(((try? answer.get()) == nil) == (pattern >> position & 1 == 1))
                }
                let found = answers.count { $0.map { (try? $0.get()) == nil } ?? false }
                // The last sum that is split may contain two bad records.
                #expect(found <= limit + 1)
                if pattern.nonzeroBitCount <= limit { #expect(!answers.contains { $0 == nil }) }
            }
        }
    }

    private func allHold(_ verifications: [RunningVerification]) -> Bool {
        guard let parts = RunningVerification.parts(of: verifications) else { return false }
        return RunningVerification.allHold(parts.map { $0.value() })
    }

    /// Two records whose errors cancel when they are added up with equal weights.
    @Test func errorsDoNotCancel() throws {
        let (record, ring) = batch[0]
        let offset = record.bytes.count - 32
        func shifted(by difference: Scalar) throws -> SignatureRecord {
            var bytes = record.bytes
            let z = try Scalar(decoding: #require(Bytes32(bytes[offset...])))
            bytes.replaceSubrange(offset..., with: (z + difference).bytes.array)
            return try SignatureRecord(parsing: bytes, digits: ring.digits)
        }
        let pair = [(try shifted(by: .one), ring), (try shifted(by: -.one), ring)]
        #expect(accepted(pair, .portable) == [false, false])
        var running = RunningVerification(petition: Self.petition)
        running.add(pair)
        #expect(!allHold([running]))
    }

    @Test func aRecordOfAnotherRingOrPetitionIsRefused() throws {
        let (first, second) = (Self.all[1], Self.all[0])
        #expect(
            accepted([(first.records[0], second.ring), (second.records[0], second.ring)], .portable) == [false, true])
        let renumbered = Ring(roll: Self.roll, number: 9, members: first.ring.members)
        #expect(accepted([(first.records[0], renumbered)], .portable) == [false])
        let other = RingVerifier(petition: PetitionBase(petition: Self.roll))
        #expect(other.verify(batch).allSatisfy { (try? $0.get()) == nil })
        #expect(accepted([], .portable).isEmpty)
    }

    @Test func badRecordsCostAsManySumsAsTheBatchIsHalved() throws {
        let (record, ring) = batch[0]
        let bad = (try spoiled(record, ring, response: 1), ring)
        for count in [1, 2, 8, 64, 100] {
            let halvings = Int.bitWidth - (count - 1).leadingZeroBitCount
            for positions in [[], [0], [count - 1], [count / 3], [0, count - 1], [0, count / 2, count - 1]] {
                var batch = [(SignatureRecord, Ring)](repeating: (record, ring), count: count)
                for position in positions { batch[position] = bad }
                let sums = Mutex<[Int]>([])
                let verifier = RingVerifier(petition: Self.petition, engine: .portable) { count in
                    sums.withLock { $0.append(count) }
                }
                let answers = verifier.verify(batch)
                #expect(answers.indices.allSatisfy { ((try? answers[$0].get()) != nil) != positions.contains($0) })
                let found = sums.withLock { $0 }
                #expect(found.first == count)
                #expect(
                    found.count - 1 <= Set(positions).count * max(halvings, 0), "\(positions) of \(count): \(found)")
            }
        }
    }

    @Test func aRunningVerificationHoldsWhenAllRecordsDo() throws {
        func running(_ batches: [[(SignatureRecord, Ring)]]) -> Bool {
            // Two verifications in parallel, as on two cores, and two that know nothing of each other.
            var both = RunningVerification.parallel(2, petition: Self.petition)
            var apart = [RunningVerification(petition: Self.petition), RunningVerification(petition: Self.petition)]
            for (index, batch) in batches.enumerated() {
                both[index % 2].add(batch)
                apart[index % 2].add(batch)
            }
            let holds = allHold(both)
            #expect(allHold(apart) == holds)
            return holds
        }
        #expect(running([]))
        let batches = stride(from: 0, to: batch.count, by: 3).map { Array(batch[$0..<min($0 + 3, batch.count)]) }
        #expect(running(batches))
        for position in batches.indices {
            var wrong = batches
            wrong[position][0].0 = try spoiled(wrong[position][0].0, wrong[position][0].1, response: position)
            #expect(!(running(wrong)))
        }
        #expect(
            !(running(batches + [[(Self.all[1].records[0], Self.all[0].ring)]])), "not even the ring's own length"
        )
    }
}
