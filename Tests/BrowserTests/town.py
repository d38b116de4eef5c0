"""A coordinator, an aggregator and people with wallets: the real programs on this machine, for a browser to look at."""

import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time

from liar import Liar

PROGRAMS = pathlib.Path(__file__).resolve().parents[2] / ".build" / "release"

# File descriptors of a server: few, so that its limits can be reached.
DESCRIPTORS = 400

STATEMENT = """# We ask for fresh water

On **every** watch, and *before* noon. See [the log](https://example.org/log).

<script>document.title = "taken"</script>

![a sail](https://example.org/sail.png)

[bad](javascript:alert(1))

- one cask
- two casks
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Town:
    """An open roll, and two rolls of five and four people; a petition of both, and one in Arabic."""

    def __init__(self, liars=False):
        self.scratch = tempfile.TemporaryDirectory(prefix="roundrobin-pages-")
        self.folder = pathlib.Path(self.scratch.name)
        self.servers = []
        self.coordinator = f"http://localhost:{free_port()}"
        self.aggregator = f"http://localhost:{free_port()}"
        # With `liars`, servers listen behind something that can lie for them.
        self.listen = {}
        if liars:
            ports = [free_port(), free_port()]
            self.before, self.counting = (Liar(int(url.rsplit(":", 1)[1]), port)
                                          for url, port in zip([self.coordinator, self.aggregator], ports))
            self.listen = {program: ["--listen", f"localhost:{port}"]
                           for program, port in zip(["petition-coordinator", "petition-aggregator"], ports)}
        self.run("petition-coordinator", "init", "--name", "Crew", "--url", self.coordinator, "coordinator")
        self.people = {}
        for slug, count in [("deck", 5), ("galley", 4)]:
            self.roll(slug, count)
        # Open to everybody with a mailbox. No mail server listens: what matters here is the form.
        self.run("petition-coordinator", "roll", "create", "--name", "Shore", "--by-email", "--ring-capacity", "16",
                 "--minimum-ring", "4", "shore")
        self.run("petition-coordinator", "mail", "setup", "--from", "Crew <invite@crew.example>", "--server",
                 "smtp://localhost:1")
        self.serve("petition-coordinator", "--commit-joins-every", "0")
        for slug, links in self.people.items():
            for index, link in enumerate(links):
                self.signer(slug, index, "enrol", link)
            self.run("petition-coordinator", "joining", "open", slug)
            for index in range(len(links)):
                self.signer(slug, index, "join", "--minimum-round", "4", "--despite", "short-window")
            self.run("petition-coordinator", "seal", slug)
        made = self.run("petition-aggregator", "init", "--url", self.aggregator)
        self.option = made.split("--aggregator ")[1].split()[0]
        (self.folder / "water.md").write_text(STATEMENT)
        (self.folder / "arabic.md").write_text("نطلب **ماء عذبا** في كل نوبة.\n\nشكرا.\n")
        self.water = self.petition("water", "Fresh water on every watch", "en", "--roll", "deck=Deck", "--roll", "galley=Galley")
        self.arabic = self.petition("arabic", "ماء عذب في كل نوبة", "ar", "--roll", "deck")
        # No hour ends while people look at pages: near its end, the aggregator's clock is half an hour behind.
        self.behind = 0.5 if time.time() % 3600 > 2400 else 0
        # Two hours ago, an hour ago and now, so that there is a chart.
        for index, hours in enumerate([2, 1, 0]):
            aggregator = self.serve("petition-aggregator", "--publish-every", "0", hours_ago=hours + self.behind)
            self.sign("deck", index, self.water)
            if hours:
                aggregator.terminate()
                assert aggregator.wait(20) == 0
                self.servers.remove(aggregator)

    def roll(self, slug, count, joining="0s"):
        """A roll with so many invitations."""
        self.run("petition-coordinator", "roll", "create", "--name", slug.title(), "--ring-capacity", "16",
                 "--minimum-ring", "4", "--joining-time", joining, slug)
        (self.folder / f"{slug}.csv").write_text("name\n" + "".join(f"{slug} {i}\n" for i in range(count)))
        self.run("petition-coordinator", "invite", "--yes", slug, f"{slug}.csv", f"{slug}-letters.csv")
        lines = (self.folder / f"{slug}-letters.csv").read_text().splitlines()[1:]
        self.people[slug] = [line.rsplit(",", 1)[1] for line in lines]

    def petition(self, name, title, language, *rolls, closes="2099-01-01T00:00:00Z", hours_ago=0):
        self.run("petition-coordinator", "petition", "create", "--yes", "--title", title, "--statement", f"{name}.md",
                 "--started-by", "The crew", "--addressed-to", "The captain", "--language", language, "--goal", "5",
                 "--website", "https://crew.example", "--opens", "2026-01-01T00:00:00Z", "--closes", closes, *rolls,
                 "--aggregator", self.option, f"{name}.petition", hours_ago=hours_ago)
        return re.search(r"at (\S+)", self.run("petition-aggregator", "add", f"{name}.petition")).group(1)

    @staticmethod
    def clock(hours_ago):
        """The environment of a program whose clock is behind."""
        if not hours_ago:
            return os.environ
        return os.environ | {"LD_PRELOAD": str(PROGRAMS / "libFaultyDisk.so"), "FAULT_CLOCK": str(int(-3600 * hours_ago))}

    def run(self, program, *arguments, stdin=None, hours_ago=0):
        done = subprocess.run([PROGRAMS / program, *arguments], cwd=self.folder, input=stdin, text=True,
                              capture_output=True, timeout=60, env=self.clock(hours_ago))
        assert done.returncode == 0, f"{program} {arguments}: {done.stderr}{done.stdout}"
        return done.stdout

    def signer(self, slug, index, *command):
        return self.run("petition-signer", *command, "--wallet", f"wallet-{slug}-{index}", "--passphrase-fd", "0",
                        stdin=f"passphrase {slug} {index}\n")

    def sign(self, slug, index, url):
        self.signer(slug, index, "sign", "--minimum-ring", "4", "--yes", url)

    def receipts(self, slug, index):
        """The record and the receipt of somebody who signed the water petition, as files."""
        target = f"receipts-{slug}-{index}"
        said = self.signer(slug, index, "receipts", "--save", target, self.water)
        assert "remove them when you no longer need them" in said
        base = self.folder / target / self.water.rsplit("/", 1)[1]
        return base.with_suffix(".record"), base.with_suffix(".tlog-proof")

    def serve(self, program, *arguments, hours_ago=0, listen=None):
        log = open(self.folder / f"{program}-{len(self.servers)}.log", "w+")
        listen = listen or self.listen.get(program, [])
        server = subprocess.Popen([PROGRAMS / program, "serve", *listen, *arguments], cwd=self.folder, stderr=log, stdout=log,
                                  env=self.clock(hours_ago),
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)))
        self.servers.append(server)
        for _ in range(200):
            log.seek(0)
            if "Serving" in log.read():
                return server
            time.sleep(0.05)
        raise AssertionError(f"{program} did not start")

    def twin(self):
        """Another coordinator with the same keys, as it is now: what it signs from now on is another log. Gives the name
        of its folder and its port."""
        folder, port = f"twin-{free_port()}", free_port()
        shutil.copytree(self.folder / "coordinator", self.folder / folder,
                        ignore=shutil.ignore_patterns("*.lock"))
        self.serve("petition-coordinator", "--commit-joins-every", "0", "--folder", folder,
                   listen=["--listen", f"localhost:{port}"])
        return folder, port

    def stop(self):
        for server in self.servers:
            server.terminate()
            assert server.wait(20) == 0, "a server ended badly"
        self.scratch.cleanup()
