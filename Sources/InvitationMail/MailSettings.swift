import DurableFiles
import MailDelivery
import Sodium

/// How a coordinator sends mail.
public struct MailSettings: Equatable, Sendable {
    /// What takes the mails.
    public enum Route: Equatable, Sendable {
        /// A server, with the user and the file of the password, if it asks for them, and a file of certificates that
        /// are trusted instead of the system's.
        case server(MailServer, user: String?, passwordFile: String?, authorities: String?)
        /// A program of this machine that is like sendmail.
        case program(String)
    }

    private static let longestPassword = 4096

    /// What stands after `From:`.
    public let from: Mailbox
    /// The mailbox for bounces; nil if they go to the sender, where nobody counts them.
    public let bounces: MailAddress?
    /// What takes the mails.
    public let route: Route
    /// The SHA-256 of the signer for browsers that mails name, 64 lower-case hexadecimal digits; nil if they name none.
    public let browserSigner: String?

    /// Settings with these parts.
    public init(from: Mailbox, bounces: MailAddress?, route: Route, browserSigner: String? = nil) {
        (self.from, self.bounces, self.route, self.browserSigner) = (from, bounces, route, browserSigner)
    }

    /// The return path of the mail with this token.
    public func returnPath(_ token: MailToken) -> MailAddress {
        bounces?.with(detail: token.text) ?? from.address
    }

    /// Opens the way out, or says why that is not possible. It ends soon after `isStopped` says so.
    public func transport(isStopped: @escaping () -> Bool = { false }) -> Result<any MailTransport, HaltError> {
        switch route {
        case .program(let path): return .success(SendmailProgram(path: path, isStopped: isStopped))
        case .server(let server, let user, let file, let authorities):
            do throws(HaltError) {
                var credentials: MailCredentials?
                if let user, let file { credentials = try Self.credentials(user: user, file: file) }
                return .success(
                    SMTPSession(
                        server: server, client: from.address.domain, credentials: credentials, authorities: authorities,
                        isStopped: isStopped))
            } catch {
                return .failure(error)
            }
        }
    }

    /// The user, and the password in a file, which is its only line.
    public static func credentials(user: String, file: String) throws(HaltError) -> MailCredentials {
        var bytes: [UInt8]
        do { bytes = try DurableFile.read(file, limit: longestPassword) } catch {
            throw HaltError(.settings("the password file \(file) cannot be read"))
        }
        while bytes.last == 0x0A || bytes.last == 0x0D { bytes[bytes.count - 1] = 0; bytes.removeLast() }
        guard let credentials = MailCredentials(user: user, password: SecretBytes(moving: &bytes)) else {
            throw HaltError(.settings("the password file \(file) has no password in one line"))
        }
        return credentials
    }
}

/// A ``Halt`` that is thrown.
public struct HaltError: Error, Equatable, Sendable {
    /// Why nothing can be sent.
    public let halt: Halt

    init(_ halt: Halt) { self.halt = halt }
}
