"""The web signer in a browser, used as a person does: by what is written on buttons and fields."""

import contextlib
import json
import pathlib
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / ".build-web" / "roundrobin-signer.html"
PASSPHRASE = "correct horse battery staple"


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


def joined_wallet(town, slug, index, downloads):
    """The wallet of somebody who joined with petition-signer, as a file of its own."""
    file = downloads / f"wallet-{slug}-{index}"
    file.write_bytes((town.folder / f"wallet-{slug}-{index}").read_bytes())
    return file


class SignerPage:
    """One page, opened from the disk."""

    def __init__(self, driver, downloads, title="Sign petitions without being named"):
        self.driver, self.downloads = driver, pathlib.Path(downloads)
        driver.get(FILE.as_uri())
        if title:
            self.wait_for(title)

    @staticmethod
    def wait(condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it does not come"
            time.sleep(0.05)

    def wait_for_title(self):
        self.wait(lambda: self.title() != "")

    def title(self):
        headings = self.driver.find_elements(By.TAG_NAME, "h1")
        return headings[0].text if headings else ""

    def text(self):
        return self.driver.find_element(By.ID, "main").text

    def wait_for(self, *words, seconds=60):
        """Waits until one of these is on the page, and says which."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            shown = self.again(self.text)
            for word in words:
                if word in shown:
                    return word
            time.sleep(0.05)
        raise AssertionError(f"none of {words} is shown, but: {shown}")

    def has_button(self, label):
        return self.driver.execute_script(
            "return [...document.querySelectorAll('main button')].some(button => button.innerText === arguments[0])", label)

    def button(self, label):
        found = [b for b in self.driver.find_elements(By.CSS_SELECTOR, "main button") if b.text == label]
        assert found, f"there is no button {label}: {self.text()}"
        return found[0]

    @staticmethod
    def again(action):
        """What was found may be gone when it is used, since the page shows the next screen meanwhile."""
        for attempt in range(50):
            try:
                return action()
            except Exception as error:
                passing = isinstance(error, AssertionError) or type(error).__name__.startswith(("Stale", "NoSuchElement"))
                if attempt == 49 or not passing:
                    raise
                time.sleep(0.1)

    def press(self, label):
        self.again(lambda: self.button(label).click())

    def press_at(self, place):
        self.driver.find_elements(By.CSS_SELECTOR, "main button[data-button]")[place].click()

    def choose_file(self, file):
        self.driver.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(file))

    def type_secret(self, text):
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".secret"))
        self.driver.find_element(By.CSS_SELECTOR, ".secret").send_keys(text)

    def press_beside(self, heading, label):
        """A button in the part of the page below a heading."""
        path = f"//h2[.='{heading}']/following-sibling::button[.='{label}'][1]"
        self.again(lambda: self.driver.find_element(By.XPATH, path).click())

    def field(self, label):
        found = [l for l in self.driver.find_elements(By.CSS_SELECTOR, "main label") if l.text == label]
        assert found, f"there is no field {label}: {self.text()}"
        return self.driver.find_element(By.ID, found[0].get_attribute("for"))

    def fill(self, label, value):
        self.again(lambda: self.fill_now(label, value))

    def fill_now(self, label, value):
        field = self.field(label)
        if field.tag_name == "select":
            [option for option in field.find_elements(By.TAG_NAME, "option") if option.text == value][0].click()
            return
        if field.get_attribute("type") != "file":
            field.clear()
        field.send_keys(value)

    def saved(self, name, seconds=20):
        """The bytes of a file that the page gave, once it is there."""
        file = self.downloads / name
        # Browsers write to another name first, or leave the file empty until the end.
        self.wait(lambda: file.exists() and file.stat().st_size > 0 and not list(self.downloads.glob("*.crdownload"))
                  and not list(self.downloads.glob("*.part")), seconds)
        return file.read_bytes()

    # ---- What people do

    def keep(self):
        self.press("Keep it in this browser, encrypted")
        self.wait_for("This browser keeps your wallet")
        self.press("Go on")

    def open_kept(self, passphrase=PASSPHRASE):
        self.press("Open a wallet")
        self.press("Open the wallet that this browser keeps")
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".secret"))
        self.fill("Passphrase", passphrase)
        self.press("Go on")
        self.wait_for("Your invitation, or the address")

    def save(self):
        """Saves the wallet, and says that the file is there."""
        self.press("Save the wallet as a file")
        self.wait_for("It is there")
        self.press("It is there")

    def make_wallet(self, passphrase=PASSPHRASE):
        self.press("Make a new wallet")
        self.wait_for("The same again")
        self.fill("Passphrase", passphrase)
        self.fill("The same again", passphrase)
        self.press("Go on")
        self.wait_for("Save it as a file")
        self.save()
        self.wait_for("This wallet has no roll yet")
        return self.saved("roundrobin-wallet")

    def open_wallet(self, file, passphrase, expects="Your invitation, or the address"):
        self.press("Open a wallet")
        self.wait_for("Wallet file")
        self.fill("Wallet file", str(file))
        self.press("Go on")
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".secret"))
        self.fill("Passphrase", passphrase)
        self.press("Go on")
        self.wait_for(expects)

    def save_wallet(self, name="roundrobin-wallet"):
        (self.downloads / name).unlink()
        self.save()
        return self.saved(name)

    def paste(self, text):
        self.fill("Your invitation, or the address of a petition", text)
        self.press("Go on")

    def begin_to_enrol(self, link):
        """Up to the request that uses the invitation."""
        self.paste(link)
        self.wait_for("It is for")
        self.press("Go on")
        self.wait_for("People are admitted")
        self.press("Go on")
        self.wait_for("Use the invitation", seconds=30)
        self.press("Use the invitation")

    def enrol(self, link):
        self.begin_to_enrol(link)
        self.wait_for("You are enrolled", seconds=30)
        self.press("Go on")

    def begin_to_join(self, roll, floor):
        self.press_beside(roll, "Join")
        self.wait_for("Refuse if fewer")
        self.fill("Refuse if fewer than this many enrolled in your round", str(floor))
        self.press("Go on")

    def go_on_despite_risks(self, until):
        while self.wait_for(until, "Go on all the same", seconds=60) != until:
            self.press("Go on all the same")
            time.sleep(0.2)

    def join(self, roll, floor):
        self.begin_to_join(roll, floor)
        self.go_on_despite_risks("You joined")
        self.press("Go on")

    def begin_to_sign(self, petition, floor):
        """Up to the request that hands in the signature."""
        self.paste(petition)
        self.wait_for("Refuse if your ring")
        self.fill("Refuse if your ring has fewer members than this", str(floor))
        self.press("Look at the ring")
        self.wait_for("nobody can tell who", seconds=60)
        self.press("Sign")

    def sign(self, petition, floor):
        self.begin_to_sign(petition, floor)
        said = self.wait_for("Signed and counted", "You signed this petition before", seconds=60)
        self.press("Go on")
        return said
