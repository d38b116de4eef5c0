#!/usr/bin/env python3
"""Runs every command of the guides in Protocol/guides, in order, as the people would for whom they are written.

Usage: Tests/Guides/run_guides.py FOLDER
  FOLDER has the built programs, such as .build/release

It prints one line for each guide. If a command fails, prints something else than its page shows, or asks something that
its page does not show, it says on which page and line, and ends with exit code 1.

What the form of a page means:

    four spaces        a command. It goes on in the next line after a backslash. After "<<END", what a person writes
                       into a file follows, up to END. Nothing else is indented like this.
    ```text            what the commands before it printed. "…" stands for any text, a line "…" for any lines. Ids, keys
                       and times may differ. "Question? [y/N] y" is a question that the person answers with y.
    KEY, LINK, ID      in a command: what a person puts in
    `petition-… --x`   in a sentence: the program must know this command and this option
    `--x`              in a sentence: some program must know this option
    - `message`        below "What can go wrong": a program must contain this message, with "…" for what it fills in
    [words](link)      must lead to a file of the repository, and to a heading in it if it names one

The five people live in one world, which `story` at the end tells in the order of time. Each has a computer: a
folder, in which /var/lib/roundrobin and all other paths of the pages are. The three servers are real programs on ports
of this machine, https://union.example, https://count.example and https://witness.paper.example in the pages, and
members reach the first two through a small SOCKS proxy. All clocks are moved by Tests/FaultyDisk, so that a day of waiting takes seconds. The other members of the
union are played by roundrobin-signerfleet.
"""
import contextlib
import csv
import fcntl
import mmap
import os
import pathlib
import pty
import random
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import threading
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
GUIDES = REPOSITORY / "Protocol" / "guides"
VERSION = re.search(
    r'ROUNDROBIN_VERSION "(.*)"', (REPOSITORY / "Sources/CRelease/include/release.h").read_text()).group(1)

# Which programs each package installs.
PACKAGES = {
    "roundrobin-signer": ["petition-signer"],
    "roundrobin-verifier": ["petition-verifier"],
    "roundrobin-servers": ["petition-coordinator", "petition-aggregator", "petition-witness"],
}
# The archive for other systems has no servers.
ARCHIVE = ["petition-signer", "petition-verifier"]
ALL_PROGRAMS = [program for programs in PACKAGES.values() for program in programs]

# The pages show the first four people of the union's list; the others are added here.
UNION = 80

# What nobody here can wait for: joins are committed once a minute, and receipts come as often as an operator says.
# These options follow those of a unit's command: the last one counts.
PROMPTLY = {"coordinator": ["--commit-joins-every", "0"], "aggregator": ["--publish-every", "0"], "witness": []}

# The story begins on this Monday at 8:00 UTC, long before the dates of the pages.
BEGINNING = 1_799_654_400
HOUR, DAY = 3600, 86_400

# No command of a guide takes longer than this many seconds, and all of them together no longer than that.
LONGEST, LONGEST_OF_ALL = 60, 300

PASSPHRASE = "a long passphrase, which nobody forgets"


class Failure(Exception):
    """Why the guides are not right, with the place to correct."""

    def __init__(self, text, page=None, line=None):
        place = f"Protocol/guides/{page}:{line}: " if page else ""
        super().__init__(place + text)


# ---- Pages


class Command:
    def __init__(self, line, text):
        self.line, self.text, self.input = line, text, None


class Block:
    """Commands that stand together, and what they print."""

    def __init__(self):
        self.commands, self.expected = [], []

    @property
    def questions(self):
        """The questions that the page shows, each with the answer y."""
        return {line.split(" [y/N]")[0] for _, lines in self.expected for line in lines if line.endswith("[y/N] y")}


