import Documents
import Foundation
import Testing

/// A member of a roll of 66,576, with the real programs: the ring is learned once, and signing reads little.
@Suite(.withinTheRun) struct LargeRollSigningTests {
    @Test func aMemberOfALargeRollLearnsItsRingAndSigns() async throws {
        let presigned = try PresignedAggregator(records: 64, rings: 1040, wallet: "wallet")
        let server = try presigned.serve()
        for index in 0..<20 { #expect(await presigned.send(index) == 201) }
        let (folder, url) = (presigned.scratch.url, presigned.petition.logURL(aggregator: 0).text)
        func arguments(_ command: String, _ options: [String]) -> [String] {
            [command, "--wallet", "wallet", "--passphrase-fd", "0"] + options
        }
        func signer(_ command: String, _ options: String...) throws -> Run {
            try Programs.run("petition-signer", arguments(command, options), in: folder, passphrase: "insecure")
        }
        let early = try signer("sign", "--yes", url)
        #expect(early.code == 1 && early.errors.contains("more than 65,536 members"), "\(early.errors)")
        #expect(early.errors.contains("petition-signer ring http://"))

        let found = try signer("ring", "--within", "1s")
        #expect(found.code == 0 && found.errors.contains("a random moment"), "\(found.errors)")
        #expect(found.output.contains("one of 16 members of ring 1040 of"))

        // Nobody asked for a wait, and there is one all the same: the record does not come right after the reading.
        // That holds for whoever starts again, too, as the program says.
        for isFirst in [true, false] {
            let waiting = try Running(
                "petition-signer", arguments("sign", ["--yes", url]), in: folder, passphrase: "insecure")
            #expect(waiting.waits(for: "a random moment"), "\(waiting.said)")
            // What a person needs for the decision, in words that are true of a large roll.
            #expect(waiting.said.contains("has 20 entries; in a roll this large, their proofs are left") == isFirst)
            #expect(!waiting.said.contains("Few have signed yet"))
            kill(waiting.process.processIdentifier, SIGKILL)
            _ = waiting.end()
        }
        // The record exists, and is sent without any reading.
        let signed = try signer("sign", "--yes", "--within", "1s", url)
        #expect(signed.code == 0 && signed.output.contains("Signed and counted, as entry 20"), "\(signed.errors)")
        server.stop()
        #expect(try Programs.run("petition-aggregator", ["export", "copy"], in: folder).code == 0)
        let report = try Programs.run("petition-verifier", ["verify", "--json", "copy"], in: folder)
        let json = try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [String: Any]
        #expect(report.code == 0 && json?["signatures"] as? Int == 21, "\(report.output)")
    }
}
