"""What a student did stays: as it is typed, in the order in which it happened, and where a site keeps it."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from errorspan.authoring.settings import Settings
from sample import (
    ASSESSMENT,
    CODE,
    EXERCISE,
    FORBIDDEN,
    FULL,
    centre,
    check,
    guide,
    hinted,
    mark,
    marked,
    note,
    press,
    score,
    status,
    variant,
)

CLOCK = "const now = Date.now; Date.now = () => now() + Number(sessionStorage.skew ?? 0)"


def stored(page) -> dict[str, object]:
    """Return what the browser keeps of the sample."""
    kept = page.evaluate("Object.values(localStorage).at(-1)")
    return json.loads(kept)[EXERCISE.digest]


def test_what_is_typed_is_kept_as_it_is_typed(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    mark(page, 12, 20)
    check(page)
    box = note(page, 1).get_by_role("textbox")
    box.press("End")
    page.keyboard.type(" # my")
    assert stored(page)["work"]["1"]["fix"].endswith(" # my")  # the field was not left
    page.reload()
    expect(box).to_have_value("return (logp * mask[:, 1:]).mean(-1) # my")
    box.press("End")
    page.keyboard.type(" own")
    other = page.context.new_page()
    page.close()
    other.goto(local.url(local.exercise(EXERCISE)))
    expect(note(other, 1).get_by_role("textbox")).to_have_value("return (logp * mask[:, 1:]).mean(-1) # my own")


def test_a_check_shows_its_own_score_whatever_the_clock_says(new_page, local) -> None:
    address = local.url(local.exercise(EXERCISE))
    page = new_page(address, init=CLOCK)
    mark(page, 12)
    check(page)
    press(page, "again")
    page.evaluate("sessionStorage.skew = -86400000")
    mark(page, 12, 20, 24, 29)
    check(page)
    assert score(page) == "Score: 100%"
    assert "1 of 4" in page.locator(".es-history li").first.inner_text()
    page.goto(local.url(local.list(EXERCISE)))
    expect(page.locator("errorspan-progress")).to_contain_text("Best: 25% · 100% after the answers")
    page.evaluate("""() => {
        const [name] = Object.keys(localStorage), all = JSON.parse(localStorage[name]), state = Object.values(all)[0];
        const poor = { id: "far", n: 9, at: Date.now() + 1e6, found: 0, missed: 4, alarms: 2, hints: 0, score: 0 };
        state.attempts.push(poor);
        localStorage[name] = JSON.stringify(all);
    }""")
    page.goto(address)  # what came from elsewhere is united, and another attempt's marks are not shown with its score
    assert score(page) == "Score: 100%"
    expect(page.locator(".es-history li")).to_have_count(3)


def test_uniting_goes_both_ways_and_counts_nothing_twice(new_page, local, tmp_path) -> None:
    page = new_page(local.url(local.list(EXERCISE)))
    one, two = (
        {"id": name, "n": 1, "at": at, "found": 1, "missed": 3, "alarms": 0, "hints": 0, "score": points}
        for name, at, points in (("b", 9, 40), ("a", 10, 60))
    )  # fmt: skip
    older = {name: value for name, value in one.items() if name not in {"id", "n"}} | {"at": 8}
    told = []
    page.locator("summary").click()
    for files in ([one, older], [two, older]), ([two, older], [one, older]):
        press(page, "forget")
        press(page, "forget")
        for attempts in files:
            file = tmp_path / "progress.json"
            kept = {EXERCISE.digest: {"attempts": attempts}}
            file.write_text(json.dumps({"errorspan": 1, "progress": {"dpo": kept}}))
            load(page, file)
            expect(status(page)).to_have_text("Progress of 1 exercise loaded.")
        told.append([attempt["id"] for attempt in stored(page)["attempts"]])
    assert told == [["a", "b", "8"]] * 2


def load(page, file) -> None:
    """Load a file of progress."""
    with page.expect_file_chooser() as chosen:
        press(page, "load")
    chosen.value.set_files(file)


def test_a_file_of_another_course_says_so(new_page, local, tmp_path) -> None:
    page = new_page(local.url(local.list(EXERCISE)))
    page.locator("summary").click()
    file = tmp_path / "progress.json"
    kept = {"0" * 12: {"attempts": [{"at": 1, "score": 40, "found": 1, "missed": 1, "alarms": 0, "hints": 0}]}}
    file.write_text(json.dumps({"errorspan": 1, "progress": {"cooking": kept}}))
    load(page, file)
    expect(status(page)).to_have_text("This file holds progress of another course. Nothing was loaded.")
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("init", [FORBIDDEN, FULL])
def test_nothing_is_said_to_be_kept_where_storage_is_blocked(new_page, local, init) -> None:
    page = new_page(local.url(local.list(EXERCISE)), init=init)
    expect(page.locator("summary")).to_have_text("This browser does not save your progress.")


STRANGE = [
    "{", "[]", '"x"', '{"0":5}', '{"__proto__":{"marks":1}}', '{"0":{"marks":[3]}}', '{"DIGEST":null}',
    '{"DIGEST":{"marks":"x","attempts":{}}}', '{"DIGEST":{"attempts":[null]}}',
    '{"DIGEST":{"attempts":[{"score":"x"}]}}',
    '{"DIGEST":{"attempts":[],"marks":["3"]}}', '{"DIGEST":{"attempts":[],"hints":[null]}}',
    '{"DIGEST":{"attempts":[],"work":{"1":null}}}',
]  # fmt: skip
"""What another version, or another program of the same origin, may have left where progress stands."""


@pytest.mark.heavy
def test_no_page_ends_for_what_stands_where_progress_does(new_page, local) -> None:
    """It is passed over, and what is of other versions of the exercise stays as it is."""
    address, listed = local.url(local.exercise(EXERCISE)), local.url(local.list(EXERCISE))
    page = new_page(address)
    mark(page, 12)
    place = page.evaluate("Object.keys(localStorage).at(-1)")
    for strange in STRANGE:
        text = strange.replace("DIGEST", EXERCISE.digest)
        page.evaluate("told => localStorage.setItem(...told)", [place, text])
        page.goto(listed)
        expect(page.locator("errorspan-progress")).to_contain_text("Not started")
        page.goto(address)
        mark(page, 12)
        check(page)
        assert score(page) == "Score: 25%", strange
        assert stored(page)["attempts"][0]["score"] == 25
    page.evaluate("told => localStorage.setItem(...told)", [place, '{"0":{"later":true}}'])
    page.reload()
    mark(page, 12)
    assert json.loads(page.evaluate("localStorage")[place])["0"] == {"later": True}


def test_two_addresses_of_a_course_share_progress_where_the_author_says_so(new_page, local) -> None:
    shared = {"settings": Settings(shared_progress="course")}
    addresses = []
    for version in ("1.0", "1.1"):
        home, local.root = local.root, local.root / version
        (local.root / "assets").mkdir(parents=True)
        for asset in (home / "assets").iterdir():
            (local.root / "assets" / asset.name).symlink_to(asset)
        listed = local.list(EXERCISE, known=shared)
        addresses.append((local.url(local.exercise(EXERCISE, known=shared)), local.url(listed)))
        local.root = home
    page = new_page(addresses[0][0])
    mark(page, 12)
    check(page)
    assert page.evaluate("Object.keys(localStorage)") == ["course/errorspan:dpo"]
    page.goto(addresses[1][0])
    assert score(page) == "Score: 25%"
    page.goto(addresses[1][1])
    expect(page.locator("errorspan-progress")).to_contain_text("Best: 25%")
    expect(page.locator(".es-told")).to_contain_text("1 of 1 done")


# What stands where


def test_the_list_tells_how_far_one_is_and_an_end_what_to_take_away(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    listed, standing = local.url(local.list(EXERCISE)), page.locator("errorspan-progress")
    mark(page, 12, 14)
    page.goto(listed)
    expect(standing).to_have_text("In progress, 2 marked")
    page.go_back()
    check(page, missed=False)
    page.goto(listed)
    expect(standing).to_contain_text("Best: 13% · in progress, 1 of 4 found")
    page.go_back()
    press(page, "look")
    guide(page)
    press(page, "hint")
    expect(hinted(page)).to_contain_text("(2)")  # never for what is confirmed
    for number in (3, 4):
        press(page, "hint")
        expect(hinted(page)).to_contain_text(f"({number})")
    expect(page.locator("[data-action=hint]")).to_be_disabled()
    mark(page, 20, 24, 29)
    check(page)
    assert page.locator(".es-ending").count() == 0
    press(page, "explainAll")
    assert page.locator(".es-ending li").all_inner_texts() == [
        f"A value to keep ({number}): read what a reduction runs over." for number in (1, 2)
    ]


def test_blank_lines_have_no_box(new_page, local) -> None:
    code = CODE.replace("\n#\n", "\n\n").replace("\n#\n", "\n \t\n")
    page = new_page(local.url(local.exercise(variant(assessment=ASSESSMENT.model_copy(update={"code": code})))))
    blank = [number for number, line in enumerate(code.split("\n"), 1) if not line.strip()][:-1]
    assert blank[:3] == [2, 5, 6]
    for number in blank:
        expect(page.locator(".es-mark").nth(number - 1)).to_be_hidden()
    page.locator(".es-row").nth(1).click(force=True)
    assert marked(page) == []
    page.locator(".es-mark").nth(3).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert marked(page) == [4, 7]
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    page.mouse.move(*centre(page, 1))
    page.mouse.down()
    page.mouse.move(*centre(page, 5), steps=6)
    page.mouse.up()
    assert marked(page) == [1, 3, 4, 7]
    page.keyboard.press("Space")  # the nearest line that has a box has the focus
    assert page.locator(".es-count").inner_text() == "4 lines marked · 1 unsure"


def test_a_line_is_as_high_as_a_finger(new_page, local) -> None:
    page = new_page(
        local.url(local.exercise(EXERCISE)), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    assert min(page.locator(".es-row").evaluate_all("rows => rows.map((row) => row.offsetHeight)")) >= 44


# A click is a click


SELECT = """selector => {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector(selector));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}"""


@pytest.mark.parametrize("chosen", [".es-brief p", ".es-row:nth-child(1) .es-text", "body"])
def test_a_click_counts_whatever_is_selected(new_page, local, chosen) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    line, clicked = 3, []
    for part in (".es-gutter-number", ".es-text", ".es-mark"):
        for gesture in ("mouse", "script", "key"):
            page.evaluate(SELECT, chosen)
            assert len(page.evaluate("`${getSelection()}`")) > 1
            target = page.locator(part).nth(line - 1)
            if gesture == "mouse":
                target.click(force=True)
            elif gesture == "script":  # a screen reader's
                target.evaluate("part => part.click()")
            else:
                page.locator(".es-mark").nth(line - 1).focus()
                page.keyboard.press("Space")
            clicked.append(line)
            assert marked(page) == clicked, (part, gesture)
            line += 1
    page.evaluate(SELECT, chosen)
    press(page, "check")
    expect(page.locator(".es-score")).to_be_visible()


@pytest.mark.parametrize("chosen", [".es-brief p", ".es-row:nth-child(1) .es-text"])
def test_a_tap_counts_whatever_is_selected(new_page, local, chosen) -> None:
    page = new_page(
        local.url(local.exercise(EXERCISE)), viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True
    )
    for line, part in ((3, ".es-gutter-number"), (4, ".es-text")):
        page.locator(part).nth(line - 1).evaluate("part => part.scrollIntoView({ block: 'center' })")
        page.evaluate(SELECT, chosen)
        page.locator(part).nth(line - 1).tap()
    assert marked(page) == [3, 4]


def test_a_press_that_chose_text_marks_nothing_and_the_next_one_does(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    box = page.locator(".es-text").nth(8).bounding_box()
    for _ in range(2):  # the same text twice
        page.mouse.move(box["x"] + 40, box["y"] + 10)
        page.mouse.down()
        page.mouse.move(box["x"] + 160, box["y"] + 10, steps=4)
        page.mouse.up()
        assert len(page.evaluate("`${getSelection()}`")) > 5
    assert marked(page) == []
    page.locator(".es-mark").nth(8).focus()
    page.keyboard.press("Space")
    page.locator(".es-gutter-number").nth(9).click()
    page.locator(".es-text").nth(10).click()
    assert marked(page) == [9, 10, 11]
