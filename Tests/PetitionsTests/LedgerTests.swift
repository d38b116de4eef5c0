import Bytes
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing

/// An enrolment log as it is read: its state and that of every code.
private struct Enrolment {
    var state = EnrolmentState()
    var codes: [Bytes32: CodeState] = [:]
    var rules = EnrolmentRules(minimumRing: 2)

    mutating func apply(_ entry: EnrolmentEntry) throws(Rule) {
        var code: CodeState?
        if let hash = entry.codeHash { code = codes[hash] }
        try state.apply(entry, code: &code, under: rules)
        if let hash = entry.codeHash { codes[hash] = code }
    }

    /// The rule that `entry` breaks; nil if it is applied. Checks that a refused entry changes nothing.
    mutating func refusal(_ entry: EnrolmentEntry) -> Rule? {
        let before = state
        let codesBefore = codes
        do throws(Rule) {
            try apply(entry)
            return nil
        } catch {
            let isUnchanged = state == before && codes == codesBefore
            #expect(isUnchanged)
            return error
        }
    }

    /// Applies entries that must be accepted.
    mutating func accept(_ entries: [EnrolmentEntry]) {
        for entry in entries {
            let rule = refusal(entry)
            #expect(rule == nil)
        }
    }
}

private func codeHash(_ number: UInt8) -> Bytes32 {
    SHA256.hash([number])
}

private func invited(_ numbers: ClosedRange<UInt8>) -> [EnrolmentEntry] {
    numbers.map { EnrolmentEntry.invited(codeHash: codeHash($0)) }
}

private func issued(_ number: UInt8) -> EnrolmentEntry {
    EnrolmentEntry.issued(codeHash: codeHash(number))
}

private func issued(_ numbers: ClosedRange<UInt8>) -> [EnrolmentEntry] {
    numbers.map { issued($0) }
}

private func voided(_ number: UInt8) -> EnrolmentEntry {
    EnrolmentEntry.voided(codeHash: codeHash(number))
}

@Suite struct EnrolmentStateTests {
    @Test func anEmptyLogIsTheIssuingPhaseOfRoundZero() {
        let state = EnrolmentState()
        #expect(!state.isJoining)
        #expect(state.round == 0)
        #expect(state.invited == 0 && state.issued == 0 && state.voided == 0 && state.issuedInRound == 0)
        #expect(state.opened == 0)
        let stored = EnrolmentState(
            round: 0, isJoining: false, opened: 0, issuedInRound: 0, invited: 0, issued: 0, voided: 0)
        #expect(state == stored)
    }

    @Test func aCodeIsInvitedOnceWhateverBecameOfIt() {
        var log = Enrolment()
        log.accept(invited(1...3))
        log.accept([issued(2), voided(3)])
        for number: UInt8 in [1, 2, 3] {
            let rule = log.refusal(EnrolmentEntry.invited(codeHash: codeHash(number)))
            #expect(rule == Rule.codeReused)
        }
        #expect(log.state.invited == 3)
    }

    @Test func anUninvitedCodeIsNeitherIssuedNorVoided() {
        var log = Enrolment()
        let issue = log.refusal(issued(1))
        #expect(issue == Rule.unknownCode)
        let void = log.refusal(voided(1))
        #expect(void == Rule.unknownCode)
    }

    @Test func aCodeIsIssuedOnce() {
        var log = Enrolment()
        log.accept(invited(1...1))
        log.accept([issued(1)])
        let again = log.refusal(issued(1))
        #expect(again == Rule.codeAlreadyUsed)
        let void = log.refusal(voided(1))
        #expect(void == Rule.codeAlreadyUsed)
        #expect(log.state.issued == 1 && log.state.voided == 0)
    }

    @Test func aVoidedCodeIsNeitherIssuedNorVoidedAgain() {
        var log = Enrolment()
        log.accept(invited(1...1))
        log.accept([voided(1)])
        let issue = log.refusal(issued(1))
        #expect(issue == Rule.voidedCode)
        let void = log.refusal(voided(1))
        #expect(void == Rule.voidedCode)
        #expect(log.state.issued == 0 && log.state.voided == 1)
    }

    @Test func codesAreIssuedInIssuingPhasesOnly() {
        var log = Enrolment()
        log.accept(invited(1...4))
        log.accept(issued(1...2))
        log.accept([.joiningOpens(round: 0, opened: 1000)])
        let early = log.refusal(issued(3))
        #expect(early == Rule.issuingClosed)
        log.accept([.issuingOpens(round: 1)])
        log.accept([issued(3)])
        #expect(log.state.issued == 3 && log.state.issuedInRound == 1)
    }

    @Test func peopleAreInvitedAndCodesVoidedInBothPhases() {
        var log = Enrolment()
        log.accept(invited(1...3))
        log.accept(issued(1...2))
        log.accept([.joiningOpens(round: 0, opened: 1000)])
        log.accept(invited(4...5))
        log.accept([voided(3), voided(4)])
        #expect(log.state.isJoining)
        #expect(log.state.invited == 5 && log.state.voided == 2)
    }

