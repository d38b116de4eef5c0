import CommandSupport
import Documents
import DurableFiles
import Foundation
import LogClient
import LogReading
import LogStorage
import Logging
import NIOCore
import Petitions
import Platform
import ServiceHTTP
import Storage
import TransparencyLog

/// Error messages for what can go wrong in either server program.
public enum ServerErrorText {
    /// The message for an error of the store, the system or the network; nil for any other error.
    public static func about(_ error: any Error) -> UserError? {
        switch error {
        case let error as StorageError: words(for: error)
        case let error as KeyFile.Failure: words(for: error)
        case let error as FileLock.Failure: words(for: error)
        case let error as DurableFile.ReadFailure: NamedFile.userError(for: error)
        case let error as SecretFolder.Failure: FolderText.userError(for: error)
        case let error as DurableFile.Failure:
            UserError(
                .refused, "\(error.path) cannot be written: \(error.reason)", hint: "check the folder and the disk")
        case let error as IOError where error.errnoCode == EADDRINUSE:
            UserError(
                .refused, "the port is in use by another program",
                hint: "see which with: ss -ltnp; stop it, or choose another port with --listen host:port")
        case let error as IOError where error.errnoCode == EACCES || error.errnoCode == EADDRNOTAVAIL:
            UserError(.refused, "the address cannot be listened on", hint: "choose another with --listen host:port")
        case let error as CocoaError:
            UserError(
                .refused, "\(error.filePath ?? "a file or folder") cannot be written: \(error.reason)",
                hint: "check its permissions and the disk")
        case is SocketAddressError:
            UserError(
                .refused, "the address to listen on does not exist", hint: "choose another with --listen host:port")
        case let error as SourceError: words(for: error)
        case let error as LogReadError:
            UserError(error.isProof ? .refused : .undecided, "a log cannot be read: \(error)")
        case let error as DocumentError: UserError(.refused, "a document breaks a rule: \(error)")
        default: nil
        }
    }

    private static func words(for error: StorageError) -> UserError {
        let restoring = "see \"Restoring\" in Protocol/operating.md"
        let hint: String? =
            switch error {
            case .full: "nothing was changed: make room, check the disk, and try again"
            case .readOnly: "check the folder's owner and permissions"
            case .damaged: "keep the folder as it is: \(restoring)"
            case .busy: "try again in a moment"
            case .rolledBack:
                "put the newer database back, or promote the other standby; if both are lost, the log must end: "
                    + restoring
            case .otherThanPublished: "put the right database back, or promote the other standby: \(restoring)"
            case .memoryLost, .memoryDamaged:
                "put it back, or write the newest checkpoint that anybody has seen to it: \(restoring)"
            case .memoryUnreadable: "check its owner and permissions, and the disk"
            case .notRemembered: "make room, check the folder's permissions, and run any command on it again"
            case .networkDisk: "use a disk of this machine, and copy backups to the other"
            case .address: "write it like postgresql://user@host/database, with the password in a file: see PGPASSFILE"
            case .unreachable(_, let reason): connecting(reason)
            case .connectionLost: "see that it runs, and try again"
            case .notAllowed: "let its operator grant that: see Protocol/postgresql.md"
            case .standby: "name the primary, or all servers with target_session_attrs=read-write"
            case .notDurable(let setting): "let its operator set \(setting) = on"
            case .logsParameters(let setting): "let its operator take \(setting) out of its configuration"
            case .oldServer: "use a newer one"
            case .newer: "use the newest version that ever ran on it"
            case .unconfirmed: "see that enough standbys run; what was sent may be sent again"
            case .moved: "put the file named database back into the folder; if a move was stopped, repeat its command"
            case .absent: "name the right database: see \"petition-aggregator database --help\", or put it back"
            case .atWork: "stop every server on it, on all machines"
            case .otherKey: "put the note.key and the address of one server together"
            case .occupied: "name a database without one"
            case .moving: "name a database of its own for each server"
            case .movedWrong: "try again; if it stays so, run fsck"
            case .deposed: "start it again: it waits until it is needed, and answers what can be read"
            case .failed: nil
            }
        let isPassing =
            switch error {
            case .unreachable, .connectionLost, .unconfirmed, .deposed, .busy: true
            default: false
            }
        return UserError(isPassing ? .undecided : .refused, error.explanation, hint: hint)
    }

    /// What to do about a server that did not let us in, by what libpq says.
    private static func connecting(_ reason: String) -> String {
        let known: [(words: String, hint: String)] = [
            ("pg_hba.conf", "let its operator admit this user from this machine, in pg_hba.conf"),
            ("password", "put the password into ~/.pgpass (mode 0600), or the file that PGPASSFILE names"),
            ("root certificate file", "put the authority's certificate into ~/.postgresql/root.crt"),
            ("certificate", "see that its certificate is valid, for this name, and by the authority in root.crt"),
            ("translate host name", "check the name"),
            ("SSL", "see that the server has ssl = on, and that the address has the sslmode that it wants"),
        ]
        return known.first { reason.contains($0.words) }?.hint ?? "see that it runs, and what its log says"
    }

    private static func words(for error: KeyFile.Failure) -> UserError {
        switch error {
        case .exists(let path):
            UserError(
                .refused, "there is a key in \(path) already",
                hint: "keys are never overwritten: remove it yourself if nothing was ever published with it")
        case .unwritable(let path):
            UserError(.refused, "the key \(path) cannot be written", hint: "check the folder and the disk")
        case .missing(let path):
            UserError(
                .refused, "the key \(path) is lost: nothing can be signed without it",
                hint: "put your copy of it back: see \"Restoring\" in Protocol/operating.md")
        case .unreadable(let path):
            UserError(.refused, "the key \(path) cannot be read", hint: "check the folder's owner and permissions")
        case .malformed(let path): UserError(.refused, "\(path) is not a key", hint: "restore it from a backup")
        }
    }

    private static func words(for error: FileLock.Failure) -> UserError {
        switch error {
        case .held: UserError(.refused, "another server runs on this folder", hint: "stop it first")
        case .unavailable(let path):
            UserError(.refused, "\(path) cannot be opened", hint: "check that the folder exists and is yours")
        }
    }

    private static func words(for error: SourceError) -> UserError {
        switch error {
        case .unreachable, .answered:
            UserError(
                .undecided, "\(error.location) cannot be read: \(error.reason)", hint: "see that it runs, and try again"
            )
        case .tooLarge(let location): UserError(.undecided, "\(location) is larger than it can be")
        }
    }
}
