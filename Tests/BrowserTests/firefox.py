"""Firefox without a screen, by its own protocol (Marionette): Debian has no driver for it. It is used like Chromium."""

import contextlib
import tempfile

from marionette_driver.marionette import Marionette

from town import free_port

PREFERENCES = {
    "browser.download.folderList": 2,
    "browser.download.useDownloadDir": True,
    "browser.download.alwaysOpenPanel": False,
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.helperApps.neverAsk.saveToDisk": "application/octet-stream",
    "intl.accept_languages": "en",
}


class Firefox:
    def __init__(self, marionette):
        self.marionette = marionette

    def get(self, url):
        self.marionette.navigate(url)

    def find_element(self, by, what):
        return self.marionette.find_element(by, what)

    def find_elements(self, by, what):
        return self.marionette.find_elements(by, what)

    def execute_script(self, script, *arguments):
        return self.marionette.execute_script(script, script_args=arguments)


@contextlib.contextmanager
def firefox(downloads):
    # A home of its own: nothing of this person's Firefox is used or changed.
    with tempfile.TemporaryDirectory(prefix="roundrobin-firefox-") as home:
        marionette = Marionette(bin="/usr/bin/firefox-esr", port=free_port(), headless=True, workspace=home, gecko_log="-",
                                prefs=PREFERENCES | {"browser.download.dir": str(downloads)})
        marionette.start_session()
        try:
            yield Firefox(marionette)
        finally:
            marionette.quit(in_app=False)
            marionette.cleanup()