    @Test func phasesAlternateWithTheRightRounds() {
        var log = Enrolment()
        log.accept(invited(1...20))
        for round: UInt32 in 0..<4 {
            for wrong in [round, round + 1, round &- 1, UInt32.max] {
                let rule = log.refusal(EnrolmentEntry.issuingOpens(round: wrong))
                #expect(rule == Rule.phaseViolated)
            }
            let first = UInt8(round) * 2 + 1
            log.accept(issued(first...first + 1))
            for wrong in [round + 1, round &- 1, UInt32.max] {
                let rule = log.refusal(EnrolmentEntry.joiningOpens(round: wrong, opened: 1000))
                #expect(rule == Rule.phaseViolated)
            }
            log.accept([.joiningOpens(round: round, opened: 1000)])
            #expect(log.state.isJoining && log.state.round == round)
            for wrong in [round, round + 1] {
                let rule = log.refusal(EnrolmentEntry.joiningOpens(round: wrong, opened: 1000))
                #expect(rule == Rule.phaseViolated)
            }
            for wrong in [round, round + 2, round &- 1, UInt32.max] {
                let rule = log.refusal(EnrolmentEntry.issuingOpens(round: wrong))
                #expect(rule == Rule.phaseViolated)
            }
            log.accept([.issuingOpens(round: round + 1)])
            #expect(!log.state.isJoining && log.state.round == round + 1)
        }
    }

