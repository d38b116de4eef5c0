"""What people see in a browser: headless Chromium on pages that the real aggregator serves."""

import base64
import contextlib
import hashlib
import http.client
import json
import pathlib
import re
import subprocess
import time
import urllib.error
import urllib.request

import axe_playwright_python
import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from town import DESCRIPTORS, Town

AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOTS = ROOT / ".build" / "screenshots"
VECTORS = json.loads((ROOT / "Protocol" / "vectors" / "transparency-log-vectors.json").read_text())


@pytest.fixture(scope="module")
def town():
    town = Town()
    yield town
    town.stop()


@contextlib.contextmanager
def chromium(width=1440, height=900, scripts=True, dark=False):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
                     f"--window-size={width},{height}"]:
        options.add_argument(argument)
    if not scripts:
        options.add_argument("--blink-settings=scriptEnabled=false")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        # The window's smallest width is above a telephone's: the page's size is set, not the window's.
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        scheme = "dark" if dark else "light"
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                               {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        yield driver
    finally:
        driver.quit()


def requests(driver):
    """Every url that the browser asked for since this was last called."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def complaints(driver):
    """What the console says is wrong, such as something that the page's own policy forbids."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def text(driver, selector):
    return driver.find_element(By.CSS_SELECTOR, selector).text


def audit(driver):
    driver.execute_script(AXE)
    found = driver.execute_async_script("""
        const done = arguments[arguments.length - 1];
        axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(done);
    """)
    return [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found["violations"]]


def pages(town):
    return {
        "list": town.aggregator, "petition": town.water, "arabic": town.arabic + "?lang=de", "poster": town.water + "/poster",
        "check": town.water + "/check", "french": town.water + "?lang=fr",
    }


def passing_pages(town):
    """Pages that are made for one answer: nobody keeps them."""
    return {
        "enrolment": town.coordinator + "/rolls/deck", "open": town.coordinator + "/rolls/shore", "missing": town.aggregator + "/petitions/none",
        "stop": town.coordinator + "/stop/" + 32 * "0",
    }


def fetch(url, **headers):
    """As a browser asks, whatever the status."""
    request = urllib.request.Request(url, headers={"Accept": "text/html,*/*"} | headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.headers, error.read()


def test_the_page_says_everything_without_javascript(town):
    with chromium(scripts=False) as driver:
        driver.get(town.water)
        assert text(driver, "h1") == "Fresh water on every watch"
        page = text(driver, "main")
        for words in ["The crew", "The captain", "Next goal: 5", "0 withdrawn", "Open until January 1, 2099", "Deck", "Galley",
                      "petition-signer sign " + town.water, "petition-verifier verify " + town.water,
                      town.water[-64:], "Load the page again"]:
            assert words in page, words
        assert text(driver, ".count strong") == "3"
        statement = driver.find_element(By.CSS_SELECTOR, ".statement")
        assert statement.find_element(By.TAG_NAME, "h3").text == "We ask for fresh water"
        assert statement.find_element(By.TAG_NAME, "strong").text == "every"
        assert "a sail" in statement.text
        assert not statement.find_elements(By.CSS_SELECTOR, "script, img, [href^='javascript']")
        assert driver.title == "Fresh water on every watch"
        assert driver.find_element(By.CSS_SELECTOR, "a[href='https://crew.example']")
        assert ": 2 signatures." in text(driver, "figcaption")
        assert driver.find_element(By.CSS_SELECTOR, "svg.chart").rect["width"] > 300
        fingerprint = town.water[-64:][:32]
        assert text(driver, ".fingerprint").replace(" ", "") == fingerprint


def test_the_count_moves_when_a_signature_arrives(town):
    with chromium() as driver:
        driver.get(town.water)
        before = int(text(driver, ".count strong"))
        bar = driver.find_element(By.TAG_NAME, "progress")
        assert "now" in text(driver, "#age") or "ago" in text(driver, "#age")
        town.sign("galley", 0, town.water)
        WebDriverWait(driver, 15).until(lambda d: text(d, ".count strong") == str(before + 1))
        assert float(bar.get_attribute("value")) == before + 1
        assert text(driver, "[data-show=label-1]") == "1"
        live = driver.find_element(By.CSS_SELECTOR, "[aria-live]")
        assert live.get_attribute("textContent") == f"{before + 1} signatures now"
        assert complaints(driver) == []


def test_a_receipt_is_checked_in_the_page(town):
    record, receipt = town.receipts("deck", 0)
    changed_record = record.with_name("changed.record")
    changed_record.write_bytes(bytes([*record.read_bytes()[:-1], record.read_bytes()[-1] ^ 1]))
    lines = receipt.read_text().split("\n")
    variants = {"index": lines[:], "root": lines[:], "signature": lines[:], "origin": lines[:], "cut": lines[:1]}
    variants["index"][1] = "index 99"
    blank = lines.index("")
    variants["origin"][blank + 1] = lines[blank + 1].replace("localhost", "localhoast")
    root = lines[blank + 3]
    variants["root"][blank + 3] = ("A" if root[0] != "A" else "B") + root[1:]
    signature = variants["signature"][blank + 5]
    variants["signature"][blank + 5] = signature[:-10] + ("A" if signature[-10] != "A" else "B") + signature[-9:]
    for name, changed in variants.items():
        receipt.with_name(name + ".tlog-proof").write_text("\n".join(changed))

    with chromium() as driver:
        driver.get(town.water + "/check")
        requests(driver)

        def give(receipt, record):
            driver.get(town.water + "/check")
            requests(driver)
            driver.find_element(By.ID, "receipt").send_keys(str(receipt))
            driver.find_element(By.ID, "record").send_keys(str(record))
            result = driver.find_element(By.ID, "result")
            WebDriverWait(driver, 10).until(lambda _: result.get_attribute("class") in ["good", "bad"])
            assert requests(driver) == [], "nothing leaves the page"
            return result.get_attribute("class"), result.text

        verdict, words = give(receipt, record)
        assert verdict == "good" and "entry 0 of a log of" in words, words
        for wrong_receipt, wrong_record, words in [
            (receipt, changed_record, "not for this record"), (receipt.with_name("index.tlog-proof"), record, "not for this record"),
            (receipt.with_name("root.tlog-proof"), record, "not signed"),
            (receipt.with_name("signature.tlog-proof"), record, "not signed"),
            (receipt.with_name("origin.tlog-proof"), record, "another petition"),
            (receipt.with_name("cut.tlog-proof"), record, "not one"), (record, record, "not one"),
        ]:
            verdict, said = give(wrong_receipt, wrong_record)
            assert verdict == "bad" and words in said, (wrong_receipt.name, said)

        driver.get(town.water + "/check")
        driver.find_element(By.ID, "record").send_keys(str(changed_record))
        changed_record.unlink()
        driver.find_element(By.ID, "receipt").send_keys(str(receipt))
        result = driver.find_element(By.ID, "result")
        WebDriverWait(driver, 10).until(lambda _: result.get_attribute("class") in ["good", "bad"])
        assert "cannot read" in result.text


# Gives the page's own code a receipt and a record, for a log and a key; answers with the class and the words of the result.
CHECK = """
    const [receipt, record, origin, key, done] = arguments;
    const form = document.getElementById("check"), result = document.getElementById("result");
    Object.assign(form.dataset, {origin, key});
    for (const [name, bytes] of Object.entries({receipt, record})) {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(bytes)], name));
        form.elements[name].files = data.files;
    }
    result.className = "";
    form.dispatchEvent(new Event("change"));
    const wait = () => result.className ? done([result.className, result.textContent]) : setTimeout(wait, 5);
    wait();
"""


def test_the_page_reads_receipts_as_the_vectors_say(town):
    log = VECTORS["keys"]["log"]
    key = base64.b64encode(bytes.fromhex(log["public"])).decode()
    good = VECTORS["tlog_proofs"][0]
    head, body = good["file"].split("\n\n", 1)
    text, signatures = body.split("\n\n")
    own = signatures.split("\n")[0]

    def note(checkpoint):
        return head + "\n\n" + checkpoint

    accepted = [(proof["file"], proof["index"]) for proof in VECTORS["tlog_proofs"]]
    accepted += [(note(body), 2), (note(f"{text}\n\n{own}\n\u2014 else.example/x+y AAAAAAA=\n".replace("+y", "")), 2)]
    # Names that begin or end with what joins the space beside it into one letter.
    accepted += [(note(f"{text}\n\n{own}\n\u2014 {name} AAAAAAA=\n"), 2) for name in ["\u0301x", "x\u0600"]]
    refused = [(proof["file"], None, proof["why"]) for proof in VECTORS["bad_tlog_proofs"]]
    rules = {"malformed": "malformed", "bad signature": "signature", "no signature": "signature", "unexpected origin": "originWrong"}
    for bad in VECTORS["checkpoints"]["invalid"]:
        rule = next(rule for words, rule in rules.items() if words in bad["expect"])
        refused.append((note(bad["checkpoint"]), rule, bad["why"]))
    refused.append((note(VECTORS["checkpoints"]["with_extension_line"]["checkpoint"]), "malformed", "extension line"))
    for why, rule, changed in [
        ("extra that is not base64", "malformed", good["file"].replace("\nindex", "\nextra =\nindex", 1)),
        ("index of 2^63", "malformed", good["file"].replace("index 2", f"index {1 << 63}", 1)),
        ("64 hashes", "malformed", head + ("\n" + head.split("\n")[2]) * 61 + "\n\n" + body),
        ("a byte that is not UTF-8", "malformed", good["file"].encode() + b"\xff\n"),
        ("a control character", "malformed", note(f"{text}\n\n{own}\n\u2014 a\tb AAAAAAA=\n")),
        ("a name with a plus sign", "malformed", note(f"{text}\n\n{own}\n\u2014 a+b AAAAAAA=\n")),
        ("a name with a no-break space", "malformed", note(f"{text}\n\n{own}\n\u2014 a\u00a0b AAAAAAA=\n")),
        ("a signature line without signature", "malformed", note(f"{text}\n\n{own}\n\u2014 other AAAAAA==\n")),
        ("a line that is no signature", "malformed", note(f"{text}\n\n{own}\nnothing\n")),
        ("three fields", "malformed", note(f"{text}\n\n{own} more\n")),
        ("65 signatures", "malformed", note(f"{text}\n\n{own}\n" + "\u2014 other AAAAAAA=\n" * 64)),
        ("its key's signature twice", "signature", note(f"{text}\n\n{own}\n{own}\n")),
        ("only another key's", "signature", note(f"{text}\n\n\u2014 {log['name']} AAAAAAA=\n")),
    ]:
        refused.append((changed, rule, why))

    with chromium() as driver:
        driver.get(town.water + "/check")
        words = driver.execute_script("return {...document.getElementById('check').dataset}")

        def check(receipt, index):
            data = receipt if isinstance(receipt, bytes) else receipt.encode()
            return driver.execute_async_script(CHECK, list(data), list(f"entry-{index}".encode()), log["name"], key)

        for receipt, index in accepted:
            verdict, said = check(receipt, index)
            assert verdict == "good", (receipt, said)
            assert check(receipt, index + 1)[0] == "bad"
        for receipt, rule, why in refused:
            verdict, said = check(receipt, 2)
            assert verdict == "bad" and (rule is None or said == words[rule]), (why, said)


def test_the_page_says_which_witnesses_saw_a_receipt(town):
    vector = json.loads((ROOT / "Protocol" / "vectors" / "witness-vectors.json").read_text())["receipts"][0]
    log = VECTORS["keys"]["log"]
    key = base64.b64encode(bytes.fromhex(log["public"])).decode()
    keys = [line.split()[2].split("+", 2) for line in vector["policy"].split("\n") if line.startswith("witness ")]
    pairs = [[name, base64.b64encode(base64.b64decode(code)[1:]).decode()] for name, _, code in keys if base64.b64decode(code)[0] == 4]
    lines = vector["receipt"].split("\n")
    own = next(place for place, line in enumerate(lines) if pairs[0][0] in line)
    bad = lines[:own] + [lines[own][:-12] + "AAAAAAAAAAA="] + lines[own + 1:]
    dash = "\u2014"
    bare = [line for line in lines if not line.startswith(dash) or log["name"] in line or "shared" in line]
    setting = """
        const form = document.getElementById("check");
        Object.assign(form.dataset, {witnesses: arguments[0], cosigned: "Seen by %.", witness: "bad line", unwitnessed: "nobody"});
    """
    with chromium() as driver:
        driver.get(town.water + "/check")
        driver.execute_script(setting, json.dumps(pairs))

        def check(receipt):
            record, receipt = list(vector["leaf"].encode()), list("\n".join(receipt).encode())
            return driver.execute_async_script(CHECK, receipt, record, lines[lines.index("") + 1], key)

        verdict, said = check(lines)
        assert verdict == "good" and all(f"{name} (20" in said for name, _ in pairs), said
        assert check(bad) == ["bad", "bad line"]
        assert check(bare) == ["bad", "nobody"]


def test_nothing_is_asked_of_anybody_else_and_the_page_is_light(town):
    with chromium() as driver:
        for name, url in pages(town).items():
            requests(driver)
            driver.get(url)
            asked = requests(driver)
            assert asked and all(u.startswith(town.aggregator + "/") or u == town.aggregator for u in asked), (name, asked)
            assert complaints(driver) == [], name
            assert driver.get_cookies() == []
            weight = sum(len(fetch(u)[1]) for u in set(asked) if not u.endswith(("/events", "/favicon.ico")))
            print(f"{name}: {weight} bytes in all")
            assert weight < 60_000


def test_headers_forbid_what_pages_do_not_need(town):
    for name, url in pages(town).items():
        headers, body = fetch(url)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy, name
        assert headers["referrer-policy"] == "no-referrer" and headers["x-content-type-options"] == "nosniff"
        assert headers["set-cookie"] is None
        assert b"style=" not in body and b"onclick" not in body
        request = urllib.request.Request(url, headers={"If-None-Match": headers["etag"]})
        with pytest.raises(urllib.error.HTTPError) as unchanged:
            urllib.request.urlopen(request)
        assert unchanged.value.code == 304
    assert "frame-ancestors *" in fetch(town.water + "/badge.svg")[0]["content-security-policy"]
    assert "connect-src 'none'" in fetch(town.water + "/check")[0]["content-security-policy"]
    for name, url in passing_pages(town).items():
        headers, body = fetch(url)
        assert "default-src 'none'" in headers["content-security-policy"] and "unsafe" not in headers["content-security-policy"]
        # Under "no-referrer" browsers do not say that a form comes from this page.
        referrer = "same-origin" if b'method="post"' in body else "no-referrer"
        assert headers["referrer-policy"] == referrer and headers["cache-control"] == "no-store", name
        assert b"style=" not in body and b"<style" not in body


def test_people_are_told_in_words_what_programs_get_as_json(town):
    missing = town.aggregator + "/petitions/none"
    headers, body = fetch(missing, **{"Accept-Language": "pt, de;q=0.8, en;q=0.5"})
    assert headers["content-type"] == "text/html; charset=utf-8" and "Unter dieser Adresse gibt es nichts" in body.decode()
    assert "Il n’y a rien" in fetch(missing + "?lang=fr")[1].decode()
    for accept in ["*/*", "application/json, text/html;q=0.1"]:
        headers, body = fetch(missing, Accept=accept)
        assert headers["content-type"] == "application/problem+json" and json.loads(body)["status"] == 404


def test_whoever_asks_for_the_head_alone_gets_no_body(town):
    connection = http.client.HTTPConnection(town.aggregator.removeprefix("http://"), timeout=10)
    path = town.water.removeprefix(town.aggregator)
    # On one connection: a body would be read as the beginning of the next answer.
    for target, status in [(path, 200), ("/none", 404), (path + "/tally", 200), (path + "/events", 200), ("/health", 200)]:
        connection.request("HEAD", target)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b""), target
    connection.request("GET", path + "/tally")
    assert json.loads(connection.getresponse().read())["status"] == "open"


def test_whoever_wants_no_more_mail_presses_a_button(town):
    with chromium() as driver:
        driver.get(town.coordinator + "/stop/" + 32 * "0")
        assert text(driver, "h1") == "No more mail?" and complaints(driver) == [] and driver.get_cookies() == []
        # The page's policy lets the button work. Nobody was sent this token, and that is said.
        driver.find_element(By.TAG_NAME, "button").click()
        # The page that was there before may go away while it is looked at, in whatever way the driver says that.
        WebDriverWait(driver, 20, ignored_exceptions=[WebDriverException]).until(
            lambda _: "no longer known" in driver.page_source)


ASKING = {
    "en": ("Ask for an invitation", "one place for each mailbox, whosever it is", "Look into your mailbox"),
    "fr": ("Demander une invitation", "une place par boîte aux lettres", "Regardez dans votre boîte aux lettres"),
    "de": ("Um eine Einladung bitten", "ein Platz für jedes Postfach", "Sehen Sie in Ihr Postfach"),
    "es": ("Pedir una invitación", "un lugar por cada buzón", "Mire en su buzón"),
}


def wait_for_heading(driver, words):
    """The page that was there before may go away while it is looked at."""
    WebDriverWait(driver, 60, ignored_exceptions=[WebDriverException]).until(
        lambda _: text(driver, "h1") == words)


@pytest.mark.parametrize("scripts", [False, True], ids=["without", "with"])
@pytest.mark.parametrize("language", ASKING)
def test_anybody_asks_for_an_invitation(town, language, scripts):
    heading, admission, answer = ASKING[language]
    with chromium(scripts=scripts) as driver:
        driver.get(f"{town.coordinator}/rolls/shore?lang={language}")
        assert text(driver, "#ask-heading") == heading and admission in text(driver, "main")
        driver.find_element(By.ID, "address").send_keys(f"ada.{language}.{scripts}@shore.example")
        # A form that nobody had time to fill in is not taken.
        time.sleep(2.5)
        driver.find_element(By.CSS_SELECTOR, "#request button").click()
        wait_for_heading(driver, answer)
        assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
        assert complaints(driver) == [] and driver.get_cookies() == []
        assert all(url.startswith(town.coordinator) for url in requests(driver))
        if scripts:
            assert audit(driver) == []
        driver.get(driver.find_element(By.CSS_SELECTOR, "main a").get_attribute("href"))
        assert text(driver, "#ask-heading") == heading


def test_a_browser_works_while_many_ask(town):
    note = urllib.request.urlopen(town.coordinator + "/rolls/shore").read()
    # The id of a document is the hash of its text, which an empty line ends.
    roll = hashlib.sha256(note.split(b"\n\n")[0] + b"\n").hexdigest()
    address = f"{town.coordinator}/rolls/{roll}/request"
    refused = 0
    for number in range(200):
        body = json.dumps({"address": f"n{number}@many{number}.example"}).encode()
        try:
            urllib.request.urlopen(urllib.request.Request(address, body, {"Content-Type": "application/json"}))
        except urllib.error.HTTPError as error:
            assert error.code == 429
            refused += 1
            if refused == 3:
                break
    assert refused == 3
    with chromium() as driver:
        driver.get(town.coordinator + "/rolls/shore")
        form = driver.find_element(By.ID, "request")
        assert int(form.get_attribute("data-bits")) >= 10
        driver.find_element(By.ID, "address").send_keys("bo@shore.example")
        time.sleep(2.5)
        driver.find_element(By.CSS_SELECTOR, "#request button").click()
        wait_for_heading(driver, "Look into your mailbox")
        assert complaints(driver) == []


def test_an_invitation_is_opened_in_a_browser(town):
    link = town.people["deck"][0]
    code = link.split("#")[1]
    with chromium() as driver:
        driver.get(link)
        assert text(driver, "h1") == "Deck"
        # The command has the code, and is one to copy.
        command = f"petition-signer enrol '{link}'"
        assert text(driver, "pre") == command
        assert driver.find_element(By.TAG_NAME, "button").text
        assert all(code not in url for url in requests(driver)), "the code stays in the browser"
        assert complaints(driver) == [] and driver.get_cookies() == []
        # Any link would lead away from the code.
        assert driver.find_elements(By.TAG_NAME, "a") == []
        # The picture is of the roll's link alone.
        assert driver.find_elements(By.CSS_SELECTOR, "svg.qr")
        # Mail programs that write %23 for the #, or add something. From then on the code is behind a # again.
        added = [("%23", ""), ("%2523", ""), ("#", "."), ("#", "?utm_source=x"), ("#", "&x=1"), ("%23", "%20")]
        for hash, end in added:
            driver.get("about:blank")
            driver.get(link.replace("#", hash) + end)
            assert text(driver, "h1") == "Deck"
            assert text(driver, "pre") == command, (hash, end)
            assert "%23" not in driver.current_url and "%2523" not in driver.current_url
        # Without a code, and with what is none, the command says where it goes.
        empty = f"petition-signer enrol '{link.split('#')[0]}#CODE'"
        swapped = code[1] + code[0] + code[2:] if code[0] != code[1] else code[0] + code[2] + code[1] + code[3:]
        for end in ["", "#", "#x", "#" + 27 * "-", "#" + 22 * "A" + "$HOME", "#" + swapped, "#`id`", "#'$(id)'"]:
            driver.get("about:blank")
            driver.get(link.split("#")[0] + end)
            assert text(driver, "pre") == empty, end
        # It is typed instead, or pasted into the address of the open page.
        field = driver.find_element(By.ID, "code")
        field.send_keys("-".join([code[:5], code[5:10], code[10:]]).lower())
        assert text(driver, "pre") == command
        field.clear()
        field.send_keys("$(id)")
        assert text(driver, "pre") == empty
        driver.execute_script("location.hash = arguments[0]", code)
        WebDriverWait(driver, 10).until(lambda driver: text(driver, "pre") == command)


def test_listeners_are_limited_and_their_places_are_given_again(town):
    def listen():
        connection = http.client.HTTPConnection(town.aggregator.removeprefix("http://"), timeout=10)
        connection.request("GET", town.water.removeprefix(town.aggregator) + "/events")
        return connection, connection.getresponse()

    # Half of the connections, which are what the descriptors leave.
    limit = (DESCRIPTORS - 256) // 2
    streams = [listen() for _ in range(limit + 4)]
    statuses = [answer.status for _, answer in streams]
    assert statuses.count(200) <= limit and statuses.count(200) >= limit - 8 and statuses[-1] == 503
    assert streams[-1][1].headers["retry-after"] == "60"
    assert json.loads(fetch(town.water + "/tally")[1])["signatures"] >= 3, "the others are served"
    for connection, answer in streams:
        answer.close()
        connection.close()
    # Whoever is gone is found at the next sign, within 15 seconds.
    for _ in range(60):
        time.sleep(0.5)
        connection, answer = listen()
        status = answer.status
        answer.close()
        connection.close()
        if status == 200:
            return
    raise AssertionError("no place was given again")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 768, 1440, 3840])
