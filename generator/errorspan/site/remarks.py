"""Say what a build has to remark on a course."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from errorspan.browser.tasks import ENGINES
from errorspan.course import Course
from errorspan.runs.run import State
from errorspan.site.summary import Summary
from errorspan.text.errors import shown

_PROOFS = {
    "here": "Proofs that were run on this machine: %s",
    "recorded": "Proofs that were run elsewhere, as the record says: %s",
    "claimed": "Proofs that this pull request claims, and that count for nothing until `errorspan verify` runs them "
    "here: %s",
}

Log = logging.LoggerAdapter[Any]


def remark(topics: Sequence[Summary], course: Course, log: Log) -> None:
    """Say what is missing, left out, or against the keys of a course; warnings fail a strict build."""
    for fault in course.faults:
        log.warning(fault)
    if course.broken:
        log.warning("Left out until that is mended: %s", shown(", ".join(sorted(course.broken))))
    for folder in course.abandoned:
        log.warning("%s belongs to no topic file", folder)
    for topic in topics:
        _remark_on(topic, log)
    for topic in topics:
        if topic.graded and topic.withheld:
            log.info("%s is not published: %s", topic.id, shown("; ".join(topic.withheld)))
    if exams := [topic.id for topic in topics if topic.exam]:
        log.info("Exams, of which neither run nor key is published: %s", ", ".join(exams))
    _tell_of_proofs(topics, log)
    _tell_of_engines([topic for topic in topics if not topic.exam], course, log)
    if stale := [topic.id for topic in topics if topic.stale]:
        log.info("Stale, replayed as recorded: %s (`errorspan run --refresh` asks again)", ", ".join(stale))


def _tell_of_proofs(topics: Sequence[Summary], log: Log) -> None:
    """Say of each proof that is shown where it was run."""
    for source, said in _PROOFS.items():
        if ids := [topic.id for topic in topics if topic.proof == source]:
            log.info(said, ", ".join(ids))


def _tell_of_engines(topics: Sequence[Summary], course: Course, log: Log) -> None:
    """Say where students cannot run corrections, though a browser has shown that they could."""
    for engine in ENGINES:
        ids = [topic.id for topic in topics if topic.needs == engine.name]
        if not ids or course.at_hand(engine):
            continue
        mend = f"`errorspan runtimes add {engine.name}`; a damaged one is moved away first"
        log.info("Corrections are compared and not run, for want of %s (%s): %s", engine.title, mend, ", ".join(ids))


def _remark_on(topic: Summary, log: Log) -> None:
    if topic.state is State.AWAITING:
        log.warning("%s awaits its first run (%s)", topic.path, topic.problem)
    elif topic.state is State.UNFINISHED:
        log.warning("%s is unfinished (%s)", topic.path, topic.problem)
    for fault in topic.warnings:
        log.warning(fault)
    for said in topic.remarks:
        log.info(said)
