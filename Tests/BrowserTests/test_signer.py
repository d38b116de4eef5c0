"""The signer for browsers: one file, opened from the disk, against the real servers and the other programs."""

import base64
import contextlib
import hashlib
import http.server
import json
import pathlib
import re
import subprocess
import tempfile
import threading
import urllib.request

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from firefox import firefox
from signer_page import FILE, SignerPage
from test_pages import audit, complaints
from town import PROGRAMS, Town, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOTS = ROOT / ".build" / "screenshots"
VECTORS = ROOT / "Protocol" / "vectors"
PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="module")
def town():
    town = Town(liars=True)
    for slug in ["watch", "helm"]:
        town.roll(slug, 4)
    yield town
    town.stop()


@pytest.fixture
def downloads():
    with tempfile.TemporaryDirectory(prefix="roundrobin-downloads-") as folder:
        yield pathlib.Path(folder)


@contextlib.contextmanager
def chromium(downloads, width=1000, height=1400, language="en", dark=False, arguments=()):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},{height}",
                     f"--accept-lang={language}", *arguments]:
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        scheme = "dark" if dark else "light"
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                               {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        yield driver
    finally:
        driver.quit()


def requested(driver):
    """Everything that the browser asked for since this was last called: method and url."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [(m["params"]["request"]["method"], m["params"]["request"]["url"], m["params"]["request"]["headers"])
            for m in messages if m["method"] == "Network.requestWillBeSent"]


def roll_id(descriptor):
    """The id of a roll: the SHA-256 of its text, as its address has it."""
    return hashlib.sha256(descriptor[:descriptor.index(b"\n\n") + 1]).hexdigest()


def joined_wallet(town, slug, index, downloads):
    """The wallet of somebody who joined with petition-signer, as a file of its own."""
    file = downloads / f"wallet-{slug}-{index}"
    file.write_bytes((town.folder / f"wallet-{slug}-{index}").read_bytes())
    return file


# ---- What the file is

def test_the_file_says_what_it_loads_and_from_where():
    page = FILE.read_text()
    assert len(page.encode()) <= 1_500_000
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "'wasm-unsafe-eval'" in policy
    assert "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
    assert "connect-src https: http://*.onion:* http://localhost:* http://127.0.0.1:*" in policy
    # Nothing is loaded: no element of the page has an address.
    assert not re.search(r"<(?:img|link|iframe|object|embed)\b|\bsrc=|@import|url\(", page)


def test_a_hash_says_which_release_the_file_is_of(downloads):
    def ask(*arguments):
        done = subprocess.run([PROGRAMS / "petition-verifier", "web-signer", *arguments], cwd=downloads, text=True,
                              capture_output=True, timeout=30)
        return done.returncode, done.stdout + done.stderr

    page = FILE.read_bytes()
    hash = hashlib.sha256(page).hexdigest()
    (downloads / "page.html").write_bytes(page)
    (downloads / "changed.html").write_bytes(page.replace(b"</html>", b" </html>"))
    (downloads / "SHA256SUMS").write_text(f"{64 * '0'}  roundrobin-signer_0.9.0-1_amd64.deb\n{hash}  roundrobin-signer.html\n")
    code, said = ask("--sums", "SHA256SUMS", "page.html")
    assert code == 0 and hash in said and "It is roundrobin-signer.html of the release" in said, said
    code, said = ask("--sums", "SHA256SUMS", "changed.html")
    assert code == 1 and "this file is not in SHA256SUMS" in said and "do not open it" in said, said
    code, said = ask("page.html")
    assert code == 3 and hash in said and "hint:" in said, said


def test_the_vectors_are_accepted_and_refused_inside_the_module(downloads):
    """The same files that the other tests use, without their nulls, which our documents do not have."""
    def without_nulls(value):
        if isinstance(value, dict):
            return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
        return [without_nulls(inner) for inner in value] if isinstance(value, list) else value

    with chromium(downloads) as driver:
        SignerPage(driver, downloads)
        for name, least in [("protocol", (60, 20)), ("transparency-log", (20, 30))]:
            vectors = json.dumps(without_nulls(json.loads((VECTORS / f"{name}-vectors.json").read_text())))
            run = """
                const [vectors, done] = arguments;
                compiledModule().then(module => instantiate(module, () => [{}])).then(({ exports }) => {
                  const bytes = new TextEncoder().encode(vectors);
                  const start = exports.malloc(bytes.length);
                  new Uint8Array(exports.memory.buffer, start, bytes.length).set(bytes);
                  const report = exports.check_vectors(start, bytes.length);
                  const count = new DataView(exports.memory.buffer).getUint32(report, true);
                  done(new TextDecoder().decode(new Uint8Array(exports.memory.buffer, report + 4, count)));
                }, error => done(String(error)));
            """
            report = json.loads(driver.execute_async_script(run, vectors))
            assert report["wrong"] == [], report
            assert report["accepted"] >= least[0] and report["refused"] >= least[1], report
            # Vectors that say the opposite are noticed.
            turned = vectors.replace('"valid": false', '"valid": true') if name == "protocol" else (
                vectors.replace('"bad_inclusion"', '"inclusion"', 1).replace('"inclusion"', '"bad_inclusion"', 1))
            assert json.loads(driver.execute_async_script(run, turned))["wrong"] != [], name


def test_a_ring_of_1024_takes_less_than_a_second_and_300_megabytes(downloads):
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        seconds, valid = driver.execute_async_script("""
            const done = arguments[0];
            compiledModule().then(module => instantiate(module, () => [{}])).then(({ exports }) => {
              const start = performance.now();
              const valid = exports.sign_in_ring(1024);
              done([(performance.now() - start) / 1000, valid]);
            });
        """)
        print(f"signed in a ring of 1,024 and checked: {seconds:.2f} s")
        assert valid == 1
        page.make_wallet(PASSPHRASE)
        used = driver.execute_script("return moduleMemory()")
        print(f"memory of the module after opening a wallet: {used / 1e6:.0f} MB")
        assert used < 300e6


# ---- What people do

@pytest.mark.parametrize("browser, roll", [(chromium, "watch"), (firefox, "helm")])
def test_a_person_enrols_joins_signs_and_withdraws(town, downloads, browser, roll):
    """All of it in the browser; the wallet goes to the command line and back; nobody else is asked anything."""
    with browser(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.make_wallet(PASSPHRASE)
        page.enrol(town.people[roll][0])
        for index in range(1, 4):
            town.signer(roll, index, "enrol", town.people[roll][index])
        town.run("petition-coordinator", "joining", "open", roll)
        page.join(roll.title(), 4)
        for index in range(1, 4):
            town.signer(roll, index, "join", "--minimum-round", "4", "--despite", "short-window")
        town.run("petition-coordinator", "seal", roll)
        (town.folder / f"{roll}.md").write_text("We ask for **a second watch**.\n")
        petition = town.petition(roll, "A second watch", "en", "--roll", roll)
        assert page.sign(petition, 4) == "Signed and counted"
        page.press_beside("A second watch", "Receipt")
        page.wait_for("The receipt for the signature is good: entry 0")
        page.press("Back")
        wallet = downloads / "moved"
        wallet.write_bytes(page.save_wallet())
        said = town.run("petition-signer", "receipt", "check", "--wallet", str(wallet), "--passphrase-fd", "0",
                        stdin=PASSPHRASE + "\n")
        assert "the receipt for the signature is good, entry 0" in said
        page.press("Close the wallet")
        page.wait_for("Sign petitions without being named")
        page.open_wallet(wallet, PASSPHRASE)
        page.press_beside("A second watch", "Withdraw")
        page.wait_for("for ever")
        page.press("Withdraw")
        page.wait_for("Withdrawn, as entry 1", seconds=30)
        page.press("Go on")
        asked = requested(driver) if browser == chromium else None
        assert browser != chromium or complaints(driver) == []
    town.run("petition-verifier", "fetch", petition, f"copy-{roll}")
    said = town.run("petition-verifier", "verify", f"copy-{roll}")
    assert "VALID" in said and "1 withdrawn" in said, said
    if asked is None:
        return
    for _, url, headers in asked:
        assert url.startswith(("file:", "blob:", town.coordinator, town.aggregator)), url
        assert not any(headers.get(name) for name in headers if name.title() in ("Cookie", "Referer")), headers
    # The code is sent to the coordinator once, and the record to the aggregator twice: signed, and withdrawn.
    sent = [url for method, url, _ in asked if method == "POST"]
    assert [url.rsplit("/", 1)[1] for url in sent] == ["issue", "join", "records", "records"], sent


def test_a_wallet_of_the_command_line_signs_in_the_browser(town, downloads):
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.open_wallet(joined_wallet(town, "galley", 1, downloads), "passphrase galley 1")
        assert page.sign(town.water, 4) == "Signed and counted"
        changed = downloads / "changed"
        changed.write_bytes(page.save_wallet("wallet-galley-1"))
        # An older copy of the wallet signs the same again, and is counted once.
        page.press("Close the wallet")
        page.wait_for("Sign petitions without being named")
        page.open_wallet(joined_wallet(town, "galley", 1, downloads), "passphrase galley 1")
        assert page.sign(town.water, 4) == "You signed this petition before"
    said = town.run("petition-signer", "receipt", "check", "--wallet", str(changed), "--passphrase-fd", "0",
                    stdin="passphrase galley 1\n")
    assert "the receipt for the signature is good" in said


def test_a_wallet_is_kept_only_if_the_person_says_so(town, downloads):
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        kept = "return indexedDB.databases().then(found => found.length)"
        page.make_wallet(PASSPHRASE)
        assert driver.execute_script(kept) == 0
        assert driver.execute_script("return localStorage.length + sessionStorage.length + document.cookie.length") == 0
        page.press("Keep it in this browser, encrypted")
        page.wait_for("This browser keeps your wallet")
        page = SignerPage(driver, downloads)
        page.press("Open a wallet")
        page.press("Open the wallet that this browser keeps")
        page.fill("Passphrase", PASSPHRASE)
        page.press("Go on")
        page.wait_for("This wallet has no roll yet")
        page.press("Remove it from this browser")
        page.wait_for("keeps no wallet any more")
        page = SignerPage(driver, downloads)
        page.press("Open a wallet")
        page.press("Open the wallet that this browser keeps")
        page.wait_for("there is no wallet")


def test_nothing_that_was_not_saved_is_lost_without_a_word(town, downloads):
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.press("Make a new wallet")
        page.wait_for("The same again")
        page.fill("Passphrase", PASSPHRASE)
        page.fill("The same again", PASSPHRASE)
        page.press("Go on")
        page.wait_for("Save it as a file")
        page.press("Go on")
        page.wait_for("This wallet has no roll yet")
        bar = driver.find_element(By.ID, "unsaved")
        assert bar.text == "Your wallet has changed since you saved it."
        page.press("Close the wallet")
        page.wait_for("Close it without saving")
        page.press("Back")
        page.wait_for("This wallet has no roll yet")
        # A browser may forget what it keeps, and what it removed is gone: both still want a file.
        for press, words in [("Keep it in this browser, encrypted", "This browser keeps your wallet"),
                             ("Remove it from this browser", "keeps no wallet any more")]:
            page.press(press)
            page.wait_for(words)
            page.press("Go on")
            assert bar.is_displayed()
        page.press("Save the wallet as a file")
        page.saved("roundrobin-wallet")
        page.wait(lambda: not bar.is_displayed())
        page.press("Close the wallet")
        page.wait_for("Sign petitions without being named")
        # Another wallet is not replaced.
        page.open_wallet(downloads / "roundrobin-wallet", PASSPHRASE)
        page.press("Keep it in this browser, encrypted")
        page.wait_for("This browser keeps your wallet")
        page.press("Go on")
        page.press("Close the wallet")
        page.wait_for("Sign petitions without being named")
        page.open_wallet(joined_wallet(town, "deck", 0, downloads), "passphrase deck 0")
        page.press("Keep it in this browser, encrypted")
        page.wait_for("this browser keeps another wallet")


def test_stopping_stops_and_what_was_signed_is_not_sent_by_looking(town, downloads):
    (town.folder / "stop.md").write_text("We ask for **a stop**.\n")
    petition = town.petition("stop", "A stop", "en", "--roll", "galley")
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.open_wallet(joined_wallet(town, "galley", 3, downloads), "passphrase galley 3")
        # While the page reads: the answer that it waits for never comes.
        release = threading.Event()
        town.counting.lie = lambda method, path, *_: release.wait(60) and None if path.endswith(petition[-64:] + "/petition") else None
        page.fill("Your invitation, or the address of a petition", petition)
        page.press("Go on")
        page.wait_for("Reading the roll")
        page.press("Stop")
        page.wait_for("it was told to stop", seconds=5)
        release.set()
        town.counting.lie = None
        page.press("Go on")
        # While it waits to send.
        page.fill("Your invitation, or the address of a petition", petition)
        page.press("Go on")
        page.wait_for("Refuse if your ring")
        page.fill("Refuse if your ring has fewer members than this", "a few")
        page.press("Look at the ring")
        page.wait_for("this is not a whole number")
        page.fill("Refuse if your ring has fewer members than this", "4")
        page.press("Look at the ring")
        page.wait_for("nobody can tell who")
        page.fill("When it is sent", "At a random moment within 6 hours")
        page.press("Sign")
        page.wait_for("Sending at")
        page.press("Stop")
        page.wait_for("signed, not counted yet")
        requested(driver)
        page.fill("Your invitation, or the address of a petition", petition)
        page.press("Go on")
        page.wait_for("When it is sent")
        page.press("Back")
        page.wait_for("signed, not counted yet")
        assert not [url for method, url, _ in requested(driver) if method == "POST"]


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
        # An address that cannot be read does no harm.
        page = SignerPage(driver, downloads, after="#%")
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


# ---- How it looks, and for whom

def test_every_screen_is_accessible_and_fits_a_telephone(town, downloads):
    SHOTS.mkdir(parents=True, exist_ok=True)
    (town.folder / "watch.md").write_text("We ask for **a second watch**.\n")
    for width, language, dark in [(320, "de", True), (1000, "en", False)]:
        with chromium(downloads, width=width, height=900, language=language, dark=dark) as driver:
            page = SignerPage(driver, downloads, title=None)

            def look(name):
                assert audit(driver) == [], name
                wide = driver.execute_script("return document.documentElement.scrollWidth")
                assert wide <= width, f"{name}: {wide}"
                assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
                driver.get_screenshot_as_file(str(SHOTS / f"signer-{name}-{width}.png"))

            page.wait_for_title()
            look("start")
            page.press_at(0)
            look("open")
            page.choose_file(joined_wallet(town, "deck", 2, downloads))
            page.press_at(0)
            page.type_secret("passphrase deck 2")
            page.driver.switch_to.active_element.send_keys(Keys.ENTER)
            SignerPage.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, "textarea"))
            look("home")
            page.driver.find_element(By.CSS_SELECTOR, "textarea").send_keys(town.arabic)
            page.press_at(0)
            SignerPage.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, "blockquote"))
            look("petition")
            page.driver.find_element(By.CSS_SELECTOR, "[inputmode=numeric]").clear()
            page.driver.find_element(By.CSS_SELECTOR, "[inputmode=numeric]").send_keys("4")
            page.press_at(0)
            SignerPage.wait(lambda: page.driver.find_elements(By.TAG_NAME, "select"))
            look("sign")


def test_it_speaks_four_languages(downloads):
    for language, words in [("en", "Sign petitions without being named"), ("fr-CA", "sans être nommé"),
                            ("de-AT", "ohne genannt zu werden"), ("es", "sin ser nombrado"), ("pt", "without being named")]:
        with chromium(downloads, language=language) as driver:
            page = SignerPage(driver, downloads, title=None)
            page.wait_for_title()
            assert words in page.title(), page.title()
            [b for b in driver.find_elements(By.CSS_SELECTOR, "nav button") if b.text == "Deutsch"][0].click()
            SignerPage.wait(lambda: driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "de")
