import ArgumentParser
@preconcurrency import Platform

/// The exit status of a program. The numbers are part of its interface.
public enum ExitStatus: Int32, Sendable {
    /// Everything is in order.
    case fine = 0
    /// Something is refused or proven invalid.
    case refused = 1
    /// The command line is wrong.
    case usage = 2
    /// No decision is possible: something is unreachable, incomplete or unavailable.
    case undecided = 3
}

/// An error for people to read: what is wrong, and what to do next.
public struct UserError: Error, Equatable, Sendable {
    /// The exit status with which the program ends.
    public let exitStatus: ExitStatus
    /// What is wrong, in lower case and without a full stop.
    public let message: String
    /// What to do next.
    public let hint: String?

    /// An error that ends the program.
    public init(_ exitStatus: ExitStatus, _ message: String, hint: String? = nil) {
        self.exitStatus = exitStatus
        self.message = message
        self.hint = hint
    }
}

/// What all programs have in common: how errors are reported and how the program ends.
public protocol Program: AsyncParsableCommand {
    /// The program's name.
    static var programName: String { get }
    /// The message for an error of the underlying libraries; nil for errors unknown to the program.
    static func userError(for error: any Error) -> UserError?
}

extension Program {
    /// Parses the command line, runs it, and ends the process.
    public static func runProgram() async -> Never {
        StandardStreams.prepare()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            end(.fine)
        } catch {
            end(with: error)
        }
    }

    /// Ends the process. A result that could not be written is not fine; what is refused stays refused.
    private static func end(_ status: ExitStatus) -> Never { end(status.rawValue) }

    private static func end(_ status: Int32) -> Never {
        if let reason = StandardStreams.lostOutput() {
            say(
                UserError(
                    .undecided, "standard output cannot be written: \(reason)",
                    hint: "what was done is done; only its words are lost"))
            Platform.exit(status == ExitStatus.fine.rawValue ? ExitStatus.undecided.rawValue : status)
        }
        Platform.exit(status)
    }

    private static func end(with error: any Error) -> Never {
        if let known = error as? UserError ?? userError(for: error) {
            say(known)
            end(known.exitStatus)
        }
        if let code = error as? ExitCode { end(code.rawValue) }
        let text = fullMessage(for: error)
        if exitCode(for: error).isSuccess {
            print(text)
            end(.fine)
        }
        if exitCode(for: error) == .validationFailure {
            // Replace the parser's "Error: " prefix, so that all error messages begin alike.
            let said = text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
            FileStream.error.write("\(programName): error: \(said)\n")
            end(.usage)
        }
        say(
            UserError(
                .undecided, "unexpected: \(error)",
                hint: "this is a fault of \(programName): report it with the command that you ran"))
        end(.undecided)
    }

    private static func say(_ userError: UserError) {
        FileStream.error.write("\(programName): error: \(userError.message)\n")
        if let hint = userError.hint { FileStream.error.write("hint: \(hint)\n") }
    }
}
