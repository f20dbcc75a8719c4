"""Find a Chrome or Chromium: Playwright's own, or an installed one. Run as a program, print its path."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""The first draws no windows that nobody sees: in it the tests of the browser take half the time."""
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def browser(playwright: Playwright) -> str | None:
    """Return the path of a browser, if there is one; CHROME names one by hand."""
    named = [os.environ.get("CHROME"), playwright.chromium.executable_path, *map(shutil.which, NAMES), str(MAC)]
    return next((path for path in named if path and Path(path).exists()), None)


if __name__ == "__main__":
    with sync_playwright() as playwright:
        found = browser(playwright)
    sys.exit(print(found) if found else "no browser")
