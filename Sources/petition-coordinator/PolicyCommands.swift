import ArgumentParser
import CommandSupport
import CoordinatorService
import Documents
import ServerCommands
import Witnessing

/// The policy in a file that an organiser wrote.
enum PolicyFile {
    static func read(_ path: String) throws -> WitnessPolicy {
        let bytes = try NamedFile.read(path, limit: WitnessPolicy.maximumBytes)
        do { return try WitnessPolicy(parsing: bytes) } catch {
            throw UserError(
                .refused, "\(path), line \(error.line) \(error.fault.explanation)", hint: "see c2sp.org/tlog-policy")
        }
    }

    /// Reads a policy for a document, and throws a ``UserError`` for one that protects nobody.
    static func readForDocument(_ path: String) throws -> WitnessPolicy {
        let policy = try read(path)
        guard policy.logs.isEmpty else {
            throw UserError(
                .refused, "\(path) has a log line", hint: "leave it out: a document says itself which logs it is about")
        }
        guard policy.strength.shared > 0 else {
            throw UserError(
                .refused, "\(path): two quorums may share no witness, so that each could see another log",
                hint: "ask for more than half of each group: petition-coordinator policy check \(path.shellQuoted)")
        }
        guard policy.canBeChecked else {
            throw UserError(
                .refused, "\(path): the quorum needs keys of type 6 (ML-DSA-44), which these programs cannot check",
                hint: "ask for a quorum of witnesses whose keys are of type 4")
        }
        return policy
    }

    /// What the policy withstands, in words.
    static func words(_ policy: WitnessPolicy) -> [String] {
        let strength = policy.strength
        var lines = [
            "shared           \(strength.shared): so many colluding witnesses make split views",
            "smallest quorum  \(strength.smallestQuorum): so many make late records timely",
        ]
        if let blocking = strength.blocking {
            lines.append("blocking         \(blocking): so many that are away stop everything")
        }
        if strength.shared == 1 {
            lines.append("Not one witness may collude. For f bad ones, ask for 2f + 1 of 3f + 1.")
        }
        if !policy.canBeChecked {
            lines.append("WRONG  the quorum needs keys of type 6 (ML-DSA-44), which these programs cannot check")
        }
        return lines
    }
}

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Look at a policy of witnesses.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a policy withstands.",
            discussion: """
                A policy is a text (C2SP tlog-policy) with the lines that witnesses print, and the quorum:

                  witness paper paper.example/witness+f3c080b6+BCms… https://witness.paper.example
                  group three-of-four 3 paper university clerks city
                  quorum three-of-four

                  petition-coordinator policy check policy.txt
                """)
        @Flag(help: "As one JSON object.") var json = false
        @Argument(help: "A file with a policy.") var file: String

        func run() throws {
            let policy = try PolicyFile.read(file)
            let strength = policy.strength
            if json {
                var fields: [(name: String, value: JSONValue)] = [
                    ("shared", .integer(UInt64(strength.shared))),
                    ("smallestQuorum", .integer(UInt64(strength.smallestQuorum))),
                ]
                if let blocking = strength.blocking { fields.append(("blocking", .integer(UInt64(blocking)))) }
                fields.append(("canBeChecked", .boolean(policy.canBeChecked)))
                print(JSONValue.object(fields).text(isPretty: false))
            } else {
                print(PolicyFile.words(policy).joined(separator: "\n"))
            }
            guard strength.shared > 0, policy.canBeChecked else {
                throw UserError(
                    .refused, "\(file) protects nobody from being shown another log",
                    hint: "ask for more than half of each group of witnesses")
            }
        }
    }
}

struct WitnessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "witness", abstract: "Say where witnesses are.", subcommands: [Add.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remember the address of a witness; a running server uses it from its next start on.",
            discussion: """
                  petition-coordinator witness add paper.example/witness+f3c080b6+BCms… https://witness.paper.example
                """)
        @OptionGroup var at: FolderOption
        @OptionGroup var witness: WitnessArguments

        func run() throws {
            let (key, url) = try witness.parsed()
            try at.open().setWitness(key, at: url)
            print("The witness \(key.name) is asked at \(url).")
        }
    }
}
