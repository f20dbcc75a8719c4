"""What follows Check, and what stays of it: names, corrections, explanations, the course's progress."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from errorspan.answers.outputs import Sound, Span
from errorspan.answers.verdicts import Failure
from errorspan.proof.correcting import Aside
from errorspan.site import pages
from errorspan.site.exercise import Seen
from sample import (
    ASSESSMENT,
    CODE,
    EXERCISE,
    FORBIDDEN,
    FULL,
    LISTEN,
    PATTERNS,
    check,
    error,
    explain,
    mark,
    marked,
    note,
    press,
    score,
    spans,
    status,
    variant,
)  # fmt: skip

DAY = 86_400_000
NOON = "Date.now = () => Date.UTC(2026, 4, 20, 12)"
AFTER_MIDNIGHT = "Date.now = () => Date.UTC(2026, 4, 20, 13)"  # one o'clock on the 21st in Auckland


@pytest.fixture
def page(new_page, local):
    """Return a page with the sample exercise."""
    return new_page(local.url(local.exercise(EXERCISE)))


def sides(page, number: int) -> dict[str, list[str]]:
    """Return what a comparison shows, and what it marks on each side."""
    found = {}
    for name in ("before", "own", "after"):
        side = note(page, number).locator(f".es-{name}")
        if side.count():
            found[name] = [
                "\n".join(side.locator("code").all_inner_texts()),
                *side.locator(".es-changed").all_inner_texts(),
            ]
    return found


def attempt(days_ago: float, score: int | None) -> str:
    """Return an attempt as a script that makes it."""
    return (
        f"{{at: Date.now() - {days_ago * DAY}, found: 1, missed: 0, alarms: 0, hints: 0, "
        f"score: {json.dumps(score)}, revealed: {json.dumps(score is None)}}}"
    )


def remember(page, exercise, *attempts: str, digest: str = "") -> None:
    """Put attempts into the browser's storage, as the element keeps them."""
    state = f"{{marks: [], unsure: [], hints: [], work: {{}}, ended: null, attempts: [{', '.join(attempts)}]}}"
    page.evaluate(
        f"""() => {{
            const folder = new URL("../../assets/", location.href).pathname
            const all = {{"{digest or exercise.digest}": {state}}}
            localStorage[`${{folder}}errorspan:{exercise.id}`] = JSON.stringify(all)
        }}"""
    )


# Name and fix


def test_nothing_is_explained_before_the_student_says_so(page) -> None:
    mark(page, 12, 20)
    check(page)
    for told in ("SECRET", "A value to keep", "FAILURE", ".sum(-1)"):
        assert told not in page.inner_text("errorspan-exercise")
    expect(note(page, 1).locator("h3")).to_have_text("Found: line 12: .mean(-1)")
    explain(page, 1)
    expect(note(page, 1).locator("h3")).to_be_focused()
    text = note(page, 1).inner_text()
    for said in ("Found", "length normalisation", "line 12", "SECRET-1", "A value to keep", "FAILURE-1", PATTERNS[0]):
        assert said in text
    assert "SECRET-2" not in page.inner_text("errorspan-exercise")


def test_a_found_error_is_named_among_plausible_patterns(page) -> None:
    mark(page, 12, 20)
    check(page)
    kinds = note(page, 1).get_by_role("radio")
    assert kinds.evaluate_all("all => all.map(one => one.value)") == sorted(PATTERNS[:4])
    note(page, 1).get_by_label(PATTERNS[0]).check()
    note(page, 2).get_by_label(PATTERNS[2]).check()
    told = score(page)
    explain(page, 1)
    expect(note(page, 1)).to_contain_text(f"{PATTERNS[0]}. You named it.")
    explain(page, 2)
    expect(note(page, 2)).to_contain_text(f"{PATTERNS[1]}. You chose: {PATTERNS[2]}.")
    expect(note(page, 2)).to_contain_text("SECRET-M2: code that does it.")
    expect(note(page, 1)).not_to_contain_text("SECRET-M")
    expect(page.locator(".es-tally")).to_contain_text("1 of 2 named")
    assert score(page) == told


