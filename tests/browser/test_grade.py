"""The command grades as the page does: the same answers get the same scores."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from axe import faults
from errorspan.grading import forms, rules
from errorspan.grading.gradebook import Gradebook, Grading
from sample import EXERCISE, check, guide, mark, note, press, score

SCRIPT = Path(forms.__file__).parent.parent / "site" / "assets" / "errorspan.answers.js"
EXAM = EXERCISE.as_exam()


def kept(page: Page) -> dict[str, object]:
    """Return what the browser keeps of the sample."""
    return json.loads(page.evaluate("Object.values(localStorage).at(-1)"))[EXERCISE.digest]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.heavy) for seed in (1, 2))])
def test_texts_are_bared_as_the_script_does_it(browser, seed: int) -> None:
    told = random.Random(seed)
    signs = [
        "a",
        "b2",
        "_",
        "é",
        "𝐱",
        " ",
        "  ",
        "\t",
        "\n",
        "\r",
        '"',
        "'",
        "`",
        "\\",
        "(",
        "=",
        "\xa0",
        "\u2028",
        "\ufeff",
        "\v",
    ]
    texts = ["".join(told.choices(signs, k=told.randint(0, 24))) for _ in range(2000)]
    bare = re.search(r"function bare\(text\) \{.*?\n  \}\n", SCRIPT.read_text("utf-8"), re.DOTALL)
    assert bare
    page = browser.new_page()
    expected = page.evaluate(f"texts => {{ {bare[0]}; return texts.map(bare); }}", texts)
    page.close()
    assert [rules.bare(text) for text in texts] == expected


def test_marks_and_corrections_are_worth_the_same_on_the_page_and_in_the_command(new_page, local, tmp_path) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    file = tmp_path / "progress.json"
    rounds = [
        ([12], 0, {}),
        ([12, 14, 20], 0, {1: "return (logp*mask[:, 1:]).sum(-1)", 2: "x"}),
        ([1, 2, 3], 1, {}),
        (
            [20, 21, 22, 24, 29, 12],
            2,
            {3: "return -F.logsigmoid(beta * (ratios[0] - ratios[1])).mean()", 4: "policy.train();"},
        ),
    ]
    for lines, hints, fixes in rounds:
        mark(page, *lines)
        if hints:
            guide(page)
        for _ in range(hints):
            press(page, "hint")
        check(page)
        for number, fix in fixes.items():
            note(page, number).get_by_role("textbox").fill(fix)
        if page.locator("[data-action=explainAll]").count():
            press(page, "explainAll")
        state = kept(page)
        file.write_text(json.dumps({"errorspan": 1, "progress": {"dpo": {EXERCISE.digest: state}}}), "utf-8")
        grading = Grading({"dpo": EXERCISE})
        grading.take(file)
        (row,) = grading.graded.values()
        attempt = state["attempts"][-1]
        assert row.grade
        assert score(page) == f"Score: {row.grade.score}%"
        counts = (len(row.grade.found), len(row.grade.missed), len(row.grade.alarms), row.grade.score)
        assert counts == tuple(attempt[name] for name in ("found", "missed", "alarms", "score"))
        assert (row.right, row.tried) == (attempt["mended"] - attempt.get("claimed", 0), attempt["mends"])
        press(page, "again")
    assert (row.first, row.attempts) == (25, len(rounds))


@pytest.mark.heavy
def test_what_an_exam_hands_in_is_graded_and_shown_to_the_class(new_page, local, tmp_path) -> None:
    exam = new_page(local.url(local.exercise(EXAM)))
    mark(exam, 12, 14, 20)
    exam.locator(".es-answers .es-note", has_text="line 12").get_by_label("How would").fill(
        "    return (logp * mask[:,1:]).sum(-1)"
    )
    files = []
    for who in ("<b>", "7"):
        exam.locator(".es-who input").fill(who)
        with exam.expect_download() as told:
            press(exam, "handIn")
        files.append(tmp_path / told.value.suggested_filename)
        told.value.save_as(files[-1])
    practice = new_page(local.url(local.exercise(EXERCISE)))
    mark(practice, 12, 14, 20)
    check(practice)
    grading = Grading({"dpo": EXERCISE})
    for file in files:
        grading.take(file)
    rows = list(grading.graded.values())
    assert not grading.faults
    assert [(row.who, row.right, row.tried) for row in rows] == [("<b>", 1, 1), ("7", 1, 1)]
    assert score(practice) == f"Score: {rows[0].grade.score}%"
    (tmp_path / "class.html").write_bytes(forms.page(Gradebook(rows, (), (), {"dpo": EXERCISE})))
    for colours, width in (("light", 1280), ("dark", 375)):
        page = new_page(
            (tmp_path / "class.html").as_uri(), color_scheme=colours, viewport={"width": width, "height": 800}
        )
        expect(page.get_by_role("row", name="12 ")).to_contain_text("error 1")
        expect(page.get_by_role("row", name="14 ")).to_contain_text("a false alarm")
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
