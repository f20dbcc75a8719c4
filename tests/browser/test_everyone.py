"""The exercise for everyone: on paper, in other languages, right to left, with other colours, for those who listen."""

from __future__ import annotations

import io
import re

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from axe import faults
from errorspan.site.words import words_in
from sample import (
    ASSESSMENT,
    CODE,
    EXERCISE,
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
    variant,
)

LONG = "".join(f"\tvalue_{n} = compute(value_{n - 1}, 'é🙂 {'x' * (n % 90)}')  # step {n}\n" for n in range(1, 121))


def paper(page) -> str:
    """Return the text of the page as it is printed."""
    pages = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    return " ".join(" ".join(part.extract_text() for part in pages).split())


# Paper


def test_a_worksheet_has_numbered_lines_and_no_marks_or_answers(new_page, local) -> None:
    page = new_page(local.url(local.exercise(variant(level="beginner"))))
    mark(page, 12)
    press(page, "hint")
    page.locator(".es-hints li").wait_for()
    printed = paper(page)
    assert "Tick them, and write below what is wrong" in printed
    assert "return (logp * mask[:, 1:]).mean(-1)" in printed
    assert re.search(r"\b35\b", printed)
    assert "4 errors" in printed
    for absent in ("SECRET", "Check", "Reset", "Keyboard", "reductions", "line marked"):
        assert absent not in printed
    page.emulate_media(media="print")
    row = page.locator(".es-row").nth(11)
    plain = page.locator(".es-row").nth(12)
    look = (
        "row => [row, row.firstElementChild, row.querySelector('input')].map(e => getComputedStyle(e).backgroundColor)"
    )
    assert row.evaluate(look) == plain.evaluate(look)
    number = "row => getComputedStyle(row.querySelector('.es-gutter-number')).color"
    assert row.evaluate(number) == plain.evaluate(number)


def test_a_checked_exercise_prints_what_was_checked(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    mark(page, 12)
    check(page)
    explain(page, 1)
    printed = paper(page)
    assert "Score: 25%" in printed
    assert "SECRET-1" in printed
    assert "Compare with the answer" not in printed
    assert "Show all answers" not in printed


def test_long_lines_wrap_on_paper(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), viewport={"width": 400, "height": 800})
    page.emulate_media(media="print")
    assert page.locator(".es-code").evaluate("code => code.scrollWidth <= code.clientWidth")


# Languages


@pytest.mark.heavy
@pytest.mark.parametrize("lang", ["de", "ar"])
def test_the_whole_element_speaks_the_language_of_the_page(new_page, site, lang) -> None:
    words = words_in(lang).element
    direction = "rtl" if lang == "ar" else "ltr"
    path = site.exercise(variant(level="beginner"), lang=lang, direction=direction)
    page = new_page(site.url(path))
    expect(page.locator("[data-action=check]")).to_have_text(words["check"])
    for part in page.locator("[data-text]").all()[:14]:
        assert part.inner_text() in words.values() or not part.is_visible()
    expect(page.locator(".es-total")).to_have_text(words["errors"].get("few", words["errors"]["other"]).format(n=4))
    mark(page, 12, 3, 20)
    press(page, "hint")
    expect(hinted(page)).to_contain_text(words["hintGiven"].format(n=1, total=4))
    check(page)
    note(page, 1).get_by_role("radio").first.check()
    note(page, 1).get_by_role("textbox").fill("x")
    explain(page, 1)
    english = {"Found", "Missed", "alarm", "Score", "line", "lines", "Before", "Yours", "Answer", "You", "Your"}
    own = ("SECRET-1: the mean here weighs short answers more, so beta means something else.", "errors")
    shown = page.locator(".es").inner_text().replace(CODE, "").replace(own[0], "")
    assert english & set(re.findall(r"[A-Za-z]+", shown)) == set()
    expect(note(page, 1)).to_have_attribute("dir", direction)
    page.goto(site.url(site.list(EXERCISE, lang=lang, direction=direction)))
    expect(page.locator(".es-told")).to_contain_text(words["done"].format(n=1, total=1))


@pytest.mark.parametrize(
    ("lang", "own", "spoken"),
    [("de-AT", None, "Prüfen"), ("en-GB", None, "Check"), ("fr", "en", "Check"), ("", "en", "Check")],
)
def test_the_element_tells_its_language_where_the_page_has_another(new_page, site, lang, own, spoken) -> None:
    page = new_page(site.url(site.exercise(EXERCISE, lang=lang)))
    expect(page.locator(".es-count")).not_to_be_empty()
    expect(page.locator("[data-action=check]")).to_have_text(spoken)
    assert page.locator("errorspan-exercise").get_attribute("lang") == own


def test_a_part_of_a_page_may_have_a_language_of_its_own(new_page, local) -> None:
    local.exercise(EXERCISE)
    body = f'<div lang="de">{local.template.render(exercise=EXERCISE)}</div>'
    page = new_page(local.url(local.page(local.root / "exercises" / EXERCISE.id, body)))
    expect(page.locator("[data-action=check]")).to_have_text("Prüfen")


def test_code_stays_left_to_right(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE, lang="ar", direction="rtl")))
    expect(page.locator("[data-action=again]")).to_have_text(str(words_in("ar").element["again"]))
    gutter, text = (page.locator(name).nth(3).bounding_box() for name in (".es-gutter", ".es-text"))
    assert gutter["x"] < text["x"]
    mark(page, 12)
    check(page)
    explain(page, 1)
    for part in (".es-code", ".es-diff", "textarea", ".es-result bdi"):
        assert page.locator(part).first.evaluate("part => getComputedStyle(part).direction") == "ltr"
    assert note(page, 1).evaluate("part => getComputedStyle(part).direction") == "rtl"


