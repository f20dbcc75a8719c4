"""Blind solving: two models solve the exercise without its key, and what they find is held against it."""

from __future__ import annotations

import json
import re
import signal
import time
from typing import Any

import pytest

import answers
from conftest import Project
from messages_api import MessagesAPI, message
from test_run import CALLS, manifest

FIRST, SECOND = "blind_solve-first.json", "blind_solve-second.json"
GREETING = "def top(totals, n):"
MEAN = "def mean(values):"


def said(*quotes: str) -> Any:
    """Return the reply of a solver that reports these stretches."""
    return message(json.dumps(answers.solution(*quotes)))


def by_model(**replies: dict[str, Any]) -> list[Any]:
    """Reply to both solvers by their model's name, whichever asks first."""
    return [lambda body: message(json.dumps(replies[body["model"].partition("-")[0]]), body["model"])] * 2


def solver_calls(api: MessagesAPI) -> list[dict[str, Any]]:
    return [call for call in api.calls if call["step"] == "blind_solve"]


@pytest.fixture
def made(recorded: Project) -> Project:
    """Return a project with one finished run."""
    return recorded


def section(page: str) -> str:
    """Return what a run's page says of blind solving."""
    return page.partition('id="blind-solve"')[2].partition("</article>")[0]


def test_two_models_solve_the_exercise_and_the_page_tells_what_they_found(
    made: Project, messages_api: MessagesAPI
) -> None:
    messages_api.script("blind_solve", *by_model(first=answers.solution(*answers.ERRORS), second=answers.solution(answers.ERRORS[0], GREETING)))  # fmt: skip  # noqa: E501
    solved = made.errorspan("solve")
    assert solved.returncode == 0, solved.stderr
    assert "Asking models for words: at most $" in solved.stderr
    assert "words: first solver found 100 % (3 of 3), right in 100 % (3 of 3)" in solved.stderr
    assert "words: second solver found 33 % (1 of 3), right in 50 % (1 of 2)" in solved.stderr
    assert "needs review" not in solved.stderr
    assert sorted(call["model"] for call in solver_calls(messages_api)) == ["first-model", "second-model"]
    entries = manifest(made)
    assert [(entries[file]["model"], entries[file]["origin"]) for file in (FIRST, SECOND)] == [
        ("first-model", "model"),
        ("second-model", "model"),
    ]
    assert made.build("--strict", key=False).returncode == 0
    page = made.run_pages("words")
    told = section(page)
    for words in ("first-model", "second-model", "first solver", "$0.0030", "$0.0002", "33 % (1 of 3)", "50 % (1 of 2)", FIRST):  # fmt: skip  # noqa: E501
        assert words in told, words
    assert told.count("<td>found</td>") == 4
    assert told.count("<td>missed</td>") == 2
    assert "What the second solver reports beside the key" in told
    assert GREETING in told
    assert "Line 8" in told
    assert "Needs review" not in told
    assert "Not solved blind yet" not in told
    assert f"{(CALLS + 2) * 1100:,}" in made.errorspan("status").stdout
    assert page.count(FIRST) >= 2  # in the section, and among the record's files
    assert made.errorspan("solve").stdout == "Nothing is missing.\n"
    assert len(messages_api.calls) == 2


def test_a_build_never_asks_a_solver(made: Project, messages_api: MessagesAPI) -> None:
    assert made.build("--strict").returncode == 0
    assert made.errorspan("run").stdout == "Nothing is missing.\n"
    assert not solver_calls(messages_api)
    assert "Not solved blind yet" in section(made.run_pages("words"))
    assert (made.folder / "site/exercises/words").exists()


