"""Find a Chrome or Chromium: Playwright's own, or an installed one. Run as a program, print its path."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def browser() -> str | None:
    """Return the path of a browser, if there is one; CHROME names one by hand."""
    from playwright.sync_api import sync_playwright

    named = [os.environ.get("CHROME"), *map(shutil.which, NAMES), str(MAC)]
    with sync_playwright() as playwright:
        named.append(playwright.chromium.executable_path)
    return next((path for path in named if path and Path(path).exists()), None)


if __name__ == "__main__":
    found = browser()
    sys.exit(print(found) if found else "no browser")
