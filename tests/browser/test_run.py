"""A student's correction runs in the page, by the topic's tests, and can harm nobody."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from axe import faults
from errorspan.authoring.topics import Topic, Trial
from errorspan.browser import engines, tasks
from errorspan.browser.editor import EDITOR
from errorspan.browser.engines import PYTHON, TYPESCRIPT, Kept
from errorspan.proof import harnesses
from errorspan.proof.harnesses import PYTHON as IN_PYTHON
from errorspan.site import running
from sample import check, explain, mark, note, press, variant

TESTS = """
import { mock } from 'node:test';
test('adds two', ({ add }) => assert.equal(add(1, 2), 3));
test('adds none', ({ add }) => assert.equal(add(0, 0), 0));
test('adds <b>words</b>', ({ add }) => assert.equal(add('a', 'b'), 'ab'));
"""
IN_THE_PAGE = {
    "engine": "javascript",
    "inside": "inside.mjs",
    "program": "exercise.js",
    "tests": "tests.mjs",
    "laid": {"tests.mjs": TESTS},
    "leaveOut": ["starts a process"],
    "errors": {
        "3": {"head": "export function add(a, b) {\n", "lead": "  ", "tail": "\n}\n", "fails": ["adds two", "adds <b>words</b>"]}  # noqa: E501
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def kept(pytestconfig: pytest.Config) -> Path:
    """Return a folder in which engines are kept, as beside a course's cache."""
    return Path(pytestconfig.cache.mkdir("runtimes"))  # type: ignore[union-attr]


ASSETS = Path(running.__file__).parent / "assets"


def write(assets: Path, *found: Kept) -> None:
    """Put beside a page what runs in it."""
    (assets / tasks.RUNNER).write_text(tasks.runner(), "utf-8")
    for one in found:
        folder = assets / tasks.FOLDER / one.engine.folder
        folder.mkdir(parents=True)
        for script in one.scripts:
            shutil.copy(script, folder)


def runner(site, browser, *found: Kept):
    """Return an empty page that runs tasks, and holds what no program may reach."""
    write(site.root / "assets", *found)
    page = browser.new_page()
    url = site.url(site.page(site.root / "exercises" / "empty", f'<script src="../../assets/{tasks.RUNNER}"></script>'))
    page.goto(url)
    page.evaluate("document.cookie = 'secret=1'; localStorage.secret = 1; window.secret = 1; document.title = 'Mine'")
    return page


def play(page, task: dict[str, object], program: str, **more: object) -> dict[str, object]:
    """Return what tests say of a program."""
    whole = {**task, "laid": {**task["laid"], task["program"]: program}, **more}  # type: ignore[dict-item]
    return page.evaluate("task => errorspanRunner.play(task)", whole)


IN_SQL = harnesses.usual("sql")


def javascript(tests: str) -> dict[str, object]:
    return IN_THE_PAGE | {"laid": {"tests.mjs": tests}, "leaveOut": []}


REACHES = {
    "the page": "[parent, top, window, document].length",
    "its storage": "localStorage.secret",
    "its cookies": "cookieStore.getAll()",
    "a database": "new Promise((done, fail) => { const r = indexedDB.open('x'); r.onsuccess = done; r.onerror = () => fail(r.error); })",  # noqa: E501
    "caches": "caches.open('x')",
    "the site": "fetch(SITE)",
    "the site by another way": "new Promise((done, fail) => { const r = new XMLHttpRequest(); r.open('GET', SITE); r.onload = done; r.onerror = fail; r.send(); })",  # noqa: E501
    "the site's scripts": "import(SITE)",
    "the site's scripts, of old": "importScripts(SITE)",
    "another site": "fetch('http://127.0.0.1:9/')",
    "a socket": "new Promise((done, fail) => { const s = new WebSocket('ws://127.0.0.1:9/'); s.onopen = done; s.onerror = fail; })",  # noqa: E501
    "events": "new Promise((done, fail) => { const s = new EventSource(SITE); s.onopen = done; s.onerror = fail; })",
    "another worker": "new Worker(URL.createObjectURL(new Blob([''])))",
    "a channel": "new BroadcastChannel('x').postMessage(1)",
    "a word to the frame": "postMessage('x')",
}  # fmt: skip


