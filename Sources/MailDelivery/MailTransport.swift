import Documents

/// A way to hand mails to a server: a connection to one, or a program on this machine. One thread uses it.
public protocol MailTransport: AnyObject {
    /// Hands one mail over, which may take minutes.
    func send(_ message: MailMessage, from sender: MailAddress) -> Delivery
}
