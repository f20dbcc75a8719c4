"""`errorspan import`: what becomes of a record in which names of models stood for whom somebody asked."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

import answers
from conftest import Project
from errorspan.text import disk
from messages_api import MessagesAPI, message
from test_hand import typed
from test_reported import words
from test_run import manifest

WHOM, HOW, DRAFT, BY = "Claude, version not recorded", "prompt of 0.1.0", "told to write at once", "Ada"
REPORTED = ("--reported", "standin-weak", WHOM, DRAFT, "--reported", "standin-*", WHOM, HOW)
MID, WEAK = "attempt-1/mid_implementation.md", "attempt-1/weak_implementation.md"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, recording: Path) -> Path:
    """Return a record behind stand-in names: all but one model's, solvers' too, with replies that did not count."""
    api = MessagesAPI()
    api.script("blind_solve", *[message(json.dumps(answers.solution(*answers.ERRORS)), "standin-solver")] * 2)
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        server.expect_request("/v1/messages", method="POST").respond_with_handler(api)
        api.url = server.url_for("").rstrip("/")
        project = Project(shutil.copytree(recording, tmp_path_factory.mktemp("made") / "course"), api)
        solved = project.errorspan("solve")
    assert solved.returncode == 0, solved.stderr
    record = project.folder / "topics/runs/words"
    said = (record / "run.json").read_text()
    for name in ("author", "weak", "judge", "first", "second"):
        said = said.replace(f"{name}-model", f"standin-{name}")
    told = json.loads(said)
    given = {
        field: told["answers"]["assessment.json"][field] for field in ("model", "stop_reason", "usage", "seconds", "at")
    }
    told["answers"]["assessment.json"]["rejected"] = [
        given | {"file": "assessment.json", "faults": ["two errors overlap"]}
    ]
    told["discarded"] = [
        given | {"file": "error_catalog.json", "stop_reason": "refusal", "faults": ["refused"], "free": True}
    ]
    (record / "run.json").write_text(json.dumps(told))
    return record


@pytest.fixture
def source(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "elsewhere" / "record")


@pytest.fixture
def target(project: Project) -> Project:
    project.topic("words")
    return project


def imported(project: Project, *options: str, by: str = BY) -> Any:
    return typed(project, "import", "elsewhere/record", "words", *(options or REPORTED), "--by", by)


def written(record: Path) -> dict[str, Any]:
    return json.loads((record / "run.json").read_text())


def rewritten(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change what a record's run.json says."""

    def act(record: Path) -> None:
        change(told := written(record))
        (record / "run.json").write_text(json.dumps(told))

    return act


def test_answers_become_reported_and_a_models_stay_as_they_are(
    target: Project, source: Path, messages_api: MessagesAPI
) -> None:
    before = written(source)
    done = imported(target)
    assert done.returncode == 0, done.stderr
    assert f"topics/runs/words/{WEAK}: reported ({WHOM}, as {BY} says)" in done.stdout
    assert f"topics/runs/words/{MID}: model (mid-model)" in done.stdout
    assert done.stdout.endswith("words: the run is complete\n")
    entries, after = manifest(target), written(target.folder / "topics/runs/words")
    assert len(entries) == 10
    assert entries[MID] == before["answers"][MID]
    for file, entry in entries.items():
        assert target.files("topics/runs/words")[file] == (source / file).read_bytes()
        if file != MID:
            told = {"origin": "reported", "whom": WHOM, "how": DRAFT if file == WEAK else HOW, "by": BY}
            assert entry.items() >= told.items()
            assert entry.keys() <= {*told, "digest", "format", "at", "basis", "pipeline", "rejected"}
            assert all(entry[same] == before["answers"][file][same] for same in ("at", "digest", "format", "pipeline"))
    [sent_back], [refused] = entries["assessment.json"]["rejected"], after["discarded"]
    for reply, old in (
        (sent_back, before["answers"]["assessment.json"]["rejected"][0]),
        (refused, before["discarded"][0]),
    ):
        assert old["model"] == "standin-author"
        assert reply == {"whom": WHOM, "how": HOW, "by": BY} | {same: old[same] for same in ("file", "at", "faults")}
    assert "standin-" in json.dumps(before)
    assert not any(b"standin-" in content for content in target.files("topics").values())
    status = typed(target, "status")
    assert "complete (reported)" in status.stdout
    assert "stale" not in status.stdout
    built = target.build("--strict")
    assert (built.returncode, messages_api.calls) == (0, []), built.stderr
    run = words(target.run_pages("words"))
    assert "Answers of this run are reported." in run
    assert "tokens, cost and times are those of the other answers." in run
    assert "1,000 in, 100 out without those of reported answers" in run
    assert f"how: {DRAFT}" in run
    said = f"a model’s own ({WHOM}), as reported by {BY}; its mistakes are real."
    assert said in words(target.page("exercises/words"))
    assert not any(b"standin-" in content for content in target.files("site").values())


