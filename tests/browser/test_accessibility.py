"""No axe violation on any page, in either palette, wide or narrow."""

from __future__ import annotations

import pytest
from axe import faults
from playwright.sync_api import Browser
from test_course import Built, course  # noqa: F401 - a fixture

WIDE, NARROW = 1280, 320
EVERYTHING_OPEN = "document.querySelectorAll('details').forEach(details => details.open = true)"


@pytest.mark.parametrize(("scheme", "width"), [("light", WIDE), ("dark", NARROW), ("light", NARROW), ("dark", WIDE)])
def test_axe_finds_nothing(course: Built, browser: Browser, scheme: str, width: int) -> None:  # noqa: F811
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    page = context.new_page()
    found = []
    for path in course.pages:
        page.goto(course.url + path)
        page.evaluate(EVERYTHING_OPEN)
        found += [f"{path}: {fault}" for fault in faults(page)]
    context.close()
    assert not found