    @Test func anOpenRollHasNoCodeToSpare() {
        var log = Enrolment()
        log.rules = EnrolmentRules(minimumRing: 2, isOpen: true)
        log.accept(invited(1...1))
        // After an invitation, only its own use.
        let others: [EnrolmentEntry] = [
            .invited(codeHash: codeHash(2)), issued(2), voided(1), voided(2), .joiningOpens(round: 0, opened: 1),
            .issuingOpens(round: 1),
        ]
        for entry in others { #expect(log.refusal(entry) == Rule.spareCode, "\(entry)") }
        #expect(log.state.awaited == codeHash(1))
        log.accept([issued(1)] + invited(2...2) + [issued(2)])
        #expect(log.state.awaited == nil && log.state.invited == 2 && log.state.issued == 2)
        // Used codes are not voided, nor used again, nor is anything issued that was not invited.
        #expect(log.refusal(voided(1)) == Rule.spareCode)
        #expect(log.refusal(issued(1)) == Rule.codeAlreadyUsed)
        #expect(log.refusal(issued(3)) == Rule.unknownCode)
        #expect(log.refusal(.invited(codeHash: codeHash(1))) == Rule.codeReused)
        log.accept([.joiningOpens(round: 0, opened: 1000)])
        // Nobody is invited whose code cannot be used at once.
        #expect(log.refusal(.invited(codeHash: codeHash(3))) == Rule.spareCode)
        log.accept([.issuingOpens(round: 1)] + invited(3...3) + [issued(3)])
    }

    @Test func joiningOpensAfterEnoughIssuesOfItsOwnRound() {
        var log = Enrolment()
        log.rules = EnrolmentRules(minimumRing: 3)
        log.accept(invited(1...9))
        log.accept(issued(1...2))
        let few = log.refusal(EnrolmentEntry.joiningOpens(round: 0, opened: 1000))
        #expect(few == Rule.phaseViolated)
        log.accept(issued(3...5))
        log.accept([.joiningOpens(round: 0, opened: 1000), .issuingOpens(round: 1)])
        #expect(log.state.issuedInRound == 0 && log.state.issued == 5)
        log.accept(issued(6...7))
        let fewAgain = log.refusal(EnrolmentEntry.joiningOpens(round: 1, opened: 1000))
        #expect(fewAgain == Rule.phaseViolated)
        log.accept(issued(8...8))
        log.accept([.joiningOpens(round: 1, opened: 1000)])
    }

    @Test func theMomentOfOpeningIsKeptUntilTheNext() {
        var log = Enrolment()
        log.accept(invited(1...9))
        log.accept(issued(1...3))
        #expect(log.state.opened == 0)
        log.accept([.joiningOpens(round: 0, opened: 1_798_452_000)])
        #expect(log.state.opened == 1_798_452_000)
        #expect(log.state.issuedInRound == 3)
        let again = log.refusal(.joiningOpens(round: 0, opened: 1_798_452_001))
        #expect(again == Rule.phaseViolated)
        log.accept([.issuingOpens(round: 1)])
        #expect(log.state.opened == 1_798_452_000)
        #expect(log.state.issuedInRound == 0)
        log.accept(issued(4...5))
        let wrong = log.refusal(.joiningOpens(round: 0, opened: 5))
        #expect(wrong == Rule.phaseViolated)
        #expect(log.state.opened == 1_798_452_000)
        #expect(log.state.issuedInRound == 2)
        // The coordinator's clock is not checked here: readers judge the time that it states.
        log.accept([.joiningOpens(round: 1, opened: 5)])
        #expect(log.state.opened == 5)
        #expect(log.state.issued == 5)
    }

    @Test func joiningEndsWithItsTimeOrWhenEverybodyHasJoined() {
        func state(opened: UInt64, issued: UInt64 = 5) -> EnrolmentState {
            EnrolmentState(
                round: 1, isJoining: true, opened: opened, issuedInRound: 2, invited: 9, issued: issued, voided: 1)
        }
        let ends: [(now: UInt64, seconds: Int, joined: UInt64, mayEnd: Bool)] = [
            (1099, 100, 4, false), (1100, 100, 4, true), (1101, 100, 4, true), (.max, 100, 0, true), (0, 100, 4, false),
            (999, 100, 0, false), (1000, 100, 0, false), (1000, 0, 0, true), (999, 0, 0, false), (1001, 0, 0, true),
            (0, 100, 5, true), (1000, 100, 5, true), (1050, 100, 6, true), (1000, 604_800, 4, false),
            (605_799, 604_800, 4, false), (605_800, 604_800, 4, true),
        ]
        for (now, seconds, joined, mayEnd) in ends {
            let found = state(opened: 1000).mayEndJoining(at: now, joiningSeconds: seconds, joined: joined)
            #expect(found == mayEnd, "\(now) \(seconds) \(joined)")
        }
    }

    @Test func anOpeningAtTheEndOfTimeDoesNotEndAtOnce() {
        func mayEnd(opened: UInt64, seconds: Int, joined: UInt64 = 4, now: UInt64 = .max) -> Bool {
            EnrolmentState(
                round: 0, isJoining: true, opened: opened, issuedInRound: 5, invited: 9, issued: 5, voided: 0
            ).mayEndJoining(at: now, joiningSeconds: seconds, joined: joined)
        }
        #expect(!mayEnd(opened: .max, seconds: 1))
        #expect(!mayEnd(opened: .max, seconds: 604_800))
        #expect(!mayEnd(opened: .max - 99, seconds: 100))
        #expect(!mayEnd(opened: .max - 99, seconds: 100, now: 0))
        #expect(mayEnd(opened: .max - 100, seconds: 100))
        #expect(!mayEnd(opened: .max - 100, seconds: 100, now: .max - 1))
        #expect(mayEnd(opened: .max, seconds: 0))
        #expect(mayEnd(opened: .max, seconds: 1, joined: 5))
    }

    @Test func theLastRoundHasNoNext() {
        var log = Enrolment()
        log.state = EnrolmentState(
            round: .max, isJoining: true, opened: 0, issuedInRound: 0, invited: 9, issued: 9, voided: 0)
        for round in [0, 1, UInt32.max] {
            let rule = log.refusal(EnrolmentEntry.issuingOpens(round: round))
            #expect(rule == Rule.phaseViolated)
        }
    }

    private func sealRule(isJoining: Bool, invited: UInt64, issued: UInt64, voided: UInt64, members: UInt64) -> Rule? {
        let state = EnrolmentState(
            round: 0, isJoining: isJoining, opened: 0, issuedInRound: 0, invited: invited, issued: issued,
            voided: voided)
        do throws(Rule) {
            try state.checkSeal(membersSoFar: members)
            return nil
        } catch {
            return error
        }
    }

    @Test func aSealStandsInAJoiningPhase() {
        #expect(sealRule(isJoining: false, invited: 10, issued: 5, voided: 0, members: 5) == Rule.phaseViolated)
        #expect(sealRule(isJoining: false, invited: 10, issued: 5, voided: 0, members: 6) == Rule.phaseViolated)
        #expect(sealRule(isJoining: true, invited: 10, issued: 5, voided: 0, members: 5) == nil)
    }

    @Test func aSealHasNoMoreMembersThanIssuesAndNoMoreIssuesThanCodes() {
        #expect(sealRule(isJoining: true, invited: 10, issued: 5, voided: 5, members: 5) == nil)
        #expect(sealRule(isJoining: true, invited: 10, issued: 5, voided: 5, members: 0) == nil)
        #expect(sealRule(isJoining: true, invited: 10, issued: 10, voided: 0, members: 10) == nil)
        #expect(sealRule(isJoining: true, invited: 10, issued: 5, voided: 5, members: 6) == Rule.enrolmentExceeded)
        #expect(sealRule(isJoining: true, invited: 10, issued: 5, voided: 6, members: 5) == Rule.enrolmentExceeded)
        #expect(sealRule(isJoining: true, invited: 4, issued: 5, voided: 0, members: 5) == Rule.enrolmentExceeded)
        #expect(sealRule(isJoining: true, invited: 0, issued: 0, voided: 0, members: 1) == Rule.enrolmentExceeded)
    }

    @Test func aSealIsJudgedByTheEntriesSoFar() throws {
        var log = Enrolment()
        log.accept(invited(1...4))
        log.accept(issued(1...3))
        let issuing = log.state
        #expect(throws: Rule.phaseViolated) { try issuing.checkSeal(membersSoFar: 3) }
        log.accept([.joiningOpens(round: 0, opened: 1000), voided(4)])
        let state = log.state
        #expect(throws: Never.self) { try state.checkSeal(membersSoFar: 3) }
        #expect(throws: Rule.enrolmentExceeded) { try state.checkSeal(membersSoFar: 4) }
    }
}
