"""Runs of five topics are killed at random moments: what was on disk is never asked again.

ERRORSPAN_KILLS says how often (6), ERRORSPAN_SEED from which seed; `pytest -s` tells what was hit.
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from click.testing import CliRunner
from werkzeug import Response

import answers
from conftest import Project
from errorspan.commands.cli import main
from errorspan.text.disk import HALF
from messages_api import Body, MessagesAPI, message

KILLS = int(os.environ.get("ERRORSPAN_KILLS", "6"))
SEED = int(os.environ.get("ERRORSPAN_SEED", str(secrets.randbelow(10**6))))
SHOPS = range(1, 6)
SENT_BACK, NOT_SEPARATED = 2, 5
"""The shop whose first challenge has a fault, and the one whose first attempt fails."""
MAX_CALLS = 4


def question(call: Body) -> str:
    """Name what a call asks: shop, attempt, step, order, repair. The same name twice is a question asked twice."""
    said = "\n".join(turn["content"] for turn in call["messages"])
    first = call["messages"][0]["content"]
    (shop,) = set(re.findall(r"shop (\d)", said))
    step = call["step"]
    attempt = max((int(number) for number in re.findall(r"in round (\d)", first)), default=0) + (step == "challenge")
    order = ""
    if step == "judgment":
        order = "ab" if first.index("totals.get(word, 0)") < first.index("totals[word] = 1") else "ba"
    return f"{shop}.{attempt}.{step}.{order}.{len(call['messages']) // 2}"


class Ledger(MessagesAPI):
    """Answer five shops, each answer under the name of its question; remember which replies went out whole."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered: dict[tuple[str, str], float] = {}
        self.random = random.Random(SEED)

    def reply(self, call: Body) -> Response:
        step, asked = call["step"], question(call)
        shop, attempt, _, _, repair = asked.split(".")
        key = call["headers"]["Authorization"].removeprefix("Bearer ")
        time.sleep(self.random.uniform(0, 0.06))
        given = self._answer(step, call)
        if step == "challenge":
            fields = answers.CHALLENGE | {"title": f"Report the words of shop {shop}, in round {attempt}"}
            if int(shop) == SENT_BACK and repair == "0":
                del fields["language"]
            given = json.dumps(fields)
        if step == "categories":
            given = json.dumps(
                answers.CATEGORIES | {"beginner": [f"{name}, shop {shop}" for name in answers.CATEGORIES["beginner"]]}
            )
        if step == "judgment" and int(shop) == NOT_SEPARATED and attempt == "1":
            given = json.dumps(json.loads(given) | {"differentiation_achieved": False, "quality_score": 3})
        reply = message(given, asked)
        reply.call_on_close(lambda: self.delivered.update({(key, asked): time.monotonic()}))
        return reply


@pytest.fixture
def messages_api(serve: Callable[[MessagesAPI], str]) -> MessagesAPI:
    """Serve the ledger."""
    api = Ledger()
    api.url = serve(api)
    return api


# What is on disk


def written(project: Project) -> set[str]:
    """Return the questions whose replies are on disk, in the record or in the journal."""
    found = set()
    for path in (project.folder / "topics/runs").glob("*/run.json"):
        entries = json.loads(path.read_text())["answers"]
        found |= {entry["served"] for file, entry in entries.items() if (path.parent / file).exists()}
    for path in (project.folder / ".cache/errorspan").rglob("*.json*"):
        if path.suffix != HALF:
            found.add(json.loads(path.read_text())["model"])
    return found


def hold_valid() -> None:
    """Hold that the record as it was left can be read, and that nobody's answer is taken for a person's."""
    status = CliRunner().invoke(main, ["status"])
    assert status.exit_code == 0, status.output
    assert not re.search("authored|stale|faults", status.output), status.output


def hold_finished(project: Project) -> None:
    """Hold that each answer is in its place, once, and nothing beside the answers."""
    for shop in SHOPS:
        files = project.files(f"topics/runs/words-{shop}")
        manifest = json.loads(files.pop("run.json"))
        assert files.keys() == manifest["answers"].keys()
        for file, entry in manifest["answers"].items():
            folder, _, name = file.rpartition("/")
            step, _, order = name.partition(".")[0].partition("-")
            repair = "1" if (shop, file) == (SENT_BACK, "attempt-1/challenge.json") else "0"
            attempt = folder.removeprefix("attempt-") or ("0" if step != "assessment" else "12"[shop == NOT_SEPARATED])
            assert entry["served"] == f"{shop}.{attempt}.{step}.{order}.{repair}"
            assert len(entry["rejected"]) == int(repair)
        assert ("attempt-2/challenge.json" in files) == (shop == NOT_SEPARATED)
        assert "discarded" not in manifest or manifest["discarded"] == []
    left = {name for name in project.files(".cache") if not name.endswith(".lock")}
    assert [name for name in left if "/rejected/" not in name] == []
    assert len(left) == 1


# When it is killed


def at_a_random_moment(process: subprocess.Popen[str], project: Project, chance: random.Random) -> str:
    """Wait for a moment in the life of a process: a time, a call, or a reply that reaches the disk."""
    kind = chance.choice(["starting", "asking", "asking", "writing", "writing"])
    calls, on_disk, wanted = len(project.api.calls), snapshot(project), chance.randint(1, 10)
    until = time.monotonic() + (chance.uniform(0, 1.5) if kind == "starting" else 60)
    while process.poll() is None and time.monotonic() < until:
        if kind == "asking" and len(project.api.calls) >= calls + wanted:
            time.sleep(chance.uniform(0, 0.08))
            break
        if kind == "writing" and (now := snapshot(project)) != on_disk:
            on_disk, wanted = now, wanted - 1
            if not wanted:
                time.sleep(chance.uniform(0, 0.003))
                break
        time.sleep(0.0005)
    return kind


