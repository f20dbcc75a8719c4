"""What `errorspan run` asks, keeps and never asks twice: real commands, a real server, real kills."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug import Response

import answers
from conftest import Project
from errorspan.steps.table import STEPS
from messages_api import Body, MessagesAPI, error, message

CALLS = sum(len(step.passes) for step in STEPS)


def manifest(project: Project, topic: str = "words") -> dict[str, dict]:
    return json.loads((project.folder / f"topics/runs/{topic}/run.json").read_text())["answers"]


def judged(*verdicts: str) -> list[Callable[[Body], Response]]:
    """Reply to both orders of each attempt, and prefer the mid implementation."""
    said = {
        "no difference": {"achieved": False, "score": 3},
        "unsupported": {"quotes": False},
        "no attempt": {"not_attempted": True},
    }
    return [reply for verdict in verdicts for reply in by_order("A", "B", **said[verdict])]


def by_order(first: str, second: str, **said: Any) -> list[Callable[[Body], Response]]:
    """Prefer a label by what the request shows as A, whichever order arrives first."""

    def reply(body: Body) -> Response:
        prompt = body["messages"][0]["content"]
        mid_first = prompt.index("totals.get(word, 0)") < prompt.index("totals[word] = 1")
        better = first if mid_first else second
        prefers_weak = better != ("A" if mid_first else "B")
        return message(json.dumps(answers.judgment(better, prefers_weak=prefers_weak, **said)))

    return [reply, reply]


def test_a_failed_judgment_starts_a_new_attempt_with_the_judges_reasons(
    project: Project, messages_api: MessagesAPI
) -> None:
    project.topic("words")
    messages_api.script("judgment", *judged("no difference"))
    done = project.errorspan("run", "words")
    assert done.returncode == 0, done.stderr
    challenges = [call for call in messages_api.calls if call["step"] == "challenge"]
    assert len(challenges) == 2
    assert "A counts; the other one does not." in challenges[1]["messages"][0]["content"]
    assert "A counts; the other one does not." not in challenges[0]["messages"][0]["content"]
    assert "worth keeping of the task: Every requirement can be checked" in challenges[1]["messages"][0]["content"]
    assert project.build("--strict", key=False).returncode == 0
    page = project.run_pages("words")
    assert "Attempt 1: the tiers do not separate" in page
    assert "Attempt 2: the tiers separate" in page
    assert "50 % (1 of 2 attempts)" in page


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        (judged("no difference") * 2, "saw no real difference"),
        (judged("unsupported") * 2, "neither a grave failure nor 2 others"),
        (judged("no attempt") * 2, "saw no attempt at the task"),
        (by_order("A", "A") * 2, "changed with the order"),
        (by_order("B", "A") * 2, "saw no real difference"),
    ],
    ids=["not achieved", "unsupported", "no attempt", "position inconsistent", "prefers the weak one"],
)
def test_a_run_that_never_separates_is_kept_and_published_without_an_exercise(
    project: Project, messages_api: MessagesAPI, replies: list[Callable[[Body], Response]], reason: str
) -> None:
    project.topic("words", "title: Words\nmax_attempts: 2\n")
    messages_api.script("judgment", *replies)
    assert project.build("--strict").returncode == 0
    assert messages_api.steps.count("challenge") == 2
    assert "assessment" not in messages_api.steps
    page = project.run_pages("words")
    assert "Run that did not separate the tiers" in page
    assert reason in page
    assert not (project.folder / "site/exercises/words").exists()
    assert "no attempt separated the tiers" in project.page("runs")
    calls = len(messages_api.calls)
    assert project.build("--strict").returncode == 0
    assert len(messages_api.calls) == calls


def test_a_solution_that_is_no_attempt_makes_the_next_challenge_smaller(
    project: Project, messages_api: MessagesAPI
) -> None:
    project.topic("words")
    messages_api.script("judgment", *judged("no attempt"))
    assert project.errorspan("run", "words").returncode == 0
    first, second = [call["messages"][0]["content"] for call in messages_api.calls if call["step"] == "challenge"]
    assert "Set a smaller one" in second
    assert "Set a smaller one" not in first


@pytest.mark.heavy
def test_a_run_of_which_no_exercise_can_be_cut_says_so(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.script(
        "assessment", message(json.dumps({"no_exercise": "Nothing <works>.", "title": "", "errors": []}))
    )
    assert project.build("--strict").returncode == 0
    assert "without an exercise" in project.errorspan("status", key=False).stdout
    page = project.run_pages("words")
    assert "Run that gave no exercise" in page
    assert "Nothing &lt;works&gt;." in page
    assert "no exercise could be cut from its solution" in project.page("runs")
    assert not (project.folder / "site/exercises/words").exists()
    for command in (["solve"], ["verify", "words"], ["review", "words", "--by", "Ada"]):
        told = project.errorspan(*command)
        assert "Traceback" not in told.stderr
        assert ("Nothing <works>" in told.stderr) is (command != ["solve"])
    calls = len(messages_api.calls)
    assert project.build("--strict").returncode == 0
    assert "Nothing is missing" in project.errorspan("run").stdout
    assert len(messages_api.calls) == calls
    assert "1/1" in project.errorspan("report").stdout.replace(" of ", "/")  # the tiers did separate


def test_identical_implementations_are_not_judged(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words", "title: Words\nmax_attempts: 2\n")
    messages_api.script("weak_implementation", message(answers.MID))
    assert project.errorspan("run").returncode == 0
    assert messages_api.steps.count("judgment") == 2
    assert messages_api.steps.count("challenge") == 2


@pytest.mark.heavy
def test_of_several_samples_the_best_supported_difference_goes_on(project: Project, messages_api: MessagesAPI) -> None:
    config = project.folder / "mkdocs.yml"
    sampled = "weak: {{model: weak-model, samples: {}}}".format
    config.write_text(config.read_text().replace("weak: weak-model", sampled(3)))
    project.topic("words", "title: Words\nmax_attempts: 1\n")
    solved = [
        answers.MID,
        answers.LONE["weak_implementation"],
        answers.WEAK,
    ]  # no failure, one that is not grave, three
    messages_api.script("weak_implementation", *map(message, solved))
    messages_api.script("judgment", error(400))
    dry = project.errorspan("run", "--dry-run", key=False).stdout
    assert (dry.count("sample 2"), dry.count("sample 3, order BA")) == (3, 1)
    assert project.errorspan("run").returncode == 1
    assert project.errorspan("run").returncode == 0
    assert messages_api.steps.count("weak_implementation") == 3
    assert messages_api.steps.count("challenge") == 1
    kept = {path: text.decode().strip() for path, text in project.files("topics/runs/words/attempt-1").items()}
    weak = {"": "1"} | {f"-{sample}": sample for sample in "23"}
    said = {sample: kept[f"weak_implementation{name}.md"] for name, sample in weak.items()}
    assert len(set(said.values())) == 3
    [best] = [sample for sample, text in said.items() if text == answers.WEAK.strip()]
    alike = [sample for sample, text in said.items() if text == answers.MID.strip()]
    judged = {path.removesuffix(".json").removeprefix("judgment") for path in kept if path.startswith("judgment")}
    assert judged == {f"{name}-{order}" for name, n in weak.items() if n not in alike for order in ("ab", "ba")}
    calls = len(messages_api.calls)
    for samples in (3, 5, 1):
        config.write_text(re.sub(r"samples: \d", f"samples: {samples}", config.read_text()))
        built = project.build("--strict", key=samples == 3)
        assert built.returncode == 0, built.stderr
        assert f"The weak tier solved this challenge 3 times; the run goes on with sample {best}" in project.run_pages(
            "words"
        )
        assert "Sample" in project.run_pages("words")
    assert len(messages_api.calls) == calls
    assert (project.folder / "site/exercises/words").exists()


@pytest.mark.heavy
def test_an_attempt_that_a_run_went_on_from_is_sampled_no_more(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.script("weak_implementation", message(answers.MID), message(answers.WEAK))  # the first is not judged
    assert project.errorspan("run").returncode == 0
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("weak: weak-model", "weak: {model: weak-model, samples: 3}"))
    calls = len(messages_api.calls)
    assert project.build("--strict").returncode == 0
    assert "Nothing is missing" in project.errorspan("run").stdout
    assert len(messages_api.calls) == calls
    assert (project.folder / "site/exercises/words").exists()


def test_an_answer_with_faults_goes_back_with_them(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    planted = json.loads(json.dumps(answers.ASSESSMENT))
    planted["code"] += "\n\ndef planted():\n    return 1\n"
    planted["errors"][2]["quote"] = "return 1\n"
    messages_api.script(
        "assessment", message("I would rather not use JSON."), message(json.dumps(planted), stop_reason="end_turn")
    )
    assert project.errorspan("run").returncode == 0
    repaired = [call for call in messages_api.calls if call["step"] == "assessment"]
    assert [len(call["messages"]) for call in repaired] == [1, 3, 5]
    assert "does not follow in the weak implementation" in repaired[2]["messages"][4]["content"]
    entry = manifest(project)["assessment.json"]
    assert [len(rejected["faults"]) > 0 for rejected in entry["rejected"]] == [True, True]
    kept = project.files(".cache/errorspan/words/rejected")
    assert any(b"rather not use JSON" in content for content in kept.values())
    assert project.build("--strict").returncode == 0
    assert "Rejected replies" in project.run_pages("words")


def test_repairs_end_with_a_clear_error_and_nothing_else_is_asked_again(
    project: Project, messages_api: MessagesAPI
) -> None:
    project.topic("words")
    messages_api.script("assessment", *[message('{"title": "half"}')] * 3)
    failed = project.errorspan("run")
    assert failed.returncode == 1
    assert "words: assessment (author-model)" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert len(messages_api.calls) == CALLS - 1 + 3
    assert len(project.files(".cache/errorspan/words/rejected")) == 3
    assert project.errorspan("run").returncode == 0
    assert messages_api.steps[CALLS + 2 :] == ["assessment"]
    assert f"{len(messages_api.calls) * 1100:,}" in project.errorspan("status").stdout
    assert project.build("--strict", key=False).returncode == 0
    assert project.run_pages("words").count("title: is missing") == 0
    assert "learning_objective: is missing" in project.run_pages("words")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (
            message("", stop_reason="refusal", stop_details={"type": "refusal", "category": "cyber"}),
            "refused to answer",
        ),
        (message("", stop_reason="model_context_window_exceeded"), "longer than the model's context"),
        (message("", stop_reason="something_new"), "stopped with 'something_new'"),
    ],
    ids=["refusal", "context", "unknown"],
)
def test_a_reply_that_is_no_answer_is_told_kept_and_not_cached(
    project: Project, messages_api: MessagesAPI, reply: Response, told: str
) -> None:
    project.topic("words")
    messages_api.script("weak_implementation", reply)
    failed = project.errorspan("run")
    assert failed.returncode == 1
    assert told in failed.stderr
    assert "attempt-1/mid_implementation.md" in manifest(project)
    assert "attempt-1/weak_implementation.md" not in manifest(project)
    assert len(project.files(".cache/errorspan/words/rejected")) == 1
    assert project.errorspan("run").returncode == 0
    assert messages_api.steps.count("mid_implementation") == 1
    assert messages_api.steps.count("weak_implementation") == 2


def test_a_cut_answer_is_asked_for_again_shorter(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.script("weak_implementation", message("Sure! ```python\ndef", stop_reason="max_tokens"))
    assert project.errorspan("run").returncode == 0
    again = [call for call in messages_api.calls if call["step"] == "weak_implementation"][1]
    assert "cut off" in again["messages"][2]["content"]


def test_a_server_error_loses_nothing(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.script("challenge", *[error(529, "Overloaded", **{"retry-after-ms": "1"})] * 2)
    failed = project.errorspan("run")
    assert failed.returncode == 1
    assert "the server answered 529, after 2 tries: Overloaded" in failed.stderr
    assert project.errorspan("run").returncode == 0
    assert messages_api.steps.count("categories") == messages_api.steps.count("error_catalog") == 1


def test_steps_orders_and_topics_run_side_by_side_under_one_limit(project: Project, messages_api: MessagesAPI) -> None:
    for name in ("one", "two", "three"):
        project.topic(name)
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("max_retries: 1", "max_calls: 3\n    max_cost_usd: 100"))
    messages_api.latency = 0.15
    assert project.errorspan("run").returncode == 0
    assert len(messages_api.calls) == 3 * CALLS
    assert messages_api.most_at_once == 3


@pytest.mark.heavy
def test_a_killed_run_goes_on_where_it_was(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.latency = 0.2
    for wanted in (2, 4, 6, CALLS):
        process = project.start("errorspan.commands.cli", "run")
        try:
            deadline = time.monotonic() + 60
            while len(messages_api.calls) < wanted and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    finished = project.errorspan("run")
    assert finished.returncode == 0, finished.stderr
    answered = [step for step in messages_api.steps if step in {"categories", "error_catalog", "challenge"}]
    in_flight = 2 * 4  # each kill may lose the calls that were in flight, two at the most
    assert len(messages_api.calls) <= CALLS + in_flight
    assert set(answered) == {"categories", "error_catalog", "challenge"}
    assert project.build("--strict", key=False).returncode == 0


def test_a_reply_that_was_received_but_not_recorded_is_found_again(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    before = project.files("topics/runs")
    entry = manifest(project)["assessment.json"]
    reply = {
        "text": json.dumps(answers.ASSESSMENT),
        "model": entry["model"],
        "stop_reason": "end_turn",
        "usage": entry["usage"],
        "asked_at": entry["at"],
        "seconds": entry["seconds"],
    }
    project.write(f".cache/errorspan/words/{entry['key'][:32]}.0.{entry['key']}.json", json.dumps(reply))
    (project.folder / "topics/runs/words/assessment.json").unlink()
    assert project.build("--strict", key=False).returncode == 0
    assert len(messages_api.calls) == CALLS
    assert project.files("topics/runs") == before
    assert not list((project.folder / ".cache/errorspan/words").glob("*.json"))


@pytest.mark.heavy
def test_two_builds_at_once_ask_each_question_once(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.latency = 0.1
    with ThreadPoolExecutor(2) as pool:
        builds = [pool.submit(project.build, "--strict", "-d", f"site-{number}", cold=True) for number in range(2)]
        assert [build.result().returncode for build in builds] == [0, 0]
    assert len(messages_api.calls) == CALLS
    one, other = project.files("site-0"), project.files("site-1")
    assert {name for name in one if one[name] != other.get(name)} <= {"sitemap.xml.gz"}


@pytest.mark.heavy
def test_ctrl_c_keeps_what_is_in_flight_and_asks_no_more(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.latency = 1
    process = project.start("errorspan.commands.cli", "run")
    while "error_catalog" not in messages_api.steps:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopped. What was answered is kept" in output
    assert "Traceback" not in output
    assert messages_api.steps == ["categories", "error_catalog"]
    assert set(manifest(project)) == {"categories.json", "error_catalog.json"}


def test_an_edited_answer_turns_authored_and_what_follows_stale(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    assert project.build("--strict").returncode == 0
    path = project.folder / "topics/runs/words/attempt-1/challenge.json"
    path.write_text(path.read_text().replace("A library wants", "A small library wants"))
    built = project.build("--strict")
    assert built.returncode == 0
    assert "Stale, replayed as recorded: words" in built.stderr
    assert len(messages_api.calls) == CALLS
    page = project.run_pages("words")
    assert "edited by a person after author-model" in page
    assert "Some answers of this run were" in page
    assert "Stale run" in page
    assert "Gold-standard run" not in page
    exercise = project.page("exercises/words")
    assert "a model’s own" in exercise
    assert "are stale" in exercise


def test_refresh_asks_stale_answers_again_and_only_those(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    project.topic("words", "title: Counting words\nlanguage: python\nmodels: {weak: mid-model}\n")
    assert "stale" in project.errorspan("status").stdout
    assert "Nothing is missing" in project.errorspan("run").stdout
    assert len(messages_api.calls) == CALLS
    assert project.errorspan("run", "--refresh", "--dry-run").stdout.count("\n") > 2
    assert len(messages_api.calls) == CALLS
    messages_api.script(
        "mid_implementation", message(answers.WEAK.replace("count(words):", "count(words):  # all"), "mid-model")
    )
    refreshed = project.errorspan("run", "--refresh")
    assert refreshed.returncode == 0, refreshed.stderr
    assert messages_api.steps[CALLS:] == ["mid_implementation", "judgment", "judgment", "assessment"]
    status = project.errorspan("status").stdout
    assert "stale" not in status
    assert f"{len(messages_api.calls) * 1100:,}" in status  # what was superseded was paid for too
    assert "superseded by a later answer" in (project.folder / "topics/runs/words/run.json").read_text()


def test_an_adopted_edit_still_tells_the_model(project: Project) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    path = project.folder / "topics/runs/words/categories.json"
    path.write_text(path.read_text().replace("Reading a file", "Reading one file"))
    assert project.errorspan("adopt", "words").returncode == 0
    entry = manifest(project)["categories.json"]
    assert (entry["origin"], entry["model"], entry["usage"]["input_tokens"]) == ("authored", "author-model", 1000)
    assert entry["edited"]
    assert project.build("--strict", key=False).returncode == 0
    assert "edited by a person after author-model" in project.run_pages("words")


def test_a_model_that_answers_under_another_name_keeps_its_price(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.script("weak_implementation", message(answers.WEAK, "weak-model-20261001"))
    assert project.errorspan("run").returncode == 0
    entry = manifest(project)["attempt-1/weak_implementation.md"]
    assert (entry["model"], entry["served"]) == ("weak-model", "weak-model-20261001")
    assert "price not known" not in project.errorspan("status").stdout


def test_a_dry_run_tells_every_call_and_its_worst_case_and_asks_nothing(
    project: Project, messages_api: MessagesAPI
) -> None:
    project.topic("words", "title: Words\nmax_attempts: 1\n")
    told = project.errorspan("run", "--dry-run", key=False)
    assert told.returncode == 0
    for row in ("Categories", "Error catalog", "Challenge", "Mid implementation", "Weak implementation", "Assessment"):
        assert row in told.stdout
    assert told.stdout.count("judge-model") == 2
    assert "Worst case: $" in told.stdout
    assert not messages_api.calls


def test_a_run_without_a_key_says_so(project: Project) -> None:
    project.topic("words")
    failed = project.errorspan("run", key=False)
    assert failed.returncode == 1
    assert "No key: set ANTHROPIC_API_KEY" in failed.stderr


def test_answers_that_a_person_wrote_are_adopted_as_authored(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    (project.folder / "topics/runs/words/run.json").unlink()
    adopted = project.errorspan("adopt", "words", "--note", "Written by hand.", key=False)
    assert adopted.returncode == 0, adopted.stderr
    entries = manifest(project)
    assert {entry["origin"] for entry in entries.values()} == {"authored"}
    assert all("model" not in entry and "usage" not in entry for entry in entries.values())
    assert project.build("--strict", key=False).returncode == 0
    page = project.run_pages("words")
    assert "This run was" in page
    assert "Written by hand." in page
    assert "author-model" not in page
    assert len(messages_api.calls) == CALLS


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("run.json", "{", "topics/runs/words/run.json:1: "),
        ("run.json", '{"format": 3, "more": 1}', "was written by a newer version (format 3)"),
        ("categories.json", "{}", "topics/runs/words/categories.json:1: beginner: is missing"),
        ("attempt-1/mid_implementation.md", " ", "topics/runs/words/attempt-1/mid_implementation.md:1: text"),
    ],
)
def test_a_corrupt_record_is_an_error_that_names_the_file(project: Project, file: str, content: str, told: str) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    project.write(f"topics/runs/words/{file}", content)
    for failed in (project.build("--strict"), project.errorspan("check")):
        assert failed.returncode != 0
        assert told in failed.stdout + failed.stderr
        assert "Traceback" not in failed.stderr


@pytest.mark.heavy
def test_an_exercise_whose_answers_fail_a_check_is_not_published(project: Project) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    path = project.folder / "topics/runs/words/assessment.json"
    path.write_text(path.read_text().replace('"failure": "F3"', '"failure": "F9"'))
    built = project.build()
    assert "errors.3.failure: F9 is none of the judged failures" in built.stderr
    assert not (project.folder / "site/exercises/words").exists()
    assert project.build("--strict").returncode != 0