@pytest.mark.usefixtures("source")
def test_where_all_are_reported_no_other_answers_are_spoken_of(target: Project) -> None:
    assert imported(target, "--reported", "*", WHOM, "").returncode == 0
    assert "mid-model" not in (target.folder / "topics/runs/words/run.json").read_text()
    assert target.build("--strict", key=False).returncode == 0
    run = words(target.run_pages("words"))
    assert "All answers of this run are reported." in run
    assert "other answers" not in run
    assert "how:" not in run


def test_who_served_tells_and_what_people_did_since_stays(target: Project, source: Path) -> None:
    def change(told: dict[str, Any]) -> None:
        told["answers"][MID]["served"] = "standin-mid"  # the name that was asked stood for whoever served
        del told["answers"]["blind_solve-first.json"]["format"]
        told["answers"]["attempt-7/challenge.json"] = told["answers"]["attempt-1/challenge.json"]
        told["answers"]["categories.json"] |= {"origin": "authored", "edited": "2026-01-02"}
        told["note"] = "Made by hand."

    rewritten(change)(source)
    (source / "notes.txt").write_text("standin-author said so")
    done = imported(target)
    assert done.returncode == 0, done.stderr
    assert f"categories.json: authored ({WHOM}, as {BY} says)" in done.stdout
    assert "elsewhere/record/notes.txt: left out: it is no answer of this run" in done.stdout
    entries, after = manifest(target), written(target.folder / "topics/runs/words")
    assert [file for file, entry in entries.items() if entry["origin"] != "reported"] == ["categories.json"]
    assert "attempt-7/challenge.json" in {reply["file"] for reply in after["discarded"]}
    assert "format" not in entries["blind_solve-first.json"]
    assert after["note"] == "Made by hand."
    assert not any(b"standin-" in content for content in target.files("topics").values())
    assert "complete (reported, authored)" in typed(target, "status").stdout


def linked(record: Path, file: str) -> None:
    (record / file).rename(record.parent / "other")
    (record / file).symlink_to(record.parent / "other")


