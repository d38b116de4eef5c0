import CommandSupport
import DurableFiles
import FoundationEssentials
import Platform

/// A systemd user timer that starts `petition-signer continue` after the computer was off. It writes three files and
/// enables nothing by itself.
enum SupportTimer {
    private static let name = "roundrobin-continue"

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

    /// Writes the files, and says what to type.
    static func install(wallet: String, passphraseFile: String?, proxy: String?) throws {
        let folder = try self.folder()
        let script = "\(folder)/\(name).sh"
        try DurableFile.write(
            Array(
                Self.script(wallet: absolute(wallet), passphraseFile: passphraseFile.map(absolute), proxy: proxy).utf8),
            to: script, mode: 0o700)
        try DurableFile.write(Array(service(script).utf8), to: "\(folder)/\(name).service", mode: 0o600)
        try DurableFile.write(Array(timer.utf8), to: "\(folder)/\(name).timer", mode: 0o600)
        Terminal.show("Wrote \(name).timer into \(folder). Start it with: systemctl --user enable --now \(name).timer")
        if passphraseFile == nil {
            Terminal.show(
                "Store the passphrase: secret-tool store --label=Roundrobin program roundrobin wallet "
                    + absolute(wallet).shellQuoted)
        }
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

    private static func script(wallet: String, passphraseFile: String?, proxy: String?) -> String {
        let program = absolute(CommandLine.arguments[0].contains("/") ? CommandLine.arguments[0] : "")
        // A name without a folder was found by the shell, which finds it again.
        let name = CommandLine.arguments[0].contains("/") ? program.shellQuoted : CommandLine.arguments[0].shellQuoted
        var command = "\(name) continue --wallet \(wallet.shellQuoted) --passphrase-fd 3"
        if let proxy { command += " --proxy \(proxy.shellQuoted)" }
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

    /// systemd reads backslashes, quotation marks and percent signs in its own way.
    private static func service(_ script: String) -> String {
        let path = script.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("%", with: "%%")
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
