"""An exam: what a student marks and writes is handed in as a file, and nothing on the page tells what is right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, expect

from axe import faults
from errorspan.export import parcel as export
from errorspan.export import scorm
from errorspan.grading.gradebook import Grading
from errorspan.runs.answer import AUTHORSHIP, Authorship
from errorspan.site.filling import templates
from errorspan.site.words import direction
from sample import EXERCISE, mark, marked, press, status, variant

EXAM = EXERCISE.as_exam()


@pytest.fixture
def page(new_page, local) -> Page:
    """Return a page with the sample exercise as an exam."""
    page = new_page(local.url(local.exercise(EXAM)))
    expect(page.locator(".es-count")).not_to_be_empty()
    return page


def written(page: Page, place: str, question: str):
    """Return the field of a question about a place."""
    return page.locator(".es-answers .es-note", has_text=place).get_by_label(question)


def hand_in(page: Page) -> dict[str, object]:
    """Hand in, and return what the file holds."""
    with page.expect_download() as told:
        press(page, "handIn")
    return json.loads(Path(told.value.path()).read_text("utf-8"))["handin"]


def test_a_student_hands_in_with_the_keyboard_alone(page: Page, local) -> None:
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.matches('.es-mark')"):
        page.keyboard.press("Tab")
    for _ in range(11):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    assert marked(page) == [12, 20]
    page.keyboard.press("Tab")
    page.keyboard.type("The mean weighs short answers more.")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("    return (logp * mask[:, 1:]).sum(-1)")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.es-who input')")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("Type your name or number first.")
    expect(page.locator(".es-who input")).to_be_focused()
    page.keyboard.type(" Zoë <b>=1 ")
    page.keyboard.press("Tab")
    with page.expect_download() as told:
        page.keyboard.press("Enter")
    assert told.value.suggested_filename == "dpo-Zoë-b-1.json"
    file = json.loads(Path(told.value.path()).read_text("utf-8"))
    handin = file["handin"]
    assert file["errorspan"] == 1
    assert handin.pop("began") <= handin.pop("handed")
    assert handin == {
        "exercise": "dpo",
        "digest": EXAM.digest,
        "who": "Zoë <b>=1",
        "marks": [12, 20],
        "unsure": [20],
        "answers": [
            {
                "from": 12,
                "to": 12,
                "name": "The mean weighs short answers more.",
                "fix": "    return (logp * mask[:, 1:]).sum(-1)",
            }
        ],
    }
    expect(status(page)).to_contain_text("Saved as dpo-Zoë-b-1.json. Nothing was sent")
    assert [url for url in asked if "key" in url] == []
    page.reload()
    expect(written(page, "line 12", "How would you")).to_have_value("    return (logp * mask[:, 1:]).sum(-1)")
    page.goto(local.url(local.list(EXAM)))
    expect(page.locator("errorspan-progress")).to_have_text("Handed in")
    expect(page.locator(".es-told")).to_contain_text("1 of 1 done")


def test_what_is_written_stays_with_its_lines_as_marks_change(page: Page) -> None:
    mark(page, 11)
    written(page, "line 11", "What is wrong").fill("one")
    written(page, "line 11", "How would you").fill("    logp = 1")
    mark(page, 12)
    written(page, "lines 11 to 12", "What is wrong").fill("one\ntwo")
    expect(written(page, "lines 11 to 12", "How would you")).to_have_value(
        "    logp = 1\n    return (logp * mask[:, 1:]).mean(-1)"
    )
    mark(page, 24)
    written(page, "line 24", "What is wrong").fill("three")
    for _ in range(2):
        mark(page, 24)  # unsure, then not at all: hidden, and not lost
    assert page.locator(".es-answers .es-note").count() == 1
    page.locator(".es-who input").fill("7")
    assert hand_in(page)["answers"] == [
        {"from": 11, "to": 12, "name": "one\ntwo", "fix": "    logp = 1\n    return (logp * mask[:, 1:]).mean(-1)"}
    ]
    mark(page, 24)
    expect(written(page, "line 24", "What is wrong")).to_have_value("three")
    expect(written(page, "line 24", "How would you")).to_have_value(
        "    return -F.logsigmoid(beta * (ratios[1] - ratios[0])).mean()"
    )
    press(page, "empty")
    assert marked(page) == [11, 12, 24]
    press(page, "empty")
    assert (marked(page), page.locator(".es-answers .es-note").count()) == ([], 0)
    assert "three" not in page.evaluate("JSON.stringify(localStorage)")


def test_a_blank_sheet_is_handed_in_on_purpose_only(page: Page) -> None:
    page.locator(".es-who input").fill("7")
    press(page, "handIn")
    expect(status(page)).to_have_text("Nothing is marked. Press again to hand in a blank sheet.")
    assert hand_in(page)["marks"] == []


@pytest.mark.parametrize("answers", ['"x"', "[null]", '[{"from":1,"to":0}]', '[{"from":12,"to":12,"name":5}]', "{}"])
def test_what_stands_in_storage_breaks_no_exam(page: Page, answers: str) -> None:
    mark(page, 12)
    state = f'{{"{EXAM.digest}":{{"attempts":[],"marks":[12],"answers":{answers}}}}}'
    page.evaluate("state => { localStorage[Object.keys(localStorage).at(-1)] = state }", state)
    page.reload()
    expect(written(page, "line 12", "What is wrong")).to_have_value("")


WIDE, PHONE = 1280, 375


@pytest.mark.parametrize(
    ("lang", "asked", "looks"),
    [
        ("en", "Hand in", [("default", WIDE), ("slate", WIDE), ("default", PHONE)]),
        pytest.param("de", "Abgeben", [("slate", PHONE)], marks=pytest.mark.heavy),
        ("ar", "سلّم", [("slate", PHONE)]),
    ],
    ids=["en", "de", "ar"],
)
def test_axe_finds_nothing_in_an_exam(new_page, local, lang, asked, looks) -> None:
    local.templates = templates(lang)
    beginner = variant(level="beginner").as_exam()
    for scheme, width in looks:
        address = local.url(local.exercise(beginner, lang=lang, direction=direction(lang), scheme=scheme))
        colours = "dark" if scheme == "slate" else "light"
        page = new_page(address, viewport={"width": width, "height": 800}, color_scheme=colours)
        expect(page.locator(".es-count")).not_to_be_empty()
        mark(page, 12, 13, 20)
        expect(page.locator(".es-answers .es-note")).to_have_count(2)
        expect(page.get_by_role("button", name=asked, exact=True)).to_be_visible()
        page.locator("details").evaluate("details => { details.open = true; }")
        press(page, "handIn")
        expect(status(page)).not_to_be_empty()
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


API = """(kept => {
    window.kept = { "cmi.suspend_data": kept };
    const answer = (use) => (...values) => use(...values) ?? "true";
    window.API = {
        LMSInitialize: answer(() => {}), LMSCommit: answer(() => {}), LMSFinish: answer(() => {}),
        LMSGetValue: (name) => window.kept[name] ?? "",
        LMSSetValue: answer((name, value) => { window.kept[name] = value; }),
    };
})"""


def test_a_platform_keeps_what_is_handed_in_and_the_command_grades_it(new_page, tmp_path) -> None:
    run = SimpleNamespace(authorship=Authorship(AUTHORSHIP["model"]))
    other = variant(id="practice", level="beginner")
    parcel = export.Parcel([export.Exported(made, run) for made in (EXAM, other)], "A course", "en")
    for name, content in scorm.package(parcel).items():
        (tmp_path / name).write_text(content, "utf-8")
    address = (tmp_path / "index.html").as_uri()
    platform = new_page(address, init=f"{API}('')")
    exam = platform.locator("#exercise-dpo")
    expect(exam.locator(".es-count")).not_to_be_empty()
    for line in (12, 14):
        exam.locator(".es-gutter-number").nth(line - 1).click()
    exam.get_by_label("What is wrong").first.fill("Zu groß: „x“ 🙂")
    exam.locator(".es-who input").fill("7")
    downloads = []
    platform.on("download", lambda file: downloads.append(file.url))
    exam.locator("[data-action=handIn]").click()
    expect(exam.locator(".es-status")).to_have_text(re.compile("Your learning platform has your answers"))
    kept = platform.evaluate("window.kept")
    assert (kept["cmi.core.lesson_status"], "cmi.core.score.raw" in kept) == ("incomplete", False)
    assert len(kept["cmi.suspend_data"]) < 4096
    (tmp_path / "handed.json").write_text(kept["cmi.suspend_data"], "utf-8")
    grading = Grading({"dpo": EXERCISE})
    grading.take(tmp_path / "handed.json")
    (row,) = grading.graded.values()
    assert (row.who, row.marks, row.texts) == ("7", (12, 14), (("12", "Zu groß: „x“ 🙂", ""),))
    later = new_page(address, init=f"{API}({json.dumps(kept['cmi.suspend_data'])})")
    again = later.locator("#exercise-dpo")
    expect(again.get_by_label("What is wrong").first).to_have_value("Zu groß: „x“ 🙂")
    for note in again.get_by_label("How would").all():
        note.fill("x" * 4000)  # more than a platform keeps: marks stay, and the file is offered
    with later.expect_download() as told:
        again.locator("[data-action=handIn]").click()
    assert len(json.loads(Path(told.value.path()).read_text("utf-8"))["handin"]["answers"][0]["fix"]) == 4000
    assert '"marks":[12,14]' in later.evaluate("window.kept['cmi.suspend_data']")
    assert downloads == []