def test_a_program_reaches_no_page_no_site_and_no_storage(site, browser) -> None:
    page = runner(site, browser)
    address = page.url.replace("exercises/empty", "assets").removesuffix("index.html") + "errorspan.js"
    tests = f"const SITE = {json.dumps(address)};\n" + "".join(
        f"test({json.dumps(name)}, async () => {{ let got; try {{ got = await {way}; }} catch {{ return; }} throw new Error(`reached: ${{got}}`); }});\n"  # noqa: E501
        for name, way in REACHES.items()
    )
    said = play(page, javascript(f"{tests}test('what it may', () => assert.equal(1, 1));"), "export const x = 1;")
    assert said["failed"] == {}
    assert said["erred"] == {}
    assert said["passed"] == [*REACHES, "what it may"]
    assert page.title() == "Mine"
    page.close()


@pytest.mark.heavy
def test_a_program_that_does_not_end_is_ended_and_the_page_stays_alive(local, browser) -> None:
    page = runner(local, browser)
    tests = "test('one', ({ x }) => x()); test('two', () => {});"
    ended = {
        "export const x = () => { for (;;); };": ("time", ["two"]),
        "for (;;); export const x = 1;": ("time", []),
        "export const x = () => new Promise(() => {});": ("time", ["two"]),
        "export const x = () => { throw new Error('y'.repeat(1e7)); };": (None, ["two"]),
        "export const x = () => { self.close(); for (;;); };": ("time", ["two"]),
    }
    for program, (why, passed) in ended.items():
        said = play(page, javascript(tests), program, seconds=1.5)
        assert said["stopped"] == why, program
        assert said["begun"] == ["one", "two"], program
        assert said["passed"] == passed, program
        assert len(said["failed"]["one"]["message"]) <= 301  # type: ignore[index]
    many = "for (let n = 0; n < 20000; n += 1) test(`${n} ${'long '.repeat(20)}`, () => {});"
    assert play(page, javascript(many), "export const x = 1;")["stopped"] == "flood"
    assert page.locator("iframe").count() == 1  # the spare
    assert page.evaluate("1 + 1") == 2
    page.close()


def test_a_student_mends_an_error_and_tests_say_so(new_page, site) -> None:
    write(site.root / "assets")
    page = new_page(site.url(site.exercise(variant(run=IN_THE_PAGE))))
    mark(page, 12, 24)
    check(page, missed=False)
    assert not note(page, 1).locator("[data-action=run]").count()
    box, told, said = (
        note(page, 3).get_by_role("textbox"),
        note(page, 3).locator(".es-told"),
        note(page, 3).locator(".es-ran"),
    )
    runs = {
        "return a - b;": ("Your correction fails tests that this error fails, too.", "2 tests fail"),
        "if (!a) return 7;\nreturn a + b;": ("Your correction mends the error and breaks another test.", "1 test fails"),  # noqa: E501
        "return (": ("Your correction fails tests that this error fails, too.", "3 tests fail"),
        "const all = a + b;\n\nreturn all;": ("Right: your correction passes every test that runs here.", "3 tests pass"),  # noqa: E501
    }  # fmt: skip
    for fix, (verdict, counted) in runs.items():
        box.fill(fix)
        note(page, 3).locator("[data-action=run]").press("Enter")
        expect(said).to_have_text(verdict)
        expect(told).to_contain_text(counted)
        if fix == "return a - b;":
            expect(told.locator("dl").first).to_have_text("Testadds twoInputadd(1, 2)Came out-1Should have come3")
            expect(told).to_contain_text("adds <b>words</b>")
            expect(told).to_contain_text("1 test is not run here")
    assert page.locator("b").count() == 0
    box.press_sequentially("x")  # what was said is of another text
    expect(said).to_be_empty()
    expect(told).to_be_empty()
    box.press("Backspace")
    expect(said).to_have_text(verdict)
    explain(page, 3)
    expect(note(page, 3)).to_contain_text("Right: your correction passes every test that runs here.")
    expect(note(page, 3)).not_to_contain_text("Tick what holds")
    expect(page.locator(".es-tally")).to_contain_text("1 of 1 put right, 1 of them tried by tests")
    press(page, "again")
    mark(page, 24)
    check(page, missed=False)
    expect(note(page, 3).locator(".es-ran")).to_be_empty()
    box.fill("const all = a + b;\nreturn all;")
    explain(page, 3)  # first, and then the tests
    expect(note(page, 3)).not_to_contain_text("Tick what holds")
    note(page, 3).locator("[data-action=run]").press("Enter")
    expect(said).to_have_text("Right: your correction passes every test that runs here.")
    expect(told).to_contain_text("3 tests pass")
    expect(note(page, 3).locator("h3")).to_be_focused()
    expect(page.locator(".es-tally")).to_contain_text("1 of 1 put right, 1 of them tried by tests")