def test_missed_errors_are_not_asked_for_a_name(page) -> None:
    mark(page, 24)
    check(page)
    for number, choices in {1: 0, 2: 0, 3: 4, 4: 0}.items():
        assert note(page, number).get_by_role("radio").count() == choices
        assert note(page, number).get_by_role("textbox").count() == 1


def test_a_correction_is_compared_word_by_word(page) -> None:
    mark(page, 24)
    check(page)
    box = note(page, 3).get_by_role("textbox")
    expect(box).to_have_value("return -F.logsigmoid(beta * (ratios[1] - ratios[0])).mean()")
    box.fill("return -F.logsigmoid(beta * (ratios[0] - ratios[2])).mean()")
    explain(page, 3)
    start, end = "return -F.logsigmoid(beta * (", ")).mean()"
    assert sides(page, 3) == {
        "before": [f"{start}ratios[1] - ratios[0]{end}", "1", "0"],
        "own": [f"{start}ratios[0] - ratios[2]{end}", "2"],
        "after": [f"{start}ratios[0] - ratios[1]{end}", "0", "1"],
    }


def test_what_no_test_tries_and_is_worded_otherwise_the_student_judges_by_criteria(new_page, local) -> None:
    seen = {"3": Seen("f(1, 2)", "-1", "1", "signs")}
    failures = (*EXERCISE.failures, Failure("F3", None, "Turns <the> sign. More.", "x", settles="*lower* is better"))
    page = new_page(local.url(local.exercise(variant(seen=seen, failures=failures))))
    mark(page, 24)
    check(page, missed=False)
    note(page, 3).get_by_role("textbox").fill("diff = ratios[0] - ratios[1]\nreturn -F.logsigmoid(beta * diff).mean()")
    explain(page, 3)
    told = note(page, 3).get_by_role("group", name="No test has run on your correction. Tick what holds of it:")
    boxes = told.get_by_role("checkbox")
    assert [box.strip() for box in told.locator("label").all_inner_texts()] == [
        "f(1, 2) → 1", "lower is better", "No longer so: Turns <the> sign.", "Whatever else worked still works.",
    ]  # fmt: skip
    tally = page.locator(".es-tally")
    expect(tally).to_contain_text("0 of 1 put right, compared with the answers")
    boxes.first.focus()
    for _ in range(3):
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    expect(tally).to_contain_text("0 of 1 put right")
    page.keyboard.press("Space")
    expect(tally).to_contain_text("1 of 1 put right, compared with the answers, 1 by your own account")
    page.reload()
    expect(boxes.nth(3)).to_be_checked()
    boxes.nth(1).uncheck()
    expect(tally).to_contain_text("0 of 1 put right, compared with the answers")
    expect(tally).not_to_contain_text("account")


def test_a_correction_like_the_key_is_called_the_same_spacing_aside(page) -> None:
    mark(page, 24)
    check(page)
    note(page, 3).get_by_role("textbox").fill("return -F.logsigmoid(beta*(ratios[0]-ratios[1])).mean()")
    explain(page, 3)
    expect(note(page, 3)).to_contain_text("Your correction is the answer, spacing aside.")


