import DurableFiles
@preconcurrency import Platform

/// A file that a person named on the command line. `-` is standard input or output.
public enum NamedFile {
    private static let standard = "-"

    /// The bytes to read. Throws a ``UserError`` that says why there are none.
    public static func read(_ path: String, limit: Int) throws -> [UInt8] {
        do {
            if path == standard { return try DurableFile.read(STDIN_FILENO, named: "standard input", limit: limit) }
            return try DurableFile.read(path, limit: limit)
        } catch { throw userError(for: error) }
    }

    /// The text to read. Throws a ``UserError`` also if it is not UTF-8. A byte order mark is dropped.
    public static func readText(_ path: String, limit: Int) throws -> String {
        let bytes = try read(path, limit: limit)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        guard let text = String(validating: bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...], as: UTF8.self)
        else {
            let line = 1 + goodUTF8(bytes).count { $0 == 0x0A }
            throw UserError(
                .refused, "\(path), line \(line), is not UTF-8 text", hint: "save the file as UTF-8 in your editor")
        }
        return text
    }

    /// The bytes before the first that is not UTF-8.
    private static func goodUTF8(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        var good = 0
        var iterator = bytes.makeIterator()
        var decoder = UTF8()
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { good += UTF8.width(scalar) }
        return bytes.prefix(good)
    }

    /// Throws a ``UserError`` if there is something of this name. Checked before work that ends in a new file.
    public static func checkNew(_ path: String, hint: String = "name a new file") throws {
        var status = stat()
        guard path != standard, lstat(path, &status) == 0 else { return }
        throw UserError(.refused, "\(path) exists already", hint: hint)
    }

    /// Writes the bytes to a file, or to standard output.
    public static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(DurableFile.Failure) {
        guard path == standard else { return try DurableFile.write(bytes, to: path, mode: mode) }
        let isWritten = bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, stdout) } == bytes.count
        guard isWritten, fflush(stdout) == 0 else {
            throw DurableFile.Failure(path: "standard output", reason: String(cString: strerror(errno)))
        }
    }

    /// Makes a new file of the bytes, durably and never over another, and returns true. Or writes them to standard
    /// output, and returns false.
    public static func create(_ bytes: [UInt8], at path: String, mode: UInt32) throws(DurableFile.Failure) -> Bool {
        guard path == standard else {
            try DurableFile.create(bytes, at: path, mode: mode)
            return true
        }
        try write(bytes, to: path)
        return false
    }

    /// Prints a sentence about a file that was written: on standard error if the file is standard output.
    public static func tell(_ sentence: String, about path: String) {
        if path == standard { Terminal.show(sentence) } else { print(sentence) }
    }

    /// The error for a file that cannot be read.
    public static func userError(for failure: DurableFile.ReadFailure) -> UserError {
        switch failure {
        case .missing(let path): UserError(.refused, "there is no file \(path)", hint: "check its name and folder")
        case .isFolder(let path): UserError(.refused, "\(path) is a folder, not a file", hint: "name the file in it")
        case .notPermitted(let path):
            UserError(.refused, "you may not read \(path)", hint: "check its owner and permissions")
        case .tooLarge(let path, let limit):
            UserError(
                .refused, "\(path) has more than \(limit) bytes, which no such file has",
                hint: "see whether it is the right file")
        case .system(let path, let reason): UserError(.refused, "\(path) cannot be read: \(reason)")
        }
    }
}
