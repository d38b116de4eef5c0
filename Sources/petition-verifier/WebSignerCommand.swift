import ArgumentParser
import Bytes
import CommandSupport
import DurableFiles
import FoundationEssentials
import Sodium

struct WebSigner: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "web-signer",
        abstract: "Say which release a file of the signer for browsers is, before you open it.",
        discussion: """
            The answer is worth as much as the list of hashes: take SHA256SUMS from another place than the file, or its \
            signed form, SHA256SUMS.note, by a key that you know.

              petition-verifier web-signer --sums SHA256SUMS roundrobin-signer.html
            """)
    @Option(help: "The hashes of a release, as sha256sum writes them.") var sums: String?
    @Argument(help: "The file.") var file: String

    /// The largest such file in bytes.
    private static let largest = 1_500_000
    private static let largestSums = 65_536

    func run() throws {
        let bytes = try NamedFile.read(file, limit: Self.largest)
        let hash = SHA256.hash(bytes).hex
        print("SHA-256  \(hash)")
        guard let sums else {
            throw UserError(
                .undecided, "a hash alone does not say where a file is from",
                hint: "compare it with a poster, a mail or somebody you know; or give --sums SHA256SUMS of a release")
        }
        let list = String(decoding: try NamedFile.read(sums, limit: Self.largestSums), as: UTF8.self)
        // By scalars: CR LF is one Character.
        let lines = list.unicodeScalars.split { $0 == "\n" || $0 == "\r" }.map { String($0) }
        guard let line = lines.first(where: { $0.hasPrefix(hash + " ") }) else {
            throw UserError(
                .refused, "this file is not in \(sums)",
                hint: "do not open it: it may be another release, damaged, or made to take your key")
        }
        print("It is \(shown(String(line.dropFirst(66)))) of the release that \(sums) is of.")
    }
}