def test_what_is_undecided_is_neither_scored_nor_an_alarm_and_is_explained(new_page, local) -> None:
    at = CODE.index("ratios = []")
    line = CODE.count("\n", 0, at) + 1
    quote = CODE.split("\n")[line - 1]
    aside = Aside(quote, "The task leaves **this** open.", Span(at, at + len(quote), line, line))
    place = Sound(quote="optimizer.step()", line=33, reason="It looks **early** & is not.")
    made = variant(
        assessment=ASSESSMENT.model_copy(update={"sound": [place]}),
        undecided=(aside,),
        seen={"1": Seen("f(1)", "2", "3", "one <word>"), "3": Seen(test="signs", message="died before statement 4")},
    )
    page = new_page(local.url(local.exercise(made)))
    mark(page, 12, line)
    mark(page, line)  # unsure
    check(page, missed=False)
    assert score(page) == "Score: 25%"  # 1/4 of 1/1
    remark = page.locator(".es-remark")
    expect(remark).to_have_count(1)
    expect(remark).to_contain_text("Not counted")
    expect(remark.locator("strong")).to_have_text("this")
    expect(page.locator(".es-result")).not_to_contain_text("Unsure, but right")
    assert page.locator(".es-row").nth(line - 1).get_attribute("data-verdict") == "undecided"
    explain(page, 1)
    expect(note(page, 1).locator("dl")).to_have_text("Testone <word>Inputf(1)Came out2Should have come3")
    press(page, "look")
    assert marked(page) == [12, line]
    mark(page, 24, 32, 33, 35)
    check(page, missed=False)
    explain(page, 3)
    expect(note(page, 3).locator("dl")).to_have_text("TestsignsFails withdied before statement 4")
    alarms = page.locator(".es-remark[class]", has_text="No error here")
    assert alarms.all_inner_texts() == [
        "False alarmNo error here, lines 32 to 33.\n\nIt looks early & is not.",
        "False alarmNo error here, line 35.",
    ]


def test_blanks_that_matter_are_compared(page) -> None:
    mark(page, 24)
    check(page)
    box = note(page, 3).get_by_role("textbox")
    box.fill(f"    {box.input_value()}")
    explain(page, 3)
    assert sides(page, 3)["own"][0].startswith("    return")
    expect(note(page, 3)).to_contain_text("Tick what holds of it")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a = b+c", "a=b + c", True),
        ("if word not in stop:", "if word notin stop:", False),
        ("    return x", "return x", False),
        ('"word count"', '"wordc ount"', False),
        ("f( 'a b' )", "f('a b')", True),
        ("return x  \n", "return x", True),
        ("return  x", "return x", True),
        ("'it\\'s  ok'", "'it\\'s ok'", False),
        ("\u00e9 in x", "\u00e9in x", False),
    ],
)
def test_which_blanks_matter(page, one: str, other: str, *, same: bool) -> None:
    answers = (Path(pages.__file__).parent / "assets/errorspan.answers.js").read_text("utf-8")
    bare = re.search(r"function bare.+?\n  }\n", answers, re.DOTALL)[0]
    assert page.evaluate(f"([one, other]) => {{ {bare}; return bare(one) === bare(other) }}", [one, other]) is same


def test_what_was_not_changed_is_not_compared(page) -> None:
    mark(page, 12)
    check(page)
    explain(page, 2)
    assert list(sides(page, 2)) == ["before", "after"]
    assert sides(page, 2)["before"][0].splitlines() == [line[8:] for line in CODE.splitlines()[19:22]]


def test_a_correction_may_delete(new_page, local) -> None:
    code = "a = b(1)\nprint(a)\nprint(a)\nc\n"
    errors = [error(1, "(1)", 1, "", "one"), error(2, "print(a)\n", 3, "", "two"), error(3, "c\n", 4, "", "three")]
    changed = ASSESSMENT.model_validate(ASSESSMENT.model_dump() | {"code": code, "errors": errors})
    page = new_page(local.url(local.exercise(variant(assessment=changed))))
    mark(page, 1, 3)
    check(page)
    note(page, 1).get_by_role("textbox").fill("a = b")
    page.locator("[data-action=explainAll]").click()
    expect(page.locator(".es-score")).to_be_focused()
    assert sides(page, 1) == {"before": ["a = b(1)", "(1)"], "own": ["a = b"], "after": ["a = b"]}
    assert sides(page, 2) == {"before": ["print(a)\nc", "print(a)\n"[:-1]], "after": ["c"]}
    expect(note(page, 3).locator(".es-after")).to_contain_text("Nothing: this goes.")
    expect(note(page, 1)).to_contain_text("Your correction is the answer")


