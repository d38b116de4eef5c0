import Foundation
import Testing

/// The libraries that the installed programs depend on.
@Suite struct LinkingTests {
    /// The libraries that a program is linked against.
    private func libraries(_ program: String) throws -> Set<String> {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["ldd", Programs.folder.appending(path: program).path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let names = text.split(separator: "\n").compactMap { $0.split(separator: " ").first }
        return Set(names.map { String($0.trimmingPrefix(while: \.isWhitespace).prefix { $0 != "." }) })
    }

    @Test(arguments: ["petition-signer", "petition-verifier"]) func noDataOfAllLanguagesIsLinked(program: String) throws
    {
        let libraries = try libraries(program)
        #expect(libraries.contains("libsodium"))
        for library in ["libFoundation", "libFoundationInternationalization", "lib_FoundationICU"] {
            #expect(!libraries.contains(library), "\(program) links \(library)")
        }
    }

    @Test func theVerifierLinksNoImagesAndNoDatabase() throws {
        let libraries = try libraries("petition-verifier")
        for library in ["libpng16", "libsqlite3"] { #expect(!libraries.contains(library)) }
    }
}