class Page:
    def __init__(self, name):
        self.name = name
        self.lines = (GUIDES / name).read_text().splitlines()
        self.sections = {}
        self._read()
        self.unread = [heading for heading, blocks in self.sections.items() if blocks]

    def fail(self, line, text):
        raise Failure(text, self.name, line)

    def _read(self):
        blocks, block, at = None, None, 0
        while at < len(self.lines):
            line = self.lines[at]
            if line.startswith("## "):
                blocks, block = self.sections.setdefault(line[3:], []), None
            elif line.startswith("```"):
                end = next((n for n in range(at + 1, len(self.lines)) if self.lines[n] == "```"), None)
                if line != "```text" or end is None:
                    self.fail(at + 1, "only ```text is known here, up to ```")
                if block is None:
                    self.fail(at + 1, "there is no command that could print this")
                block.expected.append((at + 1, self.lines[at + 1:end]))
                at = end
            elif line.startswith("    "):
                if blocks is None:
                    self.fail(at + 1, "a command stands before the first section")
                if block is None or block.expected or not self.lines[at - 1].strip():
                    block = Block()
                    blocks.append(block)
                at = self._read_command(block, at)
            at += 1

    def _read_command(self, block, at):
        """Adds the command at this line to the block, and returns its last line."""
        command = Command(at + 1, self.lines[at][4:])
        block.commands.append(command)
        while command.text.endswith("\\"):
            at += 1
            command.text = command.text[:-1] + self.lines[at].strip()
        if command.text.endswith("<<END"):
            end = next((n for n in range(at + 1, len(self.lines)) if self.lines[n] == "    END"), None)
            if end is None:
                self.fail(at + 1, "END is missing")
            command.input = "".join(f"{line[4:]}\n" for line in self.lines[at + 1:end])
            at = end
        return at

    def prose(self):
        """The lines that are neither commands nor output, with their numbers."""
        is_output = False
        for number, line in enumerate(self.lines, 1):
            if line.startswith("```"):
                is_output = not is_output
            elif not is_output and not line.startswith("    "):
                yield number, line

    def messages(self):
        """The messages below "What can go wrong", with their lines."""
        heading = None
        for number, line in self.prose():
            if line.startswith("## "):
                heading = line
            if heading == "## What can go wrong" and line.startswith("- `"):
                # What comes after the colon is for the person to do.
                for message in re.findall(r"`([^`]+)`", re.match(r"- `[^`]+`(, `[^`]+`)*", line).group()):
                    yield number, message


# ---- What may differ


def plain(text):
    """The text with names in place of what differs each time, in a page or in what a program prints."""
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{4}…[0-9a-f]{4}\b", "<id>", text)
    text = re.sub(r"[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{4}…[A-Za-z0-9+/]{3}=", "<key>", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>", text)


def shows(expected, printed):
    """None if these lines of a page are in what was printed; otherwise the first line that is not."""
    pattern = "^"
    for line in expected:
        if line == "…":
            pattern += r"(?:.*\n)*?"
        else:
            words = [re.escape(part) for part in plain(line.rstrip()).split("…")]
            # The page has no spaces at the end of a line; a prompt has.
            pattern += ".*".join(words) + r" *\n"
        if not re.search(pattern, printed, re.M):
            return line
    return None


# ---- The world


class Clock:
    """The clock of all programs, as an offset to the real one in the target of a link (FAULT_CLOCK)."""

    def __init__(self, folder):
        self.path = folder / "clock"
        self.ahead = 0
        self.forward(BEGINNING - int(time.time()))

    def forward(self, seconds):
        self.ahead += seconds
        new = self.path.with_suffix(".new")
        new.symlink_to(str(self.ahead))
        new.rename(self.path)

    @property
    def now(self):
        return int(time.time()) + self.ahead


class Proxy:
    """A SOCKS5 proxy (RFC 1928, RFC 1929) that takes every user, as Tor does, and leads to some local ports only."""

    def __init__(self, ports):
        self.ports, self.visits = ports, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError, EOFError):
            stream = client.makefile("rb")

            def take(count):
                taken = stream.read(count)
                if len(taken) < count:
                    raise EOFError
                return taken

            methods = take(take(2)[1])
            if 2 not in methods:
                return
            client.sendall(b"\5\2")
            take(take(2)[1])
            take(take(1)[0])
            client.sendall(b"\1\0")
            kind = take(4)[3]
            if kind != 3:
                return
            name = take(take(1)[0]).decode()
            port = int.from_bytes(take(2), "big")
            if name != "localhost" or port not in self.ports:
                client.sendall(b"\5\4\0\1\0\0\0\0\0\0")
                return
            self.visits += 1
            with socket.create_connection(("127.0.0.1", port)) as server:
                client.sendall(b"\5\0\0\1\0\0\0\0\0\0")
                ends = {client: server, server: client}
                while True:
                    for end in select.select(list(ends), [], [])[0]:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[end].sendall(data)