TOPIC = Topic(id="x", path="x.yml", title="X", **{"try": Trial(call="add", examples=["0, 0", "1, 0"])})
TRIED = {
    "trial": tasks.trial(TOPIC, {"tests": "tests.mjs"}),
    "errors": {
        "3": {"head": "const ratios = [3, 5], beta = 1, F = { logsigmoid: (n) => ({ mean: () => n }) };\nexport function add(a, b) {\nratios[1] += a; if (b > 8) throw new RangeError('much');\n", "lead": "", "tail": "\n}\n", "fails": ["adds two"]},  # noqa: E501
    },
}  # fmt: skip


def test_a_student_shows_by_an_input_that_an_error_is_one(new_page, local) -> None:
    write(local.root / "assets")
    page = new_page(local.url(local.exercise(variant(run=IN_THE_PAGE | TRIED))))
    mark(page, 24)
    check(page, missed=False)
    trial = note(page, 3).locator(".es-trial")
    trial.locator("summary").press("Enter")
    box, said, shown = trial.get_by_role("textbox", name="Input"), trial.locator(".es-ran"), trial.locator("dl")
    expect(box).to_have_value("0, 0")
    tally = page.locator(".es-tally")
    alike = "Both give the same. Try another input."
    unread = "The program cannot be called so: "
    for given, told, came in [
        ("-2, 0", alike, "Input-2, 0Came out-0Should have come-0"),
        ("1, 0", "They differ: you have shown that it is wrong.", "Input1, 0Came out-3Should have come3"),
        ("1, 9", alike, "Input1, 9Came outRangeError: muchShould have comeRangeError: much"),
        ("nope, 0", f"{unread}ReferenceError: nope is not defined", None),
        ("1 +, 0", f"{unread}SyntaxError: Unexpected token ','", None),
        ("1, 0", "They differ: you have shown that it is wrong.", "Input1, 0Came out-3Should have come3"),
    ]:  # fmt: skip
        box.fill(given)
        box.press("Enter")
        expect(said).to_have_text(told)
        if came:
            expect(shown).to_have_text(came)
        else:
            expect(shown).to_have_count(0)
    expect(tally).to_contain_text("1 of 1 shown to be wrong by an input")
    expect(note(page, 3).locator("textarea")).to_have_value(
        "return -F.logsigmoid(beta * (ratios[1] - ratios[0])).mean()"
    )
    assert faults(page, "errorspan-exercise") == []
    page.reload()
    expect(box).to_have_value("1, 0")
    expect(shown).to_have_text("Input1, 0Came out-3Should have come3")
    trial.get_by_role("button", name="0, 0").click()
    expect(box).to_be_focused()
    expect(box).to_have_value("0, 0")
    explain(page, 3)
    expect(tally).to_contain_text("1 of 1 shown to be wrong by an input")