def test_everybody_can_read_it(town, width, dark):
    SHOTS.mkdir(parents=True, exist_ok=True)
    with chromium(width=width, dark=dark) as driver:
        for name, url in (pages(town) | passing_pages(town) | {"badge": town.water + "/badge.svg"}).items():
            driver.get(url)
            if name == "badge":
                driver.save_screenshot(str(SHOTS / "badge.png"))
                continue
            assert driver.execute_script("return document.documentElement.scrollWidth") <= width, name
            assert audit(driver) == [], (name, width, dark)
            height = driver.execute_script("return document.documentElement.scrollHeight")
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                   {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
            driver.save_screenshot(str(SHOTS / f"{name}-{width}-{'dark' if dark else 'light'}.png"))
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                   {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})


def test_the_keyboard_reaches_everything(town):
    with chromium() as driver:
        driver.get(town.water)
        body = driver.find_element(By.TAG_NAME, "body")
        body.send_keys(Keys.TAB)
        first = driver.switch_to.active_element
        assert first.get_attribute("class") == "skip" and first.rect["x"] >= 0
        reached = []
        for _ in range(60):
            driver.switch_to.active_element.send_keys(Keys.TAB)
            element = driver.switch_to.active_element
            if element.tag_name == "body":
                break
            outline = driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", element)
            assert outline != "none", element.get_attribute("outerHTML")
            reached.append(element)
        links = driver.find_elements(By.CSS_SELECTOR, "a, button")
        assert len(reached) >= len(links) - 1