def free_port():
    """A port on which nothing listens, outside the range that the system gives to connections."""
    while True:
        port = random.randrange(12_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class World:
    """What the five people share: the programs, the clock, the network and the post."""

    def __init__(self, programs, scratch):
        self.programs, self.scratch = programs, scratch
        self.clock = Clock(scratch)
        self.union, self.count, self.witness, self.metrics = (free_port() for _ in range(4))
        self.ports = {"coordinator": self.union, "aggregator": self.count, "witness": self.witness}
        self.proxy = Proxy([self.union, self.count])
        # What stands in a page, and what is meant here. Both ways: in commands and in what programs print.
        self.places = [
            ("https://union.example", f"http://localhost:{self.union}"),
            ("https://count.example", f"http://localhost:{self.count}"),
            ("https://witness.paper.example", f"http://localhost:{self.witness}"),
            ("socks5://127.0.0.1:9050", f"socks5://127.0.0.1:{self.proxy.port}"),
            ("127.0.0.1:9100", f"127.0.0.1:{self.metrics}"),
        ]
        # KEY, LINK and ID, once they are known. What a person saw alone is in the person's own values.
        self.values = {}
        # The link in each letter, by the first column of its row.
        self.letters = {}
        self.processes = []

    def here(self, text):
        """A text of a page, with the places of this machine."""
        for name, place in self.places:
            text = text.replace(name, place)
        return text

    def there(self, text):
        """What a program printed, with the places of the pages."""
        for name, place in self.places:
            text = text.replace(place, name)
            # A log's name has no scheme.
            text = text.replace(place.split("//")[-1], name.split("//")[-1])
        return text

    def environment(self, home):
        """The environment of a program: its clock is moved."""
        return {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", "HOME": str(home),
            "TMPDIR": str(self.scratch), "LD_PRELOAD": str(self.programs / "libFaultyDisk.so"),
            "FAULT_CLOCK": str(self.clock.path),
        }

    def start(self, arguments, **options):
        process = subprocess.Popen(arguments, **options)
        self.processes.append(process)
        return process

    def end(self):
        """Ends what still runs. Servers are asked first."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Fleet:
    """The other members of the union, in one process."""

    def __init__(self, world):
        self.world = world
        self.process = world.start(
            [world.programs / "roundrobin-signerfleet"], env=world.environment(world.scratch), cwd=world.scratch,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Failure(f"the other members did not manage to {words[0]}")

    def enrol(self, letters):
        path = self.world.scratch / "letters-of-others.csv"
        path.write_text("name,link\n" + "".join(f"{name},{link}\n" for name, link in letters.items()))
        self("enrol", path)


# ---- A person at a computer


class Person:
    """Somebody who follows a page."""

    def __init__(self, world, page):
        self.world, self.page = world, Page(page)
        self.root = world.scratch / page.removesuffix(".md")
        self.home = self.root / "home"
        self.server_folder = self.root / "var/lib/roundrobin"
        # The second window of the servers' pages, once it is opened and in its folder.
        self.has_server_window, self.window_folder = False, self.home
        self.installed, self.servers = set(), {}
        self.values, self.meanwhile = {}, {}
        self.commands, self.texts = 0, 0
        for folder in ["home", "media/stick", "usr/local", "etc/default"]:
            (self.root / folder).mkdir(parents=True)

    # The page

    def does(self, heading, meanwhile={}):
        """Runs the commands of a section. `meanwhile` says what happens once a program says something."""
        page = self.page
        if heading not in page.unread:
            raise Failure(f"there is no section \"{heading}\" with commands", page.name, 1)
        page.unread.remove(heading)
        self.meanwhile = dict(meanwhile)
        for block in page.sections[heading]:
            printed = ""
            for command in block.commands:
                self.commands += 1
                try:
                    printed += self.run(command, block.questions)
                except Failure:
                    raise
                except Exception as error:
                    page.fail(command.line, f"{command.text}\n{type(error).__name__}: {error}")
            printed = self.world.there(printed)
            for line, lines in block.expected:
                self.texts += 1
                lacking = shows(lines, plain(printed))
                if lacking is not None:
                    page.fail(line, f"this is not printed:\n    {lacking}\nwhat is printed:\n{indented(printed)}")
        if self.meanwhile:
            page.fail(1, f"in \"{heading}\", no program said: {', '.join(self.meanwhile)}")

    def run(self, command, questions):
        """Runs a command, and returns what it printed."""
        text, values = command.text, self.world.values | self.values
        for name in re.findall(r"(?<![\w$-])[A-Z]{2,}(?![\w-])", text.replace("<<END", "")):
            if name not in values:
                self.page.fail(command.line, f"nothing is known to put in place of {name}")
            text = re.sub(rf"(?<![\w$-]){name}(?![\w-])", lambda _: values[name], text)
        for pattern, meant in INSTEAD:
            match = re.fullmatch(pattern, text)
            if match:
                return meant(self, command, *match.groups()) or ""
        words = shlex.split(self.world.here(text))
        if words[0] not in ALL_PROGRAMS:
            self.page.fail(command.line, f"{text}\nis not known here: see INSTEAD in Tests/Guides/run_guides.py")
        if words[0] not in self.installed:
            self.page.fail(command.line, f"the page does not install {words[0]}")
        return self.run_program(command, words, questions)

    def run_program(self, command, words, questions):
        printed, code = self.terminal(command, words, questions)
        if code != 0:
            self.page.fail(command.line, f"{command.text}\nends with exit code {code}:\n{indented(printed)}")
        self.notice(words, printed)
        return printed

    def notice(self, words, printed):
        """Takes note of what others put into their commands."""
        if words[:2] == ["petition-coordinator", "invite"]:
            with open(self.folder / words[-1], newline="") as letters:
                self.world.letters.update((row["name"], row["link"]) for row in csv.DictReader(letters))
        for name, pattern in [("ID", r"^Id: ([0-9a-f]{64})$"), ("KEY", r"^--aggregator [^ =]*=(\S+)$")]:
            found = re.search(pattern, printed, re.M)
            if found:
                self.world.values[name] = found.group(1)

    # The terminal

    @property
    def folder(self):
        return self.window_folder if self.has_server_window else self.home

    def terminal(self, command, words, questions):
        """Runs a program on a terminal of its own, and answers as the page says. Returns output and exit code."""
        person, program = pty.openpty()
        fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        # It asks for the passphrase on /dev/tty: the terminal must be the controlling one of its session.
        process = self.world.start(
            ["setsid", "--ctty", str(self.world.programs / words[0]), *words[1:]], cwd=self.folder,
            env=self.world.environment(self.home), stdin=program, stdout=program, stderr=program)
        os.close(program)
        raw, printed, answered, deadline = b"", "", 0, time.monotonic() + LONGEST
        try:
            while True:
                if time.monotonic() > deadline:
                    self.page.fail(command.line, f"{command.text}\ndoes not end:\n{indented(printed)}")
                if not select.select([person], [], [], 1)[0]:
                    continue
                try:
                    data = os.read(person, 65536)
                except OSError:
                    # The program closed its end.
                    break
                if not data:
                    break
                raw += data
                # A character may have come in part.
                printed = raw.decode(errors="ignore").replace("\r\n", "\n")
                # The last thing that it said may be a question, which waits for an answer.
                answer = self.answer(command, printed[answered:], questions)
                if answer is not None:
                    answered = len(printed)
                    os.write(person, f"{answer}\n".encode())
                for said in [said for said in self.meanwhile if said in printed]:
                    self.meanwhile.pop(said)()
                    deadline = time.monotonic() + LONGEST
            # A progress bar erases itself.
            lines = [line.rsplit("\r\x1b[K", 1)[-1] for line in printed.split("\n")]
            return "\n".join(lines), process.wait(LONGEST)
        finally:
            os.close(person)
            if process.poll() is None:
                process.kill()

    def answer(self, command, said, questions):
        """What a person answers; None if nothing is asked."""
        if said.endswith(("assphrase: ", "The same again: ")):
            return PASSPHRASE
        if not said.endswith(" [y/N] "):
            return None
        question = said.rsplit("\n", 1)[-1].removesuffix(" [y/N] ")
        if question not in questions:
            self.page.fail(command.line, f"{command.text}\nasks what the page does not show:\n{indented(said)}")
        return "y"

    # What is meant by commands that are not ours

    def path(self, text):
        """A path of a page, below this person's folder."""
        if ".." in text:
            raise ValueError("no guide needs ..")
        return self.root / text[1:] if text.startswith("/") else self.home / text

    def on_files(self, command, text):
        """A command of the system that only touches files runs as it is, below this person's folder."""
        words = shlex.split(text)
        is_root = words[0] == "sudo"
        if is_root:
            words = words[1:]
        words = [str(self.path(word)) if word.startswith("/") else word for word in words]
        words = [word for word in words if not word.startswith("--owner=")]
        done = subprocess.run(
            words, cwd=self.home if is_root else self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            self.page.fail(command.line, f"{text}\n{indented(done.stdout)}")
        return done.stdout

    def download(self):
        """Puts what the page tells to get beside a list of checksums, as a browser does."""
        sums = ""
        for name in sorted(set(re.findall(r"roundrobin-[\w.-]+\.(?:deb|tar\.gz)", "\n".join(self.page.lines)))):
            path = self.home / name
            if name.endswith(".tar.gz"):
                with tarfile.open(path, "w:gz") as archive:
                    for folder in ["bin", "share"]:
                        entry = tarfile.TarInfo(f"{name.removesuffix('.tar.gz')}/{folder}")
                        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                        archive.addfile(entry)
            else:
                path.write_text(name)
            sums += subprocess.run(
                ["sha256sum", name], cwd=self.home, check=True, stdout=subprocess.PIPE, text=True).stdout
        (self.home / "SHA256SUMS").write_text(sums)

    def check_sums(self, command):
        self.download()
        return self.on_files(command, command.text)

    def install(self, command, package, version):
        """The built programs stand for those of the package. What else it has is put in its place."""
        if package not in PACKAGES or version != VERSION:
            self.page.fail(command.line, f"Tools/package makes no {package} {version}: this is {VERSION}")
        self.installed.update(PACKAGES[package])
        if package == "roundrobin-servers":
            self.server_folder.mkdir(parents=True)
            for role in self.world.ports:
                default = (REPOSITORY / "Tools/packaging/servers/petition-ROLE.default").read_text()
                (self.root / f"etc/default/petition-{role}").write_text(default.replace("ROLE", role))
            examples = self.root / "usr/share/doc/roundrobin-servers/examples"
            shutil.copytree(REPOSITORY / "Tools/operating", examples)

    def unpack(self, command, version):
        if version != VERSION:
            self.page.fail(command.line, f"Tools/package makes no archive {version}: this is {VERSION}")
        return self.on_files(command, command.text)

    def install_archive(self, command):
        self.installed.update(ARCHIVE)
        return self.on_files(command, command.text)

    def install_nginx(self, command):
        sites = self.root / "etc/nginx"
        for folder in ["sites-available", "sites-enabled"]:
            (sites / folder).mkdir(parents=True)
        (sites / "sites-enabled/default").write_text("# of Debian\n")

    def check_nginx(self, command):
        """No nginx runs here: it is only seen that the pages' host is in the file that it would read."""
        enabled = list((self.root / "etc/nginx/sites-enabled").iterdir())
        if [path.name for path in enabled] != ["roundrobin"]:
            self.page.fail(command.line, f"nginx would serve {', '.join(path.name for path in enabled)}")
        text = enabled[0].read_text()
        certificate = "/etc/letsencrypt/live/count.example/fullchain.pem;"
        if "server_name count.example;" not in text or certificate not in text or "access_log off;" not in text:
            self.page.fail(command.line, f"this is not what nginx should read:\n{indented(text)}")

    def open_server_window(self, command):
        self.has_server_window = True

    def enter(self, command):
        if not self.has_server_window:
            self.page.fail(command.line, "only the user roundrobin may enter this folder")
        self.window_folder = self.server_folder

    def write(self, command, file):
        if file == "people.csv":
            # Everybody else of the union.
            count = command.input.count("\n")
            command.input += "".join(
                f"Member {number},member-{number}@harbour.example\n" for number in range(count, UNION + 1))
        (self.folder / file).write_text(command.input)

    def write_as_root(self, command, file):
        self.path(file).write_text(command.input)
        return command.input

    def start_unit(self, command, role):
        """Starts what systemd would: the unit's own command, with the options of its file."""
        if f"petition-{role}" not in self.installed:
            self.page.fail(command.line, f"the page does not install petition-{role}")
        unit = (REPOSITORY / "Tools/packaging/servers/petition-ROLE.service").read_text().replace("ROLE", role)
        condition = re.search(r"^ConditionPathExists=(.*)$", unit, re.M).group(1)
        if not self.path(condition).exists():
            self.page.fail(command.line, f"systemd would not start petition-{role}: there is no {condition}")
        options = re.search(r'^OPTIONS="(.*)"$', self.path(f"/etc/default/petition-{role}").read_text(), re.M).group(1)
        words = re.search(r"^ExecStart=(.*)$", unit, re.M).group(1).replace("$OPTIONS", options).split()
        words = [str(self.path(word)) if word.startswith("/var/lib/") else word for word in words]
        port = self.world.ports[role]
        words = [self.world.here(word).replace("127.0.0.1:8080", f"127.0.0.1:{port}") for word in words]
        program = str(self.world.programs / pathlib.Path(words[0]).name)
        log = self.root / f"petition-{role}.log"
        with open(log, "w") as output:
            process = self.world.start(
                [program, *words[1:], *PROMPTLY[role]], cwd=self.root, env=self.world.environment(self.home),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.servers[role] = (process, log)
        for _ in range(200):
            if "Serving" in log.read_text():
                return ""
            if process.poll() is not None:
                break
            time.sleep(0.05)
        self.page.fail(command.line, f"petition-{role} does not serve:\n{indented(log.read_text())}")

    def unit_status(self, command, role):
        process, log = self.servers[role]
        state = "active (running)" if process.poll() is None else "failed"
        return f"     Active: {state}\n{log.read_text()}"

    def curl(self, command, url):
        with urllib.request.urlopen(self.world.here(url), timeout=LONGEST) as answer:
            said = answer.read().decode() + "\n"
        # A roll names the key of its coordinator.
        key = re.search(r'^  "key": "(\S+)",$', said, re.M)
        if key:
            self.values["KEY"] = key.group(1)
        return said


def indented(text):
    return "".join(f"    {line}\n" for line in text.splitlines()).rstrip("\n")


# What commands of the pages that are not ours mean here. Everything else is refused.
INSTEAD = [
    # Files that a person writes.
    (r"cat > ([\w.-]+) <<END", Person.write),
    (r"sudo tee (/etc/default/petition-\w+) <<END", Person.write_as_root),
    # The archive for other systems.
    (r"tar -xzf roundrobin-([\d.]+)-linux-x86_64\.tar\.gz", Person.unpack),
    (r"sudo cp -r \S+/bin \S+/share /usr/local", Person.install_archive),
    # Files: as they are, but below the person's own folder.
    (r"((?:sudo )?(?:cp|mv|rm|ln|sed|install) .*)", Person.on_files),
    # The packages: their names are compared with this release, and the built programs stand for what is in them.
    (r"sha256sum --check --ignore-missing SHA256SUMS", Person.check_sums),
    (r"sudo apt install \./(roundrobin-\w+)_([\d.]+)-1_amd64\.deb", Person.install),
    # The second window, in which the servers' own user works.
    (r"sudo -u roundrobin bash", Person.open_server_window),
    (r"cd /var/lib/roundrobin", Person.enter),
    # systemd: its unit's command.
    (r"sudo systemctl enable --now petition-(coordinator|aggregator|witness)", Person.start_unit),
    (r"sudo systemctl status petition-(coordinator|aggregator|witness)", Person.unit_status),
    # nginx and its certificate: nothing of them is here. The file for nginx is looked at.
    (r"sudo apt install nginx certbot", Person.install_nginx),
    (r"sudo certbot certonly --standalone .*", lambda person, command: None),
    (r"sudo nginx -t", Person.check_nginx),
    (r"sudo systemctl reload nginx", lambda person, command: None),
    # The network.
    (r"curl (\S+)", Person.curl),
    # The exit code of the last program: one that is not 0 has ended the test before.
    (r"echo \$\?", lambda person, command: "0\n"),
]


# ---- What stands in sentences


def check_sentences(world, page):
    """Commands, options and messages that a page names in passing must exist."""
    helps = {}
    transcripts = "".join(path.read_text() for path in (REPOSITORY / "Tests/Transcripts").rglob("*.txt"))
    for number, line in page.prose():
        for code in re.findall(r"`([^`]+)`", line):
            words = code.split()
            if words[0].startswith("--") and f" {words[0]} " not in transcripts:
                page.fail(number, f"no program has an option {words[0]}")
            if words[0] not in ALL_PROGRAMS or len(words) == 1:
                continue
            names = [words[0]]
            for word in words[1:3]:
                if not re.fullmatch("[a-z]+", word):
                    break
                names.append(word)
            if tuple(names) not in helps:
                helps[tuple(names)] = subprocess.run(
                    [world.programs / names[0], *names[1:], "--help"], stdout=subprocess.PIPE, text=True,
                    stderr=subprocess.DEVNULL).stdout
            text = helps[tuple(names)]
            usage = re.search(r"^USAGE: (petition-\w+(?: [a-z]+)*)", text, re.M)
            known = usage.group(1).split() if usage else []
            if len(known) < 2 or names[:len(known)] != known:
                page.fail(number, f"there is no command {' '.join(names)}")
            for option in re.findall(r"--[a-z-]+", code):
                if f"{option} " not in text and f"{option}\n" not in text:
                    page.fail(number, f"{' '.join(names)} has no option {option}")
        for target, heading in re.findall(r"\]\(([^)#]+)#?([^)]*)\)", line):
            path = GUIDES / target
            if not path.exists() or heading and heading not in anchors(path.read_text()):
                page.fail(number, f"this link leads nowhere: {target} {heading}")
    for number, message in page.messages():
        # In what the programs printed once, or else in their bytes. There, parts of up to 15 bytes are not found: the
        # compiler puts them into instructions.
        for part in [part for part in map(str.strip, message.split("…")) if len(part.encode()) > 15]:
            if part not in transcripts and not any(contains(world.programs / name, part) for name in ALL_PROGRAMS):
                page.fail(number, f"no program says: {part}")


def anchors(text):
    """The names by which links lead to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def contains(program, text):
    with open(program, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(text.encode()) >= 0


# ---- The story


def submit(world, log):
    """Sends the first state of a log to the witness, in place of the log's server, which does not do that yet."""
    with urllib.request.urlopen(world.here(f"https://{log}/checkpoint"), timeout=LONGEST) as answer:
        body = b"old 0\n\n" + answer.read()
    with urllib.request.urlopen(
            world.here("https://witness.paper.example/add-checkpoint"), body, timeout=LONGEST) as answer:
        answer.read()


def story(world):
    organiser, member = Person(world, "organiser.md"), Person(world, "member.md")
    operator, auditor = Person(world, "operator.md"), Person(world, "auditor.md")
    witness = Person(world, "witness.md")
    people = [organiser, member, operator, auditor, witness]
    for person in people:
        check_sentences(world, person.page)
    clock, others = world.clock, Fleet(world)

    # Monday: three servers, and 80 letters.
    organiser.does("1. Install")
    organiser.does("2. Make the roll")
    organiser.does("3. Put it on the web")
    operator.does("1. Install")
    operator.does("2. Make the aggregator")
    operator.does("3. Put a web server before it")
    operator.does("4. Start it")
    witness.does("1. Install")
    witness.does("2. Make the witness")
    witness.does("3. Put it on the web")
    witness.does("4. Follow a server")
    submit(world, "union.example/announcements")
    witness.does("5. Watch it")
    organiser.does("4. Invite")

    # Ada, the first of the list, is the member of the guide. All others but two enrol, too.
    world.values["LINK"] = world.letters.pop("Ada Ahr")
    member.does("1. Install")
    member.does("2. Enrol")
    others.enrol({name: link for name, link in world.letters.items() if name not in ["Cleo Costa", "Dora Dahl"]})
    organiser.does("5. Remind, and replace lost letters")

    # She waits; on Friday joining opens, six hours later her computer has noticed, and the day after it is over.
    opened = BEGINNING + 4 * DAY + 9 * HOUR

    def joining_opens():
        clock.forward(opened - clock.now)
        # Her computer looks once more, and joining is not open yet.
        time.sleep(2.5)
        organiser.does("6. Open joining")
        clock.forward(6 * HOUR + 60)

    member.does("3. Join", {
        "Waiting for joining to open": joining_opens,
        "Joining at": lambda: clock.forward(opened + DAY - clock.now),
    })
    others("join")
    clock.forward(5 * 60)
    organiser.does("7. Seal")
    member.does("4. Keep a copy of your wallet")

    # The next Monday: a petition, which 40 of the others sign before Ada does.
    clock.forward(BEGINNING + 7 * DAY - clock.now)
    organiser.does("8. Make the petition")
    shutil.copy(organiser.home / "harbour.petition", operator.home)
    operator.does("5. Take the petition")
    petition = world.here(f"https://count.example/petitions/{world.values['ID']}")
    others("sign", petition, 40)
    operator.does("6. Watch it")
    member.does("5. Look at the petition")
    member.does("6. Sign", {
        "Reading at": lambda: clock.forward(6 * HOUR), "Sending at": lambda: clock.forward(6 * HOUR)})
    member.does("7. Receipts")
    member.does("8. If you change your mind", {"Sending at": lambda: clock.forward(6 * HOUR)})

    # Somebody doubts the number, and again a week later, when five more have signed.
    def a_week_later():
        clock.forward(7 * DAY)
        others("sign", petition, 45)

    auditor.does("1. Install")
    auditor.does("3. Check it")
    auditor.does("4. Keep a copy, and a report")
    auditor.does("5. Check again later", {"VALID:": a_week_later})
    operator.does("7. Keep copies")
    operator.does("8. Hand over the result")
    organiser.does("9. Keep a copy")
    organiser.does("10. Later rounds")
    return people


def run(programs):
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="roundrobin-guides-") as scratch:
        world = World(programs, pathlib.Path(scratch))
        try:
            people = story(world)
            for person in people:
                page = person.page
                if page.unread:
                    page.fail(1, f"the story does not have these sections: {', '.join(page.unread)}")
            if world.proxy.visits == 0:
                raise Failure("nobody used the proxy")
        finally:
            world.end()
    for person in people:
        print(f"{person.page.name}: {person.commands} commands work, and {person.texts} outputs are as shown")
    print(f"All guides are right ({time.monotonic() - begun:.0f} s)")


def main():
    if len(sys.argv) != 2:
        sys.exit("\n".join(__doc__.splitlines()[2:5]))
    programs = pathlib.Path(sys.argv[1]).resolve()
    for name in [*ALL_PROGRAMS, "roundrobin-signerfleet", "libFaultyDisk.so"]:
        if not (programs / name).exists():
            sys.exit(f"run_guides.py: error: there is no {name} in {programs}\nhint: Tools/build --tests builds it")
    # A signal ends this program in order, with everything that it started.
    for number in [signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, lambda number, frame: sys.exit(f"run_guides.py: ended by signal {number}"))
    too_long = f"run_guides.py: error: this takes more than {LONGEST_OF_ALL} seconds"
    signal.signal(signal.SIGALRM, lambda number, frame: sys.exit(too_long))
    signal.alarm(LONGEST_OF_ALL)
    try:
        run(programs)
    except Failure as failure:
        sys.exit(f"run_guides.py: error: {failure}")


if __name__ == "__main__":
    main()