@pytest.mark.heavy
def test_what_comes_when_a_new_attempt_has_begun_or_the_answer_is_shown_stays_where_it_belongs(new_page, site) -> None:
    """A run takes a second; meanwhile a student shows the answer, or starts again and is at the same error anew."""
    write(site.root / "assets")
    page = new_page(site.url(site.exercise(variant(run=IN_THE_PAGE))))
    mark(page, 24)
    check(page, missed=False)
    slow = "for (const end = Date.now() + 1500; Date.now() < end; );\nreturn a + b;"
    note(page, 3).get_by_role("textbox").fill(slow)
    note(page, 3).locator("[data-action=run]").click()
    explain(page, 3)
    expect(note(page, 3)).to_contain_text("Right: your correction passes every test that runs here.")
    press(page, "again")
    mark(page, 24)
    check(page, missed=False)
    note(page, 3).get_by_role("textbox").fill(slow)
    note(page, 3).locator("[data-action=run]").click()
    press(page, "again")
    mark(page, 24)
    check(page, missed=False)
    page.wait_for_function("!document.querySelector('errorspan-exercise').playing")
    expect(note(page, 3).locator(".es-ran")).to_be_empty()
    assert "ran" not in page.locator("errorspan-exercise").evaluate("element => element.state.work[3] ?? {}")


@pytest.mark.heavy  # npm brings it
def test_an_engine_that_did_not_start_is_started_anew(local, browser, kept: Path) -> None:
    page = runner(local, browser)
    lost = "() => errorspanRunner.play({ ...%s, from: 'errorspan/lost', parts: 1 })"
    task = json.dumps(IN_THE_PAGE | {"laid": {"tests.mjs": TESTS, "exercise.js": ""}})
    assert [page.evaluate(lost % task)["stopped"] for _ in range(2)] == ["engine", "engine"]
    [found] = [engines.add(kept, TYPESCRIPT)]
    shutil.copytree(found.scripts[0].parent, local.root / "assets" / "errorspan" / "lost")
    script = local.root / "assets" / "errorspan" / "lost" / "0.js"
    script.write_text(script.read_text("utf-8").replace(found.engine.folder, "lost"), "utf-8")
    assert page.evaluate(lost % task)["stopped"] is None


EDITING = {"from": f"{tasks.FOLDER}/{EDITOR.folder}", "of": ".py"}


def test_where_no_test_runs_a_correction_is_compared_and_the_score_says_so(new_page, local) -> None:
    (local.root / "assets" / tasks.RUNNER).write_text("", "utf-8")
    lost = local.root / "assets" / EDITING["from"] / "0.js"
    lost.parent.mkdir(parents=True)
    lost.write_text("", "utf-8")  # then the box stays as it is
    page = new_page(local.url(local.exercise(variant(run=IN_THE_PAGE, editor=EDITING))))
    mark(page, 24)
    check(page, missed=False)
    note(page, 3).get_by_role("textbox").fill("return -F.logsigmoid(beta * (ratios[0] - ratios[1])).mean()")
    note(page, 3).locator("[data-action=run]").click()
    expect(note(page, 3).locator(".es-ran")).to_have_text(
        "The tests do not start in this browser. Compare with the answer."
    )
    explain(page, 3)
    expect(note(page, 3)).to_contain_text("Your correction is the answer, spacing aside.")
    expect(page.locator(".es-tally")).to_contain_text("1 of 1 put right, compared with the answers")
    press(page, "again")
    mark(page, 24)
    check(page, missed=False)
    note(page, 3).get_by_role("textbox").fill("return 1")
    explain(page, 3)
    expect(note(page, 3)).to_contain_text("Tick what holds of it")  # known by now
    page.reload()
    note(page, 3).locator("[data-action=run]").click()
    expect(note(page, 3)).to_contain_text("Tick what holds of it")


