"""What may go wrong with the signer for browsers, and servers that lie to one person."""

import base64
import contextlib
import hashlib
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.request

from selenium.webdriver.common.by import By

from signer_page import FILE, PASSPHRASE, SignerPage, chromium, joined_wallet, requested
from town import free_port


def roll_id(descriptor):
    """The id of a roll: the SHA-256 of its text, as its address has it."""
    return hashlib.sha256(descriptor[:descriptor.index(b"\n\n") + 1]).hexdigest()


# ---- Bad input and faults

def test_wallets_that_cannot_be_opened_are_refused_in_words(town, downloads):
    good = joined_wallet(town, "deck", 0, downloads)
    damaged, nothing = downloads / "damaged", downloads / "nothing"
    bytes = bytearray(good.read_bytes())
    bytes[len(bytes) // 2] ^= 1
    damaged.write_bytes(bytes)
    nothing.write_bytes(b"not a wallet")
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        for file, passphrase, words in [(good, "wrong", "the passphrase is wrong, or the wallet is damaged"),
                                        (damaged, "passphrase deck 0", "the passphrase is wrong, or the wallet is damaged"),
                                        (nothing, "any", "this is not a wallet")]:
            page = SignerPage(driver, downloads)
            page.open_wallet(file, passphrase, expects=words)
        page = SignerPage(driver, downloads)
        page.open_wallet(good, "wrong", expects="the passphrase is wrong")
        page.fill("Passphrase", "passphrase deck 0")
        page.press("Go on")
        page.wait_for("Your wallet")


class Strange(http.server.BaseHTTPRequestHandler):
    """A server that is none of ours."""

    protocol_version = "HTTP/1.0"

    def do_GET(self):
        kind = self.path.split("/")[1]
        self.send_response(302 if kind == "redirect" else 200)
        if kind != "closed":
            self.send_header("Access-Control-Allow-Origin", "*")
        if kind == "redirect":
            self.send_header("Location", "/page/elsewhere")
        self.send_header("Content-Type", "text/html; charset=utf-8" if kind == "page" else "text/plain")
        self.end_headers()
        if kind == "endless":
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"x" * 65536)
        self.wfile.write(b"<!doctype html><p>Log in here.</p>" if kind == "page" else b"nothing")

    def log_message(self, *_):
        pass


def test_servers_that_are_away_or_strange_are_told_apart(town, downloads):
    server = http.server.ThreadingHTTPServer(("localhost", free_port()), Strange)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://localhost:{server.server_port}"
    id = town.water.rsplit("/", 1)[1]
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.open_wallet(joined_wallet(town, "deck", 0, downloads), "passphrase deck 0")
        for address, words in [(f"http://localhost:{free_port()}/petitions/{id}", "does not let a page like this read"),
                               (f"{base}/closed/petitions/{id}", "does not let a page like this read"),
                               (f"{base}/page/petitions/{id}", "a web page came instead"),
                               (f"{base}/redirect/petitions/{id}", "no answer came"),
                               (f"{base}/endless/petitions/{id}", "it is larger than it can be"),
                               (f"{base}/plain/petitions/{id}", "is not valid"),
                               (f"http://{56 * 'a'}.onion/petitions/{id}", "through Tor only"),
                               ("words that are no link", "and not an invitation link"),
                               (town.coordinator + "/rolls/deck#3AYCE96ME5ZY708N72MWEWYZTJC", "was mistyped"),
                               (town.coordinator + "/rolls/none#3AYCE96ME5ZY708N72MWEWYZTJB", "there is no such roll")]:
            page.fill("Your invitation, or the address of a petition", address)
            page.press("Go on")
            if "there is no such roll" in words:
                page.wait_for("It is for")
                page.press("Go on")
            assert page.wait_for(words, "nobody can tell who", seconds=30) == words
            assert "It does not go on" in page.title()
            page.press("Go on")
        driver.execute_cdp_cmd("Network.emulateNetworkConditions",
                               {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})
        page.fill("Your invitation, or the address of a petition", town.water)
        page.press("Go on")
        page.wait_for("this computer is not connected to a network")
    server.shutdown()


