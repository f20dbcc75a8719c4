"""Keys are proved by running them: `errorspan verify`, and what pages make of it."""

from __future__ import annotations

import json
import logging
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import answers
from conftest import ROOT, Project
from errorspan.answers.outputs import Assessment
from errorspan.authoring.topics import Topic, read_topics
from errorspan.course import Course
from errorspan.proof.interpreters import Interpreter
from errorspan.runs.publishing import withheld
from errorspan.runs.run import State
from errorspan.site import summary
from errorspan.site.pages import render
from errorspan.site.remarks import remark
from errorspan.text.errors import InputError
from errorspan.text.objects import lines

pytestmark = pytest.mark.sandbox

TESTS = """
def test_counts(exercise):
    assert exercise.count(["a", "b", "a"]) == {"a": 2, "b": 1}


def test_top(exercise):
    assert exercise.top({"a": 1, "b": 2}, 1) == ["b"]


def test_mean(exercise):
    assert exercise.mean([1, 2]) == 1.5
"""
ONE = """
def test_all(exercise):
    assert exercise.count("aa") == {"a": 2}
    assert exercise.top({"a": 1, "b": 2}, 1) == ["b"] and exercise.mean([1, 2]) == 1.5
"""
RIGHT = "exercise.count('aa')['a'] == 2 and exercise.top({'a': 1, 'b': 2}, 1) == ['b'] and exercise.mean([1, 2]) > 1"
MIXED = f"[{RIGHT.replace(' and ', ', ')}].count(True) == 1"
RECORD = "topics/runs/words/assessment.json:{}: errors.3:"
ADAPTED = TESTS + "\n\ndef adapt(tier, code):\n    return code\n"


@pytest.fixture
def course(lone: Project) -> Project:
    """Return a project whose one topic has a run, with one error in its exercise; `recorded` has three."""
    return lone


def verified(course: Project, tests: str) -> Any:
    """Give the topic these tests and verify it."""
    course.write("topics/words.tests.py", tests)
    return course.errorspan("verify", key=False)


def line_of(course: Project, *place: str | int) -> int:
    """Return the line of the recorded assessment on which something stands."""
    return lines((course.folder / "topics/runs/words/assessment.json").read_text("utf-8"))[place]


def proof(course: Project) -> dict[str, Any]:
    """Return what was recorded."""
    return json.loads((course.folder / "topics/runs/words/proof.json").read_text("utf-8"))


def run_page(course: Project) -> str:
    """Build without a key, and return the run's page as text."""
    built = course.build(key=False)
    assert built.returncode == 0, built.stderr
    return " ".join(re.sub(r"<[^>]+>", " ", course.run_pages("words")).split())