CORRUPT: dict[str, tuple[Callable[[Path], object], tuple[str, ...], str]] = {
    "no record": (shutil.rmtree, (), "elsewhere/record:1: expected a record's folder, with its run.json"),
    "no manifest": (lambda path: (path / "run.json").unlink(), (), "expected a record's folder, with its run.json"),
    "half a manifest": (lambda path: (path / "run.json").write_text('{"answers": '), (), "elsewhere/record/run.json:1"),
    "a newer manifest": (rewritten(lambda told: told.update(format=99)), (), "was written by a newer version"),
    "a bad answer": (
        lambda path: (path / "categories.json").write_text("{}"),
        (),
        "record/categories.json:1: beginner: is missing",
    ),
    "an edited answer": (
        lambda path: (path / WEAK).write_text(f"Mine. {answers.WEAK}"),
        (),
        f"elsewhere/record/{WEAK}:1: was changed since it was recorded",
    ),
    "no UTF-8": (lambda path: (path / WEAK).write_bytes(b"\xff"), (), f"elsewhere/record/{WEAK}:1: expected UTF-8"),
    "a linked answer": (lambda path: linked(path, WEAK), (), f"{WEAK}:1: cannot be read (it is reached by a link)"),
    "a linked manifest": (lambda path: linked(path, "run.json"), (), "run.json:1: cannot be read (it is reached by"),
    "a linked record": (lambda path: linked(path.parent, "record"), (), "cannot be read (it is reached by a link)"),
    "no beginning": (lambda path: (path / "categories.json").unlink(), (), "holds no answer that a run begins with"),
    "a telling note": (
        rewritten(lambda told: told.update(note="Asked as standin-judge.")),
        (),
        "elsewhere/record/run.json:1: note: expected none that names standin-judge",
    ),
    "nobody": (
        lambda _: None,
        ("--reported", "standon-*", WHOM, HOW),
        "got 'standon-*'; the record names mid-model, standin-author,",
    ),
    "nobody left": (
        lambda _: None,
        ("--reported", "standin-*", WHOM, HOW, "--reported", "standin-weak", WHOM, DRAFT),
        "expected one that a reply is left for (got 'standin-weak'",
    ),
    "no whom": (
        lambda _: None,
        ("--reported", "standin-*", " ", HOW),
        "--reported: WHOM: expected text that is not blank",
    ),
    "too long a how": (lambda _: None, ("--reported", "standin-*", WHOM, "x" * 301), "--reported: HOW: "),
}


@pytest.mark.parametrize("case", CORRUPT)
def test_what_cannot_be_imported_is_told_and_nothing_written(target: Project, source: Path, case: str) -> None:
    spoil, options, fault = CORRUPT[case]
    spoil(source)
    done = imported(target, *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert fault in done.stderr
    assert not (target.folder / "topics/runs").exists()


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("topics/runs/words/categories.json", "topics/runs/words:1: holds files already, and nothing is overwritten"),
        (".cache/errorspan/words/reply.json", "topics/runs/words:1: replies that have come wait for it"),
    ],
)
@pytest.mark.usefixtures("source")
def test_nothing_is_overwritten(target: Project, file: str, fault: str) -> None:
    target.write(file, "mine")
    done = imported(target)
    assert (done.returncode, done.stdout) == (1, "")
    assert fault in done.stderr
    assert (target.folder / file).read_text() == "mine"
    assert list(target.files("topics/runs")) in ([], ["words/categories.json"])


MORTAL = """
import os, signal, sys
from pathlib import Path
from errorspan.commands.cli import main
from errorspan.text import disk

when, done, put = int(sys.argv.pop(1)), 0, disk.put

def mortal(*arguments, **named):
    global done
    if done == when:
        os.kill(os.getpid(), signal.SIGKILL)
    done += 1
    put(*arguments, **named)

def renamed(path, new, replace=Path.replace):
    if done == 11 and path.is_dir():
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(path, new)

disk.put, Path.replace = mortal, renamed
main()
"""


@pytest.mark.heavy
@pytest.mark.parametrize("when", [0, 6, 11])
@pytest.mark.usefixtures("source")
def test_a_kill_leaves_nothing_half(target: Project, when: int) -> None:
    """It is killed before a file is written, the first or a later one, and before all of them get their name."""
    command = [sys.executable, "-c", MORTAL, str(when), "import", "elsewhere/record", "words", *REPORTED, "--by", BY]
    killed = subprocess.run(command, cwd=target.folder, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = target.files("topics/runs")
    assert (len(left), [name for name in left if disk.HALF not in name]) == (when, [])
    status = typed(target, "status")
    assert re.search(r"words +awaiting", status.stdout)
    assert status.stderr == ""
    assert imported(target).returncode == 0
    assert {name.partition("/")[0] for name in target.files("topics/runs")} == {"words"}
    assert len(manifest(target)) == 10