def fetched(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def send_again(page):
    page.press_beside("A yard", "Send it again")
    page.wait_for("When it is sent")
    page.press("Send it again")


def test_a_server_that_lies_is_noticed_in_words(town, downloads):
    """What a coordinator or an aggregator shows to this person alone: the command line has the same answers."""
    town.roll("yard", 2)
    (town.folder / "yard.md").write_text("We ask for **a yard**.\n")
    link, coordinator = town.people["yard"][0], town.coordinator
    descriptor, other = fetched(f"{coordinator}/rolls/yard"), fetched(f"{coordinator}/rolls/galley")
    announced = fetched(f"{coordinator}/announcements/checkpoint")
    arabic = fetched(f"{town.aggregator}/petitions/{town.arabic.rsplit('/', 1)[1]}/petition")
    before = {path: fetched(f"{coordinator}{path}") for path in [
        f"/rolls/{name}/enrolment/checkpoint" for name in [roll_id(descriptor)]]}

    def instead(ending, body, method="GET"):
        return lambda asked, path, *_: (200, body) if asked == method and path.endswith(ending) else None

    def changed(ending, old, new):
        return lambda _, path, status, body: (status, body.replace(old, new, 1)) if path.endswith(ending) else None

    def spoilt(_, path, status, body):
        if not path.endswith("/issue") or status != 200:
            return None
        answer = json.loads(body)
        answer["proof"] = base64.b64encode(bytes(64)).decode()
        return status, json.dumps(answer).encode()

    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.make_wallet(PASSPHRASE)

        def refuses(words, lie, server, paste, *presses):
            server.lie = lie
            page.fill("Your invitation, or the address of a petition", paste)
            for press in ["Go on", *presses]:
                page.wait(lambda: page.has_button(press))
                page.press(press)
            page.wait_for(words, seconds=30)
            assert page.title() == "It does not go on"
            server.lie = None
            page.press("Go on")

        enrol = ["Go on", "Go on", "Use the invitation"]
        # Another roll under the link; a signature that is none; a roll that is kept out of the announcements.
        refuses("is not the document that its address names", instead("/rolls/yard", other), town.before, link, "Go on")
        refuses("is not valid", instead("/rolls/yard", descriptor[:-9] + b"AAAAAAA=\n"), town.before, link, "Go on")
        refuses("cannot be read", lambda _, path, *rest: (404, b"") if "/announcements/" in path else None, town.before,
                link, *enrol[:2])
        # An answer under another key; the log without the entry of this person.
        refuses("was not made with its published key", spoilt, town.before, link, *enrol)
        refuses("your enrolment is not in the coordinator's log",
                lambda _, path, *rest: (200, before[path]) if path in before else None, town.before, link, *enrol)
        # Nothing is lost by that: the place is in the wallet, and with the truth its entry is found.
        page.fill("Your invitation, or the address of a petition", link)
        for _ in range(3):
            page.wait(lambda: page.has_button("Go on"))
            page.press("Go on")
        page.wait_for("You are enrolled")
        page.press("Go on")
        # A log that is older than what was seen.
        town.signer("yard", 1, "enrol", town.people["yard"][1])
        page.press("Close the wallet")
        page.wait_for("Close it without saving")
        page.press("Close it without saving")
        page.wait_for("Sign petitions without being named")
        page.open_wallet(joined_wallet(town, "galley", 2, downloads), "passphrase galley 2")
        sign = ["Look at the ring"]
        old = lambda _, path, *rest: (200, announced) if path.endswith("/announcements/checkpoint") else None
        later = town.petition("yard", "A yard", "en", "--roll", "galley")
        refuses("is not in the announcements log", old, town.before, later, *sign)
        # Another petition at the address; a receipt that proves nothing; a proof that is called wrong.
        refuses("is not the document that its address names", instead("/petition", arabic), town.counting, later)
        page.fill("Your invitation, or the address of a petition", later)
        page.press("Go on")
        page.wait_for("Refuse if your ring")
        page.fill("Refuse if your ring has fewer members than this", "4")
        page.press("Look at the ring")
        page.wait_for("nobody can tell who")
        town.counting.lie = lambda method, path, *_: (
            (422, b'{"type":"urn:roundrobin:error:proof-invalid","title":"proof-invalid","status":422,"detail":"no"}')
            if method == "POST" and path.endswith("/records") else None)
        page.press("Sign")
        page.wait_for("ALARM: the aggregator says that your signature does not verify")
        page.press("Go on")
        town.counting.lie = lambda method, path, status, body: (
            (status, body[:-10]) if method == "POST" and path.endswith("/records") else None)
        send_again(page)
        page.wait_for("the receipt is not valid")
        page.press("Go on")
        town.counting.lie = None
        send_again(page)
        page.wait_for("Signed and counted")


def test_two_tabs_do_not_use_one_wallet(town, downloads):
    wallet = joined_wallet(town, "deck", 0, downloads)
    with chromium(downloads) as driver:
        first = SignerPage(driver, downloads)
        first.open_wallet(wallet, "passphrase deck 0")
        driver.switch_to.new_window("tab")
        second = SignerPage(driver, downloads)
        second.press("Open a wallet")
        second.fill("Wallet file", str(wallet))
        second.press("Go on")
        second.wait_for("this wallet is open in another tab")


def test_what_is_no_wallet_at_all_is_refused_before_it_is_read(downloads):
    with (downloads / "large").open("wb") as file:
        file.truncate(65 << 20)
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.press("Open a wallet")
        page.wait_for("Wallet file")
        page.fill("Wallet file", str(downloads / "large"))
        page.press("Go on")
        page.wait_for("This file is too large to be a wallet")
        page.press("Back")
        page.wait_for("Sign petitions without being named")


def test_a_damaged_file_does_not_start(downloads):
    """The check of the module's own digest stops accidents."""
    page = FILE.read_text()
    start = page.index('id="module">') + 2000
    letter = "A" if page[start] != "A" else "B"
    for name, text in [("letter.html", page[:start] + letter + page[start + 1:]), ("short.html", page[:start] + page[start + 4:])]:
        (downloads / name).write_text(text)
        with chromium(downloads) as driver:
            driver.get((downloads / name).as_uri())
            page_text = driver.find_element(By.ID, "main")
            SignerPage.wait(lambda: "damaged" in page_text.text or "cannot run" in page_text.text)


def test_a_log_that_is_forked_for_one_person_is_proven(town, downloads):
    """A coordinator with its own keys: it shows one person a log that others do not see."""
    town.roll("fork", 6)
    links, true = town.people["fork"], town.before.port
    folder, twin = town.twin()
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.make_wallet()
        page.enrol(links[0])
        # Others are shown a log without this person, which is longer.
        town.before.port = twin
        for index in [1, 2]:
            town.signer("fork", index, "enrol", links[index])
        page.begin_to_join("Fork", 2)
        page.wait_for("Somebody rewrote it, or shows you another log than others")
        # The wallet alone is not all: nothing proves the lie without what is beside it.
        bar = driver.find_element(By.ID, "unsaved")
        page.save_wallet()
        page.wait_for("Somebody rewrote it")
        assert bar.text == "The proof that a server lied is not saved yet."
        page.press("Go on")
        page.press("Close the wallet")
        page.wait_for("The proof that a server lied is not saved yet")
        page.press("Save the evidence")
        page.wait_for("It shows what was signed")
        page.saved("roundrobin-wallet.evidence")
        page.press("It is there")
        page.wait_for("Your invitation, or the address of a petition")
        assert not bar.is_displayed()
        # As petition-signer reads it, beside the wallet.
        said = town.run("petition-signer", "evidence", "--wallet", str(downloads / "roundrobin-wallet"),
                        "--passphrase-fd", "0", str(downloads / "command-line"), stdin=PASSPHRASE + "\n")
        page.press("Save the evidence")
        page.wait_for("It shows what was signed")
        page.press("It is there")
        evidence = page.saved("roundrobin-evidence")
        assert evidence == (downloads / "command-line").read_bytes(), said
        proof = json.loads(evidence)
        seen, shown = (proof[name].splitlines() for name in ["seen", "shown"])
        assert seen[0] == shown[0] and int(seen[1]) < int(shown[1]) == len(proof["leaves"]), proof
        # It is asked about before anything else is done with that coordinator, also where the true log is shown again.
        town.before.port = true
        for index in [3, 4, 5]:
            town.signer("fork", index, "enrol", links[index])
        town.run("petition-coordinator", "joining", "open", "fork")
        page.begin_to_join("Fork", 2)
        page.go_on_despite_risks("was shown what contradicts what it had seen before")


def test_a_log_that_is_cut_for_one_person_is_noticed(town, downloads):
    town.roll("cut", 4)
    true = town.before.port
    _, old = town.twin()
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.make_wallet()
        page.enrol(town.people["cut"][0])
        town.before.port = old
        page.begin_to_join("Cut", 2)
        page.wait_for("an old state or one that was cut")
        town.before.port = true


def test_a_tab_that_is_closed_at_any_step_loses_nothing(town, downloads):
    """The answer of each request is lost with the tab. What was sent is sent again, and counts once."""
    town.roll("loft", 4)
    (town.folder / "loft.md").write_text("We ask for **a loft**.\n")
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.make_wallet()
        page.keep()

        def closed_while(server, ending, act):
            with server.holding(ending) as arrived:
                act()
                assert arrived.wait(60), ending
                page = SignerPage(driver, downloads)
            page.open_kept()
            return page

        page = closed_while(town.before, "/issue", lambda: page.begin_to_enrol(town.people["loft"][0]))
        page.wait_for("the invitation was sent, and no place came of it yet")
        page.enrol(town.people["loft"][0])
        for index in range(1, 4):
            town.signer("loft", index, "enrol", town.people["loft"][index])
        town.run("petition-coordinator", "joining", "open", "loft")

        def join():
            page.begin_to_join("Loft", 4)
            page.wait_for("Go on all the same")
            page.press("Go on all the same")

        page = closed_while(town.before, "/join", join)
        page.wait_for("the key was sent, and no answer came")
        page.join("Loft", 4)
        for index in range(1, 4):
            town.signer("loft", index, "join", "--minimum-round", "4", "--despite", "short-window")
        town.run("petition-coordinator", "seal", "loft")
        petition = town.petition("loft", "A loft", "en", "--roll", "loft")
        page = closed_while(town.counting, "/records", lambda: page.begin_to_sign(petition, 4))
        page.wait_for("signed, not counted yet")
        page.press_beside("A loft", "Send it again")
        page.wait_for("When it is sent")
        page.press("Send it again")
        page.wait_for("You signed this petition before", "Signed and counted")
        page.press("Go on")

        def withdraw():
            page.press_beside("A loft", "Withdraw")
            page.wait_for("for ever")
            page.press("Withdraw")

        page = closed_while(town.counting, "/records", withdraw)
        withdraw()
        page.wait_for("Withdrawn, as entry 1")
    town.run("petition-verifier", "fetch", petition, "copy-loft")
    said = town.run("petition-verifier", "verify", "copy-loft")
    assert "VALID" in said and "1 withdrawn" in said, said


def test_a_browser_that_has_no_room_is_told_so(town, downloads):
    town.roll("hold", 4)
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.make_wallet()
        page.keep()
        driver.execute_script("""
            IDBObjectStore.prototype.put = () => { throw new DOMException('no room', 'QuotaExceededError'); };
        """)
        page.paste(town.people["hold"][0])
        page.wait_for("It is for")
        page.press("Go on")
        page.wait_for("People are admitted")
        page.press("Go on")
        page.wait_for("cannot be written: QuotaExceededError")
        # Nothing was sent that the wallet does not have; and the wallet can still be saved.
        assert not [url for method, url, _ in requested(driver) if method == "POST"]
        (downloads / "roundrobin-wallet").unlink()
        page.save()
        page.saved("roundrobin-wallet")
        page.press("Go on")
        page.press("Remove it from this browser")
        page.wait_for("keeps no wallet any more")
        page.press("Go on")
        page.enrol(town.people["hold"][0])


def test_a_clock_that_is_wrong_is_said(town, downloads):
    town.roll("time", 4)
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        driver.execute_script("const now = Date.now; window.ahead = 0; Date.now = () => now() + window.ahead * 1000")
        page.open_wallet(joined_wallet(town, "deck", 1, downloads), "passphrase deck 1")
        for years, words in [(-5, "this computer's clock says 2021"), (90, "the petition closed at 2099")]:
            driver.execute_script("window.ahead = arguments[0] * 365 * 86400", years)
            page.paste(town.arabic)
            page.wait_for("Refuse if your ring")
            page.fill("Refuse if your ring has fewer members than this", "4")
            page.press("Look at the ring")
            page.wait_for(words)
            assert "set the clock if it is wrong" in page.text() or "this computer's clock is wrong" in page.text()
            page.press("Go on")
        driver.execute_script("window.ahead = 0")
        page.press("Close the wallet")
        page.wait_for("Sign petitions without being named", "Close it without saving")
        page = SignerPage(driver, downloads)
        page.make_wallet()
        page.enrol(town.people["time"][0])
        for index in range(1, 4):
            town.signer("time", index, "enrol", town.people["time"][index])
        town.run("petition-coordinator", "joining", "open", "time")
        driver.execute_script("const now = Date.now; Date.now = () => now() - 600000")
        page.begin_to_join("Time", 1)
        page.wait_for("the log says that joining opens at")


def test_a_browser_that_lacks_something_is_told_what(downloads):
    for missing, words in [("Object.defineProperty(window, 'crypto', { value: {} })", "no source of randomness"),
                           ("delete window.WebAssembly", "WebAssembly is off"),
                           ("delete window.DecompressionStream", "too old for this program"),
                           ("delete HTMLIFrameElement.prototype.credentialless; delete Navigator.prototype.userAgentData",
                            "too old for this program")]:
        with chromium(downloads) as driver:
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": missing})
            page = SignerPage(driver, downloads, title=None)
            page.wait_for(words)
            assert not driver.find_elements(By.CSS_SELECTOR, "main button")
    with chromium(downloads, arguments=["--blink-settings=scriptEnabled=false"]) as driver:
        page = SignerPage(driver, downloads, title=None)
        page.wait_for("works at the security level Standard")
    # Randomness that fails later ends the program: no secret is made without it.
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        driver.execute_script("Crypto.prototype.getRandomValues = () => { throw new Error('none'); }")
        page.press("Make a new wallet")
        page.wait_for("The same again")
        page.fill("Passphrase", PASSPHRASE)
        page.fill("The same again", PASSPHRASE)
        page.press("Go on")
        page.wait_for("The program has ended after a fault")
        assert not list(downloads.iterdir())


def test_records_that_an_aggregator_invents_do_not_end_the_program(town, downloads):
    """With its own key an aggregator can sign a log of anything. A number of 32 bits is more than an Int has there."""
    record, _ = town.receipts("deck", 1)
    true = fetched(town.water + "/checkpoint").decode()
    (downloads / "key.der").write_bytes(bytes.fromhex("302e020100300506032b657004220420")
                                        + (town.folder / "aggregator" / "note.key").read_bytes())
    name, line = true.rstrip().rsplit("\n", 1)[1].split(" ")[1:]

    def log(entry):
        root = hashlib.sha256(b"\0" + entry).digest()
        text = f"{name}\n1\n{base64.b64encode(root).decode()}\n"
        (downloads / "text").write_text(text)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", "key.der", "-keyform", "DER", "-rawin", "-in", "text"],
                                   cwd=downloads, capture_output=True, check=True).stdout
        signed = base64.b64encode(base64.b64decode(line)[:4] + signature).decode()
        bundle = len(entry).to_bytes(2, "big") + entry
        answers = {"/checkpoint": f"{text}\n\u2014 {name} {signed}\n".encode(), "/tile/entries/000.p/1": bundle,
                   "/tile/0/000.p/1": root}
        return lambda _, path, *rest: next(((200, body) for end, body in answers.items() if path.endswith(end)), None)

    entry = record.read_bytes()
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.open_wallet(joined_wallet(town, "deck", 3, downloads), "passphrase deck 3")
        # The same key signs a log of one true record, of one for a ring that nobody sealed, and of nothing sensible.
        for entry, words in [(entry, "nobody can tell who"), (entry[:2] + b"\xff\xff\xff\xff" + entry[6:], "nobody can tell who"),
                             (b"\xff" * 100, "breaks the rule"), (entry[:-1] + bytes([entry[-1] ^ 1]), "breaks the rule")]:
            town.counting.lie = log(entry)
            page.paste(town.water)
            page.wait_for("Refuse if your ring")
            page.fill("Refuse if your ring has fewer members than this", "4")
            page.press("Look at the ring")
            page.wait_for(words)
            page.press("Back" if "nobody" in words else "Go on")
        town.counting.lie = None


