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

    /// Settings with these parts.
    public init(from: Mailbox, bounces: MailAddress?, route: Route) {
        (self.from, self.bounces, self.route) = (from, bounces, route)
    }

    /// The return path of the mail with this token.
    public func returnPath(_ token: MailToken) -> MailAddress {
        bounces?.with(detail: token.text) ?? from.address
    }

    /// Opens the way out, or says why that is not possible. A reply may take `patience`, if it is given.
    public func transport(
        patience: Duration? = nil, isStopped: @escaping () -> Bool = { false }
    ) -> Result<any MailTransport, HaltError> {
        switch route {
        case .program(let path):
            return .success(
                SendmailProgram(path: path, patience: patience ?? .seconds(300), isStopped: isStopped))
        case .server(let server, let user, let file, let authorities):
            do {
                let session = try Self.session(
                    server, client: from.address.domain, user, file, authorities, patience ?? .seconds(120), isStopped)
                return .success(session)
            } catch {
                return .failure(error)
            }
        }
    }

    private static func session(
        _ server: MailServer, client: String, _ user: String?, _ file: String?, _ authorities: String?,
        _ patience: Duration, _ isStopped: @escaping () -> Bool
    ) throws(HaltError) -> SMTPSession {
        guard let user, let file else {
            return SMTPSession(
                server: server, client: client, credentials: nil, authorities: authorities, patience: patience,
                isStopped: isStopped)
        }
        let credentials = try credentials(user: user, file: file)
        return SMTPSession(
            server: server, client: client, credentials: consume credentials, authorities: authorities,
            patience: patience,
            isStopped: isStopped)
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
