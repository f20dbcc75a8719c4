"""Runs survive anything: each fault through the public door, and docs/authors/faults.md has what it did.

`pytest tests/test_faults.py --update-golden` writes the page's tables anew.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import pytest
from click.testing import CliRunner
from filelock import FileLock
from rich.console import Console
from werkzeug import Response

import answers
from conftest import ROOT, Project
from errorspan.answers.outputs import Challenge
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.commands.board import Board
from errorspan.commands.cli import main
from errorspan.pipeline import Progress
from errorspan.record.manifest import Reply
from errorspan.runs.progress import KEPT, STOPPED, Tally
from errorspan.steps.table import STEPS, Pass
from messages_api import Scripted, Wire, error, message

PAGE = ROOT / "docs/authors/faults.md"
REFUSES, BREAKS, UNUSABLE, MACHINE = (
    "The API refuses",
    "The connection breaks",
    "The answer is unusable",
    "The machine fails",
)
PASSES = Counter(step.name for step in STEPS for _ in step.passes)
CALLS = PASSES.total()
AT_ONCE = {"retry-after-ms": "1"}
JSON = "application/json"


# What the server does


def wire(head: str, body: bytes = b"", **more: bool) -> Wire:
    """Send the head of a reply and some bytes, then close the connection."""
    return Wire(lambda connection: connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body), **more)


def _hangs(connection: socket.socket) -> None:
    while connection.recv(1):  # until the client hangs up
        pass


def _stalls(connection: socket.socket) -> None:
    connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-type: {JSON}\r\ncontent-length: 500\r\n\r\n".encode() + b'{"id"')
    _hangs(connection)


def _drips(connection: socket.socket) -> None:
    connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-type: {JSON}\r\ncontent-length: 90000\r\n\r\n".encode())
    with suppress(ConnectionError):
        while True:
            connection.sendall(b" ")
            time.sleep(0.05)


def challenge(**changes: object) -> Response:
    """Return a challenge with some fields set otherwise; None takes a field away."""
    fields = answers.CHALLENGE | changes
    return message(json.dumps({name: value for name, value in fields.items() if value is not None}))


def said(text: str, content_type: str = JSON, status: int = 200, **headers: str) -> Response:
    """Return a reply that holds anything."""
    return Response(text, status, headers, content_type=content_type)


HTML = "<!doctype html><title>Sign in</title><p>Please sign in to the network."
CUT = f"content-type: {JSON}\r\ncontent-length: 500"
CHUNKED = f"content-type: {JSON}\r\ntransfer-encoding: chunked"
IMPATIENT = "timeout_seconds: 3"


@dataclass(frozen=True)
class Fault:
    """What the server does at the challenge, `times` times; `once` is told in the name."""

    group: str
    name: str
    reply: Scripted
    times: int = 9
    settings: str = ""


def status(code: int, words: str, shown: str) -> Fault:
    """Return the fault of a status that stays."""
    return Fault(REFUSES, f"{code} {words}", error(code, shown, **AT_ONCE))


SERVED = (
    status(400, "bad request", "messages: roles must alternate"),
    status(401, "no such key", "invalid x-api-key"),
    status(403, "not allowed", "your organization may not use this model"),
    status(404, "no such model", "model: author-model"),
    status(408, "request timeout", "timed out"),
    status(409, "conflict", "conflict"),
    status(413, "too large", "request exceeds the maximum size"),
    status(429, "too many requests", "rate limit reached"),
    Fault(REFUSES, "429 once, without `Retry-After`", error(429), 1),
    Fault(REFUSES, "429 once, `Retry-After: 0.1`", error(429, **{"Retry-After": "0.1"}), 1),
    Fault(REFUSES, "429, `Retry-After: 86400`", error(429, **{"Retry-After": "86400"})),
    status(500, "server error", "internal error"),
    Fault(REFUSES, "500 once", error(500, **AT_ONCE), 1),
    Fault(REFUSES, "502 with a page of HTML", said("<h1>Bad gateway</h1>", "text/html", 502, **AT_ONCE)),
    status(503, "unavailable", "unavailable"),
    status(504, "gateway timeout", "timed out"),
    status(529, "overloaded", "Overloaded"),
    Fault(
        REFUSES,
        "400 with a message that holds the key, colours and line breaks",
        error(400, "\x1b[31mbad key\x1b[0m\r\nsk-test-canary\x07 \x1b]0;title\x07\u202eback"),
    ),
    Fault(REFUSES, "400 with a message of 5 MB", error(400, "x" * 5_000_000)),
    Fault(BREAKS, "reset within the reply", wire(CUT, b'{"id"', reset=True)),
    Fault(BREAKS, "reset within the reply, once", wire(CUT, b'{"id"', reset=True), 1),
    Fault(BREAKS, "the reply ends early", wire(CUT, b'{"id"')),
    Fault(BREAKS, "a chunked reply ends early", wire(CHUNKED, b'5\r\n{"id"\r\n')),
    Fault(BREAKS, "closed without a word", Wire(lambda _: None)),
    Fault(BREAKS, "what comes is no HTTP", Wire(lambda connection: connection.sendall(b"220 mail ready\r\n\r\n"))),
    Fault(BREAKS, "gzip that is none", wire(f"{CUT.replace('500', '5')}\r\ncontent-encoding: gzip", b'{"id"')),
    Fault(BREAKS, "silent (`timeout_seconds: 3`)", Wire(_hangs), settings=IMPATIENT),
    Fault(BREAKS, "stalls within the reply (`timeout_seconds: 3`)", Wire(_stalls), settings=IMPATIENT),
    Fault(BREAKS, "a byte now and then (`timeout_seconds: 3`)", Wire(_drips), settings=IMPATIENT),
    Fault(UNUSABLE, "a page of HTML", said(HTML, "text/html")),
    Fault(UNUSABLE, "broken JSON", said('{"type": "message", "content": [')),
    Fault(UNUSABLE, "JSON, nested too deep", said("[" * 200_000)),
    Fault(UNUSABLE, "JSON, but no message", said('{"ok": true}')),
    Fault(UNUSABLE, "empty content", message("", content=[])),
    Fault(UNUSABLE, "prose in place of JSON", message("I would rather talk about it.")),
    Fault(UNUSABLE, "wrong schema", challenge(requirements="all of them", language=None)),
    Fault(UNUSABLE, "wrong schema, once", challenge(requirements="all of them", language=None), 1),
    Fault(UNUSABLE, "extra keys", challenge(**{"note\x1b[2J": "by the way"})),
    Fault(UNUSABLE, "refusal", message("", stop_reason="refusal", stop_details={"category": "cyber"})),
    Fault(UNUSABLE, "cut at `max_tokens`", message('{"title": "Rep', stop_reason="max_tokens")),
    Fault(UNUSABLE, "a loop, cut at `max_tokens`", message("Again. " * 4000, stop_reason="max_tokens")),
    Fault(UNUSABLE, "the schema in place of an answer", message(json.dumps(Challenge.model_json_schema()))),
    Fault(UNUSABLE, "an answer that stops in the middle", message(json.dumps(answers.CHALLENGE)[:200])),
    Fault(UNUSABLE, "an answer that stops in the middle, once", message(json.dumps(answers.CHALLENGE)[:200]), 1),
    Fault(UNUSABLE, "context exceeded", message("", stop_reason="model_context_window_exceeded")),
    Fault(UNUSABLE, "a stop reason of tomorrow", message("", stop_reason="postponed\x1b[2J")),
    Fault(UNUSABLE, "no stop reason", message(json.dumps(answers.CHALLENGE), stop_reason=None)),
    Fault(UNUSABLE, "an answer of 5 MB", challenge(context="x " * 2_500_000)),
    Fault(UNUSABLE, "a NUL character, once", challenge(context="a\x00b"), 1),
    Fault(UNUSABLE, "a lone surrogate", challenge(context="half \ud83d of one")),
    Fault(UNUSABLE, "a model's name that is none", message(json.dumps(answers.CHALLENGE), "m\x1b[2J\n" * 9000)),
)


# What is measured


class Outcome(NamedTuple):
    """What a person sees of a command, and what it left."""

    says: str
    exit: int
    calls: int
    kept: int


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    said: str


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Ran]:
    """Return a function that runs `errorspan run` here: a process of its own would only add seconds."""
    monkeypatch.chdir(project.folder)
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    project.topic("words")

    def ran() -> Ran:
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)
        done = CliRunner().invoke(main, ["run"])
        assert isinstance(done.exception, SystemExit | None), done.exception
        return Ran(done.exit_code, done.stderr + done.stdout)

    return ran


def apart(project: Project, *within: str) -> Ran:
    """Run `errorspan run` in a process of its own."""
    done = project.run("errorspan.commands.cli", "run", within=within)
    return Ran(done.returncode, done.stderr + done.stdout)


def kept(project: Project) -> Counter[str]:
    """Return the steps of the answers that are on disk: in the record, or in the journal."""
    steps = {step.output.model_json_schema()["title"]: step.name for step in STEPS}
    del steps["Implementation"]
    found = Counter(re.sub(r"(attempt-\d/|-[ab]{2}|\.\w+$)", "", name) for name in project.files("topics/runs/words"))
    found.pop("run", None)
    for path in (project.folder / ".cache/errorspan/words").glob("*.json"):
        said = json.loads(path.read_text())["text"]
        given = {name: said for name, said in answers.GIVEN.items() if isinstance(said, dict)}
        found[next(name for name in given if json.loads(said).keys() == given[name].keys())] += 1
    return found


def outcome(project: Project, ran: Ran, before: int = 0) -> Outcome:
    """Measure, and hold what is true of every fault: no traceback, no key, no control character, an end in sight."""
    assert "Traceback" not in ran.said
    assert "sk-test" not in ran.said
    assert all(len(line) < 800 and line.isprintable() for line in ran.said.splitlines())
    lines = ran.said.splitlines()
    for closing in (KEPT, "Nothing else is missing.", "Left out until that is mended: words"):
        if ran.code and lines[-1] == closing:
            lines.pop()
    ends = [number for number, line in enumerate(lines) if re.match(r"words: (awaiting|unfinished|complete)", line)]
    shown = lines[ends[-1] + 1 :] or lines[ends[-1] :] if ends else lines[-1:]
    says = " ".join(shown).replace(f"{project.folder}/", "").removeprefix("words: ")
    says = re.sub(r"\w{32}\.(\d)\.\w{64}", r"….\1.…", says)
    says = re.sub(r"(127\.0\.0\.1):\d+", r"\1", says)
    says = re.sub(r"(\w)\1{9,}", lambda run: f"{run[1]} ({len(run[0])} times)", says)
    return Outcome(says, ran.code, len(project.api.calls) - before, kept(project).total())


def finishes(project: Project, run: Callable[[], Ran]) -> None:
    """Hold that the next run asks what is missing, and nothing else."""
    missing = PASSES - kept(project)
    before = len(project.api.calls)
    ran = run()
    assert ran.code == 0, ran.said
    assert Counter(project.api.steps[before:]) == missing
    assert kept(project) == PASSES
    status = project.files("topics/runs/words")
    assert not [name for name in status if "/." in f"/{name}"]


# What the page says


def block(group: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- generated: {group} -->\n).*?(?=<!-- /generated -->)", re.DOTALL)


def rows(group: str) -> dict[str, str]:
    """Return the rows of a table of the page, by their fault."""
    found = block(group).search(PAGE.read_text("utf-8"))
    assert found
    lines = [line for line in found[0].splitlines() if line.startswith("| ")][1:]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


def write(group: str, lines: Iterable[str]) -> None:
    """Write a table of the page anew."""
    table = "\n".join(["| fault | what it says | exit | calls | kept |", "|---|---|--:|--:|--:|", *lines])
    PAGE.write_text(block(group).sub(lambda _: f"\n{table}\n\n", PAGE.read_text("utf-8")), "utf-8")


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str, str, Outcome], None]:
    """Return a function that holds a row of the page against what was measured, or writes it."""

    def told(group: str, name: str, found: Outcome) -> None:
        says = found.says.replace("|", "\\|").replace("`", "'")
        row = f"| {name} | `{says}` | {found.exit} | {found.calls} | {found.kept} |"
        if request.config.getoption("--update-golden"):
            write(group, (rows(group) | {name: row}).values())
        assert rows(group).get(name) == row, f"pytest {Path(__file__).name} --update-golden writes docs/authors/ anew"

    return told


Tell = Callable[[str, str, Outcome], None]
NO_SERVER = "refused, from the first question on"
SET_BACK = "the clock is set back a day between two runs"
TOGETHER = "two commands at once, together"


# The API refuses, the connection breaks, the answer is unusable


@pytest.mark.heavy
@pytest.mark.parametrize("fault", SERVED, ids=lambda fault: fault.name)
def test_a_run_survives_a_server(fault: Fault, project: Project, run: Callable[[], Ran], tell: Tell) -> None:
    config = project.folder / "mkdocs.yml"
    patient = config.read_text()
    config.write_text(patient + (f"    {fault.settings}\n" if fault.settings else ""))
    project.api.script("challenge", *[fault.reply] * fault.times)
    found = outcome(project, run())
    assert found.exit == (found.kept < CALLS)
    project.api.recover()
    config.write_text(patient)
    if found.kept < CALLS:
        finishes(project, run)
    tell(fault.group, fault.name, found)


def test_a_run_survives_that_there_is_no_server(project: Project, run: Callable[[], Ran], tell: Tell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        project.environment["ANTHROPIC_BASE_URL"] = f"http://127.0.0.1:{closed.getsockname()[1]}"
    found = outcome(project, run())
    project.environment["ANTHROPIC_BASE_URL"] = project.api.url
    finishes(project, run)
    assert (found.exit, found.calls, found.kept) == (1, 0, 0)
    tell(BREAKS, NO_SERVER, found)


# The machine fails


def namespace(*commands: str) -> tuple[str, ...]:
    """Return what runs a command where it may mount things that nobody else sees."""
    return ("unshare", "-rm", "sh", "-ec", "; ".join([*commands, 'exec "$@"']), "sh")


def readonly(folder: str) -> tuple[str, ...]:
    folder = f'"$PWD"/{folder}'
    return namespace(
        f"mount --bind {folder} {folder}",
        f"mount -o remount,ro,bind {folder}",
        'cd "$PWD"',
        f"if touch {folder} 2>&-; then exit 9; fi",
    )


MOUNTS = (
    bool(shutil.which("unshare"))
    and not subprocess.run(
        [*namespace("mount -t tmpfs tmpfs /mnt"), "true"], check=False, capture_output=True
    ).returncode
)
FULL = "mount -t tmpfs -o size={size} tmpfs {folder}"


@dataclass(frozen=True)
class Broken:
    """What the machine does to a process."""

    name: str
    within: Sequence[str]
    reply: Scripted | None = None


MACHINES = (
    Broken("the disk is full", namespace(FULL.format(size="40k", folder=".cache"))),
    Broken(
        "the disk of `topics/` is full, when an answer is there",
        namespace(FULL.format(size="4k", folder="topics/runs")),
    ),
    Broken("`.cache/` is read-only", readonly(".cache")),
    Broken("`topics/` is read-only", readonly("topics")),
    Broken("no file may be large (`ulimit -f`)", ("prlimit", "--fsize=30000")),
    Broken(
        "an answer larger than its room, and no more", ("prlimit", "--fsize=100000"), challenge(context="so " * 40_000)
    ),
)


@pytest.mark.heavy
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_a_run_survives_a_machine(machine: Broken, project: Project, run: Callable[[], Ran], tell: Tell) -> None:
    if machine.within[0] == "unshare" and not MOUNTS:
        pytest.skip("nobody may mount anything here")
    for folder in (".cache", "topics/runs"):
        (project.folder / folder).mkdir()
    if machine.reply:
        project.api.script("challenge", machine.reply)
    found = outcome(project, apart(project, *machine.within))
    assert found.exit == 1
    finishes(project, run)
    tell(MACHINE, machine.name, found)


@pytest.mark.heavy
def test_a_full_disk_stops_every_topic(project: Project) -> None:
    """What cannot be kept is not asked for: at most the calls that were in flight are."""
    for number in range(6):
        project.topic(f"words-{number}")
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text() + "    max_cost_usd: 1000\n")
    project.api.script("challenge", *[challenge(context="so " * 40_000)] * 6)
    ran = apart(project, "prlimit", "--fsize=100000")
    assert ran.code == 1
    assert "a reply that was paid for is lost" in ran.said
    assert "Traceback" not in ran.said
    assert 1 <= project.api.steps.count("challenge") <= 4  # what was in flight at that moment
    assert project.api.steps.count("categories") == 4  # the others had not begun


@pytest.mark.heavy
def test_a_full_disk_fails_a_build(project: Project) -> None:
    project.topic("words")
    built = project.run("mkdocs", "build", within=("prlimit", "--fsize=30000"))
    assert built.returncode == 1
    assert "cannot be written (File too large)" in built.stderr
    assert "Traceback" not in built.stderr
    assert not project.api.calls


def test_a_build_goes_on_where_a_model_fails(project: Project) -> None:
    project.topic("words")
    project.api.script("challenge", *[error(400)] * 2)
    built = project.build()
    assert built.returncode == 0
    assert "topics/words.yml is unfinished (words: the server answered 400: scripted)" in built.stderr
    assert "Traceback" not in built.stderr
    assert project.run_pages("words")
    assert project.build("--strict").returncode == 1
    assert Counter(project.api.steps) == {"categories": 1, "error_catalog": 1, "challenge": 2}


@pytest.mark.heavy
@pytest.mark.skipif(not MOUNTS, reason="nobody may mount anything here")
def test_a_build_replays_where_nothing_can_be_written(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    site = tmp_path_factory.mktemp("site")
    built = project.run("mkdocs", "build", "--strict", "-d", str(site), within=readonly("."))
    assert built.returncode == 0, built.stderr
    assert (site / "exercises/words/index.html").exists()


# The record is not as it was


@pytest.fixture
def whole(project: Project, run: Callable[[], Ran]) -> Path:
    """Return the record of a finished run."""
    assert run().code == 0
    return project.folder / "topics/runs/words"


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Return what an editor does to a file of the record."""

    def edit(record: Path) -> None:
        text = (record / name).read_text("utf-8")
        assert old in text
        (record / name).write_text(text.replace(old, new), "utf-8")

    return edit


