"""What runs show together: every number here was counted by hand from what the server was told to answer."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from werkzeug import Response

import answers
from conftest import Project
from messages_api import MessagesAPI, message
from test_run import CALLS

FIRST_EXTRA, SECOND_EXTRA = "def top(totals, n):", "totals = {}"


def judge(*, prefers: str = "mid", **said: Any) -> list[Any]:
    """Reply to both orders of an attempt: `prefers` a tier, or the label A whatever it shows."""

    def reply(body: dict[str, Any]) -> Response:
        prompt = body["messages"][0]["content"]
        mid_first = prompt.index("totals.get(word, 0)") < prompt.index("totals[word] = 1")
        mid = "A" if mid_first else "B"
        label = mid if prefers == "mid" else prefers
        return message(json.dumps(answers.judgment(label, prefers_weak=label != mid, **said)), body["model"])

    return [reply, reply]


def solve(first: dict[str, Any], second: dict[str, Any], *, mended: int = 0) -> list[Any]:
    """Reply to both solvers by their model; the first is sent back that many times."""

    def reply(body: dict[str, Any]) -> Response:
        if body["model"] == "second-model":
            return message(json.dumps(second), body["model"])
        said = json.dumps(first) if len(body["messages"]) > 2 * mended else '{"findings": 1}'
        return message(said, body["model"])

    return [reply] * (2 + mended)


def shown(project: Project, *words: str) -> dict[str, Any]:
    told = project.errorspan("report", "--json", *words, key=False)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def rates(report: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {key: (rate["count"], rate["of"]) for key, rate in report["rates"].items()}


@pytest.mark.heavy
def test_several_runs_add_up(project: Project, messages_api: MessagesAPI) -> None:
    api = messages_api

    # one: the second attempt separates; an assessment is sent back once. 14 calls.
    project.topic("one")
    api.script("judgment", *judge(achieved=False, score=3))
    api.script("assessment", message('{"title": "half"}', "author-model"))
    assert project.errorspan("run", "one").returncode == 0

    # two: the judge contradicts itself at first, the second separates; a weak answer has no code. 14 calls.
    project.topic("two")
    api.script("judgment", *judge(prefers="A"))
    api.script("weak_implementation", message("I would rather not.", "weak-model"))
    assert project.errorspan("run", "two").returncode == 0

    # three: one attempt, whose quotes stand nowhere. 7 calls.
    project.topic("three", "title: Counting words\nlanguage: python\nmax_attempts: 1\n")
    api.script("judgment", *judge(quotes=False))
    assert project.errorspan("run", "three").returncode == 0

    # four: written by a person. five: not run.
    project.topic("four")
    assert project.errorspan("run", "four").returncode == 0
    (project.folder / "topics/runs/four/run.json").unlink()
    assert project.errorspan("adopt", "four").returncode == 0
    project.topic("five")

    # One is solved by a model that is sent back once, two by models that agree against its key. 3 + 2 calls.
    one, two, three = answers.ERRORS
    api.script("blind_solve", *solve(answers.solution(one, two, three), answers.solution(one, FIRST_EXTRA), mended=1))
    assert project.errorspan("solve", "one").returncode == 0
    extras = answers.solution(FIRST_EXTRA, SECOND_EXTRA)
    api.script("blind_solve", *solve(extras, answers.solution(one, FIRST_EXTRA)))
    assert "needs review" in project.errorspan("solve", "two").stderr

    report = shown(project)
    assert report["runs"] == {"model": 3, "reported": 0, "authored": 1, "unfinished": 1}
    assert rates(report) == {
        "attempt_1": (0, 3),
        "attempt_2": (2, 2),
        "consistent": (4, 5),
        "supported": (24, 30),  # 3 by each of 10 judgments; none stands in three
        "sent_back": (3, 40),
        "keys_tried": (0, 2),
        "errors_proved": (0, 0),
        "solved": (2, 2),
        "needs_review": (1, 2),
        "solve_recall": (3 + 1 + 0 + 1, 12),
        "solve_precision": (3 + 1 + 0 + 1, 3 + 2 + 2 + 2),
    }
    assert report["rates"]["attempt_2"]["rate"] == 1
    assert report["rates"]["consistent"]["rate"] == 0.8

    calls = {name: (row["calls"], row["sent_back"]["count"]) for name, row in report["steps"].items()}
    assert list(calls.items()) == list(
        {
            "Categories": (3, 0),
            "Error catalog": (3, 0),
            "Challenge": (5, 0),
            "Mid implementation": (5, 0),
            "Weak implementation": (6, 1),
            "Judgment": (10, 0),
            "Assessment": (3, 1),
            "Blind solve": (5, 1),
        }.items()
    )
    dollars = {name: row["dollars"] for name, row in report["tiers"].items()}
    assert dollars == pytest.approx(
        {
            "author": 14 * 0.003,
            "mid": 5 * 0.00015,
            "weak": 6 * 0.0015,
            "judge": 10 * 0.006,
            "first solver": 3 * 0.003,
            "second solver": 2 * 0.00015,
        }
    )
    assert report["all"]["dollars"] == pytest.approx(0.12105)
    assert (report["all"]["tokens_in"], report["all"]["tokens_out"]) == (40_000, 4_000)

    # The same in words, and on the page of all runs.
    told = project.errorspan("report", key=False)
    assert told.returncode == 0, told.stderr
    assert "3 model runs; apart: 1 authored, 1 not finished" in told.stdout
    said = re.sub(" +", " ", told.stdout)
    assert project.build(key=False).returncode == 0
    page = re.sub(r"<[^>]+>", " ", project.page("runs"))
    page = re.sub(r"\s+", " ", page.partition("Of all model runs")[2].partition("Time by step")[0])
    for words in (
        "Tiers separated in attempt 1 0 % (0 of 3)",
        "Tiers separated in attempt 2 100 % (2 of 2)",
        "Judge prefers the same solution in both orders 80 % (4 of 5)",
        "Failures that the judge shows by a quote that stands 80 % (24 of 30)",
        "Replies that did not count 8 % (3 of 40)",
        "need a review 50 % (1 of 2)",
        "Errors that blind solvers found 42 % (5 of 12)",
        "Reports of blind solvers that are in the key 56 % (5 of 9)",
        "Weak implementation 6 17 % (1 of 6) 6,000 600 $0.0090",
        "first solver 3 33 % (1 of 3) 3,000 300 $0.0090",
        "All 40 8 % (3 of 40) 40,000 4,000 $0.1210",
    ):
        assert words in said, words
        assert words in page, words

    # A part of the topics.
    assert rates(shown(project, "three")) == {
        "attempt_1": (0, 1),
        "consistent": (1, 1),
        "supported": (0, 6),
        "sent_back": (0, 7),
        "keys_tried": (0, 0),
        "errors_proved": (0, 0),
        "solved": (0, 0),
        "needs_review": (0, 0),
        "solve_recall": (0, 0),
        "solve_precision": (0, 0),
    }


def test_nothing_has_no_rate(project: Project) -> None:
    project.topic("words")
    told = project.errorspan("report", key=False)
    assert told.returncode == 0
    assert "0 model runs; apart: 0 authored, 1 not finished" in told.stdout
    assert "%" not in told.stdout
    assert told.stdout.count("– (0 of 0)") == 10
    report = shown(project)
    assert {rate["rate"] for rate in report["rates"].values()} == {None}
    assert report["all"]["dollars"] == 0
    assert project.errorspan("report", "nowhere").returncode == 1


def test_what_was_superseded_was_paid_for_and_was_not_sent_back(project: Project) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    assert project.errorspan("solve").returncode == 0
    project.topic("words", "title: Counting words\nlanguage: python\nmodels: {second_solver: judge-model}\n")
    assert rates(shown(project))["solve_recall"] == (3, 3)  # the second is stale
    assert project.errorspan("solve").returncode == 0
    report = shown(project)
    assert rates(report)["solve_recall"] == (6, 6)
    assert rates(report)["sent_back"] == (0, CALLS + 3)
    assert report["steps"]["Blind solve"]["calls"] == 3
    assert report["tiers"]["second solver"]["dollars"] == pytest.approx(0.00015 + 0.006)


def test_solvers_that_are_persons_are_not_counted(project: Project) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    assert project.errorspan("solve").returncode == 0
    project.write("topics/runs/words/blind_solve-first.json", json.dumps(answers.solution()))
    found = rates(shown(project))
    assert found["solve_recall"] == (3, 3)
    assert found["solved"] == (0, 1)


def test_a_model_without_a_price_has_calls_and_no_cost(project: Project) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    config = project.folder / "mkdocs.yml"
    config.write_text(re.sub(r"      weak-model: \{.*\n", "", config.read_text()))
    report = shown(project)
    assert report["tiers"]["weak"]["calls"] == 1
    assert report["tiers"]["weak"]["dollars"] is None
    assert report["all"]["dollars"] is None
    assert "price not known" in project.errorspan("report").stdout