class Reporting(http.server.BaseHTTPRequestHandler):
    """A server that asks browsers to report all later requests, under the name of whoever reads this answer."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/report/"):
            self.server.reports.append(body.decode())
        self.server.connections.setdefault(self.path.split("/")[1], set()).add(self.client_address[1])
        place = f"https://coordinator.example:{self.server.server_port}/report/person-42"
        self.send_response(404)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "*")
        if "/rolls/" in self.path:
            self.send_header("Report-To", json.dumps({"group": "g", "max_age": 31536000, "endpoints": [{"url": place}]}))
            self.send_header("NEL", json.dumps({"report_to": "g", "max_age": 31536000, "success_fraction": 1.0}))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_OPTIONS = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def reporting(folder):
    """Such a server, and what Chromium is started with to believe its certificate."""
    run = lambda *command, **more: subprocess.run(command, cwd=folder, check=True, capture_output=True, **more).stdout
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=coordinator.example",
        "-addext", "subjectAltName=DNS:coordinator.example", "-keyout", "key.pem", "-out", "certificate.pem")
    key = run("openssl", "pkey", "-pubin", "-pubout", "-outform", "DER",
              input=run("openssl", "x509", "-in", "certificate.pem", "-noout", "-pubkey"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    server = http.server.ThreadingHTTPServer(("localhost", free_port()), Reporting)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.reports, server.connections = [], {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pin = base64.b64encode(hashlib.sha256(key).digest()).decode()
    try:
        yield server, [f"--user-data-dir={folder / 'profile'}", "--short-reporting-delay",
                       f"--ignore-certificate-errors-spki-list={pin}",
                       f"--host-resolver-rules=MAP coordinator.example:{server.server_port} localhost:{server.server_port}"]
    finally:
        server.shutdown()


def test_a_server_cannot_have_later_visits_reported_to_it(downloads):
    """Chromium keeps what a server says of reports for a year, for all pages of the disk, and reports under it what
    other servers are asked: but not for this page, once the wallet was closed."""
    with reporting(downloads) as (server, arguments), chromium(downloads, arguments=arguments) as driver:
        base = f"https://coordinator.example:{server.server_port}"
        page = SignerPage(driver, downloads)
        page.make_wallet()
        page.paste(f"{base}/rolls/members#3AYCE96ME5ZY708N72MWEWYZTJB")
        page.wait_for("It is for")
        page.press("Go on")
        page.wait_for("there is no such roll")
        page.press("Go on")
        page.press("Close the wallet")
        page.wait_for("Sign petitions without being named")
        page.open_wallet(downloads / "roundrobin-wallet", PASSPHRASE)
        page.paste(f"{base}/petitions/{64 * 'a'}")
        page.wait_for("there is no such petition")
        # Nor does it see that both came from one browser, by their connections.
        assert server.connections["rolls"] and server.connections["petitions"], server.connections
        assert not server.connections["rolls"] & server.connections["petitions"], server.connections
        # What a page asks without care is reported: this test would notice.
        driver.execute_async_script("""
            const [base, done] = arguments;
            (async () => { for (const path of ['/rolls/careless', '/careless']) await fetch(base + path).catch(() => 0); })()
              .then(done, done);
        """, base)
        SignerPage.wait(lambda: any("/careless" in report for report in server.reports), 40)
        time.sleep(2)
        assert not [report for report in server.reports if "/petitions/" in report], server.reports


def test_nobody_waits_for_a_frame_that_never_loads(town, downloads):
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.open_wallet(joined_wallet(town, "deck", 1, downloads), "passphrase deck 1")
        driver.execute_script("HTMLIFrameElement.prototype.addEventListener = () => {}")
        page.paste(town.water)
        page.wait_for("Reading the roll")
        page.press("Stop")
        page.wait_for("it was told to stop", seconds=5)


def test_the_module_forgets_a_passphrase(downloads):
    keep_memory = """
        (make => {
          WebAssembly.instantiate = (...all) => make(...all).then(made => {
            window.memory = made.exports?.memory ?? window.memory;
            return made;
          });
        })(WebAssembly.instantiate);
    """
    count = """
        const sought = new TextEncoder().encode(arguments[0]), memory = new Uint8Array(window.memory.buffer);
        let found = 0;
        for (let at = memory.indexOf(sought[0]); at >= 0; at = memory.indexOf(sought[0], at + 1)) {
          if (sought.every((byte, index) => memory[at + index] === byte)) found += 1;
        }
        return found;
    """
    with chromium(downloads) as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": keep_memory})
        page = SignerPage(driver, downloads)
        page.make_wallet()
        # The name of the file is there: this test would find it.
        assert driver.execute_script(count, "roundrobin-wallet") > 0
        assert driver.execute_script(count, PASSPHRASE) == 0
        page.press("Close the wallet")
        page.wait_for("Sign petitions without being named")
        page.open_wallet(downloads / "roundrobin-wallet", PASSPHRASE + " mistyped", expects="the passphrase is wrong")
        assert driver.execute_script(count, PASSPHRASE) == 0
        page.fill("Passphrase", PASSPHRASE)
        page.press("Go on")
        page.wait_for("This wallet has no roll yet")
        assert driver.execute_script(count, PASSPHRASE) == 0
        page.press("Close the wallet")
        page.press("Make a new wallet")
        page.wait_for("The same again")
        page.fill("Passphrase", PASSPHRASE)
        page.fill("The same again", PASSPHRASE + " mistyped")
        page.press("Go on")
        page.wait_for("the two passphrases differ")
        assert driver.execute_script(count, PASSPHRASE) == 0