EDITS: dict[str, Callable[[Path], None]] = {
    "an answer edited by hand": replaced("categories.json", "Reading a file", "Reading one file"),
    "an answer edited by hand, so that it is no JSON": replaced("categories.json", '"beginner": [', '"beginner": '),
    "an answer edited by hand, with a key of its own": replaced("categories.json", "{", '{"note\\u001b[2J": "mine",'),
    "an answer deleted": lambda record: (record / "assessment.json").unlink(),
    "run.json edited by hand, so that it is no JSON": replaced("run.json", '"answers": {', '"answers": '),
    "run.json with the marks of a merge": replaced("run.json", '\n  "format"', '\n<<<<<<< HEAD\n  "format"'),
    "run.json of a newer version": replaced("run.json", '"format": 2', '"format": 3, "reviews": []'),
    "run.json deleted": lambda record: (record / "run.json").unlink(),
}


@pytest.mark.heavy
@pytest.mark.parametrize("name", EDITS)
def test_a_run_survives_an_editor(name: str, whole: Path, project: Project, run: Callable[[], Ran], tell: Tell) -> None:
    before = project.files("topics/runs/words")
    EDITS[name](whole)
    edited = project.files("topics/runs/words")
    found = outcome(project, run(), CALLS)
    assert {name: project.files("topics/runs/words")[name] for name in edited} == edited or found.calls
    for file, content in before.items():
        (whole / file).write_bytes(content)
    again = run()
    assert (again.code, again.said) == (0, "Nothing is missing.\n")
    tell(MACHINE, name, found)


