"""Say where a topic stands on its way to students, and what to type next."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from errorspan.answers.verdicts import REASONS
from errorspan.authoring.settings import Settings
from errorspan.runs import budget
from errorspan.runs.publishing import proved, unresolved, withheld
from errorspan.runs.run import Run, State

DISAGREE = "position_inconsistent"


class Next(NamedTuple):
    """What to type, and why."""

    command: str
    why: str


class Standing(NamedTuple):
    """Where a topic stands, a few words for each of its stations; `next` is None where nothing is to be done."""

    run: str
    checks: str
    proof: str
    solvers: str
    review: str
    students: str
    next: Next | None


def standing(run: Run, settings: Settings) -> Standing:
    """Return where a run stands."""
    return Standing(
        run=state(run),
        checks=_checks(run),
        proof=_proof(run),
        solvers=_solvers(run),
        review=_review(run),
        students=_students(run, settings),
        next=following(run, settings),
    )


def state(run: Run) -> str:
    """Return how far the seven steps are."""
    marks = (["stale"] if run.stale else []) + run.marks
    told = not_separated(run) if run.state is State.NOT_SEPARATED else str(run.state)
    return f"{told} ({', '.join(marks)})" if marks else told


def not_separated(run: Run) -> str:
    """Say what kept the last attempt from separating the tiers, in short."""
    reason = run.verdict.reason if run.verdict else None
    return "not separated: the two judgments disagree" if reason == DISAGREE else str(State.NOT_SEPARATED)


def waits(run: Run, settings: Settings) -> str | None:
    """Say why students do not see a topic's exercise, where nothing in its files is wrong; None where they see it."""
    if run.state is State.AWAITING:
        return "awaits its run"
    if run.state is State.UNFINISHED:
        return f"its run is unfinished ({run.problem})"
    if run.state is State.NOT_SEPARATED:
        reason = run.verdict.reason if run.verdict else None
        return f"{not_separated(run)} ({REASONS[reason]})" if reason else not_separated(run)
    if run.declined:
        return f"has no exercise ({run.declined})"
    return "; ".join(withheld(run, settings.publish)) or None


def following(run: Run, settings: Settings) -> Next | None:  # noqa: C901, PLR0911 - a case for each station
    """Return what to type next."""
    evidence, shown = run.evidence, run.assessment

    def typed(command: str, why: str, more: str = "") -> Next:
        return Next(f"errorspan {command} {shlex.quote(run.topic.id)}{more}", why)

    if run.faults or run.solution_faults or (shown and evidence.refutations(shown)):
        return typed("check", "tells what is wrong, and where")
    if not run.finished:
        if budget.locked([run], settings):
            return typed("prompt", "prints what to ask, where there is no key")
        if run.sent:
            return typed("run", "takes what came in a batch, and goes on", " --batch")
        return typed("run", "asks for what is missing")
    if run.state is State.NOT_SEPARATED or run.declined:
        return typed("run", f"asks again, once {run.topic.path} says something else", " --refresh")
    if stale := [answer for answer in run.answers if answer.stale]:
        if any(answer.reported for answer in stale):
            return typed("accept", "keeps what is stale; delete its files, and it is asked for anew")
        return typed("run", "asks again for what is stale", " --refresh")
    if shown is None:
        return None
    if evidence.stale_proof or (evidence.bound and not evidence.proof):
        return typed("verify", "proves the key anew" if evidence.proof else "proves the key")
    rejected = evidence.review if evidence.review and not evidence.review.approves else None
    if away := evidence.stale_review or rejected:
        again = typed("review", "says whether the key holds now", " --by NAME")
        return None if rejected else again._replace(command=f"rm {shlex.quote(away.file)} && {again.command}")
    if unresolved(run) or (settings.publish == "reviewed" and not run.approved):
        return typed("review", "says whether the key holds", " --by NAME")
    if settings.publish == "proved" and not evidence.proves(shown):
        return typed("verify", f"proves the key, once tests beside {run.topic.path} show each error")
    return None


def _checks(run: Run) -> str:
    if not run.answers:
        return ""
    faults = len(run.faults) + len(run.solution_faults)
    return f"{faults} {'fault' if faults == 1 else 'faults'}" if faults else "passed"


def _proof(run: Run) -> str:
    evidence, shown = run.evidence, run.assessment
    if shown is None:
        return ""
    if evidence.refutations(shown):
        return "refuted"
    if evidence.stale_proof:
        return "stale"
    if evidence.valid_proof:
        return f"{len(proved(run))} of {len(shown.errors)} proved"
    return "not run" if evidence.bound else "no tests"


def _solvers(run: Run) -> str:
    if run.assessment is None:
        return ""
    if not run.solutions:
        return "not asked"
    if any(answer.stale for answer in run.solutions):
        return "stale"
    if unresolved(run):
        return "disagree"
    return "answered" if run.solve and run.solve.complete else "one of two"


def _review(run: Run) -> str:
    evidence = run.evidence
    if run.assessment is None:
        return ""
    if evidence.review:
        return f"{evidence.review.verdict} by {evidence.review.by}"
    return "of another version" if evidence.stale_review else "none"


def _students(run: Run, settings: Settings) -> str:
    why = waits(run, settings)
    if why is None:
        return "published as an exam" if settings.is_exam(run.topic) else "published"
    return f"not published: {why}" if run.assessment else "nothing yet"
