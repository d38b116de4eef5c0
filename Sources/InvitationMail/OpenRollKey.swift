import Bytes
import Documents
import Foundation
import LogStorage
import MailDelivery
import Sodium

/// The key of an open roll, in a file of its own: mailboxes are remembered under it, and the codes of invitations that
/// somebody asked for are derived from it. Whoever has only the database knows neither.
public struct OpenRollKey: ~Copyable {
    private static let mailboxLabel = Array("roundrobin-v1 mailbox".utf8)
    private static let codeLabel = Array("roundrobin-v1 requested invitation".utf8)
    private let key: SecretBytes

    /// The key of this secret of 32 bytes.
    public init(_ key: consuming SecretBytes) { self.key = key }

    /// What a mailbox is remembered by in this roll: 32 bytes.
    public func mark(of address: MailAddress) -> Bytes32 {
        let tag = HMACSHA512.authenticate(
            Self.mailboxLabel + [MailAddress.mailboxRule] + Array(address.mailbox.utf8), key: key)
        return tag.withUnsafeBytes { bytes in
            guard let mark = Bytes32(Array(bytes.prefix(Bytes32.count))) else { preconditionFailure("32 of 64 bytes") }
            return mark
        }
    }

    /// The code that belongs to a random salt: always the same, and random to everybody without the key.
    func code(salt: [UInt8]) -> InvitationCode {
        InvitationCode.drawn { attempt in
            HMACSHA512.authenticate(Self.codeLabel + salt + [attempt], key: key).withUnsafeBytes {
                Array($0.prefix(16))
            }
        }
    }
}
