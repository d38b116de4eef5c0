"""The web signer in a browser, used as a person does: by what is written on buttons and fields."""

import pathlib
import time

from selenium.webdriver.common.by import By

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / ".build-web" / "roundrobin-signer.html"


class SignerPage:
    """One page, opened from the disk."""

    def __init__(self, driver, downloads, title="Sign petitions without being named", after=""):
        self.driver, self.downloads = driver, pathlib.Path(downloads)
        driver.get(FILE.as_uri() + after)
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

    def make_wallet(self, passphrase):
        self.press("Make a new wallet")
        self.wait_for("The same again")
        self.fill("Passphrase", passphrase)
        self.fill("The same again", passphrase)
        self.press("Go on")
        self.wait_for("Save it as a file")
        self.press("Save the wallet as a file")
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
        self.press("Save the wallet as a file")
        return self.saved(name)

    def enrol(self, link):
        self.fill("Your invitation, or the address of a petition", link)
        self.press("Go on")
        self.wait_for("It is for")
        self.press("Go on")
        self.wait_for("People are admitted")
        self.press("Go on")
        self.wait_for("Use the invitation", seconds=30)
        self.press("Use the invitation")
        self.wait_for("You are enrolled", seconds=30)
        self.press("Go on")

    def join(self, roll, floor):
        self.press_beside(roll, "Join")
        self.wait_for("Refuse if fewer")
        self.fill("Refuse if fewer than this many enrolled in your round", str(floor))
        self.press("Go on")
        while self.wait_for("You joined", "Go on all the same", seconds=60) != "You joined":
            self.press("Go on all the same")
            time.sleep(0.2)
        self.press("Go on")

    def sign(self, petition, floor):
        self.fill("Your invitation, or the address of a petition", petition)
        self.press("Go on")
        self.wait_for("Refuse if your ring")
        self.fill("Refuse if your ring has fewer members than this", str(floor))
        self.press("Look at the ring")
        self.wait_for("nobody can tell who", seconds=60)
        self.press("Sign")
        said = self.wait_for("Signed and counted", "You signed this petition before", seconds=60)
        self.press("Go on")
        return said
