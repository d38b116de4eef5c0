"""The signer for browsers: one file, opened from the disk, against the real servers and the other programs."""

import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import threading
import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from firefox import firefox
from signer_page import FILE, PASSPHRASE, SignerPage, chromium, joined_wallet, requested
from test_pages import audit, complaints
from town import PROGRAMS

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOTS = ROOT / ".build" / "screenshots"
VECTORS = ROOT / "Protocol" / "vectors"


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
    assert code == 1 and "this file is not the roundrobin-signer.html of SHA256SUMS" in said and "do not open it" in said, said
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
        assert url.startswith(("file:", "blob:", "about:", town.coordinator, town.aggregator)), url
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
        # Whether a file was written, a browser does not say.
        page.press("Save the wallet as a file")
        page.saved("roundrobin-wallet")
        page.wait_for("It is there")
        assert bar.is_displayed()
        page.press("It is there")
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


def test_a_receipt_is_saved_and_printed(town, downloads):
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.open_wallet(joined_wallet(town, "deck", 0, downloads), "passphrase deck 0")
        page.press_beside("Fresh water on every watch", "Receipt")
        page.wait_for("The receipt for the signature is good")
        driver.execute_script("window.print = () => { window.printed = true; }")
        page.press("Print")
        page.wait(lambda: driver.execute_script("return window.printed === true"))
        # On paper there is what the receipt proves, and nothing to press.
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert not [b for b in driver.find_elements(By.TAG_NAME, "button") if b.is_displayed()]
        assert "Fresh water on every watch" in page.text() and town.water[-64:] in page.text()
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen"})
        page.press("Save record and receipt as files")
        for theirs in town.receipts("deck", 0):
            assert page.saved(theirs.name) == theirs.read_bytes()


