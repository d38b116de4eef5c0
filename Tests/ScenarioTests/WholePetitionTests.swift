import Bytes
import Foundation
import Sodium
import Testing

/// A whole petition with the four programs.
@Suite struct WholePetitionTests {
    @Test func peopleEnrolSignAreCountedOnceAndAnybodyVerifies() throws {
        let deployment = try Deployment(people: 7)
        try deployment.seal(0..<6)
        try deployment.petition()

        try deployment.expectSigner(0, "export", with: ["backup"])
        for person in 0..<4 {
            let run = try deployment.sign(person)
            #expect(run.code == 0, "\(run.errors)")
        }
        // The same wallet sends the same record again; a restored one makes a fresh proof with the same tag.
        #expect(try deployment.sign(0).output.contains("Signed and counted, as entry"))
        let restored = try Programs.run(
            "petition-signer", ["import", "--wallet", "wallet-99", "--passphrase-fd", "0", "backup"],
            in: deployment.folder,
            passphrase: "passphrase of 0")
        #expect(restored.code == 0, "\(restored.errors)")
        let again = try Programs.run(
            "petition-signer",
            [
                "sign", "--wallet", "wallet-99", "--passphrase-fd", "0", "--minimum-ring", "4", "--yes", "--despite",
                "restored-wallet", deployment.petition,
            ],
            in: deployment.folder, passphrase: "passphrase of 0")
        #expect(again.code == 0 && again.output.contains("You signed this petition before"), "\(again.errors)")

        // A record passed on by other means.
        try deployment.expectSigner(
            4, "sign", with: ["--minimum-ring", "4", "--yes", "--out", "record", deployment.petition])
        try deployment.expect("petition-signer", "submit", "record", deployment.petition)
        try deployment.expectSigner(1, "withdraw", with: ["--yes", deployment.petition])
        try deployment.expectSigner(1, "withdraw", with: ["--yes", deployment.petition])
        #expect(try deployment.sign(1).code == 1)

        // A person who was invited but did not enrol, or who is in no ring, cannot sign.
        #expect(try deployment.sign(6).errors.contains("there is no wallet"))

        try deployment.expect("petition-aggregator", "export", "copy")
        let (code, report) = try deployment.verify("copy")
        #expect(code == 0)
        #expect(report["valid"] as? Bool == true)
        #expect(report["petition"] as? String == deployment.id)
        #expect(report["signatures"] as? Int == 4)
        #expect(report["withdrawn"] as? Int == 1)
        #expect((report["logs"] as? [Any])?.count == 4)
        #expect((report["refusals"] as? [Any])?.isEmpty == true)
        try deployment.expect("petition-verifier", "fetch", deployment.petition, "fetched")
        #expect(try deployment.verify("fetched").report["signatures"] as? Int == 4)
        #expect(try deployment.verify(deployment.petition).report["signatures"] as? Int == 4)
        try deployment.expectSigner(1, "receipt", "check", with: ["--copy", "fetched"])

        let list = try deployment.expect("petition-signer", "petitions", deployment.coordinatorURL)
        #expect(list.contains(deployment.petition))
        #expect(try deployment.expect("petition-signer", "show", deployment.petition).contains(deployment.id))
        let document = try deployment.expect("petition-signer", "show", "--json", deployment.petition)
        #expect(SHA256.hash(Array(document.utf8)).hex == deployment.id)
        #expect(try deployment.expect("petition-aggregator", "status").contains("signatures  4, withdrawn 1"))
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"members\":6"))
    }

    @Test func aSecondRoundOfEnrolmentMakesASecondRing() throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.invite(4)
        try deployment.expect("petition-coordinator", "issuing", "open", "people")
        try deployment.seal(4..<8)
        try deployment.petition()
        #expect(try deployment.sign(0).errors.contains("ring 0"))
        #expect(try deployment.sign(7).errors.contains("ring 1"))
        try deployment.expect("petition-aggregator", "export", "copy")
        #expect(try deployment.verify("copy").report["signatures"] as? Int == 2)
    }

    @Test func theVerifierLinksNoServerAndNoDatabase() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/ldd")
        process.arguments = [Programs.folder.appending(path: "petition-verifier").path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let libraries = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(libraries.contains("libsodium"))
        #expect(!libraries.contains("sqlite"))
        let program = try Data(contentsOf: Programs.folder.appending(path: "petition-verifier"))
        #expect(program.range(of: Data("Hummingbird".utf8)) == nil)
    }

    @Test func everyFlippedByteOfACopyIsFoundAndLocated() throws {
        let deployment = try Deployment(people: 5)
        try deployment.seal(0..<5)
        try deployment.petition()
        for person in 0..<3 { #expect(try deployment.sign(person).code == 0) }
        try deployment.expect("petition-aggregator", "export", "copy")
        let files = try #require(FileManager.default.subpaths(atPath: deployment.scratch.path("copy"))).filter {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: deployment.scratch.path("copy/\($0)"), isDirectory: &isFolder)
            return !isFolder.boolValue
        }
        #expect(files.count == 16)
        for file in files {
            let url = deployment.folder.appending(path: "copy/\(file)")
            let original = try Data(contentsOf: url)
            for index in [0, original.count / 3, original.count / 2, original.count - 1] {
                var changed = original
                changed[index] ^= 1
                try changed.write(to: url)
                let (code, report) = try deployment.verify("copy")
                // Hash tiles follow from the entries: the log is intact, and the copy is at fault.
                guard !file.contains("tile/0") else {
                    #expect(code == 0 && ReportJSON.refusals(report).isEmpty, "byte \(index) of \(file)")
                    #expect(ReportJSON.details(report).contains { $0.hasPrefix("\(file): ") }, "\(file)")
                    continue
                }
                #expect(code == 1, "byte \(index) of \(file)")
                let refusal = (report["refusals"] as? [[String: Any]])?.first
                #expect(refusal?["log"] is String && refusal?["rule"] is String, "byte \(index) of \(file)")
                if file.contains("aggregators/0/tile/entries") { #expect(refusal?["index"] is Int) }
            }
            try original.write(to: url)
            try FileManager.default.removeItem(at: url)
            // A missing file proves nothing; hash tiles, tally and history may be missing.
            let code = try deployment.verify("copy").code
            let isNeeded = !["tile/0", "0/tally", "0/history"].contains { file.contains($0) }
            #expect(code == (isNeeded ? 3 : 0), "\(file) missing")
            try original.write(to: url)
        }
        #expect(try deployment.verify("copy").code == 0)
    }
}
