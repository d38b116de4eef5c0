import Bytes
import Documents
import Messages
import Petitions
import Sodium
import Testing

@Suite struct WorkTests {
    private static let record = Array("a record".utf8)
    private static let petition = PetitionID(SHA256.hash([9]))
    private static let seed = [UInt8](0..<16)

    @Test func workIsForOneRecordSeedAndNumberOfBits() {
        let demand = ProofOfWorkChallenge(bits: 12, seed: Self.seed)
        let work = demand.work(for: Self.record, petition: Self.petition)
        #expect(demand.isMet(by: work, for: Self.record, petition: Self.petition))
        #expect(
            ProofOfWorkChallenge(bits: 11, seed: Self.seed).isMet(by: work, for: Self.record, petition: Self.petition))
        #expect(
            !ProofOfWorkChallenge(bits: 12, seed: Self.seed.reversed()).isMet(
                by: work, for: Self.record, petition: Self.petition)
        )
        #expect(!demand.isMet(by: work, for: Self.record, petition: PetitionID(SHA256.hash([8]))))
        // This would be valid only by a chance of one in 2^40.
        #expect(
            !ProofOfWorkChallenge(bits: 40, seed: Self.seed).isMet(by: work, for: Self.record, petition: Self.petition))
        #expect(!ProofOfWorkChallenge(bits: 40, seed: Self.seed).isMet(by: work, for: [1], petition: Self.petition))
        for bad in ["", " ", work + " ", work + "0 1", String(work.dropFirst()), "AAECAwQFBgcICQoLDA0ODw==", "x y"] {
            #expect(!demand.isMet(by: bad, for: Self.record, petition: Self.petition), "\(bad)")
        }
    }

    /// Computed independently from the definition in Protocol/http.md: the nonce found is the smallest valid one.
    @Test func workIsWhatTheProtocolSays() throws {
        let demand = ProofOfWorkChallenge(bits: 8, seed: Self.seed)
        let words = demand.work(for: Self.record, petition: Self.petition).split(separator: " ")
        let nonce = try #require(UInt64(words[1]))
        func digest(_ nonce: UInt64) -> [UInt8] {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: nonce >> (56 - 8 * UInt64($0))) }
            return SHA256.hash(
                Array("roundrobin-v1 work".utf8) + Self.seed + SHA256.hash([9]).array
                    + SHA256.hash(Self.record).array + bytes
            ).array
        }
        #expect(words[0] == "AAECAwQFBgcICQoLDA0ODw==")
        #expect(digest(nonce)[0] == 0)
        for smaller in 0..<nonce { #expect(digest(smaller)[0] != 0) }
    }

    @Test func theDemandIsReadFromAProblem() throws {
        let demand = ProofOfWorkChallenge(bits: 17, seed: Self.seed)
        let problem = ProblemDocument(.busy, status: 429, detail: "more", work: demand)
        #expect(try ProblemDocument(parsing: Array(problem.json.utf8)).work == demand)
        for bad in [
            "", "\"workBits\":17", "\"workBits\":25,\"workSeed\":\"AAECAwQFBgcICQoLDA0ODw==\"",
            "\"workBits\":17,\"workSeed\":\"AAEC\"",
        ] {
            let plain = ProblemDocument(.busy, status: 429, detail: "more").json.dropLast()
            let text = plain + (bad.isEmpty ? "" : ",") + bad + "}"
            #expect(try ProblemDocument(parsing: Array(text.utf8)).work == nil, "\(bad)")
        }
    }
}
