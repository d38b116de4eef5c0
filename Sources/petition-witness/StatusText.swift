import Bytes
import CommandSupport
import Documents
import Sodium
import TransparencyLog
import WitnessService
import Witnessing

/// The state of a witness, for people and as JSON.
enum StatusText {
    /// The line of a policy for this witness. Its second word is what groups call it there.
    static func policyLine(of witness: Witness) -> String {
        let name = witness.key.name.utf8.map { byte in
            let isPlain = (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            return isPlain ? Character(UnicodeScalar(byte)) : "-"
        }
        return "witness \(String(name)) \(witness.key.vkey) \(witness.url.text)"
    }

    static func people(_ witness: Witness, _ status: Witness.Status) -> String {
        var lines = [policyLine(of: witness)]
        for rule in status.rules {
            let (kind, logs) =
                switch rule.subject {
                case .log(let origin): ("log", origin)
                case .prefix(let prefix): ("below", "\(prefix), at most \(rule.mostOrigins) logs")
                }
            let source = rule.list.map { ", from \($0)" } ?? ""
            lines.append("\n\(kind.padded(to: 6))\(logs)\(source)")
            lines.append("  key   \(Base64.encode(rule.key.bytes.array)), at most \(rule.perDay) checkpoints a day")
        }
        for list in status.lists {
            lines.append("\nlist  \(list.location)")
            lines.append("  read  \(list.readAt.map { UTCTime(seconds: $0).description } ?? "never")")
            if let problem = list.problem { lines.append("  WRONG \(problem)") }
        }
        if status.rules.isEmpty { lines.append("\nIt follows no log yet. Next: petition-witness trust --help") }
        for log in status.logs {
            lines.append("\n\(log.checkpoint.origin)")
            lines.append("  size  \(log.checkpoint.size), cosigned at \(UTCTime(seconds: log.time))")
            if let count = status.contradictions[log.checkpoint.origin] {
                lines.append(
                    "  WRONG it contradicts itself, \(counted(count, "proof", "proofs")): petition-witness status --strays "
                        + log.checkpoint.origin.shellQuoted)
            }
            if let count = status.unproven[log.checkpoint.origin] {
                lines.append(
                    "  note  \(counted(count, "checkpoint", "checkpoints")) came without a proof that holds; see --strays"
                )
            }
        }
        return lines.joined(separator: "\n")
    }

    /// A checkpoint that does not follow, and what it contradicts.
    static func stray(_ stray: StrayCheckpoint) -> String {
        func text(_ note: [UInt8]) -> String { String(decoding: note, as: UTF8.self) }
        guard let against = stray.against else {
            return "Unproven: it may be a true checkpoint that somebody sent with a wrong proof.\n\n\(text(stray.note))"
        }
        return """
            PROOF: the key of this log signed both of these, of one size with two roots.

            \(text(against))
            \(text(stray.note))
            """
    }

    static func json(_ witness: Witness, _ status: Witness.Status) -> String {
        let rules = status.rules.map { rule in
            let isPrefix = if case .prefix = rule.subject { true } else { false }
            return JSONValue.object([
                (isPrefix ? "below" : "log", .string(rule.subject.name)),
                ("key", .string(Base64.encode(rule.key.bytes.array))),
                ("mostLogs", .integer(UInt64(rule.mostOrigins))), ("perDay", .integer(UInt64(rule.perDay))),
            ])
        }
        let logs = status.logs.map { log in
            JSONValue.object([
                ("origin", .string(log.checkpoint.origin)), ("size", .integer(log.checkpoint.size)),
                ("root", .string(Base64.encode(log.checkpoint.root.array))),
                ("time", .string(UTCTime(seconds: log.time).description)),
                ("contradictions", .integer(UInt64(status.contradictions[log.checkpoint.origin] ?? 0))),
            ])
        }
        let lists = status.lists.map { list in
            JSONValue.object(
                [("url", .string(list.location))]
                    + (list.readAt.map { [("readAt", .string(UTCTime(seconds: $0).description))] } ?? [])
                    + (list.problem.map { [("problem", .string($0))] } ?? []))
        }
        return JSONValue.object([
            ("name", .string(witness.key.name)), ("vkey", .string(witness.key.vkey)),
            ("url", .string(witness.url.text)), ("rules", .array(rules)), ("lists", .array(lists)),
            ("logs", .array(logs)),
        ]).text(isPretty: false)
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - self.count))
    }
}