def test_work_on_errors_survives_a_reload_and_not_a_new_attempt(page) -> None:
    mark(page, 12, 20)
    check(page)
    note(page, 1).get_by_label(PATTERNS[1]).check()
    note(page, 2).get_by_role("textbox").fill("mine()")
    explain(page, 1)
    page.reload()
    expect(note(page, 1)).to_contain_text("SECRET-1")
    expect(note(page, 2).get_by_role("textbox")).to_have_value("mine()")
    press(page, "again")
    mark(page, 12)
    check(page)
    assert note(page, 1).locator("input:checked").count() == 0


def test_links_lead_to_where_it_was_made_and_avoided(page) -> None:
    press(page, "reveal")
    press(page, "reveal")
    page.locator(".es-score").wait_for()
    links = note(page, 1).get_by_role("link", include_hidden=True)  # folded
    assert links.evaluate_all("all => all.map(one => one.getAttribute('href'))") == [
        "../../runs/dpo/weak-implementation/#attempt-1-weak-9",
        "../../runs/dpo/mid-implementation/#attempt-1-mid-7",
        "../../runs/dpo/assessment/#error-1",
    ]
    assert note(page, 2).get_by_role("link", include_hidden=True).count() == 1


def test_naming_and_fixing_by_keyboard(page) -> None:
    mark(page, 12)
    page.locator("[data-action=check]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".es-score")).to_be_focused()
    for _ in range(4):  # a link, two buttons, the code
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert note(page, 1).locator("input:checked").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.insert_text("x")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(note(page, 1).locator("h3")).to_be_focused()
    assert "own" in sides(page, 1)


def test_sure_and_wrong_is_shown_back(page) -> None:
    mark(page, 3, 5, 5, 12, 12, 24)
    check(page)
    result = page.locator(".es-result")
    expect(result).to_contain_text("Sure, but no error there: line 3.")
    expect(result).to_contain_text("Unsure, but right: line 12.")
    told = "When you were sure, 1 of 2 marks were right; when unsure, 1 of 2."
    expect(result).to_contain_text(told)
    assert score(page) == "Score: 25%"  # 2/4 of 2/4: a mark counts the same


# Progress


def test_progress_and_reviews_of_a_course(new_page, local) -> None:
    names = ("new", "tomorrow", "week", "good", "bad", "shown", "changed")
    made = {name: variant(id=name, title=f"Exercise {name}") for name in names}
    listed = local.url(local.list(*made.values()))
    page = new_page(listed, timezone_id="UTC", init=NOON)
    told = page.locator(".es-told")
    expect(told).to_have_text("0 of 7 done")
    remember(page, made["tomorrow"], attempt(0.5, 90))
    remember(page, made["week"], attempt(9, 80), attempt(7.5, 100), attempt(4.2, 95))
    remember(page, made["good"], attempt(2, 90), attempt(1.9, 100))
    remember(page, made["bad"], attempt(30, 90), attempt(28, 90), attempt(1.1, 20), attempt(1.05, 100))
    remember(page, made["shown"], attempt(0.2, None))
    remember(page, made["changed"], attempt(3, 70), digest="0" * 12)
    page.reload()
    expect(told.locator("p").first).to_have_text("5 of 7 done · mean first score 88%")
    assert told.get_by_role("link").all_inner_texts() == ["Exercise good", "Exercise bad", "Exercise changed"]
    state = {name: page.locator(f"[data-exercise={name}]").inner_text() for name in names}
    assert state["new"] == "Not started"
    assert state["tomorrow"].startswith("Best: 90% · review on ")
    assert state["week"].startswith("Best: 100%, first: 80% · review on ")
    assert state["good"] == "Best: 100%, first: 90% · review now"
    assert state["bad"] == "Best: 100%, first: 90% · review now"
    assert state["shown"].startswith("Answers shown, no score · review on ")
    assert state["changed"] == "70%, changed since"


@pytest.mark.parametrize(("goods", "days"), [(1, 1), (2, 3), (3, 7), (4, 21), (5, 21)])
def test_reviews_come_after_1_3_7_and_21_days(new_page, local, goods, days) -> None:
    page = new_page(local.url(local.list(EXERCISE)), timezone_id="Pacific/Auckland", init=AFTER_MIDNIGHT)
    remember(page, EXERCISE, *reversed([attempt(days - 0.9 + 30 * step, 90) for step in range(goods)]))
    page.reload()  # less than so many times 24 hours ago, and as many days
    expect(page.locator("errorspan-progress")).to_contain_text("review now")
    remember(page, EXERCISE, *reversed([attempt(days - 1 + 30 * step, 90) for step in range(goods)]))
    page.reload()
    expect(page.locator("errorspan-progress")).to_contain_text("review on")


def test_a_list_that_comes_back_keeps_the_focus_and_shows_what_is_new(new_page, local) -> None:
    page = new_page(local.url(local.list(EXERCISE, variant(id="other"))))
    remember(page, EXERCISE, attempt(2, 90))
    page.reload()
    due = page.locator(".es-told a")
    due.focus()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(due).to_be_focused()
    remember(page, variant(id="other"), attempt(2, 90))
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(due).to_have_count(2)
    expect(page.locator("[data-exercise=other]")).to_contain_text("review now")


def test_progress_goes_to_a_file_and_comes_back(new_page, site, tmp_path) -> None:
    page = new_page(site.url(site.exercise(EXERCISE)))
    listed = site.url(site.list(EXERCISE))
    mark(page, 12)
    check(page)
    page.goto(listed)
    page.locator("summary").click()
    with page.expect_download() as saved:
        press(page, "store")
    file = tmp_path / "progress.json"
    saved.value.save_as(file)
    assert json.loads(file.read_text())["progress"]["dpo"][EXERCISE.digest]["attempts"][0]["score"] == 25
    press(page, "forget")
    expect(status(page)).to_contain_text("Press again")
    press(page, "forget")
    expect(status(page)).to_have_text("All progress is deleted.")
    expect(page.locator("errorspan-progress")).to_have_text("Not started")
    assert page.evaluate("localStorage.length") == 0
    load(page, file)
    expect(status(page)).to_have_text("Progress of 1 exercise loaded.")
    expect(page.locator("errorspan-progress")).to_contain_text("Best: 25%")
    load(page, file)  # again: nothing is counted twice
    page.goto(site.url(site.exercise(EXERCISE)))
    expect(page.locator(".es-score")).to_have_text("Score: 25%")
    assert page.locator(".es-history").count() == 0


def load(page, file: Path) -> None:
    """Load a file of progress."""
    with page.expect_file_chooser() as chosen:
        press(page, "load")
    chosen.value.set_files(file)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "content",
    ["", "no JSON", "[]", "{}", '{"errorspan":1,"progress":{"dpo":{"0":{"marks":5}}}}',
     '{"errorspan":1,"progress":{"dpo":{"0":{"attempts":[{"at":"x"}]}}}}',
     '{"errorspan":1,"progress":{"dpo":{"0":{"attempts":[{"at":1e999,"score":5}]}}}}',
     '{"errorspan":1,"progress":{"dpo":{"0":{"attempts":[{"at":1,"score":"5"}]}}}}',
     '{"errorspan":1,"progress":{"dpo":{"0":{"ended":"checked"}}}}',
     '{"errorspan":1,"progress":{"dpo":{"0":{"marks":["1"]}}}}',
     '{"errorspan":1,"progress":{"dpo":{"0":{"hints":[1]}}}}',
     '{"errorspan":1,"progress":{"dpo":{"0":{"work":{"1":{"fix":5}}}}}}', '{"errorspan":1,"progress":{"dpo":null}}'],
)  # fmt: skip
def test_a_file_of_another_kind_changes_nothing(new_page, local, tmp_path, content) -> None:
    page = new_page(local.url(local.list(EXERCISE)))
    remember(page, EXERCISE, attempt(0, 50))
    page.locator("summary").click()
    file = tmp_path / "other.json"
    file.write_text(content)
    before = page.evaluate("JSON.stringify(localStorage)")
    load(page, file)
    expect(status(page)).to_have_text("This file holds no progress.")
    assert page.evaluate("JSON.stringify(localStorage)") == before


