import CCurl
import Platform
import Sodium

/// What a server asks for before it takes mail.
public struct MailCredentials: ~Copyable {
    /// The user name.
    public let user: String
    let password: SecretBytes

    /// A user and a password. Nil if either has a NUL or a line break, or the password is empty.
    public init?(user: String, password: consuming SecretBytes) {
        let isUsable = password.withUnsafeBytes { bytes in
            !bytes.isEmpty && bytes.allSatisfy { $0 != 0 && $0 != 0x0A && $0 != 0x0D }
        }
        guard isUsable, user.utf8.allSatisfy({ $0 >= 0x20 }) else { return nil }
        self.user = user
        self.password = password
    }
}

/// Connections to a mail server, by libcurl: one for many mails, until a mail is refused. One thread uses it.
///
/// What libcurl says of a failed transaction does not tell which command failed and how. So the session watches the
/// commands that are sent, of which it keeps the first word, and the replies to the last one.
public final class SMTPSession: MailTransport {
    private let handle: UnsafeMutableRawPointer
    private let exchange = Exchange()

    private static let library: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// A session with `server`, which is told that it speaks with `client`, a domain. `authorities` is a file of
    /// certificates to trust instead of the system's. It waits `patience` for each reply, and stops soon after
    /// `isStopped` says so.
    public init(
        server: MailServer, client: String, credentials: consuming MailCredentials?, authorities: String? = nil,
        patience: Duration = .seconds(120), isStopped: @escaping () -> Bool = { false }
    ) {
        precondition(Self.library, "libcurl cannot be started")
        guard let handle = curl_easy_init() else { preconditionFailure("no memory for a connection") }
        self.handle = handle
        exchange.isStopped = isStopped
        exchange.patience = patience
        let seconds = Int(max(1, patience.components.seconds))
        set(CURLOPT_URL, "\(server)/\(client)")
        // Nothing but what is said here: no proxy of the environment, no file of passwords, no signals.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_CONNECTTIMEOUT, min(30, seconds))
        // Only in case that the exchange, which looks at each command, does not notice.
        set(CURLOPT_SERVER_RESPONSE_TIMEOUT, Exchange.patienceForText * seconds + 60)
        set(CURLOPT_TIMEOUT, 4 * Exchange.patienceForText * seconds)
        set(CURLOPT_USE_SSL, server.encryption == .none ? Int(CURLUSESSL_NONE.rawValue) : Int(CURLUSESSL_ALL.rawValue))
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let authorities {
            set(CURLOPT_CAINFO, authorities)
            // Else the system's would be trusted beside them.
            curl_set_text(handle, CURLOPT_CAPATH, nil)
        }
        set(CURLOPT_UPLOAD, 1)
        set(CURLOPT_VERBOSE, 1)
        set(CURLOPT_NOPROGRESS, 0)
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        curl_set_reader(handle, readMessage, context)
        curl_set_observer(handle, observeExchange, context)
        curl_set_progress(handle, askForStop, context)
        authenticate(credentials)
    }

    private func authenticate(_ credentials: consuming MailCredentials?) {
        switch consume credentials {
        case .none: return
        case .some(let credentials):
            set(CURLOPT_USERNAME, credentials.user)
            var terminated = SecretBytes(count: credentials.password.count + 1)
            credentials.password.withUnsafeBytes { bytes in
                terminated.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
            }
            terminated.withUnsafeBytes { bytes in
                _ = curl_set_text(handle, CURLOPT_PASSWORD, bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
            }
        }
    }

    deinit { curl_easy_cleanup(handle) }

    private func set(_ option: CURLoption, _ value: Int) { curl_set_long(handle, option, value) }
    private func set(_ option: CURLoption, _ text: String) { curl_set_text(handle, option, text) }

    /// Sends one mail, over the connection of the last one if there is one.
    public func send(_ message: MailMessage, from sender: MailAddress) -> Delivery {
        exchange.begin(message.bytes())
        set(CURLOPT_MAIL_FROM, "<\(sender.text)>")
        let recipients = curl_slist_append(nil, "<\(message.to.text)>")
        defer { curl_slist_free_all(recipients) }
        curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients)
        let result = curl_easy_perform(handle)
        return outcome(result)
    }