@pytest.mark.heavy
def test_a_solver_sees_what_a_student_sees_and_nothing_of_the_key(project: Project, messages_api: MessagesAPI) -> None:
    """The same program with two keys, of three errors and of two: the requests are the same to the byte."""
    project.topic("three", "title: Secret topic\nconcepts: [secret concept]\nbrief: A secret brief.\n")
    project.topic("two", "title: Another topic\n")
    three = json.loads(json.dumps(answers.ASSESSMENT))
    for error in three["errors"]:
        for key in ("description", "hint", "concept", "learning_value"):
            error[key] = f"Secret {key}"
        error["correction"] = f"{error['correction']}  # secret correction"
    two = json.loads(json.dumps(answers.ASSESSMENT))
    two["errors"] = two["errors"][:2]
    two |= {"learning_objective": "Another objective.", "estimated_minutes": [1, 2]}
    for topic, key in (("three", three), ("two", two)):
        messages_api.script("assessment", message(json.dumps(key)))
        done = project.errorspan("run", topic)
        assert done.returncode == 0, done.stderr
    assert project.errorspan("solve").returncode == 0
    asked = [{name: part for name, part in call.items() if name != "headers"} for call in solver_calls(messages_api)]
    assert len(asked) == 4
    bodies = {json.dumps(body, sort_keys=True) for body in asked}
    assert len(bodies) == 2  # one for each model
    for body in bodies:
        assert "secret" not in body.casefold()
        assert json.dumps(answers.CODE)[1:-1] in body
        assert answers.ASSESSMENT["scenario"] in body
        assert "false alarm" in body


def test_an_error_that_nobody_finds_needs_a_review(made: Project, messages_api: MessagesAPI) -> None:
    messages_api.script("blind_solve", said(answers.ERRORS[0]), said(answers.ERRORS[2]))
    solved = made.errorspan("solve")
    assert solved.returncode == 0
    assert "words: needs review: no solver found error 2 (line 9)" in solved.stderr
    assert made.build("--strict").returncode == 0
    told = section(made.run_pages("words"))
    assert "Needs review" in told
    assert "no solver found error 2 (line 9)" in told
    assert "Needs review: no solver found error 2 (line 9)." in made.run_pages("words")
    assert "it needs a review" in made.page("runs")
    for listed in (made.page("runs"), made.page("exercises")):
        assert "no solver found" not in listed
        assert "line 9" not in listed


@pytest.mark.heavy
@pytest.mark.sandbox
def test_an_error_that_nobody_finds_needs_none_where_execution_has_proved_it(
    made: Project, messages_api: MessagesAPI
) -> None:
    messages_api.script("blind_solve", said(answers.ERRORS[0]), said(answers.ERRORS[2]))
    assert made.errorspan("solve").returncode == 0
    made.write(
        "topics/words.tests.py", 'def test_top(exercise):\n    assert exercise.top({"a": 1, "b": 2}, 1) == ["b"]\n'
    )
    assert "1 of 3 errors proved" in made.errorspan("verify", key=False).stdout
    known = json.loads((made.folder / "topics/runs/words/proof.json").read_text("utf-8"))
    known["variants"]["error-1"]["unplayed"] = known["variants"]["error-3"]["unplayed"] = ["test_top"]
    made.write("topics/runs/words/proof.json", json.dumps(known))  # nothing is said of the other two
    assert made.build(key=False).returncode == 0
    assert "execution has proved it" in section(made.run_pages("words"))
    assert "Needs review" not in made.run_pages("words")
    assert "it needs a review" not in made.page("exercises")


def test_an_extra_that_both_report_needs_a_review(made: Project, messages_api: MessagesAPI) -> None:
    messages_api.script(
        "blind_solve", said(*answers.ERRORS, GREETING, "totals = {}"), said(*answers.ERRORS, "def top(totals")
    )
    solved = made.errorspan("solve")
    assert "words: needs review: both solvers report a mistake on line 8, where the key has none" in solved.stderr
    assert solved.stderr.count("needs review") == 1


def test_a_stretch_that_reaches_into_an_error_finds_it(made: Project, messages_api: MessagesAPI) -> None:
    reaching = said(f"{MEAN}\n    return", answers.ERRORS[0], answers.ERRORS[1])
    messages_api.script("blind_solve", reaching, reaching)
    solved = made.errorspan("solve")
    assert solved.stderr.count("found 100 % (3 of 3), right in 100 % (3 of 3)") == 2
    assert "needs review" not in solved.stderr


