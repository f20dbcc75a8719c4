"""Say what a build has to remark on a course."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from errorspan.course import Course
from errorspan.runs.publishing import withheld
from errorspan.runs.run import Run, State
from errorspan.site import running
from errorspan.text.errors import shown

_PROOFS = {
    "here": "Proofs that were run on this machine: %s",
    "recorded": "Proofs that were run elsewhere, as the record says: %s",
    "claimed": "Proofs that this pull request claims, and that count for nothing until `errorspan verify` runs them "
    "here: %s",
}

Log = logging.LoggerAdapter[Any]


def remark(runs: Sequence[Run], course: Course, log: Log) -> None:
    """Say what is missing, left out, or against the keys of a course; warnings fail a strict build."""
    for fault in course.faults:
        log.warning(fault)
    if course.broken:
        log.warning("Left out until that is mended: %s", shown(", ".join(sorted(course.broken))))
    for folder in course.abandoned:
        log.warning("%s belongs to no topic file", folder)
    _remark_on(runs, log)
    for run in runs:
        if run.graded and (reasons := withheld(run, course.settings.publish)):
            log.info("%s is not published: %s", run.topic.id, shown("; ".join(reasons)))
    if exams := [run.topic.id for run in runs if course.settings.is_exam(run.topic)]:
        log.info("Exams, of which neither run nor key is published: %s", ", ".join(exams))
    _tell_of_proofs(runs, log)
    _tell_of_engines([run for run in runs if run.topic.id not in exams], course, log)
    stale = [run.topic.id for run in runs if run.stale]
    if stale:
        log.info("Stale, replayed as recorded: %s (`errorspan run --refresh` asks again)", ", ".join(stale))


def _tell_of_proofs(runs: Sequence[Run], log: Log) -> None:
    """Say of each proof that is shown where it was run."""
    of: dict[str, list[str]] = {}
    for run in runs:
        if run.evidence.valid_proof or run.evidence.claim:
            of.setdefault(run.evidence.source, []).append(run.topic.id)
    for source, said in _PROOFS.items():
        if ids := of.get(source):
            log.info(said, ", ".join(ids))


def _tell_of_engines(runs: Sequence[Run], course: Course, log: Log) -> None:
    """Say where students cannot run corrections, though a browser has shown that they could."""
    for engine, ids in running.engines(runs).items():
        if course.at_hand(engine):
            continue
        mend = f"`errorspan runtimes add {engine.name}`; a damaged one is moved away first"
        log.info("Corrections are compared and not run, for want of %s (%s): %s", engine.title, mend, ", ".join(ids))


def _remark_on(runs: Sequence[Run], log: Log) -> None:
    for run in runs:
        if run.state is State.AWAITING:
            log.warning("%s awaits its first run (%s)", run.topic.path, run.problem)
        elif run.state is State.UNFINISHED:
            log.warning("%s is unfinished (%s)", run.topic.path, run.problem)
        for fault in (*run.faults, *run.solution_faults, *run.refutations):
            log.warning(fault)
        for said in run.remarks:
            log.info(said)