def test_a_language_whose_words_are_missing_reads_english(browser, local) -> None:
    (local.root / "assets" / "errorspan.de.js").unlink()
    context = browser.new_context()
    page = context.new_page()
    page.goto(local.url(local.exercise(EXERCISE, lang="de")))
    mark(page, 12)
    expect(page.locator(".es-count")).to_have_text("1 line marked")
    context.close()


# Any code


def test_long_listings_tabs_and_signs_of_any_width(new_page, local) -> None:
    quotes = ["compute(value_9, 'é🙂", "\tvalue_60 =", "step 119\n\tvalue_120"]
    errors = [
        error(1, quotes[0], 10, "f('", "one"), error(2, quotes[1], 60, "\tvalue =", "two"),
        error(3, quotes[2], 119, "step\n\tvalue_120", "three"),
    ]  # fmt: skip
    made = variant(assessment=ASSESSMENT.model_validate(ASSESSMENT.model_dump() | {"code": LONG, "errors": errors}))
    page = new_page(local.url(local.exercise(made)), viewport={"width": 375, "height": 700})
    page.locator(".es-mark").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Space")
    assert marked(page) == [120]
    mark(page, 10, 60)
    check(page)
    assert score(page) == "Score: 100%"
    assert spans(page) == {"1": [quotes[0]], "2": [quotes[1]], "3": quotes[2].split("\n")}
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.locator("[data-action=explainAll]").click()
    assert note(page, 3).locator(".es-before code").count() == 2


# Eyes and ears


def test_forced_colours_show_marks_and_verdicts(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), forced_colors="active")
    mark(page, 12, 14)
    border = "row => getComputedStyle(row.querySelector('.es-gutter')).borderInlineStartColor"
    assert page.locator(".es-row").nth(11).evaluate(border) != page.locator(".es-row").nth(12).evaluate(border)
    assert page.locator(".es-mark").nth(11).evaluate("box => getComputedStyle(box).appearance") == "auto"
    mark(page, 14)
    assert page.locator(".es-row").nth(13).evaluate(border) == page.locator(".es-row").nth(11).evaluate(border)
    button = "button => [getComputedStyle(button).color, getComputedStyle(button).backgroundColor]"
    assert len(set(page.locator(".es-check").evaluate(button))) == 2
    check(page)
    explain(page, 1)
    lined = page.locator(".error-span, .es-changed").evaluate_all(
        "all => all.map(one => getComputedStyle(one).textDecorationLine)"
    )
    assert set(lined) == {"underline"}
    assert page.locator(".es-verdict .es-vh").count() > 0


def test_nothing_moves_for_those_who_want_no_motion(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), reduced_motion="reduce")
    moving = "all => all.filter(one => parseFloat(getComputedStyle(one).transitionDuration) > 0.01).length"
    assert page.locator(".es-button").evaluate_all(moving) == 0


def test_the_live_region_says_what_happened_and_no_more(new_page, local) -> None:
    init = """addEventListener("DOMContentLoaded", () => {
        window.said = [];
        for (const region of document.querySelectorAll("[role=status]"))
          new MutationObserver(() => region.textContent && said.push(region.textContent))
            .observe(region, { childList: true, subtree: true });
    });"""
    page = new_page(local.url(local.exercise(EXERCISE)), init=init)
    mark(page, 12, 12, 12)
    press(page, "reset")
    press(page, "check")
    guide(page)
    press(page, "hint")
    mark(page, 12)
    check(page)
    said = page.evaluate("said")
    assert list(dict.fromkeys(said))[:4] == [
        "Unsure: line 12.", "No longer marked: line 12.", "All marks removed.", "Mark at least one line first.",
    ]  # fmt: skip
    assert said[-1] == "Hint 1 of 4: Think of reductions (1)."


def test_every_target_is_large_enough(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), viewport={"width": 320, "height": 800})
    boxes = "all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect())"
    sizes = f"all => {boxes}.map(box => Math.min(box.width, box.height))"
    targets = ".es button, .es-row, .es-guided, .es-choice, .es textarea"
    assert min(page.locator(targets).evaluate_all(sizes)) >= 24
    mark(page, 12)
    check(page)
    assert min(page.locator(targets).evaluate_all(sizes)) >= 24
    explain(page, 1)
    links = page.locator(".es-links a").evaluate_all("all => all.map(a => a.parentNode.getBoundingClientRect().height)")
    assert min(links) >= 24


def test_the_actions_do_not_cover_a_low_window(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), viewport={"width": 320, "height": 256})
    assert page.locator(".es-actions").evaluate("bar => getComputedStyle(bar).position") == "static"


def test_twice_the_zoom_needs_no_sideways_scrolling(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), viewport={"width": 640, "height": 400}, device_scale_factor=2)
    mark(page, 12)
    check(page)
    explain(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


@pytest.mark.heavy
@pytest.mark.parametrize("scheme", ["default", "slate"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_in_any_state(new_page, local, scheme, width) -> None:
    page = new_page(local.url(local.exercise(EXERCISE, scheme=scheme)), viewport={"width": width, "height": 800})
    found = {}

    def look(state: str) -> None:
        if told := faults(page, ".es"):
            found[state] = told

    look("unmarked")
    guide(page)
    mark(page, 1, 12, 14, 14, 20)
    press(page, "hint")
    page.locator(".es-hints li").wait_for()
    look("marked")
    check(page)
    look("checked")
    note(page, 1).get_by_role("textbox").fill("mine")
    note(page, 1).get_by_role("radio").first.check()
    look("fixing")
    page.locator("[data-action=explainAll]").click()
    look("explained")
    press(page, "again")
    press(page, "reveal")
    press(page, "reveal")
    look("revealed")
    assert found == {}
