#!/usr/bin/env python3
"""Does one step with the signer for browsers, in a headless browser of its own: opens the file and the wallet, or makes
one, does what is asked, and saves the wallet again.

Usage: use_signer.py WALLET PASSPHRASE enrol LINK | join ROLL | sign PETITION
"""
import pathlib
import sys
import tempfile

from signer_page import SignerPage, chromium

wallet, passphrase, step, what = pathlib.Path(sys.argv[1]), *sys.argv[2:]
with tempfile.TemporaryDirectory(prefix="roundrobin-downloads-") as folder, chromium(folder) as browser:
    page = SignerPage(browser, folder)
    name = "roundrobin-wallet"
    if wallet.exists():
        # Browsers give a file under its own name, which is free then.
        copy = pathlib.Path(folder, name)
        copy.write_bytes(wallet.read_bytes())
        page.open_wallet(copy, passphrase)
    else:
        page.make_wallet(passphrase)
    if step == "enrol":
        page.enrol(what)
    elif step == "join":
        page.join(what, 16)
    else:
        print(page.sign(what, 16))
    wallet.write_bytes(page.save_wallet(name))