def test_no_finding_is_an_answer_too(made: Project, messages_api: MessagesAPI) -> None:
    messages_api.script("blind_solve", said(), said())
    solved = made.errorspan("solve")
    assert solved.returncode == 0
    assert solved.stderr.count("found 0 % (0 of 3), right in – (0 of 0)") == 2
    assert solved.stderr.count("needs review: no solver found error") == 3


def test_a_quote_that_stands_nowhere_or_is_half_the_program_goes_back(made: Project, messages_api: MessagesAPI) -> None:
    invented = answers.solution(answers.ERRORS[0])
    invented["findings"][0]["quote"] = "totals.clear()"
    long = answers.solution(answers.CODE[: answers.CODE.index(MEAN)])
    messages_api.script("blind_solve", message(json.dumps(invented)), message(json.dumps(long)))
    assert made.errorspan("solve").returncode == 0
    repaired = [call["messages"][2]["content"] for call in solver_calls(messages_api) if len(call["messages"]) > 1]
    assert len(repaired) == 2
    assert any("findings.1.quote: stands 0 times in the code" in told for told in repaired)
    assert any("lines; quote only what is wrong, 5 lines at most" in told for told in repaired)
    assert all("key" not in told and "error" not in told for told in repaired)


def test_a_dry_run_and_a_limit_ask_nothing(made: Project, messages_api: MessagesAPI) -> None:
    dry = made.errorspan("solve", "words", "--dry-run", key=False)
    assert dry.returncode == 0
    for words in ("Blind solve", "first solver", "first-model", "second-model", "Worst case: $"):
        assert words in dry.stdout
    refused = made.errorspan("solve", "--max-cost", "0.01")
    assert refused.returncode == 1
    assert "1 topic could cost up to $" in refused.stderr
    keyless = made.errorspan("solve", key=False)
    assert keyless.returncode == 1
    assert "No key" in keyless.stderr
    assert not solver_calls(messages_api)


def test_a_solver_without_a_price_is_not_asked(made: Project, messages_api: MessagesAPI) -> None:
    made.topic("words", "title: Counting words\nlanguage: python\nmodels: {second_solver: nobodys-model}\n")
    assert made.errorspan("run").stdout == "Nothing is missing.\n"
    refused = made.errorspan("solve")
    assert refused.returncode == 1
    assert "no price is known for nobodys-model" in refused.stderr
    assert not solver_calls(messages_api)