def test_languages_and_directions(town):
    with chromium() as driver:
        for code, words in [("en", "Sign now"), ("fr", "Signer maintenant"), ("de", "Jetzt unterschreiben"), ("es", "Firmar ahora")]:
            driver.get(town.water + "?lang=" + code)
            assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == code
            assert words in text(driver, "main")
            assert driver.find_element(By.TAG_NAME, "h1").get_attribute("lang") == "en"
        driver.get(town.arabic)
        for selector in ["h1", ".statement"]:
            element = driver.find_element(By.CSS_SELECTOR, selector)
            assert element.get_attribute("lang") == "ar" and element.get_attribute("dir") == "rtl"


def decode(picture):
    return subprocess.run(["zbarimg", "--quiet", "--raw", str(picture)], capture_output=True, text=True).stdout.strip()


def test_qr_codes_give_the_url_and_the_fingerprint(town, tmp_path):
    SHOTS.mkdir(parents=True, exist_ok=True)
    picture = tmp_path / "qr.png"
    picture.write_bytes(fetch(town.water + "/qr.png")[1])
    assert decode(picture) == town.water
    with chromium(width=800, height=1100) as driver:
        driver.get(town.water + "/poster")
        shot = tmp_path / "poster.png"
        driver.save_screenshot(str(shot))
        assert decode(shot) == town.water
        assert town.water[-64:].startswith(text(driver, ".fingerprint").replace(" ", ""))
        # The count is left out: a poster hangs longer than a number is right.
        assert not driver.find_elements(By.CSS_SELECTOR, ".count")
        printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
        assert len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"]))) == 1, "one sheet"
        (SHOTS / "poster.pdf").write_bytes(base64.b64decode(printed["data"]))
        short = text(driver, ".url")
        driver.get(short)
        assert driver.current_url == town.water


