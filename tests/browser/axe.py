"""What axe finds on a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

ONLY_VIOLATIONS = {"resultTypes": ["violations"], "preload": False}  # what passed takes the most time to describe


def faults(page: Page, context: str | None = None) -> list[str]:
    """Return every violation, with the element that has it."""
    found = Axe().run(page, context=context, options=ONLY_VIOLATIONS).response["violations"]
    return [f"{fault['id']}: {node['html']}" for fault in found for node in fault["nodes"]]
