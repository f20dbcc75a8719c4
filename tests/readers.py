"""The readers of strangers' text, each with one door: bytes go in, and what comes out is read or refused in words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import answers
from errorspan.answers.outputs import Implementation
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import Topic, read_topics
from errorspan.course import Course
from errorspan.pipeline import judge
from errorspan.record.manifest import Reply, digest
from errorspan.site import pages
from errorspan.steps.table import ATTEMPT, STEPS, Step
from errorspan.text.errors import InputError

TOPIC = Topic(id="words", path="topics/words.yml", title="Counting words", language="python")
SAID = {
    "mid_implementation.md": answers.MID,
    "weak_implementation.md": answers.WEAK,
    "judgment-ab.json": json.dumps(answers.judgment("A"), indent=2),
    "judgment-ba.json": json.dumps(answers.judgment("B"), indent=2),
} | {f"{name}.json": json.dumps(given, indent=2) for name, given in answers.GIVEN.items()}


def file(step: Step, order: str) -> str:
    """Return the file of the record that holds a pass of the first attempt."""
    return step.file(int(step in ATTEMPT), order)


PASSES = [(step, order) for step in STEPS for order in step.passes]
FILES = {file(step, order): SAID[step.file(0, order)] for step, order in PASSES}
RUN = "run.json"
PLACED = re.compile(r"[^\n:]+:\d+: [^\n]+")


def outputs() -> dict[str, object]:
    """Return what every step reads, as a well-behaved run has it."""
    known: dict[str, object] = {"topic": TOPIC, "feedback": [], "order": "ab"}
    for step in STEPS:
        read = {order: step.output.read(FILES[file(step, order)]) for order in step.passes}
        known[step.name] = step.settle(read, known) if step.settle else read[""]
    return known


KNOWN = outputs()


def digest_of(name: str) -> str:
    """Return what a manifest says of a file as it is."""
    return digest(FILES[name])


def answer(step: Step, text: str) -> list[str]:
    """Read an answer: an output that stands in the record as it was read, or faults; return these."""
    reply = Reply(
        text=text, model="m", stop_reason="end_turn", usage=Usage(), asked_at="2026-01-02T03:04:05Z", seconds=1
    )
    output, faults = judge(step, KNOWN, reply)
    assert output is not None or faults
    assert all("\n" not in fault for fault in faults), faults
    if output is not None:
        again = type(output).read(output.recorded())
        assert again == output or isinstance(output, Implementation)
    return faults


def project(folder: Path) -> None:
    """Write a course of one topic, with a whole run."""
    (folder / "mkdocs.yml").write_text("site_name: A course\n")
    below = folder / "topics/runs/words"
    (below / "attempt-1").mkdir(parents=True, exist_ok=True)
    (folder / "topics/words.yml").write_text("title: Counting words\nlanguage: python\n")
    for name, text in FILES.items():
        (below / name).write_text(text, "utf-8")


def record(folder: Path, file: str, content: bytes) -> tuple[str, ...]:
    """Replay a run with one file changed, and render it: pages, or faults with their places; return these."""
    path = folder / "topics/runs/words" / file
    path.write_bytes(content)
    try:
        assert replayed(folder)
    except InputError as error:
        return placed(error)
    finally:
        if file in FILES:
            path.write_text(FILES[file], "utf-8")
        else:
            path.unlink()
    return ()


def replayed(folder: Path) -> list[pages.Page]:
    """Return the pages of a course."""
    course = Course.read(folder / "mkdocs.yml", {})
    return list(pages.render(course.replay([TOPIC.id]), Settings()))


def placed(error: InputError) -> tuple[str, ...]:
    """Return an error's faults; each is a line and says where it is."""
    assert error.faults
    assert not [fault for fault in error.faults if not PLACED.fullmatch(fault)]
    return error.faults


def topic(folder: Path, content: bytes) -> None:
    """Read a topic file: a topic, or faults with their places."""
    (folder / "words.yml").write_bytes(content)
    topics, broken = read_topics(folder, folder)
    assert len(topics) + len(broken) == 1
    for read in topics:
        assert Topic.model_validate_json(read.model_dump_json()) == read
    for left_out in broken:
        placed(InputError(left_out.faults))
