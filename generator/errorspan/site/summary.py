"""Say of a topic what lists, remarks and its neighbours need to know: little, and data alone."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import Level
from errorspan.runs import publishing
from errorspan.runs.answer import Writer
from errorspan.runs.counting import Counts, counts
from errorspan.runs.run import Run, State
from errorspan.site import running, timeline
from errorspan.site.exercise import Exercise


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Posed(_Told):
    """What a list says of an exercise. `written_by`: who wrote its code. `runs_from`: the folder of its engine."""

    id: str
    title: str
    level: Level | None
    language: str
    concepts: tuple[str, ...]
    minutes: tuple[int, int]
    digest: str
    written_by: Writer | None
    exam: bool = False
    runs: bool = False
    runs_from: str | None = None


class Row(_Told):
    """A run's line in the table of all runs. `proof`: what execution says, in a word."""

    attempts: int
    score: int | None
    rubric: float | None
    proof: str
    calls: int
    tokens: int
    cost: Decimal | None
    seconds: float | None
    date: str | None


class Summary(_Told):
    """What is to know of a topic outside of its own pages.

    `told`: its run has a page. `warnings` and `remarks`: what a build says of it. `proof`: where the proof that its
    pages show was run. `needs`: the engine that runs its tests in a browser, where one has shown that it does.
    """

    id: str
    title: str
    path: str
    state: State
    problem: str | None
    declined: bool
    graded: bool
    stale: bool
    exam: bool
    told: bool
    withheld: tuple[str, ...]
    exercise: Posed | None
    row: Row
    bars: tuple[timeline.Bar, ...]
    counts: Counts
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]
    proof: str | None
    needs: str | None


def of(run: Run, exercise: Exercise | None, settings: Settings, *, told: bool = True) -> Summary:
    """Return what is to know of a run outside of its own pages.

    `exercise`: the one that has a page. `told`: the run has one, too.
    """
    evidence = run.evidence
    engine = running.engine(run)
    return Summary(
        id=run.topic.id,
        title=run.topic.title,
        path=run.topic.path,
        state=run.state,
        problem=run.problem,
        declined=run.declined is not None,
        graded=run.graded,
        stale=run.stale,
        exam=settings.is_exam(run.topic),
        told=told,
        withheld=tuple(publishing.withheld(run, settings.publish)),
        exercise=_posed(run, exercise) if exercise else None,
        row=_row(run, settings),
        bars=tuple(timeline.of(run)),
        counts=counts(run, settings),
        warnings=(*run.faults, *run.solution_faults, *run.refutations),
        remarks=tuple(run.remarks),
        proof=evidence.source if evidence.valid_proof or evidence.claim else None,
        needs=engine.name if engine else None,
    )


def _posed(run: Run, exercise: Exercise) -> Posed:
    return Posed(
        id=exercise.id,
        title=exercise.title,
        level=exercise.level,
        language=exercise.assessment.language,
        concepts=exercise.concepts,
        minutes=exercise.minutes,
        digest=exercise.digest,
        exam=exercise.exam,
        written_by=run.code_origin.written_by if run.code_origin else None,
        runs=bool(exercise.run),
        runs_from=exercise.run.get("from") if exercise.run else None,
    )


def _row(run: Run, settings: Settings) -> Row:
    judged = run.verdict.judgments.values() if run.verdict else ()
    return Row(
        attempts=len(run.attempts),
        score=run.verdict.quality_score if run.verdict else None,
        rubric=min((judgment.rubric.mean for judgment in judged), default=None),
        proof=_proof(run),
        calls=len(run.calls),
        tokens=run.usage.tokens,
        cost=run.cost(settings),
        seconds=run.seconds if run.batched < len(run.calls) else None,
        date=run.date,
    )


def _proof(run: Run) -> str:
    evidence, assessment = run.evidence, run.assessment
    if assessment is None:
        return "\N{EN DASH}"
    if evidence.valid_proof:
        refuted = "refuted" if evidence.refutations(assessment) else "undecided"
        return "proved" if evidence.proves(assessment) else refuted
    if evidence.claim:
        return "claimed"
    if evidence.stale_proof:
        return "stale"
    return "not run" if evidence.bound else "no tests"