def test_figures_feed_and_pictures(town):
    tally = json.loads(fetch(town.water + "/tally")[1])
    lines = fetch(town.water + "/tally.csv")[1].decode().split("\r\n")
    assert lines[0] == "label,admission,signatures,withdrawn" and lines[-2] == f'total,,{tally["signatures"]},{tally["withdrawn"]}'
    hours = json.loads(fetch(town.water + "/history")[1])["hours"]
    assert [(hour["treeSize"], hour["signatures"]) for hour in hours] == [(1, 1), (2, 2)]
    import xml.dom.minidom
    feed = xml.dom.minidom.parseString(fetch(town.aggregator + "/feed")[1])
    assert len(feed.getElementsByTagName("entry")) == 2
    for name in ["badge.svg", "qr.svg", "growth.svg"]:
        picture = xml.dom.minidom.parseString(fetch(f"{town.water}/{name}")[1])
        assert not picture.getElementsByTagName("script")
    assert str(tally["signatures"]) in fetch(town.water + "/badge.svg")[1].decode()


def test_the_verifiers_report_stands_alone(town):
    town.run("petition-verifier", "verify", "--report", "report.html", town.water)
    SHOTS.mkdir(parents=True, exist_ok=True)
    with chromium(width=1000) as driver:
        driver.get((town.folder / "report.html").as_uri())
        page = text(driver, "main")
        for words in ["VALID", "Fresh water on every watch", town.water[-64:], "What this does not prove", "Deck", "Galley"]:
            assert words in page, words
        assert not driver.find_elements(By.TAG_NAME, "script")
        assert [u for u in requests(driver) if not u.startswith("file:")] == []
        assert audit(driver) == []
        height = driver.execute_script("return document.documentElement.scrollHeight")
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": 1000, "height": height, "deviceScaleFactor": 1, "mobile": False})
        shot = SHOTS / "report.png"
        driver.save_screenshot(str(shot))
        assert decode(shot) == town.water


