"""The browser of the other tests."""

from browser.conftest import browser, new_page

__all__ = ["browser", "new_page"]