def test_a_calendar_says_when_joining_opens(town, downloads):
    town.roll("sail", 4, joining="24h")
    town.run("petition-coordinator", "rounds", "set", "sail", "--crowd", "4", "--at-least", "12h", "--at-most", "3d")
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.make_wallet()
        page.begin_to_enrol(town.people["sail"][0])
        page.wait_for("press Join, and leave the page open as long as the entry lasts")
        page.press("Save a calendar entry")
        entry = page.saved("roundrobin.ics").decode()
        lines = entry.split("\r\n")
        assert lines[0] == "BEGIN:VCALENDAR" and lines[-2:] == ["END:VCALENDAR", ""], entry
        # A crowd may open joining earlier, and it lasts a day: whoever looks at these times comes in its first half.
        times = [datetime.datetime.strptime(line, "DTSTART:%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
                 for line in lines if line.startswith("DTSTART:")]
        now = datetime.datetime.now(datetime.timezone.utc)
        hours = [(time - now).total_seconds() / 3600 for time in times]
        assert 72 <= hours[-1] < 79, entry
        assert all(after - before <= 6 for before, after in zip([0, *hours], hours)), entry
        # Each at a random time in an eighth of the joining time, which is the same for all.
        assert len({time.timestamp() // 10800 for time in times}) == len(times)
        # Calendars are often kept by others.
        assert "Sail" not in entry and "localhost" not in entry
    # Whatever the coordinator says to one person, it fills no calendar.
    far = lambda _, path, status, body: (
        (status, re.sub(rb'"notBefore":"[^"]*"', b'"notBefore":"9999-12-30T00:00:00Z"', body)) if path.endswith("/round") else None)
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        (downloads / "roundrobin-wallet").unlink()
        page.make_wallet()
        town.before.lie = far
        page.begin_to_enrol(town.people["sail"][1])
        page.wait_for("joining opens at")
        town.before.lie = None
        assert not page.has_button("Save a calendar entry")


def test_a_mail_that_is_dropped_is_the_invitation(town, downloads):
    link = town.people["watch"][3]
    quoted = link.replace("#", "=23").replace("rolls", "ro=\r\nlls")
    mail = ("Subject: Your invitation\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            f"Hello\r\n\r\n{quoted}\r\n")
    drop = """
        const transfer = new DataTransfer();
        transfer.items.add(new File([arguments[0]], arguments[1]));
        const event = new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true });
        document.body.dispatchEvent(event);
        return event.defaultPrevented;
    """
    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        # Where nothing is asked for, the page stays what it is.
        assert driver.execute_script(drop, mail, "invitation.eml")
        page.make_wallet()
        assert driver.execute_script(drop, mail, "invitation.eml")
        page.wait(lambda: "ro=" in driver.find_element(By.TAG_NAME, "textarea").get_property("value"))
        page.press("Go on")
        page.wait_for("It is for")
        assert link.split("#")[0] in page.text()
        page = SignerPage(driver, downloads)
        page.press("Open a wallet")
        page.wait_for("Wallet file")
        assert driver.execute_script(drop, "no wallet", "wallet")
        page.press("Go on")
        page.type_secret("any")
        page.press("Go on")
        page.wait_for("this is not a wallet")


def test_a_long_log_is_read_ahead(town, downloads):
    """Several parts are asked for at once, as petition-signer does; through Tor, one after the other takes minutes."""
    town.roll("fleet", 3000)
    lock, asked, now, most = threading.Lock(), [], 0, 0

    def slow(method, path, *_):
        nonlocal now, most
        if "/tile/entries/" not in path:
            return
        with lock:
            asked.append(path)
            now += 1
            most = max(most, now)
        time.sleep(0.2)
        with lock:
            now -= 1

    with chromium(downloads) as driver:
        page = SignerPage(driver, downloads)
        page.make_wallet()
        town.before.lie = slow
        page.begin_to_enrol(town.people["fleet"][0])
        page.wait_for("You are enrolled", seconds=60)
        town.before.lie = None
    # 12 bundles of 256 entries; a browser has six connections to one server.
    first = asked[:asked.index(asked[0], 1)] if asked[0] in asked[1:] else asked
    assert len(first) >= 12 and len(set(first)) == len(first), asked
    assert 4 <= most <= 8, most


# ---- How it looks, and for whom

@pytest.mark.parametrize("width, language, dark", [(320, "de", True), (1000, "en", False)])
def test_every_screen_is_accessible_and_fits_a_telephone(town, downloads, width, language, dark):
    SHOTS.mkdir(parents=True, exist_ok=True)
    slug = f"berth-{width}"
    town.roll(slug, 4)
    with chromium(downloads, width=width, height=900, language=language, dark=dark) as driver:
        page = SignerPage(driver, downloads, title=None)

        def find(selector):
            page.wait(lambda: driver.find_elements(By.CSS_SELECTOR, selector))
            return driver.find_element(By.CSS_SELECTOR, selector)

        def look(name, button, selector="h1"):
            """Looks at a screen, once it has this button and element."""
            find(f"main button[data-button='{button}']")
            find(f"main {selector}")
            assert audit(driver) == [], name
            wide = driver.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, f"{name}: {wide}"
            assert find("html").get_attribute("lang") == language
            driver.get_screenshot_as_file(str(SHOTS / f"signer-{name}-{width}.png"))

        def press(button):
            """Presses a button by its name, which no language changes."""
            page.again(lambda: find(f"main button[data-button='{button}']").click())

        def paste(text):
            find("textarea").clear()
            find("textarea").send_keys(text)
            press("on")

        look("start", "new")
        press("new")
        look("new", "on", ".secret")
        for field in driver.find_elements(By.CSS_SELECTOR, ".secret"):
            field.send_keys(PASSPHRASE)
        press("on")
        look("save", "save")
        press("on")
        look("empty", "keep", "textarea")
        paste("words that are no link")
        look("error", "on", ".error")
        press("on")
        paste(town.people[slug][0])
        for name, selector in [("invitation", "p"), ("roll", "dl"), ("sizes", "table")]:
            look(name, "on", selector)
            press("on")
        look("enrolled", "save")
        press("on")
        press("join 0")
        look("join", "back", "[inputmode=numeric]")
        find("[inputmode=numeric]").clear()
        find("[inputmode=numeric]").send_keys("1")
        press("on")
        look("waiting", "stop")
        press("stop")
        for index in range(1, 4):
            town.signer(slug, index, "enrol", town.people[slug][index])
        town.run("petition-coordinator", "joining", "open", slug)
        press("join 0")
        find("[inputmode=numeric]").clear()
        find("[inputmode=numeric]").send_keys("1")
        press("on")
        look("risk", "despite", ".warning")
        press("stop")
        press("close")
        look("unsaved", "close", ".warning")
        press("close")
        press("open")
        look("open", "kept", ".file")
        page.choose_file(joined_wallet(town, "deck", 2, downloads))
        press("on")
        look("passphrase", "on", ".secret")
        page.type_secret("passphrase deck 2")
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        look("home", "keep", "textarea")
        paste(town.arabic)
        look("petition", "back", "blockquote")
        find("[inputmode=numeric]").clear()
        find("[inputmode=numeric]").send_keys("4")
        press("on")
        look("sign", "back", "select")
        press("back")
        press("receipt 0")
        look("receipt", "save", ".warning")
        press("back")
        press("withdraw 0")
        look("withdraw", "back", ".grave")


def test_it_speaks_four_languages(downloads):
    for language, words in [("en", "Sign petitions without being named"), ("fr-CA", "sans être nommé"),
                            ("de-AT", "ohne genannt zu werden"), ("es", "sin ser nombrado"), ("pt", "without being named")]:
        with chromium(downloads, language=language) as driver:
            page = SignerPage(driver, downloads, title=None)
            page.wait_for_title()
            assert words in page.title(), page.title()
            [b for b in driver.find_elements(By.CSS_SELECTOR, "nav button") if b.text == "Deutsch"][0].click()
            SignerPage.wait(lambda: driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "de")