def test_a_run_survives_a_clock_that_is_set_back(project: Project, run: Callable[[], Ran], tell: Tell) -> None:
    """What the first run left is a day ahead of the second one's clock: dates on disk, and those that were written."""
    project.api.script("challenge", challenge(language=None), error(400))
    assert run().code == 1
    ahead = time.time() + 86_400
    for folder in (".cache", "topics/runs"):
        for path in (path for path in (project.folder / folder).rglob("*.json")):
            path.write_text(
                re.sub(r"20\d\d-\d\d-\d\dT", f"{time.strftime('%Y-%m-%d', time.gmtime(ahead))}T", path.read_text())
            )
            os.utime(path, (ahead, ahead))
    found = outcome(project, run(), 4)
    assert (found.exit, found.calls, found.kept) == (0, 6, 8)
    (rejected,) = (project.folder / ".cache/errorspan/words/rejected").iterdir()
    assert "language" not in json.loads(rejected.read_text())["text"]  # the first reply, not the one that counts
    tell(MACHINE, SET_BACK, found)


@pytest.mark.heavy
def test_who_waits_for_another_command_can_be_stopped(project: Project) -> None:
    project.topic("words")
    (project.folder / ".cache/errorspan").mkdir(parents=True)
    with FileLock(project.folder / ".cache/errorspan/words.lock"):
        process = project.start("errorspan.commands.cli", "run")
        assert process.stdout
        assert process.stdout.readline().startswith("Asking models for words")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.endswith(f"{STOPPED}\n")
    assert "Traceback" not in output
    assert not project.api.calls


