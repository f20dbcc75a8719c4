"""Have a build ask models for what is missing of a course's runs, where it may."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from errorspan.authoring.settings import in_pull_request
from errorspan.course import Course
from errorspan.runs import budget
from errorspan.runs.progress import STOPPED, STOPPING, Tally
from errorspan.runs.run import Run
from errorspan.site.contributing import Contributing, Contribution
from errorspan.text.errors import BudgetError

Log = logging.LoggerAdapter[Any]


def contributed(course: Course, contributing: Contributing, log: Log, *, asks: bool) -> list[Contribution]:
    """Return what each topic of a course contributes, one topic at a time.

    A build that `asks` takes replies into the record that were received before, and asks models for the rest, as far as
    the settings let it.
    """
    found: dict[str, Contribution] = {}
    waiting: list[tuple[Run, str]] = []
    for topic in course.chosen(()):
        kept = contributing.kept(topic)
        if isinstance(kept, Contribution):
            found[topic.id] = kept
            continue
        for run in course.replay([topic.id], recover=asks, leave_out=True):
            if asks and not run.finished and not budget.without_key(budget.asked([run], course.settings)):
                waiting.append((run, kept))
            else:
                found[topic.id] = contributing.made(run, kept)
    for run, (_, why) in zip(_finished([run for run, _ in waiting], course, log), waiting, strict=True):
        found[run.topic.id] = contributing.made(run, why)
    made = [found[topic] for topic in course.topics]
    for one in made:
        if one.why:
            log.debug("%s: its pages are made (%s)", one.summary.id, one.why)
    log.debug("Topics whose pages are as they were kept: %d of %d", sum(one.why is None for one in made), len(made))
    return made


def _finished(runs: Sequence[Run], course: Course, log: Log) -> Sequence[Run]:
    if not runs or not _may_ask(course, runs, log):
        return runs
    try:
        return course.ask(
            [run.topic for run in runs],
            listen=Tally(course.settings, log.info),
            stopping=lambda: log.warning(STOPPING),
        )
    except KeyboardInterrupt:
        log.warning(STOPPED)
        raise


def _may_ask(course: Course, runs: Sequence[Run], log: Log) -> bool:
    if course.settings.offline:
        return False
    if in_pull_request():
        log.info("Nothing is asked: this is the build of a pull request.")
        return False
    try:
        worst = budget.within(runs, course.settings, course.settings.max_cost_usd)
    except BudgetError as error:
        log.warning("Nothing is asked: %s. `errorspan run TOPIC` asks for one.", error)
        return False
    for line in course.deprecations([run.topic for run in runs]):
        log.warning(line)
    log.info("Asking models for %s; this can cost up to $%.2f", ", ".join(run.topic.id for run in runs), worst)
    return True
