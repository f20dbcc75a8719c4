"""What small models say in place of an answer: each kind is told what to do, and none is paid for twice over."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

import answers
from conftest import Project
from errorspan.authoring.prices import Usage
from errorspan.models.replies import CUT, ECHO, judge, looped, sent_back
from errorspan.record.manifest import Reply
from errorspan.steps.table import STEPS, Step
from messages_api import MessagesAPI, message
from test_prompting import outputs

BY_NAME = {step.name: step for step in STEPS}
CATEGORIES, CATALOG, WEAK = (BY_NAME[name] for name in ("categories", "error_catalog", "weak_implementation"))
GIVEN = json.dumps(answers.CATEGORIES)


def reply(text: str, stop_reason: str = "end_turn") -> Reply:
    return Reply(
        text=text, model="m", stop_reason=stop_reason, usage=Usage(), seconds=1, asked_at="2026-01-02T03:04:05Z"
    )


def faults(step: Step, text: str, stop_reason: str = "end_turn", max_tokens: int | None = None) -> list[str]:
    return judge(step, outputs(), reply(text, stop_reason), max_tokens)[1]


def schema(step: Step) -> str:
    return json.dumps(step.output.model_json_schema(), indent=2)


# The schema in place of an answer


@pytest.mark.parametrize("step", [step for step in STEPS if step.output.suffix == ".json"], ids=lambda step: step.name)
def test_the_schema_is_no_answer(step: Step) -> None:
    for text in (schema(step), f"```json\n{schema(step)}\n```", json.dumps({"properties": {"beginner": []}})):
        (told,) = faults(step, text)
        assert told.startswith("this is the description of the answer, not the answer: give an object with the keys ")
        assert all(name in told for name in step.output.model_fields)
        assert len(told) < 400
    assert sent_back(step, reply(schema(step))) == schema(step)[:ECHO] + CUT


def test_the_schema_before_an_answer_is_told_too() -> None:
    assert faults(CATEGORIES, f"{schema(CATEGORIES)}\n\n{GIVEN}")[0].startswith("this is the description")


# Fences


@pytest.mark.parametrize(
    "around",
    [
        "```json\n{}\n```",
        "```\n{}\n```",
        "~~~json\n{}\n~~~",
        "{}\n```",
        "```json\n{}",
        "Here you are {as asked}:\n```json\n{}\n```\nNote that `{x}` and {y} are yours.",
        "{}}",
    ],
)
def test_what_is_around_an_answer_does_not_matter(around: str) -> None:
    head, _, tail = around.rpartition("{}")
    assert not faults(CATEGORIES, f"{head}{GIVEN}{tail}")


# In the middle


@pytest.mark.parametrize("length", range(2, len(GIVEN), 7))
def test_an_answer_that_stops_in_the_middle_is_told_so(length: int) -> None:
    for head in ("", "```json\n", "Here it is: "):
        (told,) = faults(CATEGORIES, head + GIVEN[:length])
        assert told.startswith("the answer stops in the middle: give the whole JSON object")


def test_one_that_stops_after_a_whole_object_within_it_too() -> None:
    whole = json.dumps(answers.CATALOG)
    (told,) = faults(CATALOG, whole[: whole.index("}, {") + 12])
    assert told.startswith("the answer stops in the middle")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("```python\nx = 1\n", False),
        ("```python\nx = 1\n```\n\n~~~python\ny = 2", False),
        ("```python\nx = 1\n```", True),
        ("```python\nx = 1```", True),
        ("One:\n```python\nx = 1\n```\nTwo:\n```python\ny = 1\n```\nDone.", True),
    ],
)
def test_code_that_stops_in_the_middle_is_told_so(text: str, whole: bool) -> None:  # noqa: FBT001
    told = [] if whole else ["the code block is not closed: give the whole implementation, and close its block"]
    assert faults(WEAK, text) == told


# Loops

PARAGRAPH = "Furthermore, the cache has to be invalidated whenever a worker restarts, because its state is stale. "
LOOPS = {
    "a word": ("It is ", "very ", 4000),
    "blanks": ('{"beginner": [', "\n", 5000),
    "a paragraph": ("First of all. ", PARAGRAPH, 60),
    "three paragraphs": ("", PARAGRAPH + "Then. " + PARAGRAPH.upper() + "So. " + PARAGRAPH.title(), 40),
    "lines of code": ("```python\n", "    totals[word] = totals.get(word, 0) + 1\n", 300),
}


@pytest.mark.parametrize(("before", "again", "times"), LOOPS.values(), ids=LOOPS)
def test_a_loop_is_told_and_goes_back_once(before: str, again: str, times: int) -> None:
    text = before + again * times + again[: len(again) // 2]
    (told,) = faults(WEAK, text, "max_tokens", 5000)
    assert told.startswith("the answer repeats itself (")
    assert told.endswith("until it was cut off at 5,000 tokens; say each thing once, and end where all is said")
    back = sent_back(WEAK, reply(text, "max_tokens"))
    assert len(back) <= len(before + again + again + CUT)
    assert back.startswith(before[:-1])


def test_a_loop_that_counts_is_one() -> None:
    text = "Steps:\n" + "".join(f"{n}. Check the input again.\n" for n in range(100, 400))
    loop = looped(text)
    assert loop
    assert loop.length == len("100. Check the input again.\n")
    assert loop.start < 10


@pytest.mark.parametrize(
    "text",
    ["", "x", answers.WEAK * 3, PARAGRAPH * 3, PARAGRAPH * 200 + "But this is new, and not said before.", "-" * 999],
)
def test_what_ends_otherwise_is_no_loop(text: str) -> None:
    assert looped(text) is None
    cut = reply(text, "max_tokens")
    assert sent_back(WEAK, cut) == text
    assert faults(WEAK, text, "max_tokens", 5000) == ["the answer was cut off at 5,000 tokens; a shorter one is needed"]


def test_a_loop_is_found_in_time() -> None:
    start = time.monotonic()
    for text in ("ab" * 250_000, "a" * 500_000, ("a" * 999 + "b") * 500, "".join(map(chr, range(32, 10_000))) * 50):
        looped(text)
    assert time.monotonic() - start < 10


def test_a_loop_that_was_not_cut_is_an_answer_like_any_other() -> None:
    text = "```python\n" + "x += 1\n" * 500 + "```"
    assert not faults(WEAK, text)
    assert sent_back(WEAK, reply(text)) == text


# On the wire


def rounds(api: MessagesAPI, step: str) -> list[list[dict[str, Any]]]:
    return [call["messages"] for call in api.calls if call["step"] == step]


def test_no_bad_reply_goes_back_whole(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    messages_api.script("weak_implementation", message(answers.WEAK + PARAGRAPH * 400, stop_reason="max_tokens"))
    messages_api.script("categories", message(schema(CATEGORIES)), message(f"```json\n{GIVEN[:60]}"))
    done = project.errorspan("run")
    assert done.returncode == 0, done.stderr
    first, second = rounds(messages_api, "weak_implementation")
    assert len(second[1]["content"]) < len(answers.WEAK) + 2 * len(PARAGRAPH) + len(CUT)
    assert "repeats itself" in second[2]["content"]
    assert second[:1] == first
    said = rounds(messages_api, "categories")[2]
    assert said[1]["content"] == schema(CATEGORIES)[:ECHO] + CUT
    assert "this is the description of the answer" in said[2]["content"]
    assert said[3]["content"] == f"```json\n{GIVEN[:60]}"
    assert "the answer stops in the middle" in said[4]["content"]
