"""A QTI package in a player of others: brought to QTI 3 by one program, shown and scored by another."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import npm_packages
from conftest import ROOT
from errorspan.course import Course
from errorspan.export import parcel as export
from errorspan.export import qti
from errorspan.site.exercise import Exercise

pytestmark = pytest.mark.heavy

TOPIC = "dpo-post-training"
PLAYER = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A player</title>
<link rel="icon" href="data:,">
<script type="module" src="player.js"></script>
<qti-item><item-container item-url="items/{topic}.xml"></item-container></qti-item>
"""
ITEM = "document.querySelector('item-container').shadowRoot.querySelector('qti-assessment-item')"
ANSWER = f"(lines) => {{ {ITEM}.updateResponseVariable('RESPONSE', lines); {ITEM}.processResponse(true); return Object.fromEntries({ITEM}.variables.map(({{ identifier, value }}) => [identifier, value])); }}"  # fmt: skip  # noqa: E501


@pytest.fixture(scope="module")
def parcel() -> export.Parcel:
    return export.parcel(Course.read(ROOT / "mkdocs.yml", {}), {}, [TOPIC])


@pytest.fixture(scope="module")
def shelf(parcel: export.Parcel, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """Return a folder with the player and the package's item, in the version that it plays."""
    import qti_convert

    root = tmp_path_factory.mktemp("qti")
    for name, content in qti.package(parcel).items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(qti_convert.upgrade_qti2_to_qti3(content), "utf-8")
    player = npm_packages.unpacked("@citolab/qti-components", pytestconfig.cache) / "cdn" / "index.js"
    shutil.copy(player, root / "player.js")
    (root / "index.html").write_text(PLAYER.format(topic=TOPIC), "utf-8")
    return root


@pytest.fixture
def page(browser: Browser, shelf: Path) -> Iterator[Page]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(shelf))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = browser.new_context()
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.locator("qti-simple-choice").first.wait_for()
        yield page
        context.close()
        server.shutdown()
    assert faults == []


def grade(exercise: Exercise, marks: set[int]) -> tuple[int, int, int]:
    """Return what the rule says: the errors found, the false alarms, the score."""
    spans = [{segment.line for segment in span} for span in exercise.spans.values()]
    found = sum(bool(marks & span) for span in spans)
    alarms = len(marks - set().union(*spans))
    return found, alarms, int(100 * found**2 / (len(spans) * (found + alarms)) + 0.5) if found else 0


def test_every_line_is_a_choice(page: Page, parcel: export.Parcel) -> None:
    lines = parcel.items[0].exercise.lines
    choices = page.locator("qti-simple-choice")
    expect(choices).to_have_count(len(lines))
    for number in (0, len(lines) - 1):
        expect(choices.nth(number)).to_contain_text(f"{number + 1}:")


def test_the_score_is_the_exercise_s_own(page: Page, parcel: export.Parcel) -> None:
    exercise = parcel.items[0].exercise
    spans = [[segment.line for segment in span] for span in exercise.spans.values()]
    firsts, everything = [span[0] for span in spans], [line for span in spans for line in span]
    right = next(line for line in range(1, 99) if line not in everything)
    for lines in (
        [], [right], firsts, everything, [span[-1] for span in spans], [*firsts, right],
        firsts[:1], [firsts[0], right, right + 1], [*firsts[:2], right], list(range(1, len(exercise.lines) + 1)),
    ):  # fmt: skip
        told = page.evaluate(ANSWER, [f"L{line}" for line in lines])
        seen = tuple(int(float(told[name])) for name in ("FOUND", "ALARMS", "SCORE"))
        assert seen == grade(exercise, set(lines)), lines


def test_a_click_marks_and_the_feedback_explains(page: Page, parcel: export.Parcel) -> None:
    exercise = parcel.items[0].exercise
    first = exercise.assessment.errors[0]
    page.locator("qti-simple-choice").nth(exercise.spans[first.id][0].line - 1).click()
    page.evaluate(f"{ITEM}.processResponse(true)")
    feedback = page.locator("qti-modal-feedback")
    expect(feedback).to_contain_text(first.concept)
    expect(feedback).to_contain_text("found")
    assert page.evaluate(f"{ITEM}.getOutcome('FOUND').value") in {1, "1"}