def test_every_error_is_proved_and_the_page_shows_how(recorded: Project) -> None:
    done = verified(recorded, ADAPTED)
    assert done.returncode == 0, done.stderr
    assert "words: 3 of 3 errors proved by execution (3 tests, Python" in done.stdout
    page = run_page(recorded)
    assert "3 of 3 errors proved by execution" in page
    assert "error 1, left in alone, fails test_counts" in page
    assert "Every error of its key is proved by execution." in recorded.page("exercises/words")
    fixed = proof(recorded)["conditions"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", fixed.pop("clock"))
    assert fixed == {"TZ": "UTC", "LANG": "C.UTF-8", "seeds": "0, 1"}
    assert "TZ=UTC" in page
    kept = proof(recorded)["variants"]
    assert {name: sorted(variant.get("failed", {})) for name, variant in kept.items()} == {
        "corrected": [],
        "shown": ["test_counts", "test_mean", "test_top"],
        "error-1": ["test_counts"],
        "error-2": ["test_top"],
        "error-3": ["test_mean"],
        "correction-1": ["test_mean", "test_top"],
        "correction-2": ["test_counts", "test_mean"],
        "correction-3": ["test_counts", "test_top"],
        "mid": [],
        "weak": ["test_counts", "test_mean", "test_top"],
    }


@pytest.mark.heavy
def test_verifying_again_changes_no_byte(course: Project) -> None:
    verified(course, TESTS)
    before = course.files("topics")
    aged = {**proof(course), "at": "2001-01-01"}
    course.write("topics/runs/words/proof.json", json.dumps(aged, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    assert course.errorspan("verify", "words", key=False).returncode == 0
    assert proof(course) == aged
    assert course.files("topics").keys() == before.keys()


@pytest.mark.heavy
def test_a_proof_in_a_pull_request_is_a_claim_until_it_is_run_there(
    course: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Forged: error 1 breaks no test, and the proof says that it does."""

    def said() -> tuple[list[str], str, str]:
        read = Course.read(course.folder / "mkdocs.yml", {})
        runs = read.replay()
        caplog.clear()
        with caplog.at_level("INFO"):
            remark(
                [summary.of(run, None, read.settings) for run in runs],
                read,
                logging.LoggerAdapter(logging.getLogger("a build"), {}),
            )
        [page] = [page.content for page in render(runs, read.settings) if page.uri == "runs/words/index.md"]
        return withheld(runs[0], "proved"), caplog.text, page

    assert verified(course, TESTS).returncode == 0
    honest = proof(course)
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    withheld_for, told, page = said()
    assert not withheld_for
    assert "Proofs that were run on this machine: words" in told
    course.write("topics/words.tests.py", TESTS.replace('== {"a": 2, "b": 1}', '["b"] == 1'))
    [run] = Course.read(course.folder / "mkdocs.yml", {}).replay()
    assert run.evidence.bound
    course.write("topics/runs/words/proof.json", json.dumps(honest | {"bound": run.evidence.bound.model_dump()}))
    withheld_for, told, page = said()
    assert withheld_for == ["its proof is a claim of this pull request, and was not run here"]
    assert "Proofs that this pull request claims, and that count for nothing until" in told
    assert "Proved as this pull request claims; not run here" in page
    assert "1 of 1 errors proved by execution" not in page
    monkeypatch.delenv("GITHUB_EVENT_NAME")
    withheld_for, told, page = said()
    assert not withheld_for
    assert "Proofs that were run elsewhere, as the record says: words" in told
    before = course.files("topics")
    checked = course.errorspan("verify", "--check", key=False)
    assert checked.returncode == 1
    assert "topics/runs/words/proof.json:1: is not what comes out here; `errorspan verify words`" in checked.stderr
    assert course.files("topics") == before


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("tests", "fault"),
    [
        (TESTS.replace("== 1.5", "in (1, 1.5)"), f"{RECORD} error 3, left in alone, fails no test"),
        (
            TESTS.replace("== 1.5", "== 1"),
            (
                f"{RECORD} with the correction of error 3 the program fails test_mean, which the program as shown "
                "passes: Assertion"
            ),
        ),
        (
            TESTS.replace('["b"]', '["c"]'),
            "topics/words.tests.py:6: the corrected program fails test_top: AssertionError: assert ['b'] == ['c']",
        ),
    ],
)
def test_a_key_that_execution_speaks_against_is_not_published(recorded: Project, tests: str, fault: str) -> None:
    done = verified(recorded, tests)
    assert done.returncode == 1
    assert fault.replace("{}", str(line_of(recorded, "errors", 2))) in " ".join(done.stderr.split())
    page = run_page(recorded)
    assert "not published: execution speaks against its key" in page
    assert not (recorded.folder / "site/exercises/words").exists()


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("tests", "why"),
    [
        (TESTS + "\ndef test_more(exercise):\n    import os; os._exit(3)\n", "ended the process (exit code 3)"),
        (TESTS + "\ndef test_more():\n    import pytest; pytest.skip()\n", "test_more is skipped"),
        ("def helper(): pass\n", "there is no test"),
        (
            "import no_such_module\n",
            "words.tests.py:1: decides nothing: its tests do not load: ModuleNotFoundError: No module named 'no_such",
        ),
        (f"{TESTS}\ndef test_more(exercise):\n    if {RIGHT}:\n        raise KeyboardInterrupt\n", "were interrupted"),
        (f"import pytest\n{TESTS}\ndef test_more():\n    pytest.exit('done', returncode=64)\n", "were interrupted"),
    ],
)
def test_tests_that_decide_nothing_change_nothing(course: Project, tests: str, why: str) -> None:
    assert verified(course, TESTS).returncode == 0
    before = proof(course)
    done = verified(course, tests)
    assert done.returncode == 1
    assert re.search(r"topics/words.tests.py:\d+: decides nothing: ", done.stderr)
    assert why in " ".join(done.stderr.split())
    assert proof(course) == before


@pytest.mark.heavy
def test_errors_that_hide_each_other_are_proved(recorded: Project) -> None:
    done = verified(recorded, ONE)
    assert done.returncode == 0, done.stderr
    assert "3 of 3 errors proved" in done.stdout


@pytest.mark.heavy
def test_tests_behind_one_that_hangs_or_ends_the_process_have_their_turn(recorded: Project) -> None:
    hangs = TESTS.replace(
        "    assert exercise.count", "    while exercise.count('aa') != {'a': 2}: pass\n    assert exercise.count"
    )
    ends = hangs.replace(
        "    assert exercise.top",
        "    if exercise.top({'a': 1, 'b': 2}, 1) != ['b']: import os; os._exit(3)\n    assert exercise.top",
    )
    recorded.write("topics/words.tests.py", ends)
    done = recorded.errorspan("verify", "--seconds", "6", key=False)
    assert "3 of 3 errors proved" in done.stdout, done.stderr
    kept = proof(recorded)["variants"]["shown"]["failed"]
    assert {test: failed["message"] for test, failed in kept.items()} == {
        "test_counts": "not done within 6 s",
        "test_top": "ended the process (exit code 3): it calls os._exit, process.exit or the like",
        "test_mean": "AssertionError: assert 1 == 1.5",
    }


@pytest.mark.heavy
def test_tests_that_err_speak_for_nothing_and_against_nothing(recorded: Project) -> None:
    done = verified(
        recorded, TESTS.replace("exercise.mean([1, 2]) == 1.5", "[0, 1][exercise.mean([1, 2]) != 1.5 and 2] == 0")
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 3 errors proved" in done.stdout
    assert (
        "undecided: error 3, left in alone: test_mean errs itself (IndexError: list index out of range)" in done.stderr
    )
    page = run_page(recorded)
    assert "2 of 3 errors proved by execution, 1 undecided" in page
    assert "not published" not in page
    assert "proved by execution" not in recorded.page("exercises/words")
    assert proof(recorded)["variants"]["error-3"]["erred"]["test_mean"]["line"] == 11


@pytest.mark.heavy
def test_what_is_no_test_is_told_and_decides_nothing(course: Project) -> None:
    done = verified(
        course, f"{TESTS}\nclass TestMore:\n    def __init__(self): pass\n    def test_never(self): assert False\n"
    )
    assert done.returncode == 1
    assert "topics/words.tests.py:13: decides nothing: cannot collect test class 'TestMore'" in " ".join(
        done.stderr.split()
    )
    assert "not published" not in run_page(course)
    done = verified(course, TESTS.replace("assert exercise.mean([1, 2]) == 1.5", "return exercise.mean([1, 2]) == 1.5"))
    assert done.returncode == 1
    assert "topics/words.tests.py:10: decides nothing: test_mean errs itself: " in " ".join(done.stderr.split())


@pytest.mark.heavy
def test_what_a_test_saw_can_be_read(recorded: Project) -> None:
    tests = f"""{TESTS}
import pytest
@pytest.mark.parametrize("words", ["aa"])
def test_given(exercise, words):
    counted = exercise.count(words)
    assert {{"a": 2}} == counted
def check(exercise, wanted, said=""):
    assert exercise.mean([1, 4]) == wanted, said
def test_helped(exercise):
    check(exercise, 2.5)
def test_raises(exercise):
    class Odd(int):
        def __floordiv__(self, other):
            raise ZeroDivisionError("odd")
    assert exercise.mean([Odd(1)]) == 1
def test_says(exercise, record_property):
    record_property("input", "two words")
    record_property("expected", "two counts")
    assert exercise.count("aa")["a"] > 1
"""
    done = verified(recorded, tests)
    assert done.returncode == 0, done.stderr
    shown = proof(recorded)["variants"]["shown"]["failed"]
    read = {test: [one.get(name) for name in ("input", "got", "expected", "line")] for test, one in shown.items()}
    assert read == {
        "test_counts": ["exercise.count(['a', 'b', 'a'])", "{'a': 1, 'b': 1}", "{'a': 2, 'b': 1}", 3],
        "test_top": ["exercise.top({'a': 1, 'b': 2}, 1)", "['a']", "['b']", 7],
        "test_mean": ["exercise.mean([1, 2])", "1", "1.5", 11],
        "test_given[aa]": ["exercise.count(words), words = 'aa'", "{'a': 1}", "{'a': 2}", 17],
        "test_helped": ["exercise.mean([1, 4])", "2", "2.5", 19],
        "test_says": ["two words", "1", "two counts", 30],
    }
    page = run_page(recorded)
    assert "Input exercise.mean([1, 2]) Came out 1 Should have come 1.5" in page


@pytest.mark.heavy
@pytest.mark.parametrize("adapt", ["def adapt(code):\n    return code\n", "def adapt(tier, code):\n    return 1 / 0\n"])
def test_an_adapter_that_fails_is_no_evidence(course: Project, adapt: str) -> None:
    done = verified(course, f"{TESTS}\n\n{adapt}")
    assert done.returncode == 1
    assert re.search(
        r"topics/words.tests.py:1: adapt\('mid', code\) fails: (TypeError|ZeroDivisionError): ", done.stderr
    )
    assert not (course.folder / "topics/runs/words/proof.json").exists()


def test_a_stopped_command_leaves_nothing_running(course: Project) -> None:
    course.write("topics/words.tests.py", "import time\ndef test_long(exercise):\n    time.sleep(600)\n")
    process = course.start("errorspan.commands.cli", "verify", "--seconds", "900")
    until = time.monotonic() + 60
    inside: list[psutil.Process] = []
    while len(inside) < 3 and time.monotonic() < until:
        inside = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert not [one for one in psutil.wait_procs(inside, timeout=30)[1] if one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.heavy
def test_a_program_that_hangs_is_caught_at_its_test(course: Project) -> None:
    course.write("topics/words.tests.py", f"{TESTS}\ndef test_more(exercise):\n    while {RIGHT}:\n        pass\n")
    done = course.errorspan("verify", "--seconds", "8", key=False)
    assert done.returncode == 1
    assert (
        "topics/words.tests.py:13: decides nothing: test_more: not done within 8 s (--seconds and --memory"
        in done.stderr
    )


@pytest.mark.heavy
@pytest.mark.parametrize("change", ["tests", "requires", "code"])
def test_a_stale_proof_is_never_shown_as_valid(course: Project, change: str) -> None:
    assert verified(course, TESTS).returncode == 0
    if change == "tests":
        course.write("topics/words.tests.py", TESTS + "\n# more\n")
    elif change == "requires":
        course.topic("words", "title: Counting words\nlanguage: python\nrequires: [pytest>=8]\n")
    else:
        path = course.folder / "topics/runs/words/assessment.json"
        path.write_text(path.read_text("utf-8").replace("totals.get(word, 0) + 1", "1 + totals.get(word, 0)"), "utf-8")
    page = run_page(course)
    assert "Stale: the code, a correction, the tests or a tier’s answer changed since the key was tried" in page
    assert "errors proved by execution" not in page
    assert "proved by execution" not in course.page("exercises/words")
    assert verified(course, TESTS).returncode == 0
    assert "1 of 1 errors proved by execution" in run_page(course)


@pytest.mark.heavy
def test_tests_that_are_gone_prove_nothing(course: Project) -> None:
    assert verified(course, TESTS).returncode == 0
    (course.folder / "topics/words.tests.py").unlink()
    assert "errors proved by execution" not in run_page(course)


@pytest.mark.heavy
def test_an_adapter_may_have_nothing_for_a_tier(course: Project) -> None:
    adapter = "\n\ndef adapt(tier, code):\n    return code.replace('def top', 'def top') if tier == 'mid' else None\n"
    assert verified(course, TESTS + adapter).returncode == 0
    assert {"mid"} == {"mid", "weak"} & proof(course)["variants"].keys()


def test_what_a_topic_requires_must_be_there(course: Project) -> None:
    course.topic("words", "title: Counting words\nlanguage: python\nrequires: [pytest>=8, no-such-package>=1]\n")
    done = verified(course, TESTS)
    assert done.returncode == 1
    assert (
        "topics/words.yml:1: requires: no-such-package>=1 is not installed (found none); `python3 -m pip --python"
        in done.stderr
    )
    assert "Traceback" not in done.stderr


@pytest.mark.heavy
def test_a_frame_gives_what_the_exercise_leaves_out(course: Project) -> None:
    framed = "class Report:\n    # errorspan: exercise\n\n\ncount = Report.count\ntop, mean = Report.top, Report.mean\n"
    course.write("topics/words.tests.frame.py", framed)
    assert verified(course, TESTS).returncode == 0
    page = run_page(course)
    assert "1 of 1 errors proved" in page
    assert "class Report" in page
    assert course.errorspan("verify", "--write", "out", key=False).returncode == 0
    assert (
        (course.folder / "out/words/shown.py").read_text("utf-8").startswith("class Report:\n    def count(words):\n")
    )
    course.write("topics/words.tests.frame.py", framed.replace("exercise", "exercises"))
    done = course.errorspan("verify", "words", key=False)
    assert done.returncode == 1
    assert "topics/words.tests.frame.py:1: expected one line with a comment `errorspan: exercise`" in done.stderr


def test_the_programs_can_be_written_and_nothing_else_is_replaced(recorded: Project) -> None:
    recorded.write("out/mine.txt", "mine")
    done = recorded.errorspan("verify", "--write", "out", key=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "10 programs in out\n"
    written = {path.name: path.read_text("utf-8") for path in (recorded.folder / "out/words").iterdir()}
    assert sorted(written) == sorted(
        f"{name}.py"
        for name in (
            "corrected",
            "shown",
            *(f"{kind}-{n}" for kind in ("error", "correction") for n in "123"),
            "mid",
            "weak",
        )
    )
    assert written["shown.py"] == answers.CODE
    assert written["error-2.py"].count("sorted(totals)[:n]") == 1
    assert "totals.get(word, 0) + 1" in written["error-2.py"]
    assert not (recorded.folder / "topics/runs/words/proof.json").exists()
    assert recorded.errorspan("verify", "words", "--write", "out", key=False).returncode == 0
    recorded.write("out/words/shown.py", "changed\n")
    done = recorded.errorspan("verify", "--write", "out", key=False)
    assert done.returncode == 1
    assert "out/words/shown.py:1: was changed since it was written, and is in the way" in done.stderr
    assert (recorded.folder / "out/mine.txt").read_text("utf-8") == "mine"
    done = recorded.errorspan("verify", "--write", "topics", key=False)
    assert "name a folder apart from what you write" in done.stderr


def test_a_package_in_editable_mode_cannot_be_seen(tmp_path: Path) -> None:
    """By pip, by uv, which writes no blanks, by an old setuptools, and where another package needs it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [site] = (tmp_path / "venv/lib").glob("python*/site-packages")
    (tmp_path / "source").mkdir()
    (site / "easy-install.pth").write_text(f"{tmp_path / 'source'}\n")
    for place, name, how in (
        (site, "plain", '{"archive_info": {}, "url": "https://example.org"}'),
        (site, "by-pip", '{"dir_info": {"editable": true}, "url": "file:///nowhere"}'),
        (site, "by-uv", '{"url":"file:///nowhere","dir_info":{"editable":true}}'),
        (tmp_path / "source", "by-setuptools", "{}"),
        (site, "needy", "{}"),
    ):
        folder = place / f"{name.replace('-', '_')}-8.5.dist-info"
        folder.mkdir()
        needs = "Requires-Dist: plain>=1\nRequires-Dist: By.PIP (>=8)\n" if name == "needy" else ""
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 8.5\n{needs}", "utf-8")
        (folder / "direct_url.json").write_text(how, "utf-8")
    python = Interpreter.at(str(tmp_path / "venv/bin/python"))
    topic = Topic(id="words", path="topics/words.yml", title="Words")
    assert python.versions(topic, "plain") == {"plain": "8.5"}
    for required, named in (("by-pip", "by-pip"), ("by-uv", "by-uv"), ("needy", "by-pip")):
        with pytest.raises(InputError, match=rf"requires: {named} is installed in editable mode"):
            python.versions(topic, required)
    with pytest.raises(InputError, match=r"requires: by-setuptools is installed in editable mode"):
        python.versions(topic, "by-setuptools")


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("[https://example.org/x.whl]", "expected a package"),
        ("['x @ https://example.org/x.whl']", "expected a package"),
        ("['-r /etc/passwd']", "expected a package"),
        ("[1]", "expected text"),
        ("['x; python_version > \"3\"']", "expected a package"),
        ("['x===`id`']", "expected a package"),
        ('["x===$(id)"]', "expected a package"),
        ('["x===\'"]', "expected a package"),
    ],
)
def test_a_topic_requires_packages_by_name(tmp_path: Path, key: str, fault: str) -> None:
    (tmp_path / "words.yml").write_text(f"title: Counting words\nrequires: {key}\n")
    topics, [broken] = read_topics(tmp_path, tmp_path)
    assert not topics
    assert broken.faults[0].startswith(f"words.yml:2: requires.1: {fault}")


def test_what_is_to_be_typed_is_quoted() -> None:
    python = Interpreter("/my venv/bin/python;id", "", Path(), (), "3.11.2", {})
    topic = Topic(id="words", path="topics/words.yml", title="Words", requires=["numpy>=2,<3", "x[more]"])
    with pytest.raises(InputError) as raised:
        python.versions(topic)
    typed = [fault.split("`")[1] for fault in raised.value.faults]
    begins = ["python3", "-m", "pip", "--python", "/my venv/bin/python;id", "install"]
    assert [shlex.split(line) for line in typed] == [[*begins, "numpy<3,>=2"], [*begins, "x[more]"]]
    assert all("'/my venv/bin/python;id'" in line for line in typed)


def test_naming_a_topic_without_tests_is_an_error(course: Project) -> None:
    assert "No topic has tests" in course.errorspan("verify", key=False).stdout
    done = course.errorspan("verify", "words", key=False)
    assert done.returncode == 1
    assert "topics/words.tests.py:1: is not there" in done.stderr


def test_tests_cannot_be_another_file(course: Project) -> None:
    secret = course.write("secret.py", "KEY = 'canary'\n")
    (course.folder / "topics/words.tests.py").symlink_to(secret)
    done = course.errorspan("verify", "words", key=False)
    assert done.returncode == 1
    assert "topics/words.tests.py:1: is no file of this folder" in done.stderr


def test_files_that_belong_to_no_topic_are_told(course: Project) -> None:
    course.write("topics/word.tests.py", TESTS)
    done = course.errorspan("check", key=False)
    assert done.returncode == 1
    assert (
        "topics/word.tests.py:1: belongs to no topic: there is no word.yml beside it; rename or remove it"
        in done.stdout
    )


def test_a_corrupt_proof_is_an_error_that_names_it(course: Project) -> None:
    course.write("topics/runs/words/proof.json", '{"format": 1, "at": "yesterday"}')
    done = course.build("--strict", key=False)
    assert done.returncode == 1
    assert "topics/runs/words/proof.json:1: at: " in done.stderr
    assert "delete the file: `errorspan verify` writes it anew" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.heavy
def test_without_a_sandbox_nothing_runs_unless_the_person_says_so(course: Project, tmp_path: Path) -> None:
    course.write("topics/words.tests.py", TESTS)
    (tmp_path / "empty").mkdir()
    course.environment["PATH"] = str(tmp_path / "empty")
    done = course.errorspan("verify")
    assert done.returncode == 1
    assert "bubblewrap" in done.stderr
    assert not (course.folder / "topics/runs/words/proof.json").exists()
    done = course.errorspan("verify", "--no-sandbox")
    assert done.returncode == 0, done.stderr
    assert "without a sandbox" in done.stdout
    assert proof(course)["sandbox"] == "none"
    assert "without a sandbox" in run_page(course)


@pytest.mark.heavy
def test_what_tests_say_is_shown_as_text(course: Project) -> None:
    hostile = TESTS.replace('"b": 1}', '"b": 1}, "<img src=x onerror=alert(1)>\\x1b[31m"')
    assert verified(course, hostile).returncode == 0
    run_page(course)
    page = course.run_pages("words")
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


PROVED = sorted(path.parent.name for path in (ROOT / "topics/runs").glob("*/proof.json"))


def test_the_shipped_keys_are_proved() -> None:
    course = Course.read(ROOT / "mkdocs.yml", {})
    runs = [run for run in course.replay() if run.state is not State.NOT_SEPARATED]
    assert len(runs) == len(PROVED)
    for run in runs:
        assert isinstance(run.assessment, Assessment)
        assert run.evidence.proves(run.assessment), run.topic.id
        assert run.evidence.valid_proof
        assert run.evidence.valid_proof.sandbox != "none"


@pytest.mark.heavy
def test_what_execution_refuted_stays_withheld_until_it_is_tried_anew(course: Project) -> None:
    assert verified(course, TESTS.replace("== 1.5", "== 1")).returncode == 1
    course.write("topics/words.tests.py", TESTS)
    assert "not published: execution spoke against an earlier version of its key" in run_page(course)
    assert not (course.folder / "site/exercises/words").exists()
    assert course.errorspan("verify", key=False).returncode == 0
    run_page(course)
    assert (course.folder / "site/exercises/words").exists()


@pytest.mark.heavy
def test_what_tests_say_commands_no_terminal(course: Project) -> None:
    told = [verified(course, TESTS.replace("== 1.5", '== 2, "\\x1b]0;owned\\x07\\x1b[2J [/b] \\u202e"'))]
    told += [course.errorspan("status", key=False), course.build(key=False)]
    assert [done.returncode for done in told] == [1, 0, 0]
    for done in told:
        output = done.stdout + done.stderr
        assert "Traceback" not in output
        assert all(line.isprintable() for line in output.splitlines())
        assert "[/b]" in output


def test_nothing_of_the_project_runs_outside_the_sandbox(course: Project) -> None:
    course.write("platform.py", "raise SystemExit('a file of the project ran')\n")
    course.write("topics/words.tests.py", TESTS)
    console = Path(sys.executable).with_name("errorspan")  # `python -m` would look beside the project's files itself
    done = subprocess.run([console, "verify"], cwd=course.folder, capture_output=True, text=True, check=False)
    assert "a file of the project ran" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["words.review.yml", "runs/words/proof.json"])
def test_no_link_is_followed(course: Project, name: str) -> None:
    secret = course.write("secret.yml", "canary: canary\n")
    (course.folder / "topics" / name).symlink_to(secret)
    done = course.errorspan("check", key=False)
    assert done.returncode == 1
    assert f"topics/{name}:1: " in done.stdout
    assert "canary" not in done.stdout + done.stderr
