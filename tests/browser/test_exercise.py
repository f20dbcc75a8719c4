"""What a student does and sees, in a real browser."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from axe import faults
from sample import (
    ASSESSMENT,
    CODE,
    EXERCISE,
    FORBIDDEN,
    FULL,
    LISTEN,
    centre,
    check,
    error,
    explain,
    guide,
    hinted,
    mark,
    marked,
    note,
    press,
    score,
    spans,
    status,
    variant,
)

HOLD = """
const append = Element.prototype.append;
Element.prototype.append = function (...parts) {
    const go = () => append.apply(this, parts);
    if (parts[0]?.src?.includes("key.js")) window.letGo = go;
    else go();
};
"""


@pytest.fixture
def page(new_page, local):
    """Return a page with the sample exercise."""
    return new_page(local.url(local.exercise(EXERCISE)))


# Marking


def test_a_click_anywhere_on_a_row_marks_it(page) -> None:
    page.locator(".es-row").nth(2).click()
    page.locator(".es-gutter-number").nth(4).click()
    assert marked(page) == [3, 5]
    expect(page.locator(".es-count")).to_have_text("2 lines marked")


def test_a_mark_is_sure_then_unsure_then_gone(page) -> None:
    row, box = page.locator(".es-row").nth(2), page.locator(".es-mark").nth(2)
    row.click()
    expect(box).to_be_checked()
    row.click()
    assert box.evaluate("box => box.checked && box.indeterminate")
    expect(box).to_have_attribute("aria-description", "unsure")
    expect(status(page)).to_have_text("Unsure: line 3.")
    expect(page.locator(".es-count")).to_have_text("1 line marked · 1 unsure")
    page.reload()
    assert box.evaluate("box => box.checked && box.indeterminate")
    row.click()
    assert marked(page) == []
    expect(status(page)).to_have_text("No longer marked: line 3.")
    row.click()
    assert box.evaluate("box => box.checked && !box.indeterminate")


def test_a_drag_marks_what_it_passes_and_gives_back_what_it_leaves(page) -> None:
    page.mouse.move(*centre(page, 3))
    page.mouse.down()
    page.mouse.move(*centre(page, 9), steps=6)
    assert marked(page) == [3, 4, 5, 6, 7, 8, 9]
    page.mouse.move(*centre(page, 6), steps=6)
    page.mouse.up()
    assert marked(page) == [3, 4, 5, 6]
    expect(status(page)).to_have_text("Marked: lines 3 to 6.")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelectorAll('.es-mark')[5].indeterminate")
    page.keyboard.press("Space")
    assert marked(page) == [3, 4, 5]


def test_a_key_right_after_a_drag_counts(page) -> None:
    page.mouse.move(*centre(page, 3))
    page.mouse.down()
    page.mouse.move(*centre(page, 6))
    page.evaluate("""() => {
        const press = () => document.querySelectorAll(".es-mark")[5].click();
        document.addEventListener("mouseup", () => queueMicrotask(press), { once: true }); // before any timer
    }""")
    page.mouse.up()
    assert marked(page) == [3, 4, 5, 6]
    assert page.locator(".es-count").text_content() == "4 lines marked · 1 unsure"


def test_a_click_of_no_mouse_leaves_a_drag_alone(page) -> None:
    page.mouse.move(*centre(page, 3))
    page.mouse.down()
    page.mouse.move(*centre(page, 6))
    page.evaluate("document.querySelectorAll('.es-mark')[9].click()")
    page.mouse.move(*centre(page, 8))
    page.mouse.up()
    assert marked(page) == [3, 4, 5, 6, 7, 8]


def test_a_drag_from_a_marked_line_removes_marks(page) -> None:
    mark(page, 3, 4, 5)
    page.mouse.move(*centre(page, 5))
    page.mouse.down()
    page.mouse.move(*centre(page, 4))
    page.mouse.up()
    assert marked(page) == [3]


def test_a_drag_that_returns_to_its_line_leaves_that_line_marked(page) -> None:
    page.mouse.move(*centre(page, 5))
    page.mouse.down()
    page.mouse.move(*centre(page, 7))
    page.mouse.move(*centre(page, 5))
    page.mouse.up()
    assert marked(page) == [5]


def test_a_drag_to_the_edge_scrolls_along(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), viewport={"width": 800, "height": 600})
    page.evaluate("scrollTo(0, 300)")
    page.mouse.move(*centre(page, 5))
    page.mouse.down()
    for step in range(40):
        page.mouse.move(200 + step % 2, 590)
    page.mouse.up()
    assert len(marked(page)) > 20
    assert page.evaluate("scrollY") > 500


def test_shift_and_a_click_mark_up_to_there(page) -> None:
    mark(page, 4)
    page.locator(".es-gutter-number").nth(7).click(modifiers=["Shift"])
    assert marked(page) == [4, 5, 6, 7, 8]


def test_the_keyboard_does_all(page) -> None:
    page.locator(".es-guided input").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert marked(page) == [2]
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert marked(page) == [1, 2, len(CODE.splitlines())]
    page.keyboard.press("PageDown")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowUp")
    assert marked(page) == [1, 2, 11, 12, len(CODE.splitlines())]
    expect(status(page)).to_have_text("Marked: lines 11 to 12.")
    page.keyboard.press("Tab")
    expect(page.locator("[data-action=check]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".es-score")).to_be_focused()


def test_the_code_is_one_tab_stop_that_stays_where_one_was(page) -> None:
    mark(page, 7)
    page.locator("[data-action=check]").focus()
    page.keyboard.press("Shift+Tab")
    assert (
        page.evaluate("document.activeElement.closest('.es-row').querySelector('.es-gutter-number').textContent")
        == "Line 7"
    )
    assert page.locator(".es-mark[tabindex='0']").count() == 1


def test_enter_on_a_line_does_not_submit(page) -> None:
    page.locator(".es-mark").first.focus()
    before = page.url
    page.keyboard.press("Enter")
    assert page.url == before
    expect(page.locator(".es-result")).to_be_hidden()


def test_a_tap_marks_and_numbers_take_a_drag(new_page, local) -> None:
    page = new_page(
        local.url(local.exercise(EXERCISE)), viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True
    )
    page.locator(".es-row").nth(2).evaluate("row => row.scrollIntoView({ block: 'center' })")
    page.locator(".es-text").nth(2).tap(position={"x": 20, "y": 10})
    assert marked(page) == [3]
    touch = page.context.new_cdp_session(page)

    def drag(selector: str, first: int, last: int) -> None:
        x, y = centre(page, first, selector)
        _, end = centre(page, last, selector)
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 9):
            point = {"x": x, "y": y + (end - y) * step / 8}
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    page.evaluate("scrollTo(0, 300)")
    drag(".es-gutter-number", 5, 8)
    assert marked(page) == [3, 5, 6, 7, 8]
    top = page.evaluate("scrollY")
    drag(".es-text", 12, 4)
    page.wait_for_function("top => scrollY > top", arg=top)
    assert marked(page) == [3, 5, 6, 7, 8]


def test_a_double_click_marks_once_and_chosen_text_marks_nothing(page) -> None:
    page.locator(".es-text").nth(2).dblclick()
    page.locator(".es-gutter-number").nth(4).dblclick()
    expect(page.locator(".es-count")).to_have_text("2 lines marked")
    box = page.locator(".es-text").nth(8).bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 10, steps=4)
    page.mouse.up()
    assert len(page.evaluate("String(getSelection())")) > 5
    assert marked(page) == [3, 5]


def test_a_drag_over_lines_chooses_no_text(page) -> None:
    page.mouse.move(*centre(page, 3))
    page.mouse.down()
    page.mouse.move(*centre(page, 8), steps=9)
    page.mouse.up()
    assert page.evaluate("String(getSelection())") == ""
    assert marked(page) == [3, 4, 5, 6, 7, 8]
    page.locator(".es-text").nth(20).click()
    assert marked(page) == [3, 4, 5, 6, 7, 8, 21]


def test_a_sweep_does_not_outlive_reset_or_another_tab(page) -> None:
    page.locator(".es-mark").nth(2).focus()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    assert marked(page) == [3, 4, 5]
    press(page, "reset")
    page.locator(".es-mark").nth(9).focus()
    page.keyboard.press("Shift+ArrowDown")
    assert marked(page) == [10, 11]
    expect(status(page)).to_have_text("Marked: lines 10 to 11.")
    page.evaluate("""() => {
        const [name] = Object.keys(localStorage), all = JSON.parse(localStorage[name]);
        Object.values(all)[0].marks = [20];
        localStorage[name] = JSON.stringify(all);
        dispatchEvent(new StorageEvent("storage", { key: name }));
    }""")
    page.keyboard.press("Shift+ArrowDown")
    assert marked(page) == [11, 12, 20]


# Checking


def test_while_the_answers_are_on_their_way_marks_stand_and_no_button_is_heard(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), init=HOLD)
    mark(page, 12)
    press(page, "check")
    expect(page.locator(".es-form")).to_have_attribute("aria-busy", "true")
    press(page, "check")
    press(page, "reset")
    press(page, "reveal")
    mark(page, 3)
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    assert marked(page) == [12]
    page.evaluate("letGo()")
    expect(page.locator(".es-score")).to_have_text("Score: 25%")
    expect(page.locator(".es-form")).to_have_attribute("aria-busy", "false")
    assert page.locator(".es-history").count() == 0


def test_a_hint_is_charged_once_and_not_after_the_check(new_page, local) -> None:
    page = new_page(local.url(local.exercise(variant(level="beginner"))), init=HOLD)
    mark(page, 12, 20, 24, 29)
    press(page, "hint")
    press(page, "hint")
    press(page, "check")
    page.evaluate("letGo()")
    expect(page.locator(".es-hints li")).to_have_count(1)
    page.locator("[data-action=hint]").dblclick()
    expect(page.locator(".es-hints li")).to_have_count(2)
    check(page)
    page.evaluate("document.querySelector('errorspan-exercise').hint()")
    assert score(page) == "Score: 90%"
    expect(page.locator(".es-result")).to_contain_text("less 10 points for hints")


def test_nothing_marked_asks_and_scores_nothing(page) -> None:
    press(page, "check")
    expect(status(page)).to_have_text("Mark at least one line first.")
    expect(page.locator(".es-result")).to_be_hidden()


def test_all_found_is_full_score(site, new_page) -> None:
    page = new_page(site.url(site.exercise(EXERCISE)))
    mark(page, 12, 21, 24, 29)
    check(page)
    assert score(page) == "Score: 100%"
    expect(page.locator(".es-score")).to_be_focused()
    expect(page.locator(".es-tally")).to_have_text("4 of 4 found0 missed0 false alarms")
    ink = page.locator(".es").evaluate("part => getComputedStyle(part).color")
    colours = page.locator(".es-tally .es-badge").evaluate_all("all => all.map(one => getComputedStyle(one).color)")
    assert [colour == ink for colour in colours] == [False, True, True]  # nothing is no fault


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([12, 24, 29], "75%"),  # 75
        ([12, 24, 29, 1], "56%"),  # 56.25
        ([12, 1, 2], "8%"),  # 8.33
        ([12, 20, 21, 22, 24, 29, 1], "80%"),  # 4/5: several lines of one span count once
        ([1], "0%"),
        (list(range(1, 36)), "12%"),  # 12.12
    ],
)
def test_score_is_recall_times_precision(page, lines, expected) -> None:
    mark(page, *lines)
    check(page)
    assert score(page) == f"Score: {expected}"


def test_verdicts_are_words(page) -> None:
    mark(page, 12, 14, 15, 17)
    check(page)
    row = page.locator(".es-row")
    assert " ".join(row.nth(11).inner_text().split()[:3]) == "Line 12 Found:"
    assert " ".join(row.nth(23).inner_text().split()[:3]) == "Line 24 Missed:"
    assert " ".join(row.nth(13).inner_text().split()) == "Line 14 False alarm: #"
    assert page.locator(".es-remark").all_inner_texts() == [
        "False alarmNo error here, lines 14 to 15.",
        "False alarmNo error here, line 17.",
    ]
    assert page.get_by_role("checkbox", name="Line 24 Missed: return").count() == 1


def test_spans_are_exactly_the_quotes(page) -> None:
    before = page.locator(".es-text").evaluate_all("all => all.map(one => one.textContent)")
    colours = page.locator(".es-text").evaluate_all("all => all.map(one => one.querySelectorAll('[class]').length)")
    mark(page, 1)
    check(page)
    assert spans(page) == {item.id: item.quote.split("\n") for item in ASSESSMENT.errors}
    assert page.locator(".es-text").evaluate_all("all => all.map(one => one.textContent)") == before
    first = page.locator(".error-span").first
    assert first.get_attribute("data-concept") == "length normalisation"
    assert first.locator("span.mi").inner_text() == "1"
    press(page, "again")
    assert page.locator(".error-span").count() == 0
    assert page.locator(".es-text").evaluate_all("all => all.map(one => one.textContent)") == before
    after = page.locator(".es-text").evaluate_all("all => all.map(one => one.querySelectorAll('[class]').length)")
    assert all(now >= then for now, then in zip(after, colours, strict=True))


def test_odd_characters_and_two_errors_on_a_line(new_page, local) -> None:
    code = 'x = "🙂👩🏽‍💻e\u0301\t\u202e", bad(1), worse(2)\ny = [\n\n\tz]\n'
    errors = [error(1, "bad(1)", 1, "good(1)", "one"), error(2, "worse(2)", 1, "better(2)", "two"),
              error(3, "[\n\n\tz", 2, "[z", "three")]  # fmt: skip
    changed = ASSESSMENT.model_validate(ASSESSMENT.model_dump() | {"code": code, "errors": errors})
    page = new_page(local.url(local.exercise(variant(assessment=changed))))
    mark(page, 1, 4)
    check(page)
    assert score(page) == "Score: 100%"
    assert spans(page) == {"1": ["bad(1)"], "2": ["worse(2)"], "3": ["[", "\tz"]}


def test_after_check_marks_stand(page) -> None:
    mark(page, 12)
    check(page)
    page.locator(".es-gutter-number").first.click(force=True)
    page.locator(".es-mark").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    assert marked(page) == [12]
    assert page.locator(".es-mark[aria-disabled=true]").count() == len(CODE.splitlines())


# Hints, attempts, answers


def test_hints_come_one_at_a_time_and_cost_what_they_say(page) -> None:
    guide(page)
    mark(page, 12)
    press(page, "hint")
    expect(page.locator(".es-hints li")).to_have_text(["Think of reductions (2)."])
    expect(hinted(page)).to_have_text("Hint 1 of 4: Think of reductions (2).")
    mark(page, 14)
    expect(hinted(page)).to_have_text("Hint 1 of 4: Think of reductions (2).")
    press(page, "close")
    expect(hinted(page)).to_be_empty()
    expect(page.locator("[data-action=close]")).to_be_hidden()
    expect(page.locator("[data-action=hint]")).to_be_focused()
    press(page, "hint")
    press(page, "reset")
    expect(status(page)).to_have_text("All marks removed. The hints stay, and count.")
    assert page.locator(".es-hints li").count() == 2
    mark(page, 12, 20, 24, 29)
    check(page)
    assert score(page) == "Score: 90%"
    expect(page.locator(".es-result")).to_contain_text("less 10 points for hints")


def test_hints_run_out_and_a_score_is_never_negative(page) -> None:
    guide(page)
    expect(page.locator(".es-total")).to_have_text("4 errors")
    hint = page.locator("[data-action=hint]")
    hint.focus()
    for number in range(1, 5):
        assert hint.is_enabled()
        page.keyboard.press("Enter")
        expect(hinted(page)).to_have_text(f"Hint {number} of 4: Think of reductions ({number}).")
    expect(hint).to_be_disabled()
    expect(hint).to_be_focused()
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("No more hints.")
    expect(page.locator(".es-hints li")).to_have_count(4)
    page.reload()
    expect(hint).to_be_disabled()
    mark(page, 1)
    check(page)
    assert score(page) == "Score: 0%"
    press(page, "again")
    expect(hint).to_be_enabled()


def test_try_again_keeps_the_history(page) -> None:
    mark(page, 12)
    check(page)
    press(page, "again")
    assert marked(page) == []
    expect(page.locator(".es-mark").first).to_be_focused()
    mark(page, 12, 20, 24, 29)
    check(page)
    assert page.locator(".es-history li").all_inner_texts() == [
        "Score: 25% · 1 of 4 found · 3 missed · 0 false alarms",
        "Score: 100% · 4 of 4 found · 0 missed · 0 false alarms",
    ]


def test_answers_shown_on_demand_are_recorded_as_shown(page) -> None:
    press(page, "reveal")
    expect(status(page)).to_contain_text("Press again")
    mark(page, 3)
    press(page, "reveal")
    expect(page.locator(".es-result")).to_be_hidden()
    press(page, "reveal")
    expect(page.locator(".es-score")).to_have_text("Answers shown, no score")
    assert page.locator(".es-note .es-badge").all_inner_texts() == ["Shown"] * 4
    press(page, "again")
    page.locator("[data-action=reveal]").dblclick()
    press(page, "check")
    press(page, "reveal")
    expect(status(page)).to_contain_text("Press again")
    mark(page, 12, 20, 24, 29)
    check(page)
    assert page.locator(".es-history li").first.inner_text() == "Answers shown, no score"


def test_the_open_form_tells_no_number_and_offers_no_hint_until_asked(page) -> None:
    number, hint = page.locator(".es-total"), page.locator("[data-action=hint]")
    expect(number).to_be_empty()
    expect(hint).to_be_hidden()
    guide(page)
    expect(number).to_have_text("4 errors")
    expect(hint).to_be_visible()
    page.reload()
    expect(number).to_have_text("4 errors")
    page.locator(".es-guided input").uncheck()
    expect(number).to_be_empty()
    expect(hint).to_be_hidden()


@pytest.mark.parametrize(("level", "guided"), [("beginner", True), ("advanced", False), (None, False)])
def test_the_level_picks_the_form(new_page, local, level, guided) -> None:
    page = new_page(local.url(local.exercise(variant(level=level))))
    expect(page.locator(".es-total")).to_have_text("4 errors" if guided else "")
    expect(page.locator("[data-action=hint]")).to_be_visible(visible=guided)
    assert page.locator(".es-guided input").is_checked() == guided
    assert "key.js?" not in page.content()


# Progress


def test_a_reload_restores_marks_hints_and_result(site, new_page) -> None:
    page = new_page(site.url(site.exercise(EXERCISE)))
    guide(page)
    mark(page, 12, 3)
    press(page, "hint")
    page.locator(".es-hints li").wait_for()
    page.reload()
    assert marked(page) == [3, 12]
    expect(page.locator(".es-hints li")).to_have_count(1)
    check(page)
    told = score(page)
    page.reload()
    expect(page.locator(".es-score")).to_have_text(told)
    expect(page.locator(".es-score")).not_to_be_focused()
    assert spans(page)["3"] == ["ratios[1] - ratios[0]"]
    press(page, "again")
    page.reload()
    assert marked(page) == []
    assert page.locator(".error-span").count() == 0


@pytest.mark.parametrize("init", [FORBIDDEN, FULL])
def test_the_exercise_works_without_storage(new_page, local, init) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), init=init)
    mark(page, 12)
    expect(status(page)).to_have_text("This browser does not save your progress.")
    check(page)
    press(page, "again")
    mark(page, 24)
    check(page)
    assert page.locator(".es-history li").count() == 2


def test_storage_is_named_after_the_site_and_the_exercise(new_page, site) -> None:
    page = new_page(site.url(site.exercise(EXERCISE)))
    mark(page, 12)
    (name,) = page.evaluate("Object.keys(localStorage)")
    assert name.endswith("/assets/errorspan:dpo")
    kept = json.loads(page.evaluate("localStorage[Object.keys(localStorage)[0]]"))
    assert kept[EXERCISE.digest]["marks"] == [12]


# The element in its page


def test_events_bubble_with_counts_only(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), init=LISTEN)
    mark(page, 12, 1)
    check(page)
    press(page, "again")
    mark(page, 12, 20, 24, 29)
    check(page)
    told = page.evaluate("told")
    assert [name for name, _ in told] == ["errorspan-check", "errorspan-complete", "errorspan-check"]
    assert told[0][1] == {
        "exercise": "dpo", "digest": EXERCISE.digest, "attempt": 1, "revealed": False,
        "found": 1, "missed": 3, "alarms": 1, "hints": 0, "score": 13,
        "missedErrors": ["2", "3", "4"],
    }  # fmt: skip
    assert told[2][1]["score"] == 100


def test_removed_and_added_again_it_listens_once(page) -> None:
    mark(page, 12)
    check(page)
    page.evaluate("""() => {
        const element = document.querySelector("errorspan-exercise"), parent = element.parentNode;
        for (let time = 0; time < 3; time++) { element.remove(); parent.append(element); }
    }""")
    expect(page.locator(".es-score")).to_have_text("Score: 25%")
    assert page.locator(".es-note").count() == 4
    press(page, "again")
    page.locator(".es-row").nth(2).click()
    assert marked(page) == [3]
    page.mouse.move(*centre(page, 3))
    page.evaluate("document.querySelector('errorspan-exercise').remove()")
    page.mouse.down()
    page.mouse.up()


def test_a_page_swapped_in_needs_no_reload(page) -> None:
    mark(page, 3)
    page.evaluate("""() => {
        const parent = document.querySelector(".es").parentNode, source = parent.innerHTML;
        parent.innerHTML = "";
        parent.innerHTML = source;
    }""")
    assert marked(page) == [3]
    page.locator(".es-row").nth(4).click()
    assert marked(page) == [3, 5]


def test_a_script_that_runs_twice_does_no_harm(page) -> None:
    page.add_script_tag(url="../../assets/errorspan.js")
    mark(page, 12)
    check(page)
    assert score(page) == "Score: 25%"


def test_two_exercises_on_a_page_keep_apart(new_page, local) -> None:
    other = variant(id="other")
    parts = []
    for made in (EXERCISE, other):
        local.exercise(made)
        part = local.template.render(exercise=made)
        parts.append(part.replace('data-key="key.js"', f'data-key="../{made.id}/key.js"'))
    page = new_page(local.url(local.page(local.root / "exercises" / "both", "".join(parts))))
    first, second = page.locator("errorspan-exercise").all()
    first.locator(".es-gutter-number").nth(11).click()
    second.locator(".es-gutter-number").nth(0).click()
    second.locator("[data-action=check]").click()
    expect(second.locator(".es-score")).to_have_text("Score: 0%")
    expect(first.locator(".es-result")).to_be_hidden()
    first.locator("[data-action=check]").click()
    expect(first.locator(".es-score")).to_have_text("Score: 25%")
    assert page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id).length") == page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size"
    )


def test_a_missing_key_says_so_and_the_marks_stay(browser, local) -> None:
    path = local.exercise(EXERCISE)
    (path.parent / "key.js").unlink()
    context = browser.new_context()
    page = context.new_page()
    page.goto(local.url(path))
    mark(page, 12)
    press(page, "check")
    expect(status(page)).to_contain_text("could not be loaded")
    assert marked(page) == [12]
    (path.parent / "key.js").write_text(EXERCISE.key_script, "utf-8")
    check(page)
    assert score(page) == "Score: 25%"
    context.close()


def test_the_key_of_another_version_is_not_used(new_page, local) -> None:
    path = local.exercise(EXERCISE)
    (path.parent / "key.js").write_text(EXERCISE.key_script.replace(EXERCISE.digest, "0" * 12), "utf-8")
    page = new_page(local.url(path))
    mark(page, 12)
    press(page, "check")
    expect(status(page)).to_contain_text("Reload the page")


def test_the_page_holds_no_answers_before_check(new_page, local) -> None:
    path = local.exercise(EXERCISE)
    page = new_page(local.url(path))
    mark(page, 12)
    for source in (path.read_text("utf-8"), page.content()):
        for told in (
            "SECRET",
            "reductions",
            "normalisation",
            ".sum(-1)",
            "errorspanKey",
            "key.js?",
            "4 errors",
            "verdict",
        ):
            assert told not in source


def test_without_javascript_the_form_is_readable_and_points_to_the_run(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), java_script_enabled=False)
    assert page.get_by_role("checkbox").count() == len(CODE.splitlines())
    page.locator(".es-row").nth(2).click()
    expect(page.locator(".es-mark").nth(2)).to_be_checked()
    expect(page.locator("noscript p")).to_be_visible()
    assert page.locator("noscript a, .es-brief a").get_attribute("href") == "../../runs/dpo/assessment/"
    expect(page.locator("[data-action=check]")).not_to_be_visible()


# For everyone


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_on_a_phone_nothing_scrolls_sideways(new_page, local, direction) -> None:
    page = new_page(
        local.url(local.exercise(EXERCISE, direction=direction)), viewport={"width": 320, "height": 640}, has_touch=True
    )
    mark(page, 12, 14)
    check(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for part in (".es-code", ".es-text"):
        assert page.locator(part).evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    note = page.locator(".es-note").first.bounding_box()
    assert note["x"] >= 0
    assert note["x"] + note["width"] <= 320


def test_every_row_is_tall_enough_to_touch(page) -> None:
    heights = page.locator(".es-row").evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
    assert min(heights) >= 24
    assert max(heights) < 30


LONG_HINT = "Follow one value from where it is made to where it is used. " * 9


def test_the_bar_leaves_a_phone_to_the_code(new_page, local) -> None:
    errors = [fault | {"hint": LONG_HINT} for fault in ASSESSMENT.model_dump()["errors"]]
    wordy = ASSESSMENT.model_validate(ASSESSMENT.model_dump() | {"errors": errors})
    phone = {"viewport": {"width": 375, "height": 700}, "has_touch": True, "is_mobile": True}
    page = new_page(local.url(local.exercise(variant(assessment=wordy))), **phone)
    bar, said = page.locator(".es-actions"), hinted(page)
    guide(page)
    mark(page, 12, 3, 3)
    expect(page.locator(".es-count")).to_have_text("2 lines marked · 4 errors · 1 unsure")
    unsure = bar.bounding_box()["height"]
    mark(page, 5)
    check, count, hint = (page.locator(f".es-{name}").bounding_box() for name in ("check", "count", "hint"))
    room = 2.5 * check["height"]  # whatever the font, a row of buttons and a line of text are lower
    assert bar.bounding_box()["height"] < min(room, unsure)  # what is unsure was said, and is said no more
    assert count["y"] + count["height"] <= check["y"]
    assert abs(check["y"] - hint["y"]) < 2
    press(page, "hint")
    expect(said).to_contain_text("Follow one value")
    assert bar.bounding_box()["height"] < 400
    assert said.evaluate("region => region.scrollHeight > region.clientHeight")
    said.evaluate("region => region.scrollTo(0, 999)")
    assert said.evaluate("region => region.scrollTop") > 0
    assert faults(page, ".es") == []
    expect(page.locator(".es-hints li")).to_have_text(LONG_HINT.strip())
    expect(said).to_have_attribute("tabindex", "0")  # so that keys scroll it
    mark(page, 7)
    expect(said).to_contain_text("Follow one value")


def test_what_does_not_apply_to_a_touch_screen_is_told_to_listeners_only(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True)  # fmt: skip  # noqa: E501
    expect(page.locator(".es-keys")).to_be_hidden()
    expect(page.get_by_role("group", name="Lines of code")).to_have_accessible_description(re.compile("arrow keys"))


def test_a_focused_line_is_not_hidden_by_the_bar(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), viewport={"width": 800, "height": 500})
    page.locator(".es-mark").first.focus()
    for _ in range(30):
        page.keyboard.press("ArrowDown")
        row = page.evaluate("document.activeElement.closest('.es-row').getBoundingClientRect().bottom")
        assert row <= page.locator(".es-actions").bounding_box()["y"] + 1


def test_nothing_moves_when_the_script_starts(new_page, local) -> None:
    shift = "new PerformanceObserver(l => { window.shift = (window.shift ?? 0) + l.getEntries().reduce((a, e) => a + e.value, 0); }).observe({type: 'layout-shift', buffered: true});"  # fmt: skip  # noqa: E501
    page = new_page(local.url(local.exercise(EXERCISE)), init=shift)
    page.wait_for_timeout(200)
    assert page.evaluate("window.shift ?? 0") == 0


def test_a_language_without_words_reads_english(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE, lang="xx-YY")))
    mark(page, 12)
    expect(page.locator(".es-count")).to_have_text("1 line marked")


def test_a_long_line_goes_on_below_where_its_code_starts(new_page, local) -> None:
    code = ASSESSMENT.code.replace("\tpolicy.train()", "\t\tpolicy.train()")
    made = variant(assessment=ASSESSMENT.model_validate(ASSESSMENT.model_dump() | {"code": code}))
    page = new_page(local.url(local.exercise(made)), viewport={"width": 375, "height": 700})
    glyphs = """row => {
        const found = document.createRange(), texts = document.createTreeWalker(row, NodeFilter.SHOW_TEXT), lines = {};
        while (texts.nextNode()) {
            [...texts.currentNode.data].reduce((at, sign) => {
                found.setStart(texts.currentNode, at);
                found.setEnd(texts.currentNode, at + sign.length);
                const { x, y, width } = found.getBoundingClientRect();
                if (sign.trim() && width) lines[Math.round(y / 8)] = Math.min(lines[Math.round(y / 8)] ?? 1e9, x);
                return at + sign.length;
            }, 0);
        }
        return Object.values(lines);
    }"""
    text = page.locator(".es-text")
    for line in (12, 24, 29):
        starts = text.nth(line - 1).evaluate(glyphs)
        assert len(starts) > 1, line
        assert max(starts) - min(starts) < 2, line
    tabs, four, eight = (text.nth(line - 1).evaluate(glyphs)[0] for line in (29, 10, 20))
    assert tabs == pytest.approx(eight, abs=1)
    assert eight - four == pytest.approx(page.evaluate("4 * 13") * 0.6, abs=3)  # four columns
    row = page.locator(".es-row").nth(23)
    row.click(position={"x": 120, "y": row.bounding_box()["height"] - 4})
    assert marked(page) == [24]


@pytest.mark.parametrize("width", [1280, 375])
def test_text_of_twice_the_size_finds_room(new_page, local, width) -> None:
    code = ASSESSMENT.code + 15 * " " + "x" * 150 + "\n"
    made = variant(assessment=ASSESSMENT.model_validate(ASSESSMENT.model_dump() | {"code": code}))
    page = new_page(local.url(local.exercise(made)), viewport={"width": width, "height": 800})
    page.add_style_tag(content=".es { font-size: 200%; }")
    rows = page.locator(".es-text").evaluate_all(
        "all => all.map(one => [one.getBoundingClientRect().height, parseFloat(getComputedStyle(one).fontSize)])"
    )
    assert min(height / size for height, size in rows) > 1.5
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for part in (".es-code", ".es-text"):  # what they clip would not scroll
        assert page.locator(part).evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    room = page.locator(".es-text").evaluate_all(
        "all => all.map(one => one.clientWidth - parseFloat(getComputedStyle(one).paddingLeft))"
    )
    assert min(room) > 60


# Looking again


def test_what_was_missed_stays_hidden_until_it_is_asked_for(page) -> None:
    mark(page, 12, 14)
    check(page, missed=False)
    expect(page.locator(".es-tally")).to_have_text("1 of 4 found3 missed1 false alarm")
    assert list(spans(page)) == ["1"]
    assert page.locator("[data-verdict=missed]:not(.es-badge)").count() == 0
    assert page.locator(".es-result a").count() == 1
    page.reload()
    page.locator(".es-score").wait_for()
    assert list(spans(page)) == ["1"]
    press(page, "uncover")
    expect(page.locator(".es-score")).to_be_focused()
    assert sorted(spans(page)) == ["1", "2", "3", "4"]
    assert page.locator("[data-action=look]").count() == 0
    page.reload()
    page.locator(".es-score").wait_for()
    assert sorted(spans(page)) == ["1", "2", "3", "4"]


def test_to_keep_looking_is_a_new_attempt_with_the_right_marks(page) -> None:
    guide(page)
    mark(page, 12, 14, 20, 20)
    press(page, "hint")
    page.locator(".es-hints li").wait_for()
    check(page, missed=False)
    explain(page, 1)
    press(page, "look")
    expect(status(page)).to_have_text("New attempt. The right marks stay.")
    expect(page.locator(".es-mark").first).to_be_focused()
    assert marked(page) == [12, 20]
    assert page.locator(".es-mark").nth(19).evaluate("box => box.indeterminate")
    kept, out = (page.locator(".es-mark").nth(line - 1) for line in (12, 14))
    expect(kept).to_have_attribute("aria-description", "found, stays marked")
    expect(out).to_have_attribute("aria-description", "No error here")
    mark(page, 12)
    expect(status(page)).to_have_text("line 12: found, stays marked.")
    press(page, "reset")
    expect(status(page)).to_have_text("All other marks removed.")
    assert marked(page) == [12, 20]
    mark(page, 20)
    assert page.locator(".error-span, .es-note").count() == 0
    expect(page.locator(".es-hints li")).to_have_count(1)
    page.reload()
    assert marked(page) == [12, 20]
    mark(page, 24)
    check(page, missed=False)
    assert page.locator(".es-history li").all_inner_texts() == [
        "Score: 28% · 2 of 4 found · 2 missed · 1 false alarm · 1 hint",
        "Score: 70% · 3 of 4 found · 1 missed · 0 false alarms · 1 hint",
    ]
    expect(note(page, 1)).to_contain_text("SECRET-1")
    press(page, "look")
    mark(page, 29)
    check(page)
    assert score(page) == "Score: 95%"
    assert page.locator("[data-action=look], [data-action=uncover]").count() == 0


def test_a_naming_counts_in_the_attempts_that_keep_it(page) -> None:
    mark(page, 12)
    check(page, missed=False)
    note(page, 1).get_by_role("radio").first.check()
    explain(page, 1)
    expect(page.locator(".es-tally")).to_contain_text("1 of 1 named")
    press(page, "look")
    mark(page, 24)
    check(page, missed=False)
    expect(page.locator(".es-tally")).to_contain_text("1 of 1 named")


def test_hints_that_are_spent_stay_spent(page) -> None:
    guide(page)
    hint = page.locator("[data-action=hint]")
    for number in range(1, 5):
        hint.click()
        expect(page.locator(".es-hints li")).to_have_count(number)
    mark(page, 12)
    check(page, missed=False)
    press(page, "look")
    expect(hint).to_be_disabled()
    press(page, "reset")
    expect(hint).to_be_disabled()


def test_the_second_of_two_taps_on_keep_looking_marks_nothing(new_page, local) -> None:
    page = new_page(
        local.url(local.exercise(EXERCISE)), viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True
    )
    mark(page, 12)
    check(page, missed=False)
    look = page.locator("[data-action=look]")
    look.scroll_into_view_if_needed()
    box = look.bounding_box()
    for _ in range(2):
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert marked(page) == [12]


ANOTHER_TAB = """(attempt) => {
    const [name] = Object.keys(localStorage), all = JSON.parse(localStorage[name]), [state] = Object.values(all);
    Object.assign(state, attempt.state);
    if (attempt.at) state.attempts.push(attempt);
    localStorage[name] = JSON.stringify(all);
}"""


def test_an_attempt_has_the_number_that_it_has_beside_those_of_other_tabs(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), init=LISTEN)
    mark(page, 12)
    page.evaluate(
        ANOTHER_TAB, {"at": 1, "found": 0, "missed": 4, "alarms": 1, "hints": 0, "score": 0, "revealed": False}
    )
    check(page)
    assert [(name, detail["attempt"]) for name, detail in page.evaluate("told")] == [("errorspan-check", 2)]


def test_focus_survives_when_another_tab_hides_what_was_missed(page) -> None:
    mark(page, 12)
    check(page)
    note(page, 3).get_by_role("textbox").focus()
    page.evaluate(ANOTHER_TAB, {"state": {"uncovered": False}})
    page.evaluate("dispatchEvent(new StorageEvent('storage', { key: null }))")
    expect(note(page, 3)).to_have_count(0)
    expect(page.locator(".es-score")).to_be_focused()


def test_after_nothing_was_found_there_is_a_way_on(page) -> None:
    mark(page, 1)
    check(page, missed=False)
    assert page.locator(".es-result .es-list").count() == 0
    press(page, "look")
    assert marked(page) == []
    page.locator(".es-row").nth(11).click()
    assert marked(page) == [12]


def test_a_second_tap_counts_however_soon(new_page, local) -> None:
    page = new_page(
        local.url(local.exercise(EXERCISE)), viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True
    )
    line = page.locator(".es-text").nth(2)
    line.evaluate("line => line.scrollIntoView({ block: 'center' })")  # the bar covers the lowest lines
    x, y = centre(page, 3)
    for taps, expected in ((2, "mixed"), (1, "false")):
        for _ in range(taps):
            page.touchscreen.tap(x, y)
        box = page.locator(".es-mark").nth(2)
        assert box.evaluate("box => box.indeterminate ? 'mixed' : String(box.checked)") == expected


def test_a_page_that_comes_back_shows_what_happened_meanwhile(page) -> None:
    mark(page, 12)
    page.evaluate("""() => {
        const [name] = Object.keys(localStorage), all = JSON.parse(localStorage[name]);
        Object.values(all)[0].marks = [3, 20];
        localStorage[name] = JSON.stringify(all);
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        window.left = document.querySelector(".es-form").autocomplete;
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    }""")
    assert marked(page) == [3, 20]
    assert page.evaluate("left") == "on"  # WebKit empties a form that is off
    mark(page, 5)
    page.reload()
    assert marked(page) == [3, 5, 20]


def test_what_is_wrong_in_a_line_is_also_told_in_words(page) -> None:
    mark(page, 12, 20)
    check(page)
    titles = page.locator(".es-note-title")
    assert " ".join(titles.nth(0).inner_text().split()) == "Found : line 12 : .mean(-1)"
    assert titles.nth(1).inner_text().endswith("mask)")
    seen = titles.nth(0).locator(".es-vh").last.bounding_box()
    assert seen["width"] <= 1
    explain(page, 1)
    assert note(page, 1).locator("del.es-changed").all_inner_texts() == ["mean"]
    assert note(page, 1).locator("ins.es-changed").all_inner_texts() == ["sum"]
    page.locator(".es-list a").nth(1).click()
    expect(titles.nth(1)).to_be_focused()
