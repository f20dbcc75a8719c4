"""No axe violation on any page, in either palette, wide or narrow."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from axe import faults
from test_course import Built, course  # noqa: F401 - a fixture

WIDE, NARROW = 1280, 320
ONE_OF_EACH_TOKEN = """() => { // the contrast of thousands of tokens is that of a few dozen kinds
    const seen = new Set();
    for (const line of document.querySelectorAll(".es-line, .es-entry")) {
        const place = line.closest("pre").parentNode.className;
        const kinds = [...line.querySelectorAll("*")].map((token) => [place, token.parentNode.className, token.className].join());
        if (kinds.every((kind) => seen.has(kind))) line.remove();
        kinds.forEach((kind) => seen.add(kind));
    }
}"""  # noqa: E501
STUDENTS = ("", "exercises/", "exercises/rate-limiting/")
EVERYTHING_OPEN = "document.querySelectorAll('details').forEach(details => details.open = true)"


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.heavy)], ids=["students'", "all"])
def test_axe_finds_nothing(
    course: Built,  # noqa: F811
    browser: Browser,
    scheme: str,
    width: int,
    *,
    every: bool,
) -> None:
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    page = context.new_page()
    found = []
    for path in course.pages_of_each_kind if every else STUDENTS:
        page.goto(course.url + path)
        page.evaluate(EVERYTHING_OPEN)
        page.evaluate(ONE_OF_EACH_TOKEN)
        found += [f"{path}: {fault}" for fault in faults(page)]
    context.close()
    assert not found
