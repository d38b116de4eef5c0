import Bytes
import CommandSupport
import DurableFiles
import FoundationEssentials
import Platform
import SignerWallet
import Sodium

/// A systemd user timer that starts `petition-signer continue` after the computer was off. Three files of the wallet
/// are written, and nothing is enabled.
enum SupportTimer {
    /// The name of the files for a wallet: each has its own.
    private static func name(of wallet: String) -> String {
        "roundrobin-continue-" + Hex.encode(SHA256.hash(Array(wallet.utf8)).array.prefix(4))
    }

    /// What the person is told before agreeing.
    static func cost(passphraseFile: String?) -> String {
        guard let passphraseFile else {
            return """
                The timer asks the system's keyring for the passphrase (secret-tool): while you are logged in, every program
                of yours can ask for it, too.
                """
        }
        return """
            The timer reads the passphrase from \(passphraseFile): whoever reads your files can open your wallet then, and
            knows what you signed.
            """
    }

    /// Checks what could not work, or would give secrets away, before anything is agreed to.
    static func check(passphraseFile: String?, net: NetworkOptions) throws {
        guard net.proxy?.contains("@") != true else {
            throw UserError(
                .usage, "a proxy's password would be in a file of the timer", hint: "use a proxy without one, as Tor is"
            )
        }
        guard let passphraseFile else { return }
        var status = stat()
        guard stat(passphraseFile, &status) == 0 else {
            throw UserError(.refused, "\(passphraseFile) cannot be read", hint: "name a file with the passphrase")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw UserError(
                .refused, "\(passphraseFile) can be read by others",
                hint: "chmod 600 \(passphraseFile.shellQuoted)")
        }
    }

    /// Writes the files, and says what to type.
    static func install(
        wallet: String, passphraseFile: String?, net: NetworkOptions, risks: RiskOptions
    ) throws {
        let (folder, wallet) = (try self.folder(), absolute(DurableFile.target(of: wallet)))
        let name = name(of: wallet)
        let script = "\(folder)/\(name).sh"
        var command = "\(program().shellQuoted) continue --wallet \(wallet.shellQuoted) --passphrase-fd 3"
        if let proxy = net.proxy { command += " --proxy \(proxy.shellQuoted)" }
        for risk in risks.despite { command += " --despite \(risk.rawValue)" }
        let text = Self.script(command, wallet: wallet, passphraseFile: passphraseFile.map(absolute))
        try DurableFile.write(Array(text.utf8), to: script, mode: 0o700)
        try DurableFile.write(Array(service(script).utf8), to: "\(folder)/\(name).service", mode: 0o600)
        try DurableFile.write(Array(timer.utf8), to: "\(folder)/\(name).timer", mode: 0o600)
        Terminal.show("Wrote \(name).timer into \(folder). Start it with: systemctl --user enable --now \(name).timer")
        if passphraseFile == nil {
            Terminal.show(
                "Store the passphrase: secret-tool store --label=Roundrobin program roundrobin wallet "
                    + wallet.shellQuoted)
        }
    }

    /// Where this program is: a timer does not look where a shell does.
    private static func program() -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    private static func folder() throws -> String {
        let home = Environment.variable("HOME") ?? FileManager.default.homeDirectoryForCurrentUser.path
        let base = Environment.variable("XDG_CONFIG_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/.config"
        let folder = base + "/systemd/user"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func script(_ command: String, wallet: String, passphraseFile: String?) -> String {
        let source =
            passphraseFile.map { "exec \(command) 3<\($0.shellQuoted)" }
                ?? """
                secret-tool lookup program roundrobin wallet \(wallet.shellQuoted) | {
                    exec 3<&0 0</dev/null
                    \(command)
                }
                """
        return "#!/bin/sh\n# Goes on with what you agreed to with petition-signer support.\n\(source)\n"
    }

    /// systemd reads backslashes, quotation marks, percent and dollar signs in its own way.
    private static func service(_ script: String) -> String {
        let path = script.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("%", with: "%%")
            .replacing("$", with: "$$")
        return """
            [Unit]
            Description=Go on with what you agreed to (petition-signer continue)

            [Service]
            Type=exec
            ExecStart=/bin/sh "\(path)"

            """
    }

    private static let timer = """
        [Unit]
        Description=Go on with what you agreed to after a restart (petition-signer continue)

        [Timer]
        OnStartupSec=5min
        OnUnitInactiveSec=1h
        RandomizedDelaySec=15min

        [Install]
        WantedBy=timers.target

        """
}