def test_an_import_that_could_not_be_kept_says_so(new_page, local, tmp_path) -> None:
    page = new_page(local.url(local.list(EXERCISE)), init=FULL)
    page.locator("summary").click()
    file = tmp_path / "progress.json"
    kept = {"attempts": [{"at": 1, "score": 40, "found": 1, "missed": 1, "alarms": 0, "hints": 0}]}
    file.write_text(json.dumps({"errorspan": 1, "progress": {"dpo": {EXERCISE.digest: kept}}}))
    load(page, file)
    expect(status(page)).to_have_text("This browser does not save your progress.")
    press(page, "forget")
    page.locator("summary").click()
    page.locator("summary").click()
    press(page, "forget")
    expect(status(page)).to_contain_text("Press again")


def test_what_could_not_be_kept_is_still_known_on_the_page(page) -> None:
    remember(page, EXERCISE, attempt(1, 40))
    page.reload()
    page.evaluate(f"() => {{ {FULL} }}")
    mark(page, 12)
    check(page)
    press(page, "again")
    mark(page, 12)
    check(page)
    expect(page.locator(".es-history li")).to_have_count(3)
    page.evaluate("dispatchEvent(new StorageEvent('storage', { key: null }))")
    expect(page.locator(".es-history li")).to_have_count(3)


