import Documents

/// Where an organiser offers the programs, with the hashes by which a person recognises them.
public struct ProgramsOffer: Equatable, Sendable {
    /// A file and its hash.
    public struct File: Equatable, Sendable {
        /// The file's name.
        public let name: String
        /// Its SHA-256, 64 lower-case hexadecimal digits.
        public let hash: String
    }

    /// Why a list of hashes is refused.
    public enum Fault: Error, Equatable, Sendable {
        /// This line, counted from 1, is not 64 hexadecimal digits, two characters and a name.
        case line(Int)
        /// It lists nothing, or more than 32 files.
        case count(Int)
    }

    private static let most = 32
    /// The name of the signer for browsers.
    public static let browserSigner = "roundrobin-signer.html"

    /// The address of the page or folder.
    public let url: ServiceURL
    /// The files.
    public let files: [File]

    /// An offer of these files at `url`.
    public init(url: ServiceURL, files: [File]) { (self.url, self.files) = (url, files) }

    /// The hash of the signer for browsers; nil if it is not among these files.
    public static func browserSigner(in files: [File]) -> String? {
        files.first { $0.name == browserSigner }?.hash
    }

    /// What `sums` lists: the output of `sha256sum`, such as `SHA256SUMS`. Throws a ``Fault``.
    public static func files(in sums: String) throws(Fault) -> [File] {
        var files: [File] = []
        // By scalars: CR LF is one Character.
        let lines = sums.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty {
            let hash = String(line.prefix(64))
            let name = String(line.dropFirst(66)).filter { !$0.isWhitespace }
            guard PetitionID(hex: hash) != nil, !name.isEmpty, line.dropFirst(64).first == " " else {
                throw .line(index + 1)
            }
            files.append(File(name: name, hash: hash))
        }
        guard (1...most).contains(files.count) else { throw .count(files.count) }
        return files
    }
}
