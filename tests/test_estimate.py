"""`errorspan estimate` tells what is missing, likely and at the most; a limit of calls is held, and resumed from."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from conftest import Project
from errorspan.commands.cli import main
from errorspan.course import Course
from errorspan.runs import budget
from messages_api import MessagesAPI

CALLS = 8


def estimated(project: Project, *words: str) -> dict[tuple[str, str], dict[str, float]]:
    """Return what is told of each step of each topic."""
    config = str(project.folder / "mkdocs.yml")
    done = CliRunner().invoke(main, ["estimate", "--json", *words, "-f", config], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return {(one["topic"], one["step"]): one for one in json.loads(done.stdout)}


@pytest.mark.heavy
def test_what_is_recorded_does_not_count(recorded: Project) -> None:
    assert estimated(recorded) == {}
    recorded.topic("waiting", "title: Waiting\nmax_attempts: 2\n")
    told = estimated(recorded)
    assert {topic for topic, _ in told} == {"waiting"}
    assert [(one["likely_calls"], one["most_calls"]) for one in told.values()] == [
        (1, 3), (1, 3), (1, 6), (1, 6), (1, 6), (2, 12), (1, 3),
    ]  # fmt: skip
    assert all(0 < one["likely"] < one["most"] / 5 for one in told.values())
    assert all(0 < one["likely_tokens"] < one["most_tokens"] for one in told.values())
    settings = {"models": {"author": "author-model"}, "prices": {"author-model": {"input": 2, "output": 10}}}
    config = recorded.folder / "mkdocs.yml"
    course = Course.read(config, {"generator": settings})
    [run] = course.replay(["waiting"])
    most = budget.worst_price(budget.missing(run, course.settings)[0], run, course.settings)
    assert most is not None
    assert round(told["waiting", "Categories"]["most"], 6) == round(float(most), 6)
    (recorded.folder / "topics/runs/words/assessment.json").unlink()
    rest = estimated(recorded, "words")  # its attempt has separated the tiers: no other is made
    assert list(rest) == [("words", "Assessment")]
    assert rest["words", "Assessment"]["likely_tokens"] < 20_000
    table = CliRunner().invoke(main, ["estimate", "-f", str(config)]).stdout
    assert table.splitlines()[-3].split()[:2] == ["all", "9"]


def test_a_limit_of_calls_is_held_and_the_same_command_goes_on(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    for made in (3, 6):
        stopped = project.errorspan("run", "--max-calls", "3")
        assert stopped.returncode == 1
        assert "not asked, because --max-calls are made" in stopped.stderr
        assert "the same command goes on from there" in stopped.stderr
        assert len(messages_api.calls) == made
    done = project.errorspan("run", "--max-calls", "3")
    assert done.returncode == 0, done.stderr
    assert len(messages_api.calls) == CALLS


def test_a_dry_run_says_what_takes_its_place(recorded: Project) -> None:
    recorded.topic("waiting")
    done = CliRunner().invoke(main, ["run", "--dry-run", "-f", str(recorded.folder / "mkdocs.yml")])
    assert (done.exit_code, "Worst case" in done.stdout) == (0, True)
    assert done.stderr.startswith("warning: --dry-run goes with the next release; `errorspan estimate` tells more")


def test_shards_are_all_topics_and_each_of_them_once(project: Project) -> None:
    names = {f"topic-{number}" for number in range(12)}
    for name in names:
        project.topic(name)
    project.topic("unread", "titel: Broken\n")
    shards = [{topic for topic, _ in estimated(project, "--shard", f"{number}/3")} for number in (1, 2)]
    config = str(project.folder / "mkdocs.yml")
    last = CliRunner().invoke(main, ["estimate", "--json", "--shard", "3/3", "-f", config], catch_exceptions=False)
    assert (last.exit_code, "titel" in last.stderr) == (1, True)  # the broken one is that shard's alone
    shards.append({one["topic"] for one in json.loads(last.stdout.partition("\n]")[0] + "]")})
    assert all(shards)
    assert sum(map(len, shards)) == len(set.union(*shards)) == len(names)
    project.topic("topic-12")  # moves no other
    assert shards[0] <= {topic for topic, _ in estimated(project, "--shard", "1/3")} <= shards[0] | {"topic-12"}
    for wrong in ("0/3", "4/3", "3", "1/3/1"):
        refused = CliRunner().invoke(main, ["estimate", "--shard", wrong, "-f", config])
        assert "expected a shard, such as 3/8" in refused.stderr
