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
            The answer is worth as much as the list of hashes: take SHA256SUMS from another place than the file.

              petition-verifier web-signer --sums SHA256SUMS roundrobin-signer.html
            """)
    @Option(help: "The hashes of a release, as sha256sum writes them.") var sums: String?
    @Argument(help: "The file.") var file: String

    private static let name = "roundrobin-signer.html"
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
        guard lines.contains(where: { $0.hasPrefix(hash + " ") && $0.dropFirst(66) == Self.name }) else {
            throw UserError(
                .refused, "this file is not the \(Self.name) of \(sums)",
                hint: "do not open it: it may be another release, damaged, or made to take your key")
        }
        print("It is \(Self.name) of the release that \(sums) is of.")
    }
}