def test_a_topic_without_an_exercise_is_told(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    failed = project.errorspan("solve", "words")
    assert failed.returncode == 1
    assert failed.stderr == "words: there is no exercise to solve yet\n"
    assert project.errorspan("solve").stdout == "Nothing is missing.\n"
    assert not messages_api.calls


@pytest.mark.heavy
def test_what_one_solver_said_is_kept_when_the_other_one_fails(made: Project, messages_api: MessagesAPI) -> None:
    def refusing(body: Any) -> Any:
        refused = body["model"] == "second-model"
        return message("", stop_reason="refusal") if refused else said(*answers.ERRORS)

    messages_api.script("blind_solve", refusing, refusing)
    failed = made.errorspan("solve")
    assert failed.returncode == 1
    assert "words: blind solve (second-model): the model refused to answer" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert FIRST in manifest(made)
    built = made.build("--strict", key=False)
    assert built.returncode == 0, built.stderr
    told = section(made.run_pages("words"))
    assert "Only one answer counts" in told
    assert "Needs review" not in told
    assert made.errorspan("solve").returncode == 0
    assert [call["model"] for call in solver_calls(messages_api)].count("first-model") == 1


@pytest.mark.heavy
def test_a_killed_solve_goes_on_where_it_was(made: Project, messages_api: MessagesAPI) -> None:
    messages_api.latency = 0.2
    messages_api.script("blind_solve", message('{"findings": "none"}'))  # one of them is sent back
    for wanted in (2, 3):
        process = made.start("errorspan.commands.cli", "solve")
        try:
            deadline = time.monotonic() + 60
            while len(solver_calls(messages_api)) < wanted and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    finished = made.errorspan("solve")
    assert finished.returncode == 0, finished.stderr
    assert {FIRST, SECOND} <= set(manifest(made))
    assert len(solver_calls(messages_api)) <= 3 + 2 * 2  # each kill may lose the calls that were in flight
    assert made.build("--strict", key=False).returncode == 0
    assert "found</td>" in section(made.run_pages("words"))


def test_a_reply_that_a_killed_solve_received_is_not_paid_for_twice(made: Project, messages_api: MessagesAPI) -> None:
    assert made.errorspan("solve").returncode == 0
    before = made.files("topics/runs")
    entry = manifest(made)[SECOND]
    reply = {
        "text": json.dumps(answers.GIVEN["blind_solve"]),
        "model": entry["model"],
        "stop_reason": "end_turn",
        "usage": entry["usage"],
        "asked_at": entry["at"],
        "seconds": entry["seconds"],
    }
    made.write(f".cache/errorspan/words/{entry['key'][:32]}.0.{entry['key']}.json", json.dumps(reply))
    (made.folder / "topics/runs/words" / SECOND).unlink()
    assert made.build("--strict", key=False).returncode == 0
    assert made.files("topics/runs") == before
    assert len(solver_calls(messages_api)) == 2


def change_code(project: Project) -> None:
    """Change the exercise in the weak implementation and the assessment alike, as a person would."""
    folder = project.folder / "topics/runs/words"
    for path in (folder / "attempt-1/weak_implementation.md", folder / "assessment.json"):
        path.write_text(path.read_text().replace("for word in words", "for word  in words"))


@pytest.mark.heavy
def test_a_solve_of_an_exercise_that_changed_is_stale_and_does_not_count(
    made: Project, messages_api: MessagesAPI
) -> None:
    assert made.errorspan("solve").returncode == 0
    assessment = made.folder / "topics/runs/words/assessment.json"
    assessment.write_text(assessment.read_text().replace("What comes out for two", "What comes out of two"))
    assert made.build("--strict", key=False).returncode == 0
    assert "does not count" not in section(made.run_pages("words"))  # a hint is nothing that a solver saw
    change_code(made)
    assert made.build("--strict", key=False).returncode == 0
    told = section(made.run_pages("words"))
    assert told.count("does not count: the exercise, the prompt or the model changed") == 2
    assert "stale" in told
    assert "found</td>" not in told
    assert len(solver_calls(messages_api)) == 2
    assert made.errorspan("solve").returncode == 0
    assert len(solver_calls(messages_api)) == 4
    assert made.build("--strict", key=False).returncode == 0
    assert "does not count" not in section(made.run_pages("words"))
    assert (made.folder / "topics/runs/words/run.json").read_text().count("superseded by a later answer") == 2


@pytest.mark.heavy
def test_a_solve_before_a_review_changed_the_text_is_stale(made: Project, messages_api: MessagesAPI) -> None:
    assert made.errorspan("solve").returncode == 0
    assert made.errorspan("review", "words", "--by", "Ada Example").returncode == 0
    path = made.folder / "topics/words.review.yml"
    path.write_text(f"{path.read_text()}scenario: You review the report of last year.\n")
    assert made.build("--strict", key=False).returncode == 0
    assert section(made.run_pages("words")).count("does not count") == 2
    assert made.errorspan("solve").returncode == 0
    assert "You review the report of last year." in solver_calls(messages_api)[-1]["messages"][0]["content"]
    assert made.build("--strict", key=False).returncode == 0
    assert "does not count" not in section(made.run_pages("words"))


@pytest.mark.heavy
def test_what_solvers_doubt_is_withheld_until_a_person_approves_it(made: Project, messages_api: MessagesAPI) -> None:
    messages_api.script("blind_solve", said(answers.ERRORS[0]), said(answers.ERRORS[2]))
    assert made.errorspan("solve").returncode == 0
    made.build(key=False)
    assert not (made.folder / "site/exercises/words").exists()
    assert made.errorspan("review", "words", "--by", "Ada Example").returncode == 0
    made.build(key=False)
    assert (made.folder / "site/exercises/words").exists()
    path = made.folder / "topics/words.review.yml"
    path.write_text(re.sub(r"date: .*", "date: 2001-01-01", path.read_text()))  # before it was solved
    made.build(key=False)
    assert not (made.folder / "site/exercises/words").exists()


def test_solvers_are_asked_beside_stale_steps_that_stay_as_they_are(made: Project, messages_api: MessagesAPI) -> None:
    made.topic("words", "title: Counting other words\nlanguage: python\n")
    assert "stale" in made.errorspan("status").stdout
    before = made.files("topics/runs/words")
    assert made.errorspan("solve").returncode == 0
    assert messages_api.steps == ["blind_solve"] * 2
    after = made.files("topics/runs/words")
    assert {name for name in after if after[name] != before.get(name)} == {FIRST, SECOND, "run.json"}


@pytest.mark.heavy
def test_a_person_may_solve_too_and_is_bound_to_the_code(made: Project, messages_api: MessagesAPI) -> None:
    for file in (FIRST, SECOND):
        made.write(f"topics/runs/words/{file}", json.dumps(answers.solution(*answers.ERRORS)))
    adopted = made.errorspan("adopt", "words")
    assert adopted.returncode == 0, adopted.stderr
    assert f"topics/runs/words/{FIRST}: authored" in adopted.stdout
    assert manifest(made)[FIRST]["origin"] == "authored"
    assert made.build("--strict", key=False).returncode == 0
    page = made.run_pages("words")
    assert section(page).count("authored: written by a person") == 2
    assert "Complete run" in page  # the seven steps are the models' own
    assert made.errorspan("solve").stdout == "Nothing is missing.\n"
    made.write(f"topics/runs/words/{FIRST}", json.dumps(answers.solution(GREETING)).replace(GREETING, "def nowhere"))
    fault = f"topics/runs/words/{FIRST}:1: findings.1.quote: stands 0 times in the code"
    assert fault in made.errorspan("check").stdout
    assert fault in made.errorspan("solve").stderr
    assert fault in made.build(key=False).stderr
    assert "a check has something against it" in section(made.run_pages("words"))
    assert (made.folder / "site/exercises/words").exists()
    refused = made.errorspan("adopt", "words")
    assert refused.returncode == 1
    assert fault in refused.stderr
    assert not solver_calls(messages_api)


def test_a_corrupt_solution_is_an_error_that_names_the_file(made: Project) -> None:
    made.write(f"topics/runs/words/{SECOND}", '{"findings": 7}')
    for failed in (made.build("--strict"), made.errorspan("check"), made.errorspan("solve")):
        assert failed.returncode != 0
        assert f"topics/runs/words/{SECOND}:1: findings: expected a list (got 7)" in failed.stdout + failed.stderr
        assert "Traceback" not in failed.stderr


def test_hostile_findings_stay_text(made: Project, messages_api: MessagesAPI) -> None:
    hostile = (
        "<script>alert(1)</script> </div></div> {{ 7 * 7 }} [x](javascript:alert(1)) \u202e ```\n<img src=x onerror=y>"
    )
    found = {"findings": [answers.finding(GREETING, hostile)]}
    messages_api.script("blind_solve", *[message(json.dumps(found))] * 2)
    assert made.errorspan("solve").returncode == 0
    assert made.build("--strict").returncode == 0
    told = section(made.run_pages("words"))
    assert "&lt;script&gt;" in told
    assert "<script" not in told
    assert "<img" not in told
    assert "javascript:alert" not in told.partition("href=")[2].partition(">")[0]
    assert "\u202e" not in told
    assert told.count("<div") == told.count("</div")
