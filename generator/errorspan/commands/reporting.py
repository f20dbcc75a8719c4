"""Hand in what somebody reports: whom they asked by hand, and what came back."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
from pydantic import ValidationError

from errorspan.answers.verdicts import REASONS
from errorspan.authoring.topics import Line, LongLine, Strict, Topic
from errorspan.commands.telling import Failure
from errorspan.course import Course
from errorspan.models.hand import Hand
from errorspan.record.manifest import Reply
from errorspan.runs.run import Open, Run
from errorspan.steps.table import SOLVE, STEPS
from errorspan.text.errors import InputError, shown
from errorspan.text.expected import misfits, sentence


class Told(Strict):
    """What stands above an answer in its file: whom somebody asked, how, and who says so."""

    whom: Line | None = None
    how: LongLine | None = None
    by: Line | None = None


def run_of(course: Course, topic: str) -> Run:
    """Return a topic's run, with what is open; replies that had come before are taken in."""
    [run] = course.replay([topic], steps=STEPS + SOLVE, recover=True)
    return run


def runs(course: Course) -> list[Run]:
    """Return the runs of all topics that can be read, in the same way."""
    return course.replay(steps=STEPS + SOLVE, recover=True)


def one_text(chosen: Open) -> str:
    """Return what is to be asked as one text, for any chat."""
    request = chosen.request()
    return f"{request.system}\n\n{request.prompt}"


def reported(text: str, told: Told, names: Mapping[str, str]) -> Reply:
    """Return what came back, with what is told of it; `names` are those of its keys, where they have others.

    Raises:
        InputError: whom, how or by is no clean line.
    """
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        return Reply(text=text, whom=told.whom, how=told.how, by=told.by, asked_at=at)
    except ValidationError as error:
        raise InputError(
            f"{names.get(str(fault['loc'][0]), fault['loc'][0])}: {sentence(fault)}" for fault in misfits(error)
        ) from None


def user(root: Path) -> str:
    """Return git's user.name.

    Raises:
        Failure: there is none.
    """
    try:
        asked = ["git", "config", "user.name"]
        found = subprocess.run(asked, cwd=root, capture_output=True, encoding="utf-8", errors="replace", check=False)  # noqa: S603 - git's own
    except OSError:
        found = None
    if found is None or not found.stdout.strip():
        raise Failure("--by: expected your name; git has no user.name here")
    return found.stdout.strip()


def handed_in(course: Course, topic: Topic, chosen: Open, reply: Reply) -> tuple[Run, str]:
    """Hand a reply in; return the run, and the text to send back where it does not count."""
    asked = chosen.request()
    if asked.repairs and asked.turns[-2][1] == reply.text:  # it is here already
        return run_of(course, topic.id), asked.turns[-1][1]
    hand = Hand(chosen.file, reply, course.settings.key_variables)
    run = course.hand_in(topic, hand)
    if hand.holds:
        raise Failure(f"{run.folder}/{chosen.file}: is not open any more, so nothing was recorded")
    waiting = next((waiting for waiting in run.open if waiting.file == chosen.file), None)
    if waiting:
        return run, waiting.request().turns[-1][1]
    recorded = any(answer.file == chosen.file for answer in (*run.answers, *run.solutions))
    return run, "" if recorded else str(run.problem or run.unsolved)


def say_recorded(run: Run, chosen: Open, reply: Reply) -> None:
    """Say what an answer became."""
    click.echo(shown(f"{run.folder}/{chosen.file}: reported ({reply.whom}, as {reply.by} says)"))


def say_next(run: Run) -> None:
    """Say what is open now, and why that is another attempt, where it begins."""
    ended, begins = run.attempts[-2:] if len(run.attempts) > 1 else (None, None)
    verdict = ended.verdict if ended else None
    if ended and begins and verdict and verdict.reason and all(one.attempt != begins.number for one in run.answers):
        told = f"{run.topic.id}: attempt {ended.number} did not separate the tiers: {REASONS[verdict.reason]}"
        click.echo(f"{told}; where an answer went to a wrong place, delete its file and answer again")
    if run.open:
        names = ", ".join(waiting.name for waiting in run.open)
        done = "" if run.problem else f"the run is {run.state}; "
        click.echo(f"{run.topic.id}: {done}open: {names} (errorspan prompt {run.topic.id})")
    else:
        click.echo(f"{run.topic.id}: the run is {run.state}")
