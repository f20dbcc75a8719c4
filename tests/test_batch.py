"""`errorspan run --batch`: half the price, and nothing paid for twice, whatever is killed when."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

import answers
from conftest import Project
from errorspan import batching
from errorspan.commands.opening import course_of
from errorspan.models.client import Client
from errorspan.runs.progress import GOES_ON
from errorspan.runs.run import Run
from errorspan.steps.table import STEPS
from errorspan.text import disk
from errorspan.text.errors import AskError, InputError, Unreached
from messages_api import Body, MessagesAPI, Wire, error, message

CALLS = sum(len(step.passes) for step in STEPS)
LOST = Wire(lambda _: None)
"""A batch was made, and nobody heard of it."""
WAITING = 15
"""A moment at which the first batch of two topics is on its way."""


@pytest.fixture
def project(project: Project) -> Project:
    """Return a project that looks after its batches without a rest."""
    config = project.folder / "mkdocs.yml"
    config.write_text(f"{config.read_text()}    poll_seconds: 0.01\n")
    return project


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project with two topics that this process asks for."""
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    topics(project, "one", "two")
    return project


def topics(project: Project, *names: str) -> None:
    """Write topics; the first two steps ask something else for each."""
    for name in names:
        project.topic(name, f"title: Counting words of {name}\nlanguage: python\n")


def manifest(project: Project, topic: str) -> dict[str, Any]:
    return dict(json.loads((project.folder / f"topics/runs/{topic}/run.json").read_text()))


def sent(api: MessagesAPI) -> list[list[str]]:
    """Return the steps of each batch."""
    return [sorted(call["step"] for call in batch.calls) for batch in api.batches.values()]


def asked_twice(api: MessagesAPI) -> list[str]:
    """Return what was asked, and paid for, more than once."""
    bodies = Counter(json.dumps([call[key] for key in ("model", "system", "messages")]) for call in api.calls)
    return [body[:200] for body, times in bodies.items() if times > 1]


def left(project: Project) -> set[str]:
    """Return what is left of batches, and of replies that are in no record."""
    ours = re.compile(r"errorspan/[^/]+/[^/]+\.(batch|json)|errorspan-batches/.*")
    return {name for name in project.files(".cache") if ours.fullmatch(name)}


def asks(project: Project, most: int, say: Callable[[str], None] = lambda _: None) -> list[Run]:
    """Return the runs, asked in batches by this process."""
    course = course_of(project.folder / "mkdocs.yml")
    client = Client(course.settings, most)
    return batching.ask(course, list(course.topics.values()), client, listen=lambda _: None, say=say)


class KilledError(BaseException):
    """Stands for a kill: nothing is written after it."""