def test_ended_without_an_attempt_is_open(page) -> None:
    remember(page, EXERCISE)
    page.evaluate("for (const name in localStorage) localStorage[name] = String(localStorage[name]).replace('\"ended\":null', '\"ended\":\"checked\"')")  # fmt: skip  # noqa: E501
    page.reload()
    mark(page, 12)
    assert marked(page) == [12]


def test_another_tab_does_not_take_the_focus_or_what_is_being_written(new_page, site) -> None:
    address = site.url(site.exercise(EXERCISE))
    one = new_page(address)
    mark(one, 12, 20)
    check(one)
    two = one.context.new_page()
    two.goto(address)
    one.bring_to_front()
    note(one, 1).get_by_role("textbox").press_sequentially("mine")
    own = note(one, 1).get_by_role("textbox").input_value()
    two.bring_to_front()
    explain(two, 3)
    expect(note(one, 3)).to_contain_text("SECRET-3")
    expect(note(one, 1).get_by_role("textbox")).to_have_value(own)
    expect(note(one, 1).get_by_role("textbox")).to_be_focused()


def test_a_new_attempt_in_another_tab_leaves_the_focus_on_the_code(new_page, site) -> None:
    address = site.url(site.exercise(EXERCISE))
    one = new_page(address)
    mark(one, 12)
    check(one)
    note(one, 2).get_by_role("textbox").focus()
    two = one.context.new_page()
    two.goto(address)
    press(two, "again")
    expect(one.locator(".es-note")).to_have_count(0)
    expect(one.locator(".es-mark").first).to_be_focused()


def test_of_two_drafts_the_one_that_is_being_written_stays_in_both_tabs(new_page, site) -> None:
    address = site.url(site.exercise(EXERCISE))
    one = new_page(address)
    mark(one, 12)
    check(one)
    two = one.context.new_page()
    two.goto(address)
    other = note(two, 1).get_by_role("textbox")
    other.fill("theirs")
    mine = note(one, 1).get_by_role("textbox")
    mine.fill("mine")
    note(two, 2).get_by_role("textbox").focus()  # leaves theirs, and so keeps it
    expect(other).to_have_value("mine")
    expect(mine).to_have_value("mine")
    expect(mine).to_be_focused()
    two.reload()
    expect(other).to_have_value("mine")


