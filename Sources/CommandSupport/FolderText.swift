import DurableFiles

/// What is said about folders for secrets.
public enum FolderText {
    /// Makes a folder for secrets, or closes it to others and says so.
    public static func prepare(_ path: String, isOurs: Bool = false) throws {
        if try SecretFolder.prepare(path, isOurs: isOurs) == .closed {
            FileStream.error.write("note: \(path) was open to other users of this computer; now it is yours alone.\n")
        }
    }

    /// The error for a folder that is not used.
    public static func userError(for failure: SecretFolder.Failure) -> UserError {
        switch failure {
        case .foreign(let path):
            UserError(
                .refused, "\(path) belongs to another user, who could read and replace what is in it",
                hint: "use a folder of your own")
        case .shared(let path):
            UserError(
                .refused, "\(path) is open to other users of this computer, and has files already",
                hint: "name a new folder, or close this one yourself: chmod 700 \(path.shellQuoted)")
        case .unusable(let path, let reason): UserError(.refused, "the folder \(path) cannot be used: \(reason)")
        }
    }
}
