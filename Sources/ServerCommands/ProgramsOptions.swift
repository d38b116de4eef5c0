import ArgumentParser
import CommandSupport
import Documents
import PetitionPages

/// Where a server's pages say that the programs are offered.
public struct ProgramsOptions: ParsableArguments {
    private static let sumsLimit = 64 * 1024

    @Option(
        help: ArgumentHelp("The address where you offer Roundrobin's packages; pages link it.", valueName: "url"))
    var programs: String?
    @Option(
        help: ArgumentHelp("The packages' SHA256SUMS, which pages show; goes with --programs.", valueName: "file"))
    var programsSums: String?

    /// For the argument parser.
    public init() {}

    /// Refuses one of the two without the other: a link without a hash could lead to anything.
    public func validate() throws {
        guard (programs == nil) == (programsSums == nil) else {
            throw ValidationError("--programs and --programs-sums go together: pages show the hashes with the address")
        }
    }

    /// The offer; nil if there is none. Throws a ``UserError``.
    public func offer() throws -> ProgramsOffer? {
        guard let programs, let programsSums else { return nil }
        let url = try AddressText.pasted(
            programs, expected: "an address of packages, such as https://union.example/get")
        return ProgramsOffer(url: url.url, files: try Self.files(in: programsSums))
    }

    /// The hash of the signer for browsers in the file of hashes at `path`. Throws a ``UserError``.
    public static func browserSigner(in path: String) throws -> String {
        guard let hash = ProgramsOffer.browserSigner(in: try files(in: path)) else {
            throw UserError(
                .refused, "\(path) does not list \(ProgramsOffer.browserSigner)",
                hint: "give the SHA256SUMS that came with it")
        }
        return hash
    }

    private static func files(in path: String) throws -> [ProgramsOffer.File] {
        let sums = try NamedFile.readText(path, limit: sumsLimit)
        do { return try ProgramsOffer.files(in: sums) } catch {
            switch error {
            case .line(let line):
                throw UserError(
                    .refused, "\(path), line \(line), is no hash and file name",
                    hint: "give the SHA256SUMS that came with the packages, or the output of sha256sum")
            case .count(let count):
                throw UserError(
                    .refused, "\(path) lists \(count) files; pages show 1 to 32",
                    hint: "give the SHA256SUMS that came with the packages")
            }
        }
    }
}