    private func outcome(_ result: CURLcode) -> Delivery {
        let reply = exchange.reply
        let reason = String(cString: curl_easy_strerror(result))
        switch result {
        case CURLE_OK: return .accepted(reply ?? SMTPReply(code: 250, enhanced: nil, text: ""))
        case CURLE_ABORTED_BY_CALLBACK:
            if exchange.isStopped() { return .stopped }
            return exchange.stage < .sender ? .unreachable("no answer in time") : .unknown("no answer in time")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
            return .halted(.certificate(reason))
        case CURLE_USE_SSL_FAILED:
            if let reply, reply.code / 100 == 4 { return .unreachable(reply.description) }
            return .halted(.noEncryption)
        case CURLE_LOGIN_DENIED:
            // Without words: what was sent before has the password.
            if let reply, reply.code / 100 == 4 { return .unreachable(reply.numbers) }
            return .halted(.authentication(reply?.wordless))
        default: break
        }
        return outcome(of: exchange.stage, reply, reason)
    }

    /// What an answer, or none, means at this stage.
    private func outcome(of stage: Exchange.Stage, _ reply: SMTPReply?, _ reason: String) -> Delivery {
        guard let reply, reply.code >= 400 else {
            return stage < .sender ? .unreachable(reason) : .unknown(reason)
        }
        // It may answer any command (RFC 4954 section 6), and is no recipient's fault.
        if reply.code == 530 { return .halted(.authentication(reply.wordless)) }
        // The server closes: 421 may answer any command (RFC 5321 section 3.8).
        if reply.code < 500 || reply.code == 421 {
            return stage < .sender ? .unreachable(reply.description) : .later(reply)
        }
        return switch stage {
        case .greeting: .halted(.sender(reply))
        case .authentication: .halted(.authentication(reply.wordless))
        case .sender: .halted(.sender(reply))
        case .recipient, .text: .refused(reply)
        }
    }
}

/// One transaction, as the callbacks of libcurl see it. One thread uses it.
private final class Exchange {
    enum Stage: Int, Comparable {
        case greeting, authentication, sender, recipient, text

        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    /// No reply is longer: a server could fill the memory.
    private static let mostLines = 32
    /// How many times longer the answer to a text may take: a scanner reads it (RFC 5321 section 4.5.3.2.6).
    static let patienceForText = 5
    private var rest: ArraySlice<UInt8> = []
    private var lines: [String] = []
    private(set) var stage = Stage.greeting
    private var isOver = false
    var isStopped: () -> Bool = { false }
    /// How long a reply may take, however many lines of it come.
    var patience = Duration.zero
    private var asked = ContinuousClock.now
    private var isTextSent = false

    /// True if the last command was not answered in time.
    var isOverdue: Bool {
        ContinuousClock.now - asked > patience * (isTextSent ? Self.patienceForText : 1)
    }

    /// The whole reply to the last command; nil if there is none yet.
    var reply: SMTPReply? { SMTPReply(lines: lines) }

    func begin(_ message: [UInt8]) {
        rest = message[...]
        lines = []
        stage = .greeting
        isOver = false
        (asked, isTextSent) = (.now, false)
    }

    /// Copies the next bytes of the mail; 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, rest.count)
        buffer.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        // What comes next answers the text, and no longer DATA.
        if count == 0 { (lines, isTextSent) = ([], true) }
        asked = .now
        return count
    }

    func sent(_ command: UnsafeRawBufferPointer) {
        let verb = String(decoding: command.prefix { $0 > 0x20 }.prefix(8), as: UTF8.self)
        // After a refusal libcurl says good-bye at once, and the answer to that is of no interest.
        if verb == "QUIT" { isOver = true }
        guard !isOver else { return }
        (lines, asked) = ([], .now)
        switch verb {
        case "AUTH": stage = .authentication
        case "MAIL": stage = .sender
        case "RCPT": stage = .recipient
        case "DATA": stage = .text
        default: break
        }
    }

    func received(_ bytes: UnsafeRawBufferPointer) {
        guard !isOver else { return }
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) where lines.count < Self.mostLines {
            lines.append(String(decoding: line.prefix(512), as: UTF8.self))
        }
    }
}

private func exchange(_ context: UnsafeMutableRawPointer) -> Exchange {
    Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
}

private func readMessage(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let buffer, let context else { return 0 }
    return exchange(context).read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
}

private func observeExchange(
    _: UnsafeMutableRawPointer?, _ kind: curl_infotype, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let bytes, let context else { return 0 }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: count)
    if kind == CURLINFO_HEADER_OUT { exchange(context).sent(buffer) }
    if kind == CURLINFO_HEADER_IN { exchange(context).received(buffer) }
    return 0
}

private func askForStop(
    _ context: UnsafeMutableRawPointer?, _: curl_off_t, _: curl_off_t, _: curl_off_t, _: curl_off_t
) -> Int32 {
    guard let context else { return 0 }
    return exchange(context).isStopped() || exchange(context).isOverdue ? 1 : 0
}
