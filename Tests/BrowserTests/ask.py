#!/usr/bin/env python3
"""Asks for an invitation on the page of an open roll, in a real browser without JavaScript.

Usage: ask.py LINK ADDRESS
"""
import sys
import time

from selenium.webdriver.common.by import By

from test_pages import chromium

link, address = sys.argv[1:]
with chromium(scripts=False) as browser:
    browser.get(link)
    field = browser.find_element(By.ID, "address")
    field.send_keys(address)
    # Nobody types that fast: a form that is sent at once is not taken.
    time.sleep(2.5)
    browser.find_element(By.CSS_SELECTOR, "#request button").click()
    print("  " + browser.find_element(By.TAG_NAME, "h1").text)
    print("  " + browser.find_element(By.CSS_SELECTOR, "main p").text)