@pytest.mark.heavy  # npm brings it
def test_an_editor_takes_the_place_of_a_box_that_is_used(new_page, site, kept: Path) -> None:
    found = engines.add(kept, EDITOR)
    write(site.root / "assets", found)
    shutil.copy(ASSETS / running.WRITING, site.root / "assets")
    page = new_page(site.url(site.exercise(variant(run=IN_THE_PAGE, editor=EDITING))))
    mark(page, 12, 24)
    check(page, missed=False)
    assert not page.locator(".es-editor").count()
    note(page, 3).get_by_role("textbox").focus()
    editor = note(page, 3).locator(".cm-content")
    expect(editor).to_be_focused()
    expect(page.locator(".es-editor")).to_have_count(2)  # all of them
    box = note(page, 3).get_by_role("textbox", name="How would you put it right? (optional)")
    expect(box).to_have_text("return -F.logsigmoid(beta * (ratios[1] - ratios[0])).mean()")
    expect(editor.locator("span", has_text="return")).to_have_count(1)  # coloured
    page.keyboard.press("Control+A")
    page.keyboard.type("if (!a) {")
    page.keyboard.press("Enter")  # and it is indented
    page.keyboard.type("return b;}return a + b;")
    field = note(page, 3).locator("textarea")
    page.keyboard.press("Tab")
    expect(field).to_have_value("if (!a) {\n        return b;}return a + b;")
    page.keyboard.press("Shift+Tab")
    expect(field).to_have_value("if (!a) {\n    return b;}return a + b;")
    page.keyboard.press("Control+z")  # what Tab did, and was taken back
    page.keyboard.press("Control+z")
    expect(field).not_to_have_value("if (!a) {\n    return b;}return a + b;")
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+y")
    expect(field).to_have_value("if (!a) {\n    return b;}return a + b;")
    assert faults(page, "errorspan-exercise") == []
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(note(page, 3).locator("[data-action=run]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(note(page, 3).locator(".es-ran")).to_have_text("Right: your correction passes every test that runs here.")
    page.keyboard.press("Shift+Tab")
    expect(editor).to_be_focused()
    page.evaluate(  # another tab has done something
        """() => {
            const name = Object.keys(localStorage).find((name) => name.endsWith("dpo"));
            const all = JSON.parse(localStorage[name]);
            for (const state of Object.values(all)) state.work[1] = { fix: "other" };
            localStorage[name] = JSON.stringify(all);
            dispatchEvent(new StorageEvent("storage"));
        }"""
    )
    expect(note(page, 1).locator(".cm-content")).to_have_text("other")
    expect(editor).to_be_focused()
    page.keyboard.type("//")
    expect(field).to_have_value("if (!a) {\n    return b;}return a + b;//")
    page.reload()
    expect(note(page, 3).get_by_role("textbox")).to_have_value("if (!a) {\n    return b;}return a + b;//")


PYTEST = """\
import sqlite3, sys, pytest

@pytest.mark.parametrize("n", [1, 2])
def test_twice(exercise, n):
    assert exercise.twice(n) == 2 * n

def test_ends(exercise):
    exercise.ends()

def test_reaches_nothing(exercise):
    import js
    for way in ("parent", "document", "localStorage", "cookieStore", "caches", "Worker", "postMessage"):
        assert not hasattr(js, way), way
    with pytest.raises(Exception):
        js.XMLHttpRequest.new().open("GET", "http://127.0.0.1:9/", False) or js.XMLHttpRequest.new().send()

def test_database():
    assert sqlite3.connect(":memory:").execute("SELECT 1 + 1").fetchone() == (2,)
"""


@pytest.mark.heavy
def test_python_runs_in_pyodide_by_pytest_and_a_process_that_ends_is_told(local, browser, kept: Path) -> None:
    page = runner(local, browser, engines.add(kept, PYTHON))
    task = {
        "engine": "python", "inside": IN_PYTHON.inside, "program": "exercise.py", "tests": "tests.py",
        "laid": {"tests.py": PYTEST}, **tasks.fetching(engines.kept(kept, PYTHON)), "seconds": 15,
    }  # fmt: skip
    program = "import os\ndef twice(n): return n + n if n < 2 else 0\ndef ends(): os._exit(3)\n"
    said = play(page, task, program)
    assert said["begun"] == ["test_twice[1]", "test_twice[2]", "test_ends", "test_reaches_nothing", "test_database"]
    assert said["passed"] == ["test_twice[1]", "test_reaches_nothing", "test_database"]
    seen = said["failed"]["test_twice[2]"]  # type: ignore[index]
    assert (seen["input"], seen["got"], seen["expected"]) == ("exercise.twice(n), n = 2", "0", "4")
    assert said["failed"]["test_ends"]["stopped"] in {"time", "end"}  # type: ignore[index]
    hog = "def twice(n): return [bytes(1 << 27) for _ in range(9)]\ndef ends(): pass\n"
    said = play(page, task, hog, leaveOut=["test_twice[2]", "test_reaches_nothing"])
    assert re.match("MemoryError", said["failed"]["test_twice[1]"]["message"])  # type: ignore[index]
    assert "test_database" in said["passed"]
    page.close()


SQL = """\
CREATE TABLE orders (customer TEXT, cents INTEGER);
-- test: orders of one customer add up
INSERT INTO orders VALUES ('ann', 100), ('ann', 50), ('bob', 1);
SELECT customer, total FROM report;
-- expected in any order
VALUES ('ann', 150), ('bob', 1);
-- test: nobody owes nothing
SELECT count(*) FROM report;
-- expected
VALUES (0);
"""


@pytest.mark.heavy  # npm brings it
def test_sql_runs_in_the_sqlite_of_python(local, browser, kept: Path) -> None:
    page = runner(local, browser, engines.add(kept, PYTHON))
    task = {
        "engine": "python", "inside": IN_SQL.inside, "program": "exercise.sql", "tests": "tests.sql",
        "laid": {"tests.sql": SQL}, **tasks.fetching(engines.kept(kept, PYTHON)), "seconds": 15,
    }  # fmt: skip
    right = "CREATE VIEW report AS SELECT customer, sum(cents) AS total FROM orders GROUP BY customer;"
    said = play(page, task, right)
    assert said["stopped"] is None
    assert said["passed"] == ["orders of one customer add up", "nobody owes nothing"]
    said = play(page, task, right.replace("sum(", "max("))
    seen = said["failed"]["orders of one customer add up"]  # type: ignore[index]
    assert (seen["got"], seen["expected"]) == ("('ann', 100), ('bob', 1)", "('ann', 150), ('bob', 1)")
    said = play(page, task, "CREATE VIEW report AS SELEKT 1;")
    assert list(said["failed"]) == ["orders of one customer add up", "nobody owes nothing"]  # type: ignore[call-overload]
    page.close()


@pytest.mark.heavy  # npm brings it
def test_typescript_runs_without_its_types(local, browser, kept: Path) -> None:
    page = runner(local, browser, engines.add(kept, TYPESCRIPT))
    tests = """\
test('adds', ({ add }: { add: (a: number) => number }) => assert.equal(add(1), 3));
test('fails', ({ add }) => assert.equal(add(2) as number, 5));
"""
    program = """\
enum By { two = 2 }
class Sum {
  constructor(private readonly a: number) {}
  get all(): number { return this.a + By.two; }
}
export const add = (a: number): number => new Sum(a).all;
"""
    task = IN_THE_PAGE | {"program": "exercise.ts", "tests": "tests.ts", "laid": {"tests.ts": tests}, "leaveOut": []}
    said = play(page, task | tasks.fetching(engines.kept(kept, TYPESCRIPT)), program)
    assert said["passed"] == ["adds"]
    seen = said["failed"]["fails"]  # type: ignore[index]
    assert (seen["line"], seen["input"], seen["got"], seen["expected"]) == ("2", "add(2)", "4", "5")
    page.close()
