import ArgumentParser
@preconcurrency import Platform

/// How a program ends. The numbers are part of its interface.
public enum ExitStatus: Int32, Sendable {
    /// Everything is fine.
    case fine = 0
    /// Something is refused or proven invalid.
    case refused = 1
    /// The command line is wrong.
    case usage = 2
    /// Nothing can be decided: something is unreachable, incomplete or unavailable.
    case undecided = 3
}

/// An error as people read it: what is wrong, and what to do next.
public struct UserError: Error, Equatable, Sendable {
    /// How the program ends.
    public let exitStatus: ExitStatus
    /// What is wrong: lower case, no full stop.
    public let message: String
    /// What to do next.
    public let hint: String?

    /// A userError that ends the program.
    public init(_ exitStatus: ExitStatus, _ message: String, hint: String? = nil) {
        self.exitStatus = exitStatus
        self.message = message
        self.hint = hint
    }
}

/// What all four programs share: how errors are said and how the program ends.
public protocol Program: AsyncParsableCommand {
    /// The program's name.
    static var programName: String { get }
    /// Words for an error of the libraries below; nil for one that the program does not know.
    static func userError(for error: any Error) -> UserError?
}

extension Program {
    /// Parses the command line, runs it, and ends the process.
    public static func runProgram() async -> Never {
        // Line by line also where no terminal is: what a person is told must be out before what they are told about is
        // done.
        setvbuf(stdout, nil, _IOLBF, 0)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Platform.exit(ExitStatus.fine.rawValue)
        } catch {
            end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        if let known = error as? UserError ?? userError(for: error) {
            say(known)
            Platform.exit(known.exitStatus.rawValue)
        }
        if let code = error as? ExitCode { Platform.exit(code.rawValue) }
        let text = fullMessage(for: error)
        if exitCode(for: error).isSuccess {
            print(text)
            Platform.exit(ExitStatus.fine.rawValue)
        }
        if exitCode(for: error) == .validationFailure {
            // The parser begins with "Error: "; everything that these programs say about an error begins alike.
            let said = text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
            FileStream.error.write("\(programName): error: \(said)\n")
            Platform.exit(ExitStatus.usage.rawValue)
        }
        say(UserError(.undecided, "unexpected: \(error)"))
        Platform.exit(ExitStatus.undecided.rawValue)
    }

    private static func say(_ userError: UserError) {
        FileStream.error.write("\(programName): error: \(userError.message)\n")
        if let hint = userError.hint { FileStream.error.write("hint: \(hint)\n") }
    }
}