def snapshot(project: Project) -> list[str]:
    """Return the names of all files that a run writes, those that are half written too."""
    return sorted(str(path) for folder in (".cache", "topics/runs") for path in (project.folder / folder).rglob("*"))


def lives(project: Project) -> Iterator[None]:
    """Begin a run of five topics anew, each time that the last one is finished."""
    while True:
        for folder in (".cache", "topics/runs"):
            subprocess.run(["rm", "-rf", str(project.folder / folder)], check=True)
        for shop in SHOPS:
            project.topic(f"words-{shop}", f"title: Counting words in shop {shop}\nlanguage: python\n")
        yield


@dataclass
class Life:
    """A process that was killed: what it is known by at the server, and what was on disk then."""

    key: str
    kind: str
    at: float
    written: set[str]
    asked: list[str] = field(default_factory=list)

    @property
    def lost(self) -> set[str]:
        """Return what it had asked, and not on disk when it was killed."""
        return set(self.asked) - self.written


def killed(project: Project, chance: random.Random, *how: str) -> Life:
    """Start a process and kill it; with a key of its own, so that its calls are told apart however late they come."""
    project.environment["ANTHROPIC_API_KEY"] = key = f"sk-test-{len(snapshot(project))}-{time.monotonic_ns()}"
    process = project.start("errorspan.commands.cli", "run", *how)
    kind = at_a_random_moment(process, project, chance)
    at = time.monotonic()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kind = kind if process.returncode == -signal.SIGKILL else "finished"
    hold_valid()
    return Life(key, kind, at, written(project))


def hold_nothing_is_asked_again(ended: Sequence[Life], calls: Sequence[Body]) -> None:
    """Hold each process's calls against what the ones before it left on disk."""
    by_key = defaultdict(list)
    for call in calls:
        by_key[call["headers"]["Authorization"].removeprefix("Bearer ")].append(question(call))
    for number, life in enumerate(ended):
        life.asked = by_key[life.key]
        assert len(life.asked) == len(set(life.asked)), "asked twice by one process"
        assert len(life.lost) <= MAX_CALLS, "more was lost than can be in flight"
        for before in ended[:number]:
            assert not before.written.intersection(life.asked), "asked again, though it was on disk"
            assert before.written <= life.written, "what was on disk is there no more"


@pytest.mark.timeout(120 + 20 * KILLS)
@pytest.mark.heavy
def test_nothing_that_was_written_is_asked_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    print(f"ERRORSPAN_SEED={SEED}")
    monkeypatch.chdir(project.folder)
    config = project.folder / "mkdocs.yml"
    config.write_text(f"{config.read_text()}    max_calls: {MAX_CALLS}\n    max_cost_usd: 1000\n")
    api, chance, found = project.api, random.Random(SEED), Counter[str]()
    assert isinstance(api, Ledger)
    kills = 0
    for _ in lives(project):
        first = len(api.calls)
        ended = [killed(project, chance) for _ in range(min(chance.randint(3, 12), KILLS - kills))]
        kills += len(ended)
        project.environment["ANTHROPIC_API_KEY"] = last = f"sk-test-last-{kills}"
        finished = project.errorspan("run")
        assert finished.returncode == 0, finished.stderr
        hold_finished(project)
        hold_nothing_is_asked_again([*ended, Life(last, "", time.monotonic(), written(project))], api.calls[first:])
        asked = Counter(question(call) for call in api.calls[first:])
        assert asked.keys() == written(project)
        assert (asked - Counter(set(asked))).keys() <= set().union(*(life.lost for life in ended))
        found.update(f"killed while {life.kind}" for life in ended)
        found.update(f"lost in flight: {name.split('.')[2]}" for life in ended for name in life.lost)
        found["lost in flight"] += sum(len(life.lost) for life in ended)
        found["of these, sent whole before the kill"] += sum(
            api.delivered.get((life.key, name), life.at) < life.at for life in ended for name in life.lost
        )
        found["on disk at the last kill, none asked again"] += len(ended[-1].written)
        found["runs of five topics"] += 1
        found["questions"] += len(asked)
        found["calls"] += asked.total()
        if kills == KILLS:
            break
    print(json.dumps(found, indent=2))


@pytest.mark.timeout(300 + 30 * KILLS)
@pytest.mark.heavy
def test_nothing_that_was_sent_in_a_batch_is_asked_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    print(f"ERRORSPAN_SEED={SEED}")
    monkeypatch.chdir(project.folder)
    config = project.folder / "mkdocs.yml"
    config.write_text(f"{config.read_text()}    poll_seconds: 0.05\n    max_cost_usd: 1000\n")
    api, chance = project.api, random.Random(SEED)
    next(lives(project))
    ended = [killed(project, chance, "--batch") for _ in range(KILLS)]
    finished = project.errorspan("run", "--batch")
    assert finished.returncode == 0, finished.stderr
    hold_finished(project)
    asked = Counter(question(call) for call in api.calls)
    assert asked.keys() == written(project)
    assert set(asked.values()) == {1}, "asked again, though it was paid for"
    print(json.dumps(Counter(life.kind for life in ended), indent=2))
