import Bytes
import Documents
import Foundation
import Petitions
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// A coordinator that lies about when joining is open: how each signer reacts, with the real programs.
@Suite struct JoiningPhaseTests {
    @Test func aPrivateJoiningPhaseIsNoticedBeforeSigning() async throws {
        let lying = try await LyingDeployment(people: 4)
        let (deployment, tamperingProxy) = (lying.deployment, lying.tamperingProxy)
        try lying.enrol(0..<4)
        // Issuing is open. Only one person is shown that joining is open.
        let now = UInt64(Date().timeIntervalSince1970) - 100
        lying.lie(
            lying.enrolmentPath,
            try await lying.entries(lying.enrolmentPath) + [EnrolmentEntry.joiningOpens(round: 0, opened: now).bytes])
        tamperingProxy.lie(at: "/rolls/\(lying.roll.id.hex)/join", status: 202, Array(#"{"status":"pending"}"#.utf8))
        tamperingProxy.forget()
        try deployment.expectSigner(0, "join", with: Deployment.joinNow)
        let key = try #require(lying.joins.first)
        tamperingProxy.stopLying()
        // The key is kept, and submitted when joining opens for all.
        try lying.openJoining()
        let handed = try await HTTP.post(lying.roll.url.text + "/join", Data(key.body))
        #expect(handed.status == 202)
        for person in 1..<4 { try deployment.expectSigner(person, "join", with: Deployment.joinNow) }
        try deployment.expect("petition-coordinator", "seal", "people")
        try deployment.petition()
        // The log that all others see continues.
        try deployment.invite(1)
        let aggregator = try #require(deployment.aggregatorLiar)
        aggregator.forget()
        refused(try deployment.sign(0), "shows you another log than others")
        #expect(!aggregator.requests.contains { $0.method == "POST" })
        for person in 1..<4 { #expect(try deployment.sign(person).code == 0) }

        // Anyone can check this: one key signed two checkpoints, neither of which extends the other.
        try deployment.expectSigner(0, "evidence", with: ["fork.json"])
        let proof = try evidence(deployment, "fork.json")
        let key0 = lying.roll.enrolmentLogKey
        let seen = try Checkpoint(verifying: Array(proof.seen.utf8), key: key0)
        let shown = try Checkpoint(verifying: Array(proof.shown.utf8), key: key0)
        #expect(UInt64(proof.leaves.count) == shown.size && shown.size > seen.size)
        func root(_ leaves: some Sequence<Bytes32>) -> Bytes32 {
            var tree = GrowingTree()
            for leaf in leaves { tree.append(leaf) }
            return tree.root
        }
        #expect(root(proof.leaves) == shown.root)
        #expect(root(proof.leaves.prefix(Int(seen.size))) != seen.root)
        refused(try deployment.signer(1, "evidence", with: ["nothing.json"]), "no contradiction")
        refused(try deployment.signer(0, "evidence", with: ["fork.json"]), "exists already")
    }

    @Test func anOldCheckpointStopsTheJoin() async throws {
        let lying = try await LyingDeployment(people: 5, joiningTime: "24h")
        let deployment = lying.deployment
        try lying.enrol(0..<5)
        let before = try await lying.entries(lying.enrolmentPath)
        try lying.openJoining()
        // Twenty minutes later, one person is still shown the log without the opening.
        lying.lie(lying.enrolmentPath, before)
        refused(
            try deployment.signer(0, "join", with: ["--minimum-round", "4"], clock: "1200"), "joining is not open yet")
        lying.tamperingProxy.stopLying()
        lying.tamperingProxy.forget()
        let run = try deployment.signer(0, "join", with: ["--minimum-round", "4"], clock: "1800")
        refused(run, "the log was shown without the opening of joining")
        #expect(run.errors.contains("--despite late-log"), "\(run.errors)")
        // The question is asked again, whatever was seen since.
        refused(try deployment.signer(0, "join", with: ["--minimum-round", "4"], clock: "3600"), "--despite late-log")
        #expect(lying.joins.isEmpty)
        // The earlier state of the log does not extend what was seen.
        lying.lie(lying.enrolmentPath, before)
        refused(
            try deployment.signer(0, "join", with: ["--minimum-round", "4"], clock: "3700"),
            "an old state or one that was cut")
        // A person who could be recognised by stopping and then continuing is asked first.
        lying.tamperingProxy.stopLying()
        let next = try deployment.signer(
            0, "join", with: ["--minimum-round", "4", "--despite", "late-log"], clock: "3800")
        refused(next, "--despite seen-older-log")
        #expect(lying.joins.isEmpty)
    }

    @Test func anEarlyNoticeIsRefused() async throws {
        let lying = try await LyingDeployment(people: 4, joiningTime: "24h")
        let deployment = lying.deployment
        try lying.enrol(0..<4)
        try lying.openJoining()
        lying.tamperingProxy.forget()
        let early = try deployment.signer(0, "join", with: ["--minimum-round", "4"], clock: "-600")
        refused(early, "joining opens at")
        // A minute before the end, and after more than half of the time.
        for clock in ["86340", "46800"] {
            let late = try deployment.signer(
                clock == "86340" ? 1 : 2, "join", with: ["--minimum-round", "4"], clock: clock)
            refused(late, "the opening of joining was seen late")
            #expect(late.errors.contains("--despite late-notice"), "\(late.errors)")
        }
        #expect(lying.joins.isEmpty)
        // After the end there is nothing to wait for, which is a different question.
        let over = try deployment.signer(
            3, "join", with: ["--minimum-round", "4", "--despite", "late-notice"], clock: "90000")
        refused(over, "--despite window-over")
        #expect(lying.joins.isEmpty)
        let after = try deployment.signer(
            3, "join", with: ["--minimum-round", "4", "--despite", "late-notice", "--despite", "window-over"],
            clock: "90000")
        #expect(after.code == 0, "\(after.errors)")
        #expect(lying.joins.count == 1)
    }

    @Test func aShortWindowIsAskedAbout() async throws {
        let lying = try await LyingDeployment(people: 4)
        try lying.enrol(0..<4)
        try lying.openJoining()
        lying.tamperingProxy.forget()
        let run = try lying.deployment.signer(0, "join", with: ["--minimum-round", "4"])
        refused(run, "joining takes only 0 seconds")
        #expect(run.errors.contains("--despite short-window"), "\(run.errors)")
        #expect(lying.joins.isEmpty)
    }

    @Test func aJoinIsSentInTheSecondHalfAndWhatItSaysIsOutBefore() async throws {
        let lying = try await LyingDeployment(people: 5, joiningTime: "24h")
        let deployment = lying.deployment
        try lying.enrol(0..<5)
        try lying.openJoining()
        let opened = Date().timeIntervalSince1970
        let clock = try MovedClock(in: deployment.scratch, ahead: 600)
        let people = (0..<5).map { person in
            Result {
                try Running(
                    "petition-signer",
                    ["join", "--wallet", "wallet-\(person)", "--passphrase-fd", "0", "--minimum-round", "4"],
                    in: deployment.folder, passphrase: "passphrase of \(person)",
                    environment: Programs.faults(["FAULT_CLOCK": clock.path]))
            }
        }
        var moments: Set<String> = []
        for person in people {
            let person = try person.get()
            #expect(person.waits(for: "Joining at "), "\(person.said)")
            #expect(person.said.contains("use --proxy") && person.said.contains("5 enrolled in your round"))
            let moment = try #require(person.said.components(separatedBy: "Joining at ")[1].split(separator: ",").first)
            let time = try #require(UTCTime(String(moment)))
            #expect(Double(time.seconds) >= opened - 5 + 43_200 && Double(time.seconds) <= opened + 5 + 86_400)
            moments.insert(String(moment))
        }
        #expect(moments.count > 1 && lying.joins.isEmpty)
        // Nothing is sealed until all have joined or the time is over.
        let seal = try deployment.run("petition-coordinator", "seal", "people")
        refused(seal, "joining goes on until")
        refused(
            try deployment.run("petition-coordinator", "issuing", "open", "people"), "0 of 5 who enrolled have joined")
        try clock.move(ahead: 86_400 + 60)
        for person in people {
            let person = try person.get()
            #expect(person.end() == 0, "\(person.said)")
        }
        #expect(lying.joins.count == 5)
        // All have joined, so there is no need to wait.
        try deployment.expect("petition-coordinator", "seal", "people")
    }

    @Test func waitingForJoiningOutlivesTheServer() async throws {
        let deployment = try Deployment(people: 4)
        for person in 0..<4 { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
        let running = try Running(
            "petition-signer", ["join", "--wait", "--wallet", "wallet-0", "--passphrase-fd", "0"] + Deployment.joinNow,
            in: deployment.folder, passphrase: "passphrase of 0")
        #expect(running.waits(for: "Waiting for joining to open"))
        // Its owner uses the wallet meanwhile, but does not join a second time. It is released when the wait begins.
        var receipts = try deployment.signer(0, "receipts")
        for _ in 0..<20 where receipts.code != 0 {
            usleep(100_000)
            receipts = try deployment.signer(0, "receipts")
        }
        #expect(receipts.code == 0 && receipts.output.contains("signed nothing"), "\(receipts.errors)")
        let second = try deployment.signer(0, "join", with: ["--wait"])
        #expect(second.code == 1 && second.errors.contains("another petition-signer"), "\(second.errors)")
        deployment.coordinator?.kill()
        #expect(running.waits(for: "trying again later"), "\(running.said)")
        try deployment.restartCoordinator()
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        #expect(running.end() == 0, "\(running.said)")
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"pending\":1,"))
    }

    // MARK: What goes wrong on the way

    /// A person who waits for the time to join, with a clock that the test moves.
    private struct Waiting {
        let program: Running
        /// The time to join, in seconds after the opening.
        let moment: Int
    }

    private func waiting(_ person: Int, _ lying: LyingDeployment, _ clock: MovedClock) throws -> Waiting {
        let opened = Int(Date().timeIntervalSince1970)
        let program = try Running(
            "petition-signer",
            ["join", "--wallet", "wallet-\(person)", "--passphrase-fd", "0", "--minimum-round", "4"],
            in: lying.deployment.folder, passphrase: "passphrase of \(person)",
            environment: Programs.faults(["FAULT_CLOCK": clock.path]))
        #expect(program.waits(for: "Joining at "), "\(program.said)")
        let text = try #require(program.said.components(separatedBy: "Joining at ").last?.split(separator: ",").first)
        return Waiting(program: program, moment: Int(try #require(UTCTime(String(text))).seconds) - opened)
    }

    /// The person out of three whose time to join comes first; the other programs are terminated. A time in the last
    /// minutes would leave none for another attempt.
    private func earliest(_ lying: LyingDeployment, _ clock: MovedClock) throws -> Waiting {
        let people = try (0..<3).map { try waiting($0, lying, clock) }
        let early = try #require(people.min { $0.moment < $1.moment })
        for person in people where person.program !== early.program { person.program.process.terminate() }
        return early
    }

    @Test func aServerThatIsAwayIsTriedAgainWhileOthersJoin() async throws {
        let lying = try await LyingDeployment(people: 4, joiningTime: "24h")
        try lying.enrol(0..<4)
        try lying.openJoining()
        let clock = try MovedClock(in: lying.deployment.scratch, ahead: 600)
        let early = try earliest(lying, clock)
        let path = "/rolls/\(lying.roll.id.hex)/join"
        lying.tamperingProxy.lie(at: "/rolls/people", status: 503, [])
        try clock.move(ahead: early.moment)
        #expect(early.program.waits(for: "trying again later"), "\(early.program.said)")
        lying.tamperingProxy.stopLying()
        lying.tamperingProxy.lie(at: path, status: 503, [])
        try clock.move(ahead: early.moment + 600)
        for _ in 0..<200 where lying.joins.isEmpty { usleep(50_000) }
        #expect(lying.joins.count == 1 && early.program.process.isRunning, "\(early.program.said)")
        lying.tamperingProxy.stopLying()
        // The next tries are spread over what is left of the phase.
        for step in 1...24 where early.program.process.isRunning {
            try clock.move(ahead: early.moment + 600 + step * 1800)
            for _ in 0..<30 where early.program.process.isRunning { usleep(100_000) }
        }
        #expect(early.program.end() == 0, "\(early.program.said)")
        // The same request was sent again.
        let first = try #require(lying.joins.first)
        #expect(lying.joins.filter { $0 == first }.count == 2)
    }

    @Test func nothingIsSentAgainAfterTheWindow() async throws {
        let lying = try await LyingDeployment(people: 4, joiningTime: "24h")
        try lying.enrol(0..<4)
        try lying.openJoining()
        let clock = try MovedClock(in: lying.deployment.scratch, ahead: 600)
        let early = try earliest(lying, clock)
        lying.tamperingProxy.lie(at: "/rolls/\(lying.roll.id.hex)/join", status: 503, [])
        try clock.move(ahead: early.moment)
        #expect(early.program.waits(for: "trying again later"), "\(early.program.said)")
        // The computer sleeps for three days.
        lying.tamperingProxy.stopLying()
        try clock.move(ahead: 3 * 86_400)
        #expect(early.program.end() == 3, "\(early.program.said)")
        #expect(lying.joins.count == 1)
    }

    @Test func aPageThatSaysAllIsWellIsNoAnswerToAJoin() async throws {
        let lying = try await LyingDeployment(people: 4)
        let deployment = lying.deployment
        try lying.enrol(0..<4)
        try lying.openJoining()
        let path = "/rolls/\(lying.roll.id.hex)/join"
        for status in [200, 202] {
            lying.tamperingProxy.lie(at: path, status: status, Array("<p>We are back soon.</p>".utf8))
            refused(
                try deployment.signer(0, "join", with: Deployment.joinNow), "its answer is not one to a join", code: 3)
        }
        // A false answer that is believed: given the link, the key can be sent again.
        lying.tamperingProxy.lie(at: path, status: 202, Array(#"{"status":"pending"}"#.utf8))
        try deployment.expectSigner(0, "join", with: Deployment.joinNow)
        lying.tamperingProxy.stopLying()
        refused(try deployment.signer(0, "join", with: Deployment.joinNow), "joined every roll")
        try deployment.expectSigner(0, "join", with: Deployment.joinNow + [deployment.coordinatorURL + "/rolls/people"])
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"pending\":1,"))
    }

    @Test func whoIsLateAfterTheWaitIsAsked() async throws {
        let lying = try await LyingDeployment(people: 4, joiningTime: "24h")
        try lying.enrol(0..<4)
        try lying.openJoining()
        let clock = try MovedClock(in: lying.deployment.scratch, ahead: 600)
        let person = try waiting(0, lying, clock)
        lying.tamperingProxy.forget()
        // As if the computer had slept, or the server had been that slow.
        try clock.move(ahead: 86_400 + 1000)
        #expect(person.program.end() == 1, "\(person.program.said)")
        #expect(person.program.said.contains("--despite window-over"), "\(person.program.said)")
        #expect(lying.joins.isEmpty)
    }

    @Test func aLostAnswerIsNoLostMemory() async throws {
        let lying = try await LyingDeployment(people: 4)
        let deployment = lying.deployment
        try lying.enrol(0..<4)
        try lying.openJoining()
        let path = "/rolls/\(lying.roll.id.hex)/join"
        lying.tamperingProxy.loseAnswers(at: path)
        let lost = try deployment.signer(0, "join", with: Deployment.joinNow)
        refused(lost, "cannot be read", code: 3)
        refused(try deployment.signer(1, "join", with: Deployment.joinNow), "cannot be read", code: 3)
        lying.tamperingProxy.stopLying()
        // Nor does a moved wallet forget that it still has to join.
        try deployment.expectSigner(0, "export", with: ["moved"])
        func moved(_ command: [String], _ arguments: [String] = []) throws -> Run {
            try Programs.run(
                "petition-signer", command + ["--wallet", "wallet-90", "--passphrase-fd", "0"] + arguments,
                in: deployment.folder, passphrase: "passphrase of 0")
        }
        #expect(try moved(["import"], ["moved"]).code == 0)
        #expect(try moved(["join"], Deployment.joinNow).code == 0)
        for person in 2..<4 { try deployment.expectSigner(person, "join", with: Deployment.joinNow) }
        // Nothing shows yet that the key arrived, so the same request is sent again.
        try deployment.expectSigner(0, "join", with: Deployment.joinNow)
        try deployment.expect("petition-coordinator", "seal", "people")
        try deployment.petition()
        #expect(Set(lying.joins.map(\.body)).count == 4)
        for person in 0..<4 { #expect(try deployment.sign(person).code == 0) }
        refused(try deployment.signer(0, "join", with: Deployment.joinNow), "joined every roll")
        let again = try deployment.signer(1, "join", with: Deployment.joinNow)
        #expect(again.code == 0 && again.output.contains("in \"People\" already"), "\(again.errors)")
    }

    // MARK: What is remembered

    @Test func aContradictionIsAskedAboutEverAfter() async throws {
        let lying = try await LyingDeployment(people: 4)
        let deployment = lying.deployment
        try lying.enrol(0..<4)
        // The same size as before, with another root. The entries are not requested.
        var other = try await lying.entries(lying.enrolmentPath)
        other[other.count - 1][5] ^= 1
        lying.lie(lying.enrolmentPath, other)
        lying.tamperingProxy.forget()
        refused(
            try deployment.signer(3, "join", with: Deployment.joinNow),
            "compare with other members before you try again")
        #expect(!lying.tamperingProxy.requests.contains { $0.path.contains("/enrolment/tile") })
        lying.tamperingProxy.stopLying()
        try lying.openJoining()
        for person in 0..<3 { try deployment.expectSigner(person, "join", with: Deployment.joinNow) }
        lying.tamperingProxy.forget()
        refused(try deployment.signer(3, "join", with: Deployment.joinNow), "--despite seen-contradiction")
        #expect(lying.joins.isEmpty)
        let despite = ["--despite", "seen-contradiction"]
        try deployment.expectSigner(3, "join", with: Deployment.joinNow + despite)
        try deployment.expect("petition-coordinator", "seal", "people")
        try deployment.petition()
        let aggregator = try #require(deployment.aggregatorLiar)
        aggregator.forget()
        let signing = ["--minimum-ring", "4", "--yes", deployment.petition]
        refused(try deployment.signer(3, "sign", with: signing), "--despite seen-contradiction")
        // The two signed notes alone prove it.
        try deployment.expectSigner(3, "evidence", with: ["roots.json"])
        let proof = try evidence(deployment, "roots.json")
        let notes = try [proof.seen, proof.shown].map {
            try Checkpoint(verifying: Array($0.utf8), key: lying.roll.enrolmentLogKey)
        }
        #expect(notes[0].size == notes[1].size && notes[0].root != notes[1].root && proof.leaves.isEmpty)
        #expect(!aggregator.requests.contains { $0.method == "POST" })
        #expect(try deployment.signer(3, "sign", with: signing + despite).code == 0)
        #expect(try deployment.sign(0).code == 0)
    }

    @Test func whatSignReadsFirstIsRememberedForJoining() async throws {
        let lying = try await LyingDeployment(people: 8, joiningTime: "24h")
        let deployment = lying.deployment
        try lying.enrol(0..<4)
        try lying.openJoining()
        let late = ["--minimum-round", "1", "--despite", "late-notice", "--despite", "window-over"]
        for person in 0..<4 { #expect(try deployment.signer(person, "join", with: late, clock: "90000").code == 0) }
        try deployment.expect("petition-coordinator", "seal", "people")
        try deployment.petition()
        try deployment.expect("petition-coordinator", "issuing", "open", "people")
        try lying.enrol(4..<8)
        let before = try await lying.entries(lying.enrolmentPath)
        try lying.openJoining()
        lying.lie(lying.enrolmentPath, before)
        let joining = ["--minimum-round", "1"]
        refused(try deployment.signer(4, "join", with: joining, clock: "1200"), "joining is not open yet")
        lying.tamperingProxy.stopLying()
        let signing = ["--minimum-ring", "4", "--yes", deployment.petition]
        refused(try deployment.signer(4, "sign", with: signing, clock: "1300"), "your key is in no ring")
        refused(try deployment.signer(4, "join", with: joining, clock: "1400"), "--despite late-log")
    }
}