def test_a_correction_starts_from_whole_lines(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    mark(page, 24)
    check(page)
    lines = ["theirs = sequence_logp(", "    reference, ids,", "    mask)"]
    box = note(page, 2).get_by_role("textbox")
    expect(box).to_have_value("\n".join(lines))
    right = ["theirs = sequence_logp_without_grad(", "    reference, ids, mask)"]
    box.fill("\n".join(right))
    explain(page, 2)
    expect(note(page, 2)).to_contain_text("Your correction is the answer, spacing aside.")
    assert [shown[0].splitlines() for shown in sides(page, 2).values()] == [lines, right, right]


def test_what_is_the_same_on_neighbouring_lines_is_matched_with_its_own_line(new_page, local) -> None:
    lines = ["chosen_reward = (chosen - ref_chosen) / beta", "rejected_reward = (rejected - ref_rejected) / beta"]
    right = ["chosen_reward = beta * (chosen - ref_chosen)", "rejected_reward = beta * (rejected - ref_rejected)"]
    code = "\n    ".join(["if x:", *lines, ""])
    quote, correction = "\n    ".join(lines), "\n    ".join(right)
    errors = [error(1, quote, 2, correction, "one"), error(2, "x", 1, "y", "two")]
    made = variant(assessment=ASSESSMENT.model_validate(ASSESSMENT.model_dump() | {"code": code, "errors": errors}))
    page = new_page(local.url(local.exercise(made)))
    mark(page, 1)
    check(page)
    explain(page, 1)
    assert sides(page, 1) == {
        "before": ["\n".join(lines), " / beta", " / beta"],
        "after": ["\n".join(right), "beta * ", "beta * "],
    }


def test_a_changed_exercise_keeps_the_old_score_and_says_so(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    mark(page, 12, 20, 24, 29)
    check(page)
    other = variant(assessment=ASSESSMENT.model_copy(update={"code": CODE + "# changed\n"}))
    page.goto(local.url(local.list(other)))
    expect(page.locator("errorspan-progress")).to_have_text("100%, changed since")
    page.goto(local.url(local.exercise(other)))
    expect(status(page)).to_have_text("This exercise has changed since your last score (100%).")
    assert marked(page) == []


@pytest.mark.heavy
def test_two_tabs_show_the_same_and_lose_nothing(new_page, site) -> None:
    address = site.url(site.exercise(EXERCISE))
    one = new_page(address)
    two = one.context.new_page()
    two.goto(address)
    one.bring_to_front()
    mark(one, 12)
    expect(two.locator(".es-mark").nth(11)).to_be_checked()
    two.bring_to_front()
    mark(two, 24)
    expect(one.locator(".es-mark").nth(23)).to_be_checked()
    one.bring_to_front()
    check(one)
    expect(two.locator(".es-score")).to_have_text("Score: 50%")
    two.bring_to_front()
    press(two, "again")
    expect(one.locator(".es-result")).to_be_hidden()
    mark(two, 12)
    check(two)
    expect(one.locator(".es-history li")).to_have_count(2)
    two.goto(site.url(site.list(EXERCISE)))
    one.bring_to_front()
    press(one, "again")
    mark(one, 12, 20, 24, 29)
    check(one)
    expect(two.locator("errorspan-progress")).to_contain_text("Best: 50% · 100% after the answers")
    expect(two.locator(".es-told")).to_contain_text("1 of 1 done")


def test_a_tab_that_heard_nothing_keeps_the_others_attempts(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)))
    mark(page, 12)
    remember(page, EXERCISE, attempt(1, 40))  # no storage event reaches the tab that writes
    check(page)
    expect(page.locator(".es-history li")).to_have_count(2)


def test_a_course_without_storage_says_what_it_knows(new_page, local) -> None:
    page = new_page(local.url(local.list(EXERCISE)), init=FORBIDDEN)
    expect(page.locator(".es-told")).to_have_text("0 of 1 done")
    page.locator("summary").click()
    press(page, "forget")
    press(page, "forget")
    expect(status(page)).to_have_text("All progress is deleted.")


def test_naming_and_fixing_fire_no_event(new_page, local) -> None:
    page = new_page(local.url(local.exercise(EXERCISE)), init=LISTEN)
    mark(page, 12)
    check(page)
    note(page, 1).get_by_label(PATTERNS[0]).check()
    explain(page, 1)
    assert [name for name, _ in page.evaluate("told")] == ["errorspan-check", "errorspan-complete"]
    assert spans(page)["1"] == [".mean(-1)"]