def test_the_preview_is_the_page_and_poster_to_come(town):
    (town.folder / "draft.md").write_text("We ask for **fresh** water.\n")
    town.run("petition-coordinator", "petition", "create", "--dry-run", "--preview", "preview.html", "--title",
             "Fresh water for all", "--statement", "draft.md", "--started-by", "The crew", "--addressed-to", "The captain",
             "--goal", "5", "--closes", "2099-01-01T00:00:00Z", "--roll", "deck", "--aggregator", town.option,
             "draft.petition")
    with chromium(width=1000) as driver:
        driver.get((town.folder / "preview.html").as_uri())
        page = text(driver, "body")
        for words in ["Fresh water for all", "The crew", "The captain", "We ask for fresh water."]:
            assert words in page, words
        # Opened from a disk, it has its style and asks nobody for anything.
        assert [u for u in requests(driver) if not u.startswith(("file:", "data:"))] == []
        assert not driver.find_elements(By.TAG_NAME, "script")
        assert complaints(driver) == []
        assert audit(driver) == []
        assert driver.execute_script("return getComputedStyle(document.querySelector('h1')).fontFamily") != ""
    assert not (town.folder / "draft.petition").exists(), "nothing was signed"


def test_who_watches_is_told_when_a_petition_closes(town):
    # By the aggregator's clock, which may be behind.
    closes = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600 * town.behind + 5))
    (town.folder / "short.md").write_text("Soon over.")
    short = town.petition("short", "A short one", "en", "--roll", "deck", closes=closes, hours_ago=town.behind)
    told, end = [], time.monotonic() + 60
    with urllib.request.urlopen(short + "/events", timeout=40) as events:
        while len(told) < 2:
            line = events.readline().decode()
            assert line and time.monotonic() < end, "the stream goes on, and says it in time"
            if line.startswith("data: "):
                told.append(json.loads(line[6:])["status"])
    assert told == ["open", "closed"]