@pytest.mark.heavy
@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("command", ["status", "report", "--version", "status --help"])
def test_a_full_disk_behind_the_output_is_told(project: Project, command: str, *, buffered: bool) -> None:
    with Path("/dev/full").open("w") as full:
        done = piped(project, command, full, buffered=buffered)
    assert (done.returncode, done.stderr) == (1, "the output: cannot be written (No space left on device)\n")


@pytest.mark.heavy
@pytest.mark.parametrize("buffered", [True, False])
def test_who_reads_no_further_is_told_nothing(project: Project, *, buffered: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        done = piped(project, "status", nobody, buffered=buffered)
    assert (done.returncode, done.stderr) == (1, "")


def piped(project: Project, command: str, output: IO[str], *, buffered: bool) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "errorspan.commands.cli", *command.split()],
        cwd=project.folder,
        env=os.environ | {"PYTHONUNBUFFERED": "" if buffered else "1"},
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_two_commands_at_once_ask_each_question_once(project: Project, run: Callable[[], Ran], tell: Tell) -> None:
    project.api.latency = 0.1
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(apart, project) for _ in range(2)]
        ran = sorted((one.result() for one in both), key=lambda one: "Nothing is missing" in one.said)  # it came late
    found = outcome(project, ran[0])
    assert ran[0].code == ran[1].code == 0
    assert found.calls == CALLS
    assert run().said == "Nothing is missing.\n"
    tell(MACHINE, TOGETHER, found)


def test_the_page_has_these_rows_and_no_other(request: pytest.FixtureRequest) -> None:
    names = {group: [fault.name for fault in SERVED if fault.group == group] for group in (REFUSES, BREAKS, UNUSABLE)}
    names[BREAKS].insert(0, NO_SERVER)
    names[MACHINE] = [*(machine.name for machine in MACHINES), *EDITS, SET_BACK, TOGETHER]
    for group, wanted in names.items():
        if request.config.getoption("--update-golden"):
            found = rows(group)
            write(group, [found[name] for name in wanted if name in found])
        assert list(rows(group)) == wanted


def test_a_fault_is_no_markup_of_the_board() -> None:
    step = STEPS[0]
    settings = Settings()
    board = Board(["words"], Tally(settings, lambda _: None))
    reply = Reply(text="", model="m", stop_reason=None, usage=Usage(), asked_at="2026-01-02T03:04:05Z", seconds=1)
    board(Progress("words", Pass(step), "m"))
    board(Progress("words", Pass(step), "m", reply, ("[/bold] is no field",)))
    shown = io.StringIO()
    Console(file=shown, width=120).print(board.table())
    assert "[/bold] is no field" in shown.getvalue()
