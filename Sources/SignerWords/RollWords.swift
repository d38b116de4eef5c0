import Documents
import Languages
import Petitions
import RingSignatures
import SignerWallet
import Witnessing

/// A line of a table of rolls.
public struct RollLine: Equatable, Sendable {
    /// How many entries.
    public let entries: UInt64
    /// Which roll, in words.
    public let name: String
    /// More about it; nil if there is nothing.
    public let detail: String?
}

/// How large rolls are, for a person who may be in one that was made for few.
public struct RollTable: Equatable, Sendable {
    /// What the lines are; nil when there are none.
    public let heading: String?
    /// The rolls.
    public let lines: [RollLine]
    /// What they may mean.
    public let remarks: [String]
}

extension SignerWords {
    /// How the people of a roll are admitted, as the end of a sentence.
    public func admission(_ admission: RollAdmission) -> String {
        switch admission {
        case .list: self(.byList)
        case .email(let domains) where domains.isEmpty: self(.byMail)
        case .email(let domains): self(.byMailAt, domains.map { $0.text }.joined(separator: ", "))
        }
    }

    /// A length of time, to the unit that suits it.
    public func duration(_ seconds: Int64) -> String {
        switch seconds {
        case ..<7200: self(.minutes, language.number(UInt64(max(1, seconds / 60))))
        case ..<172_800: self(.hours, language.number(UInt64(seconds / 3600)))
        default: self(.days, language.number(UInt64(seconds / 86_400)))
        }
    }

    /// What is shown before an invitation is used.
    public func sizesBeforeEnrolling(_ own: RollSize, _ others: OtherRolls) -> RollTable {
        table(.rollsByEnrolment, own, others, { $0.enrolment }) { "\($0.name)  \($0.link.url)" }
    }

    /// What is shown before a signature.
    public func sizesBeforeSigning(_ own: RollSize, _ others: OtherRolls) -> RollTable {
        table(.rollsByMembers, own, others, { $0.members }) { $0.name }
    }

    private func table(
        _ heading: SignerPhrase, _ own: RollSize, _ others: OtherRolls, _ entries: (RollSize) -> UInt64,
        _ name: (RollSize) -> String
    ) -> RollTable {
        var remarks: [String] = []
        if !others.sizes.isEmpty { remarks.append(self(.invented)) }
        if others.unknown > 0 { remarks.append(self(.sizesUnknown, "\(others.unknown)")) }
        if let warning = warning(entries(own), others.sizes.map(entries)) { remarks.append(self(warning)) }
        guard !others.sizes.isEmpty else { return RollTable(heading: nil, lines: [], remarks: remarks) }
        let lines = ([own] + others.sizes).map { size in
            RollLine(entries: entries(size), name: name(size) + (size == own ? "  " + self(.yours) : ""), detail: nil)
        }
        return RollTable(heading: self(heading, "\(others.sizes.count + 1)"), lines: lines, remarks: remarks)
    }

    /// The warning when the person's own roll may have been made for few.
    private func warning(_ own: UInt64, _ others: [UInt64]) -> SignerPhrase? {
        if others.contains(where: { $0 > own && $0 / 2 >= own }) { return .largerRoll }
        return !others.isEmpty && others.allSatisfy({ $0 > own }) ? .smallestRoll : nil
    }

    /// What a person must know before they sign.
    public func beforeSigning(_ signable: SignablePetition, floor: Int) -> (text: [String], tables: [RollTable]) {
        let text =
            [
                self(
                    .ringToSignIn, "\(signable.ring.members.count)", "\(signable.ring.number)", signable.ownSize.name,
                    admission(signable.ownSize.admission)),
                self(.visible), self(.visibleLess),
            ] + witnesses(signable) + company(signable, floor: floor)
        let sizes = sizesBeforeSigning(signable.ownSize, signable.others)
        return (text, signable.manifest.rolls.count > 1 ? [sizes, rolls(of: signable)] : [sizes])
    }

    /// Who vouches that everybody is shown the same. Where petition and roll differ, the weaker counts.
    private func witnesses(_ signable: SignablePetition) -> [String] {
        guard let names = signable.witnesses, let policy = signable.manifest.witnesses else {
            return [self(.noWitnesses)]
        }
        guard let rollPolicy = signable.rollPolicy else {
            return [self(.witnessesOfPetition, names.joined(separator: ", ")), self(.noWitnessesOfRoll)]
        }
        let shared = min(policy.strength.shared, rollPolicy.strength.shared)
        return [
            self(.witnesses, names.joined(separator: ", ")),
            shared == 1 ? self(.oneDeceives) : self(.severalDeceive, "\(shared)"),
        ]
    }

    /// How many signed before, and how much of that was checked.
    private func company(_ signable: SignablePetition, floor: Int) -> [String] {
        guard signable.entries > 0 else { return [self(.nobodySigned)] }
        let count =
            if let checked = signable.checkedSignatures {
                self(.entries, "\(signable.entries)", "\(checked)")
            } else { self(.entriesOfLargeRoll, "\(signable.entries)") }
        let isFew = signable.checkedSignatures.map { UInt64($0) } ?? signable.entries < UInt64(clamping: floor)
        return isFew ? [count, self(.fewSigned)] : [count]
    }

    private func rolls(of signable: SignablePetition) -> RollTable {
        let rolls = signable.manifest.rolls
        let own = Int(signable.roll)
        let known = [signable.ownSize] + signable.others.sizes
        let lines = rolls.enumerated().map { index, roll in
            let words = known.first { $0.id == roll.id }.map { admission($0.admission) } ?? self(.admissionUnknown)
            return RollLine(
                entries: roll.size,
                name: (roll.label ?? roll.url.bare) + (index == own ? "  " + self(.yours) : ""),
                detail: self(.admitted, words))
        }
        let isSmallest = rolls.enumerated().allSatisfy { $0.offset == own || $0.element.size > rolls[own].size }
        return RollTable(
            heading: self(.petitionRolls), lines: lines, remarks: isSmallest ? [self(.yoursSmallest)] : [])
    }
}
