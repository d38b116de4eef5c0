import Documents
import Languages
import SignerWallet
import SignerWords

extension SignerWords {
    /// What this program says: its options and help are in English.
    static let program = SignerWords(.english)
}

/// Explanations of what is odd, and what it may mean.
enum RiskText {
    static func explanation(of risk: SignerRisk) -> String {
        let words = SignerWords.program.explanation(risk)
        guard case .seenContradiction = risk else { return words }
        return words + " petition-signer evidence FILE writes what was signed, where one key signed both."
    }
}

/// How large rolls are, for a person who may be in one that was made for few.
enum RollSizeText {
    /// The text before an invitation is used.
    static func enrolling(_ own: RollSize, _ others: OtherRolls) -> [String] {
        lines(SignerWords.program.sizesBeforeEnrolling(own, others))
    }

    /// A table as lines.
    static func lines(_ table: RollTable) -> [String] {
        let rolls = table.lines.flatMap { line in
            ["  \(line.entries)  \(line.name)"] + (line.detail.map { ["     \($0)"] } ?? [])
        }
        return (table.heading.map { [$0] } ?? []) + rolls + table.remarks
    }
}