@contextmanager
def killed_at(moment: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let nothing reach the disk from the so-manyth moment on: before each write is one, and after it."""
    moments = 0
    writing = disk.writing

    def passes() -> None:
        nonlocal moments
        moments += 1
        if moments >= moment:
            raise KilledError

    @contextmanager
    def watched(path: Path, consequence: str = "") -> Iterator[None]:
        passes()
        with writing(path, consequence):
            yield
        passes()

    with monkeypatch.context() as patched:
        patched.setattr(disk, "writing", watched)
        yield


def hold_killed(project: Project, moment: int, monkeypatch: pytest.MonkeyPatch, most: int) -> bool:
    """Kill a run at a moment and start it again: each question was paid for once. Tell whether it was killed."""
    subprocess.run(["rm", "-rf", project.folder / ".cache", project.folder / "topics/runs"], check=True)
    project.api.batches.clear()
    project.api.calls.clear()
    killed = False
    with killed_at(moment, monkeypatch):
        try:
            asks(project, most)
        except KilledError:
            killed = True
    if killed:
        asks(project, most - len(project.api.calls))
    assert len(project.api.calls) == most
    assert asked_twice(project.api) == [], f"paid twice, killed at {moment}"
    assert not any(name.endswith(".batch") or "errorspan-batches" in name for name in left(project))
    return killed


# What is sent, and what it costs


def faulty(_: Body) -> Response:
    """Give a challenge without a language, which is sent back."""
    return message(json.dumps({key: value for key, value in answers.CHALLENGE.items() if key != "language"}))


def test_each_step_of_all_topics_is_a_batch_at_half_the_price(project: Project, messages_api: MessagesAPI) -> None:
    topics(project, "one", "two")
    messages_api.script("challenge", faulty)
    whole, half = (
        json.loads(project.errorspan("estimate", *way, "--json", key=False).stdout) for way in ((), ("--batch",))
    )
    for one, other in zip(whole, half, strict=True):
        assert (other["likely"], other["most"]) == pytest.approx((one["likely"] / 2, one["most"] / 2))
    done = project.errorspan("run", "--batch")
    assert done.returncode == 0, done.stderr
    assert "Batch msgbatch_01: 2 requests of 2 topics on the way, at half the price" in done.stderr
    assert "one: Categories: answered, 1,100 tokens in a batch from author-model" in done.stderr
    implementations = ["mid_implementation", "weak_implementation"]
    assert sent(messages_api) == [
        ["categories"] * 2,
        ["error_catalog"] * 2,
        ["challenge"] * 2,
        ["challenge", *implementations],  # what was sent back goes with what follows elsewhere
        ["judgment", "judgment", *implementations],
        ["assessment", "judgment", "judgment"],
        ["assessment"],
    ]
    calls = 2 * CALLS + 1
    entries = [entry for name in ("one", "two") for entry in manifest(project, name)["answers"].values()]
    replies = [*entries, *(rejected for entry in entries for rejected in entry["rejected"])]
    assert len(replies) == len(messages_api.calls) == calls
    assert all(reply["batch"] is True and "seconds" not in reply for reply in replies)
    assert left(project) == set()
    row = json.loads(project.errorspan("report", "--json", key=False).stdout)["all"]
    assert (row["calls"], row["in_batches"]) == (calls, calls)
    told = re.findall(r"so far (\d+) calls?, [\d,]+ tokens, \$([\d.]+)", done.stderr)[-1]
    assert told == (str(calls), f"{row['dollars']:.4f}")
    assert project.build("--strict", key=False).returncode == 0
    assert "in a batch, at half the price" in project.page("runs/one/categories")
    assert "Not known: models were asked in batches" in project.page("runs/one")
    for path in project.folder.glob("topics/runs/*/run.json"):
        path.write_text(path.read_text().replace('"batch": true', '"seconds": 1'))
    singly = json.loads(project.errorspan("report", "--json", key=False).stdout)["all"]
    assert singly["dollars"] == pytest.approx(2 * row["dollars"])


def test_it_mixes_with_answers_and_asks_other_servers_singly(project: Project, messages_api: MessagesAPI) -> None:
    topics(project, "one")
    assert project.errorspan("run", "--max-calls", "2").returncode == 1
    config = project.folder / "mkdocs.yml"
    own = f"mid: {{model: mid-model, base_url: '{messages_api.url}'}}"
    config.write_text(config.read_text().replace("mid: mid-model", own))
    done = project.errorspan("run", "--batch")
    assert done.returncode == 0, done.stderr
    assert sent(messages_api) == [["challenge"], ["weak_implementation"], ["judgment"] * 2, ["assessment"]]
    alone = [call["step"] for call in messages_api.calls if "batch" not in call]
    assert alone == ["categories", "error_catalog", "mid_implementation"]
    singly = {name for name, entry in manifest(project, "one")["answers"].items() if not entry.get("batch")}
    assert singly == {"categories.json", "error_catalog.json", "attempt-1/mid_implementation.md"}


@pytest.mark.heavy
def test_no_more_is_sent_than_max_calls_and_budgets_say(project: Project, messages_api: MessagesAPI) -> None:
    topics(project, "one", "two")
    done = project.errorspan("run", "--batch", "--max-calls", "3")
    assert done.returncode == 1
    assert "not asked, because --max-calls are made" in done.stderr
    assert len(messages_api.calls) == 3
    dry = project.errorspan("run", "--dry-run", "--max-cost", "999", key=False).stdout
    limit = str(float(re.findall(r"Worst case: \$([\d.]+)", dry)[0]) * 0.6)
    assert "could cost up to" in project.errorspan("run", "--max-cost", limit).stderr
    assert len(messages_api.calls) == 3
    assert project.errorspan("run", "--batch", "--max-cost", limit).returncode == 0
    assert len(messages_api.calls) == 2 * CALLS


# What does not come


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("scripted", "said"),
    [
        ("expired", "two: batch msgbatch_01 expired it; the same command asks again"),
        ("canceled", "two: batch msgbatch_01 canceled it; the same command asks again"),
        (error(400, "no such effort"), "two: the server answered invalid_request_error: no such effort"),
        (message("{}", stop_reason="refusal"), "two: categories (author-model): the model refused to answer"),
        (message("x", content=None), "two: the server's reply is no message of the API: it lacks content"),
    ],
)
def test_a_request_that_no_batch_answers_ends_its_topic_alone(here: Project, scripted: Any, said: str) -> None:
    here.api.script("categories", scripted)
    one, two = asks(here, 3)
    assert said in str(two.problem)
    assert str(one.problem) == "one: not asked, because --max-calls are made"
    assert left(here) == set()
    assert sum(len(run.answers) for run in asks(here, 1)) == 3


def test_a_passing_error_is_sent_again(here: Project) -> None:
    here.api.script("categories", error(529))
    asks(here, 4)
    assert sent(here.api) == [["categories"] * 2, ["categories", "error_catalog"]]


def test_results_that_are_not_kept_are_told_before_they_are_asked_for_again(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(WAITING, monkeypatch), pytest.raises(KilledError):
        asks(here, 2)
    here.api.end(batch := here.api.batches["msgbatch_01"])
    batch.archived = True
    for run in asks(here, 2):
        assert "batch msgbatch_01, whose results are not kept any more; the same command asks" in str(run.problem)
    assert left(here) == set()
    assert len(here.api.calls) == 2
    asks(here, 2)
    assert len(here.api.calls) == 4


@pytest.mark.parametrize(
    ("verb", "reply", "said"),
    [
        ("list", error(404), "the server has no batches; without --batch it is asked singly"),
        ("create", error(413, "too large"), "the server answered 413: too large"),
        ("create", error(400, "bad"), "the server answered 400: bad"),
    ],
)
def test_what_the_server_refuses_is_no_batch(here: Project, verb: str, reply: Response, said: str) -> None:
    here.api.script(verb, reply)
    with pytest.raises(AskError, match=re.escape(said)):
        asks(here, 2)
    assert left(here) == set()


@pytest.mark.parametrize(
    ("lost", "made"),
    [(LOST, 1), (error(500), 0), (error(503), 0), (Response("{}", content_type="application/json"), 0)],
)
def test_a_batch_that_nobody_heard_of_is_looked_for(here: Project, lost: Any, made: int) -> None:
    here.api.script("create", lost)
    with pytest.raises(Unreached, match="whether a batch was made, the same command finds out"):
        asks(here, 2)
    assert len(here.api.batches) == made
    asks(here, 2)
    assert sent(here.api)[0] == ["categories"] * 2
    assert asked_twice(here.api) == []
    assert left(here) == set()


def test_another_batch_of_the_same_size_is_not_taken_for_it(here: Project) -> None:
    here.api.script("create", LOST)
    with pytest.raises(Unreached):
        asks(here, 2)
    (ours,) = here.api.batches.values()
    strange = [{**one, "custom_id": f"a-{n}"} for n, one in enumerate(ours.requests)]
    here.api.batches["strange"] = type(ours)("strange", time.time(), strange, ours.calls)
    here.api.end(here.api.batches["strange"])
    assert [len(run.answers) for run in asks(here, 2)] == [2, 2]
    assert asked_twice(here.api) == []


def test_results_are_fetched_from_the_server_that_has_the_key(here: Project) -> None:
    here.api.holding = True

    def astray(_: Body) -> Response:
        (batch,) = here.api.batches.values()
        batch.status = "ended"
        return Response(json.dumps(batch.told("http://127.0.0.1:9")), content_type="application/json")

    here.api.script("retrieve", astray, astray)
    said = "the server sends on to http://127.0.0.1:9/v1/messages/batches/msgbatch_01/results, which is not followed"
    with pytest.raises(AskError, match=said):
        asks(here, 2)


def test_a_broken_record_keeps_no_other_topics_replies(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with killed_at(WAITING, monkeypatch), pytest.raises(KilledError):
        asks(here, 2)
    broken = here.write("topics/runs/two/run.json", "{")
    said: list[str] = []
    with pytest.raises(InputError, match=re.escape("two/run.json")):
        asks(here, 2, said.append)
    assert any("topics/runs/two/run.json:1" in line for line in said)
    assert (here.folder / "topics/runs/one/categories.json").exists()
    broken.unlink()
    assert [len(run.answers) for run in asks(here, 2)] == [2, 2]
    assert asked_twice(here.api) == []


def test_a_server_out_of_reach_is_looked_after_again(here: Project) -> None:
    said: list[str] = []
    here.api.script("list", error(500), error(500))
    here.api.script("retrieve", error(500), error(500), error(503), error(503))
    here.api.script("results", Response('{"custom_id": "x", "res', content_type="application/x-jsonl"))
    assert [len(run.answers) for run in asks(here, 2, said.append)] == [1, 1]
    assert sum("looked after again every 0.01 s" in line for line in said) == 3
    assert asked_twice(here.api) == []


# What waits, and what is killed


@contextmanager
def stopped_while_waiting(
    project: Project, api: MessagesAPI, how: signal.Signals = signal.SIGTERM
) -> Iterator[list[str]]:
    """Start a run in batches, and stop it once one is on the way; what it said is known after that."""
    api.holding = True
    process = project.start("errorspan.commands.cli", "run", "--batch")
    until = time.monotonic() + 60
    while not any(batch.polls for batch in api.batches.values()) and time.monotonic() < until:
        time.sleep(0.01)
    said: list[str] = []
    yield said
    process.send_signal(how)
    said.append(process.communicate(timeout=60)[0])
    assert process.returncode == 1
    api.holding = False


@pytest.mark.parametrize("how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.heavy)])
def test_who_stops_while_it_waits_is_told_how_it_goes_on(
    project: Project, messages_api: MessagesAPI, how: signal.Signals
) -> None:
    topics(project, "one")
    with stopped_while_waiting(project, messages_api, how) as said:
        singly = project.errorspan("run")  # another process pays nothing twice
        assert singly.returncode == 1
        assert "one: the answer is on its way in a batch; `errorspan run --batch` takes it" in singly.stderr
        assert "errorspan run one --batch" in project.errorspan("status").stdout
    assert GOES_ON in said[0]
    assert "Stopped. What was answered is kept" in said[0]
    assert len(messages_api.calls) == 1
    project.topic("one", "title: Something else\nlanguage: python\n")  # what was paid for is kept, and not used
    done = project.errorspan("run", "--batch", "--max-calls", "1")
    assert "On the way since" in done.stderr
    assert [call["step"] for call in messages_api.calls] == ["categories"] * 2
    (kept,) = left(project)
    assert json.loads((project.folder / ".cache" / kept).read_text())["batch"] is True
    topics(project, "one")
    done = project.errorspan("run", "--batch", "--refresh")
    assert done.returncode == 0, done.stderr
    assert asked_twice(messages_api) == []


@pytest.mark.heavy
def test_a_second_process_waits_for_the_first(project: Project, messages_api: MessagesAPI) -> None:
    topics(project, "one")
    with stopped_while_waiting(project, messages_api):
        second = project.start("errorspan.commands.cli", "run", "--batch")
        assert second.stdout
        assert any("Another process sends batches of this course" in line for line in second.stdout)
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert len(messages_api.calls) == CALLS
    assert asked_twice(messages_api) == []


@pytest.mark.parametrize("moment", [6, 9, 11, 12, 14, 20])
def test_a_kill_pays_nothing_twice(here: Project, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    assert hold_killed(here, moment, monkeypatch, 2)


@pytest.mark.heavy
def test_a_kill_at_any_write_pays_nothing_twice(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    here.api.script("categories", message("no JSON"))
    moments = 1
    while hold_killed(here, moments, monkeypatch, 5):
        moments += 1
        here.api.recover()
        here.api.script("categories", message("no JSON"))
    print(f"killed at {moments} moments")
    assert moments > 100
